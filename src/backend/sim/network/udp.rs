//! UDP sockets, and datagrams in flight.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::task::Poll;

use super::listening::covers;
use super::paths::Gate;
use super::{Bound, Network, TTL, crashed, to_this_host};
use crate::backend::sim::clock::{Clock, Datagram, NetEvent, Refusal};
use crate::backend::sim::log::{Flight, Kind, hash};
use crate::backend::sim::waiters::{How, Waiter, Waiting};

/// Size of the receive queue in bytes; further datagrams are lost. The default of Linux (`net.core.rmem_default`).
const QUEUE: usize = 212_992;

/// Maximum payload of a datagram over IPv4.
const LARGEST: usize = 65_507;

/// A bound UDP socket.
pub(crate) struct UdpBound {
    host: usize,
    pub(crate) local: SocketAddr,
    pub(crate) peer: Option<SocketAddr>,
    queue: VecDeque<(SocketAddr, Vec<u8>)>,
    queued: usize,
    // Arrival time of our last datagram: later ones do not overtake it.
    last: u64,
    refused: bool,
    waiters: Waiting,
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
        [&mut self.waiters].into_iter()
    }
}

impl Network {
    /// Binds a UDP socket, and returns its number.
    pub(crate) fn bind(&mut self, clock: &mut Clock, host: usize, mut addr: SocketAddr) -> io::Result<u64> {
        self.check_local(host, addr.ip())?;
        if addr.port() == 0 {
            addr.set_port(self.free_port(host, |network, port| {
                network.datagrams.values().any(|it| it.host == host && it.local.port() == port)
            })?);
        }
        let is_taken = |it: &UdpBound| it.host == host && (covers(it.local, addr) || covers(addr, it.local));
        if self.datagrams.values().any(is_taken) {
            return Err(io::Error::from(ErrorKind::AddrInUse));
        }
        let number = clock.number();
        let bound = UdpBound {
            host,
            local: addr,
            peer: None,
            queue: VecDeque::new(),
            queued: 0,
            last: 0,
            refused: false,
            waiters: Waiting::default(),
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
        self.datagrams.get_mut(&socket).ok_or_else(crashed)
    }

    pub(crate) fn unbind(&mut self, clock: &mut Clock, socket: u64) {
        if let Some(mut bound) = self.datagrams.remove(&socket) {
            clock.dropped.append(bound.waiters.take());
        }
    }

    /// Connects a socket: from now on it sends to this address and receives only from it.
    pub(crate) fn connect_udp(&mut self, socket: u64, addr: SocketAddr) -> io::Result<()> {
        let addr = to_this_host(addr);
        let bound = self.bound(socket)?;
        let (host, local) = (bound.host, bound.local);
        if addr.is_ipv4() != local.is_ipv4() {
            return Err(other_family(local, addr));
        }
        let source = self.source(host, addr.ip())?;
        let bound = self.bound(socket)?;
        bound.peer = Some(addr);
        bound.refused = false;
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
        if std::mem::take(&mut bound.refused) {
            return Poll::Ready(Err(ErrorKind::ConnectionRefused.into()));
        }
        let Some((from, bytes)) = bound.queue.front() else {
            clock.dropped.extend(bound.waiters.add(waiter, how));
            return Poll::Pending;
        };
        let len = bytes.len().min(buf.len());
        buf[..len].copy_from_slice(&bytes[..len]);
        let from = *from;
        if take {
            bound.queued -= bytes.len();
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
        if bound.refused || !bound.queue.is_empty() {
            return Poll::Ready(Ok(()));
        }
        clock.dropped.extend(bound.waiters.add(waiter, how));
        Poll::Pending
    }

    pub(crate) fn send_udp(
        &mut self,
        clock: &mut Clock,
        socket: u64,
        bytes: &[u8],
        to: Option<SocketAddr>,
    ) -> io::Result<()> {
        let bound = self.bound(socket)?;
        if std::mem::take(&mut bound.refused) {
            return Err(ErrorKind::ConnectionRefused.into());
        }
        let Some(to) = to.or(bound.peer).map(to_this_host) else {
            return Err(io::Error::new(ErrorKind::NotConnected, "the socket is not connected"));
        };
        if to.is_ipv4() != bound.local.is_ipv4() {
            return Err(other_family(bound.local, to));
        }
        if bytes.len() > LARGEST {
            let text = format!("a datagram has {LARGEST} bytes at most, and not {}", bytes.len());
            return Err(io::Error::new(ErrorKind::InvalidInput, text));
        }
        if to.ip() == IpAddr::V4(Ipv4Addr::BROADCAST) && !bound.broadcast {
            return Err(io::Error::new(
                ErrorKind::PermissionDenied,
                "broadcast is not allowed on this socket",
            ));
        }
        let (from_host, mut from) = (bound.host, bound.local);
        if from.ip().is_unspecified() {
            from.set_ip(self.source(from_host, to.ip())?);
        }
        // A datagram to an unknown address is lost.
        let Some(host) = self.route(from_host, to.ip()) else { return Ok(()) };
        let flight = || flight("datagram", (from_host, host), [from, to], bytes);
        let message = clock.sent(socket, flight);
        let datagram = Datagram { socket, from_host, from, host, to, bytes: bytes.to_vec(), message };
        let (path, random) = self.path(from_host, host);
        if path.duplicates(random) {
            clock.record(Kind::Duplicated, socket, 0);
            clock.trace.on_path((from_host, host));
            self.launch(clock, datagram.clone());
        }
        self.launch(clock, datagram);
        Ok(())
    }

    fn launch(&mut self, clock: &mut Clock, datagram: Datagram) {
        let Datagram { socket, from_host, host, .. } = datagram;
        let (path, random) = self.path(from_host, host);
        let mut at = path.arrival(random, clock.nanos, datagram.bytes.len());
        if path.loses(random) {
            clock.record(Kind::Lost, socket, hash(&datagram.bytes));
            return clock.trace.on_path((from_host, host));
        }
        if let Some(longer) = path.reordering(random) {
            at = at.saturating_add(longer);
        } else if let Some(bound) = self.datagrams.get_mut(&socket) {
            at = at.max(bound.last);
            bound.last = at;
        }
        clock.add(at, NetEvent::Datagram(Box::new(datagram)));
    }

    pub(super) fn datagram(&mut self, clock: &mut Clock, datagram: Box<Datagram>) {
        match self.gate(datagram.from_host, datagram.host) {
            Gate::Open => {}
            Gate::Held => {
                return self.keep(clock, datagram.from_host, datagram.host, NetEvent::Datagram(datagram));
            }
            Gate::Cut => {
                let Datagram { socket, from_host, host, bytes, .. } = *datagram;
                clock.record(Kind::Cut, socket, hash(&bytes));
                return clock.trace.on_path((from_host, host));
            }
        }
        let Datagram { socket, from_host, from, host, to, bytes, message } = *datagram;
        clock.record(Kind::DatagramArrived, socket, hash(&bytes));
        clock.trace.arrived(message);
        let is_for = |it: &&mut UdpBound| {
            it.host == host && covers(it.local, to) && it.peer.is_none_or(|peer| peer == from)
        };
        let Some(bound) = self.datagrams.values_mut().find(is_for) else {
            // Only a socket that is connected to the address is notified (udp(7)).
            let hears = self.datagrams.get(&socket).is_some_and(|it| it.peer == Some(to));
            if hears && !self.is_lost(host, from_host) {
                let flight = || flight("refusal", (host, from_host), [to, from], &[]);
                let message = clock.sent(socket, flight);
                let refusal = Refusal { socket, from: host, to: from_host, message };
                self.after(clock, host, from_host, NetEvent::DatagramRefused(Box::new(refusal)));
            }
            return;
        };
        if bound.queued + bytes.len() <= QUEUE && bound.queue.len() < QUEUE / 256 {
            bound.queued += bytes.len();
            bound.queue.push_back((from, bytes));
            let waiters = bound.waiters.take();
            clock.woken.append(waiters);
        }
    }

    pub(super) fn datagram_refused(&mut self, clock: &mut Clock, refusal: Box<Refusal>) {
        let Refusal { socket, from, to, message } = *refusal;
        match self.gate(from, to) {
            Gate::Open => {}
            Gate::Held => {
                return self.keep(clock, from, to, NetEvent::DatagramRefused(refusal));
            }
            Gate::Cut => {
                clock.record(Kind::Cut, socket, 0);
                return clock.trace.on_path((from, to));
            }
        }
        clock.record(Kind::DatagramRefused, socket, 0);
        clock.trace.arrived(message);
        if let Some(bound) = self.datagrams.get_mut(&socket) {
            bound.refused = true;
            let waiters = bound.waiters.take();
            clock.woken.append(waiters);
        }
    }
}

/// For the log.
fn flight(what: &'static str, hosts: (usize, usize), addrs: [SocketAddr; 2], bytes: &[u8]) -> Flight {
    Flight::new(what, hosts, addrs.map(|addr| addr.to_string()), (bytes, &[]))
}

fn other_family(local: SocketAddr, to: SocketAddr) -> io::Error {
    let text = format!("{to} is of another family than {local}, which the socket is bound to");
    io::Error::new(ErrorKind::InvalidInput, text)
}
