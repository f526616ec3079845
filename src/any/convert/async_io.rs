use async_io::Async;

use super::{made, native};
use crate::any::net;
use crate::any::time::Sleep;
use crate::backend::{AsyncIo, AsyncIoListener, AsyncIoSleep, AsyncIoStream, AsyncIoUdpSocket};

made! {
    AsyncIoSleep => Sleep, async_io;
    AsyncIoStream => net::TcpStream, async_io;
    AsyncIoListener => net::TcpListener, async_io;
    AsyncIoUdpSocket => net::UdpSocket, async_io;
}

native! {
    /// The stream comes back when it is of another runtime.
    Async<std::net::TcpStream> => net::TcpStream, into_async_io,
        it => it.into_inner(), native => AsyncIoStream::new(native);
    /// The listener comes back when it is of another runtime.
    Async<std::net::TcpListener> => net::TcpListener, into_async_io,
        it => it.into_inner(), native => AsyncIoListener::new(AsyncIo, native);
    /// The socket comes back when it is of another runtime.
    Async<std::net::UdpSocket> => net::UdpSocket, into_async_io,
        it => it.into_inner(), native => AsyncIoUdpSocket::new(native);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::net as std_unix;

    use super::{Async, AsyncIo, made, native};
    use crate::any::net::unix::{UnixDatagram, UnixListener, UnixStream};
    use crate::backend::{AsyncIoUnixDatagram, AsyncIoUnixListener, AsyncIoUnixStream};

    made! {
        AsyncIoUnixStream => UnixStream, async_io;
        AsyncIoUnixListener => UnixListener, async_io;
        AsyncIoUnixDatagram => UnixDatagram, async_io;
    }

    native! {
        /// The stream comes back when it is of another runtime.
        Async<std_unix::UnixStream> => UnixStream, into_async_io,
            it => it.into_inner(), native => AsyncIoUnixStream::new(native);
        /// The listener comes back when it is of another runtime.
        Async<std_unix::UnixListener> => UnixListener, into_async_io,
            it => it.into_inner(), native => AsyncIoUnixListener::new(AsyncIo, native);
        /// The socket comes back when it is of another runtime.
        Async<std_unix::UnixDatagram> => UnixDatagram, into_async_io,
            it => it.into_inner(), native => AsyncIoUnixDatagram::new(AsyncIo, native);
    }
}
