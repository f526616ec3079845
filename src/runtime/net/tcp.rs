use std::fmt;
use std::future::{Future, ready};
use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};

use super::options::no_readiness;
use super::{Descriptor, Interest, ReadHalf, ReuniteError, WriteHalf};
use crate::runtime::net::{Incoming, Keepalive, of};

/// A TCP connection: the trait, for code that is generic over runtimes.
///
/// Other code uses the type [`net::TcpStream`](crate::net::TcpStream), which works on every runtime and has the same
/// methods. The trait extends the I/O traits of `futures`: `read`, `write_all` and the like come with
/// `use futures::io::{AsyncReadExt, AsyncWriteExt};`.
///
/// A stream has one reader and one writer: it is not `Clone`, and [`into_split`](Self::into_split) splits it into one
/// half for each. A pending operation costs nothing until its socket is ready. If several tasks poll a stream behind a
/// lock, only the last one that polled in each direction is woken.
///
/// `close` of [`AsyncWrite`] shuts down the write side: the peer reads the end of the stream and can still answer.
/// Closing twice, or after the peer is gone, is `Ok`. (`close` of async-std 1.13.2 sends nothing to the peer at all.)
/// Reading into an empty buffer returns `Ok(0)` at once.
///
/// ```compile_fail
/// fn two_readers<S: anyrt::runtime::TcpStream>(stream: S) -> (S, S) {
///     (stream.clone(), stream)
/// }
/// ```
///
/// # Cancel safety
///
/// Reads and writes that return `Pending` have transferred no bytes.
///
/// # Dropping
///
/// Dropping the stream closes the socket. Written data is still delivered, unless received data was left unread: then
/// the peer gets `ConnectionReset`, as with any TCP socket.
///
/// <details><summary>Scenarios</summary>
///
/// `stream_round_trip`, `close_sends_eof`, `close_leaves_the_read_side_open`, `close_twice_is_ok`,
/// `close_after_the_peer_is_gone_is_ok`, `write_after_close_is_broken_pipe`, `read_into_nothing_is_zero`,
/// `idle_reader_burns_no_polls`, `busy_socket_starves_no_timer`, `end_of_stream_stays`,
/// `reset_reads_as_connection_reset`, `write_to_a_gone_peer_fails`,
/// `dropped_stream_delivers_what_was_written`, `write_of_nothing_is_zero`, `vectored_write_goes_out_at_once`,
/// `busy_writer_starves_no_timer`, `stream_works_on_a_plain_thread`, `stream_moves_between_tasks`,
/// `read_wakes_the_last_waker`, `stream_behind_a_lock_burns_no_polls`, `read_is_cancel_safe`, `big_transfer_is_intact`, `many_connections`.</details>
pub trait TcpStream: AsyncRead + AsyncWrite + fmt::Debug + Send + Sync + Sized + Unpin + 'static {
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
    /// It is not called `split` because `AsyncReadExt` of `futures` has a method of that name, which uses a lock.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `split_mut_reads_and_writes_at_once`.</details>
    fn split_mut(&mut self) -> (Self::ReadHalf<'_>, Self::WriteHalf<'_>);

    /// **Required.** Splits the stream into owned halves, to read and write at the same time from two tasks.
    ///
    /// Dropping the write half closes the write side, as `close` does: the peer reads the end of the stream. The
    /// connection ends when both halves are dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// use anyrt::{Runtime, runtime::TcpStream};
    /// use futures::io::{AsyncReadExt, AsyncWriteExt, copy};
    ///
    /// async fn echo<R: Runtime>(runtime: R, stream: R::TcpStream) -> io::Result<u64> {
    ///     let (read, mut write) = stream.into_split();
    ///     runtime.spawn(async move { copy(read, &mut write).await }).await?
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `into_split_serves_two_tasks`, `dropping_the_write_half_sends_eof`,
    /// `dropping_the_read_half_does_not_close`, `closed_write_half_can_be_dropped`.</details>
    fn into_split(self) -> (Self::OwnedReadHalf, Self::OwnedWriteHalf);

    /// Reunites the halves of [`into_split`](Self::into_split). Nothing is sent, and the connection stays open.
    ///
    /// # Errors
    ///
    /// Returns both halves if they are not of the same stream, or if a runtime of your own does not implement it.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `stream_halves_reunite`.</details>
    fn reunite(
        read: Self::OwnedReadHalf,
        write: Self::OwnedWriteHalf,
    ) -> Result<Self, ReuniteError<Self::OwnedReadHalf, Self::OwnedWriteHalf>> {
        Err(ReuniteError(read, write))
    }

    /// **Required.** Reads without consuming: the next read returns the same bytes. `Ok(0)` at the end of the stream.
    ///
    /// # Cancel safety
    ///
    /// Nothing is consumed, so nothing is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// use anyrt::runtime::TcpStream;
    ///
    /// async fn speaks_tls<S: TcpStream>(stream: &mut S) -> io::Result<bool> {
    ///     let mut first = [0];
    ///     // RFC 8446, 5.1: a handshake record
    ///     Ok(stream.peek(&mut first).await? == 1 && first[0] == 0x16)
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `peek_leaves_the_data`, `peek_at_the_end_is_zero`.</details>
    fn peek(&mut self, buf: &mut [u8]) -> impl Future<Output = io::Result<usize>> + Send;

    /// Waits until a read may succeed: bytes, the end of the stream or an error.
    ///
    /// Use it to read through `&self`, with [`try_read`](Self::try_read), or by the [`descriptor`](Self::descriptor)
    /// inside [`try_io`](Self::try_io). Readiness can be spurious: another task may have read the bytes. Any number of
    /// tasks may await it at once; all of them are woken.
    ///
    /// # Cancel safety
    ///
    /// It consumes nothing.
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
    /// use anyrt::runtime::TcpStream;
    ///
    /// async fn read<S: TcpStream>(stream: &S, buf: &mut [u8]) -> io::Result<usize> {
    ///     loop {
    ///         stream.readable().await?;
    ///         match stream.try_read(buf) {
    ///             Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
    ///             read => return read,
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `stream_readable_waits_for_bytes`, `stream_readable_wakes_everybody`,
    /// `stream_readable_sees_the_end`, `stream_readable_starves_no_timer`.</details>
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send {
        ready(Err(no_readiness()))
    }

    /// Waits until a write may succeed; otherwise as [`readable`](Self::readable).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `stream_writable_waits_for_room`.</details>
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
    /// `stream_try_read_takes_what_is_there`, `stream_first_try_waits_for_nothing`.</details>
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
    /// `stream_try_takes_several_buffers`.</details>
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
    /// `stream_try_write_finds_room`.</details>
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
    /// `stream_try_takes_several_buffers`.</details>
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
    /// `stream_try_io_would_block_and_then_waits`.</details>
    fn try_io<T>(&self, interest: Interest, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let _ = interest;
        operation()
    }

    /// **Required.** Returns the local address.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `addresses_match`.</details>
    fn local_addr(&self) -> io::Result<SocketAddr>;

    /// **Required.** Returns the address of the peer.
    fn peer_addr(&self) -> io::Result<SocketAddr>;

    /// **Required.** Returns `TCP_NODELAY`: whether small writes are sent at once. Off by default.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `nodelay_can_be_set`.</details>
    fn nodelay(&self) -> io::Result<bool>;

    /// **Required.** Sets `TCP_NODELAY`.
    fn set_nodelay(&self, nodelay: bool) -> io::Result<()>;

    /// **Required.** Returns the time to live of sent packets (`IP_TTL`).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `ttl_can_be_set`.</details>
    fn ttl(&self) -> io::Result<u32>;

    /// **Required.** Sets `IP_TTL`.
    fn set_ttl(&self, ttl: u32) -> io::Result<()>;

    /// Returns what happens to unsent data when the stream is dropped (`SO_LINGER`). `None`, the default: the system
    /// keeps sending in the background.
    ///
    /// This method and the options after it use the [`descriptor`](Self::descriptor) unless a backend replaces them.
    /// Without a descriptor they fail with an error of kind `Unsupported`.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `linger_can_be_set`.</details>
    fn linger(&self) -> io::Result<Option<Duration>> {
        of::linger(self.descriptor())
    }

    /// Sets `SO_LINGER`; see [`ConnectOptions::linger`](crate::net::ConnectOptions::linger), also for its cost.
    fn set_linger(&self, time: Option<Duration>) -> io::Result<()> {
        of::set_linger(self.descriptor(), time)
    }

    /// Returns the keepalive times (`SO_KEEPALIVE`). `None`, the default: no probes are sent. Windows cannot report the
    /// times: there the fields are `None`.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `keepalive_can_be_set`.</details>
    fn keepalive(&self) -> io::Result<Option<Keepalive>> {
        of::keepalive(self.descriptor())
    }

    /// Sets `SO_KEEPALIVE`.
    fn set_keepalive(&self, keepalive: Option<Keepalive>) -> io::Result<()> {
        of::set_keepalive(self.descriptor(), keepalive)
    }

    /// Returns the size of the receive buffer (`SO_RCVBUF`), as the system counts it.
    fn recv_buffer_size(&self) -> io::Result<usize> {
        of::recv_buffer_size(self.descriptor())
    }

    /// Returns the size of the send buffer (`SO_SNDBUF`), as the system counts it.
    fn send_buffer_size(&self) -> io::Result<usize> {
        of::send_buffer_size(self.descriptor())
    }

    /// Returns the system's socket, for options that are missing here, with `socket2::SockRef` for example; `None` if
    /// the stream has no system socket.
    ///
    /// Calls on it go directly to the system. It must stay non-blocking.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `sockets_lend_their_descriptors`.</details>
    fn descriptor(&self) -> Option<Descriptor<'_>> {
        None
    }

    /// **Required.** Deregisters the connection and returns it as a **blocking** one of the standard library.
    ///
    /// (tokio and async-io leave it non-blocking, so its next read fails with `WouldBlock`.)
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `stream_into_std_blocks`.</details>
    fn into_std(self) -> io::Result<std::net::TcpStream>;
}

/// A TCP listener.
///
/// This is the trait, for code that is generic over runtimes. Other code uses the type
/// [`net::TcpListener`](crate::net::TcpListener), which works on every runtime and has the same methods.
///
/// # Dropping
///
/// Dropping the listener closes the socket and resets connections that were not accepted.
///
/// # For authors of backends
///
/// The last method, `sleep`, is for backends.
pub trait TcpListener: fmt::Debug + Send + Sync + Sized + Unpin + 'static {
    /// Connection returned by [`accept`](Self::accept).
    type Stream: TcpStream;

    /// **Required.** Waits for a connection and accepts it. Any number of tasks may wait at once.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// use anyrt::{Runtime, runtime::TcpListener};
    ///
    /// async fn serve<R: Runtime>(runtime: R) -> io::Result<()> {
    ///     let listener = runtime.tcp_bind("127.0.0.1:7000").await?;
    ///     loop {
    ///         let (stream, peer) = listener.accept().await?;
    ///         drop(runtime.spawn(async move {
    ///             println!("{peer} is here");
    ///             drop(stream);
    ///         }));
    ///     }
    /// }
    /// ```
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
    /// `accept_is_cancel_safe`, `accept_serves_every_waiter`, `busy_listener_starves_no_timer`.</details>
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, SocketAddr)>> + Send;

    /// **Required.** [`accept`](Self::accept) as a poll function, for **one** task: only the last one that
    /// polled is woken.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `displaced_poll_accept_is_not_woken`.</details>
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Self::Stream, SocketAddr)>>;

    /// Returns an endless `Stream` of connections.
    ///
    /// It borrows mutably, because two streams on one listener would steal each other's wake-ups.
    ///
    /// # Errors
    ///
    /// An item is an error if one connection could not be accepted; the next may succeed. When the system has run out
    /// of descriptors or memory, the stream waits for 100 ms before it tries again. ([`accept`](Self::accept) does not
    /// wait: a loop that ignores its errors burns a core.)
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt::{Runtime, runtime::TcpListener};
    /// use futures::StreamExt;
    ///
    /// async fn first_ten<R: Runtime>(mut listener: R::TcpListener) -> Vec<R::TcpStream> {
    ///     listener.incoming().filter_map(async |stream| stream.ok()).take(10).collect().await
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `incoming_yields_every_connection`.</details>
    fn incoming(&mut self) -> Incoming<'_, Self> {
        Incoming::new(self)
    }

    /// **Required.** Returns the local address, with the port that the system picked.
    fn local_addr(&self) -> io::Result<SocketAddr>;

    /// **Required.** Returns the time to live of accepted connections (`IP_TTL`).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `listener_ttl_can_be_set`.</details>
    fn ttl(&self) -> io::Result<u32>;

    /// **Required.** Sets `IP_TTL`.
    fn set_ttl(&self, ttl: u32) -> io::Result<()>;

    /// Returns the system's socket; see [`TcpStream::descriptor`].
    fn descriptor(&self) -> Option<Descriptor<'_>> {
        None
    }

    /// **Required.** Deregisters the listener and returns it as a **blocking** one of the standard library.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `listener_into_std_blocks`.</details>
    fn into_std(self) -> io::Result<std::net::TcpListener>;

    /// **Required.** Creates a timer of the listener's runtime, which [`incoming`](Self::incoming) uses to wait.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static;
}

/// The options of a connection that are required, for what passes them on; as `udp_options`.
macro_rules! tcp_required {
    ($forward:ident $($trait:ident)?) => {
        $forward! { $($trait:)?
            /// Returns `TCP_NODELAY`: whether small writes are sent at once. Off by default.
            fn nodelay() -> bool;
            /// Sets `TCP_NODELAY`.
            fn set_nodelay(nodelay: bool) -> ();
            /// Returns the time to live of sent packets (`IP_TTL`).
            fn ttl() -> u32;
            /// Sets `IP_TTL`.
            fn set_ttl(ttl: u32) -> ();
        }
    };
}
pub(crate) use tcp_required;

/// Those that are provided.
macro_rules! tcp_options {
    ($forward:ident $($trait:ident)?) => {
        $forward! { $($trait:)?
            /// Returns what happens to unsent data when the stream is dropped (`SO_LINGER`).
            fn linger() -> Option<Duration>;
            /// Sets `SO_LINGER`.
            fn set_linger(time: Option<Duration>) -> ();
            /// Returns the keepalive times (`SO_KEEPALIVE`). `None`, the default: no probes are sent.
            fn keepalive() -> Option<Keepalive>;
            /// Sets `SO_KEEPALIVE`.
            fn set_keepalive(keepalive: Option<Keepalive>) -> ();
            /// Returns the size of the receive buffer (`SO_RCVBUF`), as the system counts it.
            fn recv_buffer_size() -> usize;
            /// Returns the size of the send buffer (`SO_SNDBUF`), as the system counts it.
            fn send_buffer_size() -> usize;
        }
    };
}
pub(crate) use tcp_options;
