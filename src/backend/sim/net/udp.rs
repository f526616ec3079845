use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{check_ttl, no_real_sockets};
use crate::backend::sim::log::Wait;
use crate::backend::sim::network::{Errno, Interface, UdpBound};
use crate::backend::sim::waiters::How;
use crate::backend::sim::world::World;
use crate::runtime;

/// A UDP socket in memory. Programs use [`net::UdpSocket`](crate::net::UdpSocket), which contains it in a simulation.
///
/// Datagrams arrive after the latency of their link, those of one socket in order unless the link reorders; they are
/// lost if the receive queue is full. Broadcast and multicast reach every host that the paths allow.
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

    fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        to: Option<SocketAddr>,
        how: How,
    ) -> Poll<io::Result<usize>> {
        let wait = || Wait::Socket("send to", to);
        self.world.operate(cx, wait, |state, waiter| {
            state.network.send_udp(&mut state.clock, self.number, buf, to, (waiter, how))
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
        self.world.try_operate(|state, waiter| {
            state.network.send_udp(&mut state.clock, self.number, buf, to, (waiter, How::Awaits))
        })
    }

    fn poll_readable(&self, cx: &mut Context<'_>, how: How) -> Poll<io::Result<()>> {
        let wait = || Wait::Socket("receive a datagram", None);
        self.world.operate(cx, wait, |state, waiter| {
            state.network.udp_readable(&mut state.clock, self.number, (waiter, how))
        })
    }

    fn poll_writable(&self, cx: &mut Context<'_>, how: How) -> Poll<io::Result<()>> {
        let wait = || Wait::Socket("send to", None);
        self.world.operate(cx, wait, |state, waiter| {
            state.network.udp_writable(&mut state.clock, self.number, (waiter, how))
        })
    }

    fn join(&self, group: IpAddr, interface: Interface, joins: bool) -> io::Result<()> {
        Ok(self.world.with(|state| state.network.join(self.number, group, interface, joins))?)
    }
}

impl Drop for UdpSocket {
    fn drop(&mut self) {
        self.world.with(|state| state.network.unbind(&mut state.clock, self.number));
    }
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
        poll_fn(|cx| self.poll_send_to(cx, buf, None, How::Awaits)).await
    }

    fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_send_to(cx, buf, None, How::Polls)
    }

    async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv_from(buf).await.map(|(len, _)| len)
    }

    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_receive(cx, buf, true, How::Polls).map_ok(|(len, _)| len)
    }

    async fn send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        poll_fn(|cx| self.poll_send_to(cx, buf, Some(target), How::Awaits)).await
    }

    fn poll_send_to(&self, cx: &mut Context<'_>, buf: &[u8], target: SocketAddr) -> Poll<io::Result<usize>> {
        self.poll_send_to(cx, buf, Some(target), How::Polls)
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
        poll_fn(|cx| self.poll_writable(cx, How::Awaits)).await
    }

    fn poll_send_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_writable(cx, How::Polls)
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
        self.with(|bound| Ok(bound.local()))
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.with(|bound| bound.peer())
    }

    kept!(broadcast, set_broadcast: bool);
    kept!(multicast_loop_v4, set_multicast_loop_v4: bool);

    fn multicast_ttl_v4(&self) -> io::Result<u32> {
        self.with(|bound| Ok(bound.multicast_ttl_v4))
    }

    fn set_multicast_ttl_v4(&self, ttl: u32) -> io::Result<()> {
        if ttl > 255 {
            return Err(Errno::InvalidArgument.into());
        }
        self.with(|bound| {
            bound.multicast_ttl_v4 = ttl;
            Ok(())
        })
    }

    fn multicast_loop_v6(&self) -> io::Result<bool> {
        self.with(|bound| Ok(bound.as_v6()?.multicast_loop_v6))
    }

    fn set_multicast_loop_v6(&self, on: bool) -> io::Result<()> {
        self.with(|bound| {
            bound.as_v6()?.multicast_loop_v6 = on;
            Ok(())
        })
    }

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

    fn join_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        self.join((*group).into(), Interface::V4(*interface), true)
    }

    fn leave_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        self.join((*group).into(), Interface::V4(*interface), false)
    }

    fn join_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.join((*group).into(), Interface::V6(interface), true)
    }

    fn leave_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.join((*group).into(), Interface::V6(interface), false)
    }

    fn into_std(self) -> io::Result<std::net::UdpSocket> {
        no_real_sockets()
    }
}
