mod listener;
mod stream;
mod udp;
#[cfg(unix)]
pub(crate) mod unix;

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use crate::current::find;
use crate::runtime::Driver;
use crate::runtime::net::ToSocketAddrs;
use crate::runtime::net::{Descriptor, lends};

pub use listener::TcpListener;
pub use stream::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, TcpStream, WriteHalf};
pub use udp::UdpSocket;

// Runtimes of anyrt's own have it, and so has everything in `socket`.
lends!([] TcpStream, it => of_the_system(it.descriptor()));
lends!([] TcpListener, it => of_the_system(it.descriptor()));
lends!([] UdpSocket, it => of_the_system(it.descriptor()));

#[track_caller]
fn of_the_system(descriptor: Option<Descriptor<'_>>) -> Descriptor<'_> {
    match descriptor {
        Some(descriptor) => descriptor,
        None => panic!(
            "anyrt: there is no socket of the system behind this one, whose runtime has its own. \
             `descriptor()` asks first."
        ),
    }
}

/// All addresses of a name, from the current runtime; see [`Net::lookup_host`](crate::Net::lookup_host).
///
/// # Errors
///
/// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
///
/// Scenarios: `free_functions_find_the_runtime`.
pub fn lookup_host<A: ToSocketAddrs>(addr: A) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send {
    let (runtime, addrs) = (find(Driver::None), addr.to_addrs());
    async move { crate::runtime::net::resolve_all(&runtime?, addrs, None).await }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    #[test]
    fn socket_without_a_descriptor_says_what_to_ask() {
        let payload = catch_unwind(|| super::of_the_system(None)).unwrap_err();
        let text = payload.downcast_ref::<&str>().copied().unwrap_or_default();
        assert!(text.contains("`descriptor()` asks first"), "{text}");
    }
}
