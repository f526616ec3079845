//! `buggify!` and `sometimes!` outside of a simulation: with and without the feature `sim` they do nothing.
#![allow(clippy::unwrap_used)]

use std::cell::Cell;

/// As a library has them, which knows nothing of the features.
fn push(queue: &mut Vec<u32>, job: u32) -> bool {
    if anyrt::buggify!() || anyrt::buggify!(0.5) || queue.len() == 3 {
        return false;
    }
    anyrt::sometimes!(queue.is_empty(), "the queue is empty");
    queue.push(job);
    true
}

#[test]
fn nothing_is_taken_outside_of_a_simulation() {
    for _ in 0..1_000 {
        let mut queue = Vec::new();
        assert!(push(&mut queue, 1) && push(&mut queue, 2) && push(&mut queue, 3) && !push(&mut queue, 4));
    }
}

#[test]
fn nothing_is_evaluated_outside_of_a_simulation() {
    let evaluated = Cell::new(0);
    let value = |value: f64| {
        evaluated.set(evaluated.get() + 1);
        value
    };
    assert!(!anyrt::buggify!(value(1.0)) && !anyrt::buggify!(value(1.0),));
    anyrt::sometimes!(value(1.0) > 0.0, "it is true");
    anyrt::sometimes!(value(1.0) > 0.0, "it is true",);
    assert_eq!(evaluated.get(), 0);
}

/// A statement or an expression, wherever there may be one.
#[test]
fn they_stand_wherever_an_expression_does() {
    let rare = if anyrt::buggify!() { 1 } else { 2 };
    let both = !anyrt::buggify!() && !anyrt::buggify!(1.0);
    match () {
        () if anyrt::buggify!() => unreachable!(),
        () => anyrt::sometimes!(rare == 2, "it is two"),
    }
    assert!(both && rare == 2);
}
