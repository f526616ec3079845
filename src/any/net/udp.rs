use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};

use super::{convert, forward, inherent};
use crate::any::custom;
use crate::any::one_of::{OneOf, each};
use crate::backend::{AsyncIoUdpSocket, MaybeSim, MaybeTokio};
use crate::runtime::{
    self, Descriptor, Interest, Net, RecvMsg, UdpSocket as _, udp_calls, udp_groups, udp_options, udp_tries,
};

type TokioSocket = <MaybeTokio as Net>::UdpSocket;
type SimSocket = <MaybeSim as Net>::UdpSocket;

/// A UDP socket on any runtime.
///
/// This is the `UdpSocket` for a program or a library. It stays with the runtime that created it. It keeps the contract
/// of the trait [`runtime::UdpSocket`], which is for code that is generic over runtimes.
///
/// # Panics
///
/// `AsFd` and `AsSocket` panic if there is no system socket, as in a simulation or on a runtime of your own with a
/// network of its own. There `descriptor` returns `None`.
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
    pub(crate) inner: OneOf<TokioSocket, AsyncIoUdpSocket, SimSocket, custom::net::UdpSocket>,
}

impl UdpSocket {
    /// [`connect`](Self::connect), to an address.
    pub(crate) fn connect_addr(&self, addr: SocketAddr) -> io::Result<()> {
        each!(&self.inner, it => it.connect(addr))
    }

    /// [`send_to`](Self::send_to) as a poll function, for one task.
    ///
    /// See [`runtime::UdpSocket::poll_send_to`].
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        target: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        each!(&self.inner, it => it.poll_send_to(cx, buf, target))
    }

    udp_calls!(inherent UdpSocket);
    udp_options!(inherent UdpSocket);
    udp_groups!(inherent UdpSocket);
    udp_tries!(inherent UdpSocket);

    /// Receives a datagram, and returns whether it was longer than the buffer.
    ///
    /// See [`runtime::UdpSocket::recv_msg`].
    pub async fn recv_msg(&self, buf: &mut [u8]) -> io::Result<RecvMsg<SocketAddr>> {
        each!(&self.inner, it => it.recv_msg(buf).await)
    }

    /// Calls `operation` on the descriptor, without waiting; `WouldBlock` tells the runtime that the descriptor is not
    /// ready.
    ///
    /// See [`runtime::UdpSocket::try_io`].
    pub fn try_io<T>(&self, interest: Interest, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        each!(&self.inner, it => it.try_io(interest, operation))
    }

    /// Returns the system's socket, for options that are missing here; `None` if there is no system socket.
    ///
    /// See [`runtime::UdpSocket::descriptor`].
    pub fn descriptor(&self) -> Option<Descriptor<'_>> {
        each!(&self.inner, it => it.descriptor())
    }

    /// Deregisters it and returns it as a **blocking** one of the standard library.
    ///
    /// See [`runtime::UdpSocket::into_std`].
    pub fn into_std(self) -> io::Result<std::net::UdpSocket> {
        each!(self.inner, it => it.into_std())
    }
}

impl runtime::UdpSocket for UdpSocket {
    fn connect(&self, addr: SocketAddr) -> io::Result<()> {
        self.connect_addr(addr)
    }

    async fn send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        each!(&self.inner, it => it.send_to(buf, target).await)
    }

    fn poll_send_to(&self, cx: &mut Context<'_>, buf: &[u8], target: SocketAddr) -> Poll<io::Result<usize>> {
        self.poll_send_to(cx, buf, target)
    }

    udp_calls!(forward);

    async fn recv_msg(&self, buf: &mut [u8]) -> io::Result<RecvMsg<SocketAddr>> {
        self.recv_msg(buf).await
    }

    udp_options!(forward);
    udp_groups!(forward);
    udp_tries!(forward);

    fn try_io<T>(&self, interest: Interest, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.try_io(interest, operation)
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        self.descriptor()
    }

    fn into_std(self) -> io::Result<std::net::UdpSocket> {
        self.into_std()
    }
}

convert!(UdpSocket: TokioSocket, AsyncIoUdpSocket, SimSocket);
