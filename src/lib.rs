#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
// Tests and scenarios say `unwrap` where a failure is the finding.
#![cfg_attr(test, allow(clippy::unwrap_used))]
#![cfg_attr(not(any(unix, windows)), allow(dead_code, reason = "much is about sockets, and there are none"))]

pub mod net;
pub mod runtime;
#[cfg(any(unix, windows))]
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
mod lock;
mod random;

#[cfg(all(any(unix, windows), any(test, feature = "conformance")))]
pub mod conformance;

// With a plain `cfg`, and in the root: rustc 1.95 names the feature to whoever uses one that is off, which it does
// neither for what `cfg_if!` took away nor for what a glob would have brought.
#[cfg(feature = "async-std")]
pub use backend::AsyncStd;
#[cfg(feature = "smol")]
pub use backend::Smol;
#[cfg(feature = "tokio")]
pub use backend::Tokio;
#[cfg(feature = "sim")]
pub use backend::{Sim, sim};

pub use any::AnyRuntime;
pub use builder::Builder;
pub use context::EnterGuard;
pub use current::{NoRuntime, SetDefaultError};
pub use free::{block_on, spawn, spawn_blocking, try_block_on, try_spawn, try_spawn_blocking, yield_now};
pub use random::{RandomState, random_seed};
pub use runtime::{BlockOn, Net, Runtime, Spawn, Time};
