use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::Descriptor;
use super::resolver::{Resolve, Resolver};

/// Options of a TCP connection, set on the socket before it connects.
///
/// The defaults are those of [`tcp_connect`](crate::Net::tcp_connect). anyrt sets the options itself, so they mean the
/// same on every runtime. An option that the system does not have, or an invalid value, is an error that names the
/// option.
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
    /// The recommended delay for [`happy_eyeballs`](Self::happy_eyeballs) (RFC 8305, 5): 250 ms.
    pub const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

    /// The defaults of `tcp_connect`.
    pub(crate) const UNSET: Self = Self {
        local_addr: None,
        timeout: None,
        attempt_delay: None,
        resolver: None,
        hook: None,
        socket: SocketOptions::UNSET,
    };

    /// Creates options with nothing set.
    pub fn new() -> Self {
        Self::UNSET
    }

    /// Connects from this local address; port 0 lets the system choose a port. Remote addresses of the other IP version
    /// are skipped.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `connect_from_a_local_address`, `connect_from_the_other_family_is_invalid_input`.</details>
    pub fn local_addr(mut self, addr: impl Into<SocketAddr>) -> Self {
        self.local_addr = Some(addr.into());
        self
    }

    /// Sets the timeout of each address. An address that does not answer in time fails with `TimedOut`, and the next
    /// one is tried.
    ///
    /// [`Time::timeout`](crate::Time::timeout) limits the whole call, including the resolver.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `connect_timeout_passes_a_silent_address`, `connect_timeout_names_the_address`.</details>
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Tries several addresses at the same time ("happy eyeballs"): starts the next attempt after each `delay`,
    /// alternating IPv6 and IPv4, and takes the first that answers (RFC 8305, 4 and 5). The other attempts are dropped.
    ///
    /// When an attempt fails, the next one starts at once.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `happy_eyeballs_pass_a_silent_address`, `happy_eyeballs_go_on_after_a_refusal`,
    /// `happy_eyeballs_report_the_last_error`, `happy_eyeballs_max_waits_for_a_refusal`.</details>
    pub fn happy_eyeballs(mut self, delay: Duration) -> Self {
        self.attempt_delay = Some(delay);
        self
    }

    /// Resolves names with `resolver` instead of the runtime's.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `connect_asks_its_resolver`.</details>
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.resolver = Some(Resolver::new(resolver));
        self
    }

    /// Calls `hook` with each socket before it connects, and before it has an address: for options that this type
    /// lacks, such as `TCP_USER_TIMEOUT`, or for binding to a device. The options of this type are set before the call.
    ///
    /// The hook is called on the polling thread, once for each address that is tried, and must not block. Its error
    /// becomes the error of the address. A simulation has no system sockets and never calls the hook.
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
    ///     let options = ConnectOptions::new();
    ///     let options = options.before_connect(|socket| SockRef::from(&socket).set_ttl_v4(3));
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

/// Options of a TCP listener, set on the socket before it listens.
///
/// The defaults are those of [`tcp_bind`](crate::Net::tcp_bind). Accepted connections inherit the options that apply to
/// connections.
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
    /// The defaults of `tcp_bind`.
    pub(crate) const UNSET: Self =
        Self { backlog: None, only_v6: None, hook: None, socket: SocketOptions::UNSET };

    /// Creates options with nothing set.
    pub fn new() -> Self {
        Self::UNSET
    }

    /// Sets the backlog: how many connections may wait to be accepted. Default: 1024. Systems have limits of their own,
    /// such as `net.core.somaxconn`.
    ///
    /// Further clients are kept waiting. In a burst Linux may let them connect and then reset the connection at its
    /// first use (tcp(7), `tcp_syncookies`).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `backlog_limits_the_queue`.</details>
    pub fn backlog(mut self, connections: u32) -> Self {
        self.backlog = Some(connections);
        self
    }

    /// Sets whether a listener on `[::]` accepts only IPv6 (`IPV6_V6ONLY`). The default depends on the system: Linux
    /// and macOS also accept IPv4 connections, Windows does not.
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

/// The user's hook on a socket before it is used.
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

/// Options that connections and listeners share.
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
            /// Sets whether an address can be bound while earlier connections linger on it (`SO_REUSEADDR`). Default:
            /// on for listeners on Unix, off otherwise. On Windows it lets two programs share a port.
            pub fn reuse_address(mut self, on: bool) -> Self {
                self.socket.reuse_address = Some(on);
                self
            }

            /// Sets whether several sockets may bind the same address (`SO_REUSEPORT`); all of them must set it. Linux
            /// distributes connections over the listeners.
            ///
            /// On Windows it is an error of kind `Unsupported`.
            ///
            /// <details><summary>Scenarios</summary>
            ///
            /// `reuse_port_shares_a_port`.</details>
            pub fn reuse_port(mut self, on: bool) -> Self {
                self.socket.reuse_port = Some(on);
                self
            }

            /// Sets `TCP_NODELAY`: whether small writes are sent at once. Default: off.
            pub fn nodelay(mut self, on: bool) -> Self {
                self.socket.nodelay = Some(on);
                self
            }

            /// Sends keepalive probes to a silent peer (`SO_KEEPALIVE`). Default: off.
            pub fn keepalive(mut self, keepalive: Keepalive) -> Self {
                self.socket.keepalive = Some(keepalive);
                self
            }

            /// Sets what happens to unsent data when the stream is dropped (`SO_LINGER`), in whole seconds, rounded up.
            /// By default the system keeps sending in the background.
            ///
            /// Zero discards the data and resets the connection. Any longer time blocks the **thread** that drops the
            /// stream, perhaps a worker, until the peer has acknowledged everything or the time is up (Linux:
            /// socket(7)).
            pub fn linger(mut self, time: Duration) -> Self {
                self.socket.linger = Some(time);
                self
            }

            /// Sets the size of the receive buffer in bytes (`SO_RCVBUF`). The system chooses the default and may round
            /// the value: Linux doubles it (socket(7)).
            pub fn recv_buffer_size(mut self, bytes: usize) -> Self {
                self.socket.recv_buffer_size = Some(bytes);
                self
            }

            /// Sets the size of the send buffer in bytes (`SO_SNDBUF`). Otherwise as
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

/// Times of keepalive probes: when to probe a silent peer, and when to give up.
///
/// Parts that are not set keep the system's value (Linux: 2 h, 75 s, 9; tcp(7)).
///
/// <details><summary>Scenarios</summary>
///
/// `keepalive_can_be_set`.</details>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Keepalive {
    /// Idle time before the first probe (`TCP_KEEPIDLE`), in whole seconds, rounded up.
    pub time: Option<Duration>,
    /// Time between two probes (`TCP_KEEPINTVL`), in whole seconds, rounded up.
    pub interval: Option<Duration>,
    /// Number of unanswered probes after which the connection fails with `TimedOut` (`TCP_KEEPCNT`).
    pub retries: Option<u32>,
}

impl Keepalive {
    /// Creates keepalive options with the system's times.
    pub fn new() -> Self {
        Self { time: None, interval: None, retries: None }
    }

    /// Sets the idle time before the first probe.
    pub fn time(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// Sets the time between two probes.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }

    /// Sets the number of unanswered probes after which the connection fails.
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
        "anyrt: this socket is not a system socket, and has no such option",
    )
}

/// The error of a runtime without peer credentials.
#[cfg(unix)]
pub(crate) fn no_peer_cred() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "anyrt: peer credentials are not available on this system, or on the runtime of this stream",
    )
}

/// The error of a runtime that watches only sockets.
#[cfg(unix)]
pub(crate) fn no_watch() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "anyrt: this runtime can watch only its own sockets, and no other descriptors",
    )
}

/// The error of a runtime without readiness methods.
pub(crate) fn no_readiness() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "anyrt: the runtime of this socket does not report readiness")
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
