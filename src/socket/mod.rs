//! TCP, UDP and Unix sockets over any reactor, for backends whose reactor only reports readiness.
//!
//! Such a backend implements [`Reactor`] and [`Registered`], and uses [`TcpStream`], [`TcpListener`] and [`UdpSocket`]
//! in its [`Net`](crate::Net). They implement closing, splitting, the cooperative budget and the switch between
//! blocking and non-blocking mode. The backends for smol and async-std use them.

mod connected;
mod datagram;
mod listener;
mod stream;
mod tcp;
mod udp;
#[cfg(unix)]
pub mod unix;
mod waits;
#[cfg(unix)]
mod watch;

use std::fmt;
use std::future::Future;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

#[cfg(unix)]
use crate::runtime::UCred;
#[cfg(unix)]
use crate::runtime::net::options::no_peer_cred;
use crate::runtime::net::{AsDescriptor, try_io};
use crate::runtime::task::coop;

use waits::{Own, Shared, Way};

pub use listener::Listener;
pub use stream::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, Stream, WriteHalf};
pub use tcp::{TcpListener, TcpStream};
pub use udp::UdpSocket;
#[cfg(unix)]
pub use unix::{UnixDatagram, UnixListener, UnixStream};
#[cfg(unix)]
pub use watch::watch_fd;

/// Handle to a reactor, which watches sockets. Cloning it is cheap.
pub trait Reactor: Clone + fmt::Debug + Send + Sync + Unpin + 'static {
    /// A registered socket.
    type Registered<S: Source>: Registered<S>;

    /// Registers a non-blocking socket.
    ///
    /// # Errors
    ///
    /// The system's.
    fn register<S: Source>(&self, socket: S) -> io::Result<Self::Registered<S>>;

    /// Returns the credentials of the peer of a Unix stream; see
    /// [`UnixStream::peer_cred`](crate::runtime::UnixStream::peer_cred).
    ///
    /// # Errors
    ///
    /// The system's; `Unsupported` if the reactor does not implement it.
    #[cfg(unix)]
    fn peer_cred(stream: std::os::fd::BorrowedFd<'_>) -> io::Result<UCred> {
        let _ = stream;
        Err(no_peer_cred())
    }

    /// Creates a timer, which listeners use to wait when descriptors have run out.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static;
}

/// A non-blocking socket registered with a reactor. Dropping it deregisters and closes the socket.
pub trait Registered<S>: fmt::Debug + Send + Sync + Unpin + 'static {
    /// The socket.
    fn get_ref(&self) -> &S;

    /// Pending until the socket may be readable again. Wakes at least the last task that polled.
    ///
    /// It is polled after an operation that would have blocked; and, if it was pending, also before the operation is
    /// tried again. Spurious readiness is harmless. An error that the system reports is readiness as well (`EPOLLERR`;
    /// `is_error` of an event of mio): a refusal wakes who receives from a UDP socket, and nothing else does.
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Pending until the socket may be writable again. Wakes at least the last task that polled.
    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// As [`poll_readable`](Self::poll_readable), for any number of tasks at once.
    ///
    /// It is called after an operation that would have blocked, and must also report readiness from before the call: an
    /// edge-triggered reactor reports one edge for several connections.
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send;

    /// As [`poll_writable`](Self::poll_writable), for any number of tasks at once.
    fn writable(&self) -> impl Future<Output = io::Result<()>> + Send;

    /// Deregisters the socket and returns it.
    ///
    /// # Errors
    ///
    /// The system's.
    fn into_inner(self) -> io::Result<S>;
}

/// Sockets of the standard library.
pub trait Source: AsDescriptor + fmt::Debug + Send + Sync + Unpin + 'static {}

impl Source for std::net::TcpStream {}
impl Source for std::net::TcpListener {}
impl Source for std::net::UdpSocket {}

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

#[cfg(test)]
mod tests {
    use std::future::ready;
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
}
