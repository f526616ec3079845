//! Connections: what TCP and Unix sockets have in common.

mod asking;
mod closing;
mod delivery;
mod fds;
mod flight;
mod inbox;
mod keepalive;
mod memory;

use std::io;
use std::task::Poll;

use self::fds::Fds;
use self::flight::Flight;
use self::inbox::Inbox;
use self::memory::Memory;
use super::ports::Ends;
use super::{Addr, Errno, Network, crashed};
use crate::backend::sim::clock::Clock;
use crate::backend::sim::slots::Id;
use crate::backend::sim::waiters::{Waiters, Waiting};
use crate::runtime::net::options::SocketOptions;

/// A connection: the client's end, and the server's.
pub(super) struct Conn {
    asked_at: u64,
    // For the log.
    request: u64,
    progress: SleepState,
    // Both ends are one socket, which has connected to its own address.
    is_loop: bool,
    ends: [End; 2],
}

impl Conn {
    /// Returns the sending host and the receiving host.
    fn path(&self, to: usize) -> (usize, usize) {
        (self.ends[1 - to].host, self.ends[to].host)
    }

    /// Returns the addresses as one end sees them; `None` for Unix sockets.
    fn ends_of(&self, side: usize) -> Option<Ends> {
        let [local, peer] = [&self.ends[side], &self.ends[1 - side]].map(|end| end.addr.ip());
        Some(Ends { local: local?, peer: peer? })
    }

    /// Whether nothing comes or goes at this end any more, so that it is as if it were not connected (`TCP_CLOSE`).
    fn is_over(&self, side: usize) -> bool {
        let (end, peer) = (&self.ends[side], &self.ends[1 - side]);
        end.reset || end.shut && end.ended && peer.ended
    }

    fn is_unix(&self) -> bool {
        matches!(self.ends[SERVER].addr, Addr::Path(_))
    }

    /// For the log: a packet to one end. Its bytes begin at `at` in the inbox.
    #[cold]
    fn shown(&self, to: usize, at: usize, len: usize) -> ([String; 2], &[u8]) {
        let ends = [&self.ends[1 - to], &self.ends[to]];
        (ends.map(|end| end.addr.to_string()), self.ends[to].inbox.get(at, len))
    }

    pub(super) fn move_waiters(&mut self, list: &mut Waiters) {
        self.ends.iter_mut().for_each(|end| end.move_waiters(list));
    }
}

pub(crate) use self::fds::Fd;
pub(crate) use self::keepalive::{all_times, check_keepalive};

pub(crate) const CLIENT: usize = 0;
pub(crate) const SERVER: usize = 1;

enum SleepState {
    Asked,
    /// The listener has accepted the connection; the client does not know it yet.
    Accepted,
    Open,
    Failed(Errno),
}

struct End {
    host: usize,
    addr: Addr,
    options: SocketOptions,
    ttl: u32,
    // Bytes that have arrived, followed by bytes in flight.
    inbox: Inbox,
    arrived: usize,
    fds: Fds,
    // Of a Unix socket.
    memory: Memory,
    // Only its first packet has an event, so none can overtake another.
    flight: Flight,
    ended: bool,
    // This end has closed its write side.
    shut: bool,
    // It did so before the other end.
    shut_first: bool,
    // The error is reported once.
    error: Option<Errno>,
    reset: bool,
    held: bool,
    // This end is gone, because its host has crashed.
    crashed: bool,
    // When something has arrived last, and how many probes have had no answer since.
    heard_at: u64,
    probes: u32,
    // When the next one is due.
    probe_at: Option<u64>,
    reader: Waiting,
    writer: Waiting,
}

impl End {
    fn new(host: usize, addr: Addr, options: SocketOptions, held: bool) -> Self {
        Self {
            host,
            addr,
            options,
            ttl: super::TTL,
            inbox: Inbox::default(),
            arrived: 0,
            fds: Fds::default(),
            memory: Memory::default(),
            flight: Flight::default(),
            ended: false,
            shut: false,
            shut_first: false,
            error: None,
            reset: false,
            held,
            crashed: false,
            heard_at: 0,
            probes: 0,
            probe_at: None,
            reader: Waiting::default(),
            writer: Waiting::default(),
        }
    }

    /// Moves all wakers of this end to a list.
    fn move_waiters(&mut self, list: &mut Waiters) {
        self.reader.move_to(list);
        self.writer.move_to(list);
    }

    /// Drops packets in flight to this end, which are no longer retransmitted.
    fn clear_flight(&mut self) {
        self.flight.clear();
        self.keep(self.arrived);
    }

    /// Only the first bytes of what is there or on its way are left.
    fn keep(&mut self, len: usize) {
        self.inbox.truncate(len);
        self.fds.truncate(len);
    }

    /// Nobody reads any more what has arrived.
    fn clear_arrived(&mut self) {
        self.inbox.take(self.arrived);
        self.memory.read(self.arrived);
        self.fds.take(self.arrived, &mut Vec::new());
        self.arrived = 0;
    }
}

/// The error where a connection is missing: its host has crashed, because a connection is kept while an end of it is
/// held.
pub(super) fn gone<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(crashed()))
}

impl Network {
    /// Returns the socket options of one end, and its TTL.
    pub(crate) fn options(&mut self, (id, side): (Id, usize)) -> io::Result<(&mut SocketOptions, &mut u32)> {
        let end = &mut self.conn(id, side).ok_or_else(crashed)?.ends[side];
        Ok((&mut end.options, &mut end.ttl))
    }

    /// Returns the connection, unless the host of this end has crashed.
    fn conn(&mut self, id: Id, side: usize) -> Option<&mut Conn> {
        self.conns.get_mut(id).filter(|conn| !conn.ends[side].crashed)
    }

    /// Moves the wakers of tasks that wait to write from one host to another to a list.
    pub(super) fn move_writers(&mut self, from: usize, to: usize, list: &mut Waiters) {
        let ends = self.conns.values_mut().flat_map(|conn| {
            let hosts = [CLIENT, SERVER].map(|side| conn.path(1 - side));
            conn.ends.iter_mut().zip(hosts).filter(|(_, path)| *path == (from, to))
        });
        ends.for_each(|(end, _)| end.writer.move_to(list));
    }

    /// Returns the address of the client and that of the server.
    pub(super) fn addrs(&self, conn: Id) -> [Addr; 2] {
        match self.conns.get(conn) {
            Some(Conn { ends: [client, server], .. }) => [client.addr.clone(), server.addr.clone()],
            None => [Addr::Path(None), Addr::Path(None)],
        }
    }

    /// Returns the address of the peer, while there is a connection.
    pub(crate) fn check_connected(&mut self, (id, side): (Id, usize)) -> io::Result<()> {
        match self.conn(id, side) {
            Some(conn) if conn.is_unix() || !conn.is_over(side) => Ok(()),
            _ => Err(Errno::NotConnected.into()),
        }
    }

    /// One end needs its port no longer, or keeps it for a while because it closed first.
    fn free_port_of(&mut self, clock: &Clock, id: Id, side: usize) {
        let Some(conn) = self.conns.get(id) else { return };
        let (end, Some(ends)) = (&conn.ends[side], conn.ends_of(side)) else { return };
        if end.shut_first && !end.reset {
            self.ports.time_wait(clock.nanos, end.host, ends);
        } else {
            self.ports.disconnect(end.host, ends);
        }
    }
}
