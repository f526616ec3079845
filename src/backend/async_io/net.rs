mod udp;
#[cfg(unix)]
mod unix;

use std::future::Future;
use std::io;
use std::net as std_net;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use async_io::Async;

use super::time::Sleep;
use crate::socket::{self, Reactor, Registered, Source};
use crate::time::deadline_after;

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

/// Into what is of any runtime, and back: what is of another runtime comes back as it is.
macro_rules! convert {
    ($(#[$doc:meta])* $std:ident::$name:ident, $socket:ident => $ours:expr) => {
        impl From<$name> for crate::net::$name {
            fn from(it: $name) -> Self {
                Self::async_io(it)
            }
        }

        impl From<Async<$std::$name>> for crate::net::$name {
            fn from($socket: Async<$std::$name>) -> Self {
                $ours.into()
            }
        }

        $(#[$doc])*
        impl TryFrom<crate::net::$name> for Async<$std::$name> {
            type Error = crate::net::$name;

            fn try_from(it: crate::net::$name) -> Result<Self, Self::Error> {
                it.into_async_io().map($name::into_inner)
            }
        }
    };
}
use convert;

convert!(
    /// The stream comes back when it is of another runtime.
    std_net::TcpStream, socket => TcpStream::new(socket)
);
convert!(
    /// The listener comes back when it is of another runtime.
    std_net::TcpListener, socket => TcpListener::new(AsyncIo, socket)
);
