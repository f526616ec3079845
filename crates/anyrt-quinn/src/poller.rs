use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use anyrt::net::UdpSocket;
use quinn::UdpPoller;

type Wait = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

/// Waits for room to send: one of many who wait for the same socket.
pub(crate) struct Poller<S> {
    socket: Arc<S>,
    // Never locked: the future is not `Sync`, and a poller has to be.
    wait: Mutex<Option<Wait>>,
}

impl<S: AsRef<UdpSocket> + fmt::Debug + Send + Sync + 'static> Poller<S> {
    pub(crate) fn boxed(socket: Arc<S>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(Self { socket, wait: Mutex::new(None) })
    }
}

impl<S: AsRef<UdpSocket> + fmt::Debug + Send + Sync + 'static> UdpPoller for Poller<S> {
    fn poll_writable(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { socket, wait } = &mut *self;
        let wait = wait.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner());
        let waiting = wait.get_or_insert_with(|| {
            let socket = socket.clone();
            Box::pin(async move { (*socket).as_ref().writable().await })
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
