//! What quinn asks of a runtime, over any runtime of anyrt.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use anyrt::runtime::{Sleep, UdpSocket};
use anyrt::{BlockOn, Net, Sim, Time};
use futures::poll;
use quinn::AsyncUdpSocket;
use quinn::udp::{RecvMeta, Transmit};

/// A runtime, for quinn.
#[derive(Clone, Debug)]
pub(crate) struct On<R>(pub(crate) R);

impl<R: Time> quinn::Runtime for On<R> {
    fn new_timer(&self, deadline: Instant) -> Pin<Box<dyn quinn::AsyncTimer>> {
        Box::pin(Timer(Box::pin(self.0.sleep_until(deadline))))
    }

    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        drop(self.0.spawn(future));
    }

    fn wrap_udp_socket(&self, _: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        Err(ErrorKind::Unsupported.into())
    }

    fn now(&self) -> Instant {
        self.0.now()
    }
}

#[derive(Debug)]
struct Timer<S>(Pin<Box<S>>);

impl<S: Sleep> Future for Timer<S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl<S: Sleep> quinn::AsyncTimer for Timer<S> {
    fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
        self.0.as_mut().reset(deadline);
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

/// A UDP socket, for quinn.
#[derive(Debug)]
pub(crate) struct Udp<S> {
    socket: S,
    full: AtomicBool,
}

impl<S: UdpSocket> Udp<S> {
    pub(crate) fn new(socket: S) -> Arc<Self> {
        Arc::new(Self { socket, full: AtomicBool::new(false) })
    }
}

impl<S: UdpSocket> AsyncUdpSocket for Udp<S> {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn quinn::UdpPoller>> {
        Box::pin(Poller(self))
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let mut cx = Context::from_waker(Waker::noop());
        match self.socket.poll_send_to(&mut cx, transmit.contents, transmit.destination) {
            Poll::Ready(sent) => sent.map(drop),
            Poll::Pending => {
                self.full.store(true, Ordering::Relaxed);
                Err(ErrorKind::WouldBlock.into())
            }
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let (len, addr) = ready!(self.socket.poll_recv_from(cx, &mut bufs[0]))?;
        meta[0] = RecvMeta { addr, len, stride: len, ecn: None, dst_ip: None };
        Poll::Ready(Ok(1))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

struct Poller<S>(Arc<Udp<S>>);

impl<S: UdpSocket> quinn::UdpPoller for Poller<S> {
    fn poll_writable(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A socket of anyrt sends, or says when it has sent, but not when it could: so try again, one turn later.
        if self.0.full.swap(false, Ordering::Relaxed) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: fmt::Debug> fmt::Debug for Poller<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Poller").field(&self.0).finish()
    }
}

#[test]
fn sender_that_would_block_has_another_turn() {
    let sim = Sim::builder().seed(7).build().unwrap();
    sim.block_on(async {
        let socket = Udp::new(sim.udp_bind("0.0.0.0:0").await.unwrap());
        let mut poller = socket.clone().create_io_poller();
        let destination = "10.0.0.9:9".parse().unwrap();
        let transmit = Transmit { destination, ecn: None, contents: b"x", segment_size: None, src_ip: None };
        for _ in 0..3 {
            // The budget of a turn.
            while socket.try_send(&transmit).is_ok() {}
            assert!(poll!(poll_fn(|cx| poller.as_mut().poll_writable(cx))).is_pending());
            poll_fn(|cx| poller.as_mut().poll_writable(cx)).await.unwrap();
        }
    });
}
