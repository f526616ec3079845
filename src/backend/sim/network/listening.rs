//! Listening sockets, and their queues of connections to be accepted.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::Path;
use std::task::Poll;

use super::connection::{SERVER, gone};
use super::ports::{At, Share};
#[cfg(unix)]
use super::socket_files::SocketKind;
use super::{Addr, Bound, Network, TTL, canonical, crashed};
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
    pub(super) share: Share,
    pub(super) ttl: u32,
    backlog: usize,
    pub(super) queue: VecDeque<Id>,
    pub(super) waiters: Waiting,
}

impl Listening {
    fn new(host: usize, addr: Addr, options: SocketOptions, backlog: usize) -> Self {
        Self {
            host,
            addr,
            share: share(&options),
            options,
            ttl: TTL,
            backlog,
            queue: VecDeque::new(),
            waiters: Waiting::default(),
        }
    }

    /// One more than its backlog, as on Linux (`sk_acceptq_is_full`).
    pub(super) fn has_room(&self) -> bool {
        self.queue.len() <= self.backlog
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
        let ip = canonical(addr).ip();
        self.check_local(host, ip)?;
        let at = At { ip, only_v6: options.only_v6 == Some(true) };
        // As on Unix, where a listener may have the address of connections that linger unless it says otherwise.
        let reuse_address = options.socket.reuse_address != Some(false);
        let share = Share { reuse_address, ..share(&options.socket) };
        if addr.port() == 0 {
            addr.set_port(self.ports.free(clock.nanos, host, at, &mut self.random)?);
        }
        self.ports.check(clock.nanos, host, at, addr.port(), share)?;
        let backlog = options.backlog.unwrap_or(BACKLOG.unsigned_abs());
        let number = clock.number();
        self.ports.listen(host, at, addr.port(), number, share);
        let mut listening = Listening::new(host, Addr::Ip(addr), options.socket.clone(), backlog as usize);
        listening.share = share;
        self.listening.insert(number, listening);
        Ok((number, addr))
    }

    /// Starts to listen at a Unix path of a host; returns the number of the socket.
    #[cfg(unix)]
    pub(crate) fn listen_at(&mut self, clock: &mut Clock, host: usize, path: &Path) -> io::Result<u64> {
        self.check_up(host)?;
        let number = clock.number();
        let bound = self.files.bind(host, path, SocketKind::Stream, number);
        cannot("listen on", path, bound)?;
        let (addr, backlog) = (Addr::Path(Some(path.to_owned())), BACKLOG.unsigned_abs() as usize);
        self.listening.insert(number, Listening::new(host, addr, SocketOptions::default(), backlog));
        Ok(number)
    }

    /// Removes the file of a Unix socket.
    #[cfg(unix)]
    pub(crate) fn remove_file(&mut self, host: usize, path: &Path) -> io::Result<()> {
        self.check_up(host)?;
        cannot("remove", path, self.files.remove(host, path).map_err(Into::into))
    }

    /// Whether the listener at a path has room for one more connection.
    #[cfg(unix)]
    pub(crate) fn has_room(&self, host: usize, path: &Path) -> io::Result<bool> {
        self.check_up(host)?;
        let number = self.files.find(host, path, SocketKind::Stream)?;
        Ok(self.listening.get(&number).is_some_and(Listening::has_room))
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
            Some(conn) => {
                // A socket of IPv6 shows addresses of IPv4 as its own (ipv6(7)).
                let is_v6 = listening.addr.ip().is_some_and(|addr| addr.is_ipv6());
                let addrs = self.addrs(conn);
                Poll::Ready(Ok((conn, if is_v6 { addrs.map(Addr::mapped) } else { addrs })))
            }
            None => {
                clock.dropped.extend(listening.waiters.add(waiter, how));
                Poll::Pending
            }
        }
    }

    /// Closes a listener, and resets the connections that were not accepted.
    pub(crate) fn stop_listening(&mut self, clock: &mut Clock, number: u64) {
        let Some(mut listening) = self.listening.remove(&number) else { return };
        listening.waiters.move_to(&mut clock.dropped);
        match &listening.addr {
            Addr::Ip(addr) => self.ports.stop_listening(listening.host, addr.port(), number),
            #[cfg(unix)]
            Addr::Path(Some(path)) => self.files.leave(listening.host, path, SocketKind::Stream, number),
            Addr::Path(_) => {}
        }
        for conn in listening.queue {
            self.reset(clock, conn, SERVER);
            self.close(clock, (conn, SERVER));
        }
    }

    pub(crate) fn ttl_of_listening(&mut self, listening: u64) -> io::Result<&mut u32> {
        self.listening.get_mut(&listening).map(|listening| &mut listening.ttl).ok_or_else(crashed)
    }
}

/// Says whether the port of a socket can be shared.
pub(super) fn share(options: &SocketOptions) -> Share {
    Share { reuse_address: options.reuse_address == Some(true), reuse_port: options.reuse_port == Some(true) }
}
