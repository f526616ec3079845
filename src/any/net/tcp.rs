use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use super::{convert, io_traits};
use crate::any::custom;
use crate::any::one_of::{OneOf, each};
use crate::backend::{AsyncIoListener, AsyncIoStream, MaybeSim, MaybeTokio};
use crate::current::find;
use crate::runtime::Driver;
use crate::runtime::net::family::{Listener, Stream, Tcp};
use crate::runtime::net::{ConnectOptions, Incoming, Keepalive, ListenOptions, ToSocketAddrs, bind, connect};
use crate::runtime::{self, Descriptor, Net, tcp_options, tcp_required};

type TokioStream = <MaybeTokio as Net>::TcpStream;
type TokioListener = <MaybeTokio as Net>::TcpListener;
type SimStream = <MaybeSim as Net>::TcpStream;
type SimListener = <MaybeSim as Net>::TcpListener;
type AnyStream = OneOf<TokioStream, AsyncIoStream, SimStream, custom::net::TcpStream>;

macro_rules! inherent {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(
            #[doc = concat!("See [`runtime::TcpStream::", stringify!($name), "`].")]
            pub fn $name(&self $(, $arg: $type)*) -> io::Result<$output> {
                each!(&self.inner, it => runtime::TcpStream::$name(it $(, $arg)*))
            }
        )*
    };
}

macro_rules! forward {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(
            fn $name(&self $(, $arg: $type)*) -> io::Result<$output> {
                self.$name($($arg),*)
            }
        )*
    };
}

/// A TCP connection, whatever the runtime, with the I/O traits of `futures`.
///
/// It stays with the runtime that made it and follows the rules of [`runtime::TcpStream`].
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
/// use anyrt::net::TcpStream;
/// use futures::io::AsyncWriteExt;
///
/// async fn greet() -> io::Result<()> {
///     let mut stream = TcpStream::connect("localhost:7000").await?;
///     stream.write_all(b"hello").await?;
///     stream.close().await
/// }
/// ```
#[derive(Debug)]
pub struct TcpStream {
    inner: AnyStream,
}

impl TcpStream {
    /// Connects on the current runtime; see [`Net::tcp_connect`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    ///
    /// Scenarios: `free_functions_find_the_runtime`.
    pub fn connect<A: ToSocketAddrs>(addr: A) -> impl Future<Output = io::Result<Self>> + Send {
        let (runtime, addrs) = (find(Driver::Io), addr.to_addrs());
        async move { connect(&runtime?, addrs, &ConnectOptions::UNSET).await }
    }

    /// Connects on the current runtime, with options; see [`Net::tcp_connect_with`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    pub fn connect_with<A: ToSocketAddrs>(
        addr: A,
        options: &ConnectOptions,
    ) -> impl Future<Output = io::Result<Self>> + Send {
        let (runtime, addrs) = (find(Driver::Io), addr.to_addrs());
        async move { connect(&runtime?, addrs, options).await }
    }

    /// Takes over a connection of the standard library; see [`Net::tcp_stream_from_std`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    pub fn from_std(stream: std::net::TcpStream) -> io::Result<Self> {
        find(Driver::Io)?.tcp_stream_from_std(stream)
    }

    /// See [`runtime::TcpStream::split_mut`].
    pub fn split_mut(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        let (read, write) = Stream::<Tcp>::split_mut(&mut self.inner);
        (ReadHalf { inner: read }, WriteHalf { inner: write })
    }

    /// See [`runtime::TcpStream::into_split`].
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        let (read, write) = Stream::<Tcp>::into_split(self.inner);
        (OwnedReadHalf { inner: read }, OwnedWriteHalf { inner: write })
    }

    /// See [`runtime::TcpStream::peek`].
    pub async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        each!(&mut self.inner, it => runtime::TcpStream::peek(it, buf).await)
    }

    /// See [`runtime::TcpStream::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Stream::<Tcp>::local_addr(&self.inner)
    }

    /// See [`runtime::TcpStream::peer_addr`].
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        Stream::<Tcp>::peer_addr(&self.inner)
    }

    tcp_required!(inherent);
    tcp_options!(inherent);

    /// See [`runtime::TcpStream::descriptor`].
    pub fn descriptor(&self) -> Option<Descriptor<'_>> {
        Stream::<Tcp>::descriptor(&self.inner)
    }

    /// See [`runtime::TcpStream::into_std`].
    pub fn into_std(self) -> io::Result<std::net::TcpStream> {
        Stream::<Tcp>::into_std(self.inner)
    }
}

impl runtime::TcpStream for TcpStream {
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

    async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.peek(buf).await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.peer_addr()
    }

    tcp_required!(forward);
    tcp_options!(forward);

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        self.descriptor()
    }

    fn into_std(self) -> io::Result<std::net::TcpStream> {
        self.into_std()
    }
}

/// The read half of a borrowed [`TcpStream`].
#[derive(Debug)]
pub struct ReadHalf<'a> {
    inner: <AnyStream as Stream<Tcp>>::ReadHalf<'a>,
}

/// The write half of a borrowed [`TcpStream`].
#[derive(Debug)]
pub struct WriteHalf<'a> {
    inner: <AnyStream as Stream<Tcp>>::WriteHalf<'a>,
}

/// The read half of a [`TcpStream`].
#[derive(Debug)]
pub struct OwnedReadHalf {
    inner: <AnyStream as Stream<Tcp>>::OwnedReadHalf,
}

/// The write half of a [`TcpStream`], which closes the write side when it is dropped.
#[derive(Debug)]
pub struct OwnedWriteHalf {
    inner: <AnyStream as Stream<Tcp>>::OwnedWriteHalf,
}

io_traits!(TcpStream);

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
        Listener::<Tcp>::accept(&self.inner).await.map(|(inner, peer)| (TcpStream { inner }, peer))
    }

    /// See [`runtime::TcpListener::poll_accept`].
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        Listener::<Tcp>::poll_accept(&self.inner, cx).map_ok(|(inner, peer)| (TcpStream { inner }, peer))
    }

    /// See [`runtime::TcpListener::incoming`].
    pub fn incoming(&mut self) -> Incoming<'_, Self> {
        Incoming::new(self)
    }

    /// See [`runtime::TcpListener::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Listener::<Tcp>::local_addr(&self.inner)
    }

    /// See [`runtime::TcpListener::ttl`].
    pub fn ttl(&self) -> io::Result<u32> {
        each!(&self.inner, it => runtime::TcpListener::ttl(it))
    }

    /// See [`runtime::TcpListener::set_ttl`].
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        each!(&self.inner, it => runtime::TcpListener::set_ttl(it, ttl))
    }

    /// See [`runtime::TcpListener::descriptor`].
    pub fn descriptor(&self) -> Option<Descriptor<'_>> {
        Listener::<Tcp>::descriptor(&self.inner)
    }

    /// See [`runtime::TcpListener::into_std`].
    pub fn into_std(self) -> io::Result<std::net::TcpListener> {
        Listener::<Tcp>::into_std(self.inner)
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
        Listener::<Tcp>::sleep(&self.inner, duration)
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

convert!(TcpStream: TokioStream, AsyncIoStream, SimStream);
convert!(TcpListener: TokioListener, AsyncIoListener, SimListener);
