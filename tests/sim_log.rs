//! The log of a simulation: its contents in each of its forms.
#![allow(clippy::unwrap_used)]

use std::cell::Cell;
use std::env;
use std::fmt;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::{self, Command};
use std::time::Duration;

use anyrt::runtime::{TcpListener, UdpSocket};
use anyrt::sim::{Host, LinkOptions, Log, Policy, note};
use anyrt::task::{self, Builder};
use anyrt::{BlockOn, Net, Sim, Spawn, Time};
use futures::future::join;
use futures::io::{AsyncReadExt, AsyncWriteExt};
use serde_json::Value;

fn logged() -> Sim {
    Sim::builder().seed(u64::MAX).policy(Policy::Fifo).log(true).build().unwrap()
}

#[track_caller]
fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no {word:?} in:\n{text}");
    }
}

/// A question over TCP, one over UDP to an unused address, a timer, a note and a panic. Returns the line on which the
/// task is spawned.
fn program(sim: &Sim) -> u32 {
    let server = sim.host("db", [10, 0, 0, 2]).unwrap();
    let line = line!() + 1;
    sim.block_on(async {
        let accepting = server.spawn(server_of(server.clone()));
        sim.sleep(Duration::from_millis(1)).await;
        let mut stream = sim.tcp_connect("db:5432").await.unwrap();
        stream.write_all(b"ping").await.unwrap();
        stream.read_exact(&mut [0; 4]).await.unwrap();
        accepting.await.unwrap();
        let socket = sim.udp_bind("0.0.0.0:9").await.unwrap();
        socket.send_to(b"lost", "10.0.0.9:9".parse().unwrap()).await.unwrap();
        socket.send_to(b"found", "127.0.0.1:9".parse().unwrap()).await.unwrap();
        socket.recv(&mut [0; 8]).await.unwrap();
        assert!(sim.spawn(async { panic!("a \"bad\" day") }).await.is_err_and(|error| error.is_panic()));
    });
    line
}

async fn server_of(server: Host) {
    let listener = server.tcp_bind("0.0.0.0:5432").await.unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    note("</script> accepted\u{2028}");
    let mut ping = [0; 4];
    stream.read_exact(&mut ping).await.unwrap();
    stream.write_all(&ping).await.unwrap();
}

fn parse(log: &Log) -> Value {
    serde_json::from_str(&log.to_json()).unwrap()
}

/// Returns the events with these fields.
fn events<'a>(json: &'a Value, of: &[(&str, &str)]) -> Vec<&'a Value> {
    let all = json["events"].as_array().unwrap().iter();
    all.filter(|event| of.iter().all(|(name, value)| event[*name] == *value)).collect()
}

#[test]
fn text_has_a_line_for_every_event() {
    let sim = logged();
    let line = program(&sim);
    let text = sim.log().to_string();
    let port = text.split("to db, 10.0.0.1:").nth(1).and_then(|port| port.split(' ').next()).unwrap();
    assert_says(
        &text,
        &[
            &format!("seed {}, policy Fifo, hash {:016x}\n", u64::MAX, sim.trace_hash()),
            "host \"db\" at 10.0.0.2\n",
            &format!("           0ns  main  #1   block_on spawned (tests/sim_log.rs:{line}:9)\n"),
            &format!(
                "           0ns  db    #2   waits to accept at 0.0.0.0:5432 (tests/sim_log.rs:{}:32)\n",
                line + 1
            ),
            "           0ns  main  #1   sleeps until 1ms (",
            "           1ms  main  #1   timer fired (",
            &format!("sent request to db, 10.0.0.1:{port} to 10.0.0.2:5432, message 1"),
            &format!("sent data to db, 10.0.0.1:{port} to 10.0.0.2:5432, 4 bytes, payload "),
            &format!("data arrived from main, 10.0.0.1:{port} to 10.0.0.2:5432, 4 bytes, payload "),
            "  main  #1   woken by #",
            r"note: </script> accepted\u{2028}",
            "panicked: a \"bad\" day (",
        ],
    );
    assert_eq!(text.lines().count(), sim.log().len() + 3, "three lines come first");
    // The lines are checked one by one.
    let found = text.lines().find(|line| line.contains("datagram arrived")).unwrap();
    assert_says(found, &["  main  s", "datagram arrived from main, 127.0.0.1:9 to 127.0.0.1:9, 5 bytes"]);
}

#[test]
fn json_has_what_its_docs_promise() {
    let sim = logged();
    let line = program(&sim);
    let json = parse(&sim.log());
    assert_eq!(json["seed"], u64::MAX.to_string());
    assert_eq!(json["policy"], "Fifo");
    assert_eq!(json["hash"], format!("{:016x}", sim.trace_hash()));
    assert_eq!(json["hosts"][1], serde_json::json!({"name": "db", "ip": "10.0.0.2"}));
    assert_eq!(json["events"].as_array().unwrap().len(), sim.log().len());

    let spawned = events(&json, &[("kind", "spawned"), ("is", "task"), ("host", "db")]);
    assert_eq!(spawned.len(), 1);
    let server = &spawned[0]["task"];
    assert_eq!(spawned[0]["place"], format!("tests/sim_log.rs:{}:32", line + 1));
    let woken = events(&json, &[("kind", "woken"), ("host", "db")]);
    assert_eq!((&woken[0]["task"], &woken[0]["by"]), (server, &1.into()), "by the task that spawned it");
    assert_eq!(woken[1].get("by"), None, "by the network");
    assert_eq!(events(&json, &[("kind", "waits"), ("waits", "sleeps until 1ms")])[0]["at"], 0);
    let fired = events(&json, &[("kind", "timer fired")]);
    assert_eq!((fired.len(), &fired[0]["at"], &fired[0]["task"]), (1, &1_000_000.into(), &1.into()));
    let notes = events(&json, &[("kind", "note")]);
    assert_eq!((&notes[0]["text"], &notes[0]["task"]), (&"</script> accepted\u{2028}".into(), server));
    assert_eq!(notes[0]["host"], "db");
    assert_eq!(events(&json, &[("kind", "panicked")])[0]["text"], "a \"bad\" day");
}

#[test]
fn name_of_a_task_is_in_the_log_and_changes_nothing() {
    let run = |name: &'static str| {
        let sim = logged();
        let task = Builder::new().name(name).spawn_on(async { task::id().to_string() }, &sim).unwrap();
        let closure =
            Builder::new().name("reads").spawn_blocking_on(|| task::id().to_string(), &sim).unwrap();
        let ids = sim.block_on(async { (task.await.unwrap(), closure.await.unwrap()) });
        assert_eq!(ids, ("1".to_owned(), "2".to_owned()), "as in the log");
        sim
    };
    let sim = run("says \"hello\"");
    assert_says(
        &sim.log().to_string(),
        &[
            "#1   task \"says \\\"hello\\\"\" spawned (tests/sim_log.rs:",
            "#2   closure \"reads\" spawned (tests/sim_log.rs:",
        ],
    );
    let json = parse(&sim.log());
    let spawned = events(&json, &[("kind", "spawned")]);
    assert_eq!((&spawned[0]["name"], &spawned[1]["name"]), (&"says \"hello\"".into(), &"reads".into()));
    assert_eq!(spawned[2].get("name"), None, "of a `block_on`");
    assert_eq!(sim.trace_hash(), run("says nothing").trace_hash());
}

#[test]
fn message_is_the_same_where_it_is_sent_and_where_it_arrives() {
    let sim = logged();
    program(&sim);
    let json = parse(&sim.log());
    for (what, from, arrives) in [
        ("request", "main", "connection asked"),
        ("answer", "db", "connection opened"),
        ("data", "main", "data arrived"),
        ("data", "db", "data arrived"),
        ("end", "db", "end arrived"),
        ("datagram", "main", "datagram arrived"),
    ] {
        let sent = events(&json, &[("kind", "sent"), ("what", what), ("host", from)]);
        let [sent] = sent[..] else { panic!("{what} from {from}: {sent:?}") };
        let arrived = events(&json, &[("kind", arrives), ("peer", from)]);
        let arrived: Vec<_> = arrived.iter().filter(|event| event["message"] == sent["message"]).collect();
        let [arrived] = arrived[..] else { panic!("{what} from {from}: {arrived:?}") };
        assert_eq!((&sent["host"], &sent["peer"]), (&arrived["peer"], &arrived["host"]));
        assert_eq!(arrived["sent"], sent["at"]);
        assert!(arrived["at"].as_u64() > sent["at"].as_u64());
        for same in ["from", "to", "bytes", "payload", "socket"] {
            assert_eq!(sent[same], arrived[same], "{same} of {what} from {from}");
        }
    }
    let data = events(&json, &[("kind", "sent"), ("what", "data")]);
    assert_eq!(data.iter().map(|event| &event["bytes"]).collect::<Vec<_>>(), [4, 4]);
    assert_eq!(data[0]["payload"], data[1]["payload"], "of the same bytes");
    assert_ne!(data[0]["payload"], events(&json, &[("what", "end")])[0]["payload"]);
    assert_ne!(data[0]["payload"], events(&json, &[("what", "datagram")])[0]["payload"]);
}

/// A reset, a refusal, and a connection attempt that is repeated because the queue is full.
#[test]
fn messages_of_trouble_arrive_as_well() {
    let sim = logged();
    let db = sim.host("db", [10, 0, 0, 2]).unwrap();
    sim.block_on(async {
        assert!(sim.tcp_connect("db:1").await.is_err());
        let udp = sim.udp_bind("0.0.0.0:0").await.unwrap();
        udp.connect("10.0.0.2:1".parse().unwrap()).unwrap();
        udp.send(b"?").await.unwrap();
        assert!(udp.recv(&mut [0]).await.is_err());
        let options = anyrt::net::ListenOptions::new().backlog(1);
        let listener = db.tcp_bind_with("0.0.0.0:2", &options).await.unwrap();
        let first = sim.tcp_connect("db:2").await.unwrap();
        let beyond = sim.tcp_connect("db:2").await.unwrap();
        let late = async {
            db.sleep(Duration::from_millis(500)).await;
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"nobody reads this").await.unwrap();
            let others = (listener.accept().await.unwrap(), listener.accept().await.unwrap());
            (stream, others)
        };
        let (second, accepted) = join(sim.tcp_connect("db:2"), late).await;
        drop((first, beyond, second));
        sim.sleep(Duration::from_secs(1)).await;
        drop(accepted);
    });
    let json = parse(&sim.log());
    let one = |kind: &str, what: &str, peer: &str| {
        let found = events(&json, &[("kind", kind), ("what", what), ("peer", peer)]);
        assert!(!found.is_empty(), "no {kind} of a {what} from {peer}");
        found
    };
    one("connection refused", "refusal", "db");
    one("datagram refused", "refusal", "db");
    one("reset arrived", "reset", "main");
    let asked = one("connection asked", "request", "main");
    let again = asked.iter().filter(|event| event["message"] == asked[asked.len() - 1]["message"]);
    assert_eq!(again.count(), 2, "{asked:?}");
}

#[test]
fn message_has_its_beginning_as_text() {
    let sim = logged();
    let text = "a \"b\" \\ é\n";
    let bytes = [text.as_bytes(), &[0, 0x1b, 0xff, 0xc3], &[b'x'; 300]].concat();
    sim.block_on(async {
        let socket = sim.udp_bind("127.0.0.1:1").await.unwrap();
        socket.send_to(&bytes, "127.0.0.1:1".parse().unwrap()).await.unwrap();
        socket.send_to(b"", "127.0.0.1:1".parse().unwrap()).await.unwrap();
        socket.recv(&mut [0; 400]).await.unwrap();
    });
    let json = parse(&sim.log());
    let begins = String::from(r#"a \"b\" \\ é\n\0\x1b\xff\xc3"#) + &"x".repeat(256 - text.len() - 4);
    for kind in ["sent", "datagram arrived"] {
        let of_kind = events(&json, &[("kind", kind), ("what", "datagram")]);
        assert_eq!(of_kind[0]["content"], begins, "{kind}");
        assert_eq!(of_kind[0]["bytes"], bytes.len());
    }
    assert_eq!(events(&json, &[("kind", "sent")])[1].get("content"), None, "there is nothing in it");
    let line = format!(" {} bytes, payload {:016x} \"{begins}\", message 1", bytes.len(), {
        let payload = events(&json, &[("kind", "sent")])[0]["payload"].as_str().unwrap();
        u64::from_str_radix(payload, 16).unwrap()
    });
    assert_says(&sim.log().to_string(), &[&line]);
}

/// What a program does to names and times of day is in the log, and a run without a log has the same hash.
#[test]
fn changes_of_names_and_times_are_in_the_log() {
    let run = |sim: Sim| {
        let db = sim.host("db", [10, 0, 0, 2]).unwrap();
        sim.dns().set("db", [[10, 0, 0, 3], [10, 0, 0, 4]]);
        sim.dns().remove("db");
        sim.dns().latency(Duration::from_millis(20));
        sim.block_on(async {
            sim.sleep(Duration::from_millis(1)).await;
            sim.dns().fail("db");
            sim.dns().served_by("db").unwrap();
            sim.dns().reset("db");
            db.set_system_time(db.system_time() - Duration::from_secs(3600));
        });
        sim
    };
    let sim = run(logged());
    let text = sim.log().to_string();
    assert_says(
        &text,
        &[
            "0ns  main       names changed: \"db\" is 10.0.0.3, 10.0.0.4\n",
            "0ns  main       names changed: \"db\" is not found\n",
            "0ns  main       names changed: an answer takes 20ms\n",
            "1ms  main  #1   names changed: \"db\" cannot be resolved (tests/sim_log.rs:",
            "1ms  main  #1   names changed: served by \"db\" (tests",
            "1ms  main  #1   names changed: \"db\" is what it was at first (tests",
            "1ms  db         time of day set: 3600s behind\n",
        ],
    );
    let json = parse(&sim.log());
    assert_eq!(events(&json, &[("kind", "names changed"), ("host", "main")]).len(), 6);
    assert_eq!(run(Sim::builder().seed(sim.seed()).build().unwrap()).trace_hash(), sim.trace_hash());
}

/// Panics of a task, of a closure, and of a `block_on`.
#[test]
fn panics_are_in_the_log() {
    let sim = logged();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        sim.block_on(async {
            assert!(sim.spawn(async { panic!("a task") }).await.is_err());
            assert!(sim.spawn_blocking(|| panic!("a closure")).await.is_err());
            panic!("a program");
        })
    }));
    outcome.unwrap_err();
    let json = parse(&sim.log());
    let panics = events(&json, &[("kind", "panicked")]);
    let kinds: Vec<_> = panics.iter().map(|panic| kind_of(&json, &panic["task"])).collect();
    assert_eq!(kinds, ["task", "closure", "block_on"], "{panics:?}");
    assert_eq!((&panics[0]["text"], &panics[1]["text"]), (&"a task".into(), &"a closure".into()));
    // A program that has ended has not failed.
    assert_eq!(events(&json, &[("kind", "failed")]).len(), 0);
}

/// Returns the kind of a task.
fn kind_of<'a>(json: &'a Value, task: &Value) -> &'a str {
    let spawned = events(json, &[("kind", "spawned")]);
    spawned.into_iter().find(|event| event["task"] == *task).unwrap()["is"].as_str().unwrap()
}

#[cfg(unix)]
#[test]
fn unix_datagram_is_sent_and_arrives_at_once() {
    use anyrt::runtime::{UnixDatagram, UnixNet};

    let sim = logged();
    sim.block_on(async {
        let receiver = sim.unix_datagram_bind("/run/in").unwrap();
        let sender = sim.unix_datagram_unbound().unwrap();
        sender.send_to(b"abc", "/run/in").await.unwrap();
        receiver.recv(&mut [0; 3]).await.unwrap();
    });
    assert_says(
        &sim.log().to_string(),
        &[
            "sent datagram to main, no name to /run/in, 3 bytes",
            "datagram arrived from main, no name to /run/in",
        ],
    );
}

#[test]
fn page_is_complete_in_itself() {
    let sim = logged();
    program(&sim);
    let page = sim.log().to_html();
    for outside in ["http:", "https:", "src=", "<link", "@import", "url(", "import("] {
        assert!(!page.contains(outside), "{outside}");
    }
    let (_, rest) = page.split_once(r#"<script type="application/json" id="log">"#).unwrap();
    let (embedded, rest) = rest.split_once("</script>").unwrap();
    assert_eq!(serde_json::from_str::<Value>(embedded).unwrap(), parse(&sim.log()));
    assert!(!embedded.contains('<'));
    assert_eq!(rest.matches("</script>").count(), 1, "a note ends no script");
    assert!(!page.contains('\u{2028}'));
}

#[test]
fn note_knows_where_it_is_and_is_part_of_the_hash() {
    let run = |text: &'static str| {
        let sim = logged();
        let db = sim.host("db", [10, 0, 0, 2]).unwrap();
        sim.block_on(async { db.spawn(async move { note(text) }).await }).unwrap();
        sim
    };
    let sim = run("one");
    let json = parse(&sim.log());
    let [note] = events(&json, &[("kind", "note"), ("text", "one")])[..] else { panic!("{json}") };
    assert_eq!(note["host"], "db");
    assert_eq!(note["task"], events(&json, &[("kind", "spawned"), ("host", "db")])[0]["task"]);
    assert_eq!(run("one").trace_hash(), sim.trace_hash());
    assert_ne!(run("two").trace_hash(), sim.trace_hash());
}

#[test]
fn note_outside_of_a_simulation_is_not_even_formatted() {
    struct Counts<'a>(&'a Cell<u32>);

    impl fmt::Display for Counts<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.set(self.0.get() + 1);
            f.write_str("counted")
        }
    }

    let count = Cell::new(0);
    note(Counts(&count));
    assert_eq!(count.get(), 0);
    let sim = logged();
    sim.block_on(async { note(Counts(&count)) });
    assert_eq!(count.get(), 1);
    note(Counts(&count));
    assert_eq!(count.get(), 1, "it is over");
}

#[test]
fn nothing_is_kept_unless_asked_for_and_the_hash_is_the_same() {
    let run = |log| {
        let sim = Sim::builder().seed(9).log(log).build().unwrap();
        program(&sim);
        sim
    };
    let (with, without) = (run(true), run(false));
    assert!(without.log().is_empty() && !with.log().is_empty());
    assert_eq!(with.trace_hash(), without.trace_hash());
    assert_eq!(parse(&without.log())["events"], serde_json::json!([]));
    assert!(without.log().to_html().contains("</html>"));
}

/// Returns the name of a file that only this test uses.
fn file(name: &str) -> PathBuf {
    env::temp_dir().join(format!("anyrt-{}-{name}", process::id()))
}

#[test]
fn environment_has_the_log_written() {
    const CHILD: &str = "ANYRT_TEST_SIM_LOG_CHILD";
    if let Some(way) = env::var_os(CHILD) {
        if way == "explores" {
            return anyrt::sim::explore(0..10, |sim| sim.block_on(async { note("of a seed") }));
        }
        if way == "fails" {
            let sim = Sim::new().unwrap();
            sim.block_on(async { note("no panic here") });
            panic!("an assertion");
        }
        let sim = if way == "leaks" { Sim::new() } else { Sim::builder().seed(5).build() }.unwrap();
        let held = sim.clone();
        // As servers do: a task that never ends keeps its simulation alive.
        drop(sim.spawn(async move { held.sleep(Duration::MAX).await }));
        sim.block_on(async { note("first") });
        match way.to_str().unwrap() {
            "leaks" => {}
            "panics" => sim.block_on(async { panic!("on purpose") }),
            "stops" => {
                drop(sim.spawn(async { note("never polled") }));
                sim.shutdown_timeout(Duration::ZERO).unwrap();
            }
            way => unreachable!("{way}"),
        }
        println!("went on");
        return;
    }
    let run = |way: &str, file: &str| {
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", "environment_has_the_log_written", "--nocapture"]);
        let seed = if way == "explores" { "8" } else { "5" };
        child.env(CHILD, way).env("ANYRT_SIM_SEED", seed).env("ANYRT_SIM_LOG", file).output().unwrap()
    };
    let written = |way: &str, name: &str| {
        let file = file(name);
        run(way, file.to_str().unwrap());
        let text = fs::read_to_string(&file).unwrap();
        fs::remove_file(file).unwrap();
        text
    };
    let text = written("leaks", "a.txt");
    assert!(text.starts_with("seed 5, "), "{text}");
    assert_says(&text, &["note: first"]);
    let json: Value = serde_json::from_str(&written("panics", "b.json")).unwrap();
    assert_eq!(events(&json, &[("is", "block_on")]).len(), 2, "also of the one that panics");
    let panicked = events(&json, &[("kind", "panicked"), ("text", "on purpose")]);
    assert!(panicked[0]["source"].as_str().unwrap().starts_with("tests/sim_log.rs:"), "{panicked:?}");
    let json: Value = serde_json::from_str(&written("fails", "f.json")).unwrap();
    let failed = events(&json, &[("kind", "failed"), ("text", "an assertion")]);
    assert!(failed[0]["source"].as_str().unwrap().starts_with("tests/sim_log.rs:"), "{failed:?}");
    let page = written("stops", "c.html");
    assert!(page.starts_with("<!DOCTYPE html>"));
    assert_says(&page, &["first", "\"kind\":\"ended\",\"host\":\"main\",\"task\":1,"]);
    assert!(!page.contains("never polled"));
    let text = written("explores", "d.txt");
    assert!(text.starts_with("seed 8, "), "{text}");
    assert_says(&text, &["note: of a seed"]);

    let output = run("leaks", "/nowhere/e.txt");
    assert_says(&String::from_utf8(output.stdout).unwrap(), &["went on"]);
    assert_says(
        &String::from_utf8(output.stderr).unwrap(),
        &["ANYRT_SIM_LOG=/nowhere/e.txt: ", "No such file"],
    );
    assert!(output.status.success());
    assert_eq!(String::from_utf8(run("leaks", "").stderr).unwrap(), "", "empty is unset");
}

#[test]
fn faults_are_in_the_log() {
    let sim = logged();
    let db = sim.host("db", [10, 0, 0, 2]).unwrap();
    let link = sim.path("main", "db").unwrap();
    sim.block_on(async {
        let socket = sim.udp_bind("0.0.0.0:9").await.unwrap();
        link.set(&LinkOptions::new().loss(1.0)).unwrap();
        socket.send_to(b"lost", "10.0.0.2:9".parse().unwrap()).await.unwrap();
        link.set(&LinkOptions::new()).unwrap();
        link.partition();
        socket.send_to(b"cut", "10.0.0.2:9".parse().unwrap()).await.unwrap();
        sim.sleep(Duration::from_millis(5)).await;
        link.heal();
        db.crash();
        db.restart();
    });
    let json = parse(&sim.log());
    for kind in ["partition began", "partition ended"] {
        assert_eq!(events(&json, &[("kind", kind), ("host", "main"), ("peer", "db")]).len(), 1, "{kind}");
    }
    for kind in ["crashed", "restarted"] {
        assert_eq!(events(&json, &[("kind", kind), ("host", "db")]).len(), 1, "{kind}");
    }
    for kind in ["lost", "cut"] {
        assert_eq!(events(&json, &[("kind", kind), ("host", "main"), ("peer", "db")]).len(), 1, "{kind}");
    }
    assert_eq!(events(&json, &[("kind", "sent")]).len(), 2);
    assert_eq!(events(&json, &[("kind", "datagram arrived")]).len(), 0);
    assert_says(&sim.log().to_string(), &["main       partition began, to db\n", "db         crashed\n"]);
}

/// Each segment of a stream is a message, even if it is retransmitted.
#[test]
fn pieces_arrive_once_each_where_packets_are_lost() {
    let sim = logged();
    let db = sim.host("db", [10, 0, 0, 2]).unwrap();
    let rough = LinkOptions::new().loss(0.3).segment(10);
    sim.link("main", "db").unwrap().set(&rough).unwrap();
    sim.block_on(async {
        let listener = db.tcp_bind("0.0.0.0:1").await.unwrap();
        let (stream, accepted) = join(sim.tcp_connect("db:1"), listener.accept()).await;
        let (mut stream, mut accepted) = (stream.unwrap(), accepted.unwrap().0);
        stream.write_all(&std::array::from_fn::<u8, 50, _>(|at| at as u8)).await.unwrap();
        stream.write_all(b"and more").await.unwrap();
        accepted.read_exact(&mut [0; 58]).await.unwrap();
    });
    let json = parse(&sim.log());
    let sent = events(&json, &[("kind", "sent"), ("what", "data")]);
    let arrived = events(&json, &[("kind", "data arrived")]);
    let of = |events: &[&Value]| -> Vec<_> {
        events.iter().map(|it| (it["message"].clone(), it["bytes"].clone(), it["payload"].clone())).collect()
    };
    assert!(sent.len() > 6, "{sent:?}");
    assert_eq!(of(&sent), of(&arrived));
    assert_eq!(sent.iter().map(|event| event["bytes"].as_u64().unwrap()).sum::<u64>(), 58);
    let lost = events(&json, &[("kind", "lost"), ("host", "main"), ("peer", "db")]);
    assert!(!lost.is_empty() && lost.iter().all(|event| event["socket"].is_u64()), "{lost:?}");
}

#[test]
fn datagram_that_is_duplicated_arrives_twice_and_one_that_is_lost_never() {
    let run = |options: &LinkOptions| {
        let sim = logged();
        let db = sim.host("db", [10, 0, 0, 2]).unwrap();
        sim.link("main", "db").unwrap().set(options).unwrap();
        let _receiver = sim.block_on(db.udp_bind("0.0.0.0:1")).unwrap();
        let sender = sim.block_on(sim.udp_bind("0.0.0.0:0")).unwrap();
        sim.block_on(sender.send_to(b"?", "10.0.0.2:1".parse().unwrap())).unwrap();
        sim.advance_until_stalled();
        let json = parse(&sim.log());
        let sent = events(&json, &[("kind", "sent"), ("what", "datagram")])[0]["message"].clone();
        let arrived = events(&json, &[("kind", "datagram arrived")]);
        assert!(arrived.iter().all(|event| event["message"] == sent));
        let lost = events(&json, &[("kind", "lost"), ("host", "main"), ("peer", "db")]);
        (arrived.len(), lost.len())
    };
    assert_eq!(run(&LinkOptions::new().duplication(1.0)), (2, 0));
    assert_eq!(run(&LinkOptions::new().loss(1.0)), (0, 1));
}

/// A crash discards packets in flight to the surviving end; the reset that follows is an event of its own.
#[test]
fn what_a_crash_has_swept_away_is_not_what_arrives() {
    let sim = logged();
    let db = sim.host("db", [10, 0, 0, 2]).unwrap();
    let back = sim.path("db", "main").unwrap();
    sim.block_on(async {
        let listener = db.tcp_bind("0.0.0.0:1").await.unwrap();
        let (stream, accepted) = join(sim.tcp_connect("db:1"), listener.accept()).await;
        let (mut stream, mut accepted) = (stream.unwrap(), accepted.unwrap().0);
        back.set(&LinkOptions::new().loss(1.0)).unwrap();
        accepted.write_all(b"gone").await.unwrap();
        db.restart();
        back.set(&LinkOptions::new()).unwrap();
        stream.write_all(b"are you there?").await.unwrap();
        assert!(stream.read(&mut [0]).await.is_err());
    });
    let json = parse(&sim.log());
    let reset = events(&json, &[("kind", "reset arrived")]);
    assert_eq!((reset.len(), &reset[0]["what"], &reset[0]["host"]), (1, &"reset".into(), &"main".into()));
}

#[test]
fn what_happens_to_a_connection_has_its_path() {
    let sim = logged();
    let db = sim.host("db", [10, 0, 0, 2]).unwrap();
    let link = sim.link("main", "db").unwrap();
    sim.block_on(async {
        let listener = db.tcp_bind("0.0.0.0:1").await.unwrap();
        let connect = || async { join(sim.tcp_connect("db:1"), listener.accept()).await };
        let (silent, _silent) = connect().await;
        link.partition();
        let mut silent = silent.unwrap();
        silent.write_all(b"?").await.unwrap();
        assert!(silent.read(&mut [0]).await.is_err(), "it times out");
        assert!(sim.tcp_connect("db:1").await.is_err());
        link.heal();
        let (_broken, _accepted) = connect().await;
        link.reset();
    });
    let json = parse(&sim.log());
    for (kind, host, peer) in [
        ("cut", "main", "db"),
        ("timed out", "main", "db"),
        ("reset arrived", "main", "db"),
        ("reset arrived", "db", "main"),
    ] {
        assert!(
            !events(&json, &[("kind", kind), ("host", host), ("peer", peer)]).is_empty(),
            "{kind} {host}"
        );
    }
    assert_eq!(events(&json, &[("kind", "timed out"), ("host", "main")]).len(), 2, "a stream and a request");
    for event in json["events"].as_array().unwrap() {
        assert!(event["host"].is_string(), "{event}");
    }
}
