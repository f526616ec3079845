use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::listener::{self, Listener};
use super::stream::{self, Erases, Io, OwnedReadHalf, OwnedWriteHalf, ReadHalf, Stream, Twins, WriteHalf};
use super::{Boxed, declare, erase, forward};
use crate::runtime::net::Keepalive;
use crate::runtime::net::family::{Tcp, listener_items, stream_items};
use crate::runtime::{self, stream_tries, tcp_options, tcp_required};

pub(crate) type TcpStream = Stream<Tcp>;
pub(crate) type TcpListener = Listener<Tcp>;

/// The object-safe twin of [`runtime::TcpStream`].
pub(crate) trait Erased: stream::Erased<Tcp> {
    fn peek<'a>(&'a mut self, buf: &'a mut [u8]) -> Boxed<'a, io::Result<usize>>;
    tcp_required!(declare);
    tcp_options!(declare);
    stream_tries!(declare);
}

impl<S: runtime::TcpStream> Erased for S {
    fn peek<'a>(&'a mut self, buf: &'a mut [u8]) -> Boxed<'a, io::Result<usize>> {
        Box::pin(runtime::TcpStream::peek(self, buf))
    }

    tcp_required!(erase TcpStream);
    tcp_options!(erase TcpStream);
    stream_tries!(erase TcpStream);
}

/// The object-safe twin of [`runtime::TcpListener`].
pub(crate) trait ErasedListener: listener::Erased<Tcp> {
    fn ttl(&self) -> io::Result<u32>;
    fn set_ttl(&self, ttl: u32) -> io::Result<()>;
}

impl<L: runtime::TcpListener> ErasedListener for L {
    fn ttl(&self) -> io::Result<u32> {
        runtime::TcpListener::ttl(self)
    }

    fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        runtime::TcpListener::set_ttl(self, ttl)
    }
}

impl Twins for Tcp {
    type DynStream = dyn Erased;
    type DynListener = dyn ErasedListener;
}

impl<S: runtime::TcpStream> Erases<S> for Tcp {
    fn erase(stream: S) -> TcpStream {
        Io { io: Box::new(stream) }
    }
}

impl TcpStream {
    pub(in crate::any::custom) fn new<S: runtime::TcpStream>(stream: S) -> Self {
        Tcp::erase(stream)
    }
}

impl TcpListener {
    pub(in crate::any::custom) fn new<L: runtime::TcpListener>(listener: L) -> Self {
        Self { listener: Box::new(listener) }
    }
}

impl runtime::TcpStream for TcpStream {
    type ReadHalf<'a> = ReadHalf<'a, Tcp>;
    type WriteHalf<'a> = WriteHalf<'a, Tcp>;
    type OwnedReadHalf = OwnedReadHalf<Tcp>;
    type OwnedWriteHalf = OwnedWriteHalf<Tcp>;

    stream_items!(std::net::TcpStream);
    stream_tries!(forward);

    async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.io.peek(buf).await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io.peer_addr()
    }

    tcp_required!(forward);
    tcp_options!(forward);
}

impl runtime::TcpListener for TcpListener {
    listener_items!(TcpStream, SocketAddr, std::net::TcpListener);

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    fn ttl(&self) -> io::Result<u32> {
        self.listener.ttl()
    }

    fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.listener.set_ttl(ttl)
    }
}
