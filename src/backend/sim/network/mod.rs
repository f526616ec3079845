//! The network in memory: hosts, the paths between them, and the sockets. It knows neither tasks nor handles: a waiting
//! task is a waker, and a later effect is an event of the clock.

mod connection;
mod errno;
mod grid;
mod host;
mod listening;
mod names;
mod path;
mod paths;
mod ports;
#[cfg(unix)]
mod socket_files;
mod udp;
#[cfg(unix)]
mod unix_datagram;

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::PathBuf;

use self::connection::Conn;
use self::grid::Grid;
use self::host::Host;
use self::listening::Listening;
use self::names::Names;
use self::path::Path;
use self::ports::Ports;
#[cfg(unix)]
use self::socket_files::SocketFiles;
use self::udp::UdpSockets;
#[cfg(unix)]
use self::unix_datagram::UnixBound;
use super::clock::{Clock, NetEvent};
use super::lists::List;
use super::random::Random;
use super::slots::Slots;
use super::waiters::{Waiters, Waiting};
use crate::backend::sim::sorted::SortedMap;

pub(super) use connection::{CLIENT, Fd, SERVER, all_times, check_keepalive};
pub(super) use errno::Errno;
pub(super) use host::{canonical, is_broadcast, mapped, to_this_host};
pub(super) use names::{Lookup, Record};
pub use path::LinkOptions;
pub(super) use path::{BUFFER, Chance};
pub(super) use paths::Paths;
pub(super) use udp::{Interface, UdpBound};

/// Number of routers that a packet may pass: the default of Linux.
const TTL: u32 = 64;

pub(super) struct Network {
    random: Random,
    hosts: Vec<Host>,
    // By the bits of their addresses.
    by_ip: SortedMap<u128, usize>,
    paths: Grid,
    names: Names,
    // Template for the paths of a new host.
    to_come: Path,
    // Whether any host has ever crashed.
    has_crashed: bool,
    conns: Slots<Conn>,
    listening: SortedMap<u64, Listening>,
    ports: Ports,
    datagrams: UdpSockets,
    #[cfg(unix)]
    unix_datagrams: SortedMap<u64, UnixBound>,
    #[cfg(unix)]
    files: SocketFiles,
}

/// The lists of [`Network`] that every simulation needs which has one.
#[derive(Default)]
pub(super) struct NetworkLists {
    hosts: Vec<Host>,
    by_ip: SortedMap<u128, usize>,
    paths: Grid,
    conns: Slots<Conn>,
    listening: SortedMap<u64, Listening>,
}

/// An address of a socket.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Addr {
    Ip(SocketAddr),
    /// `None`: an unnamed Unix socket.
    Path(Option<PathBuf>),
}

impl Addr {
    pub(super) fn ip(&self) -> Option<SocketAddr> {
        match self {
            Self::Ip(addr) => Some(*addr),
            Self::Path(_) => None,
        }
    }

    /// As a socket of IPv6 shows it.
    pub(super) fn mapped(self) -> Self {
        match self {
            Self::Ip(addr) => Self::Ip(mapped(addr)),
            path => path,
        }
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(addr) => addr.fmt(f),
            // An abstract name begins with a NUL, which tools of Linux show as `@`.
            Self::Path(Some(path)) => f.write_str(&path.to_string_lossy().replace('\0', "@")),
            Self::Path(None) => f.write_str("no name"),
        }
    }
}

/// A socket that is bound to an address and is not an end of a connection: a listener or a datagram socket.
trait Bound {
    fn host(&self) -> usize;

    fn waiters(&mut self) -> impl Iterator<Item = &mut Waiting>;
}

/// Whether a socket outlives the crash of a host; its waiters are woken otherwise.
fn outlives(socket: &mut impl Bound, host: usize, woken: &mut Waiters) -> bool {
    let stays = socket.host() != host;
    if !stays {
        socket.waiters().for_each(|waiting| waiting.move_to(woken));
    }
    stays
}

/// Numbers of the sockets of a host.
fn numbers<'a, T: Bound + 'a>(sockets: impl Iterator<Item = (&'a u64, &'a T)>, host: usize) -> Vec<u64> {
    sockets.filter(|(_, socket)| socket.host() == host).map(|(number, _)| *number).collect()
}

fn wake_all<'a, T: Bound + 'a>(sockets: impl Iterator<Item = &'a mut T>, woken: &mut Waiters) {
    sockets.flat_map(Bound::waiters).for_each(|waiting| waiting.move_to(woken));
}

impl Network {
    /// Creates a network with one host, `main`.
    pub(super) fn new(random: Random, lists: NetworkLists) -> Self {
        let NetworkLists { hosts, by_ip, paths, conns, listening } = lists;
        let mut network = Self {
            random,
            hosts,
            by_ip,
            paths,
            names: Names::default(),
            to_come: Path::default(),
            has_crashed: false,
            conns,
            listening,
            ports: Ports::default(),
            datagrams: UdpSockets::default(),
            #[cfg(unix)]
            unix_datagrams: SortedMap::new(),
            #[cfg(unix)]
            files: SocketFiles::default(),
        };
        network.push(Host::main());
        network
    }

    /// Its lists, emptied for the next simulation.
    pub(super) fn lists(&mut self) -> NetworkLists {
        let Self { hosts, by_ip, paths, conns, listening, .. } = self;
        NetworkLists {
            hosts: hosts.emptied(),
            by_ip: by_ip.emptied(),
            paths: paths.emptied(),
            conns: conns.emptied(),
            listening: listening.emptied(),
        }
    }

    /// All further numbers come from this generator.
    pub(super) fn reseed(&mut self, random: Random) {
        self.random = random;
    }

    pub(super) fn happen(&mut self, clock: &mut Clock, event: NetEvent) {
        match event {
            NetEvent::Ask { conn, tries } => self.asked(clock, conn, tries),
            NetEvent::Refused { conn, tries, message } => self.refused(clock, conn, tries, message),
            NetEvent::GiveUp { conn } => self.give_up(clock, conn),
            NetEvent::Arrive { conn, to } => self.arrive(clock, conn, to),
            NetEvent::Probe { conn, side } => self.probe(clock, conn, side),
            NetEvent::Datagram(datagram) => self.datagram(clock, datagram),
            NetEvent::DatagramRefused(refusal) => self.datagram_refused(clock, refusal),
            NetEvent::SendBufferHasRoom { socket } => self.send_buffer_has_room(clock, socket),
        }
    }

    /// Wakes all waiters, because the simulation has stopped.
    pub(super) fn stop(&mut self, woken: &mut Waiters) {
        self.conns.values_mut().for_each(|conn| conn.move_waiters(woken));
        wake_all(self.listening.values_mut(), woken);
        wake_all(self.datagrams.all_mut().values_mut(), woken);
        #[cfg(unix)]
        wake_all(self.unix_datagrams.values_mut(), woken);
    }

    /// Removes all sockets of a host, and wakes the tasks that wait for them.
    fn crash_sockets(&mut self, clock: &mut Clock, host: usize) {
        self.crash_connections(clock, host);
        self.suspect(clock, |_, to| to == host);
        self.listening.retain(|_, socket| outlives(socket, host, &mut clock.woken));
        self.ports.crash(host);
        self.datagrams.all_mut().retain(|_, socket| outlives(socket, host, &mut clock.woken));
        self.datagrams.crash(host);
        #[cfg(unix)]
        self.unix_datagrams.retain(|_, socket| outlives(socket, host, &mut clock.woken));
        #[cfg(unix)]
        self.files.crash(host);
    }

    /// Closes all sockets of a host, as the system does for a process that has ended.
    fn close_sockets(&mut self, clock: &mut Clock, host: usize) {
        self.close_connections(clock, host);
        let listening: Vec<_> = numbers(self.listening.iter(), host);
        listening.into_iter().for_each(|socket| self.stop_listening(clock, socket));
        let datagrams: Vec<_> = numbers(self.datagrams.all_mut().iter(), host);
        datagrams.into_iter().for_each(|socket| self.unbind(clock, socket));
        #[cfg(unix)]
        {
            let datagrams: Vec<_> = numbers(self.unix_datagrams.iter(), host);
            datagrams.into_iter().for_each(|socket| self.unbind_unix(clock, socket));
        }
    }

    /// Schedules an event after the delay of a packet between these hosts.
    fn after(&mut self, clock: &mut Clock, from: usize, to: usize, event: NetEvent) {
        let (path, random) = self.path(from, to);
        let at = path.arrival(random, clock.nanos, 0);
        clock.add(at, event);
    }

    /// Draws whether a packet that would arrive now was lost.
    fn is_lost(&mut self, from: usize, to: usize) -> bool {
        let (path, random) = self.path(from, to);
        path.loses(random)
    }
}

/// The error of sockets whose host has crashed.
fn crashed() -> io::Error {
    let why = "anyrt: this socket is gone: its host has crashed, or its process was killed";
    io::Error::new(ErrorKind::NotConnected, why)
}
