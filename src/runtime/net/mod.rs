//! The network: connecting and binding, sockets, and the code shared by all sockets: addresses, name resolution,
//! options, incoming connections.

mod addrs;
#[cfg(unix)]
mod async_fd;
mod bind;
#[cfg(feature = "tokio-io")]
mod compat;
mod connect;
mod descriptor;
pub(crate) mod family;
#[cfg(all(unix, feature = "fds"))]
pub(crate) mod fds;
mod halves;
mod incoming;
pub(crate) mod io_traits;
mod lookup;
pub(crate) mod options;
#[cfg(unix)]
pub(crate) mod path;
mod recv_msg;
mod resolver;
mod reunite;
#[cfg(any(unix, windows))]
mod system;
#[cfg(not(any(unix, windows)))]
#[path = "no_system.rs"]
mod system;
mod tcp;
#[cfg(unix)]
mod ucred;
mod udp;
#[cfg(unix)]
mod unix;
#[cfg(any(unix, windows))]
mod wait;

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use super::Time;
use super::backend::NetBackend;

pub use addrs::ToSocketAddrs;
pub(crate) use addrs::sealed::Addrs;
#[cfg(unix)]
pub use async_fd::{AsyncFd, AsyncFdReadyGuard, FdReady, TryIoError, WatchFd};
pub(crate) use bind::{bind, no_address, udp_bind};
#[cfg(feature = "tokio-io")]
pub use compat::Compat;
pub(crate) use connect::connect;
pub use descriptor::Descriptor;
pub(crate) use descriptor::lends;
#[cfg(any(unix, windows))]
pub(crate) use descriptor::{AsDescriptor, descriptor};
#[cfg(all(unix, feature = "fds"))]
pub use fds::RecvFds;
pub use halves::{ReadHalf, WriteHalf};
pub use incoming::Incoming;
pub(crate) use lookup::{resolve, resolve_all};
pub(crate) use options::named;
pub use options::{ConnectOptions, Keepalive, ListenOptions};
pub use recv_msg::RecvMsg;
pub use resolver::{Resolve, SetResolverError, set_resolver};
pub use reunite::ReuniteError;
pub(crate) use system::of;
#[cfg(any(unix, windows))]
pub(crate) use system::write_error;
pub use tcp::{TcpListener, TcpStream};
pub(crate) use tcp::{tcp_options, tcp_required};
#[cfg(unix)]
pub use ucred::UCred;
pub use udp::{Interest, UdpSocket};
pub(crate) use udp::{udp_calls, udp_groups, udp_options, udp_send_to, udp_tries};
#[cfg(unix)]
pub use unix::{UnixDatagram, UnixListener, UnixNet, UnixStream};
#[cfg(unix)]
pub(crate) use unix::{fd_tries, unix_calls, unix_tries};
#[cfg(any(unix, windows))]
pub(crate) use wait::try_io;

/// TCP, UDP and name resolution.
///
/// A socket stays with the runtime that created it, whichever runtime is current where it is used. It may be used from
/// any thread and under any executor for as long as its runtime lives and is driven.
///
/// Sockets do not keep their runtime alive. When it is gone, nothing hangs: operations, including pending ones,
/// continue, or, on tokio and in a simulation, fail with an error of kind `Other`. Closing and `into_std` still work.
/// Creating another socket with the old handle works or fails in the same way. Resolving a name fails with an error of
/// kind `Other` everywhere.
///
/// Tasks that compute for some milliseconds between two polls delay the I/O of other tasks by no more than a few of
/// their polls: an operation is tried before it waits, and at each poll.
///
/// <details><summary>Scenarios</summary>
///
/// `busy_tasks_starve_no_connect`, `busy_tasks_starve_no_accept`, `busy_tasks_starve_no_read`,
/// `busy_tasks_starve_no_write`, `busy_tasks_starve_no_receive`, `busy_tasks_starve_no_lookup`,
/// `busy_tasks_starve_no_happy_eyeballs`, `busy_tasks_starve_no_timer`, `objects_stay_with_their_runtime`, `objects_are_driven_from_anywhere`, `sockets_outlive_their_runtime`,
/// `sockets_outlive_a_shutdown`, `sockets_that_wait_outlive_their_runtime`, `sockets_that_wait_outlive_a_shutdown`,
/// `sockets_made_after_a_shutdown_work_or_fail`, `names_after_a_shutdown_are_an_error`.</details>
///
/// # For authors of backends
///
/// Implement [`NetBackend`], and name the types of the sockets here; see [`runtime::backend`](super::backend).
pub trait Net: Time + NetBackend {
    /// A TCP connection.
    type TcpStream: TcpStream;
    /// A TCP listener.
    type TcpListener: TcpListener<Stream = Self::TcpStream>;
    /// A UDP socket.
    type UdpSocket: UdpSocket;

    /// Connects to the first address that answers.
    ///
    /// Names are resolved off the worker threads; every address is tried, in order. Connecting to an address instead of
    /// a name needs no thread of the blocking pool, so it works even if the pool is full.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the socket; the peer may have accepted the connection by then.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there is no address; otherwise the error of the last address. It includes the address and has
    /// the system's kind, such as `ConnectionRefused` where nobody listens. The system's own error, with its number, is
    /// the [source](std::error::Error::source).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// async fn dial<R: anyrt::Net>(runtime: R) -> io::Result<R::TcpStream> {
    ///     runtime.tcp_connect("localhost:6379").await
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `connect_by_name`, `connect_tries_every_address`, `connect_reports_the_last_error`,
    /// `connect_to_no_address_is_invalid_input`, `connect_refused_has_its_kind`, `connect_can_be_cancelled`,
    /// `connect_from_a_plain_thread`, `connect_to_an_address_needs_no_blocking_thread`, `ipv6_round_trip`.</details>
    fn tcp_connect<A: ToSocketAddrs>(
        &self,
        addr: A,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + '_ {
        connect(self, addr.to_addrs(), &ConnectOptions::UNSET)
    }

    /// [`tcp_connect`](Self::tcp_connect) with options: local address, timeout, keepalive …
    ///
    /// # Cancel safety
    ///
    /// As [`tcp_connect`](Self::tcp_connect).
    ///
    /// # Errors
    ///
    /// As [`tcp_connect`](Self::tcp_connect). Also `InvalidInput` for an invalid option and `Unsupported` for an option
    /// that the system does not have, both naming the option; `TimedOut` for an address that did not answer in time.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{io, time::Duration};
    ///
    /// use anyrt::net::ConnectOptions;
    ///
    /// async fn dial<R: anyrt::Net>(runtime: R) -> io::Result<R::TcpStream> {
    ///     let options = ConnectOptions::new().timeout(Duration::from_secs(2)).nodelay(true);
    ///     runtime.tcp_connect_with("localhost:6379", &options).await
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `connect_options_that_make_no_sense`.</details>
    fn tcp_connect_with<A: ToSocketAddrs>(
        &self,
        addr: A,
        options: &ConnectOptions,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send {
        connect(self, addr.to_addrs(), options)
    }

    /// Listens on the first address that can be bound; port 0 picks a free one.
    ///
    /// `SO_REUSEADDR` is set on Unix, so that a server can be restarted at once. The backlog is 1024 connections, or
    /// the system's limit if that is lower.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there is no address; otherwise the error of the last address. It includes the address and has
    /// the system's kind, such as `AddrInUse`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// async fn serve<R: anyrt::Net>(runtime: R) -> io::Result<R::TcpListener> {
    ///     runtime.tcp_bind("127.0.0.1:0").await
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `bind_port_zero_picks_a_port`, `bind_in_use_has_its_kind`, `bind_tries_every_address`,
    /// `bind_to_no_address_is_invalid_input`, `bind_from_a_plain_thread`, `bind_again_at_once`,
    /// `bind_queues_a_burst`.</details>
    fn tcp_bind<A: ToSocketAddrs>(
        &self,
        addr: A,
    ) -> impl Future<Output = io::Result<Self::TcpListener>> + Send + '_ {
        bind(self, addr.to_addrs(), &ListenOptions::UNSET)
    }

    /// [`tcp_bind`](Self::tcp_bind) with options: backlog, shared ports …
    ///
    /// # Errors
    ///
    /// As [`tcp_bind`](Self::tcp_bind). Also `InvalidInput` for an invalid option and `Unsupported` for an option that
    /// the system does not have, both naming the option.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// use anyrt::net::ListenOptions;
    ///
    /// /// One of several processes that serve one port.
    /// async fn serve<R: anyrt::Net>(runtime: R) -> io::Result<R::TcpListener> {
    ///     runtime.tcp_bind_with("127.0.0.1:7000", &ListenOptions::new().reuse_port(true)).await
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `listen_options_that_make_no_sense`.</details>
    fn tcp_bind_with<A: ToSocketAddrs>(
        &self,
        addr: A,
        options: &ListenOptions,
    ) -> impl Future<Output = io::Result<Self::TcpListener>> + Send {
        bind(self, addr.to_addrs(), options)
    }

    /// Binds a UDP socket to the first address that can be bound; port 0 picks a free one.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there is no address; otherwise the error of the last address. It includes the address and has
    /// the system's kind, such as `AddrInUse`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// async fn client<R: anyrt::Net>(runtime: R) -> io::Result<R::UdpSocket> {
    ///     runtime.udp_bind("0.0.0.0:0").await
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_bind_picks_a_port`, `udp_bind_by_name`, `udp_bind_in_use_has_its_kind`,
    /// `udp_bind_tries_every_address`, `udp_bind_to_no_address_is_invalid_input`,
    /// `udp_bind_from_a_plain_thread`.</details>
    fn udp_bind<A: ToSocketAddrs>(
        &self,
        addr: A,
    ) -> impl Future<Output = io::Result<Self::UdpSocket>> + Send + '_ {
        udp_bind(self, addr.to_addrs())
    }

    /// Resolves a name to all its addresses, in the order of the resolver: the system's, which runs off the worker
    /// threads, or [another](crate::net::set_resolver).
    ///
    /// # Cancel safety
    ///
    /// A look-up in progress completes in the background, and its result is dropped.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for text that is not `host:port`, the resolver's own error for a name that does not resolve, and
    /// `NotFound` if the resolver returns no address. Each error includes the name.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// async fn first<R: anyrt::Net>(runtime: R) -> io::Result<()> {
    ///     for addr in runtime.lookup_host(("localhost", 80)).await? {
    ///         println!("{addr}");
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `lookup_resolves_localhost`, `lookup_takes_an_address_in_brackets`, `lookup_of_a_bad_address_is_invalid_input`,
    /// `lookup_of_an_unknown_host_fails`.</details>
    fn lookup_host<A: ToSocketAddrs>(
        &self,
        addr: A,
    ) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send + '_ {
        resolve_all(self, addr.to_addrs(), None)
    }

    /// Converts a connection of the standard library, blocking or non-blocking.
    ///
    /// The socket is set to non-blocking. (tokio 1.54 leaves that to the caller: it panics in debug builds and blocks a
    /// worker in release.)
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `stream_from_a_blocking_std_stream`, `stream_from_std_on_a_plain_thread`.</details>
    fn tcp_stream_from_std(&self, stream: std::net::TcpStream) -> io::Result<Self::TcpStream> {
        self.adopt_tcp_stream(stream)
    }

    /// Converts a listener of the standard library, blocking or non-blocking.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `listener_from_a_blocking_std_listener`.</details>
    fn tcp_listener_from_std(&self, listener: std::net::TcpListener) -> io::Result<Self::TcpListener> {
        self.adopt_tcp_listener(listener)
    }

    /// Converts a UDP socket of the standard library, blocking or non-blocking.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `udp_from_a_blocking_std_socket`, `udp_from_std_on_a_plain_thread`.</details>
    fn udp_socket_from_std(&self, socket: std::net::UdpSocket) -> io::Result<Self::UdpSocket> {
        self.adopt_udp_socket(socket)
    }
}
