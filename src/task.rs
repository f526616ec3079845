//! Tasks: one handle and one set of rules, whatever runs them.

pub(crate) mod contain;
mod error;
mod handle;
mod set;
mod slot;
mod spawned;
mod yield_now;

pub use error::JoinError;
pub use handle::{AbortHandle, AbortOnDropHandle, JoinHandle};
pub(crate) use handle::{Native, NativeAbort};
pub use set::JoinSet;
#[allow(unused_imports, reason = "only handles of async-task have to be told")]
pub(crate) use slot::{Slot, polled_after_completion};
pub(crate) use spawned::{Job, spawn_blocking_with, spawn_with};
pub use yield_now::YieldNow;
