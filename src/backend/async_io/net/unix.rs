use super::AsyncIo;
use crate::socket;

pub(crate) type UnixStream = socket::UnixStream<AsyncIo>;
pub(crate) type UnixListener = socket::UnixListener<AsyncIo>;
pub(crate) type UnixDatagram = socket::UnixDatagram<AsyncIo>;
