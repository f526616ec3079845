use std::future::Future;
use std::io::{self, Read, Write};
use std::os::unix::net::{self as std_unix, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};
use socket2::{SockAddr, SockRef};
use tokio::io::{AsyncRead as _, AsyncWrite as _, Interest, ReadBuf};
use tokio::net::unix;
use tokio::runtime::Handle;

use super::{enter, or_untold, pause, poll_untold, untold, within};
use crate::runtime;
use crate::runtime::net::path::{cannot, check, probe};
use crate::runtime::net::{Descriptor, descriptor, lends};

/// tokio's stream, with the traits of futures-io.
#[derive(Debug)]
pub struct UnixStream {
    stream: tokio::net::UnixStream,
    untold: [bool; 2],
}

/// What tokio may not have been told of yet.
const READ: usize = 0;
const WRITE: usize = 1;

impl UnixStream {
    pub(in crate::backend::tokio) fn from_std(stream: std_unix::UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { stream: tokio::net::UnixStream::from_std(stream)?, untold: [true; 2] })
    }
}

/// The same stream, to read from and to write to as tokio does.
fn std(stream: &tokio::net::UnixStream) -> io::Result<std_unix::UnixStream> {
    Ok(descriptor(stream).try_clone_to_owned()?.into())
}

/// The traits of futures-io for a type that holds tokio's, in its field `stream`.
macro_rules! read {
    ($type:ty, $it:ident => $stream:expr) => {
        impl AsyncRead for $type {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                if buf.is_empty() {
                    return Poll::Ready(Ok(0));
                }
                let $it = self.get_mut();
                let mut read = ReadBuf::new(buf);
                let untold = std::mem::take(&mut $it.untold[READ]);
                match Pin::new(&mut $it.stream).poll_read(cx, &mut read) {
                    Poll::Pending if untold => poll_untold(cx, || std($stream)?.read(buf)),
                    polled => polled.map_ok(|()| read.filled().len()),
                }
            }
        }
    };
}

macro_rules! write {
    ($type:ty, $it:ident => $stream:expr) => {
        impl AsyncWrite for $type {
            fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
                let $it = self.get_mut();
                let untold = std::mem::take(&mut $it.untold[WRITE]);
                match Pin::new(&mut $it.stream).poll_write(cx, buf) {
                    Poll::Pending if untold => poll_untold(cx, || std($stream)?.write(buf)),
                    polled => polled,
                }
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[io::IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                let $it = self.get_mut();
                let untold = std::mem::take(&mut $it.untold[WRITE]);
                match Pin::new(&mut $it.stream).poll_write_vectored(cx, bufs) {
                    Poll::Pending if untold => poll_untold(cx, || std($stream)?.write_vectored(bufs)),
                    polled => polled,
                }
            }

            fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Pin::new(&mut self.stream).poll_flush(cx)
            }

            fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Pin::new(&mut self.stream).poll_shutdown(cx)
            }
        }
    };
}

read!(UnixStream, it => &it.stream);
write!(UnixStream, it => &it.stream);
lends!([] UnixStream, it => descriptor(&it.stream));

impl runtime::UnixStream for UnixStream {
    type ReadHalf<'a> = ReadHalf<'a>;
    type WriteHalf<'a> = WriteHalf<'a>;
    type OwnedReadHalf = OwnedReadHalf;
    type OwnedWriteHalf = OwnedWriteHalf;

    fn split_mut(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        let untold = self.untold;
        let (read, write) = self.stream.split();
        (ReadHalf { stream: read, untold }, WriteHalf { stream: write, untold })
    }

    fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        let untold = self.untold;
        let (read, write) = self.stream.into_split();
        (OwnedReadHalf { stream: read, untold }, OwnedWriteHalf { stream: write, untold })
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
    untold: [bool; 2],
}

read!(ReadHalf<'_>, it => it.stream.as_ref());

/// The write half of a borrowed stream.
#[derive(Debug)]
pub struct WriteHalf<'a> {
    stream: unix::WriteHalf<'a>,
    untold: [bool; 2],
}

write!(WriteHalf<'_>, it => it.stream.as_ref());

/// The read half of a stream.
#[derive(Debug)]
pub struct OwnedReadHalf {
    stream: unix::OwnedReadHalf,
    untold: [bool; 2],
}

read!(OwnedReadHalf, it => it.stream.as_ref());

/// The write half of a stream; tokio's own closes the write side when it is dropped.
#[derive(Debug)]
pub struct OwnedWriteHalf {
    stream: unix::OwnedWriteHalf,
    untold: [bool; 2],
}

write!(OwnedWriteHalf, it => it.stream.as_ref());

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
        Ok((UnixStream { stream, untold: [false; 2] }, peer.into()))
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, SocketAddr)>> {
        let _context = enter(&self.handle)?;
        self.listener
            .poll_accept(cx)
            .map_ok(|(stream, peer)| (UnixStream { stream, untold: [false; 2] }, peer.into()))
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

    /// As of a UDP socket.
    fn is_untold(&self) -> bool {
        self.socket.try_io(Interest::WRITABLE, || Ok(())).is_err()
    }

    fn std(&self) -> io::Result<std_unix::UnixDatagram> {
        Ok(descriptor(self).try_clone_to_owned()?.into())
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
        let untold = || SockRef::from(&self.socket).send(buf);
        or_untold(self.socket.send(buf), || self.is_untold(), untold).await
    }

    fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.socket.poll_send(cx, buf) {
            Poll::Pending => poll_untold(cx, || SockRef::from(&self.socket).send(buf)),
            ready => ready,
        }
    }

    async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        match untold(self.is_untold(), || self.std()?.recv(buf)).await {
            Some(result) => result,
            None => self.socket.recv(buf).await,
        }
    }

    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut read = ReadBuf::new(buf);
        match self.socket.poll_recv(cx, &mut read) {
            Poll::Pending if self.is_untold() => poll_untold(cx, || self.std()?.recv(buf)),
            polled => polled.map_ok(|()| read.filled().len()),
        }
    }

    async fn send_to<P: AsRef<Path> + Send>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        let path = path.as_ref();
        check(path)?;
        let peer = SockAddr::unix(path)?;
        let told = async {
            tokio::task::consume_budget().await;
            loop {
                self.socket.writable().await?;
                match self.socket.try_send_to(buf, path) {
                    // There may be no room on the other side: that our side has some is no news, and tokio 1.54 tries
                    // again and again.
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        let probe = {
                            let _context = enter(&self.handle)?;
                            tokio::net::UnixDatagram::from_std(probe(path)?)?
                        };
                        probe.writable().await?;
                    }
                    result => return result,
                }
            }
        };
        let untold = || SockRef::from(&self.socket).send_to(buf, &peer);
        or_untold(told, || self.is_untold(), untold).await
    }

    fn poll_send_to<P: AsRef<Path>>(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        path: P,
    ) -> Poll<io::Result<usize>> {
        check(path.as_ref())?;
        let peer = SockAddr::unix(&path)?;
        match self.socket.poll_send_to(cx, buf, path) {
            Poll::Pending => poll_untold(cx, || SockRef::from(&self.socket).send_to(buf, &peer)),
            ready => ready,
        }
    }

    async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        if let Some(result) = untold(self.is_untold(), || self.std()?.recv_from(buf)).await {
            return result;
        }
        let (len, peer) = self.socket.recv_from(buf).await?;
        Ok((len, peer.into()))
    }

    fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        let mut read = ReadBuf::new(buf);
        match self.socket.poll_recv_from(cx, &mut read) {
            Poll::Pending if self.is_untold() => poll_untold(cx, || self.std()?.recv_from(buf)),
            polled => polled.map_ok(|peer| (read.filled().len(), peer.into())),
        }
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
        Self::tokio(UnixStream { stream, untold: [false; 2] })
    }
}
