use std::future::Future;
use std::io;
use std::net::SocketAddr;

use tokio::runtime::Handle;

use super::listener::Listener;
use super::stream::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, Stream, WriteHalf};
use crate::runtime::net::family::{Tcp, listener_items, stream_items};

pub(in crate::backend::tokio) type TcpStream = Stream<Tcp>;
pub(in crate::backend::tokio) type TcpListener = Listener<Tcp>;

impl TcpStream {
    pub(in crate::backend::tokio) async fn finish_connect(handle: &Handle, stream: Tcp) -> io::Result<Self> {
        let stream = {
            let _context = handle.enter();
            tokio::net::TcpStream::from_std(stream)?
        };
        stream.writable().await?;
        match stream.take_error()? {
            Some(error) => Err(error),
            None => Ok(Self::told(stream)),
        }
    }
}

impl crate::runtime::TcpStream for TcpStream {
    type ReadHalf<'a> = ReadHalf<'a, Tcp>;
    type WriteHalf<'a> = WriteHalf<'a, Tcp>;
    type OwnedReadHalf = OwnedReadHalf<Tcp>;
    type OwnedWriteHalf = OwnedWriteHalf<Tcp>;

    stream_items!(std::net::TcpStream);

    async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.io.peek(buf).await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io.peer_addr()
    }

    fn nodelay(&self) -> io::Result<bool> {
        self.io.nodelay()
    }

    fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.io.set_nodelay(nodelay)
    }

    fn ttl(&self) -> io::Result<u32> {
        self.io.ttl()
    }

    fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.io.set_ttl(ttl)
    }
}

impl crate::runtime::TcpListener for TcpListener {
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
