use std::fmt;
use std::future::{Future, ready};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::AsFd;
#[cfg(feature = "fds")]
use std::os::fd::BorrowedFd;
use std::os::unix::net::{self as std_unix, SocketAddr};
use std::path::Path;
use std::task::{Context, Poll};
use std::time::Duration;

use cfg_if::cfg_if;
use futures_io::{AsyncRead, AsyncWrite};

use super::async_fd::cannot_watch;
use super::options::{no_peer_cred, no_readiness};
use super::recv_msg::longer;
use super::{AsyncFd, Descriptor, Interest, ReadHalf, RecvMsg, ReuniteError, UCred, WriteHalf, of};
#[cfg(feature = "fds")]
use super::{RecvFds, fds, try_io};
use crate::runtime::Spawn;
use crate::runtime::backend::UnixNetBackend;
use crate::runtime::net::path::{Incoming, addr};

/// Unix sockets: streams, listeners and datagrams, on Unix.
///
/// An address is a path. If a path is too long or contains a NUL, each method that takes one returns an error of kind
/// `InvalidInput`, which contains the path and the maximum length on this system (107 bytes on Linux, 103 on macOS and
/// the BSDs). (tokio, smol and async-std have three kinds for it.) Errors of connecting and binding contain the path,
/// and the system's error as their source. Dropping a socket does not remove its file: call
/// [`unix_remove`](Self::unix_remove) before you bind again.
///
/// On Linux and Android a path that begins with a NUL is an abstract name, of which there is no file: `"\0name"`, as tokio takes
/// it. Any bytes may follow, 107 at most, and it is free again when its socket is dropped. Elsewhere it is `InvalidInput`.
///
/// Sockets that outlive their runtime behave like those of [`Net`](super::Net).
///
/// <details><summary>Scenarios</summary>
///
/// `unix_bad_paths_are_invalid_input`, `unix_abstract_names_have_no_file`, `unix_file_stays`, `unix_without_a_handle`,
/// `unix_sockets_outlive_a_shutdown`, `unix_sockets_that_wait_outlive_their_runtime`,
/// `unix_sockets_that_wait_outlive_a_shutdown`.</details>
///
/// # For authors of backends
///
/// Implement [`UnixNetBackend`], and name the types of the sockets here; see [`runtime::backend`](super::super::backend).
pub trait UnixNet: Spawn + UnixNetBackend {
    /// A connection.
    type UnixStream: UnixStream;
    /// A Unix socket listener.
    type UnixListener: UnixListener<Stream = Self::UnixStream>;
    /// A Unix datagram socket.
    type UnixDatagram: UnixDatagram;

    /// Connects to the socket that listens at a path.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the socket; the peer may have accepted the connection by then.
    ///
    /// # Errors
    ///
    /// The system's: `NotFound` if there is no file, `ConnectionRefused` if nobody listens at it. `InvalidInput` for a
    /// path that is empty, too long or contains a NUL. If the listener's backlog is full, on which Linux does not wait:
    /// `ConnectionRefused`, as on other systems, with a message that says so; try again later. (tokio returns
    /// `WouldBlock` here, smol and async-std `NotConnected`.)
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// async fn dial<R: anyrt::runtime::UnixNet>(runtime: R) -> io::Result<R::UnixStream> {
    ///     runtime.unix_connect("/run/server.sock").await
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_stream_round_trip`, `unix_connect_errors_have_their_kinds`,
    /// `unix_connect_to_a_full_queue_is_refused`, `unix_connect_from_a_plain_thread`.</details>
    fn unix_connect<P: AsRef<Path>>(
        &self,
        path: P,
    ) -> impl Future<Output = io::Result<Self::UnixStream>> + Send + '_ {
        self.unix_connect_path(path.as_ref().to_owned())
    }

    /// Listens at a path. The file must not exist yet. The backlog is 1024 connections, or the system's limit if that
    /// is lower.
    ///
    /// # Errors
    ///
    /// The system's: `AddrInUse` if the file exists, even if nobody listens at it any more, `NotFound` if the directory
    /// does not exist. `InvalidInput` for a path that is too long or contains a NUL.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// use anyrt::runtime::{UnixListener, UnixNet};
    ///
    /// async fn serve<R: UnixNet>(runtime: R) -> io::Result<()> {
    ///     let listener = runtime.unix_bind("/run/server.sock")?;
    ///     loop {
    ///         let (stream, _) = listener.accept().await?;
    ///         drop(stream);
    ///     }
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_bind_errors_have_their_kinds`, `unix_bind_from_a_plain_thread`.</details>
    fn unix_bind<P: AsRef<Path>>(&self, path: P) -> io::Result<Self::UnixListener> {
        self.unix_bind_path(path.as_ref())
    }

    /// Creates two streams that are connected to each other.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_pair_is_connected`.</details>
    fn unix_pair(&self) -> io::Result<(Self::UnixStream, Self::UnixStream)> {
        let (a, b) = std_unix::UnixStream::pair()?;
        Ok((self.unix_stream_from_std(a)?, self.unix_stream_from_std(b)?))
    }

    /// Binds a datagram socket to a path. The file must not exist yet.
    ///
    /// # Errors
    ///
    /// As [`unix_bind`](Self::unix_bind).
    fn unix_datagram_bind<P: AsRef<Path>>(&self, path: P) -> io::Result<Self::UnixDatagram> {
        self.unix_datagram_bind_path(path.as_ref())
    }

    /// Creates a datagram socket without an address; peers cannot answer it.
    fn unix_datagram_unbound(&self) -> io::Result<Self::UnixDatagram> {
        self.unix_datagram_from_std(std_unix::UnixDatagram::unbound()?)
    }

    /// Creates two datagram sockets that are connected to each other.
    fn unix_datagram_pair(&self) -> io::Result<(Self::UnixDatagram, Self::UnixDatagram)> {
        let (a, b) = std_unix::UnixDatagram::pair()?;
        Ok((self.unix_datagram_from_std(a)?, self.unix_datagram_from_std(b)?))
    }

    /// Removes the file of a Unix socket, so that the path can be bound again. The socket itself, if it still exists, keeps
    /// its connections.
    ///
    /// With the system's sockets this is [`std::fs::remove_file`], for a socket only. In a simulation each host has paths
    /// of its own, which `std::fs` does not know: remove them with this.
    ///
    /// # Errors
    ///
    /// The system's, such as `NotFound`. `InvalidInput` if the file is not a socket; then it stays.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// use anyrt::runtime::UnixNet;
    ///
    /// fn listen<R: UnixNet>(runtime: &R, path: &str) -> io::Result<R::UnixListener> {
    ///     // Of the process that ran before.
    ///     let _ = runtime.unix_remove(path);
    ///     runtime.unix_bind(path)
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_removed_path_can_be_bound_again`.</details>
    fn unix_remove<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        self.unix_remove_path(path.as_ref())
    }

    /// Converts a connection of the standard library, blocking or non-blocking.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_from_blocking_std_sockets`, `unix_from_std_on_a_plain_thread`.</details>
    fn unix_stream_from_std(&self, stream: std_unix::UnixStream) -> io::Result<Self::UnixStream> {
        self.adopt_unix_stream(stream)
    }

    /// Converts a listener of the standard library, blocking or non-blocking.
    fn unix_listener_from_std(&self, listener: std_unix::UnixListener) -> io::Result<Self::UnixListener> {
        self.adopt_unix_listener(listener)
    }

    /// Converts a datagram socket of the standard library, blocking or non-blocking.
    fn unix_datagram_from_std(&self, socket: std_unix::UnixDatagram) -> io::Result<Self::UnixDatagram> {
        self.adopt_unix_datagram(socket)
    }

    /// Watches a non-blocking file descriptor of your own; see [`AsyncFd`].
    ///
    /// # Errors
    ///
    /// The system's: `PermissionDenied` for a descriptor that Linux cannot watch, such as that of a regular file; the
    /// error says what to use instead. `Unsupported` in a simulation, which has no descriptors, and on a runtime of your
    /// own that does not implement [`watch_fd`](UnixNetBackend::watch_fd).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io::{self, Read};
    /// use std::os::unix::net::UnixStream;
    ///
    /// use anyrt::runtime::{Interest, UnixNet};
    ///
    /// async fn first<R: UnixNet>(runtime: R, port: UnixStream) -> io::Result<u8> {
    ///     port.set_nonblocking(true)?;
    ///     let (port, mut byte) = (runtime.async_fd(port)?, [0]);
    ///     port.async_io(Interest::Readable, |mut port| port.read_exact(&mut byte)).await?;
    ///     Ok(byte[0])
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `fd_readable_waits_for_bytes`, `fd_of_a_file_is_an_error`.</details>
    fn async_fd<T: AsFd>(&self, fd: T) -> io::Result<AsyncFd<T>> {
        let watch = self.watch_fd(fd.as_fd().try_clone_to_owned()?).map_err(cannot_watch)?;
        Ok(AsyncFd::watched(fd, watch))
    }
}

/// A Unix stream connection: the trait, for code that is generic over runtimes.
///
/// Other code uses the type [`net::UnixStream`](crate::net::UnixStream), which works on every runtime and has the same
/// methods. The trait extends the I/O traits of `futures`: `read`, `write_all` and the like come with
/// `use futures::io::{AsyncReadExt, AsyncWriteExt};`.
///
/// Reading, writing, closing and splitting work as for a [`TcpStream`](super::TcpStream), except that a peer that is
/// gone is the end of the stream instead of a reset.
///
/// <details><summary>Scenarios</summary>
///
/// `unix_stream_round_trip`, `unix_close_sends_eof`, `unix_close_twice_is_ok`,
/// `unix_read_into_nothing_is_zero`, `unix_big_transfer_is_intact`, `unix_read_wakes_the_last_waker`,
/// `unix_read_is_cancel_safe`, `unix_busy_stream_starves_no_timer`, `unix_idle_reader_burns_no_polls`,
/// `unix_works_on_a_plain_thread`.</details>
pub trait UnixStream: AsyncRead + AsyncWrite + fmt::Debug + Send + Sync + Sized + Unpin + 'static {
    /// Read half of [`split_mut`](Self::split_mut).
    type ReadHalf<'a>: ReadHalf<Addr = SocketAddr> + 'a;
    /// Write half of [`split_mut`](Self::split_mut).
    type WriteHalf<'a>: WriteHalf<Addr = SocketAddr> + 'a;
    /// Read half of [`into_split`](Self::into_split).
    type OwnedReadHalf: ReadHalf<Addr = SocketAddr> + 'static;
    /// Write half of [`into_split`](Self::into_split).
    type OwnedWriteHalf: WriteHalf<Addr = SocketAddr> + 'static;

    /// **Required.** Splits the stream into borrowed halves, to read and write at the same time within one task.
    /// Dropping a half has no effect.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_split_mut_reads_and_writes_at_once`.</details>
    fn split_mut(&mut self) -> (Self::ReadHalf<'_>, Self::WriteHalf<'_>);

    /// **Required.** Splits the stream into owned halves, to read and write at the same time from two tasks.
    ///
    /// Dropping the write half closes the write side, as `close` does: the peer reads the end of the stream. The
    /// connection ends when both halves are dropped.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_dropping_the_write_half_sends_eof`, `unix_into_split_serves_two_tasks`.</details>
    fn into_split(self) -> (Self::OwnedReadHalf, Self::OwnedWriteHalf);

    /// Reunites the halves of [`into_split`](Self::into_split). Nothing is sent, and the connection stays open.
    ///
    /// # Errors
    ///
    /// Returns both halves if they are not of the same stream, or if a runtime of your own does not implement it.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_halves_reunite`.</details>
    fn reunite(
        read: Self::OwnedReadHalf,
        write: Self::OwnedWriteHalf,
    ) -> Result<Self, ReuniteError<Self::OwnedReadHalf, Self::OwnedWriteHalf>> {
        Err(ReuniteError(read, write))
    }

    /// Waits until a read may succeed: bytes, the end of the stream or an error.
    ///
    /// See [`TcpStream::readable`](super::TcpStream::readable).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_readable_waits_for_bytes`, `unix_readable_wakes_everybody`,
    /// `unix_readable_sees_the_end`, `unix_readable_starves_no_timer`.</details>
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send {
        ready(Err(no_readiness()))
    }

    /// Waits until a write may succeed; otherwise as [`readable`](Self::readable).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_writable_waits_for_room`.</details>
    fn writable(&self) -> impl Future<Output = io::Result<()>> + Send {
        ready(Err(no_readiness()))
    }

    /// Reads the bytes that have arrived, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if nothing has arrived, or if the runtime has not noticed it yet: await
    /// [`readable`](Self::readable) and try again. `Ok(0)` is the end of the stream, or an empty buffer.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_try_read_takes_what_is_there`, `unix_first_try_waits_for_nothing`.</details>
    fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.try_io(Interest::Readable, || of::read(self.descriptor(), buf))
    }

    /// [`try_read`](Self::try_read) into several buffers, one after the other, and into the first 1,024 at most.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_try_takes_several_buffers`.</details>
    fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        if bufs.iter().all(|buf| buf.is_empty()) {
            return Ok(0);
        }
        self.try_io(Interest::Readable, || of::read_vectored(self.descriptor(), bufs))
    }

    /// Writes as much as fits into the send buffer, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if the send buffer is full, or if the runtime has not noticed yet that it has room: await
    /// [`writable`](Self::writable) and try again.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_try_write_finds_room`.</details>
    fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.try_io(Interest::Writable, || of::write(self.descriptor(), buf))
    }

    /// [`try_write`](Self::try_write) of several buffers, one after the other, and of the first 1,024 at most.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_try_takes_several_buffers`.</details>
    fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        if bufs.iter().all(|buf| buf.is_empty()) {
            return Ok(0);
        }
        self.try_io(Interest::Writable, || of::write_vectored(self.descriptor(), bufs))
    }

    /// Calls `operation`, which works on the [`descriptor`](Self::descriptor) and must not block but fail with
    /// `WouldBlock`. That error tells the runtime that the stream is not ready; see
    /// [`UdpSocket::try_io`](super::UdpSocket::try_io).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_try_io_would_block_and_then_waits`.</details>
    fn try_io<T>(&self, interest: Interest, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let _ = interest;
        operation()
    }

    /// Sends bytes, and with the first of them copies of file descriptors (`SCM_RIGHTS` of unix(7)). The receiver takes both
    /// with [`recv_with_fds`](Self::recv_with_fds). Both methods take `&self`: an `Arc` shares the stream between tasks that send
    /// and tasks that receive. They need feature `fds`.
    ///
    /// It returns how many bytes were sent. If that is not all of them, the descriptors are sent nevertheless: send the rest
    /// without. At most 253 descriptors go with one call, as on Linux.
    ///
    /// On macOS, keep the descriptors open until the receiver has them: a connection whose last descriptor is on its way may be
    /// lost there (nodejs/node#7512).
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has sent nothing.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for descriptors with an empty buffer, and for more than 253. `Unsupported` on a runtime of your own whose
    /// streams lend no [`descriptor`](Self::descriptor).
    ///
    /// # Examples
    ///
    /// Pass a socket that listens to another process:
    ///
    /// ```
    /// use std::io;
    /// use std::os::fd::AsFd;
    ///
    /// use anyrt::runtime::{UnixNet, UnixStream};
    /// use futures::io::AsyncWriteExt;
    ///
    /// async fn hand_over<R: UnixNet>(runtime: R, listener: std::net::TcpListener) -> io::Result<()> {
    ///     let mut successor = runtime.unix_connect("/run/server.sock").await?;
    ///     let message = b"here is the listener";
    ///     let sent = successor.send_with_fds(message, &[listener.as_fd()]).await?;
    ///     successor.write_all(&message[sent..]).await
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_fds_work_on_the_other_side`, `unix_fds_are_sent_once`, `unix_fds_of_a_cancelled_send_stay`,
    /// `unix_fds_without_a_byte_are_invalid_input`.</details>
    #[cfg(feature = "fds")]
    fn send_with_fds(
        &self,
        buf: &[u8],
        fds: &[BorrowedFd<'_>],
    ) -> impl Future<Output = io::Result<usize>> + Send {
        try_io(|| self.try_send_with_fds(buf, fds), || self.writable())
    }

    /// Receives bytes, and the file descriptors that were sent with them, as many as there is `room` for.
    ///
    /// Descriptors come with the first byte that they were sent with. No receive goes on beyond the bytes of one
    /// [`send_with_fds`](Self::send_with_fds), so descriptors of two sends never come together. **A plain read closes the
    /// descriptors** that were sent with what it reads; the bytes behind them are there for the next read. If there is room for fewer than
    /// have come, the others are closed, and [`truncated`](RecvFds::truncated) is true. Credentials of the sender take none of that room
    /// (`SO_PASSCRED` of unix(7)).
    ///
    /// An empty buffer receives nothing, at once.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has received nothing: neither bytes nor descriptors are lost.
    ///
    /// # Errors
    ///
    /// Those of reading. `Unsupported` as for [`send_with_fds`](Self::send_with_fds).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{io, net::TcpListener};
    ///
    /// use anyrt::runtime::{RecvFds, UnixStream};
    ///
    /// async fn take_over<S: UnixStream>(predecessor: S) -> io::Result<TcpListener> {
    ///     let RecvFds { mut fds, .. } = predecessor.recv_with_fds(&mut [0; 64], 1).await?;
    ///     Ok(fds.pop().ok_or(io::ErrorKind::UnexpectedEof)?.into())
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_fds_work_on_the_other_side`, `unix_fds_keep_their_place`, `unix_fds_without_room_are_closed`,
    /// `unix_fds_outlive_a_cancelled_receive`, `unix_fds_starve_no_timer`, `unix_fds_hide_no_bytes`,
    /// `unix_fds_come_with_credentials`.</details>
    #[cfg(feature = "fds")]
    fn recv_with_fds(&self, buf: &mut [u8], room: usize) -> impl Future<Output = io::Result<RecvFds>> + Send {
        try_io(move || self.try_recv_with_fds(buf, room), || self.readable())
    }

    /// [`send_with_fds`](Self::send_with_fds) without waiting; see [`try_write`](Self::try_write).
    ///
    /// A runtime with a network of its own implements this one: `send_with_fds` calls it, also through
    /// [`AnyRuntime`](crate::AnyRuntime).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_fds_try_waits_for_nothing`.</details>
    #[cfg(feature = "fds")]
    fn try_send_with_fds(&self, buf: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<usize> {
        if fds.is_empty() {
            return self.try_write(buf);
        }
        fds::check(buf, fds)?;
        self.try_io(Interest::Writable, || fds::send(self.descriptor(), buf, fds))
    }

    /// [`recv_with_fds`](Self::recv_with_fds) without waiting; see [`try_read`](Self::try_read).
    ///
    /// A runtime with a network of its own implements this one: `recv_with_fds` calls it, also through
    /// [`AnyRuntime`](crate::AnyRuntime).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_fds_try_waits_for_nothing`.</details>
    #[cfg(feature = "fds")]
    fn try_recv_with_fds(&self, buf: &mut [u8], room: usize) -> io::Result<RecvFds> {
        if buf.is_empty() {
            return Ok(RecvFds::new(0, Vec::new(), false));
        }
        self.try_io(Interest::Readable, || fds::recv(self.descriptor(), buf, room))
    }

    /// **Required.** Returns the local address. It is unnamed unless the socket was bound to a path or name.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_addresses_match`.</details>
    fn local_addr(&self) -> io::Result<SocketAddr>;

    /// **Required.** Returns the address of the peer.
    fn peer_addr(&self) -> io::Result<SocketAddr>;

    /// Returns the credentials of the peer: user, group and process (`SO_PEERCRED`).
    ///
    /// They are those of the process that connected, or that called `bind` or `pair`, at that time. In a simulation
    /// every peer has user 0, group 0 and no process.
    ///
    /// # Errors
    ///
    /// `Unsupported` on systems other than Linux and Android, and if a runtime of your own does not implement it.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_peer_cred_tells_who_it_is`.</details>
    fn peer_cred(&self) -> io::Result<UCred> {
        Err(no_peer_cred())
    }

    /// Returns the system's socket; see [`TcpStream::descriptor`](super::TcpStream::descriptor).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_sockets_lend_their_descriptors`.</details>
    fn descriptor(&self) -> Option<Descriptor<'_>> {
        None
    }

    /// **Required.** Deregisters the connection and returns it as a **blocking** one of the standard library.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_into_std_blocks`.</details>
    fn into_std(self) -> io::Result<std_unix::UnixStream>;
}

/// A Unix socket listener.
///
/// This is the trait, for code that is generic over runtimes. Other code uses the type
/// [`net::UnixListener`](crate::net::UnixListener), which works on every runtime and has the same methods.
///
/// # Dropping
///
/// Dropping the listener closes the socket and ends connections that were not accepted. The file stays.
///
/// # For authors of backends
///
/// The last method, `sleep`, is for backends.
pub trait UnixListener: fmt::Debug + Send + Sync + Sized + Unpin + 'static {
    /// Connection returned by [`accept`](Self::accept).
    type Stream: UnixStream;

    /// **Required.** Waits for a connection and accepts it. Any number of tasks may wait at once.
    ///
    /// # Cancel safety
    ///
    /// No connection is lost.
    ///
    /// # Errors
    ///
    /// The system's error, such as too many open files. The listener stays usable.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_accept_serves_every_waiter`, `unix_accept_is_cancel_safe`.</details>
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, SocketAddr)>> + Send;

    /// **Required.** [`accept`](Self::accept) as a poll function, for **one** task: only the last one that
    /// polled is woken.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_poll_accept_wakes_the_last_waker`, `unix_displaced_pollers_are_not_woken`.</details>
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Self::Stream, SocketAddr)>>;

    /// Returns an endless `Stream` of connections; see [`TcpListener::incoming`](super::TcpListener::incoming).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_incoming_yields_every_connection`.</details>
    fn incoming(&mut self) -> Incoming<'_, Self> {
        Incoming::new(self)
    }

    /// **Required.** Returns the local address.
    fn local_addr(&self) -> io::Result<SocketAddr>;

    /// Returns the system's socket; see [`TcpStream::descriptor`](super::TcpStream::descriptor).
    fn descriptor(&self) -> Option<Descriptor<'_>> {
        None
    }

    /// **Required.** Deregisters the listener and returns it as a **blocking** one of the standard library.
    fn into_std(self) -> io::Result<std_unix::UnixListener>;

    /// **Required.** Creates a timer of the listener's runtime, which [`incoming`](Self::incoming) uses to wait.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static;
}

/// A Unix datagram socket.
///
/// This is the trait, for code that is generic over runtimes. Other code uses the type
/// [`net::UnixDatagram`](crate::net::UnixDatagram), which works on every runtime and has the same methods.
///
/// As with a [`UdpSocket`](super::UdpSocket), all methods take `&self`, any number of tasks may await, one task in each
/// direction may poll, and the part of a datagram that does not fit the buffer is lost. Unlike UDP, no datagram is lost
/// on the way: a sender waits while the receiver's queue is full, and only then. (macOS reports a full queue as an
/// error.)
///
/// # Cancel safety
///
/// A receive that did not complete has consumed nothing; a send that did not complete has sent nothing.
///
/// <details><summary>Scenarios</summary>
///
/// `unix_datagram_round_trip`, `unix_datagram_truncates_and_loses_the_rest`,
/// `unix_datagram_receive_serves_every_waiter`, `unix_datagram_sender_waits_for_room`, `unix_datagram_send_to_waits_for_room`,
/// `unix_datagram_send_finds_some_room`, `unix_displaced_pollers_are_not_woken`, `unix_first_poll_finds_what_is_there`,
/// `unix_first_send_waits_for_nothing`, `unix_datagram_poll_wakes_the_last_waker`,
/// `unix_datagram_busy_socket_starves_no_timer`.</details>
pub trait UnixDatagram: fmt::Debug + Send + Sync + Sized + Unpin + 'static {
    /// **Required.** Sets the peer of [`send`](Self::send); datagrams from other addresses are no longer received.
    ///
    /// # Errors
    ///
    /// As [`unix_connect`](UnixNet::unix_connect).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_datagram_connected_round_trip`.</details>
    fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()>;

    /// **Required.** Sends a datagram to the connected peer.
    fn send(&self, buf: &[u8]) -> impl Future<Output = io::Result<usize>> + Send;

    /// **Required.** [`send`](Self::send) as a poll function.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_datagram_poll_forms_round_trip`.</details>
    fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>>;

    /// **Required.** Receives a datagram; only from the peer if the socket is connected.
    fn recv(&self, buf: &mut [u8]) -> impl Future<Output = io::Result<usize>> + Send;

    /// **Required.** [`recv`](Self::recv) as a poll function.
    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>;

    /// **Required.** Sends a datagram to the socket bound to `path`.
    ///
    /// # Errors
    ///
    /// As [`unix_connect`](UnixNet::unix_connect).
    fn send_to<P: AsRef<Path> + Send>(
        &self,
        buf: &[u8],
        path: P,
    ) -> impl Future<Output = io::Result<usize>> + Send;

    /// **Required.** [`send_to`](Self::send_to) as a poll function.
    ///
    /// While the receiver's queue is full, the task is woken again and again, because the system cannot watch the queue
    /// for an unconnected socket: prefer [`connect`](Self::connect) and [`poll_send`](Self::poll_send).
    fn poll_send_to<P: AsRef<Path>>(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        path: P,
    ) -> Poll<io::Result<usize>>;

    /// **Required.** Receives a datagram, and returns the sender's address.
    fn recv_from(&self, buf: &mut [u8]) -> impl Future<Output = io::Result<(usize, SocketAddr)>> + Send;

    /// **Required.** [`recv_from`](Self::recv_from) as a poll function.
    fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>>;

    /// Receives a datagram, and returns whether it was longer than the buffer.
    ///
    /// Each call allocates a longer buffer and copies the datagram from it; [`recv_from`](Self::recv_from) does
    /// neither.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// use anyrt::runtime::UnixDatagram;
    ///
    /// async fn request<S: UnixDatagram>(socket: &S, buf: &mut [u8]) -> io::Result<usize> {
    ///     loop {
    ///         let message = socket.recv_msg(buf).await?;
    ///         if !message.truncated {
    ///             return Ok(message.len);
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_datagram_recv_msg_tells_of_a_truncated_datagram`.</details>
    fn recv_msg(&self, buf: &mut [u8]) -> impl Future<Output = io::Result<RecvMsg<SocketAddr>>> + Send {
        async move {
            let mut whole = longer(buf.len());
            let (len, addr) = self.recv_from(&mut whole).await?;
            Ok(RecvMsg::copied(&whole[..len], addr, buf))
        }
    }

    /// Waits until a receive may find something; see [`UdpSocket::readable`](super::UdpSocket::readable).
    ///
    /// # Errors
    ///
    /// `Unsupported` if a runtime of your own does not implement it.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_datagram_readable_waits_for_a_datagram`.</details>
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send {
        ready(Err(no_readiness()))
    }

    /// [`readable`](Self::readable) as a poll function; it shares its waker slot with the poll functions that receive.
    fn poll_recv_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let _ = cx;
        Poll::Ready(Err(no_readiness()))
    }

    /// Waits until a send may succeed: if the socket is connected, until the peer's queue has room.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_datagram_writable_waits_for_room`.</details>
    fn writable(&self) -> impl Future<Output = io::Result<()>> + Send {
        ready(Err(no_readiness()))
    }

    /// [`writable`](Self::writable) as a poll function; it shares its waker slot with the poll functions that send.
    fn poll_send_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let _ = cx;
        Poll::Ready(Err(no_readiness()))
    }

    /// Calls `operation`, which works on the [`descriptor`](Self::descriptor) and must not block but fail with
    /// `WouldBlock`; see [`UdpSocket::try_io`](super::UdpSocket::try_io).
    fn try_io<T>(&self, interest: Interest, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let _ = interest;
        operation()
    }

    /// Sends a datagram to the connected peer, without waiting; see
    /// [`UdpSocket::try_send`](super::UdpSocket::try_send).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `unix_datagram_tries_wait_for_nothing`.</details>
    fn try_send(&self, buf: &[u8]) -> io::Result<usize> {
        self.try_io(Interest::Writable, || of::write(self.descriptor(), buf))
    }

    /// Sends a datagram to the socket bound to `path`, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if the own send buffer or the receiver's queue is full. [`writable`](Self::writable) waits for the
    /// receiver's queue only if the socket is connected to it; [`send_to`](Self::send_to) waits for both.
    fn try_send_to<P: AsRef<Path>>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        let to = addr(path.as_ref())?;
        self.try_io(Interest::Writable, || of::send_to(self.descriptor(), buf, &to))
    }

    /// Receives a datagram that has arrived, without waiting; see [`UdpSocket::try_recv`](super::UdpSocket::try_recv).
    fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.try_io(Interest::Readable, || of::read(self.descriptor(), buf))
    }

    /// [`try_recv`](Self::try_recv) that also returns the sender's address.
    fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.try_io(Interest::Readable, || of::unix_recv_from(self.descriptor(), buf))
    }

    /// **Required.** Returns the local address. It is unnamed unless the socket was bound to a path or name.
    fn local_addr(&self) -> io::Result<SocketAddr>;

    /// **Required.** Returns the address of the connected peer; an error of kind `NotConnected` if the socket is not
    /// connected.
    fn peer_addr(&self) -> io::Result<SocketAddr>;

    /// Returns the system's socket; see [`TcpStream::descriptor`](super::TcpStream::descriptor).
    fn descriptor(&self) -> Option<Descriptor<'_>> {
        None
    }

    /// **Required.** Deregisters the socket and returns it as a **blocking** one of the standard library.
    fn into_std(self) -> io::Result<std_unix::UnixDatagram>;
}

cfg_if! {
    if #[cfg(feature = "fds")] {
        /// As `stream_tries`, with descriptors.
        macro_rules! fd_tries {
            ($forward:ident $($trait:ident)?) => {
                $forward! { $($trait:)?
                    /// Sends bytes, and with the first of them copies of file descriptors, without waiting.
                    fn try_send_with_fds(buf: &[u8], fds: &[std::os::fd::BorrowedFd<'_>]) -> usize;
                    /// Receives bytes, and the file descriptors that were sent with them, without waiting.
                    fn try_recv_with_fds(buf: &mut [u8], room: usize) -> $crate::runtime::RecvFds;
                }
            };
        }
    } else {
        /// None, without the feature.
        macro_rules! fd_tries {
            ($forward:ident $($trait:ident)?) => {};
        }
    }
}
pub(crate) use fd_tries;

/// As `udp_calls`: those of a [`UnixDatagram`] that take no path.
macro_rules! unix_calls {
    ($forward:ident $($trait:ident)?) => {
        $forward! { $($trait:)?
            /// Sends a datagram to the connected peer.
            fn send, poll_send(buf: &[u8]) -> usize;
            /// Receives a datagram; only from the peer if the socket is connected.
            fn recv, poll_recv(buf: &mut [u8]) -> usize;
            /// Receives a datagram, and returns the sender's address.
            fn recv_from, poll_recv_from(buf: &mut [u8]) -> (usize, SocketAddr);
            /// Waits until a receive may succeed: a datagram, or a reported error.
            fn readable, poll_recv_ready() -> ();
            /// Waits until a send may succeed.
            fn writable, poll_send_ready() -> ();
        }
    };
}
pub(crate) use unix_calls;

/// As `udp_tries`: those of a [`UnixDatagram`] that take no path.
macro_rules! unix_tries {
    ($forward:ident $($trait:ident)?) => {
        $forward! { $($trait:)?
            /// Sends a datagram to the connected peer, without waiting.
            fn try_send(buf: &[u8]) -> usize;
            /// Receives a datagram that has arrived, without waiting.
            fn try_recv(buf: &mut [u8]) -> usize;
            /// Receives a datagram that has arrived, without waiting, and returns the sender's address.
            fn try_recv_from(buf: &mut [u8]) -> (usize, SocketAddr);
        }
    };
}
pub(crate) use unix_tries;
