//! Unix sockets over any reactor.

use std::future::Future;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{self as std_unix, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};

use super::{
    Connected, Own, Reactor, Registered, Shared, Source, Way, close, poll_io, poll_read, poll_write,
    poll_write_vectored, read, read_io, try_io, write, write_io,
};
use crate::runtime;
use crate::runtime::net::path::{cannot, check, probe};
use crate::runtime::net::{Descriptor, descriptor, lends};

impl Source for std_unix::UnixStream {}
impl Source for std_unix::UnixListener {}
impl Source for std_unix::UnixDatagram {}

impl Connected for std_unix::UnixStream {
    fn read(mut self: &Self, buf: &mut [u8]) -> io::Result<usize> {
        Read::read(&mut self, buf)
    }

    fn write(mut self: &Self, buf: &[u8]) -> io::Result<usize> {
        Write::write(&mut self, buf)
    }

    fn write_vectored(mut self: &Self, bufs: &[io::IoSlice<'_>]) -> io::Result<usize> {
        Write::write_vectored(&mut self, bufs)
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.shutdown(how)
    }
}

type Stream<R> = <R as Reactor>::Registered<std_unix::UnixStream>;

/// A connection of a reactor.
#[derive(Debug)]
pub struct UnixStream<R: Reactor> {
    socket: Stream<R>,
    waits: Own,
}

impl<R: Reactor> UnixStream<R> {
    /// A connection that is registered already.
    pub fn new(socket: R::Registered<std_unix::UnixStream>) -> Self {
        Self { socket, waits: Own::default() }
    }

    /// Takes over a connection, blocking or not.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn from_std(reactor: &R, stream: std_unix::UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self::new(reactor.register(stream)?))
    }

    /// The registered socket.
    pub fn into_inner(self) -> R::Registered<std_unix::UnixStream> {
        self.socket
    }
}

read!(UnixStream<R>);
write!(UnixStream<R>);
lends!([R: Reactor] UnixStream<R>, it => descriptor(it.socket.get_ref()));

impl<R: Reactor> runtime::UnixStream for UnixStream<R> {
    type ReadHalf<'a> = ReadHalf<'a, R>;
    type WriteHalf<'a> = WriteHalf<'a, R>;
    type OwnedReadHalf = OwnedReadHalf<R>;
    type OwnedWriteHalf = OwnedWriteHalf<R>;

    fn split_mut(&mut self) -> (ReadHalf<'_, R>, WriteHalf<'_, R>) {
        (
            ReadHalf { socket: &self.socket, waits: Own::default() },
            WriteHalf { socket: &self.socket, waits: Own::default() },
        )
    }

    fn into_split(self) -> (OwnedReadHalf<R>, OwnedWriteHalf<R>) {
        let socket = Arc::new(self.socket);
        (
            OwnedReadHalf { socket: socket.clone(), waits: Own::default() },
            OwnedWriteHalf { socket, waits: Own::default() },
        )
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
        let stream = self.socket.into_inner()?;
        stream.set_nonblocking(false)?;
        Ok(stream)
    }
}

/// The read half of a borrowed stream.
#[derive(Debug)]
pub struct ReadHalf<'a, R: Reactor> {
    socket: &'a Stream<R>,
    waits: Own,
}

read!(ReadHalf<'_, R>);

/// The write half of a borrowed stream.
#[derive(Debug)]
pub struct WriteHalf<'a, R: Reactor> {
    socket: &'a Stream<R>,
    waits: Own,
}

write!(WriteHalf<'_, R>);

/// The read half of a stream.
#[derive(Debug)]
pub struct OwnedReadHalf<R: Reactor> {
    socket: Arc<Stream<R>>,
    waits: Own,
}

read!(OwnedReadHalf<R>);

/// The write half of a stream, which closes the write side when it is dropped.
#[derive(Debug)]
pub struct OwnedWriteHalf<R: Reactor> {
    socket: Arc<Stream<R>>,
    waits: Own,
}

write!(OwnedWriteHalf<R>);

impl<R: Reactor> Drop for OwnedWriteHalf<R> {
    fn drop(&mut self) {
        let _ = close::<Stream<R>, _>(&self.socket);
    }
}

/// A listening socket of a reactor, which also watches what is accepted.
#[derive(Debug)]
pub struct UnixListener<R: Reactor> {
    socket: R::Registered<std_unix::UnixListener>,
    reactor: R,
    waits: Shared,
}

impl<R: Reactor> UnixListener<R> {
    /// A listening socket that `reactor` watches already.
    pub fn new(reactor: R, socket: R::Registered<std_unix::UnixListener>) -> Self {
        Self { socket, reactor, waits: Shared::default() }
    }

    /// Takes over a listening socket, blocking or not.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn from_std(reactor: &R, listener: std_unix::UnixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self::new(reactor.clone(), reactor.register(listener)?))
    }

    /// The registered socket.
    pub fn into_inner(self) -> R::Registered<std_unix::UnixListener> {
        self.socket
    }

    fn register(
        &self,
        accepted: (std_unix::UnixStream, SocketAddr),
    ) -> io::Result<(UnixStream<R>, SocketAddr)> {
        let (stream, peer) = accepted;
        Ok((UnixStream::from_std(&self.reactor, stream)?, peer))
    }
}

lends!([R: Reactor] UnixListener<R>, it => descriptor(it.socket.get_ref()));

impl<R: Reactor> runtime::UnixListener for UnixListener<R> {
    type Stream = UnixStream<R>;

    async fn accept(&self) -> io::Result<(UnixStream<R>, SocketAddr)> {
        let accepted = read_io(&self.socket, std_unix::UnixListener::accept).await?;
        self.register(accepted)
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream<R>, SocketAddr)>> {
        let accepted =
            ready!(poll_io(cx, &self.socket, &self.waits, Way::Read, std_unix::UnixListener::accept))?;
        Poll::Ready(self.register(accepted))
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
        let listener = self.socket.into_inner()?;
        listener.set_nonblocking(false)?;
        Ok(listener)
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
        socket.set_nonblocking(true)?;
        Ok(Self::new(reactor.clone(), reactor.register(socket)?))
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
        let socket = self.socket.into_inner()?;
        socket.set_nonblocking(false)?;
        Ok(socket)
    }
}
