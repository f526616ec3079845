//! Sockets in memory: TCP.

mod acceptor;
mod socket;
mod udp;
#[cfg(unix)]
pub(super) mod unix;

use std::fmt;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use self::acceptor::Acceptor;
use self::socket::Socket;
use super::network::{Addr, BUFFER, Errno, Lookup, all_times, canonical, check_keepalive, to_this_host};
use super::time::Sleep;
use super::waiters::How;
use super::world::{World, gone};
use crate::runtime::net::family::{listener_items, stream_items};
use crate::runtime::net::io_traits::{reads, writes};
use crate::runtime::net::options::{invalid, named, whole_seconds};
use crate::runtime::net::{ConnectOptions, Descriptor, Keepalive, ListenOptions};
use crate::runtime::time::deadline_after;
use crate::runtime::{self, Interest, ReuniteError, read_tries, stream_tries, write_tries};

pub(super) use udp::UdpSocket;
#[cfg(unix)]
pub(super) use unix::{UnixDatagram, UnixListener, UnixStream};

/// How long it takes to find out that no host has an address, as on Linux, where three questions stay without an answer.
const UNREACHABLE: u64 = 3_000_000_000;

/// What a socket of the system would have to become.
pub(super) fn no_real_sockets<T>() -> io::Result<T> {
    Err(io::Error::new(
        ErrorKind::Unsupported,
        "anyrt: the sockets of a simulation are in memory, and cannot be converted from or to system sockets",
    ))
}

/// [`NetBackend::connect_addr`](crate::runtime::backend::NetBackend::connect_addr).
pub(super) async fn connect(
    world: Arc<World>,
    host: usize,
    addr: SocketAddr,
    options: ConnectOptions,
) -> io::Result<TcpStream> {
    let is_v6 = addr.is_ipv6();
    let addr = canonical(to_this_host(addr, options.local_addr.map(|local| local.ip())));
    check_keepalive(options.socket.keepalive)?;
    let (from, route) = world.with(|state| {
        let ConnectOptions { local_addr, socket, .. } = &options;
        let from = state.network.local_end(&state.clock, host, addr, *local_addr, socket)?;
        io::Result::Ok((from, state.network.route(host, addr.ip())))
    })?;
    let Some(target) = route else {
        Sleep::new(world.clone(), deadline_after(world.now(), Duration::from_nanos(UNREACHABLE))).await;
        let text = format!("no host has the address {}", addr.ip());
        return Err(named(Errno::HostUnreachable.into(), text));
    };
    let mut socket = Socket::ask(&world, (host, Addr::Ip(from)), (target, Addr::Ip(addr)), options.socket);
    if is_v6 {
        socket.shows_v6();
    }
    poll_fn(|cx| socket.poll_connected(cx)).await?;
    Ok(Stream::new(socket))
}

/// [`NetBackend::resolve`](crate::runtime::backend::NetBackend::resolve).
pub(super) async fn resolve(
    world: Arc<World>,
    host: usize,
    name: String,
    port: u16,
) -> io::Result<Vec<SocketAddr>> {
    let mut tries = 0;
    loop {
        let lookup = world.with(|state| {
            if state.is_closed() {
                return Lookup::Done(Err(gone()));
            }
            state.network.look_up(&state.clock, host, &name, port, tries)
        });
        let (nanos, answered) = match lookup {
            Lookup::Done(result) => return result,
            Lookup::Wait { nanos, answered } => (nanos, answered),
        };
        Sleep::new(world.clone(), deadline_after(world.now(), Duration::from_nanos(nanos))).await;
        if answered {
            return world.with(|state| state.network.resolve(&name, port));
        }
        tries += 1;
    }
}

/// [`NetBackend::bind_addr`](crate::runtime::backend::NetBackend::bind_addr).
pub(super) fn listen(
    world: &Arc<World>,
    host: usize,
    addr: SocketAddr,
    options: &ListenOptions,
) -> io::Result<TcpListener> {
    if options.only_v6.is_some() && addr.is_ipv4() {
        return Err(invalid("only_v6", &format!("{addr} is not an IPv6 address")));
    }
    check_keepalive(options.socket.keepalive)?;
    // `__inet6_bind`
    if options.only_v6 == Some(true) && canonical(addr).is_ipv4() {
        return Err(Errno::InvalidArgument.into());
    }
    let (number, addr) = world.with(|state| state.network.listen(&mut state.clock, host, addr, options))?;
    Ok(Listener::new(Acceptor::new(world, number, Addr::Ip(addr))))
}

/// A TCP connection in memory. Programs use [`net::TcpStream`](crate::net::TcpStream), which contains it in a
/// simulation.
pub(super) type TcpStream = Stream<SocketAddr>;

/// A TCP listener in memory. Programs use [`net::TcpListener`](crate::net::TcpListener), which contains it in a
/// simulation.
pub(super) type TcpListener = Listener<SocketAddr>;

/// A connection in memory: TCP, or a Unix socket.
///
/// Written data arrives after the latency of the link, in order, whatever faults the link has. 64 KiB may be unread at
/// each end of TCP, unless [`LinkOptions::buffer`] sets another limit; a writer waits for room beyond that. A Unix socket has the
/// send buffer of Linux, which 278 writes of a byte fill. Socket options are stored and returned, but only `linger` of zero, which
/// resets, has an effect.
#[derive(Debug)]
pub struct Stream<A> {
    socket: Socket,
    addr: PhantomData<fn() -> A>,
}

reads!([A] Stream<A>, it => &mut &it.socket);
writes!([A] Stream<A>, it => &mut &it.socket);

/// Read half of a borrowed stream.
#[derive(Debug)]
pub struct ReadHalf<'a, A> {
    stream: &'a Stream<A>,
}

reads!([A] ReadHalf<'_, A>, it => &mut &it.stream.socket);

/// Write half of a borrowed stream.
#[derive(Debug)]
pub struct WriteHalf<'a, A> {
    stream: &'a Stream<A>,
}

writes!([A] WriteHalf<'_, A>, it => &mut &it.stream.socket);

/// Read half of a stream.
#[derive(Debug)]
pub struct OwnedReadHalf<A> {
    stream: Arc<Stream<A>>,
}

reads!([A] OwnedReadHalf<A>, it => &mut &it.stream.socket);

/// Write half of a stream, which closes the write side when it is dropped.
#[derive(Debug)]
pub struct OwnedWriteHalf<A> {
    stream: Arc<Stream<A>>,
    is_reunited: bool,
}

writes!([A] OwnedWriteHalf<A>, it => &mut &it.stream.socket);

impl<A> Drop for OwnedWriteHalf<A> {
    fn drop(&mut self) {
        if !self.is_reunited {
            self.stream.socket.shutdown();
        }
    }
}

macro_rules! half {
    ($half:ty: $trait:ident, $ready:ident, $until:ident, $tries:ident) => {
        impl<A: Address> runtime::$trait for $half {
            type Addr = A;

            fn $ready(&self) -> impl Future<Output = io::Result<()>> + Send {
                self.stream.$until()
            }

            $tries!(forward_to_stream);

            fn local_addr(&self) -> io::Result<A> {
                A::of(&self.stream.socket.addrs.local)
            }

            fn peer_addr(&self) -> io::Result<A> {
                A::of(self.stream.socket.peer()?)
            }
        }
    };
}

/// As [`forward`], of a half.
macro_rules! forward_to_stream {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(fn $name(&self $(, $arg: $type)*) -> io::Result<$output> {
            self.stream.socket.$name($($arg),*)
        })*
    };
}

half!(ReadHalf<'_, A>: ReadHalf, readable, until_readable, read_tries);
half!(WriteHalf<'_, A>: WriteHalf, writable, until_writable, write_tries);
half!(OwnedReadHalf<A>: ReadHalf, readable, until_readable, read_tries);
half!(OwnedWriteHalf<A>: WriteHalf, writable, until_writable, write_tries);

impl<A> Stream<A> {
    fn new(socket: Socket) -> Self {
        Self { socket, addr: PhantomData }
    }

    fn halves(&self) -> (ReadHalf<'_, A>, WriteHalf<'_, A>) {
        (ReadHalf { stream: self }, WriteHalf { stream: self })
    }

    fn into_halves(self) -> (OwnedReadHalf<A>, OwnedWriteHalf<A>) {
        let stream = Arc::new(self);
        (OwnedReadHalf { stream: stream.clone() }, OwnedWriteHalf { stream, is_reunited: false })
    }

    fn of_halves(
        read: OwnedReadHalf<A>,
        mut write: OwnedWriteHalf<A>,
    ) -> Result<Self, ReuniteError<OwnedReadHalf<A>, OwnedWriteHalf<A>>> {
        if !Arc::ptr_eq(&read.stream, &write.stream) {
            return Err(ReuniteError(read, write));
        }
        write.is_reunited = true;
        drop(write);
        match Arc::try_unwrap(read.stream) {
            Ok(stream) => Ok(stream),
            Err(_) => unreachable!("there are two halves, and this was the last"),
        }
    }

    async fn until_readable(&self) -> io::Result<()> {
        poll_fn(|cx| self.socket.poll_readable(cx)).await
    }

    async fn until_writable(&self) -> io::Result<()> {
        poll_fn(|cx| self.socket.poll_writable(cx)).await
    }

    fn attempt<T>(&self, _: Interest, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        operation()
    }

    fn lent(&self) -> Option<Descriptor<'_>> {
        None
    }

    fn into_blocking<S>(self) -> io::Result<S> {
        no_real_sockets()
    }
}

/// The methods of a list in `runtime`, by the socket.
macro_rules! forward {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(fn $name(&self $(, $arg: $type)*) -> io::Result<$output> {
            self.socket.$name($($arg),*)
        })*
    };
}
use forward;

/// An address, as the standard library has it for a family.
trait Address: fmt::Debug + Send + Sized + 'static {
    fn of(addr: &Addr) -> io::Result<Self>;
}

impl Address for SocketAddr {
    fn of(addr: &Addr) -> io::Result<Self> {
        addr.ip().ok_or(ErrorKind::NotConnected.into())
    }
}

impl runtime::TcpStream for TcpStream {
    type ReadHalf<'a> = ReadHalf<'a, SocketAddr>;
    type WriteHalf<'a> = WriteHalf<'a, SocketAddr>;
    type OwnedReadHalf = OwnedReadHalf<SocketAddr>;
    type OwnedWriteHalf = OwnedWriteHalf<SocketAddr>;

    stream_items!(std::net::TcpStream);
    stream_tries!(forward);

    async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| self.socket.poll_read(cx, buf, false)).await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Address::of(&self.socket.addrs.local)
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Address::of(self.socket.peer()?)
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
        self.socket.options(|options, _| options.keepalive.map(|times| all_times(times, None)))
    }

    fn set_keepalive(&self, keepalive: Option<Keepalive>) -> io::Result<()> {
        keepalive.map_or(Ok(()), Keepalive::check)?;
        check_keepalive(keepalive)?;
        self.socket.options(|options, _| {
            options.keepalive = keepalive.map(|times| all_times(times, options.keepalive));
        })?;
        self.socket.keepalive_changed();
        Ok(())
    }

    fn recv_buffer_size(&self) -> io::Result<usize> {
        self.socket.options(|options, _| options.recv_buffer_size.unwrap_or(BUFFER))
    }

    fn send_buffer_size(&self) -> io::Result<usize> {
        self.socket.options(|options, _| options.send_buffer_size.unwrap_or(BUFFER))
    }
}

/// What the system takes for `IP_TTL` (ip(7)).
fn check_ttl(ttl: u32) -> io::Result<()> {
    match ttl {
        1..=255 => Ok(()),
        _ => Err(Errno::InvalidArgument.into()),
    }
}

/// A listener in memory: for TCP, or at a path.
#[derive(Debug)]
pub struct Listener<A> {
    acceptor: Acceptor,
    addr: PhantomData<fn() -> A>,
}

impl<A> Listener<A> {
    fn new(acceptor: Acceptor) -> Self {
        Self { acceptor, addr: PhantomData }
    }

    fn lent(&self) -> Option<Descriptor<'_>> {
        None
    }

    fn into_blocking<S>(self) -> io::Result<S> {
        no_real_sockets()
    }

    fn timer(&self, duration: Duration) -> Sleep {
        let world = self.acceptor.world.clone();
        let deadline = deadline_after(world.now(), duration);
        Sleep::new(world, deadline)
    }

    async fn accepted(&self) -> io::Result<(Stream<A>, A)>
    where
        A: Address,
    {
        poll_fn(|cx| self.poll(cx, How::Awaits)).await
    }

    fn poll_accepted(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Stream<A>, A)>>
    where
        A: Address,
    {
        self.poll(cx, How::Polls)
    }

    fn poll(&self, cx: &mut Context<'_>, how: How) -> Poll<io::Result<(Stream<A>, A)>>
    where
        A: Address,
    {
        let stream = Stream::new(ready!(self.acceptor.poll_accept(cx, how))?);
        let peer = A::of(&stream.socket.addrs.peer)?;
        Poll::Ready(Ok((stream, peer)))
    }
}

impl runtime::TcpListener for TcpListener {
    listener_items!(TcpStream, SocketAddr, std::net::TcpListener);

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Address::of(&self.acceptor.local)
    }

    fn ttl(&self) -> io::Result<u32> {
        self.acceptor.with_ttl(|ttl| *ttl)
    }

    fn set_ttl(&self, new: u32) -> io::Result<()> {
        check_ttl(new)?;
        self.acceptor.with_ttl(|ttl| *ttl = new)
    }
}
