//! async-std: its executor.

pub(crate) mod context;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Once;
use std::time::Duration;

use super::async_io::{blocking, on_async_io};
use crate::backend::FindCurrent;
use crate::runtime::backend::{BlockOnBackend, BoxFuture, BoxJob, SpawnBackend};
use crate::runtime::task::native::async_task as task;
use crate::runtime::task::{JoinHandle, LARGE, Number};
use crate::runtime::{BlockOn, ShutdownReport, Spawn, not_owned};
use crate::thread::exit;
use crate::thread::{RuntimeKind, Scope};

/// async-std, which is **discontinued** ([RUSTSEC-2025-0052]); for programs that still use it.
///
/// To migrate, replace `AsyncStd::global()` by `Smol::global()`: both use the same reactor.
///
/// The runtime is global: it starts on first use and never stops. Tasks run on its executor and can use its timers and
/// sockets, but `async_std::task::current()` knows only tasks that `async_std::task::spawn` started.
///
/// # Examples
///
/// ```
/// use anyrt::{AsyncStd, BlockOn, Spawn};
///
/// let runtime = AsyncStd::global();
/// let answer = runtime.block_on(async { runtime.spawn(async { 42 }).await })?;
/// assert_eq!(answer, 42);
/// # Ok::<(), anyrt::task::JoinError>(())
/// ```
///
/// [RUSTSEC-2025-0052]: https://rustsec.org/advisories/RUSTSEC-2025-0052
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AsyncStd {
    _private: (),
}

impl AsyncStd {
    /// Returns the runtime of the process.
    pub fn global() -> Self {
        Self { _private: () }
    }

    /// Returns a weak handle, which does not keep the runtime alive.
    pub(crate) fn unowned(&self) -> Self {
        self.clone()
    }
}

impl FindCurrent for AsyncStd {
    #[inline]
    fn find_current(_: RuntimeKind) -> Option<Self> {
        Some(Self::global())
    }
}

impl task::Executor for AsyncStd {
    const KIND: RuntimeKind = RuntimeKind::AsyncStd;

    /// It never stops.
    type Waiting = Infallible;
}

/// Starts async-std's threads by its own rules (`ASYNC_STD_THREAD_COUNT`), before anything starts them by others.
fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| drop(async_std::task::spawn(async {})));
}

impl SpawnBackend for AsyncStd {
    fn execute(&self, task: BoxFuture) {
        drop(self.spawn(task));
    }

    fn execute_blocking(&self, job: BoxJob) {
        drop(self.spawn_blocking(job));
    }
}

impl Spawn for AsyncStd {
    #[track_caller]
    fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        start();
        // What `async_std::task::spawn` calls. Its own handle cannot say whether a task is finished, nor abort it
        // without being polled.
        if const { size_of::<F>() >= LARGE } {
            task::spawn::<Self, _>(Number::next(), Box::pin(future), async_global_executor::spawn)
        } else {
            task::spawn::<Self, _>(Number::next(), future, async_global_executor::spawn)
        }
    }

    #[track_caller]
    fn spawn_blocking<F, T>(&self, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        // `async_std::task::spawn_blocking` is a task around this.
        task::spawn_blocking::<Self, _, _>(Number::next(), job, blocking::unblock)
    }
}

impl BlockOnBackend for AsyncStd {
    #[track_caller]
    fn run_until<F: Future>(&self, future: F) -> F::Output {
        start();
        let _scope = Scope::within(RuntimeKind::AsyncStd);
        // `async_std::task::block_on` 1.13 leaves its nesting counter raised after a panic, and then never runs
        // a local task on this thread again.
        exit::block_on(future, async_global_executor::block_on)
    }

    fn stop(&self, _: Duration) -> io::Result<ShutdownReport> {
        Err(not_owned("async-std belongs to the process"))
    }
}

impl BlockOn for AsyncStd {}

on_async_io!(AsyncStd);

#[cfg(test)]
crate::conformance! {
    global: blocking::small_pool(AsyncStd::global()),
        Capabilities::ALL.blocking_threads(blocking::SMALL_POOL).without_ownership("it belongs to the process");
    any: crate::AnyRuntime::from(blocking::small_pool(AsyncStd::global())),
        Capabilities::ALL.blocking_threads(blocking::SMALL_POOL).without_ownership("it belongs to the process");
}

#[cfg(all(test, feature = "watch"))]
crate::conformance! {
    watched: crate::conformance::watch::quiet(blocking::small_pool(AsyncStd::global()).into()),
        Capabilities::ALL.blocking_threads(blocking::SMALL_POOL).without_ownership("it belongs to the process");
}
