use async_io::Async;

use super::AsyncIo;
use crate::socket;

pub(crate) type UdpSocket = socket::UdpSocket<AsyncIo>;

impl From<UdpSocket> for crate::net::UdpSocket {
    fn from(socket: UdpSocket) -> Self {
        Self::async_io(socket)
    }
}

impl From<Async<std::net::UdpSocket>> for crate::net::UdpSocket {
    fn from(socket: Async<std::net::UdpSocket>) -> Self {
        UdpSocket::new(socket).into()
    }
}

/// The socket comes back when it is of another runtime.
impl TryFrom<crate::net::UdpSocket> for Async<std::net::UdpSocket> {
    type Error = crate::net::UdpSocket;

    fn try_from(socket: crate::net::UdpSocket) -> Result<Self, Self::Error> {
        socket.into_async_io().map(UdpSocket::into_inner)
    }
}
