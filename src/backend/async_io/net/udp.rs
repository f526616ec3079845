use std::net as std_net;

use async_io::Async;

use super::{AsyncIo, convert};
use crate::socket;

pub(crate) type UdpSocket = socket::UdpSocket<AsyncIo>;

convert!(
    /// The socket comes back when it is of another runtime.
    std_net::UdpSocket, socket => UdpSocket::new(socket)
);
