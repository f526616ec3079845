//! What stands in for `system` where there are no sockets that socket2 knows, as on `wasm32-unknown-unknown`: errors of
//! kind `Unsupported`.

use std::io;
use std::net::SocketAddr;

use super::options::{ConnectOptions, ListenOptions};

impl ConnectOptions {
    pub(crate) fn start(&self, _: SocketAddr) -> io::Result<std::net::TcpStream> {
        Err(no_sockets())
    }
}

impl ListenOptions {
    pub(crate) fn listen(&self, _: SocketAddr) -> io::Result<std::net::TcpListener> {
        Err(no_sockets())
    }
}

fn no_sockets() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "anyrt: this system has no sockets")
}

/// Nothing has a descriptor, and so no options.
pub(crate) mod of {
    use std::io::{self, IoSlice, IoSliceMut};
    use std::net::SocketAddr;
    use std::time::Duration;

    use crate::runtime::Descriptor;
    use crate::runtime::net::Keepalive;
    use crate::runtime::net::options::no_such_option;

    pub(crate) fn read(_: Option<Descriptor<'_>>, _: &mut [u8]) -> io::Result<usize> {
        Err(no_such_option())
    }

    pub(crate) fn read_vectored(_: Option<Descriptor<'_>>, _: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        Err(no_such_option())
    }

    pub(crate) fn write(_: Option<Descriptor<'_>>, _: &[u8]) -> io::Result<usize> {
        Err(no_such_option())
    }

    pub(crate) fn write_vectored(_: Option<Descriptor<'_>>, _: &[IoSlice<'_>]) -> io::Result<usize> {
        Err(no_such_option())
    }

    pub(crate) fn udp_send_to(_: Option<Descriptor<'_>>, _: &[u8], _: SocketAddr) -> io::Result<usize> {
        Err(no_such_option())
    }

    pub(crate) fn udp_recv_from(_: Option<Descriptor<'_>>, _: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        Err(no_such_option())
    }

    pub(crate) fn linger(_: Option<Descriptor<'_>>) -> io::Result<Option<Duration>> {
        Err(no_such_option())
    }

    pub(crate) fn set_linger(_: Option<Descriptor<'_>>, _: Option<Duration>) -> io::Result<()> {
        Err(no_such_option())
    }

    pub(crate) fn keepalive(_: Option<Descriptor<'_>>) -> io::Result<Option<Keepalive>> {
        Err(no_such_option())
    }

    pub(crate) fn set_keepalive(_: Option<Descriptor<'_>>, _: Option<Keepalive>) -> io::Result<()> {
        Err(no_such_option())
    }

    pub(crate) fn recv_buffer_size(_: Option<Descriptor<'_>>) -> io::Result<usize> {
        Err(no_such_option())
    }

    pub(crate) fn send_buffer_size(_: Option<Descriptor<'_>>) -> io::Result<usize> {
        Err(no_such_option())
    }
}
