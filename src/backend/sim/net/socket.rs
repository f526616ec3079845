//! One end of a connection: what TCP and Unix sockets have in common.

use std::io::{self, IoSlice, IoSliceMut};
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::backend::sim::log::Wait;
use crate::backend::sim::network::{Addr, CLIENT, SERVER};
use crate::backend::sim::slots::Id;
use crate::backend::sim::world::World;
use crate::runtime::net::io_traits::{Reads, Writes};
use crate::runtime::net::options::SocketOptions;

/// Our end of a connection. Dropping it closes it.
#[derive(Debug)]
pub(super) struct Socket {
    world: Arc<World>,
    conn: Id,
    side: usize,
    // Apart, for streams of every runtime are as large as one of these.
    pub(super) addrs: Box<Addrs>,
}

#[derive(Clone, Debug)]
pub(super) struct Addrs {
    pub(super) local: Addr,
    pub(super) peer: Addr,
}

impl Socket {
    /// Asks for a connection to `to`, on `host`.
    pub(super) fn ask(
        world: &Arc<World>,
        (from_host, from): (usize, Addr),
        (host, to): (usize, Addr),
        options: SocketOptions,
    ) -> Self {
        let addrs = Box::new(Addrs { local: from.clone(), peer: to.clone() });
        let conn =
            world.with(|state| state.network.ask(&mut state.clock, (from_host, from), (host, to), options));
        Self { world: world.clone(), conn, side: CLIENT, addrs }
    }

    /// The other end of that.
    pub(super) fn accepted(world: Arc<World>, conn: Id, [peer, local]: [Addr; 2]) -> Self {
        Self { world, conn, side: SERVER, addrs: Box::new(Addrs { local, peer }) }
    }

    /// Both ends of a connection that nobody had to ask for.
    #[cfg(unix)]
    pub(super) fn pair(world: &Arc<World>, host: usize) -> [Self; 2] {
        let conn = world.with(|state| state.network.pair(&mut state.clock, host));
        let addrs = Box::new(Addrs { local: Addr::Path(None), peer: Addr::Path(None) });
        [CLIENT, SERVER].map(|side| Self { world: world.clone(), conn, side, addrs: addrs.clone() })
    }

    /// Waits until the listener has queued the connection.
    pub(super) fn poll_connected(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wait = || Wait::Socket("connect to", self.addrs.peer.ip());
        self.world
            .operate(cx, wait, |state, waiter| state.network.connected(&mut state.clock, self.conn, waiter))
    }

    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
        take: bool,
    ) -> Poll<io::Result<usize>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let wait = || Wait::Socket("read from", self.addrs.peer.ip());
        self.world.operate(cx, wait, |state, waiter| {
            state.network.read(&mut state.clock, (self.conn, self.side), buf, take, waiter)
        })
    }

    pub(super) fn poll_write(&self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let wait = || Wait::Socket("write to", self.addrs.peer.ip());
        self.world.operate(cx, wait, |state, waiter| {
            state.network.write(&mut state.clock, (self.conn, self.side), bufs, waiter)
        })
    }

    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wait = || Wait::Socket("read from", self.addrs.peer.ip());
        self.world.operate(cx, wait, |state, waiter| {
            state.network.is_readable(&mut state.clock, (self.conn, self.side), waiter)
        })
    }

    pub(super) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wait = || Wait::Socket("write to", self.addrs.peer.ip());
        self.world.operate(cx, wait, |state, waiter| {
            state.network.is_writable(&mut state.clock, (self.conn, self.side), waiter)
        })
    }

    pub(super) fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.world.try_operate(|state, waiter| {
            state.network.read(&mut state.clock, (self.conn, self.side), buf, true, waiter)
        })
    }

    pub(super) fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let mut all = 0;
        for buf in bufs {
            match self.try_read(buf) {
                Ok(read) => all += read,
                Err(error) if all == 0 => return Err(error),
                // What was read comes first.
                Err(_) => break,
            }
        }
        Ok(all)
    }

    pub(super) fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.try_write_vectored(&[IoSlice::new(buf)])
    }

    pub(super) fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.world.try_operate(|state, waiter| {
            state.network.write(&mut state.clock, (self.conn, self.side), bufs, waiter)
        })
    }

    /// Says goodbye to the peer.
    pub(super) fn shutdown(&self) {
        self.world.with(|state| state.network.shutdown(&mut state.clock, self.conn, self.side));
    }

    /// Reads or changes what can be set.
    pub(super) fn options<T>(&self, of: impl FnOnce(&mut SocketOptions, &mut u32) -> T) -> io::Result<T> {
        self.world.with(|state| {
            let (options, ttl) = state.network.options(self.conn, self.side)?;
            Ok(of(options, ttl))
        })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.world.with(|state| state.network.close(&mut state.clock, self.conn, self.side));
    }
}

impl Reads for &Socket {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Socket::poll_read(self, cx, buf, true)
    }
}

impl Writes for &Socket {
    fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Socket::poll_write(self, cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Socket::poll_write(self, cx, bufs)
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shutdown();
        Poll::Ready(Ok(()))
    }
}
