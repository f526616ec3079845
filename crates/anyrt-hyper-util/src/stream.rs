use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use anyrt::net::TcpStream;
use anyrt::time::Sleep;
use futures_io::AsyncRead;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;

/// A TCP connection, with the I/O traits of hyper.
///
/// Used by [`Connector`](crate::Connector) and [`serve`](crate::serve). Get it back from an upgraded connection with
/// `hyper_util::server::conn::auto::upgrade::downcast::<Stream>` on a server, and `Upgraded::downcast` on a client.
#[derive(Debug)]
pub struct Stream {
    // A read of hyper's buffer without `unsafe` would copy, or clear, all of it.
    io: TokioIo<TcpStream>,
    opening: Option<Opening>,
}

impl Stream {
    /// Returns the connection itself.
    pub fn get_ref(&self) -> &TcpStream {
        self.io.inner()
    }

    /// Returns the connection itself, without hyper's traits.
    pub fn into_inner(self) -> TcpStream {
        self.io.into_inner()
    }

    /// A read fails when `deadline` comes before the bytes that say which version of HTTP this is.
    pub(crate) fn opening(stream: TcpStream, deadline: Option<Sleep>) -> Self {
        let opening = deadline.map(|deadline| Opening { deadline: Box::pin(deadline), seen: 0 });
        Self { io: TokioIo::new(stream), opening }
    }
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        Self::opening(stream, None)
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { io, opening } = &mut *self;
        let Some(started) = opening else { return Pin::new(io).poll_read(cx, buf) };
        if ready!(started.poll_read(io.inner_mut(), cx, buf))? {
            *opening = None;
        }
        Poll::Ready(Ok(()))
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// What HTTP/2 begins with (RFC 9113, 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The beginning of a connection. The auto server of hyper-util 0.1.21 waits for it without a timeout: hyper's own begins when
/// the version is known (`server/conn/auto/mod.rs`, `ReadVersion`).
#[derive(Debug)]
struct Opening {
    deadline: Pin<Box<Sleep>>,
    seen: usize,
}

impl Opening {
    /// Whether it is over.
    fn poll_read(
        &mut self,
        stream: &mut TcpStream,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<bool>> {
        let expected = &PREFACE[self.seen..];
        let expected = &expected[..expected.len().min(buf.remaining())];
        let mut bytes = [0; PREFACE.len()];
        let bytes = &mut bytes[..expected.len()];
        let Poll::Ready(read) = Pin::new(stream).poll_read(cx, bytes) else {
            ready!(self.deadline.as_mut().poll(cx));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        };
        let read = read?;
        buf.put_slice(&bytes[..read]);
        self.seen += read;
        Poll::Ready(Ok(read == 0 || bytes[..read] != expected[..read] || self.seen == PREFACE.len()))
    }
}
