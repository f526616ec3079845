//! smol: its global executor, or one of our own.

mod threads;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use self::threads::Threads;
use super::async_io::{net, task, time};
use crate::runtime::{BlockOn, BoxFuture, BoxJob, Net, Spawn, Time};
use crate::task::JoinHandle;

/// smol: the global executor of the process, or one of our own with threads of its own.
///
/// Timers, sockets and the pool for blocking closures belong to the process; only tasks belong to an executor.
///
/// The last clone of an owned one stops its threads; the global executor is never stopped.
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
    owned: Option<Arc<Threads>>,
}

impl Smol {
    /// The executor of `smol::spawn`: one thread, unless the environment variable `SMOL_THREADS` says otherwise.
    /// (When that says 0, tasks never run: smol 2.0.2.)
    pub fn global() -> Self {
        Self { owned: None }
    }

    /// An executor of our own, with one thread per core.
    ///
    /// # Errors
    ///
    /// When the system gives no threads for it.
    pub fn new() -> io::Result<Self> {
        Self::with_threads(std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// An executor of our own, with so many threads.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for none; the system's when it gives no threads for it.
    pub fn with_threads(threads: usize) -> io::Result<Self> {
        Ok(Self { owned: Some(Arc::new(Threads::start(threads)?)) })
    }
}

impl Spawn for Smol {
    fn execute(&self, task: BoxFuture) {
        drop(self.spawn(task));
    }

    fn execute_blocking(&self, job: BoxJob) {
        drop(self.spawn_blocking(job));
    }

    #[track_caller]
    fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        task::spawn(future, |future| match &self.owned {
            Some(threads) => threads.executor.spawn(future),
            None => smol::spawn(future),
        })
    }

    #[track_caller]
    fn spawn_blocking<F, T>(&self, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        task::spawn_blocking(job)
    }
}

impl BlockOn for Smol {
    #[track_caller]
    fn run_until<F: Future>(&self, future: F) -> F::Output {
        smol::block_on(future)
    }
}

impl Time for Smol {
    type Sleep = time::Sleep;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
        time::Sleep::new(deadline)
    }
}

impl Net for Smol {
    type TcpStream = net::TcpStream;
    type TcpListener = net::TcpListener;

    async fn connect_addr(&self, addr: SocketAddr) -> io::Result<Self::TcpStream> {
        net::connect(addr).await
    }

    fn tcp_stream_from_std(&self, stream: std::net::TcpStream) -> io::Result<Self::TcpStream> {
        net::TcpStream::from_std(&net::AsyncIo, stream)
    }

    fn tcp_listener_from_std(&self, listener: std::net::TcpListener) -> io::Result<Self::TcpListener> {
        net::TcpListener::from_std(&net::AsyncIo, listener)
    }
}

#[cfg(test)]
crate::conformance! {
    global: task::small_pool(Smol::global()),
        Capabilities::ALL.blocking_threads(task::SMALL_POOL)
            .without_parallelism("one thread by default")
            .without_ownership("it belongs to the process");
    owned: task::small_pool(Smol::with_threads(2).unwrap()), Capabilities::ALL.blocking_threads(task::SMALL_POOL);
}
