use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;

use crate::runtime;
use crate::runtime::backend::BoxFuture;

/// Stream of incoming connections; returned by [`runtime::TcpListener::incoming`].
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Incoming<'a, L> {
    listener: &'a mut L,
    pause: Pause,
}

impl<'a, L: runtime::TcpListener> Incoming<'a, L> {
    pub(crate) fn new(listener: &'a mut L) -> Self {
        Self { listener, pause: Pause::default() }
    }
}

impl<L: runtime::TcpListener> Stream for Incoming<'_, L> {
    type Item = io::Result<L::Stream>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { listener, pause } = &mut *self;
        pause.poll_next(cx, |cx| listener.poll_accept(cx), |duration| listener.sleep(duration))
    }
}

/// How long a listener waits after an error that would only come again.
const PAUSE: Duration = Duration::from_millis(100);

/// Whether the next attempt to accept would fail as well. An error of one connection says nothing about the next, and one
/// that is not the system's will not pass; what is left are descriptors and memory that have run out.
fn is_lasting(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    let of_one = matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset);
    !of_one && error.raw_os_error().is_some()
}

/// How the streams of all listeners go on after an error: a sleep, or nothing.
#[derive(Default)]
pub(super) struct Pause(Option<BoxFuture>);

impl Pause {
    pub(super) fn poll_next<S, A, F: Future<Output = ()> + Send + 'static>(
        &mut self,
        cx: &mut Context<'_>,
        poll_accept: impl FnOnce(&mut Context<'_>) -> Poll<io::Result<(S, A)>>,
        sleep: impl FnOnce(Duration) -> F,
    ) -> Poll<Option<io::Result<S>>> {
        if let Some(sleep) = &mut self.0 {
            ready!(sleep.as_mut().poll(cx));
            self.0 = None;
        }
        let accepted = ready!(poll_accept(cx)).map(|(stream, _)| stream);
        if accepted.as_ref().is_err_and(is_lasting) {
            self.0 = Some(Box::pin(sleep(PAUSE)));
        }
        Poll::Ready(Some(accepted))
    }
}

impl fmt::Debug for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Pause" } else { "None" })
    }
}
