use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net as std_unix;
use std::path::{Path, PathBuf};

use super::net::{UnixDatagram, UnixListener, UnixStream};
use super::{Boxed, Custom};
use crate::runtime::{UnixNet, WatchFd};

/// The object-safe twin of [`UnixNet`].
pub(super) trait ErasedUnix {
    fn stream_from_std(&self, stream: std_unix::UnixStream) -> io::Result<UnixStream>;
    fn listener_from_std(&self, listener: std_unix::UnixListener) -> io::Result<UnixListener>;
    fn datagram_from_std(&self, socket: std_unix::UnixDatagram) -> io::Result<UnixDatagram>;
    fn connect_path(&self, path: PathBuf) -> Boxed<'_, io::Result<UnixStream>>;
    fn bind_path(&self, path: &Path) -> io::Result<UnixListener>;
    fn pair(&self) -> io::Result<(UnixStream, UnixStream)>;
    fn datagram_bind_path(&self, path: &Path) -> io::Result<UnixDatagram>;
    fn datagram_unbound(&self) -> io::Result<UnixDatagram>;
    fn datagram_pair(&self) -> io::Result<(UnixDatagram, UnixDatagram)>;
    fn watch_fd(&self, fd: OwnedFd) -> io::Result<Box<dyn WatchFd>>;
}

impl<R: UnixNet> ErasedUnix for R {
    fn stream_from_std(&self, stream: std_unix::UnixStream) -> io::Result<UnixStream> {
        self.unix_stream_from_std(stream).map(UnixStream::new)
    }

    fn listener_from_std(&self, listener: std_unix::UnixListener) -> io::Result<UnixListener> {
        self.unix_listener_from_std(listener).map(UnixListener::new)
    }

    fn datagram_from_std(&self, socket: std_unix::UnixDatagram) -> io::Result<UnixDatagram> {
        self.unix_datagram_from_std(socket).map(UnixDatagram::new)
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

    fn watch_fd(&self, fd: OwnedFd) -> io::Result<Box<dyn WatchFd>> {
        UnixNet::watch_fd(self, fd)
    }
}

impl UnixNet for Custom {
    type UnixStream = UnixStream;
    type UnixListener = UnixListener;
    type UnixDatagram = UnixDatagram;

    fn unix_stream_from_std(&self, stream: std_unix::UnixStream) -> io::Result<UnixStream> {
        self.get_or_error()?.unix().stream_from_std(stream)
    }

    fn unix_listener_from_std(&self, listener: std_unix::UnixListener) -> io::Result<UnixListener> {
        self.get_or_error()?.unix().listener_from_std(listener)
    }

    fn unix_datagram_from_std(&self, socket: std_unix::UnixDatagram) -> io::Result<UnixDatagram> {
        self.get_or_error()?.unix().datagram_from_std(socket)
    }

    async fn unix_connect_path(&self, path: PathBuf) -> io::Result<UnixStream> {
        let runtime = self.get_or_error()?;
        runtime.unix().connect_path(path).await
    }

    fn unix_bind_path(&self, path: &Path) -> io::Result<UnixListener> {
        self.get_or_error()?.unix().bind_path(path)
    }

    fn unix_pair(&self) -> io::Result<(UnixStream, UnixStream)> {
        self.get_or_error()?.unix().pair()
    }

    fn unix_datagram_bind_path(&self, path: &Path) -> io::Result<UnixDatagram> {
        self.get_or_error()?.unix().datagram_bind_path(path)
    }

    fn unix_datagram_unbound(&self) -> io::Result<UnixDatagram> {
        self.get_or_error()?.unix().datagram_unbound()
    }

    fn unix_datagram_pair(&self) -> io::Result<(UnixDatagram, UnixDatagram)> {
        self.get_or_error()?.unix().datagram_pair()
    }

    fn watch_fd(&self, fd: OwnedFd) -> io::Result<Box<dyn WatchFd>> {
        self.get_or_error()?.unix().watch_fd(fd)
    }
}
