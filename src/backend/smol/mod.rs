//! smol: its global executor, or one of our own.

mod threads;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::os::unix::net as std_unix;
use std::sync::{Arc, Weak};
use std::time::Instant;

use self::threads::{Threads, Working};
use super::async_io::{net, task, time};
use crate::AnyRuntime;
use crate::context::{Home, Scope};
#[cfg(unix)]
use crate::runtime::UnixNet;
use crate::runtime::{BlockOn, BoxFuture, BoxJob, Net, Spawn, Time};
use crate::task::{JoinHandle, spawn_blocking_with, spawn_with};

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
    executor: Executor,
}

#[derive(Clone, Debug)]
enum Executor {
    Global,
    Owned(Arc<Threads>),
    /// A handle to one that somebody else owns.
    Unowned(Weak<Threads>),
}

impl Smol {
    /// The executor of `smol::spawn`: one thread, unless the environment variable `SMOL_THREADS` says otherwise.
    /// (When that says 0, tasks never run: smol 2.0.2.)
    pub fn global() -> Self {
        Self { executor: Executor::Global }
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
        Ok(Self { executor: Executor::Owned(Threads::start(threads)?) })
    }

    /// A handle that does not keep it alive.
    pub(crate) fn into_unowned(self) -> Self {
        match self.executor {
            Executor::Owned(threads) => Self { executor: Executor::Unowned(Arc::downgrade(&threads)) },
            executor => Self { executor },
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

impl Home for Smol {
    fn find() -> Option<AnyRuntime> {
        let executor = threads::here().map_or(Executor::Global, Executor::Unowned);
        Some(Self { executor }.into())
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

impl From<Smol> for AnyRuntime {
    fn from(runtime: Smol) -> Self {
        Self::from_smol(runtime)
    }
}

/// The runtime comes back when it is another one.
impl TryFrom<AnyRuntime> for Smol {
    type Error = AnyRuntime;

    fn try_from(runtime: AnyRuntime) -> Result<Self, AnyRuntime> {
        runtime.into_smol()
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
        match &self.executor {
            Executor::Global => task::spawn::<Self, _>(future, smol::spawn),
            Executor::Owned(threads) => task::spawn::<Self, _>(future, |task| threads.executor.spawn(task)),
            Executor::Unowned(threads) => match threads.upgrade() {
                Some(threads) => task::spawn::<Self, _>(future, |task| threads.executor.spawn(task)),
                None => spawn_with(future, drop),
            },
        }
    }

    #[track_caller]
    fn spawn_blocking<F, T>(&self, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        match &self.executor {
            Executor::Global => task::spawn_blocking::<Self, _, _>(job),
            Executor::Unowned(threads) if threads.strong_count() == 0 => spawn_blocking_with(job, drop),
            // The pool knows no executor.
            Executor::Owned(_) | Executor::Unowned(_) => {
                let threads = self.threads();
                task::spawn_blocking::<Self, _, _>(move || {
                    let _working = threads.map(Working::with);
                    job()
                })
            }
        }
    }
}

impl BlockOn for Smol {
    #[track_caller]
    fn run_until<F: Future>(&self, future: F) -> F::Output {
        let _scope = Scope::within::<Self>();
        let _working = self.threads().map(Working::with);
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
    type UdpSocket = net::UdpSocket;

    async fn connect_addr(&self, addr: SocketAddr) -> io::Result<Self::TcpStream> {
        net::connect(addr).await
    }

    fn tcp_stream_from_std(&self, stream: std::net::TcpStream) -> io::Result<Self::TcpStream> {
        net::TcpStream::from_std(&net::AsyncIo, stream)
    }

    fn tcp_listener_from_std(&self, listener: std::net::TcpListener) -> io::Result<Self::TcpListener> {
        net::TcpListener::from_std(&net::AsyncIo, listener)
    }

    fn udp_socket_from_std(&self, socket: std::net::UdpSocket) -> io::Result<Self::UdpSocket> {
        net::UdpSocket::from_std(&net::AsyncIo, socket)
    }
}

#[cfg(unix)]
impl UnixNet for Smol {
    type UnixStream = net::UnixStream;
    type UnixListener = net::UnixListener;
    type UnixDatagram = net::UnixDatagram;

    fn unix_stream_from_std(&self, stream: std_unix::UnixStream) -> io::Result<Self::UnixStream> {
        net::UnixStream::from_std(&net::AsyncIo, stream)
    }

    fn unix_listener_from_std(&self, listener: std_unix::UnixListener) -> io::Result<Self::UnixListener> {
        net::UnixListener::from_std(&net::AsyncIo, listener)
    }

    fn unix_datagram_from_std(&self, socket: std_unix::UnixDatagram) -> io::Result<Self::UnixDatagram> {
        net::UnixDatagram::from_std(&net::AsyncIo, socket)
    }
}

#[cfg(test)]
crate::conformance! {
    global: task::small_pool(Smol::global()),
        Capabilities::ALL.blocking_threads(task::SMALL_POOL)
            .without_parallelism("one thread by default")
            .without_ownership("it belongs to the process");
    owned: task::small_pool(Smol::with_threads(2).unwrap()), Capabilities::ALL.blocking_threads(task::SMALL_POOL);
    any_global: AnyRuntime::from(task::small_pool(Smol::global())),
        Capabilities::ALL.blocking_threads(task::SMALL_POOL)
            .without_parallelism("one thread by default")
            .without_ownership("it belongs to the process");
    any_owned: AnyRuntime::from(task::small_pool(Smol::with_threads(2).unwrap())),
        Capabilities::ALL.blocking_threads(task::SMALL_POOL);
}
