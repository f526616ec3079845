use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;

use super::{
    Listener, OwnedReadHalf, OwnedWriteHalf, Reactor, ReadHalf, Registered, Stream, Way, WriteHalf,
    poll_stream_io, write_io,
};
use crate::runtime::net::family::{Tcp, listener_items, stream_items};

/// A TCP connection registered with a reactor. For authors of backends; programs use
/// [`net::TcpStream`](crate::net::TcpStream).
pub type TcpStream<R> = Stream<R, std::net::TcpStream>;

/// A TCP listener registered with a reactor. For authors of backends; programs use
/// [`net::TcpListener`](crate::net::TcpListener).
pub type TcpListener<R> = Listener<R, std::net::TcpStream>;

/// Whether a socket that has begun to connect is connected: an error, which is `WouldBlock` when it is not known yet.
fn is_connected(stream: &Tcp) -> io::Result<()> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Err(io::ErrorKind::WouldBlock.into()),
        result => result.map(drop),
    }
}

impl<R: Reactor> TcpStream<R> {
    /// Waits until a non-blocking socket that has begun to connect is connected or has failed; see
    /// [`NetBackend::finish_connect`](crate::runtime::backend::NetBackend::finish_connect).
    ///
    /// # Errors
    ///
    /// The system's.
    pub async fn finish_connect(reactor: &R, stream: std::net::TcpStream) -> io::Result<Self> {
        let socket = reactor.register(stream)?;
        write_io(&socket, is_connected).await?;
        Ok(Self::new(socket))
    }
}

impl<R: Reactor> crate::runtime::TcpStream for TcpStream<R> {
    type ReadHalf<'a> = ReadHalf<'a, R>;
    type WriteHalf<'a> = WriteHalf<'a, R>;
    type OwnedReadHalf = OwnedReadHalf<R>;
    type OwnedWriteHalf = OwnedWriteHalf<R>;

    stream_items!(std::net::TcpStream);

    async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let Self { socket, waits } = self;
        poll_fn(|cx| poll_stream_io(cx, socket, waits, Way::Read, |socket| socket.peek(buf))).await
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
}

impl<R: Reactor> crate::runtime::TcpListener for TcpListener<R> {
    listener_items!(TcpStream<R>, SocketAddr, std::net::TcpListener);

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get_ref().local_addr()
    }

    fn ttl(&self) -> io::Result<u32> {
        self.socket.get_ref().ttl()
    }

    fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.socket.get_ref().set_ttl(ttl)
    }
}
