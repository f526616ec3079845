use std::io;
use std::os::unix::net::{self as std_unix, SocketAddr};
use std::path::Path;
use std::task::{Context, Poll};

use super::{Disabled, never};
use crate::runtime::backend::UnixNetBackend;
use crate::runtime::{UnixDatagram, UnixNet, unix_calls};

impl UnixNetBackend for Disabled {
    fn adopt_unix_stream(&self, _: std_unix::UnixStream) -> io::Result<Self> {
        match *self {}
    }

    fn adopt_unix_listener(&self, _: std_unix::UnixListener) -> io::Result<Self> {
        match *self {}
    }

    fn adopt_unix_datagram(&self, _: std_unix::UnixDatagram) -> io::Result<Self> {
        match *self {}
    }
}

impl UnixNet for Disabled {
    type UnixStream = Self;
    type UnixListener = Self;
    type UnixDatagram = Self;
}

impl UnixDatagram for Disabled {
    fn connect<P: AsRef<Path>>(&self, _: P) -> io::Result<()> {
        match *self {}
    }

    unix_calls!(never);

    async fn send_to<P: AsRef<Path> + Send>(&self, _: &[u8], _: P) -> io::Result<usize> {
        match *self {}
    }

    fn poll_send_to<P: AsRef<Path>>(&self, _: &mut Context<'_>, _: &[u8], _: P) -> Poll<io::Result<usize>> {
        match *self {}
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        match *self {}
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match *self {}
    }

    fn into_std(self) -> io::Result<std_unix::UnixDatagram> {
        match self {}
    }
}
