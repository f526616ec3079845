//! Hosts: their names and addresses, and whether they are up.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::Network;
use super::path::Path;
use super::paths::counted;
use crate::backend::sim::clock::Clock;
use crate::backend::sim::log::Kind;

/// First port that the system assigns by itself (RFC 6335).
const EPHEMERAL: u16 = 49_152;

pub(super) struct Host {
    pub(super) name: String,
    ip: IpAddr,
    next_port: u16,
    // Paths to every host, including itself.
    pub(super) paths: Vec<Path>,
    pub(super) up: bool,
    // Number of crashes so far.
    life: u32,
    // Number of faults that keep it down.
    outages: u32,
}

impl Host {
    /// Creates the host on which a simulation begins.
    pub(super) fn main() -> Self {
        Self::new("main", Ipv4Addr::new(10, 0, 0, 1).into())
    }

    fn new(name: &str, ip: IpAddr) -> Self {
        Self {
            name: name.to_owned(),
            ip,
            next_port: EPHEMERAL,
            paths: Vec::new(),
            up: true,
            life: 0,
            outages: 0,
        }
    }
}

impl Network {
    pub(crate) fn add_host(&mut self, name: &str, ip: IpAddr) -> io::Result<usize> {
        let refuse = |why: String| {
            Err(io::Error::new(ErrorKind::InvalidInput, format!("anyrt: host {name:?}: {why}")))
        };
        if ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() || ip == Ipv4Addr::BROADCAST {
            return refuse(format!("{ip} is not a valid host address"));
        }
        if name.is_empty() || name == "localhost" || name.contains(':') || name.parse::<IpAddr>().is_ok() {
            return refuse("that is not a valid host name".to_owned());
        }
        for host in &self.hosts {
            if host.ip == ip {
                return refuse(format!("{ip} is the address of host {:?}", host.name));
            }
            if host.name == name {
                return refuse(format!("there is a host of that name, at {}", host.ip));
            }
        }
        self.push(Host::new(name, ip));
        Ok(self.hosts.len() - 1)
    }

    pub(super) fn push(&mut self, mut host: Host) {
        for other in &mut self.hosts {
            other.paths.push(self.to_come.like());
            host.paths.push(self.to_come.like());
        }
        host.paths.push(Path::loopback());
        self.hosts.push(host);
    }

    pub(crate) fn ip(&self, host: usize) -> IpAddr {
        self.hosts[host].ip
    }

    pub(crate) fn hosts(&self) -> impl Iterator<Item = (&str, IpAddr)> {
        self.hosts.iter().map(|host| (host.name.as_str(), host.ip))
    }

    pub(crate) fn host_name(&self, host: usize) -> &str {
        &self.hosts[host].name
    }

    pub(crate) fn host_named(&self, name: &str) -> io::Result<usize> {
        self.hosts.iter().position(|host| host.name == name).ok_or_else(|| {
            let names: Vec<_> = self.hosts.iter().map(|host| format!("{:?}", host.name)).collect();
            let text = format!("anyrt: no host is named {name:?}; there are {}", names.join(", "));
            io::Error::new(ErrorKind::InvalidInput, text)
        })
    }

    pub(crate) fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if let Ok(ip) = name.parse::<IpAddr>() {
            return Ok(vec![(ip, port).into()]);
        }
        if name == "localhost" {
            return Ok(vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()]);
        }
        if name.contains('\0') {
            return Err(io::Error::new(ErrorKind::InvalidInput, "a name has no NUL in it"));
        }
        let host = self.hosts.iter().find(|host| host.name == name);
        let Some(host) = host else {
            return Err(io::Error::new(ErrorKind::NotFound, "no host of this simulation has that name"));
        };
        Ok(vec![(host.ip, port).into()])
    }

    /// Checks that a socket of `host` can be bound to this address.
    pub(super) fn check_local(&self, host: usize, ip: IpAddr) -> io::Result<()> {
        self.check_up(host)?;
        if ip.is_unspecified() || ip.is_loopback() || ip == self.hosts[host].ip {
            return Ok(());
        }
        let Host { name, ip: own, .. } = &self.hosts[host];
        Err(io::Error::new(
            ErrorKind::AddrNotAvailable,
            format!("{ip} is not an address of host {name:?}, which has {own}"),
        ))
    }

    /// Returns the host that packets from `host` to `ip` reach, if there is one.
    pub(crate) fn route(&self, host: usize, ip: IpAddr) -> Option<usize> {
        if ip.is_loopback() || ip.is_unspecified() || ip == self.hosts[host].ip {
            return Some(host);
        }
        self.hosts.iter().position(|host| host.ip == ip)
    }

    /// Returns the source address of packets from `host` to `ip`.
    pub(super) fn source(&self, host: usize, ip: IpAddr) -> io::Result<IpAddr> {
        let own = self.hosts[host].ip;
        match ip {
            IpAddr::V4(ip) if ip.is_loopback() => Ok(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_loopback() => Ok(Ipv6Addr::LOCALHOST.into()),
            ip if ip.is_ipv4() == own.is_ipv4() => Ok(own),
            _ => Err(io::Error::new(
                ErrorKind::NetworkUnreachable,
                format!("host {:?} has {own}, which is of the other family", self.hosts[host].name),
            )),
        }
    }

    /// Returns the local address of a TCP connection: `local`, or an address with a free port.
    pub(crate) fn local_end(
        &mut self,
        host: usize,
        to: IpAddr,
        local: Option<SocketAddr>,
    ) -> io::Result<SocketAddr> {
        let mut from = local.unwrap_or(SocketAddr::new(self.source(host, to)?, 0));
        self.check_local(host, from.ip())?;
        if from.ip().is_unspecified() {
            from.set_ip(self.source(host, to)?);
        }
        match from.port() {
            0 => from.set_port(self.free_port(host, |network, port| network.tcp_port_is_taken(host, port))?),
            port if self.tcp_port_is_taken(host, port) => return Err(ErrorKind::AddrInUse.into()),
            _ => {}
        }
        Ok(from)
    }

    /// Returns a free port.
    pub(super) fn free_port(
        &mut self,
        host: usize,
        is_taken: impl Fn(&Self, u16) -> bool,
    ) -> io::Result<u16> {
        for _ in EPHEMERAL..=u16::MAX {
            let port = self.hosts[host].next_port;
            self.hosts[host].next_port = port.checked_add(1).unwrap_or(EPHEMERAL);
            if !is_taken(self, port) {
                return Ok(port);
            }
        }
        Err(io::Error::new(ErrorKind::AddrInUse, "no ephemeral port is free"))
    }
}

/// Maps an unspecified address to this host, as Linux does.
pub(crate) fn to_this_host(mut addr: SocketAddr) -> SocketAddr {
    if addr.ip().is_unspecified() {
        addr.set_ip(if addr.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
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
        host.up && host.life == life
    }

    pub(crate) fn check_up(&self, host: usize) -> io::Result<()> {
        let host = &self.hosts[host];
        if host.up {
            return Ok(());
        }
        Err(io::Error::other(format!("anyrt: host {:?} has crashed; `restart` starts it again", host.name)))
    }

    pub(crate) fn is_up(&self, host: usize) -> bool {
        self.hosts[host].up
    }

    /// Takes a host down, unless it is down. Its tasks are handled elsewhere.
    pub(crate) fn go_down(&mut self, clock: &mut Clock, host: usize) -> bool {
        if !std::mem::replace(&mut self.hosts[host].up, false) {
            return false;
        }
        self.hosts[host].life += 1;
        self.has_crashed = true;
        clock.record(Kind::Crashed, host as u64, 0);
        self.crash_sockets(clock, host);
        true
    }

    /// Starts a host, unless it is up.
    pub(crate) fn go_up(&mut self, clock: &mut Clock, host: usize) -> bool {
        if std::mem::replace(&mut self.hosts[host].up, true) {
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
