//! For authors of backends: what a runtime implements, and programs do not call.
//!
//! Each trait for users has one here below it: [`Spawn`](super::Spawn) has [`SpawnBackend`],
//! [`BlockOn`](super::BlockOn) has [`BlockOnBackend`], [`Net`](super::Net) has [`NetBackend`], and `UnixNet` has
//! `UnixNetBackend`. The methods of users call those of this module and keep the whole contract. Clocks and timers are
//! in [`Time`](super::Time) alone: programs call all its methods.
//!
//! A backend implements the required methods of this module and those of `Time`, names the types of its sockets in
//! `Net` and `UnixNet`, and leaves everything else as it is:
//!
//! ```
//! # use std::{io, thread};
//! use anyrt::Spawn;
//! use anyrt::runtime::backend::{BoxFuture, BoxJob, SpawnBackend};
//!
//! /// A thread for each task, and for each closure.
//! #[derive(Clone, Debug)]
//! struct Threads;
//!
//! impl SpawnBackend for Threads {
//!     fn execute(&self, task: BoxFuture) {
//!         thread::spawn(|| futures::executor::block_on(task));
//!     }
//!
//!     fn execute_blocking(&self, job: BoxJob) {
//!         thread::spawn(job);
//!     }
//! }
//!
//! impl Spawn for Threads {}
//!
//! let handle = Threads.spawn(async { 42 });
//! assert_eq!(futures::executor::block_on(handle)?, 42);
//! # Ok::<(), anyrt::task::JoinError>(())
//! ```
//!
//! # What may be replaced
//!
//! - [`Spawn::yield_now`](super::Spawn::yield_now) and [`Spawn::random_seed`](super::Spawn::random_seed), where the
//!   runtime has its own; [`spawn_named`](SpawnBackend::spawn_named) and
//!   [`spawn_blocking_named`](SpawnBackend::spawn_blocking_named), where it shows names.
//! - [`stop`](BlockOnBackend::stop), by a runtime that can be owned.
//! - [`connect_addr`](NetBackend::connect_addr), [`bind_addr`](NetBackend::bind_addr),
//!   [`udp_bind_addr`](NetBackend::udp_bind_addr) and [`resolve`](NetBackend::resolve), by a runtime with a network of
//!   its own; likewise the methods of `UnixNetBackend` for paths, and those of `UnixNet` that create pairs.
//! - `UnixNetBackend::watch_fd`, by a runtime that can watch descriptors.
//! - [`Time::system_time`](super::Time::system_time), by a runtime that has a clock of its own.
//!
//! [`Spawn::spawn`](super::Spawn::spawn) and [`Spawn::spawn_blocking`](super::Spawn::spawn_blocking) keep their
//! provided bodies, unless they forward to another implementation of the trait: a
//! [`JoinHandle`](crate::task::JoinHandle) cannot hold the handle of another crate.

mod block_on;
mod net;
mod spawn;
#[cfg(unix)]
mod unix_net;

pub use block_on::BlockOnBackend;
pub use net::NetBackend;
pub use spawn::{BoxFuture, BoxJob, SpawnBackend};
#[cfg(unix)]
pub use unix_net::UnixNetBackend;

#[cfg(unix)]
pub use super::net::{FdReady, WatchFd};
