mod udp;
#[cfg(unix)]
mod unix;

use std::future::Future;
use std::io;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use async_io::Async;

use super::time::Sleep;
use crate::runtime::time::deadline_after;
use crate::socket::{self, Reactor, Registered, Source};

pub(crate) use udp::UdpSocket;
#[cfg(unix)]
pub(crate) use unix::{UnixDatagram, UnixListener, UnixStream};

/// The reactor of async-io, which belongs to the process.
#[derive(Clone, Debug)]
pub struct AsyncIo;

impl Reactor for AsyncIo {
    type Registered<S: Source> = Async<S>;

    fn register<S: Source>(&self, socket: S) -> io::Result<Async<S>> {
        Async::new_nonblocking(socket)
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        Sleep::new(deadline_after(Instant::now(), duration))
    }
}

impl<S: Source> Registered<S> for Async<S> {
    fn get_ref(&self) -> &S {
        self.get_ref()
    }

    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_readable(cx)
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_writable(cx)
    }

    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send {
        self.readable()
    }

    fn writable(&self) -> impl Future<Output = io::Result<()>> + Send {
        self.writable()
    }

    fn into_inner(self) -> io::Result<S> {
        self.into_inner()
    }
}

pub(crate) type TcpStream = socket::TcpStream<AsyncIo>;
pub(crate) type TcpListener = socket::TcpListener<AsyncIo>;

impl From<TcpStream> for crate::net::TcpStream {
    fn from(stream: TcpStream) -> Self {
        Self::async_io(stream)
    }
}

impl From<TcpListener> for crate::net::TcpListener {
    fn from(listener: TcpListener) -> Self {
        Self::async_io(listener)
    }
}

impl From<Async<std::net::TcpStream>> for crate::net::TcpStream {
    fn from(socket: Async<std::net::TcpStream>) -> Self {
        TcpStream::new(socket).into()
    }
}

impl From<Async<std::net::TcpListener>> for crate::net::TcpListener {
    fn from(socket: Async<std::net::TcpListener>) -> Self {
        TcpListener::new(AsyncIo, socket).into()
    }
}

/// The stream comes back when it is of another runtime.
impl TryFrom<crate::net::TcpStream> for Async<std::net::TcpStream> {
    type Error = crate::net::TcpStream;

    fn try_from(stream: crate::net::TcpStream) -> Result<Self, Self::Error> {
        stream.into_async_io().map(TcpStream::into_inner)
    }
}

/// The listener comes back when it is of another runtime.
impl TryFrom<crate::net::TcpListener> for Async<std::net::TcpListener> {
    type Error = crate::net::TcpListener;

    fn try_from(listener: crate::net::TcpListener) -> Result<Self, Self::Error> {
        listener.into_async_io().map(TcpListener::into_inner)
    }
}
