use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};

use super::convert;
use crate::any::custom;
use crate::any::one_of::{OneOf, each};
use crate::backend::{AsyncIoUdpSocket, MaybeSim, MaybeTokio};
use crate::current::find;
use crate::runtime::net::{ToSocketAddrs, udp_bind};
use crate::runtime::{self, Descriptor, Driver, Net, UdpSocket as _, udp_groups, udp_options};

type TokioSocket = <MaybeTokio as Net>::UdpSocket;
type SimSocket = <MaybeSim as Net>::UdpSocket;

/// A UDP socket, whatever the runtime.
///
/// It stays with the runtime that made it and follows the rules of [`runtime::UdpSocket`].
///
/// # Panics
///
/// It lends its descriptor (`AsFd`, `AsSocket`) on the runtimes that are compiled in; on one of your own whose sockets
/// are none of the system that panics, and `descriptor` is `None`.
///
/// # Examples
///
/// ```
/// use std::io;
///
/// use anyrt::net::UdpSocket;
///
/// async fn echo() -> io::Result<()> {
///     let socket = UdpSocket::bind("127.0.0.1:7000").await?;
///     let mut buf = [0; 1500];
///     loop {
///         let (len, peer) = socket.recv_from(&mut buf).await?;
///         socket.send_to(&buf[..len], peer).await?;
///     }
/// }
/// ```
#[derive(Debug)]
pub struct UdpSocket {
    inner: OneOf<TokioSocket, AsyncIoUdpSocket, SimSocket, custom::net::UdpSocket>,
}

macro_rules! inherent {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(
            #[doc = concat!("See [`runtime::UdpSocket::", stringify!($name), "`].")]
            pub fn $name(&self $(, $arg: $type)*) -> io::Result<$output> {
                each!(&self.inner, it => it.$name($($arg),*))
            }
        )*
    };
}

impl UdpSocket {
    /// Binds a socket of the current runtime; see [`Net::udp_bind`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    ///
    /// Scenarios: `udp_without_a_handle`.
    pub fn bind<A: ToSocketAddrs>(addr: A) -> impl Future<Output = io::Result<Self>> + Send {
        let (runtime, addrs) = (find(Driver::Io), addr.to_addrs());
        async move { udp_bind(&runtime?, addrs).await }
    }

    /// Takes over a socket of the standard library; see [`Net::udp_socket_from_std`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, where no runtime is current.
    pub fn from_std(socket: std::net::UdpSocket) -> io::Result<Self> {
        find(Driver::Io)?.udp_socket_from_std(socket)
    }

    /// See [`runtime::UdpSocket::connect`].
    pub fn connect(&self, addr: SocketAddr) -> io::Result<()> {
        each!(&self.inner, it => it.connect(addr))
    }

    /// See [`runtime::UdpSocket::send`].
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        each!(&self.inner, it => it.send(buf).await)
    }

    /// See [`runtime::UdpSocket::poll_send`].
    pub fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        each!(&self.inner, it => it.poll_send(cx, buf))
    }

    /// See [`runtime::UdpSocket::recv`].
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        each!(&self.inner, it => it.recv(buf).await)
    }

    /// See [`runtime::UdpSocket::poll_recv`].
    pub fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        each!(&self.inner, it => it.poll_recv(cx, buf))
    }

    /// See [`runtime::UdpSocket::send_to`].
    pub async fn send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        each!(&self.inner, it => it.send_to(buf, target).await)
    }

    /// See [`runtime::UdpSocket::poll_send_to`].
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        target: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        each!(&self.inner, it => it.poll_send_to(cx, buf, target))
    }

    /// See [`runtime::UdpSocket::recv_from`].
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        each!(&self.inner, it => it.recv_from(buf).await)
    }

    /// See [`runtime::UdpSocket::poll_recv_from`].
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        each!(&self.inner, it => it.poll_recv_from(cx, buf))
    }

    /// See [`runtime::UdpSocket::peek`].
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        each!(&self.inner, it => it.peek(buf).await)
    }

    /// See [`runtime::UdpSocket::poll_peek`].
    pub fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        each!(&self.inner, it => it.poll_peek(cx, buf))
    }

    /// See [`runtime::UdpSocket::peek_from`].
    pub async fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        each!(&self.inner, it => it.peek_from(buf).await)
    }

    /// See [`runtime::UdpSocket::poll_peek_from`].
    pub fn poll_peek_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        each!(&self.inner, it => it.poll_peek_from(cx, buf))
    }

    udp_options!(inherent);
    udp_groups!(inherent);

    /// See [`runtime::UdpSocket::descriptor`].
    pub fn descriptor(&self) -> Option<Descriptor<'_>> {
        each!(&self.inner, it => it.descriptor())
    }

    /// See [`runtime::UdpSocket::into_std`].
    pub fn into_std(self) -> io::Result<std::net::UdpSocket> {
        each!(self.inner, it => it.into_std())
    }
}

macro_rules! forward {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(
            fn $name(&self $(, $arg: $type)*) -> io::Result<$output> {
                self.$name($($arg),*)
            }
        )*
    };
}

impl runtime::UdpSocket for UdpSocket {
    fn connect(&self, addr: SocketAddr) -> io::Result<()> {
        self.connect(addr)
    }

    async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.send(buf).await
    }

    fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_send(cx, buf)
    }

    async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv(buf).await
    }

    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_recv(cx, buf)
    }

    async fn send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        self.send_to(buf, target).await
    }

    fn poll_send_to(&self, cx: &mut Context<'_>, buf: &[u8], target: SocketAddr) -> Poll<io::Result<usize>> {
        self.poll_send_to(cx, buf, target)
    }

    async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.recv_from(buf).await
    }

    fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.poll_recv_from(cx, buf)
    }

    async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.peek(buf).await
    }

    fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_peek(cx, buf)
    }

    async fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.peek_from(buf).await
    }

    fn poll_peek_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.poll_peek_from(cx, buf)
    }

    udp_options!(forward);
    udp_groups!(forward);

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        self.descriptor()
    }

    fn into_std(self) -> io::Result<std::net::UdpSocket> {
        self.into_std()
    }
}

convert!(UdpSocket: TokioSocket, AsyncIoUdpSocket, SimSocket);
