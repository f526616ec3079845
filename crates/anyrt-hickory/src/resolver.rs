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

/// A resolver of host names that asks DNS servers itself, on one runtime. Clones share its cache and its connections.
///
/// It asks for IPv6 and IPv4 addresses at once; those of IPv6 come first. Names of the hosts file are taken from there, and
/// `localhost` is always this machine.
///
/// Any executor may poll a look-up: its sockets, timers and tasks are those of the resolver's runtime.
///
/// # Cancel safety
///
/// A look-up can be dropped at any time, and closes the socket that it was waiting on. One that another look-up shares goes
/// on for that one.
///
/// # Dropping
///
/// The last clone closes the connections.
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
    /// A resolver with the configuration of the system, on the current runtime: `/etc/resolv.conf` on Unix, the registry on
    /// Windows. It is read once, in a call that may block for as long as the file system does.
    ///
    /// # Panics
    ///
    /// Where no runtime is current, saying what to write.
    ///
    /// # Errors
    ///
    /// When the configuration cannot be read, or names no server.
    #[track_caller]
    pub fn from_system() -> io::Result<Self> {
        let runtime = AnyRuntime::current();
        let (config, options) = read_system_conf().map_err(io_error)?;
        Self::on(runtime, config, options)
    }

    /// A resolver that asks these servers over UDP, and over TCP what does not fit a datagram, on the current runtime.
    ///
    /// An attempt takes five seconds at most, and there are three.
    ///
    /// # Panics
    ///
    /// Where no runtime is current, saying what to write.
    ///
    /// # Errors
    ///
    /// When there is no server.
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

    /// A resolver with a configuration of the caller's, on a runtime of the caller's choice.
    ///
    /// # Errors
    ///
    /// When there is no server.
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

    /// The addresses of `host`, the best first.
    ///
    /// # Errors
    ///
    /// They name the host. Their kind is `NotFound` where there is no such name, or it has no address; `TimedOut` where no
    /// server has answered in time; `InvalidInput` for what cannot be a name; that of the system where a socket fails; and
    /// `Other` where a server refuses, or fails itself.
    pub async fn lookup_ip(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let found = self.lookup(host).await;
        found.map_err(|error| io::Error::new(error.kind(), format!("cannot resolve {host:?}: {error}")))
    }

    /// The resolver of hickory, for records of other types.
    ///
    /// Its look-ups use the [`Clock`](crate::provider::Clock) of the runtime that is current where they are polled.
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
    /// Fails as [`lookup_ip`](Resolver::lookup_ip) does; whoever asked adds the name.
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
