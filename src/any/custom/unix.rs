use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net as std_unix;
use std::path::{Path, PathBuf};

use super::net::{UnixDatagram, UnixListener, UnixStream};
use super::{Boxed, Custom};
use crate::runtime::UnixNet;
use crate::runtime::backend::{UnixNetBackend, WatchFd};

/// The object-safe twin of [`UnixNet`].
pub(super) trait ErasedUnix {
    fn adopt_stream(&self, stream: std_unix::UnixStream) -> io::Result<UnixStream>;
    fn adopt_listener(&self, listener: std_unix::UnixListener) -> io::Result<UnixListener>;
    fn adopt_datagram(&self, socket: std_unix::UnixDatagram) -> io::Result<UnixDatagram>;
    fn connect_path(&self, path: PathBuf) -> Boxed<'_, io::Result<UnixStream>>;
    fn bind_path(&self, path: &Path) -> io::Result<UnixListener>;
    fn pair(&self) -> io::Result<(UnixStream, UnixStream)>;
    fn datagram_bind_path(&self, path: &Path) -> io::Result<UnixDatagram>;
    fn datagram_unbound(&self) -> io::Result<UnixDatagram>;
    fn datagram_pair(&self) -> io::Result<(UnixDatagram, UnixDatagram)>;
    fn remove_path(&self, path: &Path) -> io::Result<()>;
    fn watch_fd(&self, fd: OwnedFd) -> io::Result<Box<dyn WatchFd>>;
}

impl<R: UnixNet> ErasedUnix for R {
    fn adopt_stream(&self, stream: std_unix::UnixStream) -> io::Result<UnixStream> {
        self.adopt_unix_stream(stream).map(UnixStream::new)
    }

    fn adopt_listener(&self, listener: std_unix::UnixListener) -> io::Result<UnixListener> {
        self.adopt_unix_listener(listener).map(UnixListener::new)
    }

    fn adopt_datagram(&self, socket: std_unix::UnixDatagram) -> io::Result<UnixDatagram> {
        self.adopt_unix_datagram(socket).map(UnixDatagram::new)
    }

    fn connect_path(&self, path: PathBuf) -> Boxed<'_, io::Result<UnixStream>> {
        Box::pin(async move { self.unix_connect_path(path).await.map(UnixStream::new) })
    }

    fn bind_path(&self, path: &Path) -> io::Result<UnixListener> {
        self.unix_bind_path(path).map(UnixListener::new)
    }

    fn pair(&self) -> io::Result<(UnixStream, UnixStream)> {
        self.unix_pair().map(|(a, b)| (UnixStream::new(a), UnixStream::new(b)))
    }

    fn datagram_bind_path(&self, path: &Path) -> io::Result<UnixDatagram> {
        self.unix_datagram_bind_path(path).map(UnixDatagram::new)
    }

    fn datagram_unbound(&self) -> io::Result<UnixDatagram> {
        self.unix_datagram_unbound().map(UnixDatagram::new)
    }

    fn datagram_pair(&self) -> io::Result<(UnixDatagram, UnixDatagram)> {
        self.unix_datagram_pair().map(|(a, b)| (UnixDatagram::new(a), UnixDatagram::new(b)))
    }

    fn remove_path(&self, path: &Path) -> io::Result<()> {
        self.unix_remove_path(path)
    }

    fn watch_fd(&self, fd: OwnedFd) -> io::Result<Box<dyn WatchFd>> {
        UnixNetBackend::watch_fd(self, fd)
    }
}

impl UnixNetBackend for Custom {
    fn adopt_unix_stream(&self, stream: std_unix::UnixStream) -> io::Result<UnixStream> {
        self.get_or_error()?.unix().adopt_stream(stream)
    }

    fn adopt_unix_listener(&self, listener: std_unix::UnixListener) -> io::Result<UnixListener> {
        self.get_or_error()?.unix().adopt_listener(listener)
    }

    fn adopt_unix_datagram(&self, socket: std_unix::UnixDatagram) -> io::Result<UnixDatagram> {
        self.get_or_error()?.unix().adopt_datagram(socket)
    }

    async fn unix_connect_path(&self, path: PathBuf) -> io::Result<UnixStream> {
        let runtime = self.get_or_error()?;
        runtime.unix().connect_path(path).await
    }

    fn unix_bind_path(&self, path: &Path) -> io::Result<UnixListener> {
        self.get_or_error()?.unix().bind_path(path)
    }

    fn unix_datagram_bind_path(&self, path: &Path) -> io::Result<UnixDatagram> {
        self.get_or_error()?.unix().datagram_bind_path(path)
    }

    fn unix_remove_path(&self, path: &Path) -> io::Result<()> {
        self.get_or_error()?.unix().remove_path(path)
    }

    fn watch_fd(&self, fd: OwnedFd) -> io::Result<Box<dyn WatchFd>> {
        self.get_or_error()?.unix().watch_fd(fd)
    }
}

impl UnixNet for Custom {
    type UnixStream = UnixStream;
    type UnixListener = UnixListener;
    type UnixDatagram = UnixDatagram;

    fn unix_pair(&self) -> io::Result<(UnixStream, UnixStream)> {
        self.get_or_error()?.unix().pair()
    }

    fn unix_datagram_unbound(&self) -> io::Result<UnixDatagram> {
        self.get_or_error()?.unix().datagram_unbound()
    }

    fn unix_datagram_pair(&self) -> io::Result<(UnixDatagram, UnixDatagram)> {
        self.get_or_error()?.unix().datagram_pair()
    }
}
