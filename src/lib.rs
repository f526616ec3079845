// The README's links to files of the repository, which docs.rs has elsewhere. Of two definitions Markdown takes the first.
//! [CHANGELOG]: https://docs.rs/crate/anyrt/latest/source/CHANGELOG.md
//! [ARCHITECTURE]: https://docs.rs/crate/anyrt/latest/source/ARCHITECTURE.md
//! [policy]: https://docs.rs/crate/anyrt/latest/source/docs/policy.md
//! [CONTRIBUTING]: https://docs.rs/crate/anyrt/latest/source/.github/CONTRIBUTING.md
//! [benches/cost]: crate::guide::faq#what-does-it-cost
//! [screen]: https://raw.githubusercontent.com/anyrt/anyrt/HEAD/examples/watch/screen.svg
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
// Tests and scenarios say `unwrap` where a failure is the finding.
#![cfg_attr(test, allow(clippy::unwrap_used))]
#![cfg_attr(not(any(unix, windows)), allow(dead_code, reason = "much is about sockets, and there are none"))]

// Pages of documentation, and no code.
pub mod guide;

// The rooms, from the bottom up: what is in one uses what is in it and below it, which a test in `tests/repository.rs` holds.
mod thread;

pub mod runtime;

pub mod io;

#[cfg(any(unix, windows))]
pub mod socket;

mod backend;

#[cfg(feature = "watch")]
pub mod watch;
// Of another name, so that rustc says which feature `watch` needs, and not that it is private.
#[cfg(not(feature = "watch"))]
#[path = "watch/disabled.rs"]
mod unwatched;

mod any;

mod current;

mod named;

#[cfg(all(any(unix, windows), any(test, feature = "conformance")))]
pub mod conformance;

#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod macros;
#[cfg(not(feature = "macros"))]
#[path = "macros/off.rs"]
mod macros;

// With a plain `cfg`, and in the root: rustc 1.95 names the missing feature for a backend that is off, which it does
// neither for what `cfg_if!` took away nor for what a glob would have brought.
#[cfg(feature = "async-std")]
pub use backend::AsyncStd;
#[cfg(feature = "smol")]
pub use backend::Smol;
#[cfg(feature = "tokio")]
pub use backend::Tokio;
#[cfg(feature = "sim")]
pub use backend::{Sim, sim};

#[cfg(feature = "macros")]
#[doc = include_str!("macros/main.md")]
pub use anyrt_macros::main;
#[cfg(feature = "macros")]
#[doc = include_str!("macros/test.md")]
pub use anyrt_macros::test;
/// The attribute of the crate `async-trait`, for implementations of [`Resolve`](net::Resolve).
#[cfg(feature = "macros")]
pub use async_trait::async_trait;

#[cfg(all(feature = "signal", any(unix, windows)))]
pub use current::signal;

pub use any::{AnyRuntime, EnterGuard, Within};
pub use current::{RandomState, SetDefaultError, random_seed};
pub use current::{
    block_on, spawn, spawn_blocking, try_block_on, try_spawn, try_spawn_blocking, try_yield_now, yield_now,
};
pub use runtime::no_runtime::NoRuntime;
#[doc(inline)]
pub use runtime::{BlockOn, Net, Runtime, Spawn, Time};

/// The runtime traits, for `use anyrt::prelude::*`.
pub mod prelude {
    #[cfg(unix)]
    pub use crate::runtime::UnixNet;
    pub use crate::{BlockOn, Net, Runtime, Spawn, Time};
}

/// Tasks: spawning, task handles, sets of tasks. The rules are the same on every runtime.
///
/// # Values that belong to a task
///
/// The `task_local!` of tokio (its feature `rt`) needs no runtime of tokio and works on every runtime, simulation
/// included. As on tokio itself, spawned tasks do not inherit the value: give them a scope as well, or use
/// [`AnyRuntime::wrap_tasks`](crate::AnyRuntime::wrap_tasks) for all of them.
///
/// ```
/// tokio::task_local! {
///     static REQUEST: u64;
/// }
///
/// async fn serve(id: u64) {
///     let work = async { println!("request {}", REQUEST.get()) };
///     let task = anyrt::spawn(REQUEST.scope(id, work));
///     # drop(task);
/// }
/// ```
///
/// # Instead of `block_in_place`
///
/// Only tokio's multi-threaded runtime can move the other tasks of a thread elsewhere. Write
/// `spawn_blocking(move || …).await` instead: the closure takes its inputs by value and returns its results.
/// Synchronous code that has to call async code can run there, too, and call [`block_on`].
///
/// ```
/// async fn compress(mut buffer: Vec<u8>) -> Result<Vec<u8>, anyrt::task::JoinError> {
///     anyrt::task::spawn_blocking(move || {
///         buffer.dedup(); // slow
///         buffer
///     })
///     .await
/// }
/// ```
pub mod task {
    pub use crate::any::TaskMeta;
    pub use crate::current::{spawn, spawn_blocking, yield_now};
    pub use crate::runtime::task::{
        AbortHandle, AbortOnDropHandle, Builder, Id, JoinError, JoinHandle, JoinSet, LocalSet, NoLocalSet,
        YieldNow, id, spawn_local, try_id, try_spawn_local,
    };
}

/// Time on the current runtime: sleeps, timeouts and intervals.
///
/// The functions panic if no runtime with timers is current; the forms with `try_` return an error.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use anyrt::time::{interval, sleep, timeout};
///
/// async fn watch(mut check: impl AsyncFnMut() -> bool) {
///     sleep(Duration::from_millis(500)).await;
///     let mut every_second = interval(Duration::from_secs(1));
///     loop {
///         every_second.tick().await;
///         match timeout(Duration::from_millis(100), check()).await {
///             Ok(true) => return,
///             Ok(false) => {}
///             Err(elapsed) => println!("no answer: {elapsed}"),
///         }
///     }
/// }
/// ```
pub mod time {
    pub use std::time::Duration;

    pub use crate::any::time::Sleep;
    pub use crate::current::time::{
        Interval, Timeout, interval, interval_at, now, sleep, sleep_until, system_time, timeout, timeout_at,
        try_interval, try_interval_at, try_now, try_sleep, try_sleep_until, try_system_time, try_timeout,
        try_timeout_at,
    };
    pub use crate::runtime::time::instant::Instant;
    pub use crate::runtime::time::{Elapsed, MissedTickBehavior};
}

/// TCP, UDP and Unix sockets on the current runtime, socket options, and name resolution.
///
/// These types work on every runtime. Code that is generic over runtimes uses the traits of the same names in
/// [`runtime`].
///
/// # Examples
///
/// ```
/// use std::io;
///
/// use anyrt::net::{TcpListener, TcpStream};
/// use futures::io::copy;
///
/// async fn echo(stream: TcpStream) -> io::Result<u64> {
///     let (reader, mut writer) = stream.into_split();
///     copy(reader, &mut writer).await
/// }
///
/// async fn serve() -> io::Result<()> {
///     let listener = TcpListener::bind("127.0.0.1:7000").await?;
///     loop {
///         let (stream, _peer) = listener.accept().await?;
///         anyrt::spawn(echo(stream)).detach();
///     }
/// }
/// ```
pub mod net {
    #[cfg(unix)]
    pub use crate::any::net::unix::{UnixDatagram, UnixListener, UnixStream};
    pub use crate::any::net::{
        OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, TcpListener, TcpStream, UdpSocket, WriteHalf,
    };
    pub use crate::current::net::lookup_host;
    #[cfg(unix)]
    pub use crate::current::remove_socket;
    pub use crate::runtime::net::{
        ConnectOptions, Incoming, Keepalive, ListenOptions, RecvMsg, Resolve, SetResolverError,
        ToSocketAddrs, set_resolver,
    };

    /// Halves of Unix streams, streams of incoming connections, and file descriptors of your own.
    #[cfg(unix)]
    pub mod unix {
        pub use crate::any::net::unix::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, WriteHalf};
        #[cfg(feature = "fds")]
        pub use crate::runtime::net::RecvFds;
        pub use crate::runtime::net::path::Incoming;
        pub use crate::runtime::net::{AsyncFd, AsyncFdReadyGuard, TryIoError, UCred};
    }
}
