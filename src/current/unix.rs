//! Unix sockets of the current runtime.

use std::future::Future;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net as std_unix;
use std::path::Path;

use super::find;
use crate::any::net::unix::{UnixDatagram, UnixListener, UnixStream};
use crate::runtime::backend::UnixNetBackend;
use crate::runtime::net::AsyncFd;
use crate::runtime::{Driver, UnixNet};

/// Removes the file of a Unix socket, on the current runtime; see [`UnixNet::unix_remove`].
///
/// # Errors
///
/// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, if no runtime is current.
///
/// # Examples
///
/// ```
/// use std::io;
///
/// use anyrt::net::{UnixListener, remove_socket};
///
/// fn listen(path: &str) -> io::Result<UnixListener> {
///     // Of the process that ran before.
///     let _ = remove_socket(path);
///     UnixListener::bind(path)
/// }
/// ```
///
/// <details><summary>Scenarios</summary>
///
/// `unix_without_a_handle`.</details>
#[track_caller]
pub fn remove_socket<P: AsRef<Path>>(path: P) -> io::Result<()> {
    find(Driver::None)?.unix_remove(path)
}

impl UnixStream {
    /// Connects on the current runtime; see [`UnixNet::unix_connect`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, if no runtime is current.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_without_a_handle`.</details>
    #[track_caller]
    pub fn connect<P: AsRef<Path>>(path: P) -> impl Future<Output = io::Result<Self>> + Send + use<P> {
        let (runtime, path) = (find(Driver::Io), path.as_ref().to_owned());
        async move { runtime?.unix_connect_path(path).await }
    }

    /// Creates two that are connected to each other, on the current runtime; see [`UnixNet::unix_pair`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, if no runtime is current.
    #[track_caller]
    pub fn pair() -> io::Result<(Self, Self)> {
        find(Driver::Io)?.unix_pair()
    }

    /// Converts a connection of the standard library; see [`UnixNet::unix_stream_from_std`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, if no runtime is current.
    #[track_caller]
    pub fn from_std(stream: std_unix::UnixStream) -> io::Result<Self> {
        find(Driver::Io)?.unix_stream_from_std(stream)
    }
}

impl UnixListener {
    /// Listens on the current runtime; see [`UnixNet::unix_bind`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, if no runtime is current.
    #[track_caller]
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        find(Driver::Io)?.unix_bind(path)
    }

    /// Converts a listener of the standard library; see [`UnixNet::unix_listener_from_std`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, if no runtime is current.
    #[track_caller]
    pub fn from_std(listener: std_unix::UnixListener) -> io::Result<Self> {
        find(Driver::Io)?.unix_listener_from_std(listener)
    }
}

impl UnixDatagram {
    /// Binds a socket of the current runtime to a path; see [`UnixNet::unix_datagram_bind`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, if no runtime is current.
    #[track_caller]
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        find(Driver::Io)?.unix_datagram_bind(path)
    }

    /// Creates a socket of the current runtime without an address; see [`UnixNet::unix_datagram_unbound`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, if no runtime is current.
    #[track_caller]
    pub fn unbound() -> io::Result<Self> {
        find(Driver::Io)?.unix_datagram_unbound()
    }

    /// Creates two that are connected to each other, on the current runtime; see [`UnixNet::unix_datagram_pair`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, if no runtime is current.
    #[track_caller]
    pub fn pair() -> io::Result<(Self, Self)> {
        find(Driver::Io)?.unix_datagram_pair()
    }

    /// Converts a socket of the standard library; see [`UnixNet::unix_datagram_from_std`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, if no runtime is current.
    #[track_caller]
    pub fn from_std(socket: std_unix::UnixDatagram) -> io::Result<Self> {
        find(Driver::Io)?.unix_datagram_from_std(socket)
    }
}

impl<T: AsFd> AsyncFd<T> {
    /// Watches a descriptor on the current runtime; see [`UnixNet::async_fd`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, if no runtime is current; otherwise as
    /// there.
    #[track_caller]
    pub fn new(inner: T) -> io::Result<Self> {
        find(Driver::Io)?.async_fd(inner)
    }
}
