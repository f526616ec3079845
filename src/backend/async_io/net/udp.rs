use super::AsyncIo;
use crate::socket;

pub(crate) type UdpSocket = socket::UdpSocket<AsyncIo>;
