//! Those who listen for connections: what TCP and Unix sockets have in common.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::conn::{SERVER, Socket, gone};
use super::{Addr, How, Waiting, crashed};
use crate::backend::sim::log::Wait;
use crate::backend::sim::slots::Id;
use crate::backend::sim::world::{State, World};
use crate::net::options::SocketOptions;

/// A socket that listens. Dropping it resets what nobody has accepted.
#[derive(Debug)]
pub(super) struct Acceptor {
    pub(super) world: Arc<World>,
    pub(super) local: Addr,
    number: u64,
}

impl Acceptor {
    pub(super) fn new(world: &Arc<World>, state: &mut State, listening: Listening) -> Self {
        let (number, local) = (state.clock.number(), listening.addr.clone());
        state.network.listening.insert(number, listening);
        Self { world: world.clone(), local, number }
    }

    pub(super) fn poll_accept(&self, cx: &mut Context<'_>, how: How) -> Poll<io::Result<Socket>> {
        let wait = || Wait::Socket("accept at", self.local.ip());
        let polled = self.world.operate(cx, wait, |state, waker| {
            let Some(listening) = state.network.listening.get_mut(&self.number) else { return gone() };
            match listening.queue.pop_front() {
                Some(conn) => Poll::Ready(Ok((conn, state.network.addrs(conn)))),
                None => {
                    state.clock.dropped.extend(listening.waiters.add(waker, how));
                    Poll::Pending
                }
            }
        });
        polled.map_ok(|(conn, addrs)| Socket::accepted(self.world.clone(), conn, addrs))
    }

    pub(super) fn with<T>(&self, of: impl FnOnce(&mut Listening) -> T) -> io::Result<T> {
        self.world.with(|state| {
            let listening = state.network.listening.get_mut(&self.number);
            Ok(of(listening.ok_or_else(crashed)?))
        })
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        self.world.with(|state| {
            let Some(mut listening) = state.network.listening.remove(&self.number) else { return };
            state.clock.dropped.append(listening.waiters.take());
            for conn in listening.queue {
                state.reset(conn, SERVER);
                state.close(conn, SERVER);
            }
        });
    }
}

/// What the network knows of it.
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
    pub(super) fn new(host: usize, addr: Addr, options: SocketOptions, backlog: usize) -> Self {
        Self {
            host,
            addr,
            options,
            ttl: super::TTL,
            backlog,
            queue: VecDeque::new(),
            waiters: Waiting::default(),
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.queue.len() < self.backlog
    }

    /// Whether a connection to `addr` is for it.
    pub(super) fn takes(&self, host: usize, addr: &Addr) -> bool {
        self.host == host
            && match (&self.addr, addr) {
                (Addr::Ip(ours), Addr::Ip(addr)) => covers(*ours, *addr),
                (Addr::Path(ours), Addr::Path(path)) => ours == path,
                _ => false,
            }
    }

    pub(super) fn waiters(&mut self) -> impl Iterator<Item = &mut Waiting> {
        [&mut self.waiters].into_iter()
    }
}

/// Whether a socket that is bound to `ours` gets what is sent to `addr`.
pub(super) fn covers(ours: SocketAddr, addr: SocketAddr) -> bool {
    ours.port() == addr.port()
        && ours.is_ipv4() == addr.is_ipv4()
        && (ours.ip().is_unspecified() || ours.ip() == addr.ip())
}
