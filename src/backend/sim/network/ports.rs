//! The ports of TCP: who listens at them, who is connected from and to them, and who may use them as well.
//!
//! The rules are those of Linux: `inet_csk_bind_conflict`, `__inet_check_established` and `__inet_lookup_listener`.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
#[cfg(test)]
use std::net::Ipv4Addr;
use std::net::{IpAddr, SocketAddr};

use super::Errno;
use crate::backend::sim::random::Random;

/// The ports that the system assigns by itself (`net.ipv4.ip_local_port_range`).
pub(super) const EPHEMERAL: std::ops::Range<u16> = 32_768..61_000;

/// How long the side that closed first keeps its port (`TCP_TIMEWAIT_LEN`).
const TIME_WAIT: u64 = 60_000_000_000;

/// After this time a new connection to the same host may take it over (`net.ipv4.tcp_tw_reuse`).
const REUSE_AFTER: u64 = 1_000_000_000;

/// By host and port.
#[derive(Default)]
pub(super) struct Ports {
    ports: BTreeMap<(usize, u16), Port>,
    // In the order of their ends.
    waiting: VecDeque<(u64, usize, Ends)>,
}

#[derive(Default)]
struct Port {
    listeners: Vec<Listener>,
    connections: BTreeMap<Ends, Use>,
}

/// The addresses of a connection, at one of its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ends {
    pub(super) local: SocketAddr,
    pub(super) peer: SocketAddr,
}

#[derive(Clone, Copy)]
pub(super) struct Use {
    /// The port was chosen for this connection alone: it may be chosen for other peers, too.
    pub(super) chosen: bool,
    pub(super) share: Share,
    /// It is over, and its port is kept until then.
    until: Option<u64>,
}

impl Use {
    pub(super) fn new(chosen: bool, share: Share) -> Self {
        Self { chosen, share, until: None }
    }
}

/// What a socket allows others to do with its port.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Share {
    /// `SO_REUSEADDR`
    pub(super) reuse_address: bool,
    /// `SO_REUSEPORT`
    pub(super) reuse_port: bool,
}

/// A socket that listens.
#[derive(Clone, Copy)]
struct Listener {
    number: u64,
    at: At,
    share: Share,
}

/// The local addresses of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) ip: IpAddr,
    /// `IPV6_V6ONLY`
    pub(super) only_v6: bool,
}

impl At {
    /// Of a packet that is sent to one address.
    pub(super) fn exactly(ip: IpAddr) -> Self {
        Self { ip, only_v6: true }
    }

    /// Whether it receives packets to `ip`.
    pub(super) fn covers(self, ip: IpAddr) -> bool {
        self.ip == ip || self.ip.is_unspecified() && (self.ip.is_ipv4() == ip.is_ipv4() || self.is_dual())
    }

    /// All addresses of both families.
    fn is_dual(self) -> bool {
        self.ip.is_unspecified() && self.ip.is_ipv6() && !self.only_v6
    }

    pub(super) fn overlaps(self, other: Self) -> bool {
        self.covers(other.ip) || other.covers(self.ip)
    }
}

impl Ports {
    /// Whether a socket can be bound to a port, for listening or to connect from.
    pub(super) fn check(
        &mut self,
        nanos: u64,
        host: usize,
        at: At,
        port: u16,
        share: Share,
    ) -> Result<(), Errno> {
        self.forget_until(nanos);
        let Some(port) = self.ports.get(&(host, port)) else { return Ok(()) };
        let both_share = |other: Share| share.reuse_port && other.reuse_port;
        let listens = |it: &Listener| it.at.overlaps(at) && !both_share(it.share);
        let is_connected = |(ends, it): (&Ends, &Use)| {
            let both_reuse = share.reuse_address && it.share.reuse_address;
            at.overlaps(At::exactly(ends.local.ip())) && !both_reuse && !both_share(it.share)
        };
        if port.listeners.iter().any(listens) || port.connections.iter().any(is_connected) {
            return Err(Errno::AddrInUse);
        }
        Ok(())
    }

    /// Returns a port that a socket can be bound to.
    pub(super) fn free(
        &mut self,
        nanos: u64,
        host: usize,
        at: At,
        random: &mut Random,
    ) -> Result<u16, Errno> {
        let nobody = Share::default();
        scan(random, |port| self.check(nanos, host, at, port, nobody).is_ok()).ok_or(Errno::AddrInUse)
    }

    /// Returns a port to connect from, which other connections may have to other peers.
    pub(super) fn free_for(
        &mut self,
        nanos: u64,
        host: usize,
        from: IpAddr,
        peer: SocketAddr,
        random: &mut Random,
    ) -> Result<u16, Errno> {
        self.forget_until(nanos);
        let is_free = |number| {
            let Some(port) = self.ports.get(&(host, number)) else { return true };
            let ends = Ends { local: SocketAddr::new(from, number), peer };
            port.listeners.is_empty()
                && port.connections.values().all(|it| it.chosen)
                && port.connections.get(&ends).is_none_or(|it| it.can_be_taken_over(nanos, ends))
        };
        scan(random, is_free).ok_or(Errno::AddrNotAvailable)
    }

    /// Whether there is no connection between these addresses.
    pub(super) fn check_unique(&self, nanos: u64, host: usize, ends: Ends) -> Result<(), Errno> {
        let other = self.ports.get(&(host, ends.local.port())).and_then(|port| port.connections.get(&ends));
        match other {
            Some(other) if !other.can_be_taken_over(nanos, ends) => Err(Errno::AddrNotAvailable),
            _ => Ok(()),
        }
    }

    pub(super) fn listen(&mut self, host: usize, at: At, port: u16, number: u64, share: Share) {
        let port = self.ports.entry((host, port)).or_default();
        port.listeners.push(Listener { number, at, share });
    }

    pub(super) fn stop_listening(&mut self, host: usize, port: u16, number: u64) {
        self.change(host, port, |port| port.listeners.retain(|it| it.number != number));
    }

    pub(super) fn connect(&mut self, host: usize, ends: Ends, how: Use) {
        self.ports.entry((host, ends.local.port())).or_default().connections.insert(ends, how);
    }

    /// A connection is gone.
    pub(super) fn disconnect(&mut self, host: usize, ends: Ends) {
        // A port that is kept stays kept, whatever becomes of the sockets.
        self.forget(host, ends, None);
    }

    /// A connection is over for the side that closed it first, which keeps its port for a while.
    pub(super) fn time_wait(&mut self, nanos: u64, host: usize, ends: Ends) {
        self.forget_until(nanos);
        let Some(port) = self.ports.get_mut(&(host, ends.local.port())) else { return };
        if let Some(Use { until: until @ None, .. }) = port.connections.get_mut(&ends) {
            *until = Some(nanos + TIME_WAIT);
            self.waiting.push_back((nanos + TIME_WAIT, host, ends));
        }
    }

    /// Nothing is left of a host that has crashed.
    pub(super) fn crash(&mut self, host: usize) {
        self.ports.retain(|(its, _), _| *its != host);
    }

    /// Returns the listener that takes a connection to this address. An address goes before all addresses, and among
    /// those that share it one is drawn.
    pub(super) fn listener(&self, host: usize, to: SocketAddr, random: &mut Random) -> Option<u64> {
        let port = self.ports.get(&(host, to.port()))?;
        if let [one] = &port.listeners[..] {
            return one.at.covers(to.ip()).then_some(one.number);
        }
        let rank = |it: &Listener| match it.at.ip {
            ip if ip == to.ip() => 2,
            ip if ip.is_ipv4() == to.is_ipv4() => 1,
            _ => 0,
        };
        let takes = || port.listeners.iter().filter(|it| it.at.covers(to.ip()));
        let best = takes().map(rank).max()?;
        let mut best = takes().filter(|it| rank(it) == best);
        let drawn = match best.clone().count() {
            1 => 0,
            several => random.below(several as u64) as usize,
        };
        best.nth(drawn).map(|it| it.number)
    }

    fn change(&mut self, host: usize, number: u16, change: impl FnOnce(&mut Port)) {
        let Some(port) = self.ports.get_mut(&(host, number)) else { return };
        change(port);
        if port.listeners.is_empty() && port.connections.is_empty() {
            self.ports.remove(&(host, number));
        }
    }

    fn forget_until(&mut self, nanos: u64) {
        while let Some((until, host, ends)) =
            self.waiting.front().copied().filter(|(until, ..)| *until <= nanos)
        {
            self.waiting.pop_front();
            self.forget(host, ends, Some(until));
        }
    }

    /// Forgets a connection whose port is kept until then.
    fn forget(&mut self, host: usize, ends: Ends, until: Option<u64>) {
        self.change(host, ends.local.port(), |port| {
            if let Entry::Occupied(it) = port.connections.entry(ends) {
                if it.get().until == until {
                    it.remove();
                }
            }
        });
    }
}

impl Use {
    /// Whether a new connection may have the same addresses.
    fn can_be_taken_over(&self, nanos: u64, ends: Ends) -> bool {
        let is_here = ends.local.ip().is_loopback() && ends.peer.ip().is_loopback();
        is_here && self.until.is_some_and(|until| until - TIME_WAIT + REUSE_AFTER <= nanos)
    }
}

/// Returns the first free port from one that is drawn.
pub(super) fn scan(random: &mut Random, mut is_free: impl FnMut(u16) -> bool) -> Option<u16> {
    let first = EPHEMERAL.start + random.below(EPHEMERAL.len() as u64) as u16;
    (first..EPHEMERAL.end).chain(EPHEMERAL.start..first).find(|port| is_free(*port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::sim::random::Stream;

    const ANY: At = At { ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED), only_v6: false };

    fn addr(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn at(text: &str) -> At {
        At { ip: text.parse().unwrap(), only_v6: false }
    }

    #[test]
    fn both_families_overlap_unless_one_says_otherwise() {
        let (dual, only_v6) = (at("::"), At { only_v6: true, ..at("::") });
        for (one, other, overlap) in [
            (ANY, at("127.0.0.1"), true),
            (at("127.0.0.1"), at("127.0.0.2"), false),
            (dual, ANY, true),
            (dual, at("127.0.0.1"), true),
            (dual, at("::1"), true),
            (only_v6, ANY, false),
            (only_v6, at("::1"), true),
            (at("::1"), at("127.0.0.1"), false),
        ] {
            assert_eq!((one.overlaps(other), other.overlaps(one)), (overlap, overlap), "{one:?}, {other:?}");
        }
    }

    #[test]
    fn most_specific_listener_takes_a_connection() {
        let (mut ports, mut random) = (Ports::default(), Random::new(0, Stream::Network));
        for (number, at) in [(1, at("::")), (2, ANY), (3, at("10.0.0.1"))] {
            ports.listen(0, at, 7, number, Share::default());
        }
        let mut listener = |to| ports.listener(0, addr(to), &mut random);
        assert_eq!(listener("10.0.0.1:7"), Some(3));
        assert_eq!(listener("127.0.0.1:7"), Some(2));
        assert_eq!(listener("[::1]:7"), Some(1));
        assert_eq!(listener("10.0.0.1:8"), None);
        ports.stop_listening(0, 7, 2);
        assert_eq!(ports.listener(0, addr("127.0.0.1:7"), &mut random), Some(1), "of both families");
    }

    #[test]
    fn port_is_kept_for_a_minute_and_nothing_is_left_then() {
        let mut ports = Ports::default();
        let ends = Ends { local: addr("10.0.0.1:7"), peer: addr("10.0.0.2:50000") };
        ports.connect(0, ends, Use::new(false, Share::default()));
        ports.time_wait(5, 0, ends);
        // The sockets are gone, and the port is not.
        ports.disconnect(0, ends);
        let check = |ports: &mut Ports, nanos, reuse_address| {
            ports.check(nanos, 0, ANY, 7, Share { reuse_address, reuse_port: false })
        };
        assert_eq!(check(&mut ports, 4 + TIME_WAIT, false), Err(Errno::AddrInUse));
        assert_eq!(check(&mut ports, 4 + TIME_WAIT, true), Err(Errno::AddrInUse), "the first has not set it");
        assert_eq!(ports.check_unique(5 + REUSE_AFTER, 0, ends), Err(Errno::AddrNotAvailable));
        assert_eq!(check(&mut ports, 5 + TIME_WAIT, false), Ok(()));
        assert!(ports.ports.is_empty() && ports.waiting.is_empty());
    }

    #[test]
    fn new_connection_keeps_its_port_though_an_old_one_had_it() {
        let mut ports = Ports::default();
        let ends = Ends { local: addr("127.0.0.1:40000"), peer: addr("127.0.0.1:7") };
        ports.connect(0, ends, Use::new(true, Share::default()));
        ports.time_wait(0, 0, ends);
        assert_eq!(ports.check_unique(REUSE_AFTER - 1, 0, ends), Err(Errno::AddrNotAvailable));
        assert_eq!(ports.check_unique(REUSE_AFTER, 0, ends), Ok(()), "on one host, after a second");
        ports.connect(0, ends, Use::new(true, Share::default()));
        assert_eq!(ports.check(TIME_WAIT, 0, ANY, 40_000, Share::default()), Err(Errno::AddrInUse));
        ports.disconnect(0, ends);
        assert!(ports.ports.is_empty());
    }
}
