//! smol: its global executor, or an owned executor.

mod pool;
mod tasks;
mod threads;

use std::convert::Infallible;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::io;
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::Duration;

use self::threads::{Threads, Working};
use super::async_io::{blocking, on_async_io};
use crate::backend::FindCurrent;
use crate::runtime::backend::{BlockOnBackend, BoxFuture, BoxJob, SpawnBackend};
use crate::runtime::builder::{Builder, Settings};
use crate::runtime::task::native::async_task as task;
use crate::runtime::task::{JoinHandle, Number, spawn_gone};
use crate::runtime::{BlockOn, ShutdownReport, Spawn, not_owned};
use crate::thread::exit;
use crate::thread::{RuntimeKind, Scope};

/// smol: its global executor, or an owned executor with threads of its own.
///
/// The reactor for timers and sockets is shared by the whole process, and so is the blocking pool of the global
/// executor. An owned executor has a blocking pool of its own.
///
/// Dropping the last clone of an owned executor stops its threads; the global executor never stops.
///
/// # Examples
///
/// ```
/// use anyrt::{BlockOn, Smol, Spawn};
///
/// let runtime = Smol::global();
/// let answer = runtime.block_on(async { runtime.spawn(async { 42 }).await })?;
/// assert_eq!(answer, 42);
/// # Ok::<(), anyrt::task::JoinError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Smol {
    executor: Executor,
}

#[derive(Clone, Debug)]
enum Executor {
    Global,
    Owned(Arc<Threads>),
    /// A weak handle to an owned executor.
    Unowned(Weak<Threads>),
}

impl Smol {
    /// Returns the executor of `smol::spawn`. It has one thread, unless the environment variable `SMOL_THREADS` sets
    /// another number. (With 0, tasks never run: smol 2.0.2.)
    pub fn global() -> Self {
        Self { executor: Executor::Global }
    }

    /// Creates an owned executor with one thread per core.
    ///
    /// # Errors
    ///
    /// If the system cannot start the threads.
    pub fn new() -> io::Result<Self> {
        Self::builder().build()
    }

    /// Creates an owned executor with `threads` threads.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for 0 or more than 4096 threads; the system's error if it cannot start them.
    pub fn with_threads(threads: usize) -> io::Result<Self> {
        Self::builder().worker_threads(threads).build()
    }

    /// Returns a builder of an owned executor: number of worker threads, number of blocking threads, and their names.
    pub fn builder() -> Builder<Self> {
        Builder::new()
    }

    /// Returns a weak handle, which does not keep the runtime alive.
    pub(crate) fn unowned(&self) -> Self {
        let executor = match &self.executor {
            Executor::Owned(threads) => Executor::Unowned(Arc::downgrade(threads)),
            executor => executor.clone(),
        };
        Self { executor }
    }

    #[inline]
    #[track_caller]
    fn start<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let executor = match &self.executor {
            Executor::Global => return task::spawn::<Global, _>(Number::next(), future, smol::spawn),
            Executor::Owned(threads) => threads.executor(),
            Executor::Unowned(threads) => threads.upgrade().and_then(|threads| threads.executor()),
        };
        match executor {
            Some(executor) => task::spawn::<Owned, _>(Number::next(), future, |task| executor.spawn(task)),
            None => spawn_gone(Number::next(), future),
        }
    }

    /// The threads of an executor of ours, or nothing for the global one.
    fn threads(&self) -> Option<Weak<Threads>> {
        match &self.executor {
            Executor::Global => None,
            Executor::Owned(threads) => Some(Arc::downgrade(threads)),
            Executor::Unowned(threads) => Some(threads.clone()),
        }
    }
}

impl Builder<Smol> {
    /// Builds the executor and starts its threads.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for an invalid value, which the error names; the system's error if it cannot start all threads.
    pub fn build(self) -> io::Result<Smol> {
        let Settings { worker_threads, single_threaded: _, blocking_threads, thread_name } =
            self.settings()?;
        let name = thread_name.as_deref().unwrap_or("anyrt-smol");
        Ok(Smol { executor: Executor::Owned(Threads::start(worker_threads, blocking_threads, name)?) })
    }
}

impl FindCurrent for Smol {
    #[inline]
    fn find_current(kind: RuntimeKind) -> Option<Self> {
        Some(match kind {
            RuntimeKind::OwnedSmol => Self { executor: Executor::Unowned(threads::here()?) },
            _ => Self::global(),
        })
    }
}

/// The global executor.
enum Global {}

impl task::Executor for Global {
    const KIND: RuntimeKind = RuntimeKind::Smol;

    /// It never stops.
    type Waiting = Infallible;
}

/// An executor of our own.
enum Owned {}

impl task::Executor for Owned {
    const KIND: RuntimeKind = RuntimeKind::OwnedSmol;

    type Waiting = tasks::Waiting;

    fn wait(waker: &Waker) -> Option<tasks::Waiting> {
        tasks::wait(waker)
    }

    fn is_closed(waiting: Option<&tasks::Waiting>) -> bool {
        tasks::is_closed(waiting)
    }
}

/// Whether both are handles to one executor.
impl PartialEq for Smol {
    fn eq(&self, other: &Self) -> bool {
        match (self.threads(), other.threads()) {
            (Some(ours), Some(theirs)) => ours.ptr_eq(&theirs),
            (None, None) => true,
            _ => false,
        }
    }
}

impl Eq for Smol {}

impl Hash for Smol {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.threads().map(|threads| threads.as_ptr()).hash(state);
    }
}

/// async-executor 1.14 and our wrapper move a future some five times until it is where it stays: one of more bytes goes into a box
/// first, whose copies cost less than the allocation.
const LARGE: usize = 512;

impl SpawnBackend for Smol {
    fn execute(&self, task: BoxFuture) {
        drop(self.spawn(task));
    }

    fn execute_blocking(&self, job: BoxJob) {
        drop(self.spawn_blocking(job));
    }
}

impl Spawn for Smol {
    #[track_caller]
    fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if const { size_of::<F>() > LARGE } { self.start(Box::pin(future)) } else { self.start(future) }
    }

    #[track_caller]
    fn spawn_blocking<F, T>(&self, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let threads = match &self.executor {
            Executor::Global => {
                return task::spawn_blocking::<Global, _, _>(Number::next(), job, blocking::unblock);
            }
            Executor::Owned(threads) => Some(threads.clone()),
            Executor::Unowned(threads) => threads.upgrade(),
        };
        let Some(threads) = threads else { return spawn_gone(Number::next(), job) };
        task::spawn_blocking::<Owned, _, _>(Number::next(), job, |job| {
            threads.pool.spawn(async move { job.run() })
        })
    }
}

impl BlockOnBackend for Smol {
    #[track_caller]
    fn run_until<F: Future>(&self, future: F) -> F::Output {
        let (_scope, _working) = match self.threads() {
            None => (Scope::within(RuntimeKind::Smol), None),
            Some(threads) => (Scope::within(RuntimeKind::OwnedSmol), Some(Working::with(threads))),
        };
        exit::block_on(future, smol::block_on)
    }

    fn stop(&self, timeout: Duration) -> io::Result<ShutdownReport> {
        match &self.executor {
            Executor::Owned(threads) => Ok(threads.shutdown_timeout(timeout)),
            Executor::Global => Err(not_owned("the global executor of smol belongs to the process")),
            Executor::Unowned(_) => Err(not_owned("this handle was found and does not own its runtime")),
        }
    }
}

impl BlockOn for Smol {}

on_async_io!(Smol);

#[cfg(test)]
crate::conformance! {
    global: blocking::small_pool(Smol::global()),
        Capabilities::ALL.blocking_threads(blocking::SMALL_POOL)
            .without_parallelism("one thread by default")
            .without_ownership("it belongs to the process");
    one_thread: Smol::builder().single_threaded().blocking_threads(4).build().unwrap(),
        Capabilities::ALL.blocking_threads(4).without_parallelism("one thread runs all tasks");
    owned: Smol::builder().worker_threads(2).blocking_threads(4).build().unwrap(),
        Capabilities::ALL.blocking_threads(4);
    any_global: crate::AnyRuntime::from(blocking::small_pool(Smol::global())),
        Capabilities::ALL.blocking_threads(blocking::SMALL_POOL)
            .without_parallelism("one thread by default")
            .without_ownership("it belongs to the process");
    any_owned: crate::AnyRuntime::from(Smol::builder().worker_threads(2).blocking_threads(4).build().unwrap()),
        Capabilities::ALL.blocking_threads(4);
}

#[cfg(all(test, feature = "watch"))]
crate::conformance! {
    watched: crate::conformance::watch::quiet(Smol::builder().worker_threads(2).blocking_threads(4).build().unwrap().into()),
        Capabilities::ALL.blocking_threads(4);
}
