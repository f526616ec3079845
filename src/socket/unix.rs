//! Unix sockets over any reactor.

use std::future::Future;
use std::io;
use std::os::unix::net::{self as std_unix, SocketAddr};
use std::path::Path;
use std::sync::OnceLock;
use std::task::{Context, Poll};

use socket2::SockRef;

use super::datagram::datagram;
use super::{Listener, Reactor, Registered, Shared, Source, Stream, Way, poll_io, read_io, write_io};
use crate::runtime::net::family::{StdSocket, listener_items, stream_items};
use crate::runtime::net::path::{addr, cannot, probe};
use crate::runtime::net::{Descriptor, descriptor, lends, try_io};
use crate::runtime::task::coop;
use crate::runtime::{self, UCred};

impl Source for std_unix::UnixStream {}
impl Source for std_unix::UnixListener {}
impl Source for std_unix::UnixDatagram {}

/// A Unix stream connection registered with a reactor. For authors of backends; programs use
/// [`net::UnixStream`](crate::net::UnixStream).
pub type UnixStream<R> = Stream<R, std_unix::UnixStream>;

/// Read half of a borrowed stream.
pub type ReadHalf<'a, R> = super::ReadHalf<'a, R, std_unix::UnixStream>;

/// Write half of a borrowed stream.
pub type WriteHalf<'a, R> = super::WriteHalf<'a, R, std_unix::UnixStream>;

/// Read half of a stream.
pub type OwnedReadHalf<R> = super::OwnedReadHalf<R, std_unix::UnixStream>;

/// Write half of a stream, which closes the write side when it is dropped.
pub type OwnedWriteHalf<R> = super::OwnedWriteHalf<R, std_unix::UnixStream>;

/// A Unix socket listener registered with a reactor. For authors of backends; programs use
/// [`net::UnixListener`](crate::net::UnixListener).
pub type UnixListener<R> = Listener<R, std_unix::UnixStream>;

impl<R: Reactor> runtime::UnixStream for UnixStream<R> {
    type ReadHalf<'a> = ReadHalf<'a, R>;
    type WriteHalf<'a> = WriteHalf<'a, R>;
    type OwnedReadHalf = OwnedReadHalf<R>;
    type OwnedWriteHalf = OwnedWriteHalf<R>;

    stream_items!(std_unix::UnixStream);

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get_ref().local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get_ref().peer_addr()
    }

    fn peer_cred(&self) -> io::Result<UCred> {
        R::peer_cred(descriptor(self))
    }
}

impl<R: Reactor> runtime::UnixListener for UnixListener<R> {
    listener_items!(UnixStream<R>, SocketAddr, std_unix::UnixListener);

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get_ref().local_addr()
    }
}

/// A Unix datagram socket registered with a reactor. For authors of backends; programs use
/// [`net::UnixDatagram`](crate::net::UnixDatagram).
#[derive(Debug)]
pub struct UnixDatagram<R: Reactor> {
    socket: R::Registered<std_unix::UnixDatagram>,
    reactor: R,
    waits: Shared,
}

impl<R: Reactor> UnixDatagram<R> {
    /// Creates a socket from a registered one.
    pub fn new(reactor: R, socket: R::Registered<std_unix::UnixDatagram>) -> Self {
        Self { socket, reactor, waits: Shared::default() }
    }

    /// Registers a socket, blocking or non-blocking.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn from_std(reactor: &R, socket: std_unix::UnixDatagram) -> io::Result<Self> {
        Ok(Self::new(reactor.clone(), reactor.register(socket.nonblocking()?)?))
    }

    /// Returns the registered socket.
    pub fn into_inner(self) -> R::Registered<std_unix::UnixDatagram> {
        self.socket
    }
}

lends!([R: Reactor] UnixDatagram<R>, it => descriptor(it.socket.get_ref()));

impl<R: Reactor> runtime::UnixDatagram for UnixDatagram<R> {
    fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        let path = path.as_ref();
        cannot("connect to", path, SockRef::from(self.socket.get_ref()).connect(&addr(path)?))
    }

    datagram!(SocketAddr);

    async fn send_to<P: AsRef<Path> + Send>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        let path = path.as_ref();
        let to = addr(path)?;
        // Made once: a reactor may take a new one for writable.
        let peer = OnceLock::new();
        let room = || async {
            // Room on our side, and on the other: a socket that is not connected is writable meanwhile.
            self.socket.writable().await?;
            if peer.get().is_none() {
                let _ = peer.set(self.reactor.register(probe(path)?)?);
            }
            match peer.get() {
                Some(peer) => peer.writable().await,
                None => Ok(()),
            }
        };
        try_io(|| SockRef::from(self.socket.get_ref()).send_to(buf, &to), room).await
    }

    fn poll_send_to<P: AsRef<Path>>(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        path: P,
    ) -> Poll<io::Result<usize>> {
        let to = addr(path.as_ref())?;
        poll_io(cx, &self.socket, &self.waits, Way::Write, |socket| SockRef::from(socket).send_to(buf, &to))
    }

    async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    fn poll_recv_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        coop::poll(cx, |cx| self.waits.poll(Way::Read, cx, |cx| self.socket.poll_readable(cx)))
    }

    async fn writable(&self) -> io::Result<()> {
        self.socket.writable().await
    }

    fn poll_send_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        coop::poll(cx, |cx| self.waits.poll(Way::Write, cx, |cx| self.socket.poll_writable(cx)))
    }

    fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.get_ref().recv_from(buf)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get_ref().local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get_ref().peer_addr()
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        Some(descriptor(self))
    }

    fn into_std(self) -> io::Result<std_unix::UnixDatagram> {
        self.socket.into_inner()?.blocking()
    }
}
