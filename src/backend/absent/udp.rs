use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};

use super::Absent;
use crate::runtime::{UdpSocket, udp_groups, udp_options};

macro_rules! never {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(
            fn $name(&self $(, _: $type)*) -> io::Result<$output> {
                match *self {}
            }
        )*
    };
}

impl UdpSocket for Absent {
    fn connect(&self, _: SocketAddr) -> io::Result<()> {
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

    async fn send_to(&self, _: &[u8], _: SocketAddr) -> io::Result<usize> {
        match *self {}
    }

    fn poll_send_to(&self, _: &mut Context<'_>, _: &[u8], _: SocketAddr) -> Poll<io::Result<usize>> {
        match *self {}
    }

    async fn recv_from(&self, _: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        match *self {}
    }

    fn poll_recv_from(&self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        match *self {}
    }

    async fn peek(&self, _: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }

    fn poll_peek(&self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        match *self {}
    }

    async fn peek_from(&self, _: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        match *self {}
    }

    fn poll_peek_from(&self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        match *self {}
    }

    udp_options!(never);
    udp_groups!(never);

    fn into_std(self) -> io::Result<std::net::UdpSocket> {
        match self {}
    }
}
