//! The example, as a user runs it.
#![allow(clippy::unwrap_used)]

use std::env;
use std::process::Command;

#[test]
fn example_runs_on_every_runtime() {
    // Cargo builds it before this test, next to it.
    let test = env::current_exe().unwrap();
    let example =
        test.ancestors().nth(2).unwrap().join("examples/ask").with_extension(env::consts::EXE_EXTENSION);
    for runtime in ["tokio", "tokio_current_thread", "smol", "smol_global", "async_std", "sim"] {
        let output = Command::new(&example).env("ANYRT_RUNTIME", runtime).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.starts_with("you ask in 16 bytes"), "{runtime}: {output:?}");
    }
}
