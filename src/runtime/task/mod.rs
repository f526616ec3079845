//! Tasks: spawning, task handles, sets of tasks. The rules are the same on every runtime.

mod builder;
pub(crate) mod catch_panic;
pub(crate) mod coop;
mod error;
mod handle;
mod id;
pub(crate) mod local;
pub(crate) mod native;
mod set;
mod slot;
mod spawned;
mod yield_now;

pub use builder::Builder;
pub use error::JoinError;
pub use handle::{AbortHandle, AbortOnDropHandle, JoinHandle};
pub(crate) use handle::{Native, NativeAbort};
pub(crate) use id::Number;
pub use id::{Id, id, try_id};
pub use local::{LocalSet, NoLocalSet, spawn_local, try_spawn_local};
pub use set::JoinSet;
#[allow(unused_imports, reason = "only handles of async-task have to be told")]
pub(crate) use slot::{Slot, polled_after_completion};
pub(crate) use spawned::{Job, spawn_blocking_with, spawn_gone, spawn_with};
pub use yield_now::YieldNow;

/// A future of as many bytes goes to the heap before anything else is done with it. In a debug build each function that it
/// passes through has a copy on the stack, of each branch; async-task 4.7 boxes it in the end anyway (`runnable.rs`), and
/// tokio 1.54 does so sooner.
#[allow(dead_code, reason = "a debug build boxes whatever its size, and only tokio asks as well")]
pub(crate) const LARGE: usize = 2048;
