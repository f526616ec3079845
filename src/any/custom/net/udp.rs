use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};

use super::{Boxed, TryIo, attempt, declare, erase, forward};
use crate::runtime::{
    self, Descriptor, Interest, udp_calls, udp_groups, udp_options, udp_send_to, udp_tries,
};

/// The object-safe twin of [`runtime::UdpSocket`].
trait Erased: fmt::Debug + Send + Sync {
    fn connect(&self, addr: SocketAddr) -> io::Result<()>;
    udp_calls!(declare);
    udp_send_to!(declare);
    udp_options!(declare);
    udp_groups!(declare);
    udp_tries!(declare);
    fn try_io(&self, interest: Interest, operation: TryIo<'_>) -> io::Result<()>;
    fn descriptor(&self) -> Option<Descriptor<'_>>;
    fn into_std(self: Box<Self>) -> io::Result<std::net::UdpSocket>;
}

impl<S: runtime::UdpSocket> Erased for S {
    fn connect(&self, addr: SocketAddr) -> io::Result<()> {
        runtime::UdpSocket::connect(self, addr)
    }

    udp_calls!(erase UdpSocket);
    udp_send_to!(erase UdpSocket);
    udp_options!(erase UdpSocket);
    udp_groups!(erase UdpSocket);
    udp_tries!(erase UdpSocket);

    fn try_io(&self, interest: Interest, operation: TryIo<'_>) -> io::Result<()> {
        runtime::UdpSocket::try_io(self, interest, operation)
    }

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
    io: Box<dyn Erased>,
}

impl UdpSocket {
    pub(in crate::any::custom) fn new<S: runtime::UdpSocket>(socket: S) -> Self {
        Self { io: Box::new(socket) }
    }
}

impl runtime::UdpSocket for UdpSocket {
    fn connect(&self, addr: SocketAddr) -> io::Result<()> {
        self.io.connect(addr)
    }

    udp_calls!(forward);
    udp_send_to!(forward);
    udp_options!(forward);
    udp_groups!(forward);
    udp_tries!(forward);

    fn try_io<T>(&self, interest: Interest, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        attempt(operation, |call| self.io.try_io(interest, call))
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        self.io.descriptor()
    }

    fn into_std(self) -> io::Result<std::net::UdpSocket> {
        self.io.into_std()
    }
}
