use std::fmt;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};

use super::recv_msg::longer;
use super::{Descriptor, RecvMsg, of};

/// What an operation on a socket waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interest {
    /// Something to read.
    Readable,
    /// Room to write.
    Writable,
}

/// A UDP socket.
///
/// The trait, for code that is generic over runtimes. What has it as a type, for any runtime, is
/// [`net::UdpSocket`](crate::net::UdpSocket), which has these methods too.
///
/// Everything takes `&self`, so that tasks can share it in an `Arc`: any number of them may await a datagram at
/// once. The `poll_` forms are for **one** task each way: of those that receive or peek, and of those that send, only
/// the last one that polled is woken. None of them is a future that is made anew for each poll.
///
/// A datagram comes whole or not at all. What does not fit the buffer is lost (Windows reports an error); one without
/// bytes is `Ok(0)`, which is no end; an empty buffer takes a datagram away as any other does. Names are not
/// resolved here: ask [`lookup_host`](crate::Net::lookup_host). ([`net::UdpSocket`](crate::net::UdpSocket) takes them.)
///
/// The first poll of a new socket finds the datagram that it has already, and its first send waits for nothing.
///
/// # Cancel safety
///
/// A receive or a send that did not complete has taken, or sent, nothing.
///
/// # Dropping
///
/// The socket is closed, and what was not received is lost.
///
/// # Errors
///
/// The system's, with its own number. On a connected socket that includes what routers and hosts have reported
/// since, once each: `ConnectionRefused` where nobody listens. The socket stays usable.
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
/// `udp_errors_are_the_systems`, `udp_refusal_is_reported_once`, `udp_works_on_a_plain_thread`,
/// `udp_moves_between_tasks`, `udp_ipv6_round_trip`.</details>
pub trait UdpSocket: fmt::Debug + Send + Sync + Sized + Unpin + 'static {
    /// **Required.** Chooses the peer of [`send`](Self::send); datagrams of anybody else are not received any more.
    ///
    /// Nothing is sent. A socket may be connected again, to another peer.
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

    /// **Required.** Sends a datagram to the peer that the socket is connected to.
    fn send(&self, buf: &[u8]) -> impl Future<Output = io::Result<usize>> + Send;

    /// **Required.** [`send`](Self::send) as a poll function.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_poll_forms_round_trip`.</details>
    fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>>;

    /// **Required.** Waits for a datagram, of the peer if the socket is connected.
    fn recv(&self, buf: &mut [u8]) -> impl Future<Output = io::Result<usize>> + Send;

    /// **Required.** [`recv`](Self::recv) as a poll function.
    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>;

    /// **Required.** Sends a datagram.
    fn send_to(&self, buf: &[u8], target: SocketAddr) -> impl Future<Output = io::Result<usize>> + Send;

    /// **Required.** [`send_to`](Self::send_to) as a poll function.
    fn poll_send_to(&self, cx: &mut Context<'_>, buf: &[u8], target: SocketAddr) -> Poll<io::Result<usize>>;

    /// **Required.** Waits for a datagram, and tells whom it is from.
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
    ///         this.socket.poll_recv_from(cx, &mut this.buf).map_ok(|(len, _)| this.buf[..len].to_vec()).map(Some)
    ///     }
    /// }
    /// ```
    fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>>;

    /// Receives a datagram, and tells whether it was longer than the buffer.
    ///
    /// It is received into a longer buffer, which is allocated for each call, and copied:
    /// [`recv_from`](Self::recv_from) does neither.
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

    /// **Required.** [`recv`](Self::recv), and the next one receives the same datagram.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_peek_leaves_the_datagram`.</details>
    fn peek(&self, buf: &mut [u8]) -> impl Future<Output = io::Result<usize>> + Send;

    /// **Required.** [`peek`](Self::peek) as a poll function.
    fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>;

    /// **Required.** [`recv_from`](Self::recv_from), and the next one receives the same datagram.
    fn peek_from(&self, buf: &mut [u8]) -> impl Future<Output = io::Result<(usize, SocketAddr)>> + Send;

    /// **Required.** [`peek_from`](Self::peek_from) as a poll function.
    fn poll_peek_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>>;

    /// **Required.** Waits until a receive may find something: a datagram, or an error that was reported.
    ///
    /// For what this trait does not have, such as `recvmmsg`: call it on the [`descriptor`](Self::descriptor), inside
    /// [`try_io`](Self::try_io), and wait here when it would have blocked. Being ready may be in vain: somebody else can have
    /// taken the datagram. Any number of tasks may await it at once; all of them are woken.
    ///
    /// # Cancel safety
    ///
    /// It takes nothing.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_readable_waits_for_a_datagram`, `udp_readable_wakes_everybody`.</details>
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send;

    /// **Required.** [`readable`](Self::readable) as a poll function; it takes the place of a task that polls to receive.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_ready_polls_wake_the_last_waker`.</details>
    fn poll_recv_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// **Required.** Waits until a send may have room; otherwise as [`readable`](Self::readable).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_writable_where_there_is_room`.</details>
    fn writable(&self) -> impl Future<Output = io::Result<()>> + Send;

    /// **Required.** [`writable`](Self::writable) as a poll function; it takes the place of a task that polls to send.
    fn poll_send_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Calls `operation`, which works on the [`descriptor`](Self::descriptor) and would rather fail with `WouldBlock` than
    /// block. The runtime learns from that error that the socket is not ready, so that [`readable`](Self::readable) or
    /// [`writable`](Self::writable) waits.
    ///
    /// Where the runtime knows already that the socket is not ready, the error comes without a call.
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
    /// async fn send_parts<S: UdpSocket>(socket: &S, parts: &[io::IoSlice<'_>], to: SocketAddr) -> io::Result<usize> {
    ///     let to = SockAddr::from(to);
    ///     loop {
    ///         let sent = socket.try_io(Interest::Writable, || {
    ///             let descriptor = socket.descriptor().ok_or(io::ErrorKind::Unsupported)?;
    ///             SockRef::from(&descriptor).send_to_vectored(parts, &to)
    ///         });
    ///         match sent {
    ///             Err(error) if error.kind() == io::ErrorKind::WouldBlock => socket.writable().await?,
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

    /// Sends a datagram to the peer that the socket is connected to, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when there is no room, or when the runtime has not heard of it yet: await
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

    /// Receives a datagram that is there, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when nothing is there, or when the runtime has not heard of it yet: await
    /// [`readable`](Self::readable) and try again.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_try_recv_takes_what_is_there`.</details>
    fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.try_io(Interest::Readable, || of::read(self.descriptor(), buf))
    }

    /// [`try_recv`](Self::try_recv), which also tells whom it is from.
    fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.try_io(Interest::Readable, || of::udp_recv_from(self.descriptor(), buf))
    }

    /// **Required.** Our own address, with the port that was picked.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_addresses_match`.</details>
    fn local_addr(&self) -> io::Result<SocketAddr>;

    /// **Required.** The peer that the socket is connected to; an error of kind `NotConnected` if there is none.
    fn peer_addr(&self) -> io::Result<SocketAddr>;

    /// **Required.** Whether it may send to broadcast addresses (`SO_BROADCAST`); off by default, and sending there
    /// is an error of kind `PermissionDenied`.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_broadcast_has_to_be_allowed`.</details>
    fn broadcast(&self) -> io::Result<bool>;

    /// **Required.** Sets `SO_BROADCAST`.
    fn set_broadcast(&self, on: bool) -> io::Result<()>;

    /// **Required.** How many routers a packet may pass (`IP_TTL`).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_ttl_can_be_set`.</details>
    fn ttl(&self) -> io::Result<u32>;

    /// **Required.** Sets `IP_TTL`.
    fn set_ttl(&self, ttl: u32) -> io::Result<()>;

    /// **Required.** Whether this host receives what we send to a group (`IP_MULTICAST_LOOP`); on by default.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_multicast_options_can_be_set`.</details>
    fn multicast_loop_v4(&self) -> io::Result<bool>;

    /// **Required.** Sets `IP_MULTICAST_LOOP`.
    fn set_multicast_loop_v4(&self, on: bool) -> io::Result<()>;

    /// **Required.** How many routers a packet to a group may pass (`IP_MULTICAST_TTL`); 1 by default: none.
    fn multicast_ttl_v4(&self) -> io::Result<u32>;

    /// **Required.** Sets `IP_MULTICAST_TTL`.
    fn set_multicast_ttl_v4(&self, ttl: u32) -> io::Result<()>;

    /// **Required.** Whether this host receives what we send to a group (`IPV6_MULTICAST_LOOP`); on by default.
    fn multicast_loop_v6(&self) -> io::Result<bool>;

    /// **Required.** Sets `IPV6_MULTICAST_LOOP`.
    fn set_multicast_loop_v6(&self, on: bool) -> io::Result<()>;

    /// **Required.** Receives what is sent to a group, on the interface with this address; `0.0.0.0` lets the system
    /// choose one.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_multicast_reaches_its_group`.</details>
    fn join_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()>;

    /// **Required.** Leaves a group that was joined in the same way.
    fn leave_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()>;

    /// **Required.** Receives what is sent to a group, on the interface with this index; 0 lets the system choose
    /// one.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_multicast_v6_reaches_its_group`.</details>
    fn join_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()>;

    /// **Required.** Leaves a group that was joined in the same way.
    fn leave_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()>;

    /// The socket of the system; see [`TcpStream::descriptor`](super::TcpStream::descriptor).
    fn descriptor(&self) -> Option<Descriptor<'_>> {
        None
    }

    /// **Required.** Takes the socket away from the runtime, as a **blocking** one of the standard library.
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
            /// Our own address, with the port that was picked.
            fn local_addr() -> SocketAddr;
            /// The peer that the socket is connected to; an error of kind `NotConnected` if there is none.
            fn peer_addr() -> SocketAddr;
            /// Whether it may send to broadcast addresses (`SO_BROADCAST`); off by default.
            fn broadcast() -> bool;
            /// Sets `SO_BROADCAST`.
            fn set_broadcast(on: bool) -> ();
            /// How many routers a packet may pass (`IP_TTL`).
            fn ttl() -> u32;
            /// Sets `IP_TTL`.
            fn set_ttl(ttl: u32) -> ();
            /// Whether this host receives what we send to a group (`IP_MULTICAST_LOOP`); on by default.
            fn multicast_loop_v4() -> bool;
            /// Sets `IP_MULTICAST_LOOP`.
            fn set_multicast_loop_v4(on: bool) -> ();
            /// How many routers a packet to a group may pass (`IP_MULTICAST_TTL`); 1 by default: none.
            fn multicast_ttl_v4() -> u32;
            /// Sets `IP_MULTICAST_TTL`.
            fn set_multicast_ttl_v4(ttl: u32) -> ();
            /// Whether this host receives what we send to a group (`IPV6_MULTICAST_LOOP`); on by default.
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
            /// Receives what is sent to a group, on the interface with this address; `0.0.0.0` lets the system choose one.
            fn join_multicast_v4(group: &Ipv4Addr, interface: &Ipv4Addr) -> ();
            /// Leaves a group that was joined in the same way.
            fn leave_multicast_v4(group: &Ipv4Addr, interface: &Ipv4Addr) -> ();
            /// Receives what is sent to a group, on the interface with this index; 0 lets the system choose one.
            fn join_multicast_v6(group: &Ipv6Addr, interface: u32) -> ();
            /// Leaves a group that was joined in the same way.
            fn leave_multicast_v6(group: &Ipv6Addr, interface: u32) -> ();
        }
    };
}
pub(crate) use udp_groups;

/// As [`udp_options`], for those that wait: each with its poll function, and the buffer first if it has one.
macro_rules! udp_calls {
    ($forward:ident $($trait:ident)?) => {
        $forward! { $($trait:)?
            /// Sends a datagram to the peer that the socket is connected to.
            fn send, poll_send(buf: &[u8]) -> usize;
            /// Waits for a datagram, of the peer if the socket is connected.
            fn recv, poll_recv(buf: &mut [u8]) -> usize;
            /// Waits for a datagram, and tells whom it is from.
            fn recv_from, poll_recv_from(buf: &mut [u8]) -> (usize, SocketAddr);
            /// Waits for a datagram and leaves it there: the next one receives it.
            fn peek, poll_peek(buf: &mut [u8]) -> usize;
            /// Waits for a datagram, tells whom it is from, and leaves it there.
            fn peek_from, poll_peek_from(buf: &mut [u8]) -> (usize, SocketAddr);
            /// Waits until a receive may find something: a datagram, or an error that was reported.
            fn readable, poll_recv_ready() -> ();
            /// Waits until a send may have room.
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
            /// Sends a datagram to the peer that the socket is connected to, without waiting.
            fn try_send(buf: &[u8]) -> usize;
            /// Sends a datagram, without waiting.
            fn try_send_to(buf: &[u8], target: SocketAddr) -> usize;
            /// Receives a datagram that is there, without waiting.
            fn try_recv(buf: &mut [u8]) -> usize;
            /// Receives a datagram that is there and tells whom it is from, without waiting.
            fn try_recv_from(buf: &mut [u8]) -> (usize, SocketAddr);
        }
    };
}
pub(crate) use udp_tries;
