use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use super::link::Gate;
use super::listening::covers;
use super::{How, TTL, Waiting, check_ttl, crashed, no_real_sockets, to_this_host};
use crate::backend::sim::clock::{Datagram, NetEvent as Event, Refusal};
use crate::backend::sim::log::{Flight, Kind, Wait, hash};
use crate::backend::sim::world::{State, World};
use crate::runtime;

/// Bytes that wait to be received; what comes beyond is lost. The default of Linux (`net.core.rmem_default`).
const QUEUE: usize = 212_992;

/// What fits a packet of IPv4.
const LARGEST: usize = 65_507;

/// A socket, as the network knows it.
pub(super) struct Bound {
    pub(super) host: usize,
    local: SocketAddr,
    peer: Option<SocketAddr>,
    queue: VecDeque<(SocketAddr, Vec<u8>)>,
    queued: usize,
    // When the last datagram of ours arrives: nothing overtakes it.
    last: u64,
    refused: bool,
    waiters: Waiting,
    broadcast: bool,
    ttl: u32,
    multicast_loop_v4: bool,
    multicast_ttl_v4: u32,
    multicast_loop_v6: bool,
}

impl Bound {
    pub(super) fn waiters(&mut self) -> impl Iterator<Item = &mut Waiting> {
        [&mut self.waiters].into_iter()
    }
}

/// A UDP socket in memory.
///
/// Datagrams arrive after the latency of their link, those of one socket in order unless the link reorders; they are lost
/// where too many wait.
/// Options are kept and given back, and have no effect; there is no multicast.
#[derive(Debug)]
pub struct UdpSocket {
    world: Arc<World>,
    number: u64,
}

impl UdpSocket {
    /// [`Net::udp_bind_addr`](crate::Net::udp_bind_addr).
    pub(in crate::backend::sim) fn bind(
        world: &Arc<World>,
        host: usize,
        mut addr: SocketAddr,
    ) -> io::Result<Self> {
        let number = world.with(|state| {
            state.network.check_local(host, addr.ip())?;
            if addr.port() == 0 {
                addr.set_port(state.free_port(host, |state, port| {
                    state.network.datagrams.values().any(|it| it.host == host && it.local.port() == port)
                })?);
            }
            let is_taken = |it: &Bound| it.host == host && (covers(it.local, addr) || covers(addr, it.local));
            if state.network.datagrams.values().any(is_taken) {
                return Err(io::Error::from(ErrorKind::AddrInUse));
            }
            let number = state.clock.number();
            let bound = Bound {
                host,
                local: addr,
                peer: None,
                queue: VecDeque::new(),
                queued: 0,
                last: 0,
                refused: false,
                waiters: Waiting::default(),
                broadcast: false,
                ttl: TTL,
                multicast_loop_v4: true,
                multicast_ttl_v4: 1,
                multicast_loop_v6: true,
            };
            state.network.datagrams.insert(number, bound);
            Ok(number)
        })?;
        Ok(Self { world: world.clone(), number })
    }

    fn with<T>(&self, of: impl FnOnce(&mut Bound) -> io::Result<T>) -> io::Result<T> {
        self.world.with(|state| match state.network.datagrams.get_mut(&self.number) {
            Some(bound) => of(bound),
            None => Err(crashed()),
        })
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
            Poll::Ready(state.send_datagram(self.number, buf, to).map(|()| buf.len()))
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
        self.world.operate(cx, wait, |state, waker| {
            let Some(bound) = state.network.datagrams.get_mut(&self.number) else {
                return Poll::Ready(Err(crashed()));
            };
            if std::mem::take(&mut bound.refused) {
                return Poll::Ready(Err(ErrorKind::ConnectionRefused.into()));
            }
            let Some((from, bytes)) = bound.queue.front() else {
                state.clock.dropped.extend(bound.waiters.add(waker, how));
                return Poll::Pending;
            };
            let len = bytes.len().min(buf.len());
            buf[..len].copy_from_slice(&bytes[..len]);
            let from = *from;
            if take {
                bound.queued -= bytes.len();
                bound.queue.pop_front();
            }
            Poll::Ready(Ok((len, from)))
        })
    }
}

impl Drop for UdpSocket {
    fn drop(&mut self) {
        self.world.with(|state| {
            if let Some(mut bound) = state.network.datagrams.remove(&self.number) {
                state.clock.dropped.append(bound.waiters.take());
            }
        });
    }
}

impl State {
    fn send_datagram(&mut self, socket: u64, bytes: &[u8], to: Option<SocketAddr>) -> io::Result<()> {
        let bound = self.network.datagrams.get_mut(&socket).ok_or_else(crashed)?;
        if std::mem::take(&mut bound.refused) {
            return Err(ErrorKind::ConnectionRefused.into());
        }
        let Some(to) = to.or(bound.peer).map(to_this_host) else {
            return Err(io::Error::new(ErrorKind::NotConnected, "the socket is connected to nobody"));
        };
        if to.is_ipv4() != bound.local.is_ipv4() {
            return Err(other_family(bound.local, to));
        }
        if bytes.len() > LARGEST {
            let text = format!("a datagram has {LARGEST} bytes at most, and not {}", bytes.len());
            return Err(io::Error::new(ErrorKind::InvalidInput, text));
        }
        if to.ip() == IpAddr::V4(Ipv4Addr::BROADCAST) && !bound.broadcast {
            return Err(io::Error::new(
                ErrorKind::PermissionDenied,
                "broadcast is not allowed on this socket",
            ));
        }
        let (from_host, mut from) = (bound.host, bound.local);
        if from.ip().is_unspecified() {
            from.set_ip(self.network.source(from_host, to.ip())?);
        }
        // What nobody gets is lost.
        let Some(host) = self.network.route(from_host, to.ip()) else { return Ok(()) };
        let flight = || flight("datagram", (from_host, host), [from, to], bytes);
        let message = self.clock.sent(socket, flight);
        let datagram = Datagram { socket, from_host, from, host, to, bytes: bytes.to_vec(), message };
        if self.network.path(from_host, host).duplicates(&mut self.network_random) {
            self.clock.record(Kind::Duplicated, socket, 0);
            self.clock.trace.on_path((from_host, host));
            self.launch(datagram.clone());
        }
        self.launch(datagram);
        Ok(())
    }

    fn launch(&mut self, datagram: Datagram) {
        let Datagram { socket, from_host, host, .. } = datagram;
        let path = self.network.path(from_host, host);
        let mut at = path.arrival(&mut self.network_random, self.clock.nanos, datagram.bytes.len());
        if path.loses(&mut self.network_random) {
            self.clock.record(Kind::Lost, socket, hash(&datagram.bytes));
            return self.clock.trace.on_path((from_host, host));
        }
        if let Some(longer) = path.reordering(&mut self.network_random) {
            at = at.saturating_add(longer);
        } else if let Some(bound) = self.network.datagrams.get_mut(&socket) {
            at = at.max(bound.last);
            bound.last = at;
        }
        self.clock.add(at, Event::Datagram(Box::new(datagram)));
    }

    pub(super) fn datagram(&mut self, datagram: Box<Datagram>) {
        match self.network.gate(datagram.from_host, datagram.host) {
            Gate::Open => {}
            Gate::Held => {
                return self.keep(datagram.from_host, datagram.host, Event::Datagram(datagram));
            }
            Gate::Cut => {
                let Datagram { socket, from_host, host, bytes, .. } = *datagram;
                self.clock.record(Kind::Cut, socket, hash(&bytes));
                return self.clock.trace.on_path((from_host, host));
            }
        }
        let Datagram { socket, from_host, from, host, to, bytes, message } = *datagram;
        self.clock.record(Kind::DatagramArrived, socket, hash(&bytes));
        self.clock.trace.arrived(message);
        let is_for = |it: &&mut Bound| {
            it.host == host && covers(it.local, to) && it.peer.is_none_or(|peer| peer == from)
        };
        let Some(bound) = self.network.datagrams.values_mut().find(is_for) else {
            // Only a socket that is connected to it hears of that (udp(7)).
            let hears = self.network.datagrams.get(&socket).is_some_and(|it| it.peer == Some(to));
            if hears && !self.is_lost(host, from_host) {
                let flight = || flight("refusal", (host, from_host), [to, from], &[]);
                let message = self.clock.sent(socket, flight);
                let refusal = Refusal { socket, from: host, to: from_host, message };
                self.after(host, from_host, Event::DatagramRefused(Box::new(refusal)));
            }
            return;
        };
        if bound.queued + bytes.len() <= QUEUE && bound.queue.len() < QUEUE / 256 {
            bound.queued += bytes.len();
            bound.queue.push_back((from, bytes));
            let waiters = bound.waiters.take();
            self.clock.woken.append(waiters);
        }
    }

    pub(super) fn datagram_refused(&mut self, refusal: Box<Refusal>) {
        let Refusal { socket, from, to, message } = *refusal;
        match self.network.gate(from, to) {
            Gate::Open => {}
            Gate::Held => {
                return self.keep(from, to, Event::DatagramRefused(refusal));
            }
            Gate::Cut => {
                self.clock.record(Kind::Cut, socket, 0);
                return self.clock.trace.on_path((from, to));
            }
        }
        self.clock.record(Kind::DatagramRefused, socket, 0);
        self.clock.trace.arrived(message);
        if let Some(bound) = self.network.datagrams.get_mut(&socket) {
            bound.refused = true;
            let waiters = bound.waiters.take();
            self.clock.woken.append(waiters);
        }
    }
}

/// For the log.
fn flight(what: &'static str, hosts: (usize, usize), addrs: [SocketAddr; 2], bytes: &[u8]) -> Flight {
    Flight::new(what, hosts, addrs.map(|addr| addr.to_string()), (bytes, &[]))
}

fn other_family(local: SocketAddr, to: SocketAddr) -> io::Error {
    let text = format!("{to} is of another family than {local}, which the socket is bound to");
    io::Error::new(ErrorKind::InvalidInput, text)
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
        let addr = to_this_host(addr);
        self.world.with(|state| {
            let bound = state.network.datagrams.get(&self.number).ok_or_else(crashed)?;
            let (host, local) = (bound.host, bound.local);
            if addr.is_ipv4() != local.is_ipv4() {
                return Err(other_family(local, addr));
            }
            let source = state.network.source(host, addr.ip())?;
            if let Some(bound) = state.network.datagrams.get_mut(&self.number) {
                bound.peer = Some(addr);
                bound.refused = false;
                // As on Linux, it now has the address that its datagrams come from.
                if bound.local.ip().is_unspecified() {
                    bound.local.set_ip(source);
                }
            }
            Ok(())
        })
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

impl From<UdpSocket> for crate::net::UdpSocket {
    fn from(socket: UdpSocket) -> Self {
        Self::sim(socket)
    }
}
