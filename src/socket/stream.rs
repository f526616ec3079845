use std::future::Future;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::connected::Connected;
use super::{Own, Reactor, Registered, Way, poll_stream_io};
use crate::runtime::net::io_traits::{Reads, Writes, reads, writes};
use crate::runtime::net::{Descriptor, descriptor, lends};
use crate::runtime::{self, Interest, ReuniteError};

/// A connection registered with a reactor: a [`TcpStream`](super::TcpStream), or a
/// [`UnixStream`](super::unix::UnixStream).
#[derive(Debug)]
pub struct Stream<R: Reactor, S: Connected> {
    pub(super) socket: R::Registered<S>,
    pub(super) waits: Own,
}

impl<R: Reactor, S: Connected> Stream<R, S> {
    /// Creates a stream from a registered connection.
    pub fn new(socket: R::Registered<S>) -> Self {
        Self { socket, waits: Own::default() }
    }

    /// Registers a connection, blocking or non-blocking.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn from_std(reactor: &R, stream: S) -> io::Result<Self> {
        Ok(Self::new(reactor.register(stream.nonblocking()?)?))
    }

    /// Returns the registered socket.
    pub fn into_inner(self) -> R::Registered<S> {
        self.socket
    }

    pub(super) fn halves(&self) -> (ReadHalf<'_, R, S>, WriteHalf<'_, R, S>) {
        (
            ReadHalf { socket: &self.socket, waits: Own::default() },
            WriteHalf { socket: &self.socket, waits: Own::default() },
        )
    }

    pub(super) fn into_halves(self) -> (OwnedReadHalf<R, S>, OwnedWriteHalf<R, S>) {
        let socket = Arc::new(self.socket);
        (
            OwnedReadHalf { socket: socket.clone(), waits: Own::default() },
            OwnedWriteHalf { socket, waits: Own::default(), is_reunited: false },
        )
    }

    pub(super) fn of_halves(
        read: OwnedReadHalf<R, S>,
        mut write: OwnedWriteHalf<R, S>,
    ) -> Result<Self, NotOfOne<R, S>> {
        if !Arc::ptr_eq(&read.socket, &write.socket) {
            return Err(ReuniteError(read, write));
        }
        write.is_reunited = true;
        drop(write);
        match Arc::try_unwrap(read.socket) {
            Ok(socket) => Ok(Self::new(socket)),
            Err(_) => unreachable!("there are two halves, and this was the last"),
        }
    }

    pub(super) async fn until_readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    pub(super) async fn until_writable(&self) -> io::Result<()> {
        self.socket.writable().await
    }

    pub(super) fn attempt<T>(&self, _: Interest, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        operation()
    }

    pub(super) fn lent(&self) -> Option<Descriptor<'_>> {
        Some(descriptor(self))
    }

    pub(super) fn into_blocking(self) -> io::Result<S> {
        self.socket.into_inner()?.blocking()
    }
}

lends!([R: Reactor, S: Connected] Stream<R, S>, it => descriptor(it.socket.get_ref()));

/// Read half of a borrowed stream.
#[derive(Debug)]
pub struct ReadHalf<'a, R: Reactor, S: Connected = std::net::TcpStream> {
    socket: &'a R::Registered<S>,
    waits: Own,
}

/// Write half of a borrowed stream.
#[derive(Debug)]
pub struct WriteHalf<'a, R: Reactor, S: Connected = std::net::TcpStream> {
    socket: &'a R::Registered<S>,
    waits: Own,
}

/// Read half of a stream.
#[derive(Debug)]
pub struct OwnedReadHalf<R: Reactor, S: Connected = std::net::TcpStream> {
    socket: Arc<R::Registered<S>>,
    waits: Own,
}

/// Write half of a stream, which closes the write side when it is dropped.
#[derive(Debug)]
pub struct OwnedWriteHalf<R: Reactor, S: Connected = std::net::TcpStream> {
    socket: Arc<R::Registered<S>>,
    waits: Own,
    is_reunited: bool,
}

impl<R: Reactor, S: Connected> Drop for OwnedWriteHalf<R, S> {
    fn drop(&mut self) {
        if !self.is_reunited {
            // An error means that the connection is gone, and with it everybody who could want to know.
            let _ = close::<R, S>(&self.socket);
        }
    }
}

/// Both halves back.
type NotOfOne<R, S> = ReuniteError<OwnedReadHalf<R, S>, OwnedWriteHalf<R, S>>;

/// What reads and writes: a socket, and who waits for it.
struct Io<'a, R: Reactor, S: Connected> {
    socket: &'a R::Registered<S>,
    waits: &'a mut Own,
}

impl<R: Reactor, S: Connected> Reads for Io<'_, R, S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        poll_stream_io(cx, self.socket, self.waits, Way::Read, |socket| socket.read(buf))
    }
}

impl<R: Reactor, S: Connected> Writes for Io<'_, R, S> {
    fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        poll_stream_io(cx, self.socket, self.waits, Way::Write, |socket| socket.write(buf))
    }

    fn poll_write_vectored(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        poll_stream_io(cx, self.socket, self.waits, Way::Write, |socket| socket.write_vectored(bufs))
    }

    /// Nothing waits in a buffer of ours.
    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(close::<R, S>(self.socket))
    }
}

/// Says goodbye to the peer.
fn close<R: Reactor, S: Connected>(socket: &R::Registered<S>) -> io::Result<()> {
    match socket.get_ref().shutdown(Shutdown::Write) {
        // The peer is gone already; async-net 2.0 reports that as an error and tokio does not.
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
        result => result,
    }
}

macro_rules! io {
    ($it:ident) => {
        &mut Io::<R, S> { socket: &$it.socket, waits: &mut $it.waits }
    };
}

reads!([R: Reactor, S: Connected] Stream<R, S>, it => io!(it));
writes!([R: Reactor, S: Connected] Stream<R, S>, it => io!(it));
reads!([R: Reactor, S: Connected] ReadHalf<'_, R, S>, it => io!(it));
writes!([R: Reactor, S: Connected] WriteHalf<'_, R, S>, it => io!(it));
reads!([R: Reactor, S: Connected] OwnedReadHalf<R, S>, it => io!(it));
writes!([R: Reactor, S: Connected] OwnedWriteHalf<R, S>, it => io!(it));

macro_rules! half {
    ($half:ty: $trait:ident, $ready:ident) => {
        impl<R: Reactor, S: Connected> runtime::$trait for $half {
            type Addr = S::Addr;

            fn $ready(&self) -> impl Future<Output = io::Result<()>> + Send {
                self.socket.$ready()
            }

            fn local_addr(&self) -> io::Result<S::Addr> {
                self.socket.get_ref().local_addr()
            }

            fn peer_addr(&self) -> io::Result<S::Addr> {
                self.socket.get_ref().peer_addr()
            }

            fn descriptor(&self) -> Option<Descriptor<'_>> {
                Some(descriptor(self.socket.get_ref()))
            }
        }
    };
}

half!(ReadHalf<'_, R, S>: ReadHalf, readable);
half!(WriteHalf<'_, R, S>: WriteHalf, writable);
half!(OwnedReadHalf<R, S>: ReadHalf, readable);
half!(OwnedWriteHalf<R, S>: WriteHalf, writable);
