use std::future::Future;
use std::io;
use std::os::unix::net::{self as std_unix, SocketAddr};
use std::path::Path;
use std::task::{Context, Poll};
use std::time::Duration;

use super::{convert, io_traits};
use crate::any::custom;
use crate::any::one_of::{OneOf, each};
use crate::backend::{AsyncIoUnixDatagram, AsyncIoUnixListener, AsyncIoUnixStream, MaybeSim, MaybeTokio};
use crate::current::find;
use crate::runtime::Driver;
use crate::runtime::net::family::{Listener, Stream, Unix};
use crate::runtime::net::path::Incoming;
use crate::runtime::{self, Descriptor, UnixNet};

type TokioStream = <MaybeTokio as UnixNet>::UnixStream;
type TokioListener = <MaybeTokio as UnixNet>::UnixListener;
type TokioDatagram = <MaybeTokio as UnixNet>::UnixDatagram;
type SimStream = <MaybeSim as UnixNet>::UnixStream;
type SimListener = <MaybeSim as UnixNet>::UnixListener;
type SimDatagram = <MaybeSim as UnixNet>::UnixDatagram;
type AnyStream = OneOf<TokioStream, AsyncIoUnixStream, SimStream, custom::net::UnixStream>;

/// A connection over a Unix socket, whatever the runtime, with the I/O traits of `futures`.
///
/// It stays with the runtime that made it and follows the rules of [`runtime::UnixStream`].
///
/// # Panics
///
/// As a [`TcpStream`](super::TcpStream), where it lends a descriptor that it does not have.
///
/// # Examples
///
/// ```
/// use std::io;
///
/// use anyrt::net::UnixStream;
/// use futures::io::AsyncWriteExt;
///
/// async fn greet() -> io::Result<()> {
///     let mut stream = UnixStream::connect("/run/server.sock").await?;
///     stream.write_all(b"hello").await?;
///     stream.close().await
/// }
/// ```
#[derive(Debug)]
pub struct UnixStream {
    inner: AnyStream,
}

impl UnixStream {
    /// Connects on the current runtime; see [`UnixNet::unix_connect`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    ///
    /// Scenarios: `unix_without_a_handle`.
    pub fn connect<P: AsRef<Path>>(path: P) -> impl Future<Output = io::Result<Self>> + Send + use<P> {
        let (runtime, path) = (find(Driver::Io), path.as_ref().to_owned());
        async move { runtime?.unix_connect_path(path).await }
    }

    /// Two that are connected with each other, on the current runtime; see [`UnixNet::unix_pair`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    pub fn pair() -> io::Result<(Self, Self)> {
        find(Driver::Io)?.unix_pair()
    }

    /// Takes over a connection of the standard library; see [`UnixNet::unix_stream_from_std`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    pub fn from_std(stream: std_unix::UnixStream) -> io::Result<Self> {
        find(Driver::Io)?.unix_stream_from_std(stream)
    }

    /// See [`runtime::UnixStream::split_mut`].
    pub fn split_mut(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        let (read, write) = Stream::<Unix>::split_mut(&mut self.inner);
        (ReadHalf { inner: read }, WriteHalf { inner: write })
    }

    /// See [`runtime::UnixStream::into_split`].
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        let (read, write) = Stream::<Unix>::into_split(self.inner);
        (OwnedReadHalf { inner: read }, OwnedWriteHalf { inner: write })
    }

    /// See [`runtime::UnixStream::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Stream::<Unix>::local_addr(&self.inner)
    }

    /// See [`runtime::UnixStream::peer_addr`].
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        Stream::<Unix>::peer_addr(&self.inner)
    }

    /// See [`runtime::UnixStream::descriptor`].
    pub fn descriptor(&self) -> Option<Descriptor<'_>> {
        Stream::<Unix>::descriptor(&self.inner)
    }

    /// See [`runtime::UnixStream::into_std`].
    pub fn into_std(self) -> io::Result<std_unix::UnixStream> {
        Stream::<Unix>::into_std(self.inner)
    }
}

impl runtime::UnixStream for UnixStream {
    type ReadHalf<'a> = ReadHalf<'a>;
    type WriteHalf<'a> = WriteHalf<'a>;
    type OwnedReadHalf = OwnedReadHalf;
    type OwnedWriteHalf = OwnedWriteHalf;

    fn split_mut(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        self.split_mut()
    }

    fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        self.into_split()
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.peer_addr()
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        self.descriptor()
    }

    fn into_std(self) -> io::Result<std_unix::UnixStream> {
        self.into_std()
    }
}

/// The read half of a borrowed [`UnixStream`].
#[derive(Debug)]
pub struct ReadHalf<'a> {
    inner: <AnyStream as Stream<Unix>>::ReadHalf<'a>,
}

/// The write half of a borrowed [`UnixStream`].
#[derive(Debug)]
pub struct WriteHalf<'a> {
    inner: <AnyStream as Stream<Unix>>::WriteHalf<'a>,
}

/// The read half of a [`UnixStream`].
#[derive(Debug)]
pub struct OwnedReadHalf {
    inner: <AnyStream as Stream<Unix>>::OwnedReadHalf,
}

/// The write half of a [`UnixStream`], which closes the write side when it is dropped.
#[derive(Debug)]
pub struct OwnedWriteHalf {
    inner: <AnyStream as Stream<Unix>>::OwnedWriteHalf,
}

io_traits!(UnixStream);

/// A Unix socket that listens, whatever the runtime.
///
/// It stays with the runtime that made it and follows the rules of [`runtime::UnixListener`].
///
/// # Panics
///
/// As a [`TcpListener`](super::TcpListener), where it lends a descriptor that it does not have.
///
/// # Examples
///
/// ```
/// use std::io;
///
/// use anyrt::net::UnixListener;
/// use futures::io::copy;
///
/// async fn echo() -> io::Result<()> {
///     let listener = UnixListener::bind("/run/server.sock")?;
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
pub struct UnixListener {
    inner: OneOf<TokioListener, AsyncIoUnixListener, SimListener, custom::net::UnixListener>,
}

impl UnixListener {
    /// Listens on the current runtime; see [`UnixNet::unix_bind`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        find(Driver::Io)?.unix_bind(path)
    }

    /// Takes over a listening socket of the standard library; see [`UnixNet::unix_listener_from_std`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    pub fn from_std(listener: std_unix::UnixListener) -> io::Result<Self> {
        find(Driver::Io)?.unix_listener_from_std(listener)
    }

    /// See [`runtime::UnixListener::accept`].
    pub async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        Listener::<Unix>::accept(&self.inner).await.map(|(inner, peer)| (UnixStream { inner }, peer))
    }

    /// See [`runtime::UnixListener::incoming`].
    pub fn incoming(&mut self) -> Incoming<'_, Self> {
        Incoming::new(self)
    }

    /// See [`runtime::UnixListener::poll_accept`].
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, SocketAddr)>> {
        Listener::<Unix>::poll_accept(&self.inner, cx).map_ok(|(inner, peer)| (UnixStream { inner }, peer))
    }

    /// See [`runtime::UnixListener::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Listener::<Unix>::local_addr(&self.inner)
    }

    /// See [`runtime::UnixListener::descriptor`].
    pub fn descriptor(&self) -> Option<Descriptor<'_>> {
        Listener::<Unix>::descriptor(&self.inner)
    }

    /// See [`runtime::UnixListener::into_std`].
    pub fn into_std(self) -> io::Result<std_unix::UnixListener> {
        Listener::<Unix>::into_std(self.inner)
    }
}

impl runtime::UnixListener for UnixListener {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        self.accept().await
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, SocketAddr)>> {
        self.poll_accept(cx)
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        Listener::<Unix>::sleep(&self.inner, duration)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.local_addr()
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        self.descriptor()
    }

    fn into_std(self) -> io::Result<std_unix::UnixListener> {
        self.into_std()
    }
}

/// A Unix socket for datagrams, whatever the runtime.
///
/// It stays with the runtime that made it and follows the rules of [`runtime::UnixDatagram`].
///
/// # Panics
///
/// As a [`UdpSocket`](super::UdpSocket), where it lends a descriptor that it does not have.
///
/// # Examples
///
/// ```
/// use std::io;
///
/// use anyrt::net::UnixDatagram;
///
/// async fn log(line: &str) -> io::Result<usize> {
///     UnixDatagram::unbound()?.send_to(line.as_bytes(), "/dev/log").await
/// }
/// ```
#[derive(Debug)]
pub struct UnixDatagram {
    inner: OneOf<TokioDatagram, AsyncIoUnixDatagram, SimDatagram, custom::net::UnixDatagram>,
}

impl UnixDatagram {
    /// Binds a socket of the current runtime to a path; see [`UnixNet::unix_datagram_bind`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        find(Driver::Io)?.unix_datagram_bind(path)
    }

    /// A socket of the current runtime, without an address; see [`UnixNet::unix_datagram_unbound`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    pub fn unbound() -> io::Result<Self> {
        find(Driver::Io)?.unix_datagram_unbound()
    }

    /// Two that are connected with each other, on the current runtime; see [`UnixNet::unix_datagram_pair`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    pub fn pair() -> io::Result<(Self, Self)> {
        find(Driver::Io)?.unix_datagram_pair()
    }

    /// Takes over a socket of the standard library; see [`UnixNet::unix_datagram_from_std`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    pub fn from_std(socket: std_unix::UnixDatagram) -> io::Result<Self> {
        find(Driver::Io)?.unix_datagram_from_std(socket)
    }

    /// See [`runtime::UnixDatagram::connect`].
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        each!(&self.inner, it => runtime::UnixDatagram::connect(it, path))
    }

    /// See [`runtime::UnixDatagram::send`].
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        each!(&self.inner, it => runtime::UnixDatagram::send(it, buf).await)
    }

    /// See [`runtime::UnixDatagram::poll_send`].
    pub fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        each!(&self.inner, it => runtime::UnixDatagram::poll_send(it, cx, buf))
    }

    /// See [`runtime::UnixDatagram::recv`].
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        each!(&self.inner, it => runtime::UnixDatagram::recv(it, buf).await)
    }

    /// See [`runtime::UnixDatagram::poll_recv`].
    pub fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        each!(&self.inner, it => runtime::UnixDatagram::poll_recv(it, cx, buf))
    }

    /// See [`runtime::UnixDatagram::send_to`].
    pub async fn send_to<P: AsRef<Path> + Send>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        each!(&self.inner, it => runtime::UnixDatagram::send_to(it, buf, path).await)
    }

    /// See [`runtime::UnixDatagram::poll_send_to`].
    pub fn poll_send_to<P: AsRef<Path>>(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        path: P,
    ) -> Poll<io::Result<usize>> {
        each!(&self.inner, it => runtime::UnixDatagram::poll_send_to(it, cx, buf, path))
    }

    /// See [`runtime::UnixDatagram::recv_from`].
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        each!(&self.inner, it => runtime::UnixDatagram::recv_from(it, buf).await)
    }

    /// See [`runtime::UnixDatagram::poll_recv_from`].
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        each!(&self.inner, it => runtime::UnixDatagram::poll_recv_from(it, cx, buf))
    }

    /// See [`runtime::UnixDatagram::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        each!(&self.inner, it => runtime::UnixDatagram::local_addr(it))
    }

    /// See [`runtime::UnixDatagram::peer_addr`].
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        each!(&self.inner, it => runtime::UnixDatagram::peer_addr(it))
    }

    /// See [`runtime::UnixDatagram::descriptor`].
    pub fn descriptor(&self) -> Option<Descriptor<'_>> {
        each!(&self.inner, it => runtime::UnixDatagram::descriptor(it))
    }

    /// See [`runtime::UnixDatagram::into_std`].
    pub fn into_std(self) -> io::Result<std_unix::UnixDatagram> {
        each!(self.inner, it => runtime::UnixDatagram::into_std(it))
    }
}

impl runtime::UnixDatagram for UnixDatagram {
    fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        self.connect(path)
    }

    async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.send(buf).await
    }

    fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_send(cx, buf)
    }

    async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv(buf).await
    }

    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_recv(cx, buf)
    }

    async fn send_to<P: AsRef<Path> + Send>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        self.send_to(buf, path).await
    }

    fn poll_send_to<P: AsRef<Path>>(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        path: P,
    ) -> Poll<io::Result<usize>> {
        self.poll_send_to(cx, buf, path)
    }

    async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.recv_from(buf).await
    }

    fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.poll_recv_from(cx, buf)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.peer_addr()
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        self.descriptor()
    }

    fn into_std(self) -> io::Result<std_unix::UnixDatagram> {
        self.into_std()
    }
}

convert!(UnixStream: TokioStream, AsyncIoUnixStream, SimStream);
convert!(UnixListener: TokioListener, AsyncIoUnixListener, SimListener);
convert!(UnixDatagram: TokioDatagram, AsyncIoUnixDatagram, SimDatagram);
