//! What is written once about sockets: addresses, names, and the stream of incoming connections.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use socket2::{Domain, Protocol, Socket, Type};

use crate::runtime::{Net, TcpListener};

/// Anything that names addresses: an address, a slice of them, `"host:port"` or `("host", port)`.
///
/// As [`std::net::ToSocketAddrs`], except that names are resolved off the workers. It cannot be implemented
/// outside anyrt; pass a slice of addresses instead.
pub trait ToSocketAddrs: sealed::ToAddrs {}

impl<A: sealed::ToAddrs + ?Sized> ToSocketAddrs for A {}

mod sealed {
    use super::Addrs;

    pub trait ToAddrs {
        fn to_addrs(&self) -> Addrs;
    }
}

/// Addresses, or a name that still has to be resolved.
#[derive(Debug)]
pub enum Addrs {
    /// One address.
    One(SocketAddr),
    /// Any number of them, none included.
    Many(Vec<SocketAddr>),
    /// `host:port`, for the resolver to take apart.
    Text(String),
    /// A host and its port.
    Host(String, u16),
}

impl sealed::ToAddrs for SocketAddr {
    fn to_addrs(&self) -> Addrs {
        Addrs::One(*self)
    }
}

impl sealed::ToAddrs for [SocketAddr] {
    fn to_addrs(&self) -> Addrs {
        Addrs::Many(self.to_vec())
    }
}

impl sealed::ToAddrs for str {
    fn to_addrs(&self) -> Addrs {
        match self.parse() {
            Ok(addr) => Addrs::One(addr),
            Err(_) => Addrs::Text(self.to_owned()),
        }
    }
}

impl sealed::ToAddrs for (&str, u16) {
    fn to_addrs(&self) -> Addrs {
        match self.0.parse::<IpAddr>() {
            Ok(ip) => Addrs::One((ip, self.1).into()),
            Err(_) => Addrs::Host(self.0.to_owned(), self.1),
        }
    }
}

impl<A: sealed::ToAddrs + ?Sized> sealed::ToAddrs for &A {
    fn to_addrs(&self) -> Addrs {
        (**self).to_addrs()
    }
}

/// `to_addrs` of what converts into something above.
macro_rules! to_addrs_through {
    ($($type:ty => |$this:ident| $through:expr;)*) => {
        $(impl sealed::ToAddrs for $type {
            fn to_addrs(&self) -> Addrs {
                let $this = self;
                sealed::ToAddrs::to_addrs(&$through)
            }
        })*
    };
}

to_addrs_through! {
    SocketAddrV4 => |this| SocketAddr::V4(*this);
    SocketAddrV6 => |this| SocketAddr::V6(*this);
    (IpAddr, u16) => |this| SocketAddr::from(*this);
    (Ipv4Addr, u16) => |this| SocketAddr::from(*this);
    (Ipv6Addr, u16) => |this| SocketAddr::from(*this);
    Vec<SocketAddr> => |this| this[..];
    String => |this| this[..];
    (String, u16) => |this| (this.0.as_str(), this.1);
}

impl<const N: usize> sealed::ToAddrs for [SocketAddr; N] {
    fn to_addrs(&self) -> Addrs {
        self[..].to_addrs()
    }
}

/// [`Net::lookup_host`].
pub(crate) async fn lookup_host<N: Net>(net: &N, addrs: Addrs) -> io::Result<Vec<SocketAddr>> {
    use std::net::ToSocketAddrs as _;

    let (name, job) = match addrs {
        Addrs::One(addr) => return Ok(vec![addr]),
        Addrs::Many(addrs) => return Ok(addrs),
        // The resolver of the standard library on the blocking pool: what tokio and async-net do as well, and
        // the reason why texts and kinds are the same everywhere (async-std 1.13.2 replaces both).
        Addrs::Text(text) => {
            (text.clone(), net.spawn_blocking(move || text.to_socket_addrs().map(Vec::from_iter)))
        }
        Addrs::Host(host, port) => (
            format!("{host}:{port}"),
            net.spawn_blocking(move || (host, port).to_socket_addrs().map(Vec::from_iter)),
        ),
    };
    job.await?.map_err(|error| io::Error::new(error.kind(), format!("cannot resolve {name:?}: {error}")))
}

/// [`Net::tcp_connect`].
pub(crate) async fn connect<N: Net>(net: &N, addrs: Addrs) -> io::Result<N::TcpStream> {
    let addrs = match addrs {
        Addrs::One(addr) => return net.connect_addr(addr).await,
        addrs => lookup_host(net, addrs).await?,
    };
    let mut last = no_address("connect to");
    for addr in addrs {
        match net.connect_addr(addr).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// [`Net::tcp_bind`].
pub(crate) async fn bind<N: Net>(net: &N, addrs: Addrs) -> io::Result<N::TcpListener> {
    let mut last = no_address("listen on");
    for addr in lookup_host(net, addrs).await? {
        match listen(addr) {
            Ok(listener) => return net.tcp_listener_from_std(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Connections that may wait to be accepted. The standard library has 128: a burst of more loses SYNs and stands
/// still for a second, until they are sent again.
const BACKLOG: i32 = 1024;

/// A listening socket, with the same options whatever the backend.
fn listen(addr: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    // On Windows it would let somebody else take the port.
    if cfg!(unix) {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn no_address(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("no address to {what}: the list is empty"))
}

/// The stream of [`TcpListener::incoming`].
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Incoming<'a, L> {
    listener: &'a mut L,
}

impl<'a, L: TcpListener> Incoming<'a, L> {
    pub(crate) fn new(listener: &'a mut L) -> Self {
        Self { listener }
    }
}

impl<L: TcpListener> Stream for Incoming<'_, L> {
    type Item = io::Result<L::Stream>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.listener.poll_accept(cx).map_ok(|(stream, _)| stream).map(Some)
    }
}
