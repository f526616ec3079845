use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use async_io::Async;

use crate::socket::{self, Reactor, Registered, Source};

/// The reactor of async-io, which belongs to the process.
#[derive(Clone, Debug)]
pub struct AsyncIo;

impl Reactor for AsyncIo {
    type Registered<S: Source> = Async<S>;

    fn register<S: Source>(&self, socket: S) -> io::Result<Async<S>> {
        Async::new_nonblocking(socket)
    }
}

impl<S: Source> Registered<S> for Async<S> {
    fn get_ref(&self) -> &S {
        self.get_ref()
    }

    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_readable(cx)
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_writable(cx)
    }

    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send {
        self.readable()
    }

    fn into_inner(self) -> io::Result<S> {
        self.into_inner()
    }
}

pub(crate) type TcpStream = socket::TcpStream<AsyncIo>;
pub(crate) type TcpListener = socket::TcpListener<AsyncIo>;

pub(crate) async fn connect(addr: SocketAddr) -> io::Result<TcpStream> {
    Ok(TcpStream::new(Async::<std::net::TcpStream>::connect(addr).await?))
}
