use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net as std_unix;
use std::path::{Path, PathBuf};

use crate::runtime::UnixNet;
use crate::runtime::net::options::no_watch;
use crate::runtime::net::{WatchFd, path};

/// Creates Unix sockets, and watches descriptors; what [`UnixNet`] stands on. Programs call the methods of `UnixNet`.
///
/// The types of the sockets are in `UnixNet`, as those of [`NetBackend`](super::NetBackend) are in `Net`.
///
/// Module [`socket`](crate::socket) has sockets for each of the required methods.
pub trait UnixNetBackend {
    /// Converts a connection of the standard library, blocking or non-blocking, and sets it to non-blocking; called by
    /// [`unix_stream_from_std`](UnixNet::unix_stream_from_std).
    fn adopt_unix_stream(&self, stream: std_unix::UnixStream) -> io::Result<Self::UnixStream>
    where
        Self: UnixNet;

    /// Converts a listener of the standard library, blocking or non-blocking, and sets it to non-blocking; called by
    /// [`unix_listener_from_std`](UnixNet::unix_listener_from_std).
    fn adopt_unix_listener(&self, listener: std_unix::UnixListener) -> io::Result<Self::UnixListener>
    where
        Self: UnixNet;

    /// Converts a datagram socket of the standard library, blocking or non-blocking, and sets it to non-blocking; called by
    /// [`unix_datagram_from_std`](UnixNet::unix_datagram_from_std).
    fn adopt_unix_datagram(&self, socket: std_unix::UnixDatagram) -> io::Result<Self::UnixDatagram>
    where
        Self: UnixNet;

    /// Connects to a path; called by [`unix_connect`](UnixNet::unix_connect).
    ///
    /// Replace it in a backend that does not use the system's sockets.
    fn unix_connect_path(
        &self,
        path: PathBuf,
    ) -> impl Future<Output = io::Result<Self::UnixStream>> + Send + '_
    where
        Self: UnixNet,
    {
        async move { self.adopt_unix_stream(path::connect(&path)?) }
    }

    /// Listens at a path; called by [`unix_bind`](UnixNet::unix_bind).
    ///
    /// Replace it in a backend that does not use the system's sockets.
    fn unix_bind_path(&self, path: &Path) -> io::Result<Self::UnixListener>
    where
        Self: UnixNet,
    {
        self.adopt_unix_listener(path::listen(path)?)
    }

    /// Binds a datagram socket to a path; called by [`unix_datagram_bind`](UnixNet::unix_datagram_bind).
    ///
    /// Replace it in a backend that does not use the system's sockets.
    fn unix_datagram_bind_path(&self, path: &Path) -> io::Result<Self::UnixDatagram>
    where
        Self: UnixNet,
    {
        self.adopt_unix_datagram(path::datagram(path)?)
    }

    /// Removes the file of a socket; called by [`unix_remove`](UnixNet::unix_remove).
    ///
    /// Replace it in a backend that does not use the system's sockets.
    fn unix_remove_path(&self, path: &Path) -> io::Result<()> {
        path::remove(path)
    }

    /// Watches a descriptor; called by [`async_fd`](UnixNet::async_fd).
    ///
    /// Replace it in a backend that can watch descriptors. The provided method returns an error of kind `Unsupported`.
    fn watch_fd(&self, fd: OwnedFd) -> io::Result<Box<dyn WatchFd>> {
        drop(fd);
        Err(no_watch())
    }
}
