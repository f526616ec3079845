//! The cooperative budget of the runtimes that have none of their own.
//!
//! A socket that always has data never returns `Pending`, so the task that reads it never gives its timeout a
//! turn. tokio counts 128 operations a poll and then makes one return `Pending`; async-io 2.6 has no such thing.

use std::cell::Cell;
use std::task::{Context, Poll};

/// How many operations in a row may complete on a thread before one has to yield: tokio's number.
const BUDGET: u8 = 128;

thread_local! {
    static LEFT: Cell<u8> = const { Cell::new(BUDGET) };
}

/// Polls `operation`, or wakes the task and gives its turn away when the budget is spent.
///
/// The budget belongs to the thread and not to the task, so it needs no hook around every poll and it works
/// under executors that never heard of it. The price is a spare yield for a neighbour now and then.
pub(crate) fn poll<T>(cx: &mut Context<'_>, operation: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    let left = LEFT.get();
    if left == 0 {
        LEFT.set(BUDGET);
        cx.waker().wake_by_ref();
        return Poll::Pending;
    }
    let result = operation(cx);
    if result.is_ready() {
        LEFT.set(left - 1);
    }
    result
}
