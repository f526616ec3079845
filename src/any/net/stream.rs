use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};

use crate::any::one_of::{OneOf, each};
use crate::backend::{AsyncIoStream, MaybeSim, MaybeTokio, custom};
use crate::current::find;
use crate::runtime::net::{ConnectOptions, Keepalive, ToSocketAddrs, connect};
use crate::runtime::{self, Descriptor, Driver, Net, TcpStream as _, tcp_options};

type TokioStream = <MaybeTokio as Net>::TcpStream;
type SimStream = <MaybeSim as Net>::TcpStream;

/// The same half of the streams of each backend.
macro_rules! halves {
    ($half:ident $(<$lifetime:lifetime>)?) => {
        OneOf<
            <TokioStream as runtime::TcpStream>::$half$(<$lifetime>)?,
            <AsyncIoStream as runtime::TcpStream>::$half$(<$lifetime>)?,
            <SimStream as runtime::TcpStream>::$half$(<$lifetime>)?,
            <custom::net::TcpStream as runtime::TcpStream>::$half$(<$lifetime>)?,
        >
    };
}

macro_rules! read {
    ($type:ty) => {
        impl AsyncRead for $type {
            fn poll_read(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut self.inner).poll_read(cx, buf)
            }

            fn poll_read_vectored(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &mut [io::IoSliceMut<'_>],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut self.inner).poll_read_vectored(cx, bufs)
            }
        }
    };
}

macro_rules! write {
    ($type:ty) => {
        impl AsyncWrite for $type {
            fn poll_write(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut self.inner).poll_write(cx, buf)
            }

            fn poll_write_vectored(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[io::IoSlice<'_>],
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
    };
}

#[cfg(unix)]
pub(super) use {read, write};

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
    inner: OneOf<TokioStream, AsyncIoStream, SimStream, custom::net::TcpStream>,
}

read!(TcpStream);
write!(TcpStream);

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
    #[allow(unreachable_code, unused_variables, reason = "a backend that is not compiled in makes nothing")]
    pub fn split_mut(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        match &mut self.inner {
            OneOf::Tokio { it } => {
                let (read, write) = it.split_mut();
                (
                    ReadHalf { inner: OneOf::Tokio { it: read } },
                    WriteHalf { inner: OneOf::Tokio { it: write } },
                )
            }
            OneOf::AsyncIo { it } => {
                let (read, write) = it.split_mut();
                (
                    ReadHalf { inner: OneOf::AsyncIo { it: read } },
                    WriteHalf { inner: OneOf::AsyncIo { it: write } },
                )
            }
            OneOf::Sim { it } => {
                let (read, write) = it.split_mut();
                (ReadHalf { inner: OneOf::Sim { it: read } }, WriteHalf { inner: OneOf::Sim { it: write } })
            }
            OneOf::Custom { it } => {
                let (read, write) = it.split_mut();
                (
                    ReadHalf { inner: OneOf::Custom { it: read } },
                    WriteHalf { inner: OneOf::Custom { it: write } },
                )
            }
        }
    }

    /// See [`runtime::TcpStream::into_split`].
    #[allow(unreachable_code, unused_variables, reason = "a backend that is not compiled in makes nothing")]
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        match self.inner {
            OneOf::Tokio { it } => {
                let (read, write) = it.into_split();
                (
                    OwnedReadHalf { inner: OneOf::Tokio { it: read } },
                    OwnedWriteHalf { inner: OneOf::Tokio { it: write } },
                )
            }
            OneOf::AsyncIo { it } => {
                let (read, write) = it.into_split();
                (
                    OwnedReadHalf { inner: OneOf::AsyncIo { it: read } },
                    OwnedWriteHalf { inner: OneOf::AsyncIo { it: write } },
                )
            }
            OneOf::Sim { it } => {
                let (read, write) = it.into_split();
                (
                    OwnedReadHalf { inner: OneOf::Sim { it: read } },
                    OwnedWriteHalf { inner: OneOf::Sim { it: write } },
                )
            }
            OneOf::Custom { it } => {
                let (read, write) = it.into_split();
                (
                    OwnedReadHalf { inner: OneOf::Custom { it: read } },
                    OwnedWriteHalf { inner: OneOf::Custom { it: write } },
                )
            }
        }
    }

    /// See [`runtime::TcpStream::peek`].
    pub async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        each!(&mut self.inner, it => it.peek(buf).await)
    }

    /// See [`runtime::TcpStream::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        each!(&self.inner, it => it.local_addr())
    }

    /// See [`runtime::TcpStream::peer_addr`].
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        each!(&self.inner, it => it.peer_addr())
    }

    /// See [`runtime::TcpStream::nodelay`].
    pub fn nodelay(&self) -> io::Result<bool> {
        each!(&self.inner, it => it.nodelay())
    }

    /// See [`runtime::TcpStream::set_nodelay`].
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        each!(&self.inner, it => it.set_nodelay(nodelay))
    }

    /// See [`runtime::TcpStream::ttl`].
    pub fn ttl(&self) -> io::Result<u32> {
        each!(&self.inner, it => it.ttl())
    }

    /// See [`runtime::TcpStream::set_ttl`].
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        each!(&self.inner, it => it.set_ttl(ttl))
    }

    /// See [`runtime::TcpStream::linger`].
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        runtime::TcpStream::linger(self)
    }

    /// See [`runtime::TcpStream::set_linger`].
    pub fn set_linger(&self, time: Option<Duration>) -> io::Result<()> {
        runtime::TcpStream::set_linger(self, time)
    }

    /// See [`runtime::TcpStream::keepalive`].
    pub fn keepalive(&self) -> io::Result<Option<Keepalive>> {
        runtime::TcpStream::keepalive(self)
    }

    /// See [`runtime::TcpStream::set_keepalive`].
    pub fn set_keepalive(&self, keepalive: Option<Keepalive>) -> io::Result<()> {
        runtime::TcpStream::set_keepalive(self, keepalive)
    }

    /// See [`runtime::TcpStream::recv_buffer_size`].
    pub fn recv_buffer_size(&self) -> io::Result<usize> {
        runtime::TcpStream::recv_buffer_size(self)
    }

    /// See [`runtime::TcpStream::send_buffer_size`].
    pub fn send_buffer_size(&self) -> io::Result<usize> {
        runtime::TcpStream::send_buffer_size(self)
    }

    /// See [`runtime::TcpStream::descriptor`].
    pub fn descriptor(&self) -> Option<Descriptor<'_>> {
        each!(&self.inner, it => it.descriptor())
    }

    /// See [`runtime::TcpStream::into_std`].
    pub fn into_std(self) -> io::Result<std::net::TcpStream> {
        each!(self.inner, it => it.into_std())
    }
}

#[allow(dead_code, reason = "without its backend nobody makes one")]
impl TcpStream {
    pub(crate) fn tokio(it: TokioStream) -> Self {
        Self { inner: OneOf::Tokio { it } }
    }

    pub(crate) fn async_io(it: AsyncIoStream) -> Self {
        Self { inner: OneOf::AsyncIo { it } }
    }

    pub(crate) fn sim(it: SimStream) -> Self {
        Self { inner: OneOf::Sim { it } }
    }

    pub(crate) fn into_tokio(self) -> Result<TokioStream, Self> {
        match self.inner {
            OneOf::Tokio { it } => Ok(it),
            inner => Err(Self { inner }),
        }
    }

    pub(crate) fn into_async_io(self) -> Result<AsyncIoStream, Self> {
        match self.inner {
            OneOf::AsyncIo { it } => Ok(it),
            inner => Err(Self { inner }),
        }
    }
}

impl From<custom::net::TcpStream> for TcpStream {
    fn from(it: custom::net::TcpStream) -> Self {
        Self { inner: OneOf::Custom { it } }
    }
}

macro_rules! forward {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(
            fn $name(&self $(, $arg: $type)*) -> io::Result<$output> {
                each!(&self.inner, it => it.$name($($arg),*))
            }
        )*
    };
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

    fn nodelay(&self) -> io::Result<bool> {
        self.nodelay()
    }

    fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.set_nodelay(nodelay)
    }

    fn ttl(&self) -> io::Result<u32> {
        self.ttl()
    }

    fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.set_ttl(ttl)
    }

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
    inner: halves!(ReadHalf<'a>),
}

read!(ReadHalf<'_>);

/// The write half of a borrowed [`TcpStream`].
#[derive(Debug)]
pub struct WriteHalf<'a> {
    inner: halves!(WriteHalf<'a>),
}

write!(WriteHalf<'_>);

/// The read half of a [`TcpStream`].
#[derive(Debug)]
pub struct OwnedReadHalf {
    inner: halves!(OwnedReadHalf),
}

read!(OwnedReadHalf);

/// The write half of a [`TcpStream`], which closes the write side when it is dropped.
#[derive(Debug)]
pub struct OwnedWriteHalf {
    inner: halves!(OwnedWriteHalf),
}

write!(OwnedWriteHalf);
