use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{check_ttl, no_real_sockets};
use crate::backend::sim::log::Wait;
use crate::backend::sim::network::UdpBound;
use crate::backend::sim::waiters::How;
use crate::backend::sim::world::World;
use crate::runtime;

/// A UDP socket in memory. Programs use [`net::UdpSocket`](crate::net::UdpSocket), which contains it in a simulation.
///
/// Datagrams arrive after the latency of their link, those of one socket in order unless the link reorders; they are
/// lost if the receive queue is full. Socket options are stored and returned, but have no effect; multicast is not
/// supported.
#[derive(Debug)]
pub struct UdpSocket {
    world: Arc<World>,
    number: u64,
}

impl UdpSocket {
    /// [`NetBackend::udp_bind_addr`](crate::runtime::backend::NetBackend::udp_bind_addr).
    pub(in crate::backend::sim) fn bind(
        world: &Arc<World>,
        host: usize,
        addr: SocketAddr,
    ) -> io::Result<Self> {
        let number = world.with(|state| state.network.bind(&mut state.clock, host, addr))?;
        Ok(Self { world: world.clone(), number })
    }

    fn with<T>(&self, of: impl FnOnce(&mut UdpBound) -> io::Result<T>) -> io::Result<T> {
        self.world.with(|state| of(state.network.bound(self.number)?))
    }

    /// Nothing is ever full on this side, so it is ready unless the budget of the task is spent.
    fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        to: Option<SocketAddr>,
    ) -> Poll<io::Result<usize>> {
        let wait = || Wait::Socket("send to", to);
        self.world.operate(cx, wait, |state, _| {
            let sent = state.network.send_udp(&mut state.clock, self.number, buf, to);
            Poll::Ready(sent.map(|()| buf.len()))
        })
    }

    fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
        take: bool,
        how: How,
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let wait = || Wait::Socket("receive a datagram", None);
        self.world.operate(cx, wait, |state, waiter| {
            state.network.receive_udp(&mut state.clock, self.number, buf, take, (waiter, how))
        })
    }
}

impl UdpSocket {
    fn transmit(&self, buf: &[u8], to: Option<SocketAddr>) -> io::Result<usize> {
        self.world.try_operate(|state, _| {
            let sent = state.network.send_udp(&mut state.clock, self.number, buf, to);
            Poll::Ready(sent.map(|()| buf.len()))
        })
    }

    fn poll_readable(&self, cx: &mut Context<'_>, how: How) -> Poll<io::Result<()>> {
        let wait = || Wait::Socket("receive a datagram", None);
        self.world.operate(cx, wait, |state, waiter| {
            state.network.udp_readable(&mut state.clock, self.number, (waiter, how))
        })
    }
}

impl Drop for UdpSocket {
    fn drop(&mut self) {
        self.world.with(|state| state.network.unbind(&mut state.clock, self.number));
    }
}

fn no_multicast() -> io::Result<()> {
    Err(io::Error::new(ErrorKind::Unsupported, "anyrt: the network of a simulation has no multicast"))
}

/// An option that is kept, and given back.
macro_rules! kept {
    ($name:ident, $set:ident: $type:ty) => {
        fn $name(&self) -> io::Result<$type> {
            self.with(|bound| Ok(bound.$name))
        }

        fn $set(&self, value: $type) -> io::Result<()> {
            self.with(|bound| {
                bound.$name = value;
                Ok(())
            })
        }
    };
}

impl runtime::UdpSocket for UdpSocket {
    fn connect(&self, addr: SocketAddr) -> io::Result<()> {
        self.world.with(|state| state.network.connect_udp(self.number, addr))
    }

    async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        poll_fn(|cx| self.poll_send_to(cx, buf, None)).await
    }

    fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_send_to(cx, buf, None)
    }

    async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv_from(buf).await.map(|(len, _)| len)
    }

    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_receive(cx, buf, true, How::Polls).map_ok(|(len, _)| len)
    }

    async fn send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        poll_fn(|cx| self.poll_send_to(cx, buf, Some(target))).await
    }

    fn poll_send_to(&self, cx: &mut Context<'_>, buf: &[u8], target: SocketAddr) -> Poll<io::Result<usize>> {
        self.poll_send_to(cx, buf, Some(target))
    }

    async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        poll_fn(|cx| self.poll_receive(cx, buf, true, How::Awaits)).await
    }

    fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.poll_receive(cx, buf, true, How::Polls)
    }

    async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.peek_from(buf).await.map(|(len, _)| len)
    }

    fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_receive(cx, buf, false, How::Polls).map_ok(|(len, _)| len)
    }

    async fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        poll_fn(|cx| self.poll_receive(cx, buf, false, How::Awaits)).await
    }

    fn poll_peek_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.poll_receive(cx, buf, false, How::Polls)
    }

    async fn readable(&self) -> io::Result<()> {
        poll_fn(|cx| self.poll_readable(cx, How::Awaits)).await
    }

    fn poll_recv_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_readable(cx, How::Polls)
    }

    async fn writable(&self) -> io::Result<()> {
        poll_fn(|cx| self.poll_send_ready(cx)).await
    }

    fn poll_send_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wait = || Wait::Socket("send to", None);
        self.world.operate(cx, wait, |_, _| Poll::Ready(Ok(())))
    }

    fn try_send(&self, buf: &[u8]) -> io::Result<usize> {
        self.transmit(buf, None)
    }

    fn try_send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        self.transmit(buf, Some(target))
    }

    fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.try_recv_from(buf).map(|(len, _)| len)
    }

    fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.world.try_operate(|state, waiter| {
            state.network.receive_udp(&mut state.clock, self.number, buf, true, (waiter, How::Awaits))
        })
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.with(|bound| Ok(bound.local))
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.with(|bound| bound.peer.ok_or(ErrorKind::NotConnected.into()))
    }

    kept!(broadcast, set_broadcast: bool);
    kept!(multicast_loop_v4, set_multicast_loop_v4: bool);
    kept!(multicast_ttl_v4, set_multicast_ttl_v4: u32);
    kept!(multicast_loop_v6, set_multicast_loop_v6: bool);

    fn ttl(&self) -> io::Result<u32> {
        self.with(|bound| Ok(bound.ttl))
    }

    fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        check_ttl(ttl)?;
        self.with(|bound| {
            bound.ttl = ttl;
            Ok(())
        })
    }

    fn join_multicast_v4(&self, _: &Ipv4Addr, _: &Ipv4Addr) -> io::Result<()> {
        no_multicast()
    }

    fn leave_multicast_v4(&self, _: &Ipv4Addr, _: &Ipv4Addr) -> io::Result<()> {
        no_multicast()
    }

    fn join_multicast_v6(&self, _: &Ipv6Addr, _: u32) -> io::Result<()> {
        no_multicast()
    }

    fn leave_multicast_v6(&self, _: &Ipv6Addr, _: u32) -> io::Result<()> {
        no_multicast()
    }

    fn into_std(self) -> io::Result<std::net::UdpSocket> {
        no_real_sockets()
    }
}
