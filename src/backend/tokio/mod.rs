//! tokio: a handle to an existing runtime, or an owned runtime.

mod clock;
pub(crate) mod context;
mod net;
mod owned;
mod threads;
mod time;

use std::cell::Cell;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::io;
#[cfg(unix)]
use std::os::unix::net as std_unix;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{EnterGuard, Handle, Runtime};

use self::clock::Clock;
use self::owned::Owned;
use self::threads::Threads;
#[cfg(unix)]
use crate::runtime::UnixNet;
use crate::runtime::backend::{BlockOnBackend, BoxFuture, BoxJob, NetBackend, SpawnBackend};
#[cfg(unix)]
use crate::runtime::backend::{UnixNetBackend, WatchFd};
use crate::runtime::builder::Builder;
use crate::runtime::task::JoinHandle;
use crate::runtime::task::catch_panic::catch_panic;
use crate::runtime::{BlockOn, Net, ShutdownReport, Spawn, Time, not_owned};
use crate::runtime::{Driver, NoRuntime};
use crate::thread::exit;
use crate::thread::scope::{nested_block_on, shutdown_in_async_code};
use crate::thread::{RuntimeKind, Scope};

/// tokio: a [`Handle`] to an existing runtime, or an owned runtime.
///
/// A runtime of flavour `current_thread` must be driven by its owner, in `block_on`; otherwise its tasks, timers and
/// sockets make no progress.
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

impl Tokio {
    /// Creates an owned multi-threaded runtime with one worker per core and all drivers on.
    ///
    /// # Errors
    ///
    /// If the system has no descriptors or cannot start the threads.
    pub fn new() -> io::Result<Self> {
        Self::builder().build()
    }

    /// Returns a builder of an owned runtime: number of threads, and their names.
    pub fn builder() -> Builder<Self> {
        Builder::new()
    }

    /// A runtime of our own of flavour `current_thread`, with all drivers on.
    pub(crate) fn current_thread() -> io::Result<Self> {
        Self::builder().single_threaded().build()
    }

    fn own(runtime: Runtime, threads: Option<Arc<Threads>>) -> Self {
        let handle = runtime.handle().clone();
        Self { handle, owned: Some(Arc::new(Owned::new(runtime, threads))) }
    }

    /// Returns the tokio runtime whose context this thread is in.
    ///
    /// # Panics
    ///
    /// If the thread is in no tokio context.
    #[track_caller]
    pub fn current() -> Self {
        match Self::try_current() {
            Some(runtime) => runtime,
            None => panic!(
                "anyrt: this thread is in no tokio runtime. Call `anyrt::Tokio::current()` inside `#[tokio::main]` or \
                 a tokio task, or pass a runtime along: `anyrt::Tokio::from(handle)`, `anyrt::Tokio::new()?`."
            ),
        }
    }

    /// Returns the tokio runtime whose context this thread is in, if any.
    pub fn try_current() -> Option<Self> {
        Handle::try_current().ok().map(Self::from)
    }

    /// Returns a weak handle, which does not keep the runtime alive.
    pub(crate) fn unowned(&self) -> Self {
        Self { handle: self.handle.clone(), owned: None }
    }

    /// Enters its context, unless this thread is in it: entering costs more than asking.
    #[inline]
    fn context(&self) -> Result<Option<EnterGuard<'_>>, ContextGone> {
        match Handle::try_current() {
            Ok(current) if current.id() == self.handle.id() => Ok(None),
            Err(error) if error.is_thread_local_destroyed() => Err(ContextGone),
            _ => Ok(Some(self.handle.enter())),
        }
    }

    /// Makes something in its context.
    #[inline]
    fn within<T: Send + 'static>(&self, make: impl FnOnce() -> T + Send + 'static) -> T {
        match self.context() {
            Ok(_context) => make(),
            Err(ContextGone) => self.elsewhere(make),
        }
    }

    /// In its context on a thread that has one.
    #[cold]
    fn elsewhere<T: Send + 'static>(&self, make: impl FnOnce() -> T + Send + 'static) -> T {
        let handle = self.handle.clone();
        let made = thread::spawn(move || {
            let _context = handle.enter();
            make()
        });
        made.join().unwrap_or_else(|payload| resume_unwind(payload))
    }

    /// tokio panics where a socket is made and its driver is off.
    fn io(&self) -> io::Result<()> {
        if is_context_gone() {
            return Err(io::Error::other(NO_SOCKETS));
        }
        if self.has(Driver::Io) {
            Ok(())
        } else {
            Err(NoRuntime::driver_is_off(Driver::Io).without_place().into())
        }
    }

    /// Whether tokio would take this thread for one that drives async code: it has no way to ask, but refuses `block_on`.
    fn is_driving(&self) -> bool {
        !is_ending() && catch_panic(|| self.handle.block_on(async {})).is_err()
    }

    /// `block_on` on such a thread, where no runtime is driven.
    #[cold]
    fn block_on_ending<F: Future>(&self, future: F) -> F::Output {
        let _context = self.context();
        let _driven = self.owned.as_ref().and_then(owned::drive_elsewhere);
        exit::block_on_bare(future)
    }
}

/// The context of tokio is a thread-local, which is gone on a thread that ends.
struct ContextGone;

fn is_context_gone() -> bool {
    Handle::try_current().is_err_and(|error| error.is_thread_local_destroyed())
}

/// What is said where a socket would need it.
const NO_SOCKETS: &str =
    "anyrt: a tokio socket cannot be created on a thread whose thread-locals are destroyed";

/// Whether `block_on` of tokio may panic because the thread-locals are gone that it needs.
fn is_ending() -> bool {
    exit::locals_may_be_gone() || is_context_gone()
}

/// Whether both are handles to one runtime.
impl PartialEq for Tokio {
    fn eq(&self, other: &Self) -> bool {
        self.handle.id() == other.handle.id()
    }
}

impl Eq for Tokio {}

impl Hash for Tokio {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.handle.id().hash(state);
    }
}

impl From<Handle> for Tokio {
    fn from(handle: Handle) -> Self {
        Self { handle, owned: None }
    }
}

impl From<Runtime> for Tokio {
    fn from(runtime: Runtime) -> Self {
        Self::own(runtime, None)
    }
}

/// tokio 1.54 copies a future some eight times until it is where it stays (`task/core.rs`, `Stage`): one of more bytes goes
/// into a box first, whose copies cost less than the allocation. It does so itself from 16 KiB on.
const LARGE: usize = 256;

impl SpawnBackend for Tokio {
    fn execute(&self, task: BoxFuture) {
        drop(self.handle.spawn(task));
    }

    fn execute_blocking(&self, job: BoxJob) {
        drop(self.handle.spawn_blocking(job));
    }
}

impl Spawn for Tokio {
    #[track_caller]
    fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let task = if const { size_of::<F>() > LARGE } {
            self.handle.spawn(Box::pin(future))
        } else {
            self.handle.spawn(future)
        };
        JoinHandle::from_tokio(task.into())
    }

    #[track_caller]
    fn spawn_blocking<F, T>(&self, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let counter = self.owned.as_ref().and_then(|owned| owned.counter());
        JoinHandle::from_tokio(self.handle.spawn_blocking(|| threads::count(counter, job)).into())
    }

    fn yield_now(&self) -> impl Future<Output = ()> + Send + 'static {
        // tokio's own: it also gives the I/O driver a turn.
        tokio::task::yield_now()
    }
}

impl BlockOnBackend for Tokio {
    #[track_caller]
    fn run_until<F: Future>(&self, future: F) -> F::Output {
        let _scope = Scope::within(RuntimeKind::Tokio);
        if is_ending() {
            return self.block_on_ending(future);
        }
        let _noted = exit::Noted;
        let started = Cell::new(false);
        let future = async {
            started.set(true);
            future.await
        };
        let run = || match &self.owned {
            Some(owned) => owned.block_on(future),
            None => self.handle.block_on(future),
        };
        match catch_panic(run) {
            Ok(output) => output,
            // tokio 1.54 refuses to nest before it polls the future (`context/runtime.rs`), and has no way to ask.
            Err(_) if !started.get() => nested_block_on(),
            Err(payload) => resume_unwind(payload),
        }
    }

    fn stop(&self, timeout: Duration) -> io::Result<ShutdownReport> {
        // tokio's tasks are not wrapped, so it has to be asked whether this is one.
        if self.is_driving() {
            shutdown_in_async_code();
        }
        match &self.owned {
            Some(owned) => Ok(owned.shutdown_timeout(timeout)),
            None => Err(not_owned("this is a handle to a runtime of tokio that somebody else owns")),
        }
    }
}

impl BlockOn for Tokio {}

impl Time for Tokio {
    type Sleep = time::Sleep;

    fn now(&self) -> Instant {
        Clock::of(&self.handle).now()
    }

    fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
        let clock = Clock::of(&self.handle);
        self.within(move || time::Sleep::new(clock, deadline))
    }
}

impl NetBackend for Tokio {
    async fn finish_connect(&self, stream: std::net::TcpStream) -> io::Result<net::TcpStream> {
        self.io()?;
        net::TcpStream::finish_connect(&self.handle, stream).await
    }

    fn adopt_tcp_stream(&self, stream: std::net::TcpStream) -> io::Result<net::TcpStream> {
        self.io()?;
        let _context = self.handle.enter();
        net::TcpStream::from_std(stream)
    }

    fn adopt_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<net::TcpListener> {
        self.io()?;
        net::TcpListener::from_std(&self.handle, listener)
    }

    fn adopt_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<net::UdpSocket> {
        self.io()?;
        let _context = self.handle.enter();
        net::UdpSocket::from_std(socket)
    }
}

impl Net for Tokio {
    type TcpStream = net::TcpStream;
    type TcpListener = net::TcpListener;
    type UdpSocket = net::UdpSocket;
}

#[cfg(unix)]
impl UnixNetBackend for Tokio {
    fn adopt_unix_stream(&self, stream: std_unix::UnixStream) -> io::Result<net::UnixStream> {
        self.io()?;
        let _context = self.handle.enter();
        net::UnixStream::from_std(stream)
    }

    fn adopt_unix_listener(&self, listener: std_unix::UnixListener) -> io::Result<net::UnixListener> {
        self.io()?;
        net::UnixListener::from_std(&self.handle, listener)
    }

    fn adopt_unix_datagram(&self, socket: std_unix::UnixDatagram) -> io::Result<net::UnixDatagram> {
        self.io()?;
        net::UnixDatagram::from_std(&self.handle, socket)
    }

    fn watch_fd(&self, fd: std::os::fd::OwnedFd) -> io::Result<Box<dyn WatchFd>> {
        self.io()?;
        let _context = self.handle.enter();
        Ok(Box::new(net::Watch::new(fd)?))
    }
}

#[cfg(unix)]
impl UnixNet for Tokio {
    type UnixStream = net::UnixStream;
    type UnixListener = net::UnixListener;
    type UnixDatagram = net::UnixDatagram;
}

#[cfg(test)]
fn one_thread() -> Tokio {
    Tokio::builder().single_threaded().blocking_threads(4).build().unwrap()
}

#[cfg(test)]
crate::conformance! {
    multi_thread: Tokio::builder().worker_threads(2).blocking_threads(4).build().unwrap(),
        Capabilities::ALL.blocking_threads(4);
    current_thread: one_thread(),
        Capabilities::ALL.blocking_threads(4).without_workers("one thread does everything");
    any_multi_thread: crate::AnyRuntime::from(Tokio::builder().worker_threads(2).blocking_threads(4).build().unwrap()),
        Capabilities::ALL.blocking_threads(4);
    any_current_thread: crate::AnyRuntime::from(one_thread()),
        Capabilities::ALL.blocking_threads(4).without_workers("one thread does everything");
    wrapped: crate::AnyRuntime::from(Tokio::builder().worker_threads(2).blocking_threads(4).build().unwrap())
        .wrap_tasks(|_| |step: &mut dyn FnMut()| step()),
        Capabilities::ALL.blocking_threads(4);
}

#[cfg(all(test, feature = "watch"))]
crate::conformance! {
    watched: crate::conformance::watch::quiet(Tokio::builder().worker_threads(2).blocking_threads(4).build().unwrap().into()),
        Capabilities::ALL.blocking_threads(4);
    watched_current_thread: crate::conformance::watch::quiet(one_thread().into()),
        Capabilities::ALL.blocking_threads(4).without_workers("one thread does everything");
}
