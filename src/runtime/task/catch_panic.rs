//! Panics of user code that must not get out.
//!
//! async-task 4.7 aborts the process when a destructor panics while it drops a cancelled future or the output of
//! a detached task (`utils.rs`, `abort_on_panic`); tokio catches both. Here they are caught before they get there.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// What a panic carries.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Runs user code; its panic becomes a value.
///
/// Nothing that `run` touched is used afterwards except to drop it, hence the assertion.
pub(crate) fn catch_panic<R>(run: impl FnOnce() -> R) -> Result<R, Payload> {
    catch_unwind(AssertUnwindSafe(run))
}

/// Wakes a task; its waker may be of the user's making, and panic.
pub(crate) fn wake(waker: Waker) {
    if let Err(payload) = catch_panic(|| waker.wake()) {
        discard(payload);
    }
}

/// Drops a value of the user's whose destructor may panic, and whose panic may carry such a value in turn.
pub(crate) fn discard<T>(value: T) {
    if let Err(payload) = catch_panic(|| drop(value)) {
        if let Err(again) = catch_panic(|| drop(payload)) {
            std::mem::forget(again);
        }
    }
}
