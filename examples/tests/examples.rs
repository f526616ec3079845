//! The examples, as a user runs them.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Output};

/// The compiled-in runtimes, by their names on the command line.
const RUNTIMES: &[&str] = &[
    #[cfg(feature = "tokio")]
    "tokio",
    #[cfg(feature = "async-std")]
    "async-std",
    #[cfg(feature = "smol")]
    "smol",
];

/// Runs an example. Cargo builds them before this test, next to it.
fn run(example: &str, arguments: &[&str]) -> Output {
    output(&mut command(example, arguments))
}

fn command(example: &str, arguments: &[&str]) -> Command {
    let test = std::env::current_exe().unwrap();
    let profile = test.ancestors().nth(2).unwrap();
    let path: PathBuf = profile.join("examples").join(format!("{example}{}", std::env::consts::EXE_SUFFIX));
    let mut command = Command::new(path);
    command.args(arguments).env("RUST_BACKTRACE", "1");
    command
}

fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| {
        panic!("{command:?}: {error}; `cargo test` without `--test` builds it");
    })
}

/// Returns the output of a run that succeeds.
fn prints(example: &str, arguments: &[&str]) -> String {
    let output = run(example, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{example} {arguments:?}: {}: {errors}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Checks that the example ends with status 2 and one line that contains `word`.
fn refuses(example: &str, arguments: &[&str], word: &str) {
    let output = run(example, arguments);
    let errors = String::from_utf8(output.stderr).unwrap();
    let said = format!("{example} {arguments:?} said {errors:?}");
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(errors.lines().count(), 1, "{said}");
    assert!(errors.starts_with("error: ") && errors.contains(word), "{said}, and not {word:?}");
    assert!(output.stdout.is_empty(), "{said}, and something on the standard output");
}

#[test]
fn port_scan_refuses_bad_input() {
    let scan = |arguments: &[&str], word: &str| refuses("port_scan", arguments, word);
    scan(&["--ports", "80-20"], "`80-20` is no range");
    scan(&["--ports", "http"], "`http` is no port");
    scan(&["--ports", "0-10"], "`0` is no port");
    scan(&["--ports", "65536"], "`65536` is no port");
    scan(&["--ports", ""], "no port");
    scan(&["--ports", "1,,2"], "no port");
    scan(&["--runtime", "glommio"], "'glommio'");
    scan(&["--concurrency", "0"], "'0'");
    scan(&["--timeout", "0"], "'0'");
    scan(&["--timeout", "soon"], "'soon'");
    scan(&["localhost", "example"], "'example'");
}

#[test]
fn runtime_that_is_not_compiled_in_is_refused() {
    for runtime in ["tokio", "async-std", "smol"] {
        if !RUNTIMES.contains(&runtime) {
            refuses("port_scan", &["--runtime", runtime], &format!("--features {runtime}"));
        }
    }
    if RUNTIMES.is_empty() {
        refuses("port_scan", &[], "--all-features");
    }
}

#[test]
fn port_scan_refuses_a_host_that_does_not_resolve() {
    // A label of more than 63 characters is refused without a query to a server.
    let host = "a".repeat(70);
    for runtime in RUNTIMES {
        // The name as it was given, without a port.
        refuses("port_scan", &[&host, "--runtime", runtime], &format!("{host:?}"));
    }
}

#[test]
fn others_refuse_bad_input() {
    refuses("password", &["--hashes", "0"], "'0'");
    refuses("password", &["--tick", "0"], "'0'");
    refuses("echo", &["--connections", "0"], "'0'");
    refuses("echo", &["--connect", "nowhere"], "'nowhere'");
    refuses("echo", &["--listen", "127.0.0.1:0", "--connect", "127.0.0.1:1"], "--connect");
    refuses("echo", &["--listen", "127.0.0.1:0"], "--runtime");
}

#[test]
fn soak_refuses_bad_input() {
    for minutes in ["0", "-1", "-0.5", "NaN", "inf", "-inf", "1e-300", "1e9", "soon", ""] {
        refuses("soak", &["--minutes", minutes], &format!("'{minutes}'"));
    }
    refuses("soak", &["--minutes", "1", "--seed", "-1"], "-1");
    refuses("soak", &["--seed", "x"], "'x'");
    refuses("soak", &["--runtime", "glommio"], "'glommio'");
    refuses("soak", &["5"], "'5'");
    if RUNTIMES.is_empty() {
        refuses("soak", &[], "--all-features");
    }
}

#[test]
fn port_scan_finds_exactly_the_open_ports() {
    let (first, listeners) = two_hundred_among_two_thousand();
    let open: BTreeSet<u16> =
        listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
    assert_eq!(open.len(), 200);

    let ports = format!("{first}-{}", first + 1999);
    for runtime in RUNTIMES {
        let found = prints("port_scan", &["127.0.0.1", "--ports", &ports, "--runtime", runtime, "--plain"]);
        let found: BTreeSet<u16> = found
            .lines()
            .map(|line| line.strip_prefix(&format!("{runtime} ")).unwrap().parse().unwrap())
            .collect();
        assert_eq!(found, open, "on {runtime}");
    }
}

/// Listens on every tenth port of a range that nobody else uses, below the ports that systems assign.
fn two_hundred_among_two_thousand() -> (u16, Vec<TcpListener>) {
    let listeners = |first: u16| -> io::Result<Vec<TcpListener>> {
        let mut kept = Vec::new();
        for port in first..first + 2_000 {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
            if port % 10 == 0 {
                kept.push(listener);
            }
        }
        Ok(kept)
    };
    let mut firsts = (10_000..30_000).step_by(2_000);
    firsts.find_map(|first| Some((first, listeners(first).ok()?))).expect("2,000 free ports in a row")
}

#[test]
fn port_scan_shows_runtimes_side_by_side() {
    if RUNTIMES.is_empty() {
        return;
    }
    let text = prints("port_scan", &[]);
    assert!(text.contains("5 listeners"), "{text}");
    for runtime in RUNTIMES {
        let row = text.lines().find(|line| line.starts_with(runtime)).unwrap_or_else(|| panic!("{text}"));
        let open = row.split_whitespace().nth(1).unwrap();
        assert!(open.parse::<u32>().unwrap() >= 5, "{text}");
    }
    assert!(!text.contains("DIFFERENT"), "{text}");
}

#[test]
fn password_verifies_either_way() {
    for runtime in RUNTIMES {
        for way in [&[][..], &["--block"]] {
            let text = prints("password", &[&["--hashes", "4", "--runtime", runtime], way].concat());
            assert!(text.contains(runtime), "{text}");
        }
    }
}

#[test]
fn password_says_who_blocks() {
    for runtime in RUNTIMES {
        let arguments = ["--hashes", "4", "--tick", "1", "--block", "--watch", "--runtime", runtime];
        // On a machine that is busy the thread that watches may be late.
        let seen = (0..50).map(|_| run("password", &arguments)).find(|output| {
            let (numbers, reports) = (text(&output.stdout), text(&output.stderr));
            numbers.contains(" of what is spawned at examples/password/main.rs:")
                && reports.contains(" \"check\", spawned at examples/password/main.rs:")
                && reports.contains(" blocks thread ")
        });
        assert!(seen.is_some(), "nobody blocks on {runtime}");
    }
}

/// With the same slashes on every system.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\\', "/")
}

#[cfg(feature = "watch")]
#[test]
fn watch_refuses_bad_input() {
    refuses("watch", &["--runtime", "glommio"], "'glommio'");
    refuses("watch", &["--runtime", "all"], "'all'");
    refuses("watch", &["--seconds", "0"], "'0'");
    for runtime in ["tokio", "async-std", "smol"] {
        if !RUNTIMES.contains(&runtime) {
            refuses("watch", &["--runtime", runtime], &format!("--features {runtime}"));
        }
    }
}

/// Where the task is spawned that blocks.
#[cfg(feature = "watch")]
fn bad_task_of_watch() -> String {
    let line =
        include_str!("../watch/server.rs").lines().position(|line| line.contains("\"cleanup\"")).unwrap();
    format!("examples/watch/server.rs:{}:", line + 1)
}

#[cfg(feature = "watch")]
#[test]
fn watch_names_the_bad_task() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    let place = bad_task_of_watch();
    for runtime in RUNTIMES {
        // It is killed when it has said so.
        let mut command = command("watch", &["--runtime", runtime, "--seconds", "90"]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let said =
            BufReader::new(child.stdout.take().unwrap()).lines().map(|line| text(line.unwrap().as_bytes()));
        let named = format!(" \"cleanup\", spawned at {place}");
        let report =
            said.filter(|line| line.contains(&named)).find(|line| line.contains(" blocks thread \""));
        child.kill().unwrap();
        child.wait().unwrap();
        let report = report.unwrap_or_else(|| panic!("{place} is not named on {runtime}"));
        assert!(report.contains(" ms so far") && report.contains("`anyrt::spawn_blocking`"), "{report}");
        let is_known =
            !cfg!(target_os = "linux") || report.contains("nanosleep). Await `anyrt::time::sleep`");
        assert!(is_known, "{report}");
    }
}

#[cfg(feature = "watch")]
#[test]
fn watch_names_nobody_when_it_is_fixed() {
    for runtime in RUNTIMES {
        let said = prints("watch", &["--runtime", runtime, "--fixed", "--seconds", "2"]);
        assert!(said.contains(" polls/s, "), "{said}");
        // On a machine that is busy a thread that waits for a CPU may be reported, but not one that sleeps.
        let blocks = said.lines().find(|line| line.contains("cleanup") && line.contains("asleep"));
        assert!(blocks.is_none(), "{said}");
    }
}

#[cfg(feature = "watch")]
#[test]
fn picture_of_watch_is_of_its_source() {
    assert!(include_str!("../watch/screen.svg").contains(&bad_task_of_watch()), "--picture draws it anew");
    if let Some(runtime) = RUNTIMES.first() {
        let file = std::env::temp_dir().join(format!("anyrt-watch-{}.svg", std::process::id()));
        let arguments = ["--runtime", runtime, "--seconds", "1", "--picture", file.to_str().unwrap()];
        assert_eq!(prints("watch", &arguments), "");
        let drawn = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(file).unwrap();
        assert!(drawn.starts_with("<svg ") && drawn.contains(&format!(">{runtime}<")), "{drawn}");
    }
}

#[test]
fn echo_checks_every_byte() {
    for runtime in RUNTIMES {
        let arguments = ["--connections", "50", "--messages", "5", "--size", "1000", "--runtime", runtime];
        let text = prints("echo", &arguments);
        assert!(text.contains(runtime), "{text}");
    }
}

#[test]
#[cfg(feature = "macros")]
fn greeting_runs_on_the_runtime_that_the_environment_says() {
    for runtime in RUNTIMES {
        let output = output(command("greeting", &[]).env("ANYRT_RUNTIME", runtime));
        assert_eq!(String::from_utf8_lossy(&output.stdout), "welcome, world\n", "{runtime}");
    }
    let unknown = output(command("greeting", &[]).env("ANYRT_RUNTIME", "glommio"));
    let errors = String::from_utf8_lossy(&unknown.stderr);
    assert!(!unknown.status.success() && errors.lines().count() == 1, "{errors}");
    assert!(RUNTIMES.is_empty() || errors.contains("ANYRT_RUNTIME is `glommio`"), "{errors}");
}

#[test]
fn soak_ends_where_it_began() {
    if RUNTIMES.is_empty() {
        return;
    }
    let text = prints("soak", &["--minutes", "0.05"]);
    assert!(text.starts_with("seed "), "{text}");
    for runtime in RUNTIMES {
        let rows: Vec<_> = text.lines().filter(|line| line.starts_with(runtime)).collect();
        assert_eq!(rows.len(), 2, "{text}");
        // Every operation was performed, some of them often.
        let numbers: Vec<f64> = rows[0].split([' ', '/']).filter_map(|word| word.parse().ok()).collect();
        assert_eq!(numbers.len(), 9, "{text}");
        assert!(numbers.iter().all(|number| *number > 0.0), "{text}");
    }
    let last = text.lines().last().unwrap();
    let known = cfg!(target_os = "linux");
    assert!(last.ends_with(if known { "all back at their start" } else { "are unknown here" }), "{text}");
}

#[cfg(feature = "sim")]
#[test]
fn sim_rare_finds_what_nothing_else_does() {
    let text = prints("sim_rare", &["100"]);
    let count =
        |line: &str| line.split(" of 100").next().unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    let counts: Vec<u32> = text.lines().map(count).collect();
    assert!(
        counts.len() == 4 && counts[0] == 0 && counts[1] > 5 && counts[2] == 0 && counts[3] > 0,
        "{text}"
    );
}

/// From the first of its starts. How many runs that takes is the same on each machine.
#[cfg(feature = "sim")]
#[test]
fn sim_guided_finds_what_ten_times_as_many_seeds_do_not() {
    let text = prints("sim_guided", &["1", "election"]);
    let has =
        |begin: &str, words: &str| text.lines().any(|line| line.starts_with(begin) && line.contains(words));
    assert!(has("election   guided", " 2725 (2725 to 2725), found by 1 of 1,"), "{text}");
    assert!(has("election   plain seeds not found", "found by 0 of 1,"), "{text}");
    assert!(has("election   plain seeds not found", "of 27250 at most"), "{text}");
}

#[cfg(feature = "sim")]
#[test]
fn sim_kv_refuses_bad_input() {
    refuses("sim_kv", &["--seeds", "0"], "'0'");
    refuses("sim_kv", &["--runs", "0"], "'0'");
    refuses("sim_kv", &["--on", "glommio"], "'glommio'");
    for runtime in ["tokio", "async-std", "smol"] {
        if !RUNTIMES.contains(&runtime) {
            refuses("sim_kv", &["--on", runtime], &format!("--features {runtime}"));
        }
    }
}

#[cfg(feature = "sim")]
#[test]
fn sim_kv_is_right_on_every_runtime() {
    let counts = |arguments: &[&str]| -> Vec<u32> {
        let text = prints("sim_kv", arguments);
        assert!(text.starts_with("nothing wrong on "), "{text}");
        text.split(' ').filter_map(|word| word.parse().ok()).collect()
    };
    let [runs, operations, retries, faults, starts] = counts(&["--seeds", "300"])[..] else { panic!() };
    assert_eq!((runs, operations), (300, 300 * 24));
    // Many faults occurred: replicas were restarted, and clients had to retry.
    assert!(retries > 300 && faults > 300 && starts > 3 * 300 + 200, "{retries} {faults} {starts}");
    for runtime in RUNTIMES {
        assert_eq!(counts(&["--on", runtime, "--runs", "3"])[..2], [3, 3 * 24]);
    }
}

#[cfg(feature = "sim")]
#[test]
fn sim_kv_finds_its_bug_and_finds_it_again() {
    let found = run("sim_kv", &["--bug"]);
    let found = (found.status.success(), String::from_utf8(found.stderr).unwrap());
    let line = |start: &str| found.1.lines().map(str::trim).find(|line| line.starts_with(start)).unwrap();
    assert!(!found.0 && found.1.contains("fails"), "{}", found.1);
    // The report begins with the operations that contradict each other.
    let (_, report) = found.1.split_once("  panicked at examples/sim_kv/simulated.rs:").unwrap();
    let contradiction = report.lines().nth(1).unwrap().trim();
    assert!(contradiction.starts_with("not linearizable: "), "{}", found.1);
    let operation = report.lines().nth(2).unwrap().trim();
    assert!(operation.starts_with("client "), "{}", found.1);

    let variables = line("ANYRT_SIM_SEED=").split(' ').filter_map(|word| word.split_once('='));
    let again = output(command("sim_kv", &["--bug"]).envs(variables));
    let errors = String::from_utf8(again.stderr).unwrap();
    let is_there = errors.contains(contradiction) && errors.contains(operation);
    assert!(!again.status.success() && is_there, "{errors} and not {contradiction}: {operation}");
}
