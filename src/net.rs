//! TCP, UDP and Unix sockets on the current runtime; and what is written once about sockets: addresses, names, incoming connections.

mod addrs;
mod connect;
pub(crate) mod family;
mod incoming;
pub(crate) mod io_traits;
pub(crate) mod options;
mod resolver;
#[cfg(any(unix, windows))]
mod system;
#[cfg(not(any(unix, windows)))]
#[path = "net/no_system.rs"]
mod system;
#[cfg(unix)]
pub mod unix;

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};

use crate::runtime::Net;

#[cfg(unix)]
pub use crate::any::net::unix::{UnixDatagram, UnixListener, UnixStream};
pub use crate::any::net::{
    OwnedReadHalf, OwnedWriteHalf, ReadHalf, TcpListener, TcpStream, UdpSocket, WriteHalf, lookup_host,
};
pub use addrs::ToSocketAddrs;
pub(crate) use addrs::sealed::Addrs;
pub(crate) use connect::connect;
pub use incoming::Incoming;
pub(crate) use options::named;
pub use options::{ConnectOptions, Keepalive, ListenOptions};
use resolver::Resolver;
pub use resolver::{Resolve, SetResolverError, set_resolver};
pub(crate) use system::of;
#[cfg(any(unix, windows))]
pub(crate) use system::write_error;

/// [`Net::lookup_host`], by the runtime's resolver unless there is another.
pub(crate) async fn resolve_all<N: Net>(
    net: &N,
    addrs: Addrs,
    resolver: Option<&Resolver>,
) -> io::Result<Vec<SocketAddr>> {
    let (name, host, port) = match addrs {
        Addrs::One(addr) => return Ok(vec![addr]),
        Addrs::Many(addrs) => return Ok(addrs),
        // Which port it is was not asked of the resolver.
        Addrs::Host(host, port) => (host.clone(), host, port),
        Addrs::Text(text) => {
            let parts = text.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
            let Some((host, port)) = parts else {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    format!(
                        "cannot resolve {text:?}: a host and a port up to 65535 are needed, such as \"localhost:80\""
                    ),
                ));
            };
            let host = host.to_owned();
            (text, host, port)
        }
    };
    let resolved = match resolver {
        Some(resolver) => resolver.resolve(&host, port).await,
        None => net.resolve(host, port).await,
    };
    match resolved {
        Ok(addrs) if addrs.is_empty() => Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("cannot resolve {name:?}: the resolver knows no address of it"),
        )),
        resolved => resolved.map_err(|error| named(error, format!("cannot resolve {name:?}"))),
    }
}

/// [`Net::resolve`]: the resolver of the process if it has one; or that of the standard library on the blocking pool, as
/// tokio and async-net do it; so kinds and texts are the same everywhere (async-std 1.13.2 replaces both).
pub(crate) async fn resolve<N: Net>(net: &N, host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Some(resolver) = Resolver::of_the_process() {
        return resolver.resolve(&host, port).await;
    }
    net.spawn_blocking(move || (host, port).to_socket_addrs().map(Vec::from_iter)).await?
}

/// [`Net::tcp_bind`] and [`Net::tcp_bind_with`].
pub(crate) async fn bind<N: Net>(
    net: &N,
    addrs: Addrs,
    options: &ListenOptions,
) -> io::Result<N::TcpListener> {
    options.check()?;
    first_bound(net, addrs, "listen on", |addr| net.bind_addr(addr, options)).await
}

/// [`Net::udp_bind`].
pub(crate) async fn udp_bind<N: Net>(net: &N, addrs: Addrs) -> io::Result<N::UdpSocket> {
    first_bound(net, addrs, "bind to", |addr| net.udp_bind_addr(addr)).await
}

async fn first_bound<N: Net, T>(
    net: &N,
    addrs: Addrs,
    what: &str,
    bind: impl Fn(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut last = no_address(what);
    for addr in resolve_all(net, addrs, None).await? {
        match bind(addr) {
            Ok(bound) => return Ok(bound),
            Err(error) => last = named(error, format!("cannot {what} {addr}")),
        }
    }
    Err(last)
}

fn no_address(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("no address to {what}: the list is empty"))
}
