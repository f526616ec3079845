use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use async_io::Async;
use futures_io::{AsyncRead, AsyncWrite};

use crate::coop;

type Socket = Async<std::net::TcpStream>;

/// Tries `operation` on the socket, and waits for the reactor as long as it would block.
fn poll_io<S, T>(
    cx: &mut Context<'_>,
    socket: &Async<S>,
    poll_ready: impl Fn(&Async<S>, &mut Context<'_>) -> Poll<io::Result<()>>,
    mut operation: impl FnMut(&S) -> io::Result<T>,
) -> Poll<io::Result<T>> {
    coop::poll(cx, |cx| {
        loop {
            match operation(socket.get_ref()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => return Poll::Ready(result),
            }
            ready!(poll_ready(socket, cx))?;
        }
    })
}

fn poll_read(socket: &Socket, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
    if buf.is_empty() {
        return Poll::Ready(Ok(0));
    }
    poll_io(cx, socket, Async::poll_readable, |mut socket| socket.read(buf))
}

fn poll_write(socket: &Socket, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
    poll_io(cx, socket, Async::poll_writable, |mut socket| socket.write(buf))
}

fn poll_write_vectored(
    socket: &Socket,
    cx: &mut Context<'_>,
    bufs: &[io::IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    poll_io(cx, socket, Async::poll_writable, |mut socket| socket.write_vectored(bufs))
}

/// Says goodbye to the peer. Nothing waits in a buffer of ours, so there is nothing to flush.
fn close(socket: &Socket) -> io::Result<()> {
    match socket.get_ref().shutdown(Shutdown::Write) {
        // The peer is gone already; async-net 2.0 reports that as an error and tokio does not.
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
        result => result,
    }
}

/// A socket of async-io.
#[derive(Debug)]
pub struct TcpStream {
    socket: Socket,
}

impl TcpStream {
    pub(crate) async fn connect(addr: SocketAddr) -> io::Result<Self> {
        Ok(Self { socket: Socket::connect(addr).await? })
    }

    pub(crate) fn from_std(stream: std::net::TcpStream) -> io::Result<Self> {
        // Sets it to non-blocking.
        Ok(Self { socket: Async::new(stream)? })
    }
}

/// The traits of futures-io for a type that holds a socket, in its field `socket`.
macro_rules! read {
    ($type:ty) => {
        impl AsyncRead for $type {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                poll_read(&self.socket, cx, buf)
            }
        }
    };
}

macro_rules! write {
    ($type:ty) => {
        impl AsyncWrite for $type {
            fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
                poll_write(&self.socket, cx, buf)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[io::IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                poll_write_vectored(&self.socket, cx, bufs)
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(close(&self.socket))
            }
        }
    };
}

read!(TcpStream);
write!(TcpStream);

impl crate::runtime::TcpStream for TcpStream {
    type ReadHalf<'a> = ReadHalf<'a>;
    type WriteHalf<'a> = WriteHalf<'a>;
    type OwnedReadHalf = OwnedReadHalf;
    type OwnedWriteHalf = OwnedWriteHalf;

    fn split_mut(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        (ReadHalf { socket: &self.socket }, WriteHalf { socket: &self.socket })
    }

    fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        let socket = Arc::new(self.socket);
        (OwnedReadHalf { socket: socket.clone() }, OwnedWriteHalf { socket })
    }

    async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        std::future::poll_fn(|cx| poll_io(cx, &self.socket, Async::poll_readable, |socket| socket.peek(buf)))
            .await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get_ref().local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get_ref().peer_addr()
    }

    fn nodelay(&self) -> io::Result<bool> {
        self.socket.get_ref().nodelay()
    }

    fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.socket.get_ref().set_nodelay(nodelay)
    }

    fn ttl(&self) -> io::Result<u32> {
        self.socket.get_ref().ttl()
    }

    fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.socket.get_ref().set_ttl(ttl)
    }

    fn into_std(self) -> io::Result<std::net::TcpStream> {
        let stream = self.socket.into_inner()?;
        stream.set_nonblocking(false)?;
        Ok(stream)
    }
}

/// The read half of a borrowed stream.
#[derive(Debug)]
pub struct ReadHalf<'a> {
    socket: &'a Socket,
}

read!(ReadHalf<'_>);

/// The write half of a borrowed stream.
#[derive(Debug)]
pub struct WriteHalf<'a> {
    socket: &'a Socket,
}

write!(WriteHalf<'_>);

/// The read half of a stream.
#[derive(Debug)]
pub struct OwnedReadHalf {
    socket: Arc<Socket>,
}

read!(OwnedReadHalf);

/// The write half of a stream, which closes the write side when it is dropped.
#[derive(Debug)]
pub struct OwnedWriteHalf {
    socket: Arc<Socket>,
}

write!(OwnedWriteHalf);

impl Drop for OwnedWriteHalf {
    fn drop(&mut self) {
        // An error means that the connection is gone, and with it everybody who could want to know.
        let _ = close(&self.socket);
    }
}

/// A listening socket of async-io.
#[derive(Debug)]
pub struct TcpListener {
    socket: Async<std::net::TcpListener>,
}

impl TcpListener {
    pub(crate) fn from_std(listener: std::net::TcpListener) -> io::Result<Self> {
        Ok(Self { socket: Async::new(listener)? })
    }
}

impl crate::runtime::TcpListener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        // The budget of `poll_io`, around a wait that serves any number of tasks.
        std::future::poll_fn(|cx| coop::poll(cx, |_| Poll::Ready(()))).await;
        let (socket, peer) = self.socket.accept().await?;
        Ok((TcpStream { socket }, peer))
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let (stream, peer) =
            ready!(poll_io(cx, &self.socket, Async::poll_readable, std::net::TcpListener::accept))?;
        Poll::Ready(Ok((TcpStream::from_std(stream)?, peer)))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get_ref().local_addr()
    }

    fn ttl(&self) -> io::Result<u32> {
        self.socket.get_ref().ttl()
    }

    fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.socket.get_ref().set_ttl(ttl)
    }

    fn into_std(self) -> io::Result<std::net::TcpListener> {
        let listener = self.socket.into_inner()?;
        listener.set_nonblocking(false)?;
        Ok(listener)
    }
}
