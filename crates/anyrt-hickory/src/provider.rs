//! What hickory asks of a runtime: tasks, a clock, and sockets.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyrt::net::ConnectOptions;
use anyrt::{AnyRuntime, Net, Time};
use async_trait::async_trait;
use futures_io::{AsyncRead, AsyncWrite, IoSlice, IoSliceMut};
use hickory_resolver::net::runtime::{self, DnsTcpStream, DnsUdpSocket, RuntimeProvider};

/// Runtime provider for hickory: pass it to a [`hickory_resolver::Resolver`] or a client of `hickory-net`.
///
/// Tasks and sockets are those of the provider's runtime. The clock of hickory is not: see [`Clock`].
///
/// # Examples
///
/// ```
/// use anyrt_hickory::Provider;
/// use anyrt_hickory::hickory_resolver::config::{GOOGLE, ResolverConfig};
/// use anyrt_hickory::hickory_resolver::{Resolver, net::NetError};
///
/// fn google() -> Result<Resolver<Provider>, NetError> {
///     let config = ResolverConfig::udp_and_tcp(&GOOGLE);
///     Resolver::builder_with_config(config, Provider::current()).build()
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Provider {
    runtime: AnyRuntime,
}

impl Provider {
    /// Returns the provider of the current runtime.
    ///
    /// # Panics
    ///
    /// If no runtime is current; the message says what to write.
    #[track_caller]
    pub fn current() -> Self {
        Self::on(AnyRuntime::current())
    }

    /// Returns the provider of the given runtime.
    pub fn on(runtime: impl Into<AnyRuntime>) -> Self {
        Self { runtime: runtime.into() }
    }
}

impl RuntimeProvider for Provider {
    type Handle = Self;
    type Timer = Clock;
    type Udp = UdpSocket;
    type Tcp = TcpStream;

    fn create_handle(&self) -> Self {
        self.clone()
    }

    fn connect_tcp(
        &self,
        server: SocketAddr,
        local: Option<SocketAddr>,
        timeout: Option<Duration>,
    ) -> Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>> {
        let runtime = self.runtime.clone();
        let mut options = ConnectOptions::new().nodelay(true).timeout(timeout.unwrap_or(CONNECT_TIMEOUT));
        if let Some(local) = local {
            options = options.local_addr(local);
        }
        Box::pin(async move { Ok(TcpStream { inner: runtime.tcp_connect_with(server, &options).await? }) })
    }

    fn bind_udp(
        &self,
        local: SocketAddr,
        _server: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = io::Result<UdpSocket>> + Send>> {
        let runtime = self.runtime.clone();
        Box::pin(async move { Ok(UdpSocket { inner: runtime.udp_bind(local).await? }) })
    }
}

/// That of hickory-net 0.26.3, which is private (`CONNECT_TIMEOUT` in `xfer/mod.rs`).
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

impl runtime::Spawn for Provider {
    /// The task ends when nobody is left to ask it for anything.
    fn spawn_bg(&mut self, future: impl Future<Output = ()> + Send + 'static) {
        drop(self.runtime.spawn(future));
    }
}

/// Clock for hickory. Its functions take no runtime, so they use the current one.
///
/// hickory calls them when a look-up or one of its tasks is polled. In a task or a `block_on` of anyrt a runtime is
/// current; under another executor you must enter one. [`Resolver`](crate::Resolver) does that for each of its
/// look-ups.
///
/// # Panics
///
/// If no runtime is current during a look-up.
#[derive(Clone, Copy, Debug)]
pub struct Clock;

#[async_trait]
impl runtime::Time for Clock {
    async fn delay_for(duration: Duration) {
        AnyRuntime::current().sleep(duration).await;
    }

    async fn timeout<F>(duration: Duration, future: F) -> io::Result<F::Output>
    where
        F: Future + Send + 'static,
    {
        let timeout = AnyRuntime::current().timeout(duration, future).await;
        timeout.map_err(|elapsed| io::Error::new(io::ErrorKind::TimedOut, elapsed))
    }

    fn current_time() -> u64 {
        let now = AnyRuntime::try_current().map_or_else(|_| SystemTime::now(), |here| here.system_time());
        now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
    }
}

/// A UDP socket of the runtime of a [`Provider`].
#[derive(Debug)]
pub struct UdpSocket {
    inner: anyrt::net::UdpSocket,
}

impl DnsUdpSocket for UdpSocket {
    type Time = Clock;

    fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.inner.poll_recv_from(cx, buf)
    }

    fn poll_send_to(&self, cx: &mut Context<'_>, buf: &[u8], target: SocketAddr) -> Poll<io::Result<usize>> {
        self.inner.poll_send_to(cx, buf, target)
    }
}

/// A TCP stream of the runtime of a [`Provider`].
#[derive(Debug)]
pub struct TcpStream {
    inner: anyrt::net::TcpStream,
}

impl DnsTcpStream for TcpStream {
    type Time = Clock;
}

impl AsyncRead for TcpStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }

    fn poll_read_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_read_vectored(cx, bufs)
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}
