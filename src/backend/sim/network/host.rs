//! Hosts: their names and addresses, and whether they are up.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, ErrorKind};
use std::iter;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::listening::share;
use super::names::{are_same, is_of_a_host};
use super::paths::counted;
use super::ports::{At, Ends, Use};
use super::{Errno, Network};
use crate::backend::sim::clock::Clock;
use crate::backend::sim::log::Kind;
use crate::runtime::net::options::{SocketOptions, named};

pub(super) struct Host {
    pub(super) name: Cow<'static, str>,
    // The one that it was created with, and others.
    ip: IpAddr,
    more_ips: Vec<IpAddr>,
    // The machine has power.
    pub(super) up: bool,
    // Its process runs.
    runs: bool,
    // Number of crashes so far.
    life: u32,
    // Number of faults that keep it down.
    outages: u32,
}

impl Host {
    /// Creates the host on which a simulation begins.
    pub(super) fn main() -> Self {
        Self::new("main".into(), Ipv4Addr::new(10, 0, 0, 1).into())
    }

    fn new(name: Cow<'static, str>, ip: IpAddr) -> Self {
        Self { name, ip, more_ips: Vec::new(), up: true, runs: true, life: 0, outages: 0 }
    }

    pub(super) fn ips(&self) -> impl Iterator<Item = IpAddr> {
        iter::once(self.ip).chain(self.more_ips.iter().copied())
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ips: Vec<_> = self.ips().map(|ip| ip.to_string()).collect();
        write!(f, "host {:?}, which has {}", self.name, ips.join(" and "))
    }
}

impl Network {
    pub(crate) fn add_host(&mut self, name: &str, ip: IpAddr) -> io::Result<usize> {
        let refuse = |why: String| {
            Err(io::Error::new(ErrorKind::InvalidInput, format!("anyrt: host {name:?}: {why}")))
        };
        let ip = ip.to_canonical();
        if let Err(why) = self.check_new_ip(ip) {
            return refuse(why);
        }
        if !is_of_a_host(name) {
            return refuse("that is not a valid host name".to_owned());
        }
        for host in &self.hosts {
            if are_same(&host.name, name) {
                return refuse(format!("there is a host of that name, at {}", host.ip));
            }
        }
        self.push(Host::new(name.to_owned().into(), ip));
        Ok(self.hosts.len() - 1)
    }

    /// Gives a host one more address.
    pub(crate) fn add_ip(&mut self, host: usize, ip: IpAddr) -> io::Result<()> {
        let ip = ip.to_canonical();
        self.check_new_ip(ip).map_err(|why| {
            let text = format!("anyrt: host {:?}: {why}", self.hosts[host].name);
            io::Error::new(ErrorKind::InvalidInput, text)
        })?;
        self.hosts[host].more_ips.push(ip);
        self.by_ip.insert(bits(ip), host);
        Ok(())
    }

    fn check_new_ip(&self, ip: IpAddr) -> Result<(), String> {
        if ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() || ip == Ipv4Addr::BROADCAST {
            return Err(format!("{ip} is not a valid host address"));
        }
        match self.by_ip.get(&bits(ip)) {
            Some(other) => Err(format!("{ip} is the address of host {:?}", self.hosts[*other].name)),
            None => Ok(()),
        }
    }

    pub(super) fn push(&mut self, host: Host) {
        self.paths.add_host(self.hosts.len(), &self.to_come);
        self.by_ip.insert(bits(host.ip), self.hosts.len());
        self.hosts.push(host);
    }

    pub(crate) fn ip(&self, host: usize) -> IpAddr {
        self.hosts[host].ip
    }

    pub(crate) fn ips(&self, host: usize) -> impl Iterator<Item = IpAddr> {
        self.hosts[host].ips()
    }

    pub(crate) fn hosts(&self) -> impl Iterator<Item = (&str, IpAddr)> {
        self.hosts.iter().map(|host| (&*host.name, host.ip))
    }

    pub(crate) fn host_name(&self, host: usize) -> &str {
        &self.hosts[host].name
    }

    pub(crate) fn host_named(&self, name: &str) -> io::Result<usize> {
        self.hosts.iter().position(|host| are_same(&host.name, name)).ok_or_else(|| {
            let names: Vec<_> = self.hosts.iter().map(|host| format!("{:?}", host.name)).collect();
            let text = format!("anyrt: no host is named {name:?}; there are {}", names.join(", "));
            io::Error::new(ErrorKind::InvalidInput, text)
        })
    }

    /// Checks that a socket of `host` can be bound to this address.
    pub(super) fn check_local(&self, host: usize, ip: IpAddr) -> io::Result<()> {
        self.check_up(host)?;
        if ip.is_unspecified()
            || ip.is_loopback()
            || ip.is_multicast()
            || self.by_ip.get(&bits(ip)) == Some(&host)
        {
            return Ok(());
        }
        let text = format!("{ip} is not an address of {}", self.hosts[host]);
        Err(named(Errno::AddrNotAvailable.into(), text))
    }

    /// Returns the host that packets from `host` to `ip` reach, if there is one.
    pub(crate) fn route(&self, host: usize, ip: IpAddr) -> Option<usize> {
        if ip.is_loopback() || ip.is_unspecified() {
            return Some(host);
        }
        self.by_ip.get(&bits(ip)).copied()
    }

    /// Returns the source address of packets from `host` to `ip`.
    pub(super) fn source(&self, host: usize, ip: IpAddr) -> io::Result<IpAddr> {
        // Packets to an address of its own come from there.
        if self.by_ip.get(&bits(ip)) == Some(&host) {
            return Ok(ip);
        }
        match ip {
            IpAddr::V4(ip) if ip.is_loopback() => Ok(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_loopback() => Ok(Ipv6Addr::LOCALHOST.into()),
            ip => {
                let own = self.hosts[host].ips().find(|own| own.is_ipv4() == ip.is_ipv4());
                own.ok_or_else(|| {
                    let family = if ip.is_ipv4() { "IPv4" } else { "IPv6" };
                    let text = format!("{} and no address of {family}", self.hosts[host]);
                    named(Errno::NetworkUnreachable.into(), text)
                })
            }
        }
    }

    /// Checks that packets with this source can be sent to `to`: those from a loopback address stay on their host.
    pub(super) fn check_leaves(&self, host: usize, from: IpAddr, to: IpAddr) -> Result<(), Errno> {
        if from.is_loopback() && !to.is_multicast() && self.route(host, to) != Some(host) {
            return Err(Errno::InvalidArgument);
        }
        Ok(())
    }

    /// Returns the local address of a TCP connection to a host: `local`, or an address with a free port. The address
    /// is taken from now on.
    pub(crate) fn local_end(
        &mut self,
        clock: &Clock,
        host: usize,
        peer: SocketAddr,
        local: Option<SocketAddr>,
        options: &SocketOptions,
    ) -> io::Result<SocketAddr> {
        let mut from = match local {
            Some(local) => canonical(local),
            None => SocketAddr::new(self.source(host, peer.ip())?, 0),
        };
        match local {
            Some(_) => self.check_local(host, from.ip())?,
            None => self.check_up(host)?,
        }
        if peer.ip().is_multicast() || is_broadcast(peer.ip()) {
            // `tcp_v4_connect`, `tcp_v6_connect`
            return Err(Errno::NetworkUnreachable.into());
        }
        check_families(local, from.ip(), peer.ip())?;
        if from.ip().is_unspecified() {
            from.set_ip(self.source(host, peer.ip())?);
        }
        let Self { ports, random, .. } = self;
        let (now, share, chosen) = (clock.nanos, share(options), from.port() == 0);
        if chosen {
            from.set_port(ports.free_for(now, host, from.ip(), peer, random)?);
        } else {
            ports.check(now, host, At::exactly(from.ip()), from.port(), share)?;
            ports.check_unique(now, host, Ends { local: from, peer })?;
        }
        let ends = Ends { local: from, peer };
        self.check_leaves(host, from.ip(), peer.ip())?;
        if self.route(host, peer.ip()).is_some() {
            self.ports.connect(host, ends, Use::new(chosen, share));
        }
        Ok(from)
    }
}

/// An address as a number, which is compared faster.
fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// Whether a socket that is bound to one address can connect to another. One of IPv6 has no packets of IPv4 (`__inet6_bind`), and
/// one that stands for IPv4 has no others (`ip6_dst_lookup_tail`).
fn check_families(local: Option<SocketAddr>, from: IpAddr, peer: IpAddr) -> Result<(), Errno> {
    match local {
        Some(_) if from.is_unspecified() => Ok(()),
        Some(SocketAddr::V6(_)) if from.is_ipv6() && peer.is_ipv4() => Err(Errno::NetworkUnreachable),
        Some(SocketAddr::V6(_)) if from.is_ipv4() && peer.is_ipv6() => Err(Errno::OtherFamily),
        _ => Ok(()),
    }
}

/// Whether it is the address of all hosts, or of all in the network of the loopback interface.
pub(crate) fn is_broadcast(to: IpAddr) -> bool {
    matches!(to, IpAddr::V4(to) if to.is_broadcast() || to == Ipv4Addr::new(127, 255, 255, 255))
}

/// The address of IPv4 that an address of IPv6 stands for (RFC 4291, 2.5.5.2).
pub(crate) fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}

/// The address of IPv6 that stands for an address of IPv4.
pub(crate) fn mapped(mut addr: SocketAddr) -> SocketAddr {
    if let IpAddr::V4(ip) = addr.ip() {
        addr.set_ip(ip.to_ipv6_mapped().into());
    }
    addr
}

/// Maps an unspecified address to this host, as Linux does for a socket that is bound to `local`: one of IPv4 to the socket's own
/// (`ip_route_output_key_hash_rcu`), and one of IPv6 to the loopback address of its family (`__ip6_datagram_connect`).
pub(crate) fn to_this_host(addr: SocketAddr, local: Option<IpAddr>) -> SocketAddr {
    // `::ffff:0.0.0.0` is 0.0.0.0.
    let mut addr = if addr.ip().is_unspecified() { addr } else { canonical(addr) };
    let local = local.map(|ip| ip.to_canonical()).filter(|ip| !ip.is_unspecified() && !ip.is_multicast());
    if addr.ip().is_unspecified() {
        addr.set_ip(match (addr.ip(), local) {
            (IpAddr::V4(_), Some(local @ IpAddr::V4(_))) => local,
            (IpAddr::V4(_), _) | (_, Some(IpAddr::V4(_))) => Ipv4Addr::LOCALHOST.into(),
            (IpAddr::V6(_), _) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    addr
}

impl Network {
    /// Whether any host has ever crashed. Most simulations have no crash and can skip further checks.
    pub(crate) fn has_crashed(&self) -> bool {
        self.has_crashed
    }

    /// Returns the number of crashes of a host.
    pub(crate) fn life(&self, host: usize) -> u32 {
        self.hosts[host].life
    }

    /// Whether tasks of this life of a host may run.
    pub(crate) fn is_alive(&self, host: usize, life: u32) -> bool {
        let host = &self.hosts[host];
        host.runs && host.life == life
    }

    pub(crate) fn check_up(&self, host: usize) -> io::Result<()> {
        let host = &self.hosts[host];
        if host.runs {
            return Ok(());
        }
        let what = if host.up { "the process of host" } else { "host" };
        let how = if host.up { "was killed" } else { "has crashed" };
        Err(io::Error::other(format!("anyrt: {what} {:?} {how}; `restart` starts it again", host.name)))
    }

    pub(crate) fn is_up(&self, host: usize) -> bool {
        self.hosts[host].runs
    }

    /// Takes a host down, unless it is down. Its tasks are handled elsewhere.
    pub(crate) fn go_down(&mut self, clock: &mut Clock, host: usize) -> bool {
        let its = &mut self.hosts[host];
        if !std::mem::replace(&mut its.up, false) {
            return false;
        }
        its.runs = false;
        its.life += 1;
        self.has_crashed = true;
        clock.record(Kind::Crashed, host as u64, 0);
        self.crash_sockets(clock, host);
        true
    }

    /// Kills the process of a host, unless none runs: the system closes its sockets. Its tasks are handled elsewhere.
    pub(crate) fn kill(&mut self, clock: &mut Clock, host: usize) -> bool {
        let its = &mut self.hosts[host];
        if !std::mem::replace(&mut its.runs, false) {
            return false;
        }
        its.life += 1;
        self.has_crashed = true;
        clock.record(Kind::Killed, host as u64, 0);
        self.close_sockets(clock, host);
        true
    }

    /// Starts a host, unless it is up.
    pub(crate) fn go_up(&mut self, clock: &mut Clock, host: usize) -> bool {
        let its = &mut self.hosts[host];
        its.up = true;
        if std::mem::replace(&mut its.runs, true) {
            return false;
        }
        clock.record(Kind::Restarted, host as u64, 0);
        true
    }

    /// Counts a fault that keeps a host down, when it begins and when it ends; returns the number of such faults.
    pub(crate) fn count_outage(&mut self, host: usize, begins: bool) -> u32 {
        let host = &mut self.hosts[host];
        host.outages = counted(host.outages, begins);
        host.outages
    }
}
