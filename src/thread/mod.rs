//! What a thread is doing, and what threads share: below everything else. It knows the names of runtimes, and nothing else of them.

#[allow(dead_code, reason = "not every backend has thread-locals of its own")]
pub(crate) mod exit;
mod lock;
pub(crate) mod scope;

pub(crate) use lock::{keep_waker, lock};
pub(crate) use scope::{Entry, Place, RuntimeKind, Scope, innermost, task};
