//! The checker of the example `sim_kv`: what it reports as a contradiction, and what it accepts.
#![allow(dead_code, reason = "the example needs more of it")]
#![allow(clippy::unwrap_used)]

use std::time::Duration;

#[path = "../sim_kv/check.rs"]
mod check;
#[path = "../sim_kv/wire.rs"]
mod wire;

use check::Kind::{self, Get, Put};
use check::{Moments, Operation, check};
use wire::{Entry, Version};

/// Operations of clients on one key: kind, counter of the version, value, begin, end.
#[track_caller]
fn checked(operations: &[(Kind, u64, &str, usize, usize)]) -> Result<(), String> {
    let moments = Moments::default();
    let moments: Vec<_> = (0..20).map(|n| moments.next(Duration::from_millis(n))).collect();
    let operation = |&(kind, counter, value, began, ended)| Operation {
        client: began as u64,
        key: "x",
        kind,
        entry: Entry { version: Version { counter, client: counter.min(1) }, value: String::from(value) },
        began: moments[began],
        ended: moments[ended],
    };
    check(&operations.iter().map(operation).collect::<Vec<_>>())
}

#[track_caller]
fn contradicts(operations: &[(Kind, u64, &str, usize, usize)], words: &[&str]) {
    let text = checked(operations).unwrap_err();
    assert!(words.iter().all(|word| text.contains(word)), "{text}");
}

#[test]
fn one_after_the_other_is_right() {
    let all = [
        (Get, 0, "", 0, 1),
        (Put, 1, "a", 2, 3),
        (Get, 1, "a", 4, 5),
        (Put, 2, "b", 6, 7),
        (Get, 2, "b", 8, 9),
    ];
    assert_eq!(checked(&all), Ok(()));
}

#[test]
fn at_once_either_may_be_first() {
    let with =
        |counter, value| checked(&[(Put, 1, "a", 0, 1), (Put, 2, "b", 2, 5), (Get, counter, value, 3, 4)]);
    assert_eq!((with(1, "a"), with(2, "b")), (Ok(()), Ok(())));
    assert_eq!(checked(&[(Put, 2, "b", 0, 2), (Put, 1, "a", 1, 3)]), Ok(()));
}

#[test]
fn older_value_after_a_newer_one_is_a_contradiction() {
    let puts = [(Put, 1, "a", 0, 1), (Put, 2, "b", 2, 9)];
    let both =
        ["get of \"x\" by client 5, 5ms to 6ms: version 1.1, \"a\"", "client 3, 3ms to 4ms", "is older"];
    contradicts(&[&puts[..], &[(Get, 2, "b", 3, 4), (Get, 1, "a", 5, 6)]].concat(), &both);
    contradicts(&[puts[0], (Get, 0, "", 2, 3)], &["by client 2", "by client 0"]);
}

#[test]
fn put_that_is_not_newer_is_a_contradiction() {
    contradicts(&[(Put, 2, "b", 0, 1), (Put, 1, "a", 2, 3)], &["not newer"]);
    contradicts(&[(Put, 2, "b", 0, 5), (Get, 2, "b", 1, 2), (Put, 1, "a", 3, 4)], &["not newer"]);
    contradicts(&[(Put, 1, "a", 0, 3), (Put, 1, "b", 1, 2)], &["has the version of"]);
}

#[test]
fn value_from_nowhere_is_a_contradiction() {
    contradicts(&[(Get, 1, "a", 0, 1)], &["nobody has put"]);
    contradicts(&[(Put, 1, "a", 0, 1), (Get, 1, "b", 2, 3)], &["is not what"]);
    contradicts(&[(Get, 1, "a", 0, 1), (Put, 1, "a", 2, 3)], &["put of", "not newer"]);
}
