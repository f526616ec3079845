use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use super::TcpStream;
use crate::any::one_of::{OneOf, each};
use crate::backend::{AsyncIoListener, MaybeSim, MaybeTokio, custom};
use crate::current::find;
use crate::runtime::net::{Incoming, ListenOptions, ToSocketAddrs, bind};
use crate::runtime::{self, BoxFuture, Descriptor, Driver, Net, TcpListener as _};

type TokioListener = <MaybeTokio as Net>::TcpListener;
type SimListener = <MaybeSim as Net>::TcpListener;

/// A TCP socket that listens, whatever the runtime.
///
/// It stays with the runtime that made it and follows the rules of [`runtime::TcpListener`].
///
/// # Panics
///
/// It lends its descriptor (`AsFd`, `AsSocket`) on the runtimes that are compiled in; on one of your own whose sockets
/// are none of the system that panics, and `descriptor` is `None`.
///
/// # Examples
///
/// ```
/// use std::io;
///
/// use anyrt::net::TcpListener;
/// use futures::io::copy;
///
/// async fn echo() -> io::Result<()> {
///     let listener = TcpListener::bind("127.0.0.1:7000").await?;
///     loop {
///         let (stream, _peer) = listener.accept().await?;
///         drop(anyrt::spawn(async move {
///             let (read, mut write) = stream.into_split();
///             copy(read, &mut write).await
///         }));
///     }
/// }
/// ```
#[derive(Debug)]
pub struct TcpListener {
    inner: OneOf<TokioListener, AsyncIoListener, SimListener, custom::net::TcpListener>,
}

impl TcpListener {
    /// Listens on the current runtime; see [`Net::tcp_bind`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    ///
    /// Scenarios: `free_functions_find_the_runtime`.
    pub fn bind<A: ToSocketAddrs>(addr: A) -> impl Future<Output = io::Result<Self>> + Send {
        let (runtime, addrs) = (find(Driver::Io), addr.to_addrs());
        async move { bind(&runtime?, addrs, &ListenOptions::UNSET).await }
    }

    /// Listens on the current runtime, with options; see [`Net::tcp_bind_with`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    pub fn bind_with<A: ToSocketAddrs>(
        addr: A,
        options: &ListenOptions,
    ) -> impl Future<Output = io::Result<Self>> + Send {
        let (runtime, addrs) = (find(Driver::Io), addr.to_addrs());
        async move { bind(&runtime?, addrs, options).await }
    }

    /// Takes over a listening socket of the standard library; see [`Net::tcp_listener_from_std`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<Self> {
        find(Driver::Io)?.tcp_listener_from_std(listener)
    }

    /// See [`runtime::TcpListener::accept`].
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        match &self.inner {
            OneOf::Tokio { it } => it.accept().await.map(|(stream, peer)| (stream.into(), peer)),
            OneOf::AsyncIo { it } => it.accept().await.map(|(stream, peer)| (stream.into(), peer)),
            OneOf::Sim { it } => it.accept().await.map(|(stream, peer)| (stream.into(), peer)),
            OneOf::Custom { it } => it.accept().await.map(|(stream, peer)| (stream.into(), peer)),
        }
    }

    /// See [`runtime::TcpListener::poll_accept`].
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        each!(&self.inner, it => it.poll_accept(cx).map_ok(|(stream, peer)| (stream.into(), peer)))
    }

    /// See [`runtime::TcpListener::incoming`].
    pub fn incoming(&mut self) -> Incoming<'_, Self> {
        Incoming::new(self)
    }

    /// See [`runtime::TcpListener::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        each!(&self.inner, it => it.local_addr())
    }

    /// See [`runtime::TcpListener::ttl`].
    pub fn ttl(&self) -> io::Result<u32> {
        each!(&self.inner, it => it.ttl())
    }

    /// See [`runtime::TcpListener::set_ttl`].
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        each!(&self.inner, it => it.set_ttl(ttl))
    }

    /// See [`runtime::TcpListener::descriptor`].
    pub fn descriptor(&self) -> Option<Descriptor<'_>> {
        each!(&self.inner, it => it.descriptor())
    }

    /// See [`runtime::TcpListener::into_std`].
    pub fn into_std(self) -> io::Result<std::net::TcpListener> {
        each!(self.inner, it => it.into_std())
    }
}

#[allow(dead_code, reason = "without its backend nobody makes one")]
impl TcpListener {
    pub(crate) fn tokio(it: TokioListener) -> Self {
        Self { inner: OneOf::Tokio { it } }
    }

    pub(crate) fn async_io(it: AsyncIoListener) -> Self {
        Self { inner: OneOf::AsyncIo { it } }
    }

    pub(crate) fn sim(it: SimListener) -> Self {
        Self { inner: OneOf::Sim { it } }
    }

    pub(crate) fn into_tokio(self) -> Result<TokioListener, Self> {
        match self.inner {
            OneOf::Tokio { it } => Ok(it),
            inner => Err(Self { inner }),
        }
    }

    pub(crate) fn into_async_io(self) -> Result<AsyncIoListener, Self> {
        match self.inner {
            OneOf::AsyncIo { it } => Ok(it),
            inner => Err(Self { inner }),
        }
    }
}

impl From<custom::net::TcpListener> for TcpListener {
    fn from(it: custom::net::TcpListener) -> Self {
        Self { inner: OneOf::Custom { it } }
    }
}

impl runtime::TcpListener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        self.accept().await
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        self.poll_accept(cx)
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        each!(&self.inner, it => Box::pin(it.sleep(duration)) as BoxFuture)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.local_addr()
    }

    fn ttl(&self) -> io::Result<u32> {
        self.ttl()
    }

    fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.set_ttl(ttl)
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        self.descriptor()
    }

    fn into_std(self) -> io::Result<std::net::TcpListener> {
        self.into_std()
    }
}
