//! TCP, UDP and Unix sockets over any reactor, for a backend whose reactor says when a socket is ready and no more.
//!
//! Such a backend implements [`Reactor`] and [`Registered`], and takes [`TcpStream`], [`TcpListener`] and
//! [`UdpSocket`] for its [`Net`](crate::Net): closing, splitting, the budget, what is blocking and what is not are written here. smol
//! and async-std stand on it.

mod udp;
#[cfg(unix)]
pub mod unix;
mod waits;

use std::fmt;
use std::future::{Future, poll_fn};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};

use crate::runtime::net::write_error;
use crate::runtime::net::{AsDescriptor, Descriptor, descriptor, lends};
use crate::runtime::task::coop;

use waits::{Own, Shared, Way};

pub use udp::UdpSocket;
#[cfg(unix)]
pub use unix::{UnixDatagram, UnixListener, UnixStream};

/// What watches sockets. It is a handle: cloning it is cheap.
pub trait Reactor: Clone + fmt::Debug + Send + Sync + Unpin + 'static {
    /// A socket that it watches.
    type Registered<S: Source>: Registered<S>;

    /// Watches a socket, which is non-blocking, from now on.
    ///
    /// # Errors
    ///
    /// The system's.
    fn register<S: Source>(&self, socket: S) -> io::Result<Self::Registered<S>>;

    /// A timer, which listeners wait with when descriptors have run out.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static;
}

/// A non-blocking socket, and its watch. Dropping it ends the watch and closes the socket.
pub trait Registered<S>: fmt::Debug + Send + Sync + Unpin + 'static {
    /// The socket.
    fn get_ref(&self) -> &S;

    /// Pending until the socket may be readable again; wakes the last task that polled, or more of them.
    ///
    /// It is polled after an operation that would have blocked; and, when it was pending, also before the operation is
    /// tried again. Being ready too often is harmless.
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Pending until the socket may be writable again; wakes the last task that polled, or more of them.
    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// As [`poll_readable`](Self::poll_readable), for any number of tasks at once.
    ///
    /// It is called after an operation that would have blocked, and must also notice what became ready before the
    /// call: a reactor that reports edges reports one for several connections.
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send;

    /// As [`poll_writable`](Self::poll_writable), for any number of tasks at once.
    fn writable(&self) -> impl Future<Output = io::Result<()>> + Send;

    /// Ends the watch.
    ///
    /// # Errors
    ///
    /// The system's.
    fn into_inner(self) -> io::Result<S>;
}

/// A socket of the standard library.
pub trait Source: AsDescriptor + fmt::Debug + Send + Sync + Unpin + 'static {}

impl Source for std::net::TcpStream {}
impl Source for std::net::TcpListener {}
impl Source for std::net::UdpSocket {}

/// A socket that is connected, as a stream of bytes.
trait Connected: Source {
    fn read(&self, buf: &mut [u8]) -> io::Result<usize>;
    fn write(&self, buf: &[u8]) -> io::Result<usize>;
    fn write_vectored(&self, bufs: &[io::IoSlice<'_>]) -> io::Result<usize>;
    fn shutdown(&self, how: Shutdown) -> io::Result<()>;
}

impl Connected for std::net::TcpStream {
    fn read(mut self: &Self, buf: &mut [u8]) -> io::Result<usize> {
        Read::read(&mut self, buf)
    }

    fn write(mut self: &Self, buf: &[u8]) -> io::Result<usize> {
        Write::write(&mut self, buf).map_err(write_error)
    }

    fn write_vectored(mut self: &Self, bufs: &[io::IoSlice<'_>]) -> io::Result<usize> {
        Write::write_vectored(&mut self, bufs).map_err(write_error)
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.shutdown(how)
    }
}

type Stream<R> = <R as Reactor>::Registered<std::net::TcpStream>;
type Listener<R> = <R as Reactor>::Registered<std::net::TcpListener>;

/// Asks the reactor to wake the task.
fn poll_ready<A: Registered<S>, S>(socket: &A, way: Way, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    match way {
        Way::Read => socket.poll_readable(cx),
        Way::Write => socket.poll_writable(cx),
    }
}

/// Tries `operation` on a socket that any task can poll, and waits as long as it would block.
fn poll_io<A: Registered<S>, S, T>(
    cx: &mut Context<'_>,
    socket: &A,
    waits: &Shared,
    way: Way,
    mut operation: impl FnMut(&S) -> io::Result<T>,
) -> Poll<io::Result<T>> {
    coop::poll(cx, |cx| {
        loop {
            match operation(socket.get_ref()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => return Poll::Ready(result),
            }
            ready!(waits.poll(way, cx, |cx| poll_ready(socket, way, cx)))?;
        }
    })
}

/// As [`poll_io`], on a stream.
///
/// async-io 2.6 keeps its answer until it is asked again, and answers too early then: one more operation that would
/// block. So it is asked again before the operation, which is tried all the same, should the answer be no.
fn poll_stream_io<A: Registered<S>, S, T>(
    cx: &mut Context<'_>,
    socket: &A,
    waits: &mut Own,
    way: Way,
    mut operation: impl FnMut(&S) -> io::Result<T>,
) -> Poll<io::Result<T>> {
    coop::poll(cx, |cx| {
        if waits.is_asked(way) {
            let _ = waits.poll(way, cx, |cx| poll_ready(socket, way, cx))?;
        }
        loop {
            match operation(socket.get_ref()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => return Poll::Ready(result),
            }
            if waits.is_asked(way) {
                return Poll::Pending;
            }
            ready!(waits.poll(way, cx, |cx| poll_ready(socket, way, cx)))?;
        }
    })
}

/// As [`poll_io`] on the read side, for any number of tasks at once.
async fn read_io<A: Registered<S>, S, T>(
    socket: &A,
    mut operation: impl FnMut(&S) -> io::Result<T> + Send,
) -> io::Result<T> {
    try_io(|| operation(socket.get_ref()), || socket.readable()).await
}

/// As [`poll_io`] on the write side, for any number of tasks at once.
async fn write_io<A: Registered<S>, S, T>(
    socket: &A,
    mut operation: impl FnMut(&S) -> io::Result<T> + Send,
) -> io::Result<T> {
    try_io(|| operation(socket.get_ref()), || socket.writable()).await
}

/// Tries `operation` in each poll, and waits as long as it would block.
///
/// Not only when the wait is over: async-io 2.6 wakes the task for an event that it does not take for one, because it came
/// in the turn of the reactor in which it was asked for (`reactor.rs`, `Ready::poll`). While all workers are busy that is
/// the rule, and whoever waits for the next event waits for long.
async fn try_io<T, F: Future<Output = io::Result<()>>>(
    mut operation: impl FnMut() -> io::Result<T>,
    mut wait: impl FnMut() -> F,
) -> io::Result<T> {
    let mut waiting = pin!(None::<F>);
    poll_fn(|cx| {
        coop::poll(cx, |cx| {
            loop {
                match operation() {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    result => return Poll::Ready(result),
                }
                if waiting.is_none() {
                    waiting.set(Some(wait()));
                }
                if let Some(wait) = waiting.as_mut().as_pin_mut() {
                    ready!(wait.poll(cx))?;
                }
                waiting.set(None);
            }
        })
    })
    .await
}

fn poll_read<A: Registered<S>, S: Connected>(
    socket: &A,
    waits: &mut Own,
    cx: &mut Context<'_>,
    buf: &mut [u8],
) -> Poll<io::Result<usize>> {
    if buf.is_empty() {
        return Poll::Ready(Ok(0));
    }
    poll_stream_io(cx, socket, waits, Way::Read, |socket| socket.read(buf))
}

fn poll_write<A: Registered<S>, S: Connected>(
    socket: &A,
    waits: &mut Own,
    cx: &mut Context<'_>,
    buf: &[u8],
) -> Poll<io::Result<usize>> {
    poll_stream_io(cx, socket, waits, Way::Write, |socket| socket.write(buf))
}

fn poll_write_vectored<A: Registered<S>, S: Connected>(
    socket: &A,
    waits: &mut Own,
    cx: &mut Context<'_>,
    bufs: &[io::IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    poll_stream_io(cx, socket, waits, Way::Write, |socket| socket.write_vectored(bufs))
}

/// Says goodbye to the peer. Nothing waits in a buffer of ours, so there is nothing to flush.
fn close<A: Registered<S>, S: Connected>(socket: &A) -> io::Result<()> {
    match socket.get_ref().shutdown(Shutdown::Write) {
        // The peer is gone already; async-net 2.0 reports that as an error and tokio does not.
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
        result => result,
    }
}

/// A TCP connection of a reactor.
#[derive(Debug)]
pub struct TcpStream<R: Reactor> {
    socket: Stream<R>,
    waits: Own,
}

/// Whether a socket that has begun to connect is connected: an error, which is `WouldBlock` when it is not known yet.
fn is_connected(stream: &std::net::TcpStream) -> io::Result<()> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Err(io::ErrorKind::WouldBlock.into()),
        result => result.map(drop),
    }
}

impl<R: Reactor> TcpStream<R> {
    /// A connection that is registered already.
    pub fn new(socket: R::Registered<std::net::TcpStream>) -> Self {
        Self { socket, waits: Own::default() }
    }

    /// Waits until a socket that does not block, and has begun to connect, is connected or has failed; see
    /// [`Net::finish_connect`](crate::Net::finish_connect).
    ///
    /// # Errors
    ///
    /// The system's.
    pub async fn finish_connect(reactor: &R, stream: std::net::TcpStream) -> io::Result<Self> {
        let socket = reactor.register(stream)?;
        write_io(&socket, is_connected).await?;
        Ok(Self::new(socket))
    }

    /// Takes over a connection, blocking or not.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn from_std(reactor: &R, stream: std::net::TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self::new(reactor.register(stream)?))
    }

    /// The registered socket.
    pub fn into_inner(self) -> R::Registered<std::net::TcpStream> {
        self.socket
    }
}

/// The traits of futures-io for a type that holds a socket, in its field `socket`, and remembers in its field `waits` who waits
/// for it.
macro_rules! read {
    ($type:ty) => {
        impl<R: Reactor> AsyncRead for $type {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                let Self { socket, waits } = self.get_mut();
                poll_read::<Stream<R>, _>(socket, waits, cx, buf)
            }
        }
    };
}

macro_rules! write {
    ($type:ty) => {
        impl<R: Reactor> AsyncWrite for $type {
            fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
                let Self { socket, waits } = self.get_mut();
                poll_write::<Stream<R>, _>(socket, waits, cx, buf)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[io::IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                let Self { socket, waits } = self.get_mut();
                poll_write_vectored::<Stream<R>, _>(socket, waits, cx, bufs)
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(close::<Stream<R>, _>(&self.socket))
            }
        }
    };
}

#[cfg(unix)]
use {read, write};

read!(TcpStream<R>);
write!(TcpStream<R>);
lends!([R: Reactor] TcpStream<R>, it => descriptor(it.socket.get_ref()));
lends!([R: Reactor] TcpListener<R>, it => descriptor(it.socket.get_ref()));

impl<R: Reactor> crate::runtime::TcpStream for TcpStream<R> {
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

    async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let Self { socket, waits } = self;
        poll_fn(|cx| poll_stream_io(cx, socket, waits, Way::Read, |socket| socket.peek(buf))).await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get_ref().local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get_ref().peer_addr()
    }

    fn nodelay(&self) -> io::Result<bool> {
        self.socket.get_ref().nodelay()
    }

    fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.socket.get_ref().set_nodelay(nodelay)
    }

    fn ttl(&self) -> io::Result<u32> {
        self.socket.get_ref().ttl()
    }

    fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.socket.get_ref().set_ttl(ttl)
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        Some(descriptor(self))
    }

    fn into_std(self) -> io::Result<std::net::TcpStream> {
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
        // An error means that the connection is gone, and with it everybody who could want to know.
        let _ = close::<Stream<R>, _>(&self.socket);
    }
}

/// A listening socket of a reactor, which also watches what is accepted.
#[derive(Debug)]
pub struct TcpListener<R: Reactor> {
    socket: Listener<R>,
    reactor: R,
    waits: Shared,
}

impl<R: Reactor> TcpListener<R> {
    /// The registered socket.
    pub fn into_inner(self) -> R::Registered<std::net::TcpListener> {
        self.socket
    }

    /// A listening socket that `reactor` watches already.
    pub fn new(reactor: R, socket: R::Registered<std::net::TcpListener>) -> Self {
        Self { socket, reactor, waits: Shared::default() }
    }

    /// Takes over a listening socket, blocking or not.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn from_std(reactor: &R, listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self::new(reactor.clone(), reactor.register(listener)?))
    }

    fn register(
        &self,
        accepted: (std::net::TcpStream, SocketAddr),
    ) -> io::Result<(TcpStream<R>, SocketAddr)> {
        let (stream, peer) = accepted;
        Ok((TcpStream::from_std(&self.reactor, stream)?, peer))
    }
}

impl<R: Reactor> crate::runtime::TcpListener for TcpListener<R> {
    type Stream = TcpStream<R>;

    async fn accept(&self) -> io::Result<(TcpStream<R>, SocketAddr)> {
        let accepted = read_io(&self.socket, std::net::TcpListener::accept).await?;
        self.register(accepted)
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream<R>, SocketAddr)>> {
        let accepted =
            ready!(poll_io(cx, &self.socket, &self.waits, Way::Read, std::net::TcpListener::accept))?;
        Poll::Ready(self.register(accepted))
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        self.reactor.sleep(duration)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get_ref().local_addr()
    }

    fn ttl(&self) -> io::Result<u32> {
        self.socket.get_ref().ttl()
    }

    fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.socket.get_ref().set_ttl(ttl)
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        Some(descriptor(self))
    }

    fn into_std(self) -> io::Result<std::net::TcpListener> {
        let listener = self.socket.into_inner()?;
        listener.set_nonblocking(false)?;
        Ok(listener)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use std::task::Waker;

    use super::*;

    /// What async-io does: it is ready once for each event, also for one that came long ago.
    #[derive(Debug, Default)]
    struct Socket {
        event: AtomicBool,
        operations: AtomicU32,
    }

    impl Registered<Self> for Socket {
        fn get_ref(&self) -> &Self {
            self
        }

        fn poll_readable(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            if self.event.swap(false, Ordering::Relaxed) { Poll::Ready(Ok(())) } else { Poll::Pending }
        }

        fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.poll_readable(cx)
        }

        fn readable(&self) -> impl Future<Output = io::Result<()>> + Send {
            ready(Ok(()))
        }

        fn writable(&self) -> impl Future<Output = io::Result<()>> + Send {
            ready(Ok(()))
        }

        fn into_inner(self) -> io::Result<Self> {
            Ok(self)
        }
    }

    impl Socket {
        fn poll(&self, waits: &mut Own, result: Result<(), io::ErrorKind>) -> Poll<io::Result<()>> {
            let cx = &mut Context::from_waker(Waker::noop());
            poll_stream_io(cx, self, waits, Way::Read, |socket| {
                socket.operations.fetch_add(1, Ordering::Relaxed);
                result.map_err(io::Error::from)
            })
        }
    }

    #[test]
    fn event_is_taken_by_the_operation_that_it_woke() {
        let (socket, mut waits) = (Socket::default(), Own::default());
        assert!(socket.poll(&mut waits, Err(io::ErrorKind::WouldBlock)).is_pending());
        socket.event.store(true, Ordering::Relaxed);
        assert!(socket.poll(&mut waits, Ok(())).is_ready());
        assert!(socket.poll(&mut waits, Err(io::ErrorKind::WouldBlock)).is_pending());
        assert_eq!(socket.operations.load(Ordering::Relaxed), 3, "one was tried twice");
    }

    #[test]
    fn operation_is_tried_before_its_event_is_there() {
        let (socket, mut waits) = (Socket::default(), Own::default());
        assert!(socket.poll(&mut waits, Err(io::ErrorKind::WouldBlock)).is_pending());
        assert!(socket.poll(&mut waits, Ok(())).is_ready());
    }

    #[test]
    fn operation_is_tried_before_its_wait_is_over() {
        let tries = AtomicU32::new(0);
        let operation = || match tries.fetch_add(1, Ordering::Relaxed) {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            _ => Ok(()),
        };
        let mut trying = pin!(try_io(operation, pending));
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(trying.as_mut().poll(cx).is_pending());
        assert!(trying.as_mut().poll(cx).is_ready());
    }
}
