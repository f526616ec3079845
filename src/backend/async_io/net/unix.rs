use std::os::unix::net as std_unix;

use async_io::Async;

use super::AsyncIo;
use crate::socket;

pub(crate) type UnixStream = socket::UnixStream<AsyncIo>;
pub(crate) type UnixListener = socket::UnixListener<AsyncIo>;
pub(crate) type UnixDatagram = socket::UnixDatagram<AsyncIo>;

/// Into what is of any runtime, and back: what is of another runtime comes back as it is.
macro_rules! convert {
    ($name:ident, $socket:ident => $ours:expr) => {
        impl From<$name> for crate::net::$name {
            fn from(it: $name) -> Self {
                Self::async_io(it)
            }
        }

        impl From<Async<std_unix::$name>> for crate::net::$name {
            fn from($socket: Async<std_unix::$name>) -> Self {
                $ours.into()
            }
        }

        impl TryFrom<crate::net::$name> for Async<std_unix::$name> {
            type Error = crate::net::$name;

            fn try_from(it: crate::net::$name) -> Result<Self, Self::Error> {
                it.into_async_io().map($name::into_inner)
            }
        }
    };
}

convert!(UnixStream, socket => UnixStream::new(socket));
convert!(UnixListener, socket => UnixListener::new(AsyncIo, socket));
convert!(UnixDatagram, socket => UnixDatagram::new(AsyncIo, socket));
