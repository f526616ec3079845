use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::{Interest, ReadBuf};

use super::datagram::{datagram, receives};
use super::{attempt, counted, or_untold, poll_untold, untold};
use crate::runtime::net::family::StdSocket;
use crate::runtime::net::{Descriptor, descriptor, lends};
use crate::runtime::{self, udp_groups, udp_options};

/// tokio's socket. It needs the context of its runtime only where it is made.
#[derive(Debug)]
pub struct UdpSocket {
    socket: tokio::net::UdpSocket,
}

impl UdpSocket {
    pub(in crate::backend::tokio) fn from_std(socket: std::net::UdpSocket) -> io::Result<Self> {
        Ok(Self { socket: tokio::net::UdpSocket::from_std(socket.nonblocking()?)? })
    }

    pub(crate) fn from_native(socket: tokio::net::UdpSocket) -> Self {
        Self { socket }
    }

    pub(crate) fn into_native(self) -> tokio::net::UdpSocket {
        self.socket
    }

    /// Whether tokio has not been told yet that one can send: the socket is new, or it is full. It keeps no other sign of it.
    fn is_untold(&self) -> bool {
        self.socket.try_io(Interest::WRITABLE, || Ok(())).is_err()
    }

    /// The same socket, for it can be read from without `unsafe`, which `SockRef` cannot.
    fn std(&self) -> io::Result<std::net::UdpSocket> {
        Ok(descriptor(self).try_clone_to_owned()?.into())
    }
}

lends!([] UdpSocket, it => descriptor(&it.socket));

macro_rules! forward {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(
            fn $name(&self $(, $arg: $type)*) -> io::Result<$output> {
                self.socket.$name($($arg),*)
            }
        )*
    };
}

macro_rules! forward_to_socket2 {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(
            fn $name(&self $(, $arg: $type)*) -> io::Result<$output> {
                SockRef::from(&self.socket).$name($($arg),*)
            }
        )*
    };
}

impl runtime::UdpSocket for UdpSocket {
    fn connect(&self, addr: SocketAddr) -> io::Result<()> {
        // tokio's own is async, because it resolves names.
        SockRef::from(&self.socket).connect(&addr.into())
    }

    datagram!(SocketAddr);
    receives!(peek, poll_peek);
    receives!(peek_from, poll_peek_from from SocketAddr);

    async fn send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        let untold = || SockRef::from(&self.socket).send_to(buf, &target.into());
        or_untold(self.socket.send_to(buf, target), || self.is_untold(), untold).await
    }

    fn poll_send_to(&self, cx: &mut Context<'_>, buf: &[u8], target: SocketAddr) -> Poll<io::Result<usize>> {
        match self.socket.poll_send_to(cx, buf, target) {
            Poll::Pending => poll_untold(cx, || SockRef::from(&self.socket).send_to(buf, &target.into())),
            ready => ready,
        }
    }

    async fn readable(&self) -> io::Result<()> {
        // `readable` of tokio 1.54 is not woken by an error that the peer's host has sent.
        counted(self.socket.ready(Interest::READABLE | Interest::ERROR)).await.map(drop)
    }

    fn poll_recv_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_recv_ready(cx)
    }

    async fn writable(&self) -> io::Result<()> {
        counted(self.socket.writable()).await
    }

    fn poll_send_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_send_ready(cx)
    }

    fn try_io<T>(
        &self,
        interest: runtime::Interest,
        operation: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        let try_io = |call: &mut dyn FnMut() -> io::Result<T>| {
            let tried = self.socket.try_io(interest.into(), &mut *call);
            match tried {
                // A receive may find an error. tokio 1.54 takes the two interests for none where one asks for both
                // (`Interest::mask`).
                Err(error)
                    if error.kind() == io::ErrorKind::WouldBlock
                        && interest == runtime::Interest::Readable =>
                {
                    self.socket.try_io(Interest::ERROR, call)
                }
                tried => tried,
            }
        };
        attempt(operation, try_io, || self.is_untold())
    }

    fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        match self.socket.try_recv_from(buf) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && self.is_untold() => {
                self.std()?.recv_from(buf)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.socket.try_io(Interest::ERROR, || self.std()?.recv_from(buf))
            }
            received => received,
        }
    }

    udp_options!(forward);
    // tokio's own take some by value and some by reference.
    udp_groups!(forward_to_socket2);

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        Some(descriptor(self))
    }

    fn into_std(self) -> io::Result<std::net::UdpSocket> {
        self.socket.into_std()?.blocking()
    }
}
