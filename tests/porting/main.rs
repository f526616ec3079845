//! A program of tokio, ported to every runtime: `tokio::` becomes `anyrt::`, and two lines keep items of tokio, its I/O
//! extension traits and its channels, which work everywhere.
#![cfg(any(unix, windows))]
#![allow(clippy::unwrap_used)]

#[allow(unreachable_pub, reason = "a program of its own")]
mod after;
#[allow(unreachable_pub, reason = "a program of its own")]
mod before;

use std::env;
use std::process::Command;

const BEFORE: &str = include_str!("before.rs");
const AFTER: &str = include_str!("after.rs");

#[test]
fn port_is_a_swap_and_two_lines() {
    let swapped = BEFORE.replace("tokio::", "anyrt::");
    let mut changed = 0;
    for (swapped, after) in swapped.lines().zip(AFTER.lines()).skip(1) {
        if swapped != after {
            assert!(after.starts_with("use tokio::"), "{swapped}\n{after}");
            changed += 1;
        }
    }
    assert_eq!((swapped.lines().count(), changed), (AFTER.lines().count(), 2));
}

fn expected() -> (Vec<String>, usize, usize) {
    (["BY 0", "BY 1", "BY 2"].map(str::to_owned).into(), 3, 3)
}

#[anyrt::test]
async fn port_does_what_the_program_did() {
    let (answers, served) = after::program().await.unwrap();
    assert_eq!((answers, served.connections, served.notes), expected());
}

#[test]
fn program_does_it_on_tokio() {
    let (answers, served) = before::run().unwrap();
    assert_eq!((answers, served.connections, served.notes), expected());
}

#[test]
fn environment_chooses_the_runtime_of_a_builder() {
    for word in ["tokio", "smol", "async_std", "sim"] {
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "port_on_the_runtime_of_the_environment", "--ignored", "--nocapture"])
            .env("ANYRT_RUNTIME", word)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success(), "{word}: {said}");
        assert!(said.contains("1 passed"), "{word}: {said}");
    }
}

#[test]
#[ignore = "run by the test above, once a runtime, in a process of its own"]
fn port_on_the_runtime_of_the_environment() {
    let (answers, served) = after::run().unwrap();
    assert_eq!((answers, served.connections, served.notes), expected());
}
