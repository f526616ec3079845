use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};

use anyrt::AnyRuntime;
use anyrt::net::Resolve;
use async_trait::async_trait;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::system_conf::read_system_conf;

use crate::Provider;

/// DNS resolver on one runtime. Clones share its cache and its connections.
///
/// It queries IPv6 and IPv4 addresses at the same time; IPv6 addresses come first. Names in the hosts file are resolved
/// from there, and `localhost` is always this machine.
///
/// Any executor may poll a look-up: its sockets, timers and tasks are those of the resolver's runtime.
///
/// # Cancel safety
///
/// A look-up can be dropped at any time; this closes the socket that it was waiting on. A query that another look-up
/// shares continues for that one.
///
/// # Dropping
///
/// Dropping the last clone closes the connections.
///
/// # Examples
///
/// ```no_run
/// use std::io;
///
/// use anyrt::net::{ConnectOptions, TcpStream};
/// use anyrt_hickory::Resolver;
///
/// async fn connect() -> io::Result<TcpStream> {
///     let resolver = Resolver::from_system()?;
///     TcpStream::connect_with("example.org:80", &ConnectOptions::new().resolver(resolver)).await
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Resolver {
    runtime: AnyRuntime,
    hickory: hickory_resolver::Resolver<Provider>,
}

impl Resolver {
    /// Creates a resolver with the system's configuration, on the current runtime: `/etc/resolv.conf` on Unix, the
    /// registry on Windows. The configuration is read once, during this call, which may block on the file system.
    ///
    /// # Panics
    ///
    /// If no runtime is current; the message says what to write.
    ///
    /// # Errors
    ///
    /// If the configuration cannot be read, or names no server.
    #[track_caller]
    pub fn from_system() -> io::Result<Self> {
        let runtime = AnyRuntime::current();
        let (config, options) = read_system_conf().map_err(io_error)?;
        Self::on(runtime, config, options)
    }

    /// Creates a resolver on the current runtime that queries these servers over UDP, and over TCP if an answer does
    /// not fit a datagram.
    ///
    /// It makes at most three attempts of at most five seconds each.
    ///
    /// # Panics
    ///
    /// If no runtime is current; the message says what to write.
    ///
    /// # Errors
    ///
    /// If there is no server.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[anyrt::main(tokio)]
    /// # async fn main() -> std::io::Result<()> {
    /// use anyrt_hickory::Resolver;
    ///
    /// let resolver = Resolver::from_name_servers([([9, 9, 9, 9], 53).into()])?;
    /// # drop(resolver); Ok(()) }
    /// ```
    #[track_caller]
    pub fn from_name_servers(servers: impl IntoIterator<Item = SocketAddr>) -> io::Result<Self> {
        let runtime = AnyRuntime::current();
        let servers = servers.into_iter().map(|server| {
            let (mut udp, mut tcp) = (ConnectionConfig::udp(), ConnectionConfig::tcp());
            (udp.port, tcp.port) = (server.port(), server.port());
            NameServerConfig::new(server.ip(), true, vec![udp, tcp])
        });
        let config = ResolverConfig::from_name_servers(servers.collect());
        Self::on(runtime, config, ResolverOpts::default())
    }

    /// Creates a resolver with the given configuration on the given runtime.
    ///
    /// # Errors
    ///
    /// If there is no server.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use std::{io, time::Duration};
    ///
    /// use anyrt::{AnyRuntime, Spawn};
    /// use anyrt_hickory::{Resolver, hickory_resolver::system_conf::read_system_conf};
    ///
    /// fn impatient(runtime: &AnyRuntime) -> io::Result<Resolver> {
    ///     let (config, mut options) = read_system_conf().map_err(io::Error::other)?;
    ///     options.timeout = Duration::from_secs(1);
    ///     Resolver::on(runtime.clone(), config, options)
    /// }
    /// ```
    pub fn on(
        runtime: impl Into<AnyRuntime>,
        config: ResolverConfig,
        options: ResolverOpts,
    ) -> io::Result<Self> {
        if config.name_servers().is_empty() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "there is no name server to ask"));
        }
        let runtime = runtime.into();
        let provider = Provider::on(runtime.clone());
        let builder = hickory_resolver::Resolver::builder_with_config(config, provider).with_options(options);
        Ok(Self { runtime, hickory: builder.build().map_err(io_error)? })
    }

    /// Resolves `host` to its addresses, the preferred one first.
    ///
    /// # Errors
    ///
    /// Errors include the host. The kind is `NotFound` if the name does not exist or has no address; `TimedOut` if no
    /// server has answered in time; `InvalidInput` for an invalid name; the system's kind if a socket fails; and
    /// `Other` if a server refuses or fails.
    pub async fn lookup_ip(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let found = self.lookup(host).await;
        found.map_err(|error| io::Error::new(error.kind(), format!("cannot resolve {host:?}: {error}")))
    }

    /// Returns the resolver of hickory, for other record types.
    ///
    /// Its look-ups use the [`Clock`](crate::provider::Clock), and with it the runtime that is current where they are
    /// polled.
    pub fn hickory(&self) -> &hickory_resolver::Resolver<Provider> {
        &self.hickory
    }

    /// In a task of the resolver's runtime, where the clock of hickory is that of the runtime. If the runtime is gone, that is an
    /// error, and no panic.
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let (hickory, host) = (self.hickory.clone(), host.to_owned());
        let lookup = self.runtime.spawn(async move {
            match hickory.lookup_ip(host.as_str()).await {
                // hickory-resolver 0.26.3 tells what has become of the question for IPv6 only (`multi_lookup` in
                // `lookup_ip.rs`): that for IPv4 may have had no answer.
                Err(error) if has_no_address(&error) => {
                    hickory.ipv4_lookup(host.as_str()).await.map(|lookup| {
                        lookup.answers().iter().filter_map(|record| record.data.ip_addr()).collect()
                    })
                }
                found => found.map(|addrs| addrs.iter().collect()),
            }
        });
        lookup.abort_on_drop().await?.map_err(io_error)
    }
}

#[async_trait]
impl Resolve for Resolver {
    /// Fails as [`lookup_ip`](Resolver::lookup_ip) does; the caller adds the name to the error.
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let found = self.lookup(host).await?;
        Ok(found.into_iter().map(|ip| (ip, port).into()).collect())
    }
}

/// Whether the name exists, without a record of the type that was asked for.
fn has_no_address(error: &NetError) -> bool {
    matches!(error, NetError::Dns(DnsError::NoRecordsFound(found)) if found.response_code == ResponseCode::NoError)
}

fn io_error(error: NetError) -> io::Error {
    match error {
        error if error.is_nx_domain() => io::Error::new(ErrorKind::NotFound, "there is no such name"),
        error if error.is_no_records_found() => {
            io::Error::new(ErrorKind::NotFound, "the name has no address")
        }
        NetError::Timeout => io::Error::new(ErrorKind::TimedOut, "no name server has answered in time"),
        NetError::Io(error) => io::Error::new(error.kind(), error),
        NetError::Proto(_) => io::Error::new(ErrorKind::InvalidInput, error),
        error => io::Error::other(error),
    }
}
