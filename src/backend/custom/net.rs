mod udp;
#[cfg(unix)]
mod unix;

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};

use super::Boxed;
use crate::runtime::net::Keepalive;
use crate::runtime::{self, BoxFuture, Descriptor, tcp_options};

pub(crate) use udp::UdpSocket;
#[cfg(unix)]
pub(crate) use unix::{UnixDatagram, UnixListener, UnixStream};

/// One half of a connection.
pub(crate) trait Reader: AsyncRead + fmt::Debug + Send + Sync + Unpin {}
pub(crate) trait Writer: AsyncWrite + fmt::Debug + Send + Sync + Unpin {}

impl<T: AsyncRead + fmt::Debug + Send + Sync + Unpin> Reader for T {}
impl<T: AsyncWrite + fmt::Debug + Send + Sync + Unpin> Writer for T {}

macro_rules! declare {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(fn $name(&self $(, $arg: $type)*) -> io::Result<$output>;)*
    };
}

macro_rules! erase {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(
            fn $name(&self $(, $arg: $type)*) -> io::Result<$output> {
                runtime::TcpStream::$name(self $(, $arg)*)
            }
        )*
    };
}

macro_rules! forward {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(
            fn $name(&self $(, $arg: $type)*) -> io::Result<$output> {
                self.stream.$name($($arg),*)
            }
        )*
    };
}

/// The object-safe twin of [`runtime::TcpStream`].
trait Erased: Reader + Writer {
    fn split_mut(&mut self) -> (Box<dyn Reader + '_>, Box<dyn Writer + '_>);
    fn into_split(self: Box<Self>) -> (Box<dyn Reader>, Box<dyn Writer>);
    fn peek<'a>(&'a mut self, buf: &'a mut [u8]) -> Boxed<'a, io::Result<usize>>;
    fn local_addr(&self) -> io::Result<SocketAddr>;
    fn peer_addr(&self) -> io::Result<SocketAddr>;
    fn nodelay(&self) -> io::Result<bool>;
    fn set_nodelay(&self, nodelay: bool) -> io::Result<()>;
    fn ttl(&self) -> io::Result<u32>;
    fn set_ttl(&self, ttl: u32) -> io::Result<()>;
    tcp_options!(declare);
    fn descriptor(&self) -> Option<Descriptor<'_>>;
    fn into_std(self: Box<Self>) -> io::Result<std::net::TcpStream>;
}

impl<S: runtime::TcpStream> Erased for S {
    fn split_mut(&mut self) -> (Box<dyn Reader + '_>, Box<dyn Writer + '_>) {
        let (read, write) = runtime::TcpStream::split_mut(self);
        (Box::new(read), Box::new(write))
    }

    fn into_split(self: Box<Self>) -> (Box<dyn Reader>, Box<dyn Writer>) {
        let (read, write) = runtime::TcpStream::into_split(*self);
        (Box::new(read), Box::new(write))
    }

    fn peek<'a>(&'a mut self, buf: &'a mut [u8]) -> Boxed<'a, io::Result<usize>> {
        Box::pin(runtime::TcpStream::peek(self, buf))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        runtime::TcpStream::local_addr(self)
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        runtime::TcpStream::peer_addr(self)
    }

    fn nodelay(&self) -> io::Result<bool> {
        runtime::TcpStream::nodelay(self)
    }

    fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        runtime::TcpStream::set_nodelay(self, nodelay)
    }

    fn ttl(&self) -> io::Result<u32> {
        runtime::TcpStream::ttl(self)
    }

    fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        runtime::TcpStream::set_ttl(self, ttl)
    }

    tcp_options!(erase);

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        runtime::TcpStream::descriptor(self)
    }

    fn into_std(self: Box<Self>) -> io::Result<std::net::TcpStream> {
        runtime::TcpStream::into_std(*self)
    }
}

/// A connection of a runtime that anyrt does not know.
#[derive(Debug)]
pub(crate) struct TcpStream {
    stream: Box<dyn Erased>,
}

impl TcpStream {
    pub(super) fn new<S: runtime::TcpStream>(stream: S) -> Self {
        Self { stream: Box::new(stream) }
    }
}

/// Half a connection, of a runtime that anyrt does not know.
#[derive(Debug)]
pub(crate) struct ReadHalf<'a> {
    stream: Box<dyn Reader + 'a>,
}

#[derive(Debug)]
pub(crate) struct WriteHalf<'a> {
    stream: Box<dyn Writer + 'a>,
}

/// The traits of futures-io for a type that holds something that has them, in its field `stream`.
macro_rules! read {
    ($type:ty) => {
        impl AsyncRead for $type {
            fn poll_read(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut self.stream).poll_read(cx, buf)
            }

            fn poll_read_vectored(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &mut [io::IoSliceMut<'_>],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut self.stream).poll_read_vectored(cx, bufs)
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
                Pin::new(&mut self.stream).poll_write(cx, buf)
            }

            fn poll_write_vectored(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[io::IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
            }

            fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Pin::new(&mut self.stream).poll_flush(cx)
            }

            fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Pin::new(&mut self.stream).poll_close(cx)
            }
        }
    };
}

#[cfg(unix)]
use {read, write};

read!(TcpStream);
write!(TcpStream);
read!(ReadHalf<'_>);
write!(WriteHalf<'_>);

impl runtime::TcpStream for TcpStream {
    type ReadHalf<'a> = ReadHalf<'a>;
    type WriteHalf<'a> = WriteHalf<'a>;
    type OwnedReadHalf = ReadHalf<'static>;
    type OwnedWriteHalf = WriteHalf<'static>;

    fn split_mut(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        let (read, write) = self.stream.split_mut();
        (ReadHalf { stream: read }, WriteHalf { stream: write })
    }

    fn into_split(self) -> (ReadHalf<'static>, WriteHalf<'static>) {
        let (read, write) = self.stream.into_split();
        (ReadHalf { stream: read }, WriteHalf { stream: write })
    }

    async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.stream.peek(buf).await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }

    fn nodelay(&self) -> io::Result<bool> {
        self.stream.nodelay()
    }

    fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.stream.set_nodelay(nodelay)
    }

    fn ttl(&self) -> io::Result<u32> {
        self.stream.ttl()
    }

    fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.stream.set_ttl(ttl)
    }

    tcp_options!(forward);

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        self.stream.descriptor()
    }

    fn into_std(self) -> io::Result<std::net::TcpStream> {
        self.stream.into_std()
    }
}

/// The object-safe twin of [`runtime::TcpListener`].
trait ErasedListener: fmt::Debug + Send + Sync {
    fn accept(&self) -> Boxed<'_, io::Result<(TcpStream, SocketAddr)>>;
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>>;
    fn sleep(&self, duration: Duration) -> BoxFuture;
    fn local_addr(&self) -> io::Result<SocketAddr>;
    fn ttl(&self) -> io::Result<u32>;
    fn set_ttl(&self, ttl: u32) -> io::Result<()>;
    fn descriptor(&self) -> Option<Descriptor<'_>>;
    fn into_std(self: Box<Self>) -> io::Result<std::net::TcpListener>;
}

impl<L: runtime::TcpListener> ErasedListener for L {
    fn accept(&self) -> Boxed<'_, io::Result<(TcpStream, SocketAddr)>> {
        Box::pin(async move {
            let (stream, peer) = runtime::TcpListener::accept(self).await?;
            Ok((TcpStream::new(stream), peer))
        })
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        runtime::TcpListener::poll_accept(self, cx).map_ok(|(stream, peer)| (TcpStream::new(stream), peer))
    }

    fn sleep(&self, duration: Duration) -> BoxFuture {
        Box::pin(runtime::TcpListener::sleep(self, duration))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        runtime::TcpListener::local_addr(self)
    }

    fn ttl(&self) -> io::Result<u32> {
        runtime::TcpListener::ttl(self)
    }

    fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        runtime::TcpListener::set_ttl(self, ttl)
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        runtime::TcpListener::descriptor(self)
    }

    fn into_std(self: Box<Self>) -> io::Result<std::net::TcpListener> {
        runtime::TcpListener::into_std(*self)
    }
}

/// A listening socket of a runtime that anyrt does not know.
#[derive(Debug)]
pub(crate) struct TcpListener {
    listener: Box<dyn ErasedListener>,
}

impl TcpListener {
    pub(super) fn new<L: runtime::TcpListener>(listener: L) -> Self {
        Self { listener: Box::new(listener) }
    }
}

impl runtime::TcpListener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        self.listener.accept().await
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        self.listener.poll_accept(cx)
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        self.listener.sleep(duration)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    fn ttl(&self) -> io::Result<u32> {
        self.listener.ttl()
    }

    fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.listener.set_ttl(ttl)
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        self.listener.descriptor()
    }

    fn into_std(self) -> io::Result<std::net::TcpListener> {
        self.listener.into_std()
    }
}
