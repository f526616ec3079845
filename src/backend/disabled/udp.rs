use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};

use super::{Disabled, never};
use crate::runtime::{UdpSocket, udp_calls, udp_groups, udp_options, udp_send_to};

impl UdpSocket for Disabled {
    fn connect(&self, _: SocketAddr) -> io::Result<()> {
        match *self {}
    }

    udp_calls!(never);
    udp_send_to!(never);
    udp_options!(never);
    udp_groups!(never);

    fn into_std(self) -> io::Result<std::net::UdpSocket> {
        match self {}
    }
}
