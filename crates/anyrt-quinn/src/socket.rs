//! UDP sockets, as quinn wants them: one for sockets of the system, and one for others.

use std::io::{self, ErrorKind, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker, ready};

use anyrt::net::UdpSocket;
// quinn binds without waiting; `Net::udp_bind` is async, because it takes names.
use anyrt::runtime::backend::NetBackend;
use anyrt::runtime::{Descriptor, Interest};
use anyrt::{AnyRuntime, Net};
use quinn::udp::{RecvMeta, Transmit, UdpSocketState};
use quinn::{AsyncUdpSocket, UdpPoller};
use socket2::{Domain, SockRef, Socket, Type};

use crate::poller::{Poller, Sender};

/// How many errors a receive passes over. What was reported of a datagram is one error, and ends no endpoint; quinn 0.11 passes
/// over them all (`runtime/tokio.rs`), and tries for ever where the socket is broken.
const ERRORS: u32 = 16;

/// Binds a socket, which takes IPv4 as well if it can.
pub(crate) fn bind(runtime: &AnyRuntime, addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = runtime.udp_bind_addr(addr)?;
    let is_only_v6 = addr.is_ipv6()
        && match socket.descriptor() {
            Some(descriptor) => SockRef::from(&descriptor).only_v6()?,
            None => false,
        };
    if !is_only_v6 {
        return Ok(socket);
    }
    // Windows has another default than Linux, and it can be changed before the socket is bound only.
    drop(socket);
    let socket = Socket::new(Domain::IPV6, Type::DGRAM, None)?;
    // A system that refuses has sockets for IPv6 alone: those do, too.
    let _ = socket.set_only_v6(false);
    socket.bind(&addr.into())?;
    runtime.udp_socket_from_std(socket.into())
}

/// A socket of the system: quinn-udp works on its descriptor.
#[derive(Debug)]
pub(crate) struct Batched {
    sender: Sender,
    state: UdpSocketState,
    /// Whether the last receive had to wait.
    waits: AtomicBool,
}

impl Batched {
    /// Returns the socket if it is not a system socket.
    pub(crate) fn new(socket: UdpSocket) -> io::Result<Result<Self, UdpSocket>> {
        let state = match socket.descriptor() {
            Some(descriptor) => UdpSocketState::new((&descriptor).into())?,
            None => return Ok(Err(socket)),
        };
        Ok(Ok(Self { sender: Sender::new(socket), state, waits: AtomicBool::new(false) }))
    }

    fn descriptor(&self) -> io::Result<Descriptor<'_>> {
        self.sender.socket.descriptor().ok_or_else(|| ErrorKind::Unsupported.into())
    }
}

impl AsRef<Sender> for Batched {
    fn as_ref(&self) -> &Sender {
        &self.sender
    }
}

impl AsyncUdpSocket for Batched {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Poller::boxed(self)
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let send = || self.state.send((&self.descriptor()?).into(), transmit);
        self.sender.sent(self.sender.socket.try_io(Interest::Writable, send))
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut errors = 0;
        // async-io 2.6 keeps the event that woke us until it is asked again, and would answer too early after the receive.
        if self.waits.swap(false, Ordering::Relaxed) {
            let _ = self.sender.socket.poll_recv_ready(cx)?;
        }
        loop {
            let receive = || self.state.recv((&self.descriptor()?).into(), bufs, meta);
            match self.sender.socket.try_io(Interest::Readable, receive) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if self.sender.socket.poll_recv_ready(cx)?.is_pending() {
                        self.waits.store(true, Ordering::Relaxed);
                        return Poll::Pending;
                    }
                }
                Err(_) if errors < ERRORS => errors += 1,
                received => return Poll::Ready(received),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.sender.socket.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.state.gro_segments()
    }

    fn may_fragment(&self) -> bool {
        self.state.may_fragment()
    }
}

/// A socket of a simulation, or of a runtime that lends no descriptor.
#[derive(Debug)]
pub(crate) struct Plain {
    sender: Sender,
}

impl Plain {
    pub(crate) fn new(socket: UdpSocket) -> Self {
        Self { sender: Sender::new(socket) }
    }
}

impl AsRef<Sender> for Plain {
    fn as_ref(&self) -> &Sender {
        &self.sender
    }
}

impl AsyncUdpSocket for Plain {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Poller::boxed(self)
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let mut cx = Context::from_waker(Waker::noop());
        match self.sender.socket.poll_send_to(&mut cx, transmit.contents, transmit.destination) {
            // Or it has failed, and is a datagram that is lost, as with quinn-udp 0.5 (`UdpSocketState::send`).
            Poll::Ready(_) => Ok(()),
            Poll::Pending => self.sender.sent(Err(ErrorKind::WouldBlock.into())),
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let (Some(buf), Some(meta)) = (bufs.first_mut(), meta.first_mut()) else {
            return Poll::Ready(Ok(0));
        };
        let mut errors = 0;
        loop {
            match ready!(self.sender.socket.poll_recv_from(cx, buf)) {
                Ok((len, addr)) => {
                    *meta = RecvMeta { addr, len, stride: len, ecn: None, dst_ip: None };
                    return Poll::Ready(Ok(1));
                }
                Err(_) if errors < ERRORS => errors += 1,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.sender.socket.local_addr()
    }
}
