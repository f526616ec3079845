//! tokio: a handle to a runtime of the application's, or a runtime of our own.

pub(crate) mod context;
mod net;
pub(crate) mod task;
mod time;

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::os::unix::net as std_unix;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::AnyRuntime;
use crate::context::{Scope, nested_block_on};
use crate::current::{Driver, NoRuntime};
#[cfg(unix)]
use crate::runtime::UnixNet;
use crate::runtime::{BlockOn, BoxFuture, BoxJob, Net, Spawn, Time};
use crate::task::JoinHandle;
use crate::task::contain::contain;

/// tokio: a [`Handle`] to a runtime that somebody else owns, or one of our own.
///
/// A runtime of flavour `current_thread` must be driven by its owner, in `block_on`; until then its tasks,
/// timers and sockets stand still.
///
/// # Examples
///
/// ```
/// use anyrt::{BlockOn, Spawn, Tokio};
///
/// let runtime = Tokio::new()?;
/// let answer = runtime.block_on(async { runtime.spawn(async { 42 }).await })?;
/// assert_eq!(answer, 42);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tokio {
    handle: Handle,
    owned: Option<Arc<Owned>>,
}

#[derive(Debug)]
struct Owned {
    // Empty only while it is dropped.
    runtime: Option<Runtime>,
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A plain drop panics inside async code and waits for blocking closures.
            runtime.shutdown_background();
        }
    }
}

impl Tokio {
    /// A multi-threaded runtime of our own, with one worker per core and all drivers on.
    ///
    /// # Errors
    ///
    /// When the system gives no descriptors for it.
    ///
    /// # Panics
    ///
    /// tokio's own: when the system gives no threads, and when the environment variable `TOKIO_WORKER_THREADS` is
    /// no positive number.
    pub fn new() -> io::Result<Self> {
        Builder::new_multi_thread().enable_all().build().map(Self::from)
    }

    /// The runtime that this thread is in.
    ///
    /// # Panics
    ///
    /// When it is in none.
    #[track_caller]
    pub fn current() -> Self {
        match Self::try_current() {
            Some(runtime) => runtime,
            None => panic!(
                "anyrt: this thread is in no tokio runtime. Call `Tokio::current()` inside `#[tokio::main]` or \
                 a tokio task, or pass a runtime along: `Tokio::from(handle)`, `Tokio::new()?`."
            ),
        }
    }

    /// The runtime that this thread is in, if any.
    pub fn try_current() -> Option<Self> {
        Handle::try_current().ok().map(Self::from)
    }

    /// A handle that does not keep it alive.
    pub(crate) fn into_unowned(self) -> Self {
        Self { owned: None, ..self }
    }

    /// tokio panics where a socket is made and its driver is off.
    fn io(&self) -> io::Result<()> {
        if self.has(Driver::Io) { Ok(()) } else { Err(NoRuntime::driver_is_off(Driver::Io).into()) }
    }
}

/// Whether both are handles to one runtime.
impl PartialEq for Tokio {
    fn eq(&self, other: &Self) -> bool {
        self.handle.id() == other.handle.id()
    }
}

impl Eq for Tokio {}

impl From<Tokio> for AnyRuntime {
    fn from(runtime: Tokio) -> Self {
        Self::from_tokio(runtime)
    }
}

/// The runtime comes back when it is another one.
impl TryFrom<AnyRuntime> for Tokio {
    type Error = AnyRuntime;

    fn try_from(runtime: AnyRuntime) -> Result<Self, AnyRuntime> {
        runtime.into_tokio()
    }
}

impl From<Handle> for Tokio {
    fn from(handle: Handle) -> Self {
        Self { handle, owned: None }
    }
}

impl From<Runtime> for Tokio {
    fn from(runtime: Runtime) -> Self {
        let handle = runtime.handle().clone();
        Self { handle, owned: Some(Arc::new(Owned { runtime: Some(runtime) })) }
    }
}

impl Spawn for Tokio {
    fn execute(&self, task: BoxFuture) {
        drop(self.handle.spawn(task));
    }

    fn execute_blocking(&self, job: BoxJob) {
        drop(self.handle.spawn_blocking(job));
    }

    #[track_caller]
    fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        JoinHandle::from_tokio(self.handle.spawn(future).into())
    }

    #[track_caller]
    fn spawn_blocking<F, T>(&self, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        JoinHandle::from_tokio(self.handle.spawn_blocking(job).into())
    }

    fn yield_now(&self) -> impl Future<Output = ()> + Send + 'static {
        // tokio's own: it also gives the I/O driver a turn.
        tokio::task::yield_now()
    }
}

impl BlockOn for Tokio {
    #[track_caller]
    fn run_until<F: Future>(&self, future: F) -> F::Output {
        let _scope = Scope::within::<Self>();
        let started = Cell::new(false);
        let future = async {
            started.set(true);
            future.await
        };
        // Only the runtime itself drives a `current_thread` one; a handle would wait for somebody who does.
        let run = || match self.owned.as_deref() {
            Some(Owned { runtime: Some(runtime) }) => runtime.block_on(future),
            _ => self.handle.block_on(future),
        };
        match contain(run) {
            Ok(output) => output,
            // tokio 1.54 refuses to nest before it polls the future (`context/runtime.rs`), and has no way to ask.
            Err(_) if !started.get() => nested_block_on(),
            Err(payload) => resume_unwind(payload),
        }
    }
}

impl Time for Tokio {
    type Sleep = time::Sleep;

    fn now(&self) -> Instant {
        // Entered, because a paused clock belongs to its runtime.
        let _context = self.handle.enter();
        tokio::time::Instant::now().into_std()
    }

    fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
        let _context = self.handle.enter();
        time::Sleep::new(deadline)
    }
}

impl Net for Tokio {
    type TcpStream = net::TcpStream;
    type TcpListener = net::TcpListener;
    type UdpSocket = net::UdpSocket;

    async fn connect_addr(&self, addr: SocketAddr) -> io::Result<Self::TcpStream> {
        self.io()?;
        net::TcpStream::connect(&self.handle, addr).await
    }

    fn tcp_stream_from_std(&self, stream: std::net::TcpStream) -> io::Result<Self::TcpStream> {
        self.io()?;
        let _context = self.handle.enter();
        net::TcpStream::from_std(stream)
    }

    fn tcp_listener_from_std(&self, listener: std::net::TcpListener) -> io::Result<Self::TcpListener> {
        self.io()?;
        net::TcpListener::from_std(&self.handle, listener)
    }

    fn udp_socket_from_std(&self, socket: std::net::UdpSocket) -> io::Result<Self::UdpSocket> {
        self.io()?;
        let _context = self.handle.enter();
        net::UdpSocket::from_std(socket)
    }
}

#[cfg(unix)]
impl UnixNet for Tokio {
    type UnixStream = net::UnixStream;
    type UnixListener = net::UnixListener;
    type UnixDatagram = net::UnixDatagram;

    fn unix_stream_from_std(&self, stream: std_unix::UnixStream) -> io::Result<Self::UnixStream> {
        self.io()?;
        let _context = self.handle.enter();
        net::UnixStream::from_std(stream)
    }

    fn unix_listener_from_std(&self, listener: std_unix::UnixListener) -> io::Result<Self::UnixListener> {
        self.io()?;
        net::UnixListener::from_std(&self.handle, listener)
    }

    fn unix_datagram_from_std(&self, socket: std_unix::UnixDatagram) -> io::Result<Self::UnixDatagram> {
        self.io()?;
        net::UnixDatagram::from_std(&self.handle, socket)
    }
}

#[cfg(test)]
crate::conformance! {
    multi_thread: Builder::new_multi_thread().enable_all().max_blocking_threads(4).build().map(Tokio::from).unwrap(),
        Capabilities::ALL.blocking_threads(4);
    current_thread: Builder::new_current_thread().enable_all().max_blocking_threads(4).build().map(Tokio::from).unwrap(),
        Capabilities::ALL.blocking_threads(4).without_workers("one thread does everything");
    any_multi_thread: Builder::new_multi_thread().enable_all().max_blocking_threads(4).build().map(Tokio::from).map(AnyRuntime::from).unwrap(),
        Capabilities::ALL.blocking_threads(4);
    any_current_thread: Builder::new_current_thread().enable_all().max_blocking_threads(4).build().map(Tokio::from).map(AnyRuntime::from).unwrap(),
        Capabilities::ALL.blocking_threads(4).without_workers("one thread does everything");
}
