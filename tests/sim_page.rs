//! The page with the timeline, in a browser: what is drawn, and the effects of keys and clicks.
//!
//! The tests need a Chromium in the path; without one they report that they are skipped. Only local files are opened.
#![allow(clippy::unwrap_used)]

use std::env;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

use anyrt::runtime::{TcpListener, UdpSocket};
use anyrt::sim::history::{History, Register, RegisterOp, RegisterOutput};
use anyrt::sim::{Faults, LinkOptions, explore, note};
use anyrt::task::Builder;
use anyrt::{BlockOn, Net, Sim, Spawn, Time, buggify};
use futures::io::{AsyncReadExt, AsyncWriteExt};
use serde_json::{Value, json};

/// Text that would be code if the page did not escape it.
const HOSTILE: &str =
    "</script><script>hacked = 1</script><img src=x onerror='hacked = 2'>\u{202e}\nsecond line";
const PAYLOAD: &[u8] = b"<b>\"ping\"</b>\0\xff";
const SERVER: u32 = line!() + 11;

/// A program that fails: a server panics, and a client unwraps the result later. With a fault and two notes.
fn small(sim: &Sim) {
    let db = sim.host("db", [10, 0, 0, 2]).unwrap();
    let cache = sim.host("cache", [10, 0, 0, 3]).unwrap();
    sim.links().set(&LinkOptions::new().latency(Duration::from_millis(5))).unwrap();
    sim.block_on(async {
        let listener = db.tcp_bind("0.0.0.0:1").await.unwrap();
        let receiver = cache.udp_bind("0.0.0.0:2").await.unwrap();
        cache.crash();
        let server = db.spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            note(HOSTILE);
            stream.read_exact(&mut [0; PAYLOAD.len()]).await.unwrap();
            anyrt::time::sleep(Duration::from_millis(20)).await;
            panic!("the disk is full:\n  <i>wanted</i> 2\n  left 1");
        });
        let mut stream = sim.tcp_connect("db:1").await.unwrap();
        stream.write_all(PAYLOAD).await.unwrap();
        let named = Builder::new().name("notes\n</script>");
        named.spawn_blocking_on(|| note("in a closure"), sim).unwrap().await.unwrap();
        let path = sim.path("main", "cache").unwrap();
        path.partition();
        let socket = sim.udp_bind("0.0.0.0:0").await.unwrap();
        socket.send_to(b"cut off", "10.0.0.3:2".parse().unwrap()).await.unwrap();
        sim.sleep(Duration::from_millis(10)).await;
        path.heal();
        drop(receiver);
        let outcome = server.await;
        sim.sleep(Duration::from_millis(5)).await;
        outcome.unwrap();
    });
}

/// Some thousand events: requests and answers of ten clients, and a note for each.
fn large(sim: &Sim) {
    let server = sim.host("server", [10, 0, 0, 2]).unwrap();
    sim.block_on(async {
        let socket = server.udp_bind("0.0.0.0:1").await.unwrap();
        drop(server.spawn(async move {
            loop {
                let (len, from) = socket.recv_from(&mut [0; 64]).await.unwrap();
                socket.send_to(&[b'!'; 64][..len], from).await.unwrap();
            }
        }));
        let clients = [(); 10].map(|()| {
            let client = sim.clone();
            sim.spawn(async move {
                let socket = client.udp_bind("0.0.0.0:0").await.unwrap();
                for n in 0..100 {
                    socket
                        .send_to(format!("question {n}").as_bytes(), "10.0.0.2:1".parse().unwrap())
                        .await
                        .unwrap();
                    socket.recv(&mut [0; 64]).await.unwrap();
                    note(format_args!("answer {n}"));
                }
            })
        });
        for client in clients {
            client.await.unwrap();
        }
    });
    panic!("all is told");
}

/// Two clients, of whom one reads a stale value; and one whose operation never returns. Long after that it fails.
fn contradictory(sim: &Sim) {
    let history = History::new(Register::new(0));
    let pause = || sim.sleep(Duration::from_millis(10));
    let write = async |value| {
        let call = history.invoke("<i>writer</i>", RegisterOp::Write(value));
        pause().await;
        call.returned(RegisterOutput::Written);
    };
    let read = async |value| {
        let call = history.invoke("reader", RegisterOp::Read);
        pause().await;
        call.returned(RegisterOutput::Value(value));
    };
    sim.block_on(async {
        drop(history.invoke("lost", RegisterOp::Write(7)));
        read(0).await;
        write(1).await;
        write(2).await;
        read(1).await;
        for _ in 0..100 {
            pause().await;
        }
    });
    history.check().unwrap();
}

const CHILD: &str = "ANYRT_TEST_SIM_PAGE_CHILD";

/// A temporary folder, deleted when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("anyrt-page-{}-{name}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Returns the page of a failing program, as written for `ANYRT_SIM_LOG`.
fn page_of(test: &str, folder: &Folder) -> String {
    let file = folder.0.join("run.html");
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", test]).env(CHILD, "1").env("ANYRT_SIM_SEED", "3").env("ANYRT_SIM_LOG", &file);
    let output = child.output().unwrap();
    assert!(!output.status.success(), "it fails");
    fs::read_to_string(file).unwrap()
}

/// Returns the path of a Chromium, or reports that there is none, directly to stderr, which libtest does not capture.
fn chromium(test: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let found = env::split_paths(&folders).flat_map(|folder| names.map(|name| folder.join(name)));
    let found = found.into_iter().find(|file| file.is_file());
    if found.is_none() {
        let _ = writeln!(io::stderr(), "skipped {test}: there is no chromium to look at the page with");
    }
    found
}

/// Runs `look`, the body of an async function, in the page; returns its result, and the output of the console.
fn look(chromium: &Path, folder: &Folder, page: &str, look: &str) -> (Value, String) {
    // Escaped to ASCII, so that the text of an element is the same.
    let script = format!(
        r"<script type=module>{HANDS}
        const seen = await (async () => {{ {look} }})().catch(error => ({{ error: String(error) }}));
        const plain = JSON.stringify(seen).replace(/[^ -~]|[<>&]/g, c => '\\u' + c.charCodeAt().toString(16).padStart(4, '0'));
        document.body.append(Object.assign(document.createElement('pre'), {{ id: 'seen', textContent: plain }}));
        </script></body>"
    );
    let (head, rest) = page.split_once("</head>").unwrap();
    let (body, end) = rest.rsplit_once("</body>").unwrap();
    let file = folder.0.join("look.html");
    fs::write(&file, [head, FRAMES, body, &script, end].concat()).unwrap();
    let mut command = Command::new(chromium);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
    command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
    command.arg(format!("--user-data-dir={}", folder.0.join("user").display()));
    command.args([
        "--window-size=1280,800",
        "--virtual-time-budget=20000",
        "--enable-logging=stderr",
        "--dump-dom",
    ]);
    command.arg(format!("file://{}", file.display()));
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let child = Mutex::new(child);
    let (dom, said) = thread::scope(|scope| {
        let (over, wait) = mpsc::channel::<()>();
        let said = scope.spawn(move || {
            let mut said = Vec::new();
            stderr.read_to_end(&mut said).unwrap();
            String::from_utf8_lossy(&said).into_owned()
        });
        scope.spawn(|| {
            let wait = wait;
            if let Err(mpsc::RecvTimeoutError::Timeout) = wait.recv_timeout(Duration::from_secs(120)) {
                let _ = child.lock().unwrap().kill();
            }
        });
        let mut dom = String::new();
        stdout.read_to_string(&mut dom).unwrap();
        drop(over);
        (dom, said.join().unwrap())
    });
    child.into_inner().unwrap().wait().unwrap();
    let console = said.lines().filter(|line| line.contains("CONSOLE")).collect::<Vec<_>>().join("\n");
    let Some((_, seen)) = dom.split_once(r#"<pre id="seen">"#) else {
        panic!("nothing was seen; the console: {console}\n{said}")
    };
    (serde_json::from_str(seen.split_once("</pre>").unwrap().0).unwrap(), console)
}

/// Time is virtual, in which a headless browser does not always draw frames.
const FRAMES: &str = "<script>requestAnimationFrame = draw => setTimeout(draw, 16)</script></head>";

/// Helper functions for scripts.
const HANDS: &str = r"
    const all = selector => [...document.querySelectorAll(selector)];
    const frame = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    const press = async (key, shiftKey = false) => {
        document.body.dispatchEvent(new KeyboardEvent('keydown', { key, shiftKey, bubbles: true, cancelable: true }));
        await frame();
    };
    const click = async (x, y) => {
        const target = document.elementFromPoint(x, y);
        for (const [type, kind] of [['pointerdown', PointerEvent], ['pointerup', PointerEvent], ['click', MouseEvent]]) {
            target.dispatchEvent(new kind(type, { clientX: x, clientY: y, bubbles: true, cancelable: true, pointerId: 1 }));
        }
        await frame();
        return target;
    };
    const is_visible = node => {
        const { left, top, width, height } = node.getBoundingClientRect();
        const chart = document.getElementById('chart').getBoundingClientRect();
        return width + height > 0 && left >= chart.left && left < chart.right && top >= chart.top && top < chart.bottom;
    };
    const field = name => document.querySelector(`#details [data-field='${name}']`)?.textContent;
    const kind = () => field('event')?.split(': ')[1];
    const rows = () => all('#rows div').sort((a, b) => a.dataset.at - b.dataset.at);
    const text = row => row.querySelector('.what').textContent;
    await frame();
";

#[test]
fn page_shows_hosts_tasks_and_messages_and_opens_at_the_failure() {
    const TEST: &str = "page_shows_hosts_tasks_and_messages_and_opens_at_the_failure";
    if env::var_os(CHILD).is_some() {
        return explore(0..10, small);
    }
    let Some(chromium) = chromium(TEST) else { return };
    let folder = Folder::new("drawn");
    let page = page_of(TEST, &folder);
    let look = |script: &str| {
        let (seen, console) = look(&chromium, &folder, &page, script);
        assert_eq!(console, "", "{seen}");
        seen
    };

    let seen = look(
        r"return {
            title: document.getElementById('title').textContent,
            lanes: all('.lane').map(lane => lane.dataset.host),
            heads: all('.host').filter(is_visible).map(head => head.textContent),
            tasks: all('.task').filter(is_visible).map(task => task.dataset.name),
            names: all('.task text').length,
            arrows: all('.message:not(.lost, .under-way)').filter(is_visible).length,
            lost: all('.message.lost').filter(is_visible).length,
            bands: all('.band').map(band => band.dataset.fault),
            notes: all('circle.note').filter(is_visible).length,
            labels: all('#chart text').map(label => label.textContent),
            help: document.getElementById('help').textContent,
            who: [...new Set(all('#rows .who').map(cell => cell.textContent.slice(0, 1)))].sort(),
            overflow: document.documentElement.scrollHeight > innerHeight || document.documentElement.scrollWidth > innerWidth,
        }",
    );
    assert_eq!(seen["title"], "seed 3 · Random");
    assert_eq!(
        (&seen["lanes"], &seen["heads"]),
        (&json!(["main", "db", "cache"]), &json!(["main", "db", "cache"]))
    );
    let has = |list: &str, word: &str| {
        seen[list].as_array().unwrap().iter().any(|it| it.as_str().unwrap().contains(word))
    };
    let server = format!(" sim_page.rs:{SERVER}");
    for name in ["block_on sim_page.rs:", r#" closure "notes\n</script>" sim_page.rs:"#, &server] {
        assert!(has("tasks", name), "{name}: {seen}");
    }
    assert_eq!(seen["names"], 2, "beside those that are long enough: {seen}");
    // A request, its answer, and data.
    assert_eq!((&seen["arrows"], &seen["lost"]), (&3.into(), &1.into()), "{seen}");
    for band in ["partition", "down"] {
        assert!(has("bands", band), "{band}: {seen}");
    }
    assert_eq!(seen["notes"], 2, "{seen}");
    for label in [
        "failure",
        "end",
        "in a closure",
        "request",
        r#"data "<b>\"ping\"</b>\0\xff""#,
        "ms",
        "partition began",
    ] {
        assert!(has("labels", label), "{label}: {seen}");
    }
    for key in
        ["n N next, previous note", "f F next, previous fault", "p P next, previous panic", "Enter other end"]
    {
        assert!(seen["help"].as_str().unwrap().contains(key), "{key}: {seen}");
    }
    assert_eq!(seen["who"], json!(["", "#", "s"]), "tasks and sockets have other numbers");
    assert_eq!(seen["overflow"], false);

    // It opens at the failure: the panic of the server, not the one that noticed it.
    let seen = look(
        r"return {
            banner: document.getElementById('failure').textContent,
            mark: all('.mark').filter(is_visible).map(mark => mark.getAttribute('class')),
            ring: all('.ring').filter(is_visible).length,
            row: text(document.querySelector('#rows .chosen.failure')),
            kind: kind(), text: field('text'), source: field('source'), task: field('task'),
            label: all('#chart text.bad').map(label => label.textContent).find(label => label.startsWith('panicked')),
            heights: rows().map(row => row.scrollHeight),
            gaps: rows().slice(1).map((row, n) => row.offsetTop - rows()[n].offsetTop),
        }",
    );
    assert_eq!(
        (&seen["mark"], &seen["ring"], &seen["kind"]),
        (&json!(["mark failure", "mark end"]), &1.into(), &"panicked".into()),
        "{seen}"
    );
    assert_eq!(seen["text"], "the disk is full:\n  <i>wanted</i> 2\n  left 1");
    assert_eq!(seen["source"], format!("tests/sim_page.rs:{}:13", SERVER + 5));
    for place in ["banner", "row", "label"] {
        let text = seen[place].as_str().unwrap_or_default();
        assert!(text.contains(r"the disk is full:\n  <i>wanted</i> 2\n  left 1"), "{place}: {seen}");
    }
    assert!(
        seen["task"].as_str().unwrap().contains(&format!("task, spawned at tests/sim_page.rs:{SERVER}:25")),
        "{seen}"
    );
    let all_are = |list: &str| seen[list].as_array().unwrap().iter().all(|pixels| *pixels == 18);
    assert!(all_are("heights") && all_are("gaps"), "a text stays in its row: {seen}");
}

#[test]
fn page_answers_keys_and_clicks_and_runs_no_text() {
    const TEST: &str = "page_answers_keys_and_clicks_and_runs_no_text";
    if env::var_os(CHILD).is_some() {
        return explore(0..10, small);
    }
    let Some(chromium) = chromium(TEST) else { return };
    let folder = Folder::new("hands");
    let page = page_of(TEST, &folder);
    let look = |script: &str| {
        let (seen, console) = look(&chromium, &folder, &page, script);
        assert_eq!(console, "", "{seen}");
        seen
    };

    let seen = look(
        r"const steps = {}, notes = [];
        for (const key of ['n', 'n', 'N']) { await press(key.toLowerCase(), key === 'N'); notes.push(field('text')); }
        for (const key of ['f', 'm', 'p', 'x']) { await press(key); steps[key] = kind(); }
        await press('x');
        return { notes, steps, hacked: window.hacked ?? null, images: all('img').length, bold: all('b, i.wanted').length,
            label: all('#chart text.note').map(label => label.textContent) };",
    );
    // The first note is before the failure, and the selection wraps around.
    assert_eq!(seen["notes"][0], HOSTILE);
    assert_eq!((&seen["notes"][1], &seen["notes"][2]), (&"in a closure".into(), &HOSTILE.into()));
    let steps = &seen["steps"];
    assert_eq!(
        (&steps["f"], &steps["m"], &steps["p"], &steps["x"]),
        (&"partition began".into(), &"sent".into(), &"panicked".into(), &"panicked".into()),
        "{seen}"
    );
    assert_eq!(
        (&seen["hacked"], &seen["images"], &seen["bold"]),
        (&Value::Null, &0.into(), &1.into()),
        "{seen}"
    );
    let label = &HOSTILE.replace('\u{202e}', r"\u{202e}").replace('\n', r"\n")[..40];
    assert!(seen["label"][0].as_str().unwrap().starts_with(label), "{seen}");

    // A click on a message selects both of its ends.
    let seen = look(
        r"const arrow = all('.message:not(.lost)').find(arrow => document.querySelector(`text.arrival`) && arrow.dataset.message === '3');
        const line = all('.hit').find(hit => hit.dataset.at === arrow.dataset.at);
        const middle = line.getPointAtLength(line.getTotalLength() * 0.3), { left, top } = document.getElementById('chart').getBoundingClientRect();
        const target = await click(left + middle.x, top + middle.y);
        const ends = all('.ring').map(ring => ring.dataset.at).sort();
        const strong = all('.message.chosen').map(message => message.dataset.message);
        const listed = all('#rows .chosen, #rows .pair').map(row => row.dataset.at).sort();
        const at = () => +field('event').split(' ')[0] - 1;
        const first = at();
        await press('Enter');
        const other = at();
        return { hit: target.dataset.at === arrow.dataset.at, ends, strong, listed, first, other, payload: field('payload'), arrives: field('arrives'), sent: field('sent'),
            kinds: ends.map(at => text(rows().find(row => row.dataset.at === at))) };",
    );
    assert_eq!((&seen["hit"], &seen["strong"]), (&true.into(), &json!(["3"])), "{seen}");
    assert_eq!((&seen["ends"], seen["ends"].as_array().unwrap().len()), (&seen["listed"], 2), "{seen}");
    let ends: Vec<_> = seen["ends"]
        .as_array()
        .unwrap()
        .iter()
        .map(|at| at.as_str().unwrap().parse::<u64>().unwrap())
        .collect();
    assert!(
        seen["first"] != seen["other"]
            && [&seen["first"], &seen["other"]].iter().all(|at| ends.contains(&at.as_u64().unwrap())),
        "{seen}"
    );
    assert_eq!(seen["payload"], r#""<b>\"ping\"</b>\0\xff""#);
    assert!(
        seen["sent"].as_str().unwrap().ends_with(" on main")
            && seen["arrives"].as_str().unwrap().ends_with(" on db"),
        "{seen}"
    );

    // The scale follows time, or has one row per event if that is selected.
    let seen = look(
        r"const dots = () => all('circle.note').map(dot => +dot.getAttribute('cy'));
        const before = { dots: dots(), rows: document.getElementById('rows-only').checked };
        const lines = all('.mark').map(mark => +mark.getAttribute('y1'));
        await press('r');
        const polls = all('.poll').map(poll => +poll.getAttribute('y'));
        const events = JSON.parse(document.getElementById('log').textContent).events;
        const time = kind => events.filter(event => event.kind === kind).map(event => event.at);
        return { before, lines, rows: document.getElementById('rows-only').checked, polls, notes: time('note'), panics: time('panicked') };",
    );
    assert_eq!((&seen["before"]["rows"], &seen["rows"]), (&false.into(), &true.into()));
    let number = |value: &Value| value.as_f64().unwrap();
    let pixels = [&seen["before"]["dots"][0], &seen["before"]["dots"][1], &seen["lines"][0]].map(number);
    let times = [&seen["notes"][0], &seen["notes"][1], &seen["panics"][0]].map(number);
    let scale = (pixels[2] - pixels[0]) / (times[2] - times[0]);
    assert!(scale > 0.0 && ((pixels[1] - pixels[0]) - (times[1] - times[0]) * scale).abs() < 1.0, "{seen}");
    let polls: Vec<_> = seen["polls"].as_array().unwrap().iter().map(number).collect();
    assert!(polls.windows(2).all(|two| (two[1] - two[0]).abs() >= 18.0), "{seen}");

    // Numbers of tasks are separate from those of sockets.
    let seen = look(
        r"const with_number = async text => {
            const box = document.getElementById('number');
            box.value = text;
            box.dispatchEvent(new Event('input', { bubbles: true }));
            await frame();
            return all('#rows .who').map(cell => cell.textContent);
        };
        return { task: await with_number('#2'), socket: await with_number('s3'), none: await with_number('s2') };",
    );
    for (shown, number) in [("task", "#2"), ("socket", "s3")] {
        let shown = seen[shown].as_array().unwrap();
        assert!(!shown.is_empty() && shown.iter().any(|it| it == number), "{number}: {seen}");
    }
    assert!(seen["task"].as_array().unwrap().iter().all(|it| it == "#2"), "{seen}");
    assert!(seen["none"].as_array().unwrap().iter().all(|it| it != "#2"), "{seen}");
}

/// A program that fails, with faults of hosts and links, and a rare branch.
fn faulty(sim: &Sim) {
    let db = sim.host("db", [10, 0, 0, 2]).unwrap();
    let faults = Faults::new()
        .clock_jumps(1, Duration::from_secs(60))
        .one_way_slow_links(1, Duration::from_millis(50));
    sim.inject(&faults.within(Duration::from_millis(5))).unwrap();
    db.set_clock_speed(1.5).unwrap();
    sim.advance(Duration::from_secs(1));
    db.set_poll_delay(Duration::from_millis(50));
    sim.block_on(async {
        db.spawn(async {}).await.unwrap();
        // With this seed some of them are switched on.
        let _ = [buggify!(1.0), buggify!(1.0), buggify!(1.0), buggify!(1.0), buggify!(1.0), buggify!(1.0)];
        db.set_poll_delay(Duration::ZERO);
        db.kill();
        sim.sleep(Duration::from_millis(10)).await;
        db.restart();
        sim.dns().fail("db");
        db.set_system_time(sim.system_time() + Duration::from_secs(60));
        assert!(sim.elapsed() > Duration::from_secs(2), "a rare branch");
    });
}

#[test]
fn page_shows_faults_of_hosts_and_links_and_rare_branches() {
    const TEST: &str = "page_shows_faults_of_hosts_and_links_and_rare_branches";
    if env::var_os(CHILD).is_some() {
        return explore(0..10, faulty);
    }
    let Some(chromium) = chromium(TEST) else { return };
    let folder = Folder::new("faulty");
    let page = page_of(TEST, &folder);
    let (seen, console) = look(
        &chromium,
        &folder,
        &page,
        r"await press('0');
        // A step may move what is in sight.
        const bands = all('.band').map(band => band.dataset.fault), kinds = [];
        for (let step = 0; step < 18; step++) { await press('f'); kinds.push(kind()); }
        return { bands, kinds };",
    );
    assert_eq!(console, "");
    let has = |list: &str, word: &str| {
        seen[list].as_array().unwrap().iter().any(|it| it.as_str().unwrap().contains(word))
    };
    for band in ["clock drift", "clock jump", "slow host", "slow link"] {
        assert!(has("bands", band) && has("kinds", &format!("{band} began")), "{band}: {seen}");
    }
    assert!(has("bands", "down"), "{seen}");
    for moment in ["buggified", "killed", "names changed", "time of day set"] {
        assert!(has("kinds", moment), "{moment}: {seen}");
    }
}

#[test]
fn page_with_thousands_of_events_draws_those_that_are_in_sight() {
    const TEST: &str = "page_with_thousands_of_events_draws_those_that_are_in_sight";
    if env::var_os(CHILD).is_some() {
        return explore(0..10, large);
    }
    let Some(chromium) = chromium(TEST) else { return };
    let folder = Folder::new("large");
    let page = page_of(TEST, &folder);
    let (seen, console) = look(
        &chromium,
        &folder,
        &page,
        r"const count = () => ({ elements: all('*').length, arrows: all('.message').length, rows: all('#rows div').length, notes: all('circle.note').length });
        const opened = { ...count(), kind: kind(), mark: all('.mark.failure').filter(is_visible).length };
        await press('0');
        const whole = count();
        const begin = performance.now();
        for (let step = 0; step < 5; step++) await press('N', true);
        return { events: JSON.parse(document.getElementById('log').textContent).events.length, opened, whole, note: field('text'),
            tasks: all('.task').length, chosen: all('#rows .chosen').length, ring: all('.ring').filter(is_visible).length };",
    );
    assert_eq!(console, "");
    assert!(seen["events"].as_u64() > Some(5_000), "{seen}");
    let opened = &seen["opened"];
    assert_eq!((&opened["kind"], &opened["mark"]), (&"failed".into(), &1.into()), "{seen}");
    for (when, least) in [("opened", 3), ("whole", 500)] {
        let drawn = &seen[when];
        assert!(
            drawn["arrows"].as_u64() >= Some(least) && drawn["notes"].as_u64() > Some(0),
            "{when}: {seen}"
        );
        // Overlapping lines and dots are merged, and only visible rows exist.
        assert!(
            drawn["elements"].as_u64() < Some(9_000) && drawn["rows"].as_u64() < Some(60),
            "{when}: {seen}"
        );
    }
    assert!(seen["note"].as_str().unwrap().starts_with("answer "), "{seen}");
    assert_eq!(
        (&seen["tasks"], &seen["chosen"], &seen["ring"]),
        (&12.into(), &1.into(), &1.into()),
        "{seen}"
    );
}

#[test]
fn page_shows_operations_and_opens_at_those_that_contradict_each_other() {
    const TEST: &str = "page_shows_operations_and_opens_at_those_that_contradict_each_other";
    if env::var_os(CHILD).is_some() {
        return explore(0..10, contradictory);
    }
    let Some(chromium) = chromium(TEST) else { return };
    let folder = Folder::new("operations");
    let page = page_of(TEST, &folder);
    let (seen, console) = look(
        &chromium,
        &folder,
        &page,
        r"
        const opened = {
            clients: all('.client').filter(is_visible).map(client => client.textContent),
            bars: all('.operation rect').filter(is_visible).length,
            pending: all('.operation.pending text').map(label => label.textContent),
            red: all('.operation.contradicts text').map(label => label.textContent),
            heights: all('.operation.contradicts rect').map(bar => Math.round(bar.getBoundingClientRect().height / 10)),
            banner: document.getElementById('failure').textContent,
            chosen: [kind(), field('client'), field('text'), field('called'), field('returned'), field('operation'), field('contradicts')],
            help: document.getElementById('help').textContent,
        };
        const texts = [];
        for (const [key, shift] of [['c'], ['c'], ['c', true], ['o'], ['Enter'], ['x']]) {
            await press(key, shift);
            texts.push(`${kind()} ${field('text').split('\n')[0]}`);
        }
        return { ...opened, texts };
        ",
    );
    assert_eq!(console, "", "{seen}");
    assert_eq!(seen["clients"], json!(["lost", "reader", "<i>writer</i>"]), "{seen}");
    assert_eq!(seen["pending"], json!(["write(7)"]), "{seen}");
    let mut found: Vec<_> = seen["red"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    found.sort_unstable();
    assert_eq!(found, ["-> 1", "-> ok", "-> ok", "read", "write(1)", "write(2)"], "{seen}");
    assert!(seen["heights"].as_array().unwrap().iter().all(|height| height.as_u64().unwrap() > 10), "{seen}");
    assert!(seen["bars"].as_u64().unwrap() >= 4, "{seen}");
    assert!(seen["banner"].as_str().unwrap().contains("not linearizable: "), "{seen}");
    let chosen = json!(["called", "reader", "read", "30ms", "40ms", "read -> 1", "others: those in red"]);
    assert_eq!(seen["chosen"], chosen, "{seen}");
    assert!(seen["help"].as_str().unwrap().contains("c C next, previous contradicting"), "{seen}");
    let [first, second, back, next, end, failure] =
        [0, 1, 2, 3, 4, 5].map(|at| seen["texts"][at].as_str().unwrap().to_owned());
    assert_eq!([&first, &second, &back], ["called write(1)", "called write(2)", "called write(1)"], "{seen}");
    assert_eq!([&next, &end], ["called write(2)", "returned write(2) -> ok"], "{seen}");
    assert!(failure.starts_with("failed "), "{seen}");
}
