//! Unix sockets on the current runtime; and what is written once about them: paths, and ways to make one.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::{self as std_unix, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use socket2::{Domain, SockAddr, Socket, Type};

use super::incoming::Pause;
use crate::runtime;

pub use crate::any::net::unix::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf};

/// Whether it can be connected or sent to; the system and its libraries have several kinds for a path that cannot.
pub(crate) fn check(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path of a Unix socket is empty"));
    }
    fits(path)
}

/// Whether it is short enough and without a NUL, which the error says with the path.
fn fits(path: &Path) -> io::Result<()> {
    match SocketAddr::from_pathname(path) {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(io::Error::new(error.kind(), format!("{path:?} is no path for a Unix socket: {error}")))
        }
    }
}

/// [`UnixNet::unix_connect_path`](crate::runtime::UnixNet::unix_connect_path). It is done at once, or not at all.
pub(crate) fn connect(path: &Path) -> io::Result<std_unix::UnixStream> {
    check(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    match socket.connect(&SockAddr::unix(path)?) {
        Ok(()) => Ok(OwnedFd::from(socket).into()),
        // Linux only, and there is nothing to wait for: the socket is as writable as before (unix(7)).
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(io::Error::new(
            io::ErrorKind::ConnectionRefused,
            format!("cannot connect to {path:?}: as many connections as may wait there to be accepted do so"),
        )),
        Err(error) => Err(error),
    }
}

/// [`UnixNet::unix_bind_path`](crate::runtime::UnixNet::unix_bind_path), with the queue of a TCP socket.
pub(crate) fn listen(path: &Path) -> io::Result<std_unix::UnixListener> {
    // An empty path lets Linux choose an abstract name.
    fits(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    socket.listen(super::options::BACKLOG)?;
    Ok(OwnedFd::from(socket).into())
}

/// [`UnixNet::unix_datagram_bind_path`](crate::runtime::UnixNet::unix_datagram_bind_path).
pub(crate) fn datagram(path: &Path) -> io::Result<std_unix::UnixDatagram> {
    fits(path)?;
    std_unix::UnixDatagram::bind(path)
}

/// Another socket, which can be written to when there is room at `path`: the system (Linux: `unix_dgram_poll`) watches
/// a queue only for those that are connected to it.
pub(crate) fn probe(path: &Path) -> io::Result<std_unix::UnixDatagram> {
    let probe = std_unix::UnixDatagram::unbound()?;
    probe.set_nonblocking(true)?;
    probe.connect(path)?;
    Ok(probe)
}

/// The stream of [`runtime::UnixListener::incoming`].
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Incoming<'a, L> {
    listener: &'a mut L,
    pause: Pause,
}

impl<'a, L: runtime::UnixListener> Incoming<'a, L> {
    pub(crate) fn new(listener: &'a mut L) -> Self {
        Self { listener, pause: Pause::default() }
    }
}

impl<L: runtime::UnixListener> Stream for Incoming<'_, L> {
    type Item = io::Result<L::Stream>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { listener, pause } = &mut *self;
        pause.poll_next(cx, |cx| listener.poll_accept(cx), |duration| listener.sleep(duration))
    }
}
