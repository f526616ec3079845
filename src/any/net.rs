mod listener;
mod stream;
mod udp;

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use crate::current::{Driver, find};
use crate::net::ToSocketAddrs;

pub use listener::TcpListener;
pub use stream::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, TcpStream, WriteHalf};
pub use udp::UdpSocket;

/// All addresses of a name, from the current runtime; see [`Net::lookup_host`](crate::Net::lookup_host).
///
/// # Errors
///
/// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
///
/// Scenarios: `free_functions_find_the_runtime`.
pub fn lookup_host<A: ToSocketAddrs>(addr: A) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send {
    let (runtime, addrs) = (find(Driver::None), addr.to_addrs());
    async move { crate::net::resolve_all(&runtime?, addrs).await }
}
