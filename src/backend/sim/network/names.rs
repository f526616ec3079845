//! Names of hosts, and literals of addresses, as the resolver of Linux takes them.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use super::Network;
use super::paths::Gate;
use crate::backend::sim::clock::Clock;

/// How long the resolver waits for an answer, and how often it asks (resolv.conf(5)).
const TIMEOUT: u64 = 5_000_000_000;
const ATTEMPTS: u32 = 2;

/// What is known of names, besides those of the hosts.
#[derive(Default)]
pub(super) struct Names {
    records: Vec<(String, Record)>,
    // The host of the server. `None`: names are known everywhere.
    server: Option<usize>,
    // `None`: an answer takes no time.
    latency: Option<u64>,
}

#[derive(Clone)]
pub(crate) enum Record {
    Ips(Vec<IpAddr>),
    /// There is no such name.
    Absent,
    /// The server cannot say.
    Fails,
}

/// A step of a look-up.
pub(crate) enum Lookup {
    Done(io::Result<Vec<SocketAddr>>),
    /// The answer comes after this time; or none does, or a refusal, and it is time to ask again.
    Wait {
        nanos: u64,
        answered: bool,
    },
}

impl Network {
    /// Sets what is said of a name; `None`: the host of that name, if there is one.
    pub(crate) fn set_name(&mut self, name: &str, record: Option<Record>) {
        let records = &mut self.names.records;
        records.retain(|(known, _)| !are_same(known, name));
        records.extend(record.map(|record| (name.to_owned(), record)));
    }

    pub(crate) fn set_name_server(&mut self, host: usize) {
        self.names.server = Some(host);
    }

    pub(crate) fn set_name_latency(&mut self, nanos: u64) {
        self.names.latency = Some(nanos);
    }

    /// Asks for a name, for the n-th time.
    pub(crate) fn look_up(
        &mut self,
        clock: &Clock,
        host: usize,
        name: &str,
        port: u16,
        tries: u32,
    ) -> Lookup {
        let Names { server, latency, .. } = self.names;
        let is_here = literal(name, port).is_some() || are_same(name, "localhost") || name.contains('\0');
        if is_here || server.is_none() && latency.is_none() {
            return Lookup::Done(self.resolve(name, port));
        }
        if tries == ATTEMPTS {
            let server = server.map_or("", |server| &self.hosts[server].name);
            let text = format!("no answer from the name server, on host {server:?}: try again later");
            return Lookup::Done(Err(io::Error::other(text)));
        }
        let mut nanos = latency.unwrap_or(0);
        nanos = nanos.saturating_add(self.random.below(nanos / 10));
        let Some(server) = server.filter(|server| *server != host) else {
            return Lookup::Wait { nanos, answered: true };
        };
        for (from, to) in [(host, server), (server, host)] {
            if self.gate(from, to) != Gate::Open || self.is_lost(from, to) {
                return Lookup::Wait { nanos: TIMEOUT, answered: false };
            }
            let (path, random) = self.path(from, to);
            nanos = nanos.saturating_add(path.arrival(random, clock.nanos, 0) - clock.nanos);
        }
        // Without its process, the system of the server says that the port is closed, and the resolver asks at once again
        // (`__res_context_send`).
        Lookup::Wait { nanos, answered: self.is_up(server) }
    }

    /// The answer of the server, when it arrives.
    pub(crate) fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if let Some(addr) = literal(name, port) {
            return Ok(vec![addr]);
        }
        if name.contains('\0') {
            return Err(io::Error::new(ErrorKind::InvalidInput, "a name has no NUL in it"));
        }
        if are_same(name, "localhost") {
            return Ok(vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()]);
        }
        let host = || self.hosts.iter().find(|host| are_same(&host.name, name));
        let with_port = |ip| SocketAddr::new(ip, port);
        let addrs: Vec<_> = match self.names.records.iter().find(|(known, _)| are_same(known, name)) {
            Some((_, Record::Ips(ips))) => ips.iter().copied().map(with_port).collect(),
            Some((_, Record::Fails)) => return Err(io::Error::other("temporary failure in name resolution")),
            Some((_, Record::Absent)) => Vec::new(),
            None => host().map_or(Vec::new(), |host| host.ips().map(with_port).collect()),
        };
        if addrs.is_empty() {
            return Err(io::Error::new(ErrorKind::NotFound, "no host of this simulation has that name"));
        }
        Ok(addrs)
    }
}

/// Whether a look-up of a name can find the host that has it.
pub(super) fn is_of_a_host(name: &str) -> bool {
    let name = without_dot(name);
    let is_taken = are_same(name, "localhost") || literal(name, 0).is_some();
    !name.is_empty() && !is_taken && !name.contains([':', '\0'])
}

/// Whether two names are one: the case does not matter, and one with a dot at its end is the same in full (RFC 1034, 3.1).
pub(super) fn are_same(name: &str, other: &str) -> bool {
    without_dot(name).eq_ignore_ascii_case(without_dot(other))
}

fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// The address that a name is, instead of having one.
fn literal(name: &str, port: u16) -> Option<SocketAddr> {
    // Each of its forms begins with a digit, or has a colon. Most names have neither.
    if !name.starts_with(|first: char| first.is_ascii_digit()) && !name.contains(':') {
        return None;
    }
    if let Ok(ip) = name.parse::<IpAddr>() {
        return Some((ip, port).into());
    }
    match name.split_once('%') {
        Some((ip, zone)) => with_zone(ip, zone, port),
        None => old_form(name).map(|ip| (ip, port).into()),
    }
}

/// An address of IPv6 that means something on one network interface only (RFC 4007, 11).
fn with_zone(ip: &str, zone: &str, port: u16) -> Option<SocketAddr> {
    let ip: Ipv6Addr = ip.parse().ok()?;
    // A number may go with any address, a name only with those that need one.
    let index = match zone {
        "lo" if ip.is_unicast_link_local() => 1,
        "eth0" if ip.is_unicast_link_local() => 2,
        number => number.parse().ok()?,
    };
    Some(SocketAddrV6::new(ip, port, 0, index).into())
}

/// As `inet_aton` has it: 1 to 4 numbers, decimal, octal or hexadecimal, of which the last fills what is left.
fn old_form(name: &str) -> Option<Ipv4Addr> {
    let numbers: Vec<_> = name.split('.').map(number).collect::<Option<_>>()?;
    let (last, first) = numbers.split_last()?;
    if first.len() > 3 || first.iter().any(|number| *number > 255) {
        return None;
    }
    let bits = 32 - 8 * first.len() as u32;
    if u64::from(*last) >> bits != 0 {
        return None;
    }
    let first = first.iter().enumerate().map(|(at, number)| number << (24 - 8 * at));
    Some(first.fold(*last, |ip, number| ip | number).into())
}

fn number(text: &str) -> Option<u32> {
    let is_number = text.bytes().next()?.is_ascii_digit();
    let (digits, base) = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
        None => (text, 10),
    };
    // A sign is none of theirs.
    let are_digits = is_number && digits.bytes().all(|digit| digit.is_ascii_alphanumeric());
    are_digits.then(|| u32::from_str_radix(digits, base).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_those_of_the_system() {
        let is = |name, ip: [u8; 4]| assert_eq!(old_form(name), Some(ip.into()), "{name}");
        is("127.1", [127, 0, 0, 1]);
        is("10.1.515", [10, 1, 2, 3]);
        is("10.66051", [10, 1, 2, 3]);
        is("0x0a.0x1.02.3", [10, 1, 2, 3]);
        is("4294967295", [255; 4]);
        for name in [
            "",
            "4294967296",
            "1.2.3.4.5",
            "256.1",
            "1.16777216",
            "1.2.3.256",
            "1..2",
            "+1",
            "1.-2",
            "09",
            "0x",
            "x1",
        ] {
            assert_eq!(old_form(name), None, "{name}");
        }
    }
}
