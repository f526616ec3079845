//! Watches the event loops of a runtime: reports tasks that block a thread, while they block it, and counts.
//!
//! [`AnyRuntime::watch`](crate::AnyRuntime::watch) returns a handle to the same runtime that notes each poll of what is
//! spawned through it. A thread of its own looks at these notes, and writes a line to stderr about a poll that takes
//! too long, while it does:
//!
//! ```text
//! anyrt: task 7 "reader", spawned at src/main.rs:20:5, blocks thread "tokio-rt-worker" for 105 ms so far (asleep in the
//! kernel: hrtimer_nanosleep). Await `anyrt::time::sleep` instead of `std::thread::sleep`, and run other blocking code with
//! `anyrt::spawn_blocking`.
//! ```
//!
//! ```
//! use std::time::Duration;
//!
//! use anyrt::watch::WatchOptions;
//!
//! # #[cfg(feature = "smol")]
//! fn main() -> std::io::Result<()> {
//!     let runtime = anyrt::AnyRuntime::from(anyrt::Smol::new()?);
//!     let runtime = runtime.watch(WatchOptions::new().warn_after(Duration::from_millis(10)))?;
//!     runtime.block_on(async { /* the program */ });
//!     Ok(())
//! }
//! # #[cfg(not(feature = "smol"))]
//! # fn main() {}
//! ```
//!
//! A task has a name if [`task::Builder`](crate::task::Builder::name) gives it one.
//!
//! Programs with [`#[anyrt::main]`](macro@crate::main) need no code: set the environment variable `ANYRT_WATCH=10ms`, or
//! write `#[anyrt::main(tokio, watch = "10ms")]`. The variable also works for [`#[anyrt::test]`](macro@crate::test), and for
//! nothing else. In a program that has a runtime already, such as one with `#[tokio::main]`, the watched handle has to be the
//! current one, see [the guide](crate::guide::application#find-what-blocks).
//!
//! # Which reports there are
//!
//! - A poll that takes longer than [the limit](WatchOptions::warn_after), and again when it has taken ten times as long, and so
//!   on; and its end.
//! - Of one place that spawns, one such poll a second. The next report says how many have ended without one, and
//!   [`Snapshot::slow_places`] counts all. A poll that still blocks a second later is reported then.
//! - [Tasks that get no turn](WatchOptions::warn_when_ready_for), [closures that get no
//!   thread](WatchOptions::warn_when_queued_for), and polls that took long because their thread got no CPU: each every ten
//!   seconds at most.
//!
//! The future of `#[anyrt::main]` or `#[anyrt::test]` is reported as a `block_on` at that function.
//!
//! # With tracing
//!
//! With feature `tracing`, and once the program has set a subscriber for all threads, reports are events of the target
//! `anyrt::watch` instead of lines on stderr: of level WARN, or INFO if nothing has to be done about it.
//!
//! The filter of the subscriber applies to them, and many let errors through and nothing else, as `tracing_subscriber::fmt::init()`
//! with its feature `env-filter` does: set `RUST_LOG=anyrt::watch=warn`. A line on stderr says so once when a filter drops them.
//!
//! Each watched task is a span as well, which [tokio-console](crate::guide::cookbook#tokio-console) shows: name, place, busy
//! time, polls and wakes. It costs a branch a poll if no subscriber wants spans of level TRACE.
//!
//! # What is watched
//!
//! - Each poll of a task that is spawned through the handle, or, on the current runtime, by a watched task.
//! - The destructor of such a task, and the future of a `block_on` of the handle.
//! - Tasks that are ready and get no turn, and blocking closures that wait for a thread.
//!
//! # What is not seen
//!
//! - Tasks that are spawned with functions of the runtime itself (`tokio::spawn`, `smol::spawn`,
//!   `async_std::task::spawn`), and by other handles: [`AnyRuntime::watch`](crate::AnyRuntime::watch) changes no handle in place.
//! - What a future of [`within`](crate::AnyRuntime::within) does itself, in a task that is not watched. What it spawns is seen.
//! - Blocking closures may block: that is what they are for. What tokio's `block_in_place` calls is part of its poll, and is
//!   reported.
//! - Who holds a lock: a task that waits for one of `std::sync` is reported, and not the task or the closure that holds it,
//!   such as one that holds the guard of a `std::sync::Mutex` over an `.await`.
//! - The line of the blocking call. Rust has no safe way to take the backtrace of another thread. On Linux the report
//!   has the kernel function that the thread sleeps in.
//! - A poll that is hardly longer than the limit: notes are looked at [several times](Snapshot::resolution) in each
//!   limit, so that a poll costs some 60 to 85 instructions and no look at the clock. A poll of 1.25 × the limit is reported.
//!
//! # Overloaded machines
//!
//! A thread that gets no CPU does not block. On Linux, the time that a thread waits for a CPU is not counted, nor is the
//! time while the process is stopped. A thread that computes and is waiting for a CPU is reported when it has one again.
//! On other systems, nothing is counted while the thread that watches gets no CPU.

mod options;
mod report;
#[cfg(feature = "serde")]
mod serialize;
mod shared;
mod slot;
mod snapshot;
mod task;
#[cfg(feature = "tracing")]
mod trace;
#[cfg(not(feature = "tracing"))]
#[path = "no_trace.rs"]
mod trace;
mod watcher;

pub use options::WatchOptions;
pub use report::{Place, Report, TaskInfo, TaskKind};
pub(crate) use shared::Watch;
pub use snapshot::{Latency, LongPoll, SlowPlace, Snapshot};
pub(crate) use task::Watched;
