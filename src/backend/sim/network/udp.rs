//! UDP sockets.

mod flight;
mod groups;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::Poll;

use self::groups::Group;
use super::ports::{At, scan};
use super::{Bound, Errno, Network, TTL, canonical, crashed, is_broadcast, mapped, to_this_host};
use crate::backend::sim::clock::{Clock, NetEvent};
use crate::backend::sim::random::Random;
use crate::backend::sim::waiters::{How, Waiter, Waiting};

pub(crate) use self::groups::Interface;

/// Size of the receive queue; a datagram that finds it full is lost (`net.core.rmem_default`).
const QUEUE: usize = 212_992;

/// Maximum payload of a datagram: 65,535 bytes without its headers, of which IPv6 does not count its own.
const LARGEST_V4: usize = 65_507;
const LARGEST_V6: usize = 65_527;

/// How far a sender may be ahead of its network interface: the time that the interface needs for a full send buffer of
/// small datagrams (`net.core.wmem_default`, 212,992 bytes, and 768 for each).
const AHEAD: u64 = 277_000;

/// A bound UDP socket.
pub(crate) struct UdpBound {
    host: usize,
    // It shows addresses of IPv4 as addresses of IPv6.
    is_v6: bool,
    // `IPV6_V6ONLY`, which Linux sets for a socket that is bound to one address of IPv6 (`__inet6_bind`).
    only_v6: bool,
    local: SocketAddr,
    peer: Option<SocketAddr>,
    queue: VecDeque<(SocketAddr, Vec<u8>)>,
    // Memory of the queue.
    queued: usize,
    // Arrival time of our last datagram: later ones do not overtake it.
    last: u64,
    // When all that was sent has left.
    sent_at: u64,
    error: Option<Errno>,
    waiters: Waiting,
    senders: Waiting,
    groups: Vec<Group>,
    pub(crate) broadcast: bool,
    pub(crate) ttl: u32,
    pub(crate) multicast_loop_v4: bool,
    pub(crate) multicast_ttl_v4: u32,
    pub(crate) multicast_loop_v6: bool,
}

impl Bound for UdpBound {
    fn host(&self) -> usize {
        self.host
    }

    fn waiters(&mut self) -> impl Iterator<Item = &mut Waiting> {
        [&mut self.waiters, &mut self.senders].into_iter()
    }
}

impl UdpBound {
    fn at(&self) -> At {
        At { ip: self.local.ip(), only_v6: false }
    }

    /// Returns the local address.
    pub(crate) fn local(&self) -> SocketAddr {
        self.shown(self.local)
    }

    /// Returns the address of the peer.
    pub(crate) fn peer(&self) -> io::Result<SocketAddr> {
        // One at port 0 is none (`inet_getname`).
        let peer = self.peer.filter(|peer| peer.port() != 0).ok_or(Errno::NotConnected)?;
        Ok(self.shown(peer))
    }

    /// For options of IPv6.
    pub(crate) fn as_v6(&mut self) -> Result<&mut Self, Errno> {
        if self.is_v6 { Ok(self) } else { Err(Errno::NotSupported) }
    }

    /// An address, as this socket shows it.
    fn shown(&self, addr: SocketAddr) -> SocketAddr {
        if self.is_v6 && addr.is_ipv4() && !addr.ip().is_unspecified() { mapped(addr) } else { addr }
    }

    /// Maps an address, as a target, to one that packets can have.
    fn to_this_host(&self, addr: SocketAddr) -> SocketAddr {
        let local = (self.is_v6 || addr.is_ipv4()).then_some(self.local.ip());
        canonical(to_this_host(addr, local))
    }

    /// Whether packets of the family of `to` can leave it.
    fn check_family(&self, to: SocketAddr) -> Result<(), Errno> {
        match (self.is_v6, to.is_ipv6()) {
            (false, true) => Err(Errno::OtherFamily),
            (true, false) if self.only_v6 => Err(Errno::NetworkUnreachable),
            _ => Ok(()),
        }
    }
}

/// The UDP sockets of all hosts: perhaps thousands, which close in any order.
#[derive(Default)]
pub(super) struct UdpSockets {
    bound: BTreeMap<u64, UdpBound>,
    // By host and port.
    ports: BTreeMap<(usize, u16), Vec<u64>>,
}

impl UdpSockets {
    fn at(&self, host: usize, port: u16) -> impl Iterator<Item = (u64, &UdpBound)> {
        let numbers = self.ports.get(&(host, port)).into_iter().flatten();
        numbers.filter_map(|number| Some((*number, self.bound.get(number)?)))
    }

    fn is_free(&self, host: usize, at: At, port: u16) -> bool {
        // One that was bound to all addresses, and has got one of IPv6 from its peer, is in the way of those of IPv4.
        let was_dual = |other: &UdpBound| other.is_v6 && !other.only_v6 && other.local.is_ipv6();
        let any_v4 = at.ip == IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        !self.at(host, port).any(|(_, other)| other.at().overlaps(at) || any_v4 && was_dual(other))
    }

    fn free_port(&self, host: usize, at: At, random: &mut Random) -> Result<u16, Errno> {
        scan(random, |port| self.is_free(host, at, port)).ok_or(Errno::AddrInUse)
    }

    fn insert(&mut self, number: u64, socket: UdpBound) {
        self.ports.entry((socket.host, socket.local.port())).or_default().push(number);
        self.bound.insert(number, socket);
    }

    fn remove(&mut self, number: u64) -> Option<UdpBound> {
        let socket = self.bound.remove(&number)?;
        let port = (socket.host, socket.local.port());
        if let Some(numbers) = self.ports.get_mut(&port) {
            numbers.retain(|other| *other != number);
            if numbers.is_empty() {
                self.ports.remove(&port);
            }
        }
        Some(socket)
    }

    /// Returns the socket that receives a datagram: a connected one goes before an address, and that before all
    /// addresses (`udp4_lib_lookup2`).
    fn receiver(&self, host: usize, from: SocketAddr, to: SocketAddr) -> Option<u64> {
        let takes = |it: &UdpBound| it.at().covers(to.ip()) && it.peer.is_none_or(|peer| peer == from);
        let rank = |it: &UdpBound| (it.peer.is_some(), it.local.ip() == to.ip(), it.is_v6 == to.is_ipv6());
        let takers = self.at(host, to.port()).filter(|(_, it)| takes(it));
        takers.max_by_key(|(_, it)| rank(it)).map(|(number, _)| number)
    }

    pub(super) fn all_mut(&mut self) -> &mut BTreeMap<u64, UdpBound> {
        &mut self.bound
    }

    /// All sockets of a host are gone.
    pub(super) fn crash(&mut self, host: usize) {
        self.ports.retain(|(its, _), _| *its != host);
    }
}

impl Network {
    /// Binds a UDP socket, and returns its number.
    pub(crate) fn bind(&mut self, clock: &mut Clock, host: usize, addr: SocketAddr) -> io::Result<u64> {
        let (is_v6, mut local) = (addr.is_ipv6(), canonical(addr));
        self.check_local(host, local.ip())?;
        let at = At { ip: local.ip(), only_v6: false };
        if local.port() == 0 {
            local.set_port(self.datagrams.free_port(host, at, &mut self.random)?);
        } else if !self.datagrams.is_free(host, at, local.port()) {
            return Err(Errno::AddrInUse.into());
        }
        let number = clock.number();
        let bound = UdpBound {
            host,
            is_v6,
            only_v6: local.is_ipv6() && !local.ip().is_unspecified(),
            local,
            peer: None,
            queue: VecDeque::new(),
            queued: 0,
            last: 0,
            sent_at: 0,
            error: None,
            waiters: Waiting::default(),
            senders: Waiting::default(),
            groups: Vec::new(),
            broadcast: false,
            ttl: TTL,
            multicast_loop_v4: true,
            multicast_ttl_v4: 1,
            multicast_loop_v6: true,
        };
        self.datagrams.insert(number, bound);
        Ok(number)
    }

    pub(crate) fn bound(&mut self, socket: u64) -> io::Result<&mut UdpBound> {
        self.datagrams.bound.get_mut(&socket).ok_or_else(crashed)
    }

    pub(crate) fn unbind(&mut self, clock: &mut Clock, socket: u64) {
        if let Some(mut bound) = self.datagrams.remove(socket) {
            bound.waiters.move_to(&mut clock.dropped);
            bound.senders.move_to(&mut clock.dropped);
        }
    }

    /// Connects a socket: from now on it sends to this address and receives only from it.
    pub(crate) fn connect_udp(&mut self, socket: u64, addr: SocketAddr) -> io::Result<()> {
        let is_v4 = addr.is_ipv4();
        let bound = self.bound(socket)?;
        let addr = bound.to_this_host(addr);
        if bound.only_v6 && is_v4 {
            return Err(Errno::OtherFamily.into());
        }
        bound.check_family(addr)?;
        if is_broadcast(addr.ip()) && !bound.broadcast {
            return Err(Errno::AccessDenied.into());
        }
        let host = bound.host;
        let source = self.source(host, addr.ip())?;
        let bound = self.bound(socket)?;
        if bound.local.is_ipv4() && addr.is_ipv6() {
            return Err(Errno::OtherFamily.into());
        }
        bound.peer = Some(addr);
        // As on Linux, the socket now has the source address of its datagrams.
        if bound.local.ip().is_unspecified() {
            bound.local.set_ip(source);
        }
        Ok(())
    }

    /// Returns the first datagram in the queue.
    pub(crate) fn receive_udp(
        &mut self,
        clock: &mut Clock,
        socket: u64,
        buf: &mut [u8],
        take: bool,
        (waiter, how): (&mut Waiter<'_>, How),
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let bound = self.bound(socket)?;
        if let Some(error) = bound.error.take() {
            return Poll::Ready(Err(error.into()));
        }
        let Some((from, bytes)) = bound.queue.front() else {
            clock.dropped.extend(bound.waiters.add(waiter, how));
            return Poll::Pending;
        };
        let len = bytes.len().min(buf.len());
        buf[..len].copy_from_slice(&bytes[..len]);
        let from = bound.shown(*from);
        if take {
            bound.queued -= memory(bytes.len());
            bound.queue.pop_front();
        }
        Poll::Ready(Ok((len, from)))
    }

    /// Whether a receive would return at once: with a datagram, or because the peer has refused one.
    pub(crate) fn udp_readable(
        &mut self,
        clock: &mut Clock,
        socket: u64,
        (waiter, how): (&mut Waiter<'_>, How),
    ) -> Poll<io::Result<()>> {
        let bound = self.bound(socket)?;
        if bound.error.is_some() || !bound.queue.is_empty() {
            return Poll::Ready(Ok(()));
        }
        clock.dropped.extend(bound.waiters.add(waiter, how));
        Poll::Pending
    }

    /// Whether a send would be accepted at once.
    pub(crate) fn udp_writable(
        &mut self,
        clock: &mut Clock,
        socket: u64,
        (waiter, how): (&mut Waiter<'_>, How),
    ) -> Poll<io::Result<()>> {
        let bound = self.bound(socket)?;
        if bound.sent_at <= clock.nanos + AHEAD {
            return Poll::Ready(Ok(()));
        }
        let nobody_waits = bound.senders.is_empty();
        clock.dropped.extend(bound.senders.add(waiter, how));
        if nobody_waits {
            let at = bound.sent_at - AHEAD / 2;
            clock.add(at, NetEvent::SendBufferHasRoom { socket });
        }
        Poll::Pending
    }

    /// Half of what was sent has left.
    pub(super) fn send_buffer_has_room(&mut self, clock: &mut Clock, socket: u64) {
        if let Some(bound) = self.datagrams.bound.get_mut(&socket) {
            bound.senders.move_to(&mut clock.woken);
        }
    }

    pub(crate) fn send_udp(
        &mut self,
        clock: &mut Clock,
        socket: u64,
        bytes: &[u8],
        to: Option<SocketAddr>,
        waiter: (&mut Waiter<'_>, How),
    ) -> Poll<io::Result<usize>> {
        let bound = self.bound(socket)?;
        // What no datagram can have is found out first.
        if bytes.len() > usize::from(u16::MAX) {
            return Poll::Ready(Err(Errno::TooLong.into()));
        }
        let has_no_port = to.is_some_and(|to| to.port() == 0);
        let to = to.or(bound.peer).ok_or(Errno::NoAddress)?;
        let to = bound.to_this_host(to);
        bound.check_family(to)?;
        if has_no_port {
            return Poll::Ready(Err(Errno::InvalidArgument.into()));
        }
        if bytes.len() > if to.is_ipv4() { LARGEST_V4 } else { LARGEST_V6 } {
            return Poll::Ready(Err(Errno::TooLong.into()));
        }
        if is_broadcast(to.ip()) && !bound.broadcast {
            return Poll::Ready(Err(Errno::AccessDenied.into()));
        }
        let (host, mut from) = (bound.host, bound.local);
        if from.ip().is_unspecified() || from.is_ipv4() != to.is_ipv4() {
            let source =
                if groups::stays(to.ip()) { Ipv6Addr::LOCALHOST.into() } else { self.source(host, to.ip())? };
            // There is a way, and not from an address of IPv4 (`ip6_dst_lookup_tail`).
            if from.is_ipv4() && to.is_ipv6() {
                return Poll::Ready(Err(Errno::OtherFamily.into()));
            }
            from = SocketAddr::new(source, from.port());
        }
        self.check_leaves(host, from.ip(), to.ip())?;
        // What was refused before is of interest only if there is nothing wrong with this one.
        if let Some(error) = self.bound(socket)?.error.take() {
            return Poll::Ready(Err(error.into()));
        }
        if self.udp_writable(clock, socket, waiter)?.is_pending() {
            return Poll::Pending;
        }
        let bound = self.bound(socket)?;
        // A microsecond for the system, and the time on a wire of 10 Gbit/s, with headers.
        bound.sent_at = bound.sent_at.max(clock.nanos) + 1_000 + (bytes.len() as u64 + 66) * 4 / 5;
        if self.datagrams.is_to_many(to) {
            self.send_to_many(clock, socket, bytes, from, to);
        } else if let Some(target) = self.route(host, to.ip()) {
            self.send_to_one(clock, (socket, host), bytes, from, (target, to));
        }
        // A datagram to an unknown address is lost.
        Poll::Ready(Ok(bytes.len()))
    }
}

/// Memory that a datagram takes of the receive queue (`skb->truesize` of Linux 6.18).
fn memory(len: usize) -> usize {
    // Of the headers before its bytes, of what is behind them, and of the buffer's own.
    const HEADERS: usize = 94;
    const FOOTER: usize = 320;
    const OWN: usize = 256;
    const PAGE: usize = 4096;
    // Of buffers for small ones.
    const SMALL: usize = 576;
    OWN + match len + HEADERS + FOOTER {
        0..=512 => SMALL,
        needed @ ..=8192 => needed.next_power_of_two(),
        _ => (len + HEADERS).next_multiple_of(PAGE),
    }
}
