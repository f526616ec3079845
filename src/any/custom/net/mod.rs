mod listener;
mod stream;
mod tcp;
mod udp;
#[cfg(unix)]
mod unix;

use super::Boxed;

pub(crate) use tcp::{TcpListener, TcpStream};
pub(crate) use udp::UdpSocket;
#[cfg(unix)]
pub(crate) use unix::{UnixDatagram, UnixListener, UnixStream};
