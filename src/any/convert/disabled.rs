use crate::any::{AnyRuntime, net, time};
use crate::backend::disabled::Disabled;

/// Into each type of `AnyRuntime`: there is no value to convert.
macro_rules! into {
    ($($type:ty),*) => {
        $(impl From<Disabled> for $type {
            fn from(absent: Disabled) -> Self {
                match absent {}
            }
        })*
    };
}

into!(AnyRuntime, time::Sleep, net::TcpStream, net::TcpListener, net::UdpSocket);
#[cfg(unix)]
into!(net::unix::UnixStream, net::unix::UnixListener, net::unix::UnixDatagram);
