//! State of a thread, and locks: the lowest room. It knows the names of runtimes, and nothing else about them.

#[allow(dead_code, reason = "not every backend has thread-locals of its own")]
pub(crate) mod exit;
mod lock;
pub(crate) mod scope;
#[allow(dead_code, reason = "only a watch and a simulation look")]
mod system;

pub(crate) use lock::{keep_waker, lock};
pub(crate) use scope::{Entry, LastScope, Place, RuntimeKind, SameScope, Scope, innermost, task};
#[allow(unused_imports, reason = "likewise")]
pub(crate) use system::{Cpu, SystemThread};
