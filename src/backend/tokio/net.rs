mod udp;
#[cfg(unix)]
mod unix;

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::net::tcp;
use tokio::runtime::{EnterGuard, Handle};

use super::time::pause;
use super::{NO_SOCKETS, is_context_gone};
use crate::runtime::net::{Descriptor, descriptor, lends};

pub(super) use udp::UdpSocket;
#[cfg(unix)]
pub(super) use unix::{UnixDatagram, UnixListener, UnixStream};

/// The context of `handle`, which tokio needs wherever a socket is registered.
fn enter(handle: &Handle) -> io::Result<EnterGuard<'_>> {
    if is_context_gone() { Err(io::Error::other(NO_SOCKETS)) } else { Ok(handle.enter()) }
}

/// Polls `future` inside the context of `handle`.
async fn within<T>(handle: &Handle, future: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let _context = enter(handle)?;
        future.as_mut().poll(cx)
    })
    .await
}

/// Tries what tokio 1.54 has not: it waits for its driver to tell of a socket, also of one that is new (`registration.rs`).
fn poll_untold<T>(cx: &mut Context<'_>, mut operation: impl FnMut() -> io::Result<T>) -> Poll<io::Result<T>> {
    ready!(pin!(tokio::task::consume_budget()).poll(cx));
    loop {
        match operation() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return Poll::Ready(result),
        }
    }
}

/// As [`poll_untold`], once; nothing when tokio is to be asked.
async fn untold<T>(is_untold: bool, mut operation: impl FnMut() -> io::Result<T>) -> Option<io::Result<T>> {
    if !is_untold {
        return None;
    }
    poll_fn(|cx| match poll_untold(cx, &mut operation) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Awaits `told`, and meanwhile tries `operation` in each poll for as long as tokio is untold.
async fn or_untold<T>(
    told: impl Future<Output = io::Result<T>>,
    is_untold: impl Fn() -> bool,
    mut operation: impl FnMut() -> io::Result<T>,
) -> io::Result<T> {
    let mut told = pin!(told);
    poll_fn(|cx| match told.as_mut().poll(cx) {
        Poll::Pending if is_untold() => poll_untold(cx, &mut operation),
        polled => polled,
    })
    .await
}

/// tokio's stream, with the traits of futures-io.
#[derive(Debug)]
pub struct TcpStream {
    stream: tokio::net::TcpStream,
}

impl TcpStream {
    pub(super) async fn finish_connect(handle: &Handle, stream: std::net::TcpStream) -> io::Result<Self> {
        let stream = {
            let _context = handle.enter();
            tokio::net::TcpStream::from_std(stream)?
        };
        stream.writable().await?;
        match stream.take_error()? {
            Some(error) => Err(error),
            None => Ok(Self { stream }),
        }
    }

    pub(super) fn from_std(stream: std::net::TcpStream) -> io::Result<Self> {
        // tokio 1.54 panics about a blocking socket in debug builds and takes it in release.
        stream.set_nonblocking(true)?;
        Ok(Self { stream: tokio::net::TcpStream::from_std(stream)? })
    }
}

/// The traits of futures-io for a type that holds tokio's, in its field `stream`.
macro_rules! read {
    ($type:ty) => {
        impl AsyncRead for $type {
            fn poll_read(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                if buf.is_empty() {
                    return Poll::Ready(Ok(0));
                }
                let mut buf = ReadBuf::new(buf);
                ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buf))?;
                Poll::Ready(Ok(buf.filled().len()))
            }
        }
    };
}

macro_rules! write {
    ($type:ty) => {
        impl AsyncWrite for $type {
            fn poll_write(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut self.stream).poll_write(cx, buf).map_err(crate::runtime::net::write_error)
            }

            fn poll_write_vectored(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[io::IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut self.stream)
                    .poll_write_vectored(cx, bufs)
                    .map_err(crate::runtime::net::write_error)
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

read!(TcpStream);
write!(TcpStream);
lends!([] TcpStream, it => descriptor(&it.stream));
lends!([] TcpListener, it => descriptor(&it.listener));

impl crate::runtime::TcpStream for TcpStream {
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

    async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.stream.peek(buf).await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }

    fn nodelay(&self) -> io::Result<bool> {
        self.stream.nodelay()
    }

    fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.stream.set_nodelay(nodelay)
    }

    fn ttl(&self) -> io::Result<u32> {
        self.stream.ttl()
    }

    fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.stream.set_ttl(ttl)
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        Some(descriptor(self))
    }

    fn into_std(self) -> io::Result<std::net::TcpStream> {
        let stream = self.stream.into_std()?;
        stream.set_nonblocking(false)?;
        Ok(stream)
    }
}

/// The read half of a borrowed stream.
#[derive(Debug)]
pub struct ReadHalf<'a> {
    stream: tcp::ReadHalf<'a>,
}

read!(ReadHalf<'_>);

/// The write half of a borrowed stream.
#[derive(Debug)]
pub struct WriteHalf<'a> {
    stream: tcp::WriteHalf<'a>,
}

write!(WriteHalf<'_>);

/// The read half of a stream.
#[derive(Debug)]
pub struct OwnedReadHalf {
    stream: tcp::OwnedReadHalf,
}

read!(OwnedReadHalf);

/// The write half of a stream; tokio's own closes the write side when it is dropped.
#[derive(Debug)]
pub struct OwnedWriteHalf {
    stream: tcp::OwnedWriteHalf,
}

write!(OwnedWriteHalf);

/// tokio's listener, with the handle whose context an accepted stream is registered in.
#[derive(Debug)]
pub struct TcpListener {
    listener: tokio::net::TcpListener,
    handle: Handle,
}

impl TcpListener {
    pub(super) fn from_std(handle: &Handle, listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let _context = handle.enter();
        let listener = tokio::net::TcpListener::from_std(listener)?;
        Ok(Self { listener, handle: handle.clone() })
    }
}

impl crate::runtime::TcpListener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = within(&self.handle, self.listener.accept()).await?;
        Ok((TcpStream { stream }, peer))
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let _context = enter(&self.handle)?;
        self.listener.poll_accept(cx).map_ok(|(stream, peer)| (TcpStream { stream }, peer))
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        pause(&self.handle, duration)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    fn ttl(&self) -> io::Result<u32> {
        self.listener.ttl()
    }

    fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.listener.set_ttl(ttl)
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        Some(descriptor(self))
    }

    fn into_std(self) -> io::Result<std::net::TcpListener> {
        let listener = self.listener.into_std()?;
        listener.set_nonblocking(false)?;
        Ok(listener)
    }
}

impl From<TcpStream> for crate::net::TcpStream {
    fn from(stream: TcpStream) -> Self {
        Self::tokio(stream)
    }
}

impl From<TcpListener> for crate::net::TcpListener {
    fn from(listener: TcpListener) -> Self {
        Self::tokio(listener)
    }
}

impl From<tokio::net::TcpStream> for crate::net::TcpStream {
    fn from(stream: tokio::net::TcpStream) -> Self {
        Self::tokio(TcpStream { stream })
    }
}

/// The stream comes back when it is of another runtime.
impl TryFrom<crate::net::TcpStream> for tokio::net::TcpStream {
    type Error = crate::net::TcpStream;

    fn try_from(stream: crate::net::TcpStream) -> Result<Self, Self::Error> {
        stream.into_tokio().map(|stream| stream.stream)
    }
}

/// The listener comes back when it is of another runtime.
impl TryFrom<crate::net::TcpListener> for tokio::net::TcpListener {
    type Error = crate::net::TcpListener;

    fn try_from(listener: crate::net::TcpListener) -> Result<Self, Self::Error> {
        listener.into_tokio().map(|listener| listener.listener)
    }
}
