use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};

use super::Net;
use super::addrs::{sealed::Addrs, without_brackets};
use super::options::named;
use super::resolver::Resolver;

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
            let host = without_brackets(host).to_owned();
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
            format!("cannot resolve {name:?}: the resolver returned no address"),
        )),
        resolved => resolved.map_err(|error| named(error, format!("cannot resolve {name:?}"))),
    }
}

/// [`NetBackend::resolve`](super::NetBackend::resolve): the resolver of the process if it has one; or that of the standard library on the blocking pool, as
/// tokio and async-net do it; so kinds and texts are the same everywhere (async-std 1.13.2 replaces both).
pub(crate) async fn resolve<N: Net>(net: &N, host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Some(resolver) = Resolver::of_the_process() {
        return resolver.resolve(&host, port).await;
    }
    net.spawn_blocking(move || (host, port).to_socket_addrs().map(Vec::from_iter)).await?
}
