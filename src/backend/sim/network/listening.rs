//! Listening sockets, and their queues of connections to be accepted.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::Path;
use std::task::Poll;

use super::connection::{SERVER, gone};
use super::{Addr, Bound, Network, TTL, crashed};
use crate::backend::sim::clock::Clock;
use crate::backend::sim::slots::Id;
use crate::backend::sim::waiters::{How, Waiter, Waiting};
use crate::runtime::net::ListenOptions;
use crate::runtime::net::options::{BACKLOG, SocketOptions};
#[cfg(unix)]
use crate::runtime::net::path::cannot;

/// A listening socket, TCP or Unix.
pub(super) struct Listening {
    pub(super) host: usize,
    pub(super) addr: Addr,
    pub(super) options: SocketOptions,
    pub(super) ttl: u32,
    backlog: usize,
    pub(super) queue: VecDeque<Id>,
    pub(super) waiters: Waiting,
}

impl Listening {
    fn new(host: usize, addr: Addr, options: SocketOptions, backlog: usize) -> Self {
        Self { host, addr, options, ttl: TTL, backlog, queue: VecDeque::new(), waiters: Waiting::default() }
    }

    pub(super) fn has_room(&self) -> bool {
        self.queue.len() < self.backlog
    }

    /// Whether this listener accepts connections to `addr`.
    pub(super) fn takes(&self, host: usize, addr: &Addr) -> bool {
        self.host == host
            && match (&self.addr, addr) {
                (Addr::Ip(ours), Addr::Ip(addr)) => covers(*ours, *addr),
                (Addr::Path(ours), Addr::Path(path)) => ours == path,
                _ => false,
            }
    }
}

impl Bound for Listening {
    fn host(&self) -> usize {
        self.host
    }

    fn waiters(&mut self) -> impl Iterator<Item = &mut Waiting> {
        [&mut self.waiters].into_iter()
    }
}

impl Network {
    /// Starts to listen for TCP; returns the number of the socket and its address.
    pub(crate) fn listen(
        &mut self,
        clock: &mut Clock,
        host: usize,
        mut addr: SocketAddr,
        options: &ListenOptions,
    ) -> io::Result<(u64, SocketAddr)> {
        self.check_local(host, addr.ip())?;
        if addr.port() == 0 {
            addr.set_port(self.free_port(host, |network, port| network.tcp_port_is_taken(host, port))?);
        }
        let shared = options.socket.reuse_port == Some(true);
        let taken = self.listening.values().any(|other| {
            let both_share = shared && other.options.reuse_port == Some(true);
            let overlap = other.addr.ip().is_some_and(|other| covers(other, addr) || covers(addr, other));
            other.host == host && overlap && !both_share
        });
        if taken {
            return Err(ErrorKind::AddrInUse.into());
        }
        let backlog = options.backlog.unwrap_or(BACKLOG.unsigned_abs());
        let listening = Listening::new(host, Addr::Ip(addr), options.socket.clone(), backlog as usize);
        Ok((self.add_listening(clock, listening), addr))
    }

    /// Starts to listen at a Unix path of a host; returns the number of the socket.
    #[cfg(unix)]
    pub(crate) fn listen_at(&mut self, clock: &mut Clock, host: usize, path: &Path) -> io::Result<u64> {
        self.check_up(host)?;
        if self.is_taken(host, path) {
            return cannot("listen on", path, Err(ErrorKind::AddrInUse.into()));
        }
        let (addr, backlog) = (Addr::Path(Some(path.to_owned())), BACKLOG.unsigned_abs() as usize);
        let listening = Listening::new(host, addr, SocketOptions::default(), backlog);
        Ok(self.add_listening(clock, listening))
    }

    fn add_listening(&mut self, clock: &mut Clock, listening: Listening) -> u64 {
        let number = clock.number();
        self.listening.insert(number, listening);
        number
    }

    /// Whether the listener at an address of a host has room for one more connection; `None` if there is no listener.
    #[cfg(unix)]
    pub(crate) fn has_room(&self, host: usize, addr: &Addr) -> io::Result<Option<bool>> {
        self.check_up(host)?;
        Ok(self.listening.values().find(|it| it.takes(host, addr)).map(Listening::has_room))
    }

    /// Returns the next connection in the queue, with the addresses of both ends.
    pub(crate) fn accept(
        &mut self,
        clock: &mut Clock,
        listening: u64,
        waiter: &mut Waiter<'_>,
        how: How,
    ) -> Poll<io::Result<(Id, [Addr; 2])>> {
        let Some(listening) = self.listening.get_mut(&listening) else { return gone() };
        match listening.queue.pop_front() {
            Some(conn) => Poll::Ready(Ok((conn, self.addrs(conn)))),
            None => {
                clock.dropped.extend(listening.waiters.add(waiter, how));
                Poll::Pending
            }
        }
    }

    /// Closes a listener, and resets the connections that were not accepted.
    pub(crate) fn stop_listening(&mut self, clock: &mut Clock, listening: u64) {
        let Some(mut listening) = self.listening.remove(&listening) else { return };
        clock.dropped.append(listening.waiters.take());
        for conn in listening.queue {
            self.reset(clock, conn, SERVER);
            self.close(clock, conn, SERVER);
        }
    }

    pub(crate) fn ttl_of_listening(&mut self, listening: u64) -> io::Result<&mut u32> {
        self.listening.get_mut(&listening).map(|listening| &mut listening.ttl).ok_or_else(crashed)
    }
}

/// Whether a socket that is bound to `ours` receives packets to `addr`.
pub(super) fn covers(ours: SocketAddr, addr: SocketAddr) -> bool {
    ours.port() == addr.port()
        && ours.is_ipv4() == addr.is_ipv4()
        && (ours.ip().is_unspecified() || ours.ip() == addr.ip())
}
