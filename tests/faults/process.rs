//! Runs tests in processes of their own, in which they can exhaust resources, hang and abort without affecting others.

use std::env;
use std::io::{self, Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The command that `sh` runs before it becomes the process of a test.
pub(crate) const AS_IT_IS: &str = ":";
pub(crate) const FEW_DESCRIPTORS: &str = "ulimit -n 64";

/// The variable that is set in the inner process, to the test to run.
pub(crate) const INSIDE: &str = "ANYRT_TEST_FAULTS";

/// An operation that takes seconds on an idle machine takes much longer on a busy one.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Runs `probe` in a process of its own, by running the calling test again; `path` is that test with its crate.
pub(crate) fn alone(path: &str, prepared: &str, probe: impl FnOnce()) {
    if env::var_os(INSIDE).is_some() {
        return probe();
    }
    let (_crate, name) = path.split_once("::").unwrap();
    let mut child = Command::new("sh")
        .args(["-c", &format!("{prepared}; exec \"$0\" --exact \"$1\" --nocapture 2>&1")])
        .arg(env::current_exe().unwrap())
        .arg(name)
        .env(INSIDE, "probe")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let (ended, has_ended) = mpsc::channel();
    thread::spawn(move || {
        let mut output = Vec::new();
        stdout.read_to_end(&mut output).unwrap();
        ended.send(String::from_utf8_lossy(&output).into_owned()).unwrap();
    });
    let output = has_ended.recv_timeout(DEADLINE).unwrap_or_else(|_| {
        child.kill().unwrap();
        panic!("{name} is still at it after {DEADLINE:?}: {}", has_ended.recv().unwrap());
    });
    let status = child.wait().unwrap();
    assert!(status.success() && output.contains("1 passed"), "{name}: {status}: {output}");
    // Not with `eprintln!`, which libtest hides in a test that passes.
    for line in output.lines() {
        if let Some((_, why)) = line.split_once("skipped: ") {
            let _ = writeln!(io::stderr(), "skipped {name}: {why}");
        }
    }
}
