use std::future::Future;
use std::io;
use std::net as std_net;
use std::task::{Context, Poll};
use std::time::Duration;

use super::listener::listener;
use super::stream::stream;
use super::{convert, forward, inherent};
use crate::any::custom;
use crate::any::one_of::{OneOf, each};
use crate::backend::{AsyncIoListener, AsyncIoStream, MaybeSim, MaybeTokio};
use crate::runtime::net::family::{Listener, Stream, Tcp};
use crate::runtime::net::io_traits::{reads, writes};
use crate::runtime::net::{Incoming, Keepalive};
use crate::runtime::{
    self, Descriptor, Interest, Net, read_tries, stream_tries, tcp_options, tcp_required, write_tries,
};

type TokioStream = <MaybeTokio as Net>::TcpStream;
type TokioListener = <MaybeTokio as Net>::TcpListener;
type SimStream = <MaybeSim as Net>::TcpStream;
type SimListener = <MaybeSim as Net>::TcpListener;
type AnyStream = OneOf<TokioStream, AsyncIoStream, SimStream, custom::net::TcpStream>;

/// A TCP connection on any runtime, with the I/O traits of `futures` and, with feature `tokio-io`, those of tokio.
///
/// This is the `TcpStream` for a program or a library: [`connect`](Self::connect) connects on the current runtime,
/// [`AnyRuntime::tcp_connect`](crate::Net::tcp_connect) on another. The stream stays with the runtime that created it.
/// It keeps the contract of the trait [`runtime::TcpStream`], which is for code that is generic over runtimes.
///
/// `read`, `write_all` and the like come with `use futures::io::{AsyncReadExt, AsyncWriteExt};`, or, with feature
/// `tokio-io`, with `use tokio::io::{AsyncReadExt, AsyncWriteExt};`. Import only one of the two: with both, a call is
/// ambiguous.
///
/// # Panics
///
/// `AsFd` and `AsSocket` panic if there is no system socket, as in a simulation or on a runtime of your own with a
/// network of its own. There `descriptor` returns `None`.
///
/// # Examples
///
/// ```
/// use std::io;
///
/// use anyrt::net::TcpStream;
/// use futures::io::AsyncWriteExt;
///
/// async fn greet() -> io::Result<()> {
///     let mut stream = TcpStream::connect("localhost:7000").await?;
///     stream.write_all(b"hello").await?;
///     stream.close().await
/// }
/// ```
#[derive(Debug)]
pub struct TcpStream {
    inner: AnyStream,
}

impl TcpStream {
    /// Reads without consuming: the next read returns the same bytes.
    ///
    /// See [`runtime::TcpStream::peek`].
    pub async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        each!(&mut self.inner, it => runtime::TcpStream::peek(it, buf).await)
    }

    tcp_required!(inherent TcpStream);
    tcp_options!(inherent TcpStream);
}

stream!(std_net::TcpStream: Tcp {
    async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.peek(buf).await
    }

    tcp_required!(forward);
    tcp_options!(forward);
});

/// A TCP listener on any runtime.
///
/// This is the `TcpListener` for a program or a library. It stays with the runtime that created it. It keeps the
/// contract of the trait [`runtime::TcpListener`], which is for code that is generic over runtimes.
///
/// # Panics
///
/// `AsFd` and `AsSocket` panic if there is no system socket, as in a simulation or on a runtime of your own with a
/// network of its own. There `descriptor` returns `None`.
///
/// # Examples
///
/// ```
/// use std::io;
///
/// use anyrt::net::TcpListener;
/// use futures::io::copy;
///
/// async fn echo() -> io::Result<()> {
///     let listener = TcpListener::bind("127.0.0.1:7000").await?;
///     loop {
///         let (stream, _peer) = listener.accept().await?;
///         let echo = async move {
///             let (read, mut write) = stream.into_split();
///             copy(read, &mut write).await
///         };
///         anyrt::spawn(echo).detach();
///     }
/// }
/// ```
#[derive(Debug)]
pub struct TcpListener {
    inner: OneOf<TokioListener, AsyncIoListener, SimListener, custom::net::TcpListener>,
}

impl TcpListener {
    /// Returns the time to live of accepted connections (`IP_TTL`).
    ///
    /// See [`runtime::TcpListener::ttl`].
    pub fn ttl(&self) -> io::Result<u32> {
        each!(&self.inner, it => runtime::TcpListener::ttl(it))
    }

    /// Sets `IP_TTL`.
    ///
    /// See [`runtime::TcpListener::set_ttl`].
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        each!(&self.inner, it => runtime::TcpListener::set_ttl(it, ttl))
    }
}

listener!(std_net::TcpListener: Tcp => TcpStream {
    fn ttl(&self) -> io::Result<u32> {
        self.ttl()
    }

    fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.set_ttl(ttl)
    }
});

convert!(TcpStream: TokioStream, AsyncIoStream, SimStream);
convert!(TcpListener: TokioListener, AsyncIoListener, SimListener);
