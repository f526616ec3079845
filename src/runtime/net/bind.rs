use std::io;
use std::net::SocketAddr;

use super::addrs::sealed::Addrs;
use super::lookup::resolve_all;
use super::options::named;
use super::{ListenOptions, Net};

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
    let mut last = None;
    for addr in resolve_all(net, addrs, None).await? {
        match bind(addr) {
            Ok(bound) => return Ok(bound),
            Err(error) => last = Some(named(error, format!("cannot {what} {addr}"))),
        }
    }
    Err(last.unwrap_or_else(|| no_address(what)))
}

pub(crate) fn no_address(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("no address to {what}: the list is empty"))
}
