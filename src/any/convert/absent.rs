use crate::any::{AnyRuntime, net, time};
use crate::backend::absent::Absent;

/// What it makes is of any type.
macro_rules! into {
    ($($type:ty),*) => {
        $(impl From<Absent> for $type {
            fn from(absent: Absent) -> Self {
                match absent {}
            }
        })*
    };
}

into!(AnyRuntime, time::Sleep, net::TcpStream, net::TcpListener, net::UdpSocket);
#[cfg(unix)]
into!(net::unix::UnixStream, net::unix::UnixListener, net::unix::UnixDatagram);
