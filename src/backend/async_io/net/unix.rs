use std::os::unix::net as std_unix;

use async_io::Async;

use super::{AsyncIo, convert};
use crate::socket;

pub(crate) type UnixStream = socket::UnixStream<AsyncIo>;
pub(crate) type UnixListener = socket::UnixListener<AsyncIo>;
pub(crate) type UnixDatagram = socket::UnixDatagram<AsyncIo>;

convert!(std_unix::UnixStream, socket => UnixStream::new(socket));
convert!(std_unix::UnixListener, socket => UnixListener::new(AsyncIo, socket));
convert!(std_unix::UnixDatagram, socket => UnixDatagram::new(AsyncIo, socket));
