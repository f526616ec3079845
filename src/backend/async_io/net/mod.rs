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

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn peer_cred(stream: std::os::fd::BorrowedFd<'_>) -> io::Result<crate::runtime::UCred> {
        let peer = rustix::net::sockopt::socket_peercred(stream)?;
        let (uid, gid) = (peer.uid.as_raw(), peer.gid.as_raw());
        Ok(crate::runtime::UCred::new(uid, gid, Some(peer.pid.as_raw_nonzero().get())))
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
