//! Connections: what TCP and Unix sockets have in common.

mod asking;
mod closing;
mod delivery;
mod fds;

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::task::{Poll, Waker};

use self::delivery::Packet;
use self::fds::Fds;
use super::{Addr, Network, crashed};
use crate::backend::sim::log::Flight;
use crate::backend::sim::slots::Id;
use crate::backend::sim::waiters::Waiting;
use crate::runtime::net::options::SocketOptions;

/// A connection: the client's end, and the server's.
pub(super) struct Conn {
    asked_at: u64,
    // For the log.
    request: u64,
    progress: SleepState,
    ends: [End; 2],
}

impl Conn {
    /// Returns the sending host and the receiving host.
    fn path(&self, to: usize) -> (usize, usize) {
        (self.ends[1 - to].host, self.ends[to].host)
    }

    /// For the log: a packet to one end. Its bytes begin at `at` in the inbox.
    #[cold]
    fn flight(&self, to: usize, what: &'static str, at: usize, len: usize) -> Flight {
        let (front, back) = self.ends[to].readable(at, len);
        let ends = [&self.ends[1 - to], &self.ends[to]];
        Flight::new(what, self.path(to), ends.map(|end| end.addr.to_string()), (front, back))
    }

    pub(super) fn take_waiters(&mut self) -> impl Iterator<Item = Waker> {
        self.ends.iter_mut().flat_map(End::take_waiters)
    }
}

pub(crate) use self::fds::Fd;

pub(crate) const CLIENT: usize = 0;
pub(crate) const SERVER: usize = 1;

enum SleepState {
    Asked,
    /// The listener has accepted the connection; the client does not know it yet.
    Accepted,
    Open,
    Failed(ErrorKind),
}

struct End {
    host: usize,
    addr: Addr,
    options: SocketOptions,
    ttl: u32,
    // Bytes that have arrived, followed by bytes in flight.
    inbox: VecDeque<u8>,
    arrived: usize,
    fds: Fds,
    // Packets in flight. Only the first one has an event, so none can overtake another.
    flight: VecDeque<Packet>,
    ended: bool,
    // This end has closed its write side.
    shut: bool,
    // The error is reported once.
    error: Option<ErrorKind>,
    reset: bool,
    held: bool,
    // This end is gone, because its host has crashed.
    crashed: bool,
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
            inbox: VecDeque::new(),
            arrived: 0,
            fds: Fds::default(),
            flight: VecDeque::new(),
            ended: false,
            shut: false,
            error: None,
            reset: false,
            held,
            crashed: false,
            reader: Waiting::default(),
            writer: Waiting::default(),
        }
    }

    /// All wakers of this connection.
    fn take_waiters(&mut self) -> impl Iterator<Item = Waker> + use<> {
        self.reader.take().into_iter().chain(self.writer.take())
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
        self.inbox.drain(..self.arrived);
        self.fds.take(self.arrived);
        self.arrived = 0;
    }

    /// Returns the bytes that can be read, as the two slices of the buffer.
    #[inline]
    fn readable(&self, from: usize, len: usize) -> (&[u8], &[u8]) {
        let (front, back) = self.inbox.as_slices();
        let split = front.len();
        (
            &front[from.min(split)..(from + len).min(split)],
            &back[from.saturating_sub(split)..(from + len).saturating_sub(split)],
        )
    }
}

/// The error where a connection is missing: its host has crashed, because a connection is kept while an end of it is
/// held.
pub(super) fn gone<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(crashed()))
}

impl Network {
    /// Returns the socket options of one end, and its TTL.
    pub(crate) fn options(&mut self, id: Id, side: usize) -> io::Result<(&mut SocketOptions, &mut u32)> {
        let end = &mut self.conn(id, side).ok_or_else(crashed)?.ends[side];
        Ok((&mut end.options, &mut end.ttl))
    }

    /// Returns the connection, unless the host of this end has crashed.
    fn conn(&mut self, id: Id, side: usize) -> Option<&mut Conn> {
        self.conns.get_mut(id).filter(|conn| !conn.ends[side].crashed)
    }

    /// Wakers of tasks that wait to write from one host to another.
    pub(super) fn writers(&mut self, from: usize, to: usize) -> Vec<Waker> {
        let ends = self.conns.values_mut().flat_map(|conn| {
            let hosts = [CLIENT, SERVER].map(|side| conn.path(1 - side));
            conn.ends.iter_mut().zip(hosts).filter(|(_, path)| *path == (from, to))
        });
        ends.flat_map(|(end, _)| end.writer.take()).collect()
    }

    /// Returns the address of the client and that of the server.
    pub(super) fn addrs(&self, conn: Id) -> [Addr; 2] {
        match self.conns.get(conn) {
            Some(Conn { ends: [client, server], .. }) => [client.addr.clone(), server.addr.clone()],
            None => [Addr::Path(None), Addr::Path(None)],
        }
    }

    /// Whether a connection or a listener uses a port of `host`.
    pub(super) fn tcp_port_is_taken(&self, host: usize, port: u16) -> bool {
        let is_it = |addr: &Addr| addr.ip().is_some_and(|addr| addr.port() == port);
        self.listening.values().any(|it| it.host == host && is_it(&it.addr))
            || self
                .conns
                .values()
                .flat_map(|conn| &conn.ends)
                .any(|end| end.host == host && !end.crashed && is_it(&end.addr))
    }
}
