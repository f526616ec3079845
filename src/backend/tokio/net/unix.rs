use std::future::Future;
use std::io;
use std::os::unix::net::{self as std_unix, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::net::unix;
use tokio::runtime::Handle;

use super::{pause, read, within, write};
use crate::net::unix::{cannot, check, probe};
use crate::runtime;
use crate::runtime::descriptor::{Descriptor, descriptor, lends};

/// tokio's stream, with the traits of futures-io.
#[derive(Debug)]
pub struct UnixStream {
    stream: tokio::net::UnixStream,
}

impl UnixStream {
    pub(in crate::backend::tokio) fn from_std(stream: std_unix::UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { stream: tokio::net::UnixStream::from_std(stream)? })
    }
}

read!(UnixStream);
write!(UnixStream);
lends!([] UnixStream, it => descriptor(&it.stream));

impl runtime::UnixStream for UnixStream {
    type ReadHalf<'a> = ReadHalf<'a>;
    type WriteHalf<'a> = WriteHalf<'a>;
    type OwnedReadHalf = OwnedReadHalf;
    type OwnedWriteHalf = OwnedWriteHalf;

    fn split_mut(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        let (read, write) = self.stream.split();
        (ReadHalf { stream: read }, WriteHalf { stream: write })
    }

    fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        let (read, write) = self.stream.into_split();
        (OwnedReadHalf { stream: read }, OwnedWriteHalf { stream: write })
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr().map(Into::into)
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr().map(Into::into)
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        Some(descriptor(self))
    }

    fn into_std(self) -> io::Result<std_unix::UnixStream> {
        let stream = self.stream.into_std()?;
        stream.set_nonblocking(false)?;
        Ok(stream)
    }
}

/// The read half of a borrowed stream.
#[derive(Debug)]
pub struct ReadHalf<'a> {
    stream: unix::ReadHalf<'a>,
}

read!(ReadHalf<'_>);

/// The write half of a borrowed stream.
#[derive(Debug)]
pub struct WriteHalf<'a> {
    stream: unix::WriteHalf<'a>,
}

write!(WriteHalf<'_>);

/// The read half of a stream.
#[derive(Debug)]
pub struct OwnedReadHalf {
    stream: unix::OwnedReadHalf,
}

read!(OwnedReadHalf);

/// The write half of a stream; tokio's own closes the write side when it is dropped.
#[derive(Debug)]
pub struct OwnedWriteHalf {
    stream: unix::OwnedWriteHalf,
}

write!(OwnedWriteHalf);

/// tokio's listener, with the handle whose context an accepted stream is registered in.
#[derive(Debug)]
pub struct UnixListener {
    listener: tokio::net::UnixListener,
    handle: Handle,
}

impl UnixListener {
    pub(in crate::backend::tokio) fn from_std(
        handle: &Handle,
        listener: std_unix::UnixListener,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let _context = handle.enter();
        let listener = tokio::net::UnixListener::from_std(listener)?;
        Ok(Self { listener, handle: handle.clone() })
    }
}

lends!([] UnixListener, it => descriptor(&it.listener));

impl runtime::UnixListener for UnixListener {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let (stream, peer) = within(&self.handle, self.listener.accept()).await?;
        Ok((UnixStream { stream }, peer.into()))
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, SocketAddr)>> {
        let _context = self.handle.enter();
        self.listener.poll_accept(cx).map_ok(|(stream, peer)| (UnixStream { stream }, peer.into()))
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        pause(&self.handle, duration)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr().map(Into::into)
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        Some(descriptor(self))
    }

    fn into_std(self) -> io::Result<std_unix::UnixListener> {
        let listener = self.listener.into_std()?;
        listener.set_nonblocking(false)?;
        Ok(listener)
    }
}

/// tokio's socket, with the handle whose context another one is registered in when there is no room.
#[derive(Debug)]
pub struct UnixDatagram {
    socket: tokio::net::UnixDatagram,
    handle: Handle,
}

impl UnixDatagram {
    pub(in crate::backend::tokio) fn from_std(
        handle: &Handle,
        socket: std_unix::UnixDatagram,
    ) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let _context = handle.enter();
        let socket = tokio::net::UnixDatagram::from_std(socket)?;
        Ok(Self { socket, handle: handle.clone() })
    }
}

lends!([] UnixDatagram, it => descriptor(&it.socket));

impl runtime::UnixDatagram for UnixDatagram {
    fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        let path = path.as_ref();
        check(path)?;
        cannot("connect to", path, self.socket.connect(path))
    }

    async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.socket.send(buf).await
    }

    fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.socket.poll_send(cx, buf)
    }

    async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.recv(buf).await
    }

    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buf = ReadBuf::new(buf);
        ready!(self.socket.poll_recv(cx, &mut buf))?;
        Poll::Ready(Ok(buf.filled().len()))
    }

    async fn send_to<P: AsRef<Path> + Send>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        let path = path.as_ref();
        check(path)?;
        tokio::task::consume_budget().await;
        loop {
            self.socket.writable().await?;
            match self.socket.try_send_to(buf, path) {
                // There may be no room on the other side: that our side has some is no news, and tokio 1.54 tries again
                // and again.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let probe = {
                        let _context = self.handle.enter();
                        tokio::net::UnixDatagram::from_std(probe(path)?)?
                    };
                    probe.writable().await?;
                }
                result => return result,
            }
        }
    }

    fn poll_send_to<P: AsRef<Path>>(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        path: P,
    ) -> Poll<io::Result<usize>> {
        check(path.as_ref())?;
        self.socket.poll_send_to(cx, buf, path)
    }

    async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let (len, peer) = self.socket.recv_from(buf).await?;
        Ok((len, peer.into()))
    }

    fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        let mut buf = ReadBuf::new(buf);
        let peer = ready!(self.socket.poll_recv_from(cx, &mut buf))?;
        Poll::Ready(Ok((buf.filled().len(), peer.into())))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr().map(Into::into)
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.peer_addr().map(Into::into)
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        Some(descriptor(self))
    }

    fn into_std(self) -> io::Result<std_unix::UnixDatagram> {
        let socket = self.socket.into_std()?;
        socket.set_nonblocking(false)?;
        Ok(socket)
    }
}

/// Into what is of any runtime, and back: what is of another runtime comes back as it is.
macro_rules! convert {
    ($name:ident, $it:ident => $native:expr) => {
        impl From<$name> for crate::net::$name {
            fn from(it: $name) -> Self {
                Self::tokio(it)
            }
        }

        impl TryFrom<crate::net::$name> for tokio::net::$name {
            type Error = crate::net::$name;

            fn try_from(it: crate::net::$name) -> Result<Self, Self::Error> {
                it.into_tokio().map(|$it| $native)
            }
        }
    };
}

convert!(UnixStream, it => it.stream);
convert!(UnixListener, it => it.listener);
convert!(UnixDatagram, it => it.socket);

impl From<tokio::net::UnixStream> for crate::net::UnixStream {
    fn from(stream: tokio::net::UnixStream) -> Self {
        Self::tokio(UnixStream { stream })
    }
}
