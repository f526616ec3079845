//! TCP, UDP and Unix sockets on the current runtime; and what is written once about sockets: addresses, names, incoming connections.

mod addrs;
#[cfg(unix)]
pub mod unix;

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use socket2::{Domain, Protocol, Socket, Type};

use crate::runtime::{self, Net};

#[cfg(unix)]
pub use crate::any::net::unix::{UnixDatagram, UnixListener, UnixStream};
pub use crate::any::net::{
    OwnedReadHalf, OwnedWriteHalf, ReadHalf, TcpListener, TcpStream, UdpSocket, WriteHalf, lookup_host,
};
pub use addrs::ToSocketAddrs;
pub(crate) use addrs::sealed::Addrs;

/// [`Net::lookup_host`].
pub(crate) async fn resolve_all<N: Net>(net: &N, addrs: Addrs) -> io::Result<Vec<SocketAddr>> {
    let (name, host, port) = match addrs {
        Addrs::One(addr) => return Ok(vec![addr]),
        Addrs::Many(addrs) => return Ok(addrs),
        Addrs::Host(host, port) => (format!("{host}:{port}"), host, port),
        Addrs::Text(text) => {
            let parts = text.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
            let Some((host, port)) = parts else {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    format!("cannot resolve {text:?}: it is no `host:port`"),
                ));
            };
            let host = host.to_owned();
            (text, host, port)
        }
    };
    let resolved = net.resolve(host, port).await;
    resolved.map_err(|error| io::Error::new(error.kind(), format!("cannot resolve {name:?}: {error}")))
}

/// [`Net::resolve`]: the resolver of the standard library on the blocking pool, as tokio and async-net do it; so
/// kinds and texts are the same everywhere (async-std 1.13.2 replaces both).
pub(crate) async fn resolve<N: Net>(net: &N, host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
    net.spawn_blocking(move || (host, port).to_socket_addrs().map(Vec::from_iter)).await?
}

/// [`Net::tcp_connect`].
pub(crate) async fn connect<N: Net>(net: &N, addrs: Addrs) -> io::Result<N::TcpStream> {
    let addrs = match addrs {
        Addrs::One(addr) => return net.connect_addr(addr).await,
        addrs => resolve_all(net, addrs).await?,
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
    for addr in resolve_all(net, addrs).await? {
        match net.bind_addr(addr) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// [`Net::udp_bind`].
pub(crate) async fn udp_bind<N: Net>(net: &N, addrs: Addrs) -> io::Result<N::UdpSocket> {
    let mut last = no_address("bind to");
    for addr in resolve_all(net, addrs).await? {
        match net.udp_bind_addr(addr) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Connections that may wait to be accepted. The standard library has 128: a burst of more loses SYNs and stands
/// still for a second, until they are sent again.
const BACKLOG: i32 = 1024;

/// [`Net::bind_addr`]: a listening socket, with the same options whatever the backend.
pub(crate) fn listen(addr: SocketAddr) -> io::Result<std::net::TcpListener> {
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

/// The stream of [`runtime::TcpListener::incoming`].
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Incoming<'a, L> {
    listener: &'a mut L,
}

impl<'a, L: runtime::TcpListener> Incoming<'a, L> {
    pub(crate) fn new(listener: &'a mut L) -> Self {
        Self { listener }
    }
}

impl<L: runtime::TcpListener> Stream for Incoming<'_, L> {
    type Item = io::Result<L::Stream>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.listener.poll_accept(cx).map_ok(|(stream, _)| stream).map(Some)
    }
}
