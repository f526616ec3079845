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

/// A connection: one end for the client, and one for the server.
pub(super) struct Conn {
    asked_at: u64,
    // For the log.
    request: u64,
    progress: SleepState,
    ends: [End; 2],
}

impl Conn {
    /// From which host to which.
    fn path(&self, to: usize) -> (usize, usize) {
        (self.ends[1 - to].host, self.ends[to].host)
    }

    /// For the log: what goes to one end. Its bytes are in the inbox from `at` on.
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
    /// It is there for the one who was asked, and the other does not know it yet.
    Accepted,
    Open,
    Failed(ErrorKind),
}

struct End {
    host: usize,
    addr: Addr,
    options: SocketOptions,
    ttl: u32,
    // What has arrived, and behind it what is on its way.
    inbox: VecDeque<u8>,
    arrived: usize,
    fds: Fds,
    // What is on its way: only the first of it has an event, so that nothing overtakes it.
    flight: VecDeque<Packet>,
    ended: bool,
    // Our own side is closed.
    shut: bool,
    // Reported once.
    error: Option<ErrorKind>,
    reset: bool,
    held: bool,
    // With its host.
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

    /// Nobody sends any more what is on its way here.
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

    /// What is to be read, in the two places where it is.
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

/// No connection is forgotten as long as somebody holds an end of it, and their host is up.
pub(super) fn gone<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(crashed()))
}

impl Network {
    /// What can be set at one end, and its TTL.
    pub(crate) fn options(&mut self, id: Id, side: usize) -> io::Result<(&mut SocketOptions, &mut u32)> {
        let end = &mut self.conn(id, side).ok_or_else(crashed)?.ends[side];
        Ok((&mut end.options, &mut end.ttl))
    }

    /// A connection, unless the host of this end has crashed.
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

    /// Of the one who asked, and of the one who was asked.
    pub(super) fn addrs(&self, conn: Id) -> [Addr; 2] {
        match self.conns.get(conn) {
            Some(Conn { ends: [client, server], .. }) => [client.addr.clone(), server.addr.clone()],
            None => [Addr::Path(None), Addr::Path(None)],
        }
    }

    /// Whether a port of `host` is taken by a connection, or by one that listens.
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
