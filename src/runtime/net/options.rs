use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::Descriptor;
use super::resolver::{Resolve, Resolver};

/// How to connect: what is set on a socket before it does.
///
/// Whatever is not set here is as [`tcp_connect`](crate::Net::tcp_connect) has it. Options are set by anyrt, so they
/// mean the same on every runtime; one that the system does not have, or a value that makes no sense, is an error that
/// names it.
///
/// # Examples
///
/// ```
/// use std::{io, time::Duration};
///
/// use anyrt::net::{ConnectOptions, Keepalive, TcpStream};
///
/// async fn dial() -> io::Result<TcpStream> {
///     let options = ConnectOptions::new()
///         .timeout(Duration::from_secs(3))
///         .happy_eyeballs(ConnectOptions::ATTEMPT_DELAY)
///         .keepalive(Keepalive::new().time(Duration::from_secs(60)))
///         .nodelay(true);
///     TcpStream::connect_with("db.example:5432", &options).await
/// }
/// ```
///
/// <details><summary>Scenarios</summary>
///
/// `connect_with_nothing_set`, `connect_options_are_set`.</details>
#[derive(Clone, Debug, Default)]
pub struct ConnectOptions {
    pub(crate) local_addr: Option<SocketAddr>,
    pub(super) timeout: Option<Duration>,
    pub(super) attempt_delay: Option<Duration>,
    pub(super) resolver: Option<Resolver>,
    pub(super) hook: Option<Hook>,
    pub(crate) socket: SocketOptions,
}

impl ConnectOptions {
    /// How long [`happy_eyeballs`](Self::happy_eyeballs) waits by recommendation (RFC 8305, 5): 250 ms.
    pub const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

    /// The ones of `tcp_connect`.
    pub(crate) const UNSET: Self = Self {
        local_addr: None,
        timeout: None,
        attempt_delay: None,
        resolver: None,
        hook: None,
        socket: SocketOptions::UNSET,
    };

    /// Nothing set.
    pub fn new() -> Self {
        Self::UNSET
    }

    /// Connects from this address; port 0 lets the system choose one. Addresses of the other family are passed over.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `connect_from_a_local_address`, `connect_from_the_other_family_is_invalid_input`.</details>
    pub fn local_addr(mut self, addr: impl Into<SocketAddr>) -> Self {
        self.local_addr = Some(addr.into());
        self
    }

    /// How long each address has to answer: then it has failed with `TimedOut`, and the next one is tried.
    ///
    /// [`Time::timeout`](crate::Time::timeout) limits all of them together, and the resolver with them.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `connect_timeout_passes_a_silent_address`, `connect_timeout_names_the_address`.</details>
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Does not wait for one address before it tries the next: every `delay` another one joins in, IPv6 and IPv4 by
    /// turns, and the first that answers wins (RFC 8305, 4 and 5). The others are dropped.
    ///
    /// An address that fails makes room for the next at once.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `happy_eyeballs_pass_a_silent_address`, `happy_eyeballs_go_on_after_a_refusal`,
    /// `happy_eyeballs_report_the_last_error`, `happy_eyeballs_max_waits_for_a_refusal`.</details>
    pub fn happy_eyeballs(mut self, delay: Duration) -> Self {
        self.attempt_delay = Some(delay);
        self
    }

    /// Asks this resolver for names, and not the runtime's.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `connect_asks_its_resolver`.</details>
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.resolver = Some(Resolver::new(resolver));
        self
    }

    /// Calls `hook` with each socket before it connects, and before it has an address: for options that are not here, such as
    /// `TCP_USER_TIMEOUT`, or for a device that it is bound to. What is set here was set before.
    ///
    /// It is called on the thread that polls, once for each address that is tried, and must not wait. An error of it is that
    /// of the address. A simulation has no sockets of the system and calls nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// use anyrt::net::{ConnectOptions, TcpStream};
    /// use socket2::SockRef;
    ///
    /// async fn dial() -> io::Result<TcpStream> {
    ///     let options = ConnectOptions::new().before_connect(|socket| SockRef::from(&socket).set_ttl_v4(3));
    ///     TcpStream::connect_with("192.0.2.7:5432", &options).await
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `connect_hook_sees_the_socket`.</details>
    pub fn before_connect(
        mut self,
        hook: impl Fn(Descriptor<'_>) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.hook = Some(Hook(Arc::new(hook)));
        self
    }

    pub(super) fn check(&self) -> io::Result<()> {
        if self.timeout == Some(Duration::ZERO) {
            return Err(invalid(
                "timeout",
                "0 is too short for any connection; leave it unset to wait as long as the system does",
            ));
        }
        if self.attempt_delay.is_some_and(|delay| delay < Duration::from_millis(10)) {
            return Err(invalid(
                "happy_eyeballs",
                "ask for 10 ms or more between two attempts (RFC 8305, section 5)",
            ));
        }
        self.socket.check()
    }
}

/// How to listen: what is set on a socket before it does.
///
/// Whatever is not set here is as [`tcp_bind`](crate::Net::tcp_bind) has it. What a connection can have as well, the
/// accepted ones inherit.
///
/// # Examples
///
/// ```
/// use std::io;
///
/// use anyrt::net::{ListenOptions, TcpListener};
///
/// async fn serve() -> io::Result<TcpListener> {
///     let options = ListenOptions::new().only_v6(true).backlog(4096);
///     TcpListener::bind_with("[::]:443", &options).await
/// }
/// ```
///
/// <details><summary>Scenarios</summary>
///
/// `listen_with_nothing_set`, `listen_options_are_set`, `accepted_streams_inherit_options`.</details>
#[derive(Clone, Debug, Default)]
pub struct ListenOptions {
    pub(crate) backlog: Option<u32>,
    pub(crate) only_v6: Option<bool>,
    pub(super) hook: Option<Hook>,
    pub(crate) socket: SocketOptions,
}

/// Connections that may wait to be accepted. The standard library has 128: a burst of more loses SYNs and stands
/// still for a second, until they are sent again.
pub(crate) const BACKLOG: i32 = 1024;

impl ListenOptions {
    /// The ones of `tcp_bind`.
    pub(crate) const UNSET: Self =
        Self { backlog: None, only_v6: None, hook: None, socket: SocketOptions::UNSET };

    /// Nothing set.
    pub fn new() -> Self {
        Self::UNSET
    }

    /// How many connections may wait to be accepted; 1024 unless set. Systems have limits of their own, such as
    /// `net.core.somaxconn`.
    ///
    /// A client beyond them is kept waiting; in a burst Linux may let it connect nevertheless, and reset it when it is
    /// used (tcp(7), `tcp_syncookies`).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `backlog_limits_the_queue`.</details>
    pub fn backlog(mut self, connections: u32) -> Self {
        self.backlog = Some(connections);
        self
    }

    /// Whether a listener on `[::]` leaves IPv4 alone (`IPV6_V6ONLY`). Unless set, systems differ: Linux and macOS
    /// take IPv4 connections there as well, Windows does not.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `only_v6_leaves_v4_alone`.</details>
    pub fn only_v6(mut self, on: bool) -> Self {
        self.only_v6 = Some(on);
        self
    }

    /// Calls `hook` with each socket before it is bound and listens; otherwise as
    /// [`ConnectOptions::before_connect`].
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `listen_hook_sees_the_socket`.</details>
    pub fn before_listen(
        mut self,
        hook: impl Fn(Descriptor<'_>) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.hook = Some(Hook(Arc::new(hook)));
        self
    }

    pub(super) fn check(&self) -> io::Result<()> {
        if self.backlog == Some(0) {
            return Err(invalid("backlog", "with 0 no connection could wait; ask for 1 or more"));
        }
        self.socket.check()
    }
}

/// What a user does with a socket before it is used.
#[derive(Clone)]
pub(super) struct Hook(Arc<dyn Fn(Descriptor<'_>) -> io::Result<()> + Send + Sync>);

impl Hook {
    /// Calls it; the error says which one it is.
    #[cfg_attr(not(any(unix, windows)), allow(dead_code, reason = "there are no sockets"))]
    pub(super) fn call(&self, name: &str, socket: Descriptor<'_>) -> io::Result<()> {
        (self.0)(socket).map_err(|error| named(error, name.to_owned()))
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}

/// What both ends of a connection can have.
#[derive(Clone, Debug, Default)]
pub(crate) struct SocketOptions {
    pub(crate) reuse_address: Option<bool>,
    pub(crate) reuse_port: Option<bool>,
    pub(crate) nodelay: Option<bool>,
    pub(crate) keepalive: Option<Keepalive>,
    pub(crate) linger: Option<Duration>,
    pub(crate) recv_buffer_size: Option<usize>,
    pub(crate) send_buffer_size: Option<usize>,
}

impl SocketOptions {
    const UNSET: Self = Self {
        reuse_address: None,
        reuse_port: None,
        nodelay: None,
        keepalive: None,
        linger: None,
        recv_buffer_size: None,
        send_buffer_size: None,
    };

    fn check(&self) -> io::Result<()> {
        for (field, size) in
            [("recv_buffer_size", self.recv_buffer_size), ("send_buffer_size", self.send_buffer_size)]
        {
            // The system takes a C `int`.
            if size.is_some_and(|size| size == 0 || i32::try_from(size).is_err()) {
                return Err(invalid(field, &format!("ask for 1 to {} bytes", i32::MAX)));
            }
        }
        self.keepalive.map_or(Ok(()), |keepalive| keepalive.check())
    }
}

/// The methods that set them.
macro_rules! socket_options {
    ($options:ident) => {
        impl $options {
            /// Whether an address can be bound that connections of before still linger at (`SO_REUSEADDR`). Unless
            /// set, listeners do on Unix. On Windows it lets two programs have one port.
            pub fn reuse_address(mut self, on: bool) -> Self {
                self.socket.reuse_address = Some(on);
                self
            }

            /// Whether several sockets may have one address, all of which set this (`SO_REUSEPORT`): Linux spreads
            /// connections over those that listen.
            ///
            /// Windows has nothing like it, which is an error of kind `Unsupported`.
            ///
            /// <details><summary>Scenarios</summary>
            ///
            /// `reuse_port_shares_a_port`.</details>
            pub fn reuse_port(mut self, on: bool) -> Self {
                self.socket.reuse_port = Some(on);
                self
            }

            /// Whether small writes are sent at once (`TCP_NODELAY`); off unless set.
            pub fn nodelay(mut self, on: bool) -> Self {
                self.socket.nodelay = Some(on);
                self
            }

            /// Asks a silent peer whether it is still there (`SO_KEEPALIVE`); off unless set.
            pub fn keepalive(mut self, keepalive: Keepalive) -> Self {
                self.socket.keepalive = Some(keepalive);
                self
            }

            /// What becomes of data that is not yet sent when the stream is dropped (`SO_LINGER`), in whole seconds,
            /// rounded up. Unless set, the system goes on sending in the background.
            ///
            /// Zero throws it away and resets the connection. Anything longer makes the **thread** that drops the
            /// stream, a worker perhaps, wait until the peer has confirmed everything, or for that long (Linux:
            /// socket(7)).
            pub fn linger(mut self, time: Duration) -> Self {
                self.socket.linger = Some(time);
                self
            }

            /// Bytes that the system keeps for us to read (`SO_RCVBUF`). Systems choose by themselves unless set, and
            /// round: Linux doubles it (socket(7)).
            pub fn recv_buffer_size(mut self, bytes: usize) -> Self {
                self.socket.recv_buffer_size = Some(bytes);
                self
            }

            /// Bytes that the system takes from us before the peer has confirmed them (`SO_SNDBUF`). Otherwise as
            /// [`recv_buffer_size`](Self::recv_buffer_size).
            pub fn send_buffer_size(mut self, bytes: usize) -> Self {
                self.socket.send_buffer_size = Some(bytes);
                self
            }
        }
    };
}

socket_options!(ConnectOptions);
socket_options!(ListenOptions);

/// When to ask a silent peer whether it is still there, and when to give up.
///
/// Each part is the system's own unless set (Linux: 2 h, 75 s, 9; tcp(7)).
///
/// <details><summary>Scenarios</summary>
///
/// `keepalive_can_be_set`.</details>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Keepalive {
    /// How long the peer may be silent before it is asked (`TCP_KEEPIDLE`), in whole seconds, rounded up.
    pub time: Option<Duration>,
    /// How long one question waits before the next (`TCP_KEEPINTVL`), in whole seconds, rounded up.
    pub interval: Option<Duration>,
    /// How many questions may stay without an answer (`TCP_KEEPCNT`). Then the connection fails with `TimedOut`.
    pub retries: Option<u32>,
}

impl Keepalive {
    /// On, with the times of the system.
    pub fn new() -> Self {
        Self { time: None, interval: None, retries: None }
    }

    /// Sets how long the peer may be silent before it is asked.
    pub fn time(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// Sets how long one question waits before the next.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }

    /// Sets how many questions may stay without an answer.
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = Some(retries);
        self
    }

    pub(crate) fn check(self) -> io::Result<()> {
        for (field, time) in [("keepalive: time", self.time), ("keepalive: interval", self.interval)] {
            if time == Some(Duration::ZERO) {
                return Err(invalid(field, "ask for a second or more"));
            }
        }
        if self.retries == Some(0) {
            return Err(invalid("keepalive: retries", "ask for 1 or more"));
        }
        Ok(())
    }

    /// As systems have it.
    pub(crate) fn in_whole_seconds(self) -> Self {
        let Self { time, interval, retries } = self;
        Self { time: time.map(whole_seconds), interval: interval.map(whole_seconds), retries }
    }
}

/// The unit of most systems. Rounded down, half a second of linger would be a reset, and of keepalive an error.
pub(crate) fn whole_seconds(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs().saturating_add((time.subsec_nanos() > 0).into()))
}

/// An option of a socket that the system has not made, or what is done by its descriptor.
pub(crate) fn no_such_option() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "anyrt: this socket is not one of the system, and has no such option",
    )
}

/// Of a runtime that cannot ask.
#[cfg(unix)]
pub(crate) fn no_peer_cred() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "anyrt: on this system, or on the runtime of this stream, nobody tells who the peer is",
    )
}

/// Of a runtime that watches nothing but sockets.
#[cfg(unix)]
pub(crate) fn no_watch() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "anyrt: this runtime watches no descriptor that is not of a socket that it has made",
    )
}

/// Of a runtime that has left it out.
pub(crate) fn no_readiness() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "anyrt: the runtime of this socket does not tell when it is ready",
    )
}

pub(crate) fn invalid(option: &str, why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("anyrt: {option}: {why}"))
}

/// The same error, of the same kind, which also says what it came of. The system's own is its source.
pub(crate) fn named(error: io::Error, what: String) -> io::Error {
    io::Error::new(error.kind(), Named { what, error })
}

#[derive(Debug)]
struct Named {
    what: String,
    error: io::Error,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.error)
    }
}

impl std::error::Error for Named {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
