use std::fmt;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};

use super::recv_msg::longer;
use super::{Descriptor, RecvMsg, of};

/// Kind of readiness that an operation on a socket waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interest {
    /// Ready to read.
    Readable,
    /// Ready to write.
    Writable,
}

/// A UDP socket.
///
/// This is the trait, for code that is generic over runtimes. Other code uses the type
/// [`net::UdpSocket`](crate::net::UdpSocket), which works on every runtime and has the same methods.
///
/// All methods take `&self`, so tasks can share a socket in an `Arc`, and any number of them may await a datagram at
/// once. The `poll_` forms are for **one** task in each direction: of the tasks that receive or peek, and of those that
/// send, only the last one that polled is woken. No `poll_` form creates a future for each poll.
///
/// A datagram arrives whole or not at all. The part that does not fit the buffer is lost (Windows reports an error). An
/// empty datagram is received as `Ok(0)`, which does not mean an end. A receive into an empty buffer consumes a
/// datagram, too. These methods take addresses only: resolve names with [`lookup_host`](crate::Net::lookup_host), or
/// use [`net::UdpSocket`](crate::net::UdpSocket), which accepts names.
///
/// The first poll of a new socket receives a datagram that has already arrived, and its first send does not wait.
///
/// # Cancel safety
///
/// A receive that did not complete has consumed nothing; a send that did not complete has sent nothing.
///
/// # Dropping
///
/// Dropping it closes the socket; datagrams that were not received are lost.
///
/// # Errors
///
/// The system's error, with its error number. A connected socket also reports, once each, the errors that routers and
/// hosts have returned: `ConnectionRefused` if nobody listens. The socket stays usable.
///
/// # Examples
///
/// ```
/// use std::{io, sync::Arc};
///
/// use anyrt::{Runtime, runtime::UdpSocket};
///
/// async fn echo<R: Runtime>(runtime: R) -> io::Result<()> {
///     let socket = Arc::new(runtime.udp_bind("127.0.0.1:7000").await?);
///     for _ in 0..4 {
///         let socket = socket.clone();
///         drop(runtime.spawn(async move {
///             let mut buf = [0; 1500];
///             loop {
///                 let (len, peer) = socket.recv_from(&mut buf).await?;
///                 socket.send_to(&buf[..len], peer).await?;
///             }
///             #[allow(unreachable_code)]
///             io::Result::Ok(())
///         }));
///     }
///     Ok(())
/// }
/// ```
///
/// <details><summary>Scenarios</summary>
///
/// `udp_round_trip`, `udp_truncates_and_loses_the_rest`, `udp_empty_datagram_is_received`,
/// `udp_empty_buffer_takes_a_datagram`, `udp_receive_serves_every_waiter`, `udp_receive_is_cancel_safe`,
/// `udp_poll_wakes_the_last_waker`, `udp_displaced_poller_is_not_woken`, `udp_two_pollers_burn_no_polls`,
/// `udp_first_poll_finds_what_is_there`, `udp_first_send_waits_for_nothing`, `udp_poll_and_await_at_once`, `udp_idle_receiver_burns_no_polls`,
/// `udp_busy_socket_starves_no_timer`, `udp_busy_poll_starves_no_timer`, `udp_busy_sender_starves_no_timer`,
/// `udp_errors_are_the_systems`, `udp_refusal_is_reported_once`, `udp_refusal_wakes_who_awaits`, `udp_works_on_a_plain_thread`,
/// `udp_moves_between_tasks`, `udp_ipv6_round_trip`.</details>
pub trait UdpSocket: fmt::Debug + Send + Sync + Sized + Unpin + 'static {
    /// **Required.** Sets the peer of [`send`](Self::send); datagrams from other addresses are no longer received.
    ///
    /// Nothing is sent. A socket may be connected again to another peer.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{io, net::SocketAddr};
    ///
    /// use anyrt::{Net, runtime::UdpSocket};
    ///
    /// async fn ask<N: Net>(net: N, server: SocketAddr) -> io::Result<Vec<u8>> {
    ///     let socket = net.udp_bind("0.0.0.0:0").await?;
    ///     socket.connect(server)?;
    ///     socket.send(b"what time is it?").await?;
    ///     let mut answer = vec![0; 512];
    ///     let len = socket.recv(&mut answer).await?;
    ///     answer.truncate(len);
    ///     Ok(answer)
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_connected_round_trip`, `udp_connected_ignores_strangers`, `udp_connects_again`.</details>
    fn connect(&self, addr: SocketAddr) -> io::Result<()>;

    /// **Required.** Sends a datagram to the connected peer.
    fn send(&self, buf: &[u8]) -> impl Future<Output = io::Result<usize>> + Send;

    /// **Required.** [`send`](Self::send) as a poll function.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_poll_forms_round_trip`.</details>
    fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>>;

    /// **Required.** Receives a datagram; only from the peer if the socket is connected.
    fn recv(&self, buf: &mut [u8]) -> impl Future<Output = io::Result<usize>> + Send;

    /// **Required.** [`recv`](Self::recv) as a poll function.
    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>;

    /// **Required.** Sends a datagram.
    fn send_to(&self, buf: &[u8], target: SocketAddr) -> impl Future<Output = io::Result<usize>> + Send;

    /// **Required.** [`send_to`](Self::send_to) as a poll function.
    fn poll_send_to(&self, cx: &mut Context<'_>, buf: &[u8], target: SocketAddr) -> Poll<io::Result<usize>>;

    /// **Required.** Receives a datagram, and returns the sender's address.
    fn recv_from(&self, buf: &mut [u8]) -> impl Future<Output = io::Result<(usize, SocketAddr)>> + Send;

    /// **Required.** [`recv_from`](Self::recv_from) as a poll function.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{io, pin::Pin, task::{Context, Poll}};
    ///
    /// use anyrt::runtime::UdpSocket;
    ///
    /// /// Datagrams as a stream.
    /// struct Datagrams<S> {
    ///     socket: S,
    ///     buf: [u8; 1500],
    /// }
    ///
    /// impl<S: UdpSocket> futures::Stream for Datagrams<S> {
    ///     type Item = io::Result<Vec<u8>>;
    ///
    ///     fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
    ///         let this = &mut *self;
    ///         let received = this.socket.poll_recv_from(cx, &mut this.buf);
    ///         received.map_ok(|(len, _)| this.buf[..len].to_vec()).map(Some)
    ///     }
    /// }
    /// ```
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
    /// use anyrt::runtime::UdpSocket;
    ///
    /// async fn request<S: UdpSocket>(socket: &S, buf: &mut [u8]) -> io::Result<usize> {
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
    /// `udp_recv_msg_tells_of_a_truncated_datagram`.</details>
    fn recv_msg(&self, buf: &mut [u8]) -> impl Future<Output = io::Result<RecvMsg<SocketAddr>>> + Send {
        async move {
            let mut whole = longer(buf.len());
            let (len, addr) = self.recv_from(&mut whole).await?;
            Ok(RecvMsg::copied(&whole[..len], addr, buf))
        }
    }

    /// **Required.** Receives as [`recv`](Self::recv) without consuming: the next receive returns the same datagram.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_peek_leaves_the_datagram`.</details>
    fn peek(&self, buf: &mut [u8]) -> impl Future<Output = io::Result<usize>> + Send;

    /// **Required.** [`peek`](Self::peek) as a poll function.
    fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>;

    /// **Required.** Receives as [`recv_from`](Self::recv_from) without consuming: the next receive returns the same
    /// datagram.
    fn peek_from(&self, buf: &mut [u8]) -> impl Future<Output = io::Result<(usize, SocketAddr)>> + Send;

    /// **Required.** [`peek_from`](Self::peek_from) as a poll function.
    fn poll_peek_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>>;

    /// **Required.** Waits until a receive may succeed: a datagram, or a reported error.
    ///
    /// Use it for operations that this trait lacks, such as `recvmmsg`: call them on the
    /// [`descriptor`](Self::descriptor), inside [`try_io`](Self::try_io), and await `readable` when they would block.
    /// Readiness can be spurious: another task may have received the datagram. Any number of tasks may await it at
    /// once; all of them are woken.
    ///
    /// # Cancel safety
    ///
    /// It consumes nothing.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_readable_waits_for_a_datagram`, `udp_readable_wakes_everybody`.</details>
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send;

    /// **Required.** [`readable`](Self::readable) as a poll function; it shares its waker slot with the poll functions
    /// that receive.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_ready_polls_wake_the_last_waker`.</details>
    fn poll_recv_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// **Required.** Waits until a send may succeed; otherwise as [`readable`](Self::readable).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_writable_where_there_is_room`.</details>
    fn writable(&self) -> impl Future<Output = io::Result<()>> + Send;

    /// **Required.** [`writable`](Self::writable) as a poll function; it shares its waker slot with the poll functions
    /// that send.
    fn poll_send_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Calls `operation`, which works on the [`descriptor`](Self::descriptor) and must not block but fail with
    /// `WouldBlock`. That error tells the runtime that the socket is not ready, so that [`readable`](Self::readable) or
    /// [`writable`](Self::writable) waits.
    ///
    /// If the runtime already knows that the socket is not ready, it returns the error without a call.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{io, net::SocketAddr};
    ///
    /// use anyrt::runtime::{Interest, UdpSocket};
    /// use socket2::{SockAddr, SockRef};
    ///
    /// /// Sends one datagram of several parts, without copying them together.
    /// async fn send_parts<S: UdpSocket>(
    ///     socket: &S,
    ///     parts: &[io::IoSlice<'_>],
    ///     to: SocketAddr,
    /// ) -> io::Result<usize> {
    ///     let to = SockAddr::from(to);
    ///     loop {
    ///         let sent = socket.try_io(Interest::Writable, || {
    ///             let descriptor = socket.descriptor().ok_or(io::ErrorKind::Unsupported)?;
    ///             SockRef::from(&descriptor).send_to_vectored(parts, &to)
    ///         });
    ///         match sent {
    ///             Err(e) if e.kind() == io::ErrorKind::WouldBlock => socket.writable().await?,
    ///             sent => return sent,
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_try_io_calls_where_it_is_ready`, `udp_try_io_would_block_and_then_waits`.</details>
    fn try_io<T>(&self, interest: Interest, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let _ = interest;
        operation()
    }

    /// Sends a datagram to the connected peer, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if the send buffer is full, or if the runtime has not noticed yet that it has room: await
    /// [`writable`](Self::writable) and try again.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_tries_wait_for_nothing`.</details>
    fn try_send(&self, buf: &[u8]) -> io::Result<usize> {
        self.try_io(Interest::Writable, || of::write(self.descriptor(), buf))
    }

    /// [`try_send`](Self::try_send), to any address.
    fn try_send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        self.try_io(Interest::Writable, || of::udp_send_to(self.descriptor(), buf, target))
    }

    /// Receives a datagram that has arrived, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if nothing has arrived, or if the runtime has not noticed it yet: await
    /// [`readable`](Self::readable) and try again.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_try_recv_takes_what_is_there`.</details>
    fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.try_io(Interest::Readable, || of::read(self.descriptor(), buf))
    }

    /// [`try_recv`](Self::try_recv) that also returns the sender's address.
    fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.try_io(Interest::Readable, || of::udp_recv_from(self.descriptor(), buf))
    }

    /// **Required.** Returns the local address, with the port that the system picked.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_addresses_match`.</details>
    fn local_addr(&self) -> io::Result<SocketAddr>;

    /// **Required.** Returns the address of the connected peer; an error of kind `NotConnected` if the socket is not
    /// connected.
    fn peer_addr(&self) -> io::Result<SocketAddr>;

    /// **Required.** Returns whether the socket may send to broadcast addresses (`SO_BROADCAST`). Off by default:
    /// sending there is an error of kind `PermissionDenied`.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_broadcast_has_to_be_allowed`.</details>
    fn broadcast(&self) -> io::Result<bool>;

    /// **Required.** Sets `SO_BROADCAST`.
    fn set_broadcast(&self, on: bool) -> io::Result<()>;

    /// **Required.** Returns the time to live of sent packets (`IP_TTL`).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_ttl_can_be_set`.</details>
    fn ttl(&self) -> io::Result<u32>;

    /// **Required.** Sets `IP_TTL`.
    fn set_ttl(&self, ttl: u32) -> io::Result<()>;

    /// **Required.** Returns whether this host receives its own multicast packets (`IP_MULTICAST_LOOP`). On by default.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_multicast_options_can_be_set`.</details>
    fn multicast_loop_v4(&self) -> io::Result<bool>;

    /// **Required.** Sets `IP_MULTICAST_LOOP`.
    fn set_multicast_loop_v4(&self, on: bool) -> io::Result<()>;

    /// **Required.** Returns the time to live of multicast packets (`IP_MULTICAST_TTL`). 1 by default: they pass no
    /// router.
    fn multicast_ttl_v4(&self) -> io::Result<u32>;

    /// **Required.** Sets `IP_MULTICAST_TTL`.
    fn set_multicast_ttl_v4(&self, ttl: u32) -> io::Result<()>;

    /// **Required.** Returns whether this host receives its own multicast packets (`IPV6_MULTICAST_LOOP`). On by
    /// default.
    fn multicast_loop_v6(&self) -> io::Result<bool>;

    /// **Required.** Sets `IPV6_MULTICAST_LOOP`.
    fn set_multicast_loop_v6(&self, on: bool) -> io::Result<()>;

    /// **Required.** Joins a multicast group on the interface with this address; `0.0.0.0` lets the system choose an
    /// interface.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_multicast_reaches_its_group`.</details>
    fn join_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()>;

    /// **Required.** Leaves a multicast group that was joined with the same arguments.
    fn leave_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()>;

    /// **Required.** Joins a multicast group on the interface with this index; 0 lets the system choose an interface.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_multicast_v6_reaches_its_group`.</details>
    fn join_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()>;

    /// **Required.** Leaves a multicast group that was joined with the same arguments.
    fn leave_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()>;

    /// Returns the system's socket; see [`TcpStream::descriptor`](super::TcpStream::descriptor).
    fn descriptor(&self) -> Option<Descriptor<'_>> {
        None
    }

    /// **Required.** Deregisters the socket and returns it as a **blocking** one of the standard library.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_into_std_blocks`.</details>
    fn into_std(self) -> io::Result<std::net::UdpSocket>;
}

/// Hands the methods of [`UdpSocket`] that ask and set, and wait for nothing, to `$forward`: they are the same in all
/// that implements it.
macro_rules! udp_options {
    ($forward:ident $($trait:ident)?) => {
        $forward! { $($trait:)?
            /// Returns the local address, with the port that the system picked.
            fn local_addr() -> SocketAddr;
            /// Returns the address of the connected peer; an error of kind `NotConnected` if the socket is not
            /// connected.
            fn peer_addr() -> SocketAddr;
            /// Returns whether the socket may send to broadcast addresses (`SO_BROADCAST`). Off by default.
            fn broadcast() -> bool;
            /// Sets `SO_BROADCAST`.
            fn set_broadcast(on: bool) -> ();
            /// Returns the time to live of sent packets (`IP_TTL`).
            fn ttl() -> u32;
            /// Sets `IP_TTL`.
            fn set_ttl(ttl: u32) -> ();
            /// Returns whether this host receives its own multicast packets (`IP_MULTICAST_LOOP`). On by default.
            fn multicast_loop_v4() -> bool;
            /// Sets `IP_MULTICAST_LOOP`.
            fn set_multicast_loop_v4(on: bool) -> ();
            /// Returns the time to live of multicast packets (`IP_MULTICAST_TTL`). 1 by default: they pass no router.
            fn multicast_ttl_v4() -> u32;
            /// Sets `IP_MULTICAST_TTL`.
            fn set_multicast_ttl_v4(ttl: u32) -> ();
            /// Returns whether this host receives its own multicast packets (`IPV6_MULTICAST_LOOP`). On by default.
            fn multicast_loop_v6() -> bool;
            /// Sets `IPV6_MULTICAST_LOOP`.
            fn set_multicast_loop_v6(on: bool) -> ();
        }
    };
}
pub(crate) use udp_options;

/// As [`udp_options`], for the groups that a socket is in.
macro_rules! udp_groups {
    ($forward:ident $($trait:ident)?) => {
        $forward! { $($trait:)?
            /// Joins a multicast group on the interface with this address; `0.0.0.0` lets the system choose an
            /// interface.
            fn join_multicast_v4(group: &Ipv4Addr, interface: &Ipv4Addr) -> ();
            /// Leaves a multicast group that was joined with the same arguments.
            fn leave_multicast_v4(group: &Ipv4Addr, interface: &Ipv4Addr) -> ();
            /// Joins a multicast group on the interface with this index; 0 lets the system choose an interface.
            fn join_multicast_v6(group: &Ipv6Addr, interface: u32) -> ();
            /// Leaves a multicast group that was joined with the same arguments.
            fn leave_multicast_v6(group: &Ipv6Addr, interface: u32) -> ();
        }
    };
}
pub(crate) use udp_groups;

/// As [`udp_options`], for those that wait: each with its poll function, and the buffer first if it has one.
macro_rules! udp_calls {
    ($forward:ident $($trait:ident)?) => {
        $forward! { $($trait:)?
            /// Sends a datagram to the connected peer.
            fn send, poll_send(buf: &[u8]) -> usize;
            /// Receives a datagram; only from the peer if the socket is connected.
            fn recv, poll_recv(buf: &mut [u8]) -> usize;
            /// Receives a datagram, and returns the sender's address.
            fn recv_from, poll_recv_from(buf: &mut [u8]) -> (usize, SocketAddr);
            /// Receives a datagram without consuming it: the next receive returns it again.
            fn peek, poll_peek(buf: &mut [u8]) -> usize;
            /// Receives a datagram and the sender's address without consuming the datagram.
            fn peek_from, poll_peek_from(buf: &mut [u8]) -> (usize, SocketAddr);
            /// Waits until a receive may succeed: a datagram, or a reported error.
            fn readable, poll_recv_ready() -> ();
            /// Waits until a send may succeed.
            fn writable, poll_send_ready() -> ();
        }
    };
}
pub(crate) use udp_calls;

/// As [`udp_calls`], for the one that takes a name as well where a socket has a type without parameters.
macro_rules! udp_send_to {
    ($forward:ident $($trait:ident)?) => {
        $forward! { $($trait:)?
            /// Sends a datagram.
            fn send_to, poll_send_to(buf: &[u8], target: SocketAddr) -> usize;
        }
    };
}
pub(crate) use udp_send_to;

/// As [`udp_options`], for those that try once.
macro_rules! udp_tries {
    ($forward:ident $($trait:ident)?) => {
        $forward! { $($trait:)?
            /// Sends a datagram to the connected peer, without waiting.
            fn try_send(buf: &[u8]) -> usize;
            /// Sends a datagram, without waiting.
            fn try_send_to(buf: &[u8], target: SocketAddr) -> usize;
            /// Receives a datagram that has arrived, without waiting.
            fn try_recv(buf: &mut [u8]) -> usize;
            /// Receives a datagram that has arrived, without waiting, and returns the sender's address.
            fn try_recv_from(buf: &mut [u8]) -> (usize, SocketAddr);
        }
    };
}
pub(crate) use udp_tries;
