use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};

use super::Boxed;
use crate::runtime::{self, Descriptor, udp_groups, udp_options};

macro_rules! declare {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(fn $name(&self $(, $arg: $type)*) -> io::Result<$output>;)*
    };
}

/// The object-safe twin of [`runtime::UdpSocket`].
trait Erased: fmt::Debug + Send + Sync {
    fn connect(&self, addr: SocketAddr) -> io::Result<()>;
    fn send<'a>(&'a self, buf: &'a [u8]) -> Boxed<'a, io::Result<usize>>;
    fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>>;
    fn recv<'a>(&'a self, buf: &'a mut [u8]) -> Boxed<'a, io::Result<usize>>;
    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>;
    fn send_to<'a>(&'a self, buf: &'a [u8], target: SocketAddr) -> Boxed<'a, io::Result<usize>>;
    fn poll_send_to(&self, cx: &mut Context<'_>, buf: &[u8], target: SocketAddr) -> Poll<io::Result<usize>>;
    fn recv_from<'a>(&'a self, buf: &'a mut [u8]) -> Boxed<'a, io::Result<(usize, SocketAddr)>>;
    fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>>;
    fn peek<'a>(&'a self, buf: &'a mut [u8]) -> Boxed<'a, io::Result<usize>>;
    fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>;
    fn peek_from<'a>(&'a self, buf: &'a mut [u8]) -> Boxed<'a, io::Result<(usize, SocketAddr)>>;
    fn poll_peek_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>>;
    udp_options!(declare);
    udp_groups!(declare);
    fn descriptor(&self) -> Option<Descriptor<'_>>;
    fn into_std(self: Box<Self>) -> io::Result<std::net::UdpSocket>;
}

macro_rules! erase {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(
            fn $name(&self $(, $arg: $type)*) -> io::Result<$output> {
                runtime::UdpSocket::$name(self $(, $arg)*)
            }
        )*
    };
}

impl<S: runtime::UdpSocket> Erased for S {
    fn connect(&self, addr: SocketAddr) -> io::Result<()> {
        runtime::UdpSocket::connect(self, addr)
    }

    fn send<'a>(&'a self, buf: &'a [u8]) -> Boxed<'a, io::Result<usize>> {
        Box::pin(runtime::UdpSocket::send(self, buf))
    }

    fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        runtime::UdpSocket::poll_send(self, cx, buf)
    }

    fn recv<'a>(&'a self, buf: &'a mut [u8]) -> Boxed<'a, io::Result<usize>> {
        Box::pin(runtime::UdpSocket::recv(self, buf))
    }

    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        runtime::UdpSocket::poll_recv(self, cx, buf)
    }

    fn send_to<'a>(&'a self, buf: &'a [u8], target: SocketAddr) -> Boxed<'a, io::Result<usize>> {
        Box::pin(runtime::UdpSocket::send_to(self, buf, target))
    }

    fn poll_send_to(&self, cx: &mut Context<'_>, buf: &[u8], target: SocketAddr) -> Poll<io::Result<usize>> {
        runtime::UdpSocket::poll_send_to(self, cx, buf, target)
    }

    fn recv_from<'a>(&'a self, buf: &'a mut [u8]) -> Boxed<'a, io::Result<(usize, SocketAddr)>> {
        Box::pin(runtime::UdpSocket::recv_from(self, buf))
    }

    fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        runtime::UdpSocket::poll_recv_from(self, cx, buf)
    }

    fn peek<'a>(&'a self, buf: &'a mut [u8]) -> Boxed<'a, io::Result<usize>> {
        Box::pin(runtime::UdpSocket::peek(self, buf))
    }

    fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        runtime::UdpSocket::poll_peek(self, cx, buf)
    }

    fn peek_from<'a>(&'a self, buf: &'a mut [u8]) -> Boxed<'a, io::Result<(usize, SocketAddr)>> {
        Box::pin(runtime::UdpSocket::peek_from(self, buf))
    }

    fn poll_peek_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        runtime::UdpSocket::poll_peek_from(self, cx, buf)
    }

    udp_options!(erase);
    udp_groups!(erase);

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        runtime::UdpSocket::descriptor(self)
    }

    fn into_std(self: Box<Self>) -> io::Result<std::net::UdpSocket> {
        runtime::UdpSocket::into_std(*self)
    }
}

/// A UDP socket of a runtime that anyrt does not know.
#[derive(Debug)]
pub(crate) struct UdpSocket {
    socket: Box<dyn Erased>,
}

impl UdpSocket {
    pub(in crate::any::custom) fn new<S: runtime::UdpSocket>(socket: S) -> Self {
        Self { socket: Box::new(socket) }
    }
}

macro_rules! forward {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(
            fn $name(&self $(, $arg: $type)*) -> io::Result<$output> {
                self.socket.$name($($arg),*)
            }
        )*
    };
}

impl runtime::UdpSocket for UdpSocket {
    fn connect(&self, addr: SocketAddr) -> io::Result<()> {
        self.socket.connect(addr)
    }

    async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.socket.send(buf).await
    }

    fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.socket.poll_send(cx, buf)
    }

    async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.recv(buf).await
    }

    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.socket.poll_recv(cx, buf)
    }

    async fn send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        self.socket.send_to(buf, target).await
    }

    fn poll_send_to(&self, cx: &mut Context<'_>, buf: &[u8], target: SocketAddr) -> Poll<io::Result<usize>> {
        self.socket.poll_send_to(cx, buf, target)
    }

    async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.recv_from(buf).await
    }

    fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.socket.poll_recv_from(cx, buf)
    }

    async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.peek(buf).await
    }

    fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.socket.poll_peek(cx, buf)
    }

    async fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.peek_from(buf).await
    }

    fn poll_peek_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.socket.poll_peek_from(cx, buf)
    }

    udp_options!(forward);
    udp_groups!(forward);

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        self.socket.descriptor()
    }

    fn into_std(self) -> io::Result<std::net::UdpSocket> {
        self.socket.into_std()
    }
}
