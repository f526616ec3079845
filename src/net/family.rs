//! The families of sockets that have streams, TCP and Unix, and what they have in common.
//!
//! Each layer writes its stream, its halves and its listener once, over [`Family`]; what differs stays with the family.

use std::fmt;
use std::io;

/// The family of TCP.
pub(crate) type Tcp = std::net::TcpStream;

/// The family of Unix sockets.
#[cfg(unix)]
pub(crate) type Unix = std::os::unix::net::UnixStream;

/// What each socket of the standard library can, which has no trait for it.
#[cfg_attr(
    not(any(unix, windows)),
    allow(unreachable_pub, reason = "it is in the bounds of `socket`, which is not there")
)]
pub trait StdSocket: fmt::Debug + Send + Sync + Sized + Unpin + 'static {
    /// The same socket, as a runtime has it.
    fn nonblocking(self) -> io::Result<Self>;

    /// The same socket, as the standard library makes it.
    fn blocking(self) -> io::Result<Self>;
}

macro_rules! std_sockets {
    ($($socket:ty),*) => {
        $(impl StdSocket for $socket {
            fn nonblocking(self) -> io::Result<Self> {
                self.set_nonblocking(true)?;
                Ok(self)
            }

            fn blocking(self) -> io::Result<Self> {
                self.set_nonblocking(false)?;
                Ok(self)
            }
        })*
    };
}

std_sockets!(std::net::TcpStream, std::net::TcpListener, std::net::UdpSocket);
#[cfg(unix)]
std_sockets!(
    std::os::unix::net::UnixStream,
    std::os::unix::net::UnixListener,
    std::os::unix::net::UnixDatagram
);

/// A family, which goes by the name of its stream in the standard library.
#[cfg_attr(
    not(any(unix, windows)),
    allow(unreachable_pub, reason = "it is in the bounds of `socket`, which is not there")
)]
pub trait Family: StdSocket {
    /// The address of a socket.
    type Addr: fmt::Debug + Send + 'static;
    /// The socket that listens.
    type Listener: StdSocket;
}

macro_rules! family {
    ($family:ty, $listener:ty, $addr:ty) => {
        impl Family for $family {
            type Addr = $addr;
            type Listener = $listener;
        }
    };
}

family!(Tcp, std::net::TcpListener, std::net::SocketAddr);
#[cfg(unix)]
family!(Unix, std::os::unix::net::UnixListener, std::os::unix::net::SocketAddr);
