//! A socket that listens: what TCP and Unix sockets have in common.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::socket::Socket;
use crate::backend::sim::log::Wait;
use crate::backend::sim::network::Addr;
use crate::backend::sim::waiters::How;
use crate::backend::sim::world::World;

/// A listener. Dropping it resets connections that were not accepted.
#[derive(Debug)]
pub(super) struct Acceptor {
    pub(super) world: Arc<World>,
    pub(super) local: Addr,
    number: u64,
}

impl Acceptor {
    pub(super) fn new(world: &Arc<World>, number: u64, local: Addr) -> Self {
        Self { world: world.clone(), local, number }
    }

    pub(super) fn poll_accept(&self, cx: &mut Context<'_>, how: How) -> Poll<io::Result<Socket>> {
        let wait = || Wait::Socket("accept at", self.local.ip());
        let polled = self.world.operate(cx, wait, |state, waiter| {
            state.network.accept(&mut state.clock, self.number, waiter, how)
        });
        polled.map_ok(|(conn, addrs)| Socket::accepted(self.world.clone(), conn, addrs))
    }

    pub(super) fn with_ttl<T>(&self, of: impl FnOnce(&mut u32) -> T) -> io::Result<T> {
        self.world.with(|state| state.network.ttl_of_listening(self.number).map(of))
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        self.world.with(|state| state.network.stop_listening(&mut state.clock, self.number));
    }
}
