//! One end of a connection: what TCP and Unix sockets have in common.

use std::io::{self, IoSlice, IoSliceMut};
#[cfg(all(unix, feature = "fds"))]
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use crate::backend::sim::log::Wait;
use crate::backend::sim::network::{Addr, CLIENT, Fd, SERVER};
use crate::backend::sim::slots::Id;
use crate::backend::sim::world::World;
#[cfg(all(unix, feature = "fds"))]
use crate::runtime::RecvFds;
#[cfg(all(unix, feature = "fds"))]
use crate::runtime::net::fds::check;
use crate::runtime::net::io_traits::{Reads, Writes};
use crate::runtime::net::options::SocketOptions;

/// Our end of a connection. Dropping it closes it.
#[derive(Debug)]
pub(super) struct Socket {
    world: Arc<World>,
    conn: Id,
    is_server: bool,
    // The last read has found something, so that the next one is likely to wait.
    has_read: AtomicBool,
    // Apart, for streams of every runtime are as large as one of these.
    pub(super) addrs: Box<Addrs>,
}

#[derive(Clone, Debug)]
pub(super) struct Addrs {
    pub(super) local: Addr,
    pub(super) peer: Addr,
}

impl Socket {
    fn new(world: Arc<World>, (conn, side): (Id, usize), addrs: Box<Addrs>) -> Self {
        Self { world, conn, is_server: side == SERVER, has_read: AtomicBool::new(false), addrs }
    }

    fn end(&self) -> (Id, usize) {
        (self.conn, usize::from(self.is_server))
    }

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
        Self::new(world.clone(), (conn, CLIENT), addrs)
    }

    /// The other end of that.
    pub(super) fn accepted(world: Arc<World>, conn: Id, [peer, local]: [Addr; 2]) -> Self {
        Self::new(world, (conn, SERVER), Box::new(Addrs { local, peer }))
    }

    /// Both ends of a connection that nobody had to ask for.
    #[cfg(unix)]
    pub(super) fn pair(world: &Arc<World>, host: usize) -> [Self; 2] {
        let conn = world.with(|state| state.network.pair(&mut state.clock, host));
        let addrs = Box::new(Addrs { local: Addr::Path(None), peer: Addr::Path(None) });
        [CLIENT, SERVER].map(|side| Self::new(world.clone(), (conn, side), addrs.clone()))
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
        // Descriptors of what is read are closed here, outside of the lock.
        let mut fds = Vec::new();
        let read =
            self.world.operate_expecting(self.has_read.load(Ordering::Relaxed), cx, wait, |state, waiter| {
                state.network.read(&mut state.clock, self.end(), buf, take, &mut fds, waiter)
            });
        self.has_read.store(read.is_ready(), Ordering::Relaxed);
        read
    }

    pub(super) fn poll_write(&self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let wait = || Wait::Socket("write to", self.addrs.peer.ip());
        self.world.operate(cx, wait, |state, waiter| {
            state.network.write(&mut state.clock, self.end(), bufs, &mut Vec::new(), waiter)
        })
    }

    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wait = || Wait::Socket("read from", self.addrs.peer.ip());
        self.world.operate(cx, wait, |state, waiter| {
            state.network.is_readable(&mut state.clock, self.end(), waiter)
        })
    }

    pub(super) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wait = || Wait::Socket("write to", self.addrs.peer.ip());
        self.world.operate(cx, wait, |state, waiter| {
            state.network.is_writable(&mut state.clock, self.end(), waiter)
        })
    }

    pub(super) fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.try_read_with_fds(buf, &mut Vec::new())
    }

    fn try_read_with_fds(&self, buf: &mut [u8], fds: &mut Vec<Fd>) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.world.try_operate(|state, waiter| {
            state.network.read(&mut state.clock, self.end(), buf, true, fds, waiter)
        })
    }

    /// What the system does with them: they are open once more, here and then there.
    #[cfg(all(unix, feature = "fds"))]
    pub(super) fn try_send_with_fds(&self, buf: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<usize> {
        if fds.is_empty() {
            return self.try_write(buf);
        }
        check(buf, fds)?;
        let mut fds = fds.iter().map(BorrowedFd::try_clone_to_owned).collect::<io::Result<_>>()?;
        self.world.try_operate(|state, waiter| {
            let buf = [IoSlice::new(buf)];
            state.network.write(&mut state.clock, self.end(), &buf, &mut fds, waiter)
        })
    }

    #[cfg(all(unix, feature = "fds"))]
    pub(super) fn try_recv_with_fds(&self, buf: &mut [u8], room: usize) -> io::Result<RecvFds> {
        let mut fds = Vec::new();
        let len = self.try_read_with_fds(buf, &mut fds)?;
        let truncated = fds.len() > room;
        fds.truncate(room);
        Ok(RecvFds::new(len, fds, truncated))
    }

    pub(super) fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let mut all = 0;
        for buf in bufs.iter_mut().take(MOST_BUFFERS) {
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
        if is_nothing(bufs) {
            return Ok(0);
        }
        let bufs = &bufs[..bufs.len().min(MOST_BUFFERS)];
        self.world.try_operate(|state, waiter| {
            state.network.write(&mut state.clock, self.end(), bufs, &mut Vec::new(), waiter)
        })
    }

    /// Says goodbye to the peer.
    pub(super) fn shutdown(&self) {
        self.world.with(|state| state.network.shutdown(&mut state.clock, self.end()));
    }

    /// Returns the address of the peer, while there is a connection.
    pub(super) fn peer(&self) -> io::Result<&Addr> {
        self.world.with(|state| state.network.check_connected(self.end()))?;
        Ok(&self.addrs.peer)
    }

    /// Shows addresses of IPv4 as a socket of IPv6 does.
    pub(super) fn shows_v6(&mut self) {
        let Addrs { local, peer } = (*self.addrs).clone();
        *self.addrs = Addrs { local: local.mapped(), peer: peer.mapped() };
    }

    /// Probes are sent from now on, or at other times.
    pub(super) fn keepalive_changed(&self) {
        self.world.with(|state| state.network.keepalive_changed(&mut state.clock, self.end()));
    }

    /// Reads or changes what can be set.
    pub(super) fn options<T>(&self, of: impl FnOnce(&mut SocketOptions, &mut u32) -> T) -> io::Result<T> {
        self.world.with(|state| {
            let (options, ttl) = state.network.options(self.end())?;
            Ok(of(options, ttl))
        })
    }
}

/// Of one call (`UIO_MAXIOV`).
const MOST_BUFFERS: usize = 1024;

fn is_nothing(bufs: &[IoSlice<'_>]) -> bool {
    bufs.iter().all(|buf| buf.is_empty())
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.world.with(|state| state.network.close(&mut state.clock, self.end()));
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
        // writev(2) of nothing does not reach the socket, other than send(2).
        if is_nothing(bufs) {
            return Poll::Ready(Ok(0));
        }
        Socket::poll_write(self, cx, &bufs[..bufs.len().min(MOST_BUFFERS)])
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shutdown();
        Poll::Ready(Ok(()))
    }
}
