//! The network: hosts, their addresses and names; and TCP.

mod conn;
mod link;
mod listening;
mod udp;
#[cfg(unix)]
pub(super) mod unix;

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, IoSlice};
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};

use self::conn::{Conn, Socket};
use self::link::{BUFFER, Path};
use self::listening::{Acceptor, Listening, covers};
use super::clock::NetEvent as Event;
use super::host::Boot;
use super::slots::Slots;
use super::time::Sleep;
use super::waiters::{How, Waiting};
use super::world::{State, World};
use crate::net::options::{BACKLOG, invalid, whole_seconds};
use crate::net::{ConnectOptions, Keepalive, ListenOptions};
use crate::runtime;
use crate::time::deadline_after;

pub(super) use link::{Chance, Paths};
pub use link::{Link, LinkOptions};
pub use udp::UdpSocket;
#[cfg(unix)]
pub use unix::{UnixDatagram, UnixListener, UnixStream};

/// How many routers a packet may pass: the default of Linux.
const TTL: u32 = 64;

/// Ports that nobody has asked for begin here (RFC 6335).
const EPHEMERAL: u16 = 49_152;

/// How long it takes to find out that no host has an address, as on Linux, where three questions stay without an answer.
const UNREACHABLE: u64 = 3_000_000_000;

#[derive(Default)]
pub(super) struct Network {
    pub(super) hosts: Vec<Host>,
    // What every path of a new host is like.
    to_come: Path,
    // Whether any host ever has: most simulations need not ask which.
    pub(super) has_crashed: bool,
    conns: Slots<Conn>,
    listening: BTreeMap<u64, Listening>,
    datagrams: BTreeMap<u64, udp::Bound>,
    #[cfg(unix)]
    letterboxes: BTreeMap<u64, unix::Letterbox>,
}

pub(super) struct Host {
    pub(super) name: String,
    ip: IpAddr,
    next_port: u16,
    // To every host, itself included.
    paths: Vec<Path>,
    pub(super) up: bool,
    // How often it has crashed.
    pub(super) life: u32,
    // How many faults keep it down.
    pub(super) outages: u32,
    pub(super) boot: Option<Boot>,
}

impl Host {
    fn new(name: &str, ip: IpAddr) -> Self {
        Self {
            name: name.to_owned(),
            ip,
            next_port: EPHEMERAL,
            paths: Vec::new(),
            up: true,
            life: 0,
            outages: 0,
            boot: None,
        }
    }
}

/// An address of a socket.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Addr {
    Ip(SocketAddr),
    /// None: it has no name.
    Path(Option<PathBuf>),
}

impl Addr {
    fn ip(&self) -> Option<SocketAddr> {
        match self {
            Self::Ip(addr) => Some(*addr),
            Self::Path(_) => None,
        }
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(addr) => addr.fmt(f),
            Self::Path(Some(path)) => path.display().fmt(f),
            Self::Path(None) => f.write_str("no name"),
        }
    }
}

impl Network {
    /// Takes away what listens on a host and its datagram sockets. Returns whoever waits for them.
    pub(super) fn crash_sockets(&mut self, host: usize) -> Vec<Waker> {
        let mut waiting = Vec::new();
        self.listening.retain(|_, it| {
            let stays = it.host != host;
            if !stays {
                waiting.extend(it.waiters().flat_map(Waiting::take));
            }
            stays
        });
        self.datagrams.retain(|_, it| {
            let stays = it.host != host;
            if !stays {
                waiting.extend(it.waiters().flat_map(Waiting::take));
            }
            stays
        });
        #[cfg(unix)]
        self.letterboxes.retain(|_, it| {
            let stays = it.host != host;
            if !stays {
                waiting.extend(it.waiters().flat_map(Waiting::take));
            }
            stays
        });
        waiting
    }

    /// Everybody who waits for a socket.
    pub(super) fn waiting(&mut self) -> Vec<Waker> {
        let listening = self.listening.values_mut().flat_map(|listening| listening.waiters());
        let datagrams = self.datagrams.values_mut().flat_map(|bound| bound.waiters());
        let waiters = listening.chain(datagrams);
        #[cfg(unix)]
        let waiters = waiters.chain(self.letterboxes.values_mut().flat_map(|letterbox| letterbox.waiters()));
        let ends = self.conns.values_mut().flat_map(Conn::take_waiters);
        ends.chain(waiters.flat_map(Waiting::take)).collect()
    }

    pub(super) fn new() -> Self {
        let mut network = Self::default();
        network.push(Host::new("main", Ipv4Addr::new(10, 0, 0, 1).into()));
        network
    }

    pub(super) fn add_host(&mut self, name: &str, ip: IpAddr) -> io::Result<usize> {
        let refuse = |why: String| {
            Err(io::Error::new(ErrorKind::InvalidInput, format!("anyrt: host {name:?}: {why}")))
        };
        if ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() || ip == Ipv4Addr::BROADCAST {
            return refuse(format!("{ip} is no address of a host"));
        }
        if name.is_empty() || name == "localhost" || name.contains(':') || name.parse::<IpAddr>().is_ok() {
            return refuse("that is no name of a host".to_owned());
        }
        for host in &self.hosts {
            if host.ip == ip {
                return refuse(format!("{ip} is the address of host {:?}", host.name));
            }
            if host.name == name {
                return refuse(format!("there is one of that name, at {}", host.ip));
            }
        }
        self.push(Host::new(name, ip));
        Ok(self.hosts.len() - 1)
    }

    fn push(&mut self, mut host: Host) {
        for other in &mut self.hosts {
            other.paths.push(self.to_come.like());
            host.paths.push(self.to_come.like());
        }
        host.paths.push(Path::loopback());
        self.hosts.push(host);
    }

    pub(super) fn ip(&self, host: usize) -> IpAddr {
        self.hosts[host].ip
    }

    pub(super) fn hosts(&self) -> impl Iterator<Item = (&str, IpAddr)> {
        self.hosts.iter().map(|host| (host.name.as_str(), host.ip))
    }

    pub(super) fn host_name(&self, host: usize) -> &str {
        &self.hosts[host].name
    }

    pub(super) fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if let Ok(ip) = name.parse::<IpAddr>() {
            return Ok(vec![(ip, port).into()]);
        }
        if name == "localhost" {
            return Ok(vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()]);
        }
        if name.contains('\0') {
            return Err(io::Error::new(ErrorKind::InvalidInput, "a name has no NUL in it"));
        }
        let host = self.hosts.iter().find(|host| host.name == name);
        let Some(host) = host else {
            return Err(io::Error::new(ErrorKind::NotFound, "no host of this simulation has that name"));
        };
        Ok(vec![(host.ip, port).into()])
    }

    /// Whether a socket of `host` can have this address.
    fn check_local(&self, host: usize, ip: IpAddr) -> io::Result<()> {
        self.check_up(host)?;
        if ip.is_unspecified() || ip.is_loopback() || ip == self.hosts[host].ip {
            return Ok(());
        }
        let Host { name, ip: own, .. } = &self.hosts[host];
        Err(io::Error::new(
            ErrorKind::AddrNotAvailable,
            format!("{ip} is no address of host {name:?}, which has {own}"),
        ))
    }

    /// Where packets from `host` to `ip` go, if anywhere.
    fn route(&self, host: usize, ip: IpAddr) -> Option<usize> {
        if ip.is_loopback() || ip.is_unspecified() || ip == self.hosts[host].ip {
            return Some(host);
        }
        self.hosts.iter().position(|host| host.ip == ip)
    }

    /// Which address of `host` a packet to `ip` comes from.
    fn source(&self, host: usize, ip: IpAddr) -> io::Result<IpAddr> {
        let own = self.hosts[host].ip;
        match ip {
            IpAddr::V4(ip) if ip.is_loopback() => Ok(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_loopback() => Ok(Ipv6Addr::LOCALHOST.into()),
            ip if ip.is_ipv4() == own.is_ipv4() => Ok(own),
            _ => Err(io::Error::new(
                ErrorKind::NetworkUnreachable,
                format!("host {:?} has {own}, which is of the other family", self.hosts[host].name),
            )),
        }
    }
}

/// An unspecified address means this host, as on Linux.
fn to_this_host(mut addr: SocketAddr) -> SocketAddr {
    if addr.ip().is_unspecified() {
        addr.set_ip(if addr.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    addr
}

impl State {
    /// Something happens as long from now as a packet takes.
    fn after(&mut self, from: usize, to: usize, event: Event) {
        let at = self.network.hosts[from].paths[to].arrival(&mut self.network_random, self.clock.nanos, 0);
        self.clock.add(at, event);
    }

    /// Whether a packet that arrives now was lost on the way, as the seed has it.
    fn is_lost(&mut self, from: usize, to: usize) -> bool {
        self.network.hosts[from].paths[to].loses(&mut self.network_random)
    }

    /// A port that is free.
    fn free_port(&mut self, host: usize, is_taken: impl Fn(&Self, u16) -> bool) -> io::Result<u16> {
        for _ in EPHEMERAL..=u16::MAX {
            let port = self.network.hosts[host].next_port;
            self.network.hosts[host].next_port = port.checked_add(1).unwrap_or(EPHEMERAL);
            if !is_taken(self, port) {
                return Ok(port);
            }
        }
        Err(io::Error::new(ErrorKind::AddrInUse, "every port that nobody has asked for is taken"))
    }

    pub(super) fn net_event(&mut self, event: Event) {
        match event {
            Event::Ask { conn, tries } => self.asked(conn, tries),
            Event::Refused { conn, tries, message } => self.refused(conn, tries, message),
            Event::GiveUp { conn } => self.give_up(conn),
            Event::Arrive { conn, to } => self.arrive(conn, to),
            Event::Datagram(datagram) => self.datagram(datagram),
            Event::DatagramRefused(refusal) => self.datagram_refused(refusal),
        }
    }
}

/// What is said of the sockets of a host that has crashed.
fn crashed() -> io::Error {
    io::Error::new(ErrorKind::NotConnected, "anyrt: this socket is gone: its host has crashed")
}

/// What a socket of the system would have to become.
pub(super) fn no_real_sockets<T>() -> io::Result<T> {
    Err(io::Error::new(
        ErrorKind::Unsupported,
        "anyrt: the sockets of a simulation are in memory, and those of the system have no place in it",
    ))
}

/// [`Net::connect_addr`](crate::Net::connect_addr).
pub(super) async fn connect(
    world: Arc<World>,
    host: usize,
    addr: SocketAddr,
    options: ConnectOptions,
) -> io::Result<TcpStream> {
    let addr = to_this_host(addr);
    let (from, route) = world.with(|state| {
        let mut from =
            options.local_addr.unwrap_or(SocketAddr::new(state.network.source(host, addr.ip())?, 0));
        state.network.check_local(host, from.ip())?;
        if from.ip().is_unspecified() {
            from.set_ip(state.network.source(host, addr.ip())?);
        }
        match from.port() {
            0 => from.set_port(state.free_port(host, |state, port| state.tcp_port_is_taken(host, port))?),
            port if state.tcp_port_is_taken(host, port) => return Err(ErrorKind::AddrInUse.into()),
            _ => {}
        }
        io::Result::Ok((from, state.network.route(host, addr.ip())))
    })?;
    let Some(target) = route else {
        Sleep::new(world.clone(), deadline_after(world.now(), Duration::from_nanos(UNREACHABLE))).await;
        return Err(io::Error::new(
            ErrorKind::HostUnreachable,
            format!("no host has the address {}", addr.ip()),
        ));
    };
    let socket = Socket::ask(&world, (host, Addr::Ip(from)), (target, Addr::Ip(addr)), options.socket);
    poll_fn(|cx| socket.poll_connected(cx)).await?;
    Ok(Stream::new(socket))
}

/// [`Net::bind_addr`](crate::Net::bind_addr).
pub(super) fn listen(
    world: &Arc<World>,
    host: usize,
    mut addr: SocketAddr,
    options: &ListenOptions,
) -> io::Result<TcpListener> {
    if options.only_v6.is_some() && addr.is_ipv4() {
        return Err(invalid("only_v6", &format!("{addr} is no address of IPv6")));
    }
    let backlog = options.backlog.unwrap_or(BACKLOG.unsigned_abs());
    world.with(|state| {
        state.network.check_local(host, addr.ip())?;
        if addr.port() == 0 {
            addr.set_port(state.free_port(host, |state, port| state.tcp_port_is_taken(host, port))?);
        }
        let shared = options.socket.reuse_port == Some(true);
        let taken = state.network.listening.values().any(|other| {
            let both_share = shared && other.options.reuse_port == Some(true);
            let overlap = other.addr.ip().is_some_and(|other| covers(other, addr) || covers(addr, other));
            other.host == host && overlap && !both_share
        });
        if taken {
            return Err(ErrorKind::AddrInUse.into());
        }
        let listening = Listening::new(host, Addr::Ip(addr), options.socket.clone(), backlog as usize);
        Ok(Listener::new(Acceptor::new(world, state, listening)))
    })
}

/// A TCP connection in memory.
pub type TcpStream = Stream<SocketAddr>;

/// A TCP socket in memory that listens.
pub type TcpListener = Listener<SocketAddr>;

/// A connection in memory, between addresses of a kind: TCP, or a Unix socket.
///
/// What is written arrives after the latency of its link, in order, whatever goes wrong on it. 64 KiB may wait to be read at
/// each end, unless [`LinkOptions::buffer`] says otherwise; whoever writes more waits. Options are kept and given back, but only `linger` of zero, which resets, does anything.
#[derive(Debug)]
pub struct Stream<A> {
    socket: Socket,
    addr: PhantomData<fn() -> A>,
}

/// The traits of futures-io for a type that holds a socket, in its field `socket`.
macro_rules! read {
    ([$($generics:tt)*] $type:ty) => {
        impl<$($generics)*> AsyncRead for $type {
            fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
                self.socket.poll_read(cx, buf, true)
            }
        }
    };
}

macro_rules! write {
    ([$($generics:tt)*] $type:ty) => {
        impl<$($generics)*> AsyncWrite for $type {
            fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
                self.socket.poll_write(cx, &[IoSlice::new(buf)])
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.socket.poll_write(cx, bufs)
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.socket.shutdown();
                Poll::Ready(Ok(()))
            }
        }
    };
}

read!([A] Stream<A>);
write!([A] Stream<A>);

/// The read half of a borrowed stream.
#[derive(Debug)]
pub struct ReadHalf<'a> {
    socket: &'a Socket,
}

read!([] ReadHalf<'_>);

/// The write half of a borrowed stream.
#[derive(Debug)]
pub struct WriteHalf<'a> {
    socket: &'a Socket,
}

write!([] WriteHalf<'_>);

/// The read half of a stream.
#[derive(Debug)]
pub struct OwnedReadHalf {
    socket: Arc<Socket>,
}

read!([] OwnedReadHalf);

/// The write half of a stream, which closes the write side when it is dropped.
#[derive(Debug)]
pub struct OwnedWriteHalf {
    socket: Arc<Socket>,
}

write!([] OwnedWriteHalf);

impl Drop for OwnedWriteHalf {
    fn drop(&mut self) {
        self.socket.shutdown();
    }
}

impl<A> Stream<A> {
    fn new(socket: Socket) -> Self {
        Self { socket, addr: PhantomData }
    }

    fn halves(&self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        (ReadHalf { socket: &self.socket }, WriteHalf { socket: &self.socket })
    }

    fn into_halves(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        let socket = Arc::new(self.socket);
        (OwnedReadHalf { socket: socket.clone() }, OwnedWriteHalf { socket })
    }
}

fn ip(addr: &Addr) -> io::Result<SocketAddr> {
    addr.ip().ok_or(ErrorKind::NotConnected.into())
}

impl runtime::TcpStream for TcpStream {
    type ReadHalf<'a> = ReadHalf<'a>;
    type WriteHalf<'a> = WriteHalf<'a>;
    type OwnedReadHalf = OwnedReadHalf;
    type OwnedWriteHalf = OwnedWriteHalf;

    fn split_mut(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        self.halves()
    }

    fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        self.into_halves()
    }

    async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| self.socket.poll_read(cx, buf, false)).await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        ip(&self.socket.addrs.local)
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        ip(&self.socket.addrs.peer)
    }

    fn nodelay(&self) -> io::Result<bool> {
        self.socket.options(|options, _| options.nodelay.unwrap_or(false))
    }

    fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.socket.options(|options, _| options.nodelay = Some(nodelay))
    }

    fn ttl(&self) -> io::Result<u32> {
        self.socket.options(|_, ttl| *ttl)
    }

    fn set_ttl(&self, new: u32) -> io::Result<()> {
        check_ttl(new)?;
        self.socket.options(|_, ttl| *ttl = new)
    }

    fn linger(&self) -> io::Result<Option<Duration>> {
        self.socket.options(|options, _| options.linger.map(whole_seconds))
    }

    fn set_linger(&self, time: Option<Duration>) -> io::Result<()> {
        self.socket.options(|options, _| options.linger = time)
    }

    fn keepalive(&self) -> io::Result<Option<Keepalive>> {
        self.socket.options(|options, _| options.keepalive.map(Keepalive::in_whole_seconds))
    }

    fn set_keepalive(&self, keepalive: Option<Keepalive>) -> io::Result<()> {
        keepalive.map_or(Ok(()), Keepalive::check)?;
        self.socket.options(|options, _| options.keepalive = keepalive)
    }

    fn recv_buffer_size(&self) -> io::Result<usize> {
        self.socket.options(|options, _| options.recv_buffer_size.unwrap_or(BUFFER))
    }

    fn send_buffer_size(&self) -> io::Result<usize> {
        self.socket.options(|options, _| options.send_buffer_size.unwrap_or(BUFFER))
    }

    fn into_std(self) -> io::Result<std::net::TcpStream> {
        no_real_sockets()
    }
}

/// What the system takes for `IP_TTL` (ip(7)).
fn check_ttl(ttl: u32) -> io::Result<()> {
    match ttl {
        1..=255 => Ok(()),
        _ => Err(io::Error::new(ErrorKind::InvalidInput, format!("a TTL is 1 to 255, and not {ttl}"))),
    }
}

/// A socket in memory that listens: for TCP, or at a path.
#[derive(Debug)]
pub struct Listener<A> {
    acceptor: Acceptor,
    addr: PhantomData<fn() -> A>,
}

impl<A> Listener<A> {
    fn new(acceptor: Acceptor) -> Self {
        Self { acceptor, addr: PhantomData }
    }

    fn poll(&self, cx: &mut Context<'_>, how: How) -> Poll<io::Result<Stream<A>>> {
        self.acceptor.poll_accept(cx, how).map_ok(Stream::new)
    }

    fn timer(&self, duration: Duration) -> Sleep {
        let world = self.acceptor.world.clone();
        let deadline = deadline_after(world.now(), duration);
        Sleep::new(world, deadline)
    }
}

impl runtime::TcpListener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let stream = poll_fn(|cx| self.poll(cx, How::Awaits)).await?;
        let peer = ip(&stream.socket.addrs.peer)?;
        Ok((stream, peer))
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let stream = ready!(self.poll(cx, How::Polls))?;
        let peer = ip(&stream.socket.addrs.peer)?;
        Poll::Ready(Ok((stream, peer)))
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        self.timer(duration)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        ip(&self.acceptor.local)
    }

    fn ttl(&self) -> io::Result<u32> {
        self.acceptor.with(|listening| listening.ttl)
    }

    fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        check_ttl(ttl)?;
        self.acceptor.with(|listening| listening.ttl = ttl)
    }

    fn into_std(self) -> io::Result<std::net::TcpListener> {
        no_real_sockets()
    }
}

impl From<TcpStream> for crate::net::TcpStream {
    fn from(stream: TcpStream) -> Self {
        Self::sim(stream)
    }
}

impl From<TcpListener> for crate::net::TcpListener {
    fn from(listener: TcpListener) -> Self {
        Self::sim(listener)
    }
}
