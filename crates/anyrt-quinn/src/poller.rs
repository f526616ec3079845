use std::fmt;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use anyrt::net::UdpSocket;
use quinn::UdpPoller;

/// A socket that knows how often it had no room.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) socket: UdpSocket,
    full: AtomicU64,
}

impl Sender {
    pub(crate) fn new(socket: UdpSocket) -> Self {
        Self { socket, full: AtomicU64::new(0) }
    }

    /// What a send has come to.
    pub(crate) fn sent(&self, result: io::Result<()>) -> io::Result<()> {
        if result.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock) {
            self.full.fetch_add(1, Ordering::Relaxed);
        }
        result
    }
}

type Wait = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

/// Waits for room to send: one of many who wait for the same socket.
///
/// quinn 0.11 asks it before each send (`connection.rs`, `drive_transmit`). tokio would know the answer; async-io has to ask the
/// system, which takes longer than a send. So there is room, until a send has found none.
pub(crate) struct Poller<S> {
    socket: Arc<S>,
    /// How often there was none when it waited last.
    full: u64,
    // Never locked: the future is not `Sync`, and a poller has to be.
    wait: Mutex<Option<Wait>>,
}

impl<S: AsRef<Sender> + fmt::Debug + Send + Sync + 'static> Poller<S> {
    pub(crate) fn boxed(socket: Arc<S>) -> Pin<Box<dyn UdpPoller>> {
        let full = (*socket).as_ref().full.load(Ordering::Relaxed);
        Box::pin(Self { socket, full, wait: Mutex::new(None) })
    }
}

impl<S: AsRef<Sender> + fmt::Debug + Send + Sync + 'static> UdpPoller for Poller<S> {
    fn poll_writable(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { socket, full, wait } = &mut *self;
        let wait = wait.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner());
        if wait.is_none() {
            let now = (**socket).as_ref().full.load(Ordering::Relaxed);
            if std::mem::replace(full, now) == now {
                return Poll::Ready(Ok(()));
            }
        }
        let waiting = wait.get_or_insert_with(|| {
            let socket = socket.clone();
            Box::pin(async move { (*socket).as_ref().socket.writable().await })
        });
        let writable = ready!(waiting.as_mut().poll(cx));
        *wait = None;
        Poll::Ready(writable)
    }
}

impl<S: fmt::Debug> fmt::Debug for Poller<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poller").field("socket", &self.socket).finish_non_exhaustive()
    }
}
