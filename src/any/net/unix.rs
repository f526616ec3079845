use std::future::Future;
use std::io;
#[cfg(feature = "fds")]
use std::os::fd::BorrowedFd;
use std::os::unix::net::{self as std_unix, SocketAddr};
use std::path::Path;
use std::task::{Context, Poll};
use std::time::Duration;

use super::listener::listener;
use super::stream::stream;
use super::{convert, forward, inherent};
use crate::any::custom;
use crate::any::one_of::{OneOf, each};
use crate::backend::{AsyncIoUnixDatagram, AsyncIoUnixListener, AsyncIoUnixStream, MaybeSim, MaybeTokio};
#[cfg(feature = "fds")]
use crate::runtime::RecvFds;
use crate::runtime::net::family::{Listener, Stream, Unix};
use crate::runtime::net::io_traits::{reads, writes};
use crate::runtime::net::path::Incoming;
use crate::runtime::{
    self, Descriptor, Interest, RecvMsg, UCred, UnixNet, fd_tries, read_tries, stream_tries, unix_calls,
    unix_tries, write_tries,
};

type TokioStream = <MaybeTokio as UnixNet>::UnixStream;
type TokioListener = <MaybeTokio as UnixNet>::UnixListener;
type TokioDatagram = <MaybeTokio as UnixNet>::UnixDatagram;
type SimStream = <MaybeSim as UnixNet>::UnixStream;
type SimListener = <MaybeSim as UnixNet>::UnixListener;
type SimDatagram = <MaybeSim as UnixNet>::UnixDatagram;
type AnyStream = OneOf<TokioStream, AsyncIoUnixStream, SimStream, custom::net::UnixStream>;

/// A Unix stream connection on any runtime, with the I/O traits of `futures` and, with feature `tokio-io`, those of
/// tokio.
///
/// This is the `UnixStream` for a program or a library. It stays with the runtime that created it. It keeps the
/// contract of the trait [`runtime::UnixStream`], which is for code that is generic over runtimes.
///
/// `read`, `write_all` and the like come with `use futures::io::{AsyncReadExt, AsyncWriteExt};`, or, with feature
/// `tokio-io`, with `use tokio::io::{AsyncReadExt, AsyncWriteExt};`. Import only one of the two: with both, a call is
/// ambiguous.
///
/// # Panics
///
/// As for a [`TcpStream`](super::TcpStream): `AsFd` panics without a system socket.
///
/// # Examples
///
/// ```
/// use std::io;
///
/// use anyrt::net::UnixStream;
/// use futures::io::AsyncWriteExt;
///
/// async fn greet() -> io::Result<()> {
///     let mut stream = UnixStream::connect("/run/server.sock").await?;
///     stream.write_all(b"hello").await?;
///     stream.close().await
/// }
/// ```
#[derive(Debug)]
pub struct UnixStream {
    inner: AnyStream,
}

impl UnixStream {
    /// Returns the credentials of the peer: user, group and process.
    ///
    /// See [`runtime::UnixStream::peer_cred`].
    pub fn peer_cred(&self) -> io::Result<UCred> {
        each!(&self.inner, it => runtime::UnixStream::peer_cred(it))
    }

    /// Sends bytes, and with the first of them copies of file descriptors.
    ///
    /// See [`runtime::UnixStream::send_with_fds`].
    #[cfg(feature = "fds")]
    pub async fn send_with_fds(&self, buf: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<usize> {
        each!(&self.inner, it => runtime::UnixStream::send_with_fds(it, buf, fds).await)
    }

    /// Receives bytes, and the file descriptors that were sent with them. **A plain read closes them.**
    ///
    /// See [`runtime::UnixStream::recv_with_fds`].
    #[cfg(feature = "fds")]
    pub async fn recv_with_fds(&self, buf: &mut [u8], room: usize) -> io::Result<RecvFds> {
        each!(&self.inner, it => runtime::UnixStream::recv_with_fds(it, buf, room).await)
    }

    fd_tries!(inherent UnixStream);
}

stream!(std_unix::UnixStream: Unix {
    fn peer_cred(&self) -> io::Result<UCred> {
        self.peer_cred()
    }

    #[cfg(feature = "fds")]
    async fn send_with_fds(&self, buf: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<usize> {
        self.send_with_fds(buf, fds).await
    }

    #[cfg(feature = "fds")]
    async fn recv_with_fds(&self, buf: &mut [u8], room: usize) -> io::Result<RecvFds> {
        self.recv_with_fds(buf, room).await
    }

    fd_tries!(forward);
});

/// A Unix socket listener on any runtime.
///
/// This is the `UnixListener` for a program or a library. It stays with the runtime that created it. It keeps the
/// contract of the trait [`runtime::UnixListener`], which is for code that is generic over runtimes.
///
/// # Panics
///
/// As for a [`TcpListener`](super::TcpListener): `AsFd` panics without a system socket.
///
/// # Examples
///
/// ```
/// use std::io;
///
/// use anyrt::net::UnixListener;
/// use futures::io::copy;
///
/// async fn echo() -> io::Result<()> {
///     let listener = UnixListener::bind("/run/server.sock")?;
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
pub struct UnixListener {
    inner: OneOf<TokioListener, AsyncIoUnixListener, SimListener, custom::net::UnixListener>,
}

impl UnixListener {}

listener!(std_unix::UnixListener: Unix => UnixStream {});

/// A Unix datagram socket on any runtime.
///
/// This is the `UnixDatagram` for a program or a library. It stays with the runtime that created it. It keeps the
/// contract of the trait [`runtime::UnixDatagram`], which is for code that is generic over runtimes.
///
/// # Panics
///
/// As for a [`UdpSocket`](super::UdpSocket): `AsFd` panics without a system socket.
///
/// # Examples
///
/// ```
/// use std::io;
///
/// use anyrt::net::UnixDatagram;
///
/// async fn log(line: &str) -> io::Result<usize> {
///     UnixDatagram::unbound()?.send_to(line.as_bytes(), "/dev/log").await
/// }
/// ```
#[derive(Debug)]
pub struct UnixDatagram {
    inner: OneOf<TokioDatagram, AsyncIoUnixDatagram, SimDatagram, custom::net::UnixDatagram>,
}

impl UnixDatagram {
    /// Sets the peer of [`send`](Self::send); datagrams from other addresses are no longer received.
    ///
    /// See [`runtime::UnixDatagram::connect`].
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        each!(&self.inner, it => runtime::UnixDatagram::connect(it, path))
    }

    unix_calls!(inherent UnixDatagram);
    unix_tries!(inherent UnixDatagram);

    /// Receives a datagram, and returns whether it was longer than the buffer.
    ///
    /// See [`runtime::UnixDatagram::recv_msg`].
    pub async fn recv_msg(&self, buf: &mut [u8]) -> io::Result<RecvMsg<SocketAddr>> {
        each!(&self.inner, it => runtime::UnixDatagram::recv_msg(it, buf).await)
    }

    /// Sends a datagram to the socket bound to `path`, without waiting.
    ///
    /// See [`runtime::UnixDatagram::try_send_to`].
    pub fn try_send_to<P: AsRef<Path>>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        each!(&self.inner, it => runtime::UnixDatagram::try_send_to(it, buf, path))
    }

    /// Calls `operation` on the descriptor, without waiting; `WouldBlock` tells the runtime that the descriptor is not
    /// ready.
    ///
    /// See [`runtime::UnixDatagram::try_io`].
    pub fn try_io<T>(&self, interest: Interest, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        each!(&self.inner, it => runtime::UnixDatagram::try_io(it, interest, operation))
    }

    /// Sends a datagram to the socket bound to `path`.
    ///
    /// See [`runtime::UnixDatagram::send_to`].
    pub async fn send_to<P: AsRef<Path> + Send>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        each!(&self.inner, it => runtime::UnixDatagram::send_to(it, buf, path).await)
    }

    /// [`send_to`](Self::send_to) as a poll function, for one task.
    ///
    /// See [`runtime::UnixDatagram::poll_send_to`].
    pub fn poll_send_to<P: AsRef<Path>>(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        path: P,
    ) -> Poll<io::Result<usize>> {
        each!(&self.inner, it => runtime::UnixDatagram::poll_send_to(it, cx, buf, path))
    }

    /// Returns the local address.
    ///
    /// See [`runtime::UnixDatagram::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        each!(&self.inner, it => runtime::UnixDatagram::local_addr(it))
    }

    /// Returns the address of the peer.
    ///
    /// See [`runtime::UnixDatagram::peer_addr`].
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        each!(&self.inner, it => runtime::UnixDatagram::peer_addr(it))
    }

    /// Returns the system's socket, for options that are missing here; `None` if there is no system socket.
    ///
    /// See [`runtime::UnixDatagram::descriptor`].
    pub fn descriptor(&self) -> Option<Descriptor<'_>> {
        each!(&self.inner, it => runtime::UnixDatagram::descriptor(it))
    }

    /// Deregisters it and returns it as a **blocking** one of the standard library.
    ///
    /// See [`runtime::UnixDatagram::into_std`].
    pub fn into_std(self) -> io::Result<std_unix::UnixDatagram> {
        each!(self.inner, it => runtime::UnixDatagram::into_std(it))
    }
}

impl runtime::UnixDatagram for UnixDatagram {
    fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        self.connect(path)
    }

    unix_calls!(forward);
    unix_tries!(forward);

    async fn recv_msg(&self, buf: &mut [u8]) -> io::Result<RecvMsg<SocketAddr>> {
        self.recv_msg(buf).await
    }

    fn try_send_to<P: AsRef<Path>>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        self.try_send_to(buf, path)
    }

    fn try_io<T>(&self, interest: Interest, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.try_io(interest, operation)
    }

    async fn send_to<P: AsRef<Path> + Send>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        self.send_to(buf, path).await
    }

    fn poll_send_to<P: AsRef<Path>>(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        path: P,
    ) -> Poll<io::Result<usize>> {
        self.poll_send_to(cx, buf, path)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.peer_addr()
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        self.descriptor()
    }

    fn into_std(self) -> io::Result<std_unix::UnixDatagram> {
        self.into_std()
    }
}

convert!(UnixStream: TokioStream, AsyncIoUnixStream, SimStream);
convert!(UnixListener: TokioListener, AsyncIoUnixListener, SimListener);
convert!(UnixDatagram: TokioDatagram, AsyncIoUnixDatagram, SimDatagram);
