//! What a thread is doing, and what threads share: below everything else, and knowing nothing of runtimes.

#[allow(dead_code, reason = "not every backend has thread-locals of its own")]
pub(crate) mod ending;
mod lock;
pub(crate) mod scope;

pub(crate) use lock::{keep_waker, lock};
pub(crate) use scope::{Entry, Home, Place, Scope, innermost};
