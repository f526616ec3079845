use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};

use super::datagram::datagram;
use super::{Reactor, Registered, Shared, Way, poll_io, read_io, write_io};
use crate::runtime::net::family::StdSocket;
use crate::runtime::net::{Descriptor, descriptor, lends};
use crate::runtime::task::coop;
use crate::runtime::{self, udp_groups, udp_options};

type Std = std::net::UdpSocket;

/// A UDP socket registered with a reactor. For authors of backends; programs use
/// [`net::UdpSocket`](crate::net::UdpSocket).
#[derive(Debug)]
pub struct UdpSocket<R: Reactor> {
    socket: R::Registered<Std>,
    waits: Shared,
}

impl<R: Reactor> UdpSocket<R> {
    /// Creates a socket from a registered one.
    pub fn new(socket: R::Registered<std::net::UdpSocket>) -> Self {
        Self { socket, waits: Shared::default() }
    }

    /// Registers a socket, blocking or non-blocking.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn from_std(reactor: &R, socket: std::net::UdpSocket) -> io::Result<Self> {
        Ok(Self::new(reactor.register(socket.nonblocking()?)?))
    }

    /// Returns the registered socket.
    pub fn into_inner(self) -> R::Registered<std::net::UdpSocket> {
        self.socket
    }
}

lends!([R: Reactor] UdpSocket<R>, it => descriptor(it.socket.get_ref()));

macro_rules! forward {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(
            fn $name(&self $(, $arg: $type)*) -> io::Result<$output> {
                self.socket.get_ref().$name($($arg),*)
            }
        )*
    };
}

impl<R: Reactor> runtime::UdpSocket for UdpSocket<R> {
    fn connect(&self, addr: SocketAddr) -> io::Result<()> {
        self.socket.get_ref().connect(addr)
    }

    datagram!(SocketAddr);

    async fn send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        write_io(&self.socket, |socket| socket.send_to(buf, target)).await
    }

    fn poll_send_to(&self, cx: &mut Context<'_>, buf: &[u8], target: SocketAddr) -> Poll<io::Result<usize>> {
        poll_io(cx, &self.socket, &self.waits, Way::Write, |socket| socket.send_to(buf, target))
    }

    async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        read_io(&self.socket, |socket| socket.peek(buf)).await
    }

    fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        poll_io(cx, &self.socket, &self.waits, Way::Read, |socket| socket.peek(buf))
    }

    async fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        read_io(&self.socket, |socket| socket.peek_from(buf)).await
    }

    fn poll_peek_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        poll_io(cx, &self.socket, &self.waits, Way::Read, |socket| socket.peek_from(buf))
    }

    async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    fn poll_recv_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        coop::poll(cx, |cx| self.waits.poll(Way::Read, cx, |cx| self.socket.poll_readable(cx)))
    }

    async fn writable(&self) -> io::Result<()> {
        self.socket.writable().await
    }

    fn poll_send_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        coop::poll(cx, |cx| self.waits.poll(Way::Write, cx, |cx| self.socket.poll_writable(cx)))
    }

    fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.get_ref().recv_from(buf)
    }

    udp_options!(forward);
    udp_groups!(forward);

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        Some(descriptor(self))
    }

    fn into_std(self) -> io::Result<std::net::UdpSocket> {
        self.socket.into_inner()?.blocking()
    }
}
