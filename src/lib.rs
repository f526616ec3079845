#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
// Tests and scenarios say `unwrap` where a failure is the finding.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod net;
pub mod runtime;
pub mod socket;
pub mod task;
pub mod time;

mod any;
mod backend;
mod builder;
mod context;
mod coop;
mod current;
#[allow(dead_code, reason = "not every backend has thread-locals of its own")]
mod ending;
mod free;
mod random;

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;

#[allow(
    unused_imports,
    unreachable_pub,
    reason = "with no backend compiled in there is nothing to show"
)]
pub use backend::*;

pub use any::AnyRuntime;
pub use builder::Builder;
pub use context::EnterGuard;
pub use current::{NoRuntime, SetDefaultError};
pub use free::{block_on, spawn, spawn_blocking, try_block_on, try_spawn, try_spawn_blocking, yield_now};
pub use random::{RandomState, random_seed};
pub use runtime::{BlockOn, Net, Runtime, Spawn, Time};
