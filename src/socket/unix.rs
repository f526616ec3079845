//! Unix sockets over any reactor.

use std::future::Future;
use std::io;
use std::os::unix::net::{self as std_unix, SocketAddr};
use std::path::Path;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::Duration;

use super::{Listener, Reactor, Registered, Shared, Source, Stream, Way, poll_io, read_io, try_io, write_io};
use crate::runtime;
use crate::runtime::net::family::StdSocket;
use crate::runtime::net::path::{cannot, check, probe};
use crate::runtime::net::{Descriptor, descriptor, lends};

impl Source for std_unix::UnixStream {}
impl Source for std_unix::UnixListener {}
impl Source for std_unix::UnixDatagram {}

/// A connection of a reactor.
pub type UnixStream<R> = Stream<R, std_unix::UnixStream>;

/// The read half of a borrowed stream.
pub type ReadHalf<'a, R> = super::ReadHalf<'a, R, std_unix::UnixStream>;

/// The write half of a borrowed stream.
pub type WriteHalf<'a, R> = super::WriteHalf<'a, R, std_unix::UnixStream>;

/// The read half of a stream.
pub type OwnedReadHalf<R> = super::OwnedReadHalf<R, std_unix::UnixStream>;

/// The write half of a stream, which closes the write side when it is dropped.
pub type OwnedWriteHalf<R> = super::OwnedWriteHalf<R, std_unix::UnixStream>;

/// A listening socket of a reactor, which also watches what is accepted.
pub type UnixListener<R> = Listener<R, std_unix::UnixStream>;

impl<R: Reactor> runtime::UnixStream for UnixStream<R> {
    type ReadHalf<'a> = ReadHalf<'a, R>;
    type WriteHalf<'a> = WriteHalf<'a, R>;
    type OwnedReadHalf = OwnedReadHalf<R>;
    type OwnedWriteHalf = OwnedWriteHalf<R>;

    fn split_mut(&mut self) -> (ReadHalf<'_, R>, WriteHalf<'_, R>) {
        self.halves()
    }

    fn into_split(self) -> (OwnedReadHalf<R>, OwnedWriteHalf<R>) {
        self.into_halves()
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

    fn into_std(self) -> io::Result<std_unix::UnixStream> {
        self.into_blocking()
    }
}

impl<R: Reactor> runtime::UnixListener for UnixListener<R> {
    type Stream = UnixStream<R>;

    async fn accept(&self) -> io::Result<(UnixStream<R>, SocketAddr)> {
        self.accepted().await
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream<R>, SocketAddr)>> {
        self.poll_accepted(cx)
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        self.reactor.sleep(duration)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get_ref().local_addr()
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        Some(descriptor(self))
    }

    fn into_std(self) -> io::Result<std_unix::UnixListener> {
        self.into_blocking()
    }
}

/// A socket of a reactor for datagrams.
#[derive(Debug)]
pub struct UnixDatagram<R: Reactor> {
    socket: R::Registered<std_unix::UnixDatagram>,
    reactor: R,
    waits: Shared,
}

impl<R: Reactor> UnixDatagram<R> {
    /// A socket that `reactor` watches already.
    pub fn new(reactor: R, socket: R::Registered<std_unix::UnixDatagram>) -> Self {
        Self { socket, reactor, waits: Shared::default() }
    }

    /// Takes over a socket, blocking or not.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn from_std(reactor: &R, socket: std_unix::UnixDatagram) -> io::Result<Self> {
        Ok(Self::new(reactor.clone(), reactor.register(socket.nonblocking()?)?))
    }

    /// The registered socket.
    pub fn into_inner(self) -> R::Registered<std_unix::UnixDatagram> {
        self.socket
    }
}

lends!([R: Reactor] UnixDatagram<R>, it => descriptor(it.socket.get_ref()));

impl<R: Reactor> runtime::UnixDatagram for UnixDatagram<R> {
    fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        let path = path.as_ref();
        check(path)?;
        cannot("connect to", path, self.socket.get_ref().connect(path))
    }

    async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        write_io(&self.socket, |socket| socket.send(buf)).await
    }

    fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        poll_io(cx, &self.socket, &self.waits, Way::Write, |socket| socket.send(buf))
    }

    async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        read_io(&self.socket, |socket| socket.recv(buf)).await
    }

    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        poll_io(cx, &self.socket, &self.waits, Way::Read, |socket| socket.recv(buf))
    }

    async fn send_to<P: AsRef<Path> + Send>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        let path = path.as_ref();
        check(path)?;
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
        try_io(|| self.socket.get_ref().send_to(buf, path), room).await
    }

    fn poll_send_to<P: AsRef<Path>>(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        path: P,
    ) -> Poll<io::Result<usize>> {
        check(path.as_ref())?;
        poll_io(cx, &self.socket, &self.waits, Way::Write, |socket| socket.send_to(buf, path.as_ref()))
    }

    async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        read_io(&self.socket, |socket| socket.recv_from(buf)).await
    }

    fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        poll_io(cx, &self.socket, &self.waits, Way::Read, |socket| socket.recv_from(buf))
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
