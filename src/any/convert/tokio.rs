use tokio::net as tokio_net;

use super::{made, native, runtime};
use crate::any::net;
use crate::any::time::Sleep;
use crate::backend::Tokio;
use crate::runtime::{Net, Time};

runtime!(Tokio, from_tokio, into_tokio);

type TcpStream = <Tokio as Net>::TcpStream;
type UdpSocket = <Tokio as Net>::UdpSocket;

made! {
    <Tokio as Time>::Sleep => Sleep, tokio;
    TcpStream => net::TcpStream, tokio;
    <Tokio as Net>::TcpListener => net::TcpListener, tokio;
    UdpSocket => net::UdpSocket, tokio;
}

native! {
    /// The stream comes back when it is of another runtime.
    tokio_net::TcpStream => net::TcpStream, into_tokio,
        it => it.into_native(), native => TcpStream::told(native);
    /// The listener comes back when it is of another runtime.
    tokio_net::TcpListener => net::TcpListener, into_tokio, it => it.into_native();
    /// The socket comes back when it is of another runtime.
    tokio_net::UdpSocket => net::UdpSocket, into_tokio,
        it => it.into_native(), native => UdpSocket::from_native(native);
}

#[cfg(unix)]
mod unix {
    use super::{Tokio, made, native, tokio_net};
    use crate::any::net::unix::{UnixDatagram, UnixListener, UnixStream};
    use crate::runtime::UnixNet;

    type Stream = <Tokio as UnixNet>::UnixStream;

    made! {
        Stream => UnixStream, tokio;
        <Tokio as UnixNet>::UnixListener => UnixListener, tokio;
        <Tokio as UnixNet>::UnixDatagram => UnixDatagram, tokio;
    }

    native! {
        /// The stream comes back when it is of another runtime.
        tokio_net::UnixStream => UnixStream, into_tokio, it => it.into_native(), native => Stream::told(native);
        /// The listener comes back when it is of another runtime.
        tokio_net::UnixListener => UnixListener, into_tokio, it => it.into_native();
        /// The socket comes back when it is of another runtime.
        tokio_net::UnixDatagram => UnixDatagram, into_tokio, it => it.into_native();
    }
}
