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
