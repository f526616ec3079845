//! Datagrams to many: broadcast, and multicast groups.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::{UdpBound, UdpSockets};
use crate::backend::sim::clock::Clock;
use crate::backend::sim::network::{Errno, Network};

/// A membership of a socket.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Group {
    addr: IpAddr,
    /// As the program has given it: `leave` takes the same.
    interface: Interface,
}

/// A network interface: an address of IPv4, or an index for IPv6.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Interface {
    V4(Ipv4Addr),
    V6(u32),
}

/// The index of the loopback interface.
const LOOPBACK: u32 = 1;

impl Interface {
    /// Whether it takes packets that come from this host only.
    fn is_loopback(self) -> bool {
        match self {
            Self::V4(ip) => ip.is_loopback(),
            Self::V6(index) => index == LOOPBACK,
        }
    }

    fn is_any(self) -> bool {
        self == Self::V4(Ipv4Addr::UNSPECIFIED) || self == Self::V6(0)
    }
}

/// Whether packets to an address are to a group that stays on the host (RFC 4291, 2.7: interface-local).
pub(super) fn stays(to: IpAddr) -> bool {
    matches!(to, IpAddr::V6(ip) if ip.is_multicast() && ip.segments()[0] & 0xf == 1)
}

impl UdpSockets {
    pub(super) fn is_to_many(&self, to: SocketAddr) -> bool {
        to.ip().is_multicast() || to.ip() == IpAddr::V4(Ipv4Addr::BROADCAST)
    }

    /// Sockets of a host that receive a datagram to many.
    pub(super) fn members(&self, host: usize, from: SocketAddr, to: SocketAddr) -> Vec<u64> {
        let is_member = |it: &UdpBound| {
            let hears_peer = it.peer.is_none_or(|peer| peer == from);
            let is_bound = it.local.ip().is_unspecified() || it.local.ip() == to.ip();
            // From this host by way of its loopback interface.
            let is_inside = from.ip().is_loopback() || stays(to.ip());
            let joined = |group: &Group| {
                let here = group.interface.is_any() || group.interface.is_loopback() == is_inside;
                group.addr == to.ip() && here
            };
            let is_in = if to.ip().is_multicast() { it.groups.iter().any(joined) } else { !it.is_v6 };
            hears_peer && is_bound && is_in
        };
        self.at(host, to.port()).filter(|(_, it)| is_member(it)).map(|(number, _)| number).collect()
    }
}

impl Network {
    /// Joins a multicast group, or leaves it.
    pub(crate) fn join(
        &mut self,
        socket: u64,
        addr: IpAddr,
        interface: Interface,
        joins: bool,
    ) -> Result<(), Errno> {
        let Ok(bound) = self.bound(socket) else { return Err(Errno::NotConnected) };
        let (host, group) = (bound.host, Group { addr, interface });
        if !addr.is_multicast() {
            return Err(Errno::InvalidArgument);
        }
        let joined = bound.groups.iter().position(|other| *other == group);
        match joined {
            Some(_) if joins => return Err(Errno::AddrInUse),
            Some(at) => {
                bound.groups.remove(at);
                return Ok(());
            }
            None if !joins => return Err(Errno::AddrNotAvailable),
            None => {}
        }
        let exists = match interface {
            Interface::V4(ip) => {
                ip.is_unspecified() || ip.is_loopback() || self.ips(host).any(|own| own == ip)
            }
            Interface::V6(index) => index <= LOOPBACK + 1,
        };
        if !exists {
            return Err(Errno::NoDevice);
        }
        if let Ok(bound) = self.bound(socket) {
            bound.groups.push(group);
        }
        Ok(())
    }

    /// Sends a datagram to every host that it can reach.
    pub(super) fn send_to_many(
        &mut self,
        clock: &mut Clock,
        socket: u64,
        bytes: &[u8],
        from: SocketAddr,
        to: SocketAddr,
    ) {
        let Ok(bound) = self.bound(socket) else { return };
        let (own, is_group) = (bound.host, to.ip().is_multicast());
        let comes_back =
            !is_group || if to.is_ipv4() { bound.multicast_loop_v4 } else { bound.multicast_loop_v6 };
        let is_for_here = is_group && to.is_ipv4() && bound.multicast_ttl_v4 == 0;
        let stays = is_for_here || from.ip().is_loopback() || stays(to.ip());
        for host in 0..self.hosts.len() {
            if if host == own { comes_back } else { !stays } {
                self.send_to_one(clock, (socket, own), bytes, from, (host, to));
            }
        }
    }
}
