use std::future::Future;
use std::io;
use std::os::unix::net::{self as std_unix, SocketAddr};
use std::path::Path;
use std::task::{Context, Poll};
use std::time::Duration;

use super::Absent;
use crate::runtime::{UnixDatagram, UnixListener, UnixNet, UnixStream};

impl UnixNet for Absent {
    type UnixStream = Self;
    type UnixListener = Self;
    type UnixDatagram = Self;

    fn unix_stream_from_std(&self, _: std_unix::UnixStream) -> io::Result<Self> {
        match *self {}
    }

    fn unix_listener_from_std(&self, _: std_unix::UnixListener) -> io::Result<Self> {
        match *self {}
    }

    fn unix_datagram_from_std(&self, _: std_unix::UnixDatagram) -> io::Result<Self> {
        match *self {}
    }
}

impl UnixStream for Absent {
    type ReadHalf<'a> = Self;
    type WriteHalf<'a> = Self;
    type OwnedReadHalf = Self;
    type OwnedWriteHalf = Self;

    fn split_mut(&mut self) -> (Self, Self) {
        match *self {}
    }

    fn into_split(self) -> (Self, Self) {
        match self {}
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        match *self {}
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match *self {}
    }

    fn into_std(self) -> io::Result<std_unix::UnixStream> {
        match self {}
    }
}

impl UnixListener for Absent {
    type Stream = Self;

    async fn accept(&self) -> io::Result<(Self, SocketAddr)> {
        match *self {}
    }

    fn poll_accept(&self, _: &mut Context<'_>) -> Poll<io::Result<(Self, SocketAddr)>> {
        match *self {}
    }

    fn sleep(&self, _: Duration) -> impl Future<Output = ()> + Send + 'static {
        std::future::pending()
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        match *self {}
    }

    fn into_std(self) -> io::Result<std_unix::UnixListener> {
        match self {}
    }
}

impl UnixDatagram for Absent {
    fn connect<P: AsRef<Path>>(&self, _: P) -> io::Result<()> {
        match *self {}
    }

    async fn send(&self, _: &[u8]) -> io::Result<usize> {
        match *self {}
    }

    fn poll_send(&self, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        match *self {}
    }

    async fn recv(&self, _: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }

    fn poll_recv(&self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        match *self {}
    }

    async fn send_to<P: AsRef<Path> + Send>(&self, _: &[u8], _: P) -> io::Result<usize> {
        match *self {}
    }

    fn poll_send_to<P: AsRef<Path>>(&self, _: &mut Context<'_>, _: &[u8], _: P) -> Poll<io::Result<usize>> {
        match *self {}
    }

    async fn recv_from(&self, _: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        match *self {}
    }

    fn poll_recv_from(&self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
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
