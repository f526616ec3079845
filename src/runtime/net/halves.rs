use std::fmt;
use std::future::{Future, ready};
use std::io::{self, IoSlice, IoSliceMut};

use futures_io::{AsyncRead, AsyncWrite};

use super::options::no_readiness;
use super::{Descriptor, of};

/// Read half of a stream, TCP or Unix: the trait, for code that is generic over runtimes.
///
/// Other code uses the types of [`net`](crate::net), such as [`net::OwnedReadHalf`](crate::net::OwnedReadHalf), which have the
/// same methods. They mean what those of the whole stream mean: see [`TcpStream`](super::TcpStream).
pub trait ReadHalf: AsyncRead + fmt::Debug + Send + Sync + Sized + Unpin {
    /// The address of a socket: `std::net::SocketAddr`, or that of `std::os::unix::net`.
    type Addr: fmt::Debug + Send + 'static;

    /// Waits until a read may succeed: bytes, the end of the stream or an error.
    ///
    /// See [`TcpStream::readable`](super::TcpStream::readable).
    ///
    /// # Errors
    ///
    /// `Unsupported` if a runtime of your own does not implement it.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// use anyrt::runtime::ReadHalf;
    ///
    /// async fn read<H: ReadHalf>(half: &H, buf: &mut [u8]) -> io::Result<usize> {
    ///     loop {
    ///         half.readable().await?;
    ///         match half.try_read(buf) {
    ///             Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
    ///             read => return read,
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `stream_halves_readable_waits_for_bytes`, `unix_halves_readable_waits_for_bytes`.</details>
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send {
        ready(Err(no_readiness()))
    }

    /// Reads the bytes that have arrived, without waiting; see [`TcpStream::try_read`](super::TcpStream::try_read).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `stream_halves_try_what_is_there`, `unix_halves_try_what_is_there`.</details>
    fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.try_io(|| of::read(self.descriptor(), buf))
    }

    /// [`try_read`](Self::try_read) into several buffers, one after the other, and into the first 1,024 at most.
    fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        if bufs.iter().all(|buf| buf.is_empty()) {
            return Ok(0);
        }
        self.try_io(|| of::read_vectored(self.descriptor(), bufs))
    }

    /// Calls `operation`, which reads by the [`descriptor`](Self::descriptor) and must not block but fail with
    /// `WouldBlock`; see [`TcpStream::try_io`](super::TcpStream::try_io).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `stream_halves_try_io_tells_the_runtime`, `unix_halves_try_io_tells_the_runtime`.</details>
    fn try_io<T>(&self, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        operation()
    }

    /// **Required.** Returns the local address.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `stream_halves_have_the_addresses`, `unix_halves_have_the_addresses`.</details>
    fn local_addr(&self) -> io::Result<Self::Addr>;

    /// **Required.** Returns the address of the peer.
    fn peer_addr(&self) -> io::Result<Self::Addr>;

    /// Returns the system's socket; see [`TcpStream::descriptor`](super::TcpStream::descriptor).
    fn descriptor(&self) -> Option<Descriptor<'_>> {
        None
    }
}

/// Write half of a stream, TCP or Unix: the trait, for code that is generic over runtimes.
///
/// Other code uses the types of [`net`](crate::net), such as [`net::OwnedWriteHalf`](crate::net::OwnedWriteHalf), which have
/// the same methods. They mean what those of the whole stream mean: see [`TcpStream`](super::TcpStream).
pub trait WriteHalf: AsyncWrite + fmt::Debug + Send + Sync + Sized + Unpin {
    /// The address of a socket: `std::net::SocketAddr`, or that of `std::os::unix::net`.
    type Addr: fmt::Debug + Send + 'static;

    /// Waits until a write may succeed; see [`TcpStream::writable`](super::TcpStream::writable).
    ///
    /// # Errors
    ///
    /// `Unsupported` if a runtime of your own does not implement it.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `stream_halves_writable_waits_for_room`, `unix_halves_writable_waits_for_room`.</details>
    fn writable(&self) -> impl Future<Output = io::Result<()>> + Send {
        ready(Err(no_readiness()))
    }

    /// Writes as much as fits into the send buffer, without waiting; see
    /// [`TcpStream::try_write`](super::TcpStream::try_write).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `stream_halves_try_what_is_there`, `unix_halves_try_what_is_there`.</details>
    fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.try_io(|| of::write(self.descriptor(), buf))
    }

    /// [`try_write`](Self::try_write) of several buffers, one after the other, and of the first 1,024 at most.
    fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        if bufs.iter().all(|buf| buf.is_empty()) {
            return Ok(0);
        }
        self.try_io(|| of::write_vectored(self.descriptor(), bufs))
    }

    /// Calls `operation`, which writes by the [`descriptor`](Self::descriptor) and must not block but fail with
    /// `WouldBlock`; see [`TcpStream::try_io`](super::TcpStream::try_io).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `stream_halves_try_io_tells_the_runtime`, `unix_halves_try_io_tells_the_runtime`.</details>
    fn try_io<T>(&self, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        operation()
    }

    /// **Required.** Returns the local address.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `stream_halves_have_the_addresses`, `unix_halves_have_the_addresses`.</details>
    fn local_addr(&self) -> io::Result<Self::Addr>;

    /// **Required.** Returns the address of the peer.
    fn peer_addr(&self) -> io::Result<Self::Addr>;

    /// Returns the system's socket; see [`TcpStream::descriptor`](super::TcpStream::descriptor).
    fn descriptor(&self) -> Option<Descriptor<'_>> {
        None
    }
}
