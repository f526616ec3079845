//! Custom runtimes: any [`Runtime`], behind an object-safe counterpart of the trait.

pub(crate) mod net;
pub(crate) mod time;
#[cfg(unix)]
mod unix;

use std::fmt;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime};

#[cfg(unix)]
use self::unix::ErasedUnix;
use super::within::Within;
use crate::AnyRuntime;
use crate::any::enter;
use crate::runtime::backend::{BlockOnBackend, BoxFuture, BoxJob, NetBackend, SpawnBackend};
use crate::runtime::net::{ConnectOptions, ListenOptions};
use crate::runtime::task::{Job, JoinHandle, Number, YieldNow, spawn_blocking_with, spawn_gone, spawn_with};
use crate::runtime::{
    self, BlockOn, Net, Runtime, ShutdownReport, Spawn, Time, not_owned, random_seed_of_the_system,
};

/// A custom runtime.
#[derive(Clone)]
pub(crate) struct Custom {
    runtime: Kept,
}

#[derive(Clone)]
enum Kept {
    Owned(Arc<dyn Erased>),
    /// A weak handle, which does not keep the runtime alive.
    Unowned(Weak<dyn Erased>),
}

/// What a method that is async returns.
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The object-safe twin of [`Runtime`]: what a backend has to implement, and what it may replace.
///
/// Written by hand: for the five methods that are async, the macro that boxes them would bring syn into the build of
/// everybody who has no runtime.
trait Erased: fmt::Debug + Send + Sync {
    fn execute(&self, task: BoxFuture);
    fn execute_blocking(&self, job: BoxJob);
    fn yield_now(&self) -> BoxFuture;
    fn random_seed(&self) -> u64;
    fn run_until(&self, future: Pin<&mut dyn Future<Output = ()>>);
    fn stop(&self, timeout: Duration) -> io::Result<ShutdownReport>;
    fn now(&self) -> Instant;
    fn system_time(&self) -> SystemTime;
    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn runtime::Sleep>>;
    fn finish_connect(&self, stream: std::net::TcpStream) -> Boxed<'_, io::Result<net::TcpStream>>;
    fn connect_addr<'a>(
        &'a self,
        addr: SocketAddr,
        options: &'a ConnectOptions,
    ) -> Boxed<'a, io::Result<net::TcpStream>>;
    fn adopt_tcp_stream(&self, stream: std::net::TcpStream) -> io::Result<net::TcpStream>;
    fn adopt_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<net::TcpListener>;
    fn adopt_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<net::UdpSocket>;
    fn bind_addr(&self, addr: SocketAddr, options: &ListenOptions) -> io::Result<net::TcpListener>;
    fn udp_bind_addr(&self, addr: SocketAddr) -> io::Result<net::UdpSocket>;
    fn resolve(&self, host: String, port: u16) -> Boxed<'_, io::Result<Vec<SocketAddr>>>;
    #[cfg(unix)]
    fn unix(&self) -> &dyn ErasedUnix;
}

impl<R: Runtime> Erased for R {
    fn execute(&self, task: BoxFuture) {
        SpawnBackend::execute(self, task);
    }

    fn execute_blocking(&self, job: BoxJob) {
        SpawnBackend::execute_blocking(self, job);
    }

    fn yield_now(&self) -> BoxFuture {
        Box::pin(Spawn::yield_now(self))
    }

    fn random_seed(&self) -> u64 {
        Spawn::random_seed(self)
    }

    fn run_until(&self, future: Pin<&mut dyn Future<Output = ()>>) {
        BlockOnBackend::run_until(self, future);
    }

    fn stop(&self, timeout: Duration) -> io::Result<ShutdownReport> {
        BlockOnBackend::stop(self, timeout)
    }

    fn now(&self) -> Instant {
        Time::now(self)
    }

    fn system_time(&self) -> SystemTime {
        Time::system_time(self)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn runtime::Sleep>> {
        Box::pin(Time::sleep_until(self, deadline))
    }

    fn finish_connect(&self, stream: std::net::TcpStream) -> Boxed<'_, io::Result<net::TcpStream>> {
        Box::pin(async move { NetBackend::finish_connect(self, stream).await.map(net::TcpStream::new) })
    }

    fn connect_addr<'a>(
        &'a self,
        addr: SocketAddr,
        options: &'a ConnectOptions,
    ) -> Boxed<'a, io::Result<net::TcpStream>> {
        Box::pin(async move { NetBackend::connect_addr(self, addr, options).await.map(net::TcpStream::new) })
    }

    fn adopt_tcp_stream(&self, stream: std::net::TcpStream) -> io::Result<net::TcpStream> {
        NetBackend::adopt_tcp_stream(self, stream).map(net::TcpStream::new)
    }

    fn adopt_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<net::TcpListener> {
        NetBackend::adopt_tcp_listener(self, listener).map(net::TcpListener::new)
    }

    fn bind_addr(&self, addr: SocketAddr, options: &ListenOptions) -> io::Result<net::TcpListener> {
        NetBackend::bind_addr(self, addr, options).map(net::TcpListener::new)
    }

    fn adopt_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<net::UdpSocket> {
        NetBackend::adopt_udp_socket(self, socket).map(net::UdpSocket::new)
    }

    fn udp_bind_addr(&self, addr: SocketAddr) -> io::Result<net::UdpSocket> {
        NetBackend::udp_bind_addr(self, addr).map(net::UdpSocket::new)
    }

    fn resolve(&self, host: String, port: u16) -> Boxed<'_, io::Result<Vec<SocketAddr>>> {
        Box::pin(NetBackend::resolve(self, host, port))
    }

    #[cfg(unix)]
    fn unix(&self) -> &dyn ErasedUnix {
        self
    }
}

impl Custom {
    pub(crate) fn new<R: Runtime>(runtime: R) -> Self {
        Self { runtime: Kept::Owned(Arc::new(runtime)) }
    }

    /// Returns a weak handle, which does not keep the runtime alive.
    pub(crate) fn unowned(&self) -> Self {
        let runtime = match &self.runtime {
            Kept::Owned(runtime) => Kept::Unowned(Arc::downgrade(runtime)),
            unowned => unowned.clone(),
        };
        Self { runtime }
    }

    /// Where it is: clones have this in common.
    fn place(&self) -> *const () {
        match &self.runtime {
            Kept::Owned(runtime) => Arc::as_ptr(runtime).cast(),
            Kept::Unowned(runtime) => runtime.as_ptr().cast(),
        }
    }

    /// The runtime, unless it is gone.
    fn get(&self) -> Option<Arc<dyn Erased>> {
        match &self.runtime {
            Kept::Owned(runtime) => Some(runtime.clone()),
            Kept::Unowned(runtime) => runtime.upgrade(),
        }
    }

    fn get_or_error(&self) -> io::Result<Arc<dyn Erased>> {
        self.get().ok_or_else(|| io::Error::other(GONE))
    }
}

/// What a handle says whose runtime has been dropped.
const GONE: &str = "anyrt: the runtime of this handle is gone";

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.get() {
            Some(runtime) => runtime.fmt(f),
            None => f.write_str(GONE),
        }
    }
}

impl PartialEq for Custom {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Hash for Custom {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.place().hash(state);
    }
}

impl From<Custom> for AnyRuntime {
    fn from(runtime: Custom) -> Self {
        Self::from_custom(runtime)
    }
}

impl SpawnBackend for Custom {
    fn execute(&self, task: BoxFuture) {
        // What a runtime that is gone cannot run is dropped.
        if let Some(runtime) = self.get() {
            runtime.execute(task);
        }
    }

    fn execute_blocking(&self, job: BoxJob) {
        if let Some(runtime) = self.get() {
            runtime.execute_blocking(job);
        }
    }
}

impl Spawn for Custom {
    #[track_caller]
    fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let Some(runtime) = self.get() else { return spawn_gone(Number::next(), future) };
        spawn_with(future, |task| runtime.execute(Box::pin(Within::new(self.unowned().into(), task))))
    }

    #[track_caller]
    fn spawn_blocking<F, T>(&self, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let Some(runtime) = self.get() else { return spawn_gone(Number::next(), job) };
        spawn_blocking_with(job, |job| {
            let job = Within::new(self.unowned().into(), job);
            runtime.execute_blocking(Box::new(move || job.call(Job::run)));
        })
    }

    fn yield_now(&self) -> impl Future<Output = ()> + Send + 'static {
        self.get().map_or_else(|| Box::pin(YieldNow::default()) as BoxFuture, |runtime| runtime.yield_now())
    }

    fn random_seed(&self) -> u64 {
        self.get().map_or_else(random_seed_of_the_system, |runtime| runtime.random_seed())
    }
}

impl BlockOnBackend for Custom {
    #[track_caller]
    fn run_until<F: Future>(&self, future: F) -> F::Output {
        let Some(runtime) = self.get() else { panic!("{GONE}") };
        let mut output = None;
        {
            runtime.run_until(pin!(async {
                // In here: it may stand on another runtime, which would be found otherwise.
                let _entered = enter(self.clone().into());
                output = Some(future.await);
            }));
        }
        match output {
            Some(output) => output,
            None => panic!("anyrt: `run_until` of {runtime:?} returned before its future was done"),
        }
    }

    fn stop(&self, timeout: Duration) -> io::Result<ShutdownReport> {
        match &self.runtime {
            Kept::Owned(runtime) => runtime.stop(timeout),
            Kept::Unowned(_) => Err(not_owned("this handle was found and does not own its runtime")),
        }
    }
}

impl BlockOn for Custom {}

impl Time for Custom {
    type Sleep = time::Sleep;

    fn now(&self) -> Instant {
        self.get().map_or_else(Instant::now, |runtime| runtime.now())
    }

    fn system_time(&self) -> SystemTime {
        self.get().map_or_else(SystemTime::now, |runtime| runtime.system_time())
    }

    fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
        match self.get() {
            Some(runtime) => time::Sleep::new(runtime.sleep_until(deadline)),
            None => time::Sleep::gone(deadline),
        }
    }
}

impl NetBackend for Custom {
    async fn finish_connect(&self, stream: std::net::TcpStream) -> io::Result<net::TcpStream> {
        self.get_or_error()?.finish_connect(stream).await
    }

    fn adopt_tcp_stream(&self, stream: std::net::TcpStream) -> io::Result<net::TcpStream> {
        self.get_or_error()?.adopt_tcp_stream(stream)
    }

    fn adopt_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<net::TcpListener> {
        self.get_or_error()?.adopt_tcp_listener(listener)
    }

    fn adopt_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<net::UdpSocket> {
        self.get_or_error()?.adopt_udp_socket(socket)
    }

    async fn connect_addr(&self, addr: SocketAddr, options: &ConnectOptions) -> io::Result<net::TcpStream> {
        self.get_or_error()?.connect_addr(addr, options).await
    }

    fn bind_addr(&self, addr: SocketAddr, options: &ListenOptions) -> io::Result<net::TcpListener> {
        self.get_or_error()?.bind_addr(addr, options)
    }

    fn udp_bind_addr(&self, addr: SocketAddr) -> io::Result<net::UdpSocket> {
        self.get_or_error()?.udp_bind_addr(addr)
    }

    async fn resolve(&self, host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
        self.get_or_error()?.resolve(host, port).await
    }
}

impl Net for Custom {
    type TcpStream = net::TcpStream;
    type TcpListener = net::TcpListener;
    type UdpSocket = net::UdpSocket;
}
