//! Code shared by Unix sockets: paths, creation, and incoming connections.

use std::io;
use std::mem::offset_of;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net as std_unix;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use socket2::{Domain, SockAddr, SockRef, Socket, Type};

use super::incoming::Pause;
use super::named;
use crate::runtime;

/// Whether it can be connected or sent to; the system and its libraries have several kinds for a path that cannot.
pub(crate) fn check(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path of a Unix socket is empty"));
    }
    fits(path)
}

/// As many bytes as the path of an address has, before its NUL: 107 on Linux, 103 on macOS and the BSDs.
const LONGEST: usize = size_of::<libc::sockaddr_un>() - offset_of!(libc::sockaddr_un, sun_path) - 1;

/// Whether it is the name of no file (Linux: unix(7)).
fn is_abstract(path: &Path) -> bool {
    cfg!(any(target_os = "linux", target_os = "android")) && path.as_os_str().as_bytes().starts_with(b"\0")
}

/// Whether it is short enough and without a NUL, which the error says with the path.
fn fits(path: &Path) -> io::Result<()> {
    let bytes = path.as_os_str().as_bytes();
    // An abstract name ends where it ends, and not with a NUL.
    let longest = if is_abstract(path) { LONGEST + 1 } else { LONGEST };
    let why = if bytes.len() > longest {
        format!("has {} bytes, and this system takes {longest}", bytes.len())
    } else if bytes.contains(&0) && !is_abstract(path) {
        "has a NUL in it".to_owned()
    } else {
        return Ok(());
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("the path of a Unix socket {why}: {path:?}")))
}

/// The address of a path that can be connected or sent to.
pub(crate) fn addr(path: &Path) -> io::Result<SockAddr> {
    check(path)?;
    SockAddr::unix(path)
}

/// The system's error, with the path that it came of.
pub(crate) fn cannot<T>(what: &str, path: &Path, result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| named(error, format!("cannot {what} {path:?}")))
}

/// What is said of a queue that takes no more connections.
pub(crate) fn full_queue() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionRefused, "the backlog of its listener is full: try again later")
}

/// [`UnixNetBackend::unix_connect_path`](crate::runtime::backend::UnixNetBackend::unix_connect_path). It is done at once, or not at all.
pub(crate) fn connect(path: &Path) -> io::Result<std_unix::UnixStream> {
    check(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    let connected = socket.connect(&SockAddr::unix(path)?).map_err(|error| match error.kind() {
        // Linux only, and there is nothing to wait for: the socket is as writable as before (unix(7)).
        io::ErrorKind::WouldBlock => full_queue(),
        _ => error,
    });
    cannot("connect to", path, connected)?;
    Ok(OwnedFd::from(socket).into())
}

/// [`UnixNetBackend::unix_bind_path`](crate::runtime::backend::UnixNetBackend::unix_bind_path), with the queue of a TCP socket.
pub(crate) fn listen(path: &Path) -> io::Result<std_unix::UnixListener> {
    // An empty path lets Linux choose an abstract name.
    fits(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    let listening = socket.bind(&SockAddr::unix(path)?).and_then(|()| socket.listen(super::options::BACKLOG));
    cannot("listen on", path, listening)?;
    Ok(OwnedFd::from(socket).into())
}

/// [`UnixNetBackend::unix_datagram_bind_path`](crate::runtime::backend::UnixNetBackend::unix_datagram_bind_path).
pub(crate) fn datagram(path: &Path) -> io::Result<std_unix::UnixDatagram> {
    fits(path)?;
    let socket = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
    cannot("bind to", path, socket.bind(&SockAddr::unix(path)?))?;
    Ok(OwnedFd::from(socket).into())
}

/// [`UnixNetBackend::unix_remove_path`](crate::runtime::backend::UnixNetBackend::unix_remove_path).
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    check(path)?;
    let removed = std::fs::symlink_metadata(path).and_then(|file| {
        if !file.file_type().is_socket() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the file is not a socket"));
        }
        std::fs::remove_file(path)
    });
    cannot("remove", path, removed)
}

/// Another socket, which can be written to when there is room at `path`: the system (Linux: `unix_dgram_poll`) watches
/// a queue only for those that are connected to it.
pub(crate) fn probe(path: &Path) -> io::Result<std_unix::UnixDatagram> {
    let probe = std_unix::UnixDatagram::unbound()?;
    probe.set_nonblocking(true)?;
    SockRef::from(&probe).connect(&SockAddr::unix(path)?)?;
    Ok(probe)
}

/// Stream of incoming connections; returned by [`runtime::UnixListener::incoming`].
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

#[cfg(test)]
mod tests {
    use std::os::unix::net::SocketAddr;

    use super::*;

    #[test]
    fn longest_path_is_the_longest() {
        let longest = "x".repeat(LONGEST);
        assert!(fits(longest.as_ref()).is_ok() && SocketAddr::from_pathname(&longest).is_ok());
        let longer = longest + "x";
        assert!(fits(longer.as_ref()).is_err() && SocketAddr::from_pathname(&longer).is_err());
    }
}
