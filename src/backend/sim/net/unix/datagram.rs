use std::fmt;
use std::future::poll_fn;
use std::io;
use std::os::unix::net::{self as std_unix, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::{Context, Poll};

use super::Address as _;
use crate::backend::sim::log::Wait;
use crate::backend::sim::net::no_real_sockets;
use crate::backend::sim::network::{Addr, Errno};
use crate::backend::sim::waiters::How;
use crate::backend::sim::world::World;
use crate::runtime;
use crate::runtime::net::path::{cannot, check};

/// A Unix datagram socket in memory.
///
/// A datagram arrives at once. The queue holds eleven, as on Linux; further sends wait.
pub struct UnixDatagram {
    world: Arc<World>,
    host: usize,
    number: u64,
}

impl UnixDatagram {
    pub(in crate::backend::sim) fn bind(
        world: &Arc<World>,
        host: usize,
        path: Option<&Path>,
    ) -> io::Result<Self> {
        path.map_or(Ok(()), check)?;
        let number = world.with(|state| state.network.bind_unix(&mut state.clock, host, path))?;
        Ok(Self { world: world.clone(), host, number })
    }

    pub(in crate::backend::sim) fn pair(world: &Arc<World>, host: usize) -> io::Result<(Self, Self)> {
        let (a, b) = (Self::bind(world, host, None)?, Self::bind(world, host, None)?);
        for (one, other) in [(&a, &b), (&b, &a)] {
            world.with(|state| state.network.set_unix_peer(one.number, other.number));
        }
        Ok((a, b))
    }

    fn poll_transmit(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        to: Option<&Path>,
        how: How,
    ) -> Poll<io::Result<usize>> {
        to.map_or(Ok(()), check)?;
        let wait = || Wait::Socket("send a datagram", None);
        self.world.operate(cx, wait, |state, waiter| {
            let from = (self.host, self.number);
            state.network.send_unix(&mut state.clock, from, buf, to, (waiter, how))
        })
    }

    fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
        how: How,
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let wait = || Wait::Socket("receive a datagram", None);
        let received = self.world.operate(cx, wait, |state, waiter| {
            state.network.receive_unix(&mut state.clock, self.number, waiter, how)
        });
        received.map(|received| unpack(received?, buf))
    }

    fn poll_readable(&self, cx: &mut Context<'_>, how: How) -> Poll<io::Result<()>> {
        let wait = || Wait::Socket("receive a datagram", None);
        self.world.operate(cx, wait, |state, waiter| {
            state.network.unix_readable(&mut state.clock, self.number, (waiter, how))
        })
    }

    fn poll_writable(&self, cx: &mut Context<'_>, how: How) -> Poll<io::Result<()>> {
        let wait = || Wait::Socket("send a datagram", None);
        self.world.operate(cx, wait, |state, waiter| {
            state.network.unix_writable(&mut state.clock, self.number, (waiter, how))
        })
    }

    fn transmit(&self, buf: &[u8], to: Option<&Path>) -> io::Result<usize> {
        to.map_or(Ok(()), check)?;
        self.world.try_operate(|state, waiter| {
            let from = (self.host, self.number);
            state.network.send_unix(&mut state.clock, from, buf, to, (waiter, How::Awaits))
        })
    }
}

/// Copies what fits.
fn unpack((from, bytes): (Option<PathBuf>, Vec<u8>), buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    let len = bytes.len().min(buf.len());
    buf[..len].copy_from_slice(&bytes[..len]);
    Ok((len, SocketAddr::of(&Addr::Path(from))?))
}

impl fmt::Debug for UnixDatagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixDatagram").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Drop for UnixDatagram {
    fn drop(&mut self) {
        self.world.with(|state| state.network.unbind_unix(&mut state.clock, self.number));
    }
}

impl runtime::UnixDatagram for UnixDatagram {
    fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        let path = path.as_ref();
        check(path)?;
        let connected = self.world.with(|state| state.network.connect_unix(self.host, self.number, path));
        cannot("connect to", path, connected)
    }

    async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        poll_fn(|cx| self.poll_transmit(cx, buf, None, How::Awaits)).await
    }

    fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_transmit(cx, buf, None, How::Polls)
    }

    async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv_from(buf).await.map(|(len, _)| len)
    }

    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_receive(cx, buf, How::Polls).map_ok(|(len, _)| len)
    }

    async fn send_to<P: AsRef<Path> + Send>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        let path = path.as_ref().to_owned();
        poll_fn(|cx| self.poll_transmit(cx, buf, Some(&path), How::Awaits)).await
    }

    fn poll_send_to<P: AsRef<Path>>(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        path: P,
    ) -> Poll<io::Result<usize>> {
        self.poll_transmit(cx, buf, Some(path.as_ref()), How::Polls)
    }

    async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        poll_fn(|cx| self.poll_receive(cx, buf, How::Awaits)).await
    }

    fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.poll_receive(cx, buf, How::Polls)
    }

    async fn readable(&self) -> io::Result<()> {
        poll_fn(|cx| self.poll_readable(cx, How::Awaits)).await
    }

    fn poll_recv_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_readable(cx, How::Polls)
    }

    async fn writable(&self) -> io::Result<()> {
        poll_fn(|cx| self.poll_writable(cx, How::Awaits)).await
    }

    fn poll_send_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_writable(cx, How::Polls)
    }

    fn try_send(&self, buf: &[u8]) -> io::Result<usize> {
        self.transmit(buf, None)
    }

    fn try_send_to<P: AsRef<Path>>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        self.transmit(buf, Some(path.as_ref()))
    }

    fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.try_recv_from(buf).map(|(len, _)| len)
    }

    fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let received = self.world.try_operate(|state, waiter| {
            state.network.receive_unix(&mut state.clock, self.number, waiter, How::Awaits)
        });
        unpack(received?, buf)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        SocketAddr::of(&Addr::Path(self.world.with(|state| state.network.unix_path(self.number))))
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        let path = self.world.with(|state| {
            let peer = state.network.unix_peer(self.number)?;
            Some(state.network.unix_path(peer))
        });
        SocketAddr::of(&Addr::Path(path.ok_or(Errno::NotConnected)?))
    }

    fn into_std(self) -> io::Result<std_unix::UnixDatagram> {
        no_real_sockets()
    }
}
