use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use pin_project_lite::pin_project;

use super::Time;

pin_project! {
    /// The future of [`Time::timeout`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Timeout<F, R: Time> {
        runtime: R,
        deadline: Instant,
        #[pin]
        future: F,
        // A future that is ready at once never needs one.
        #[pin]
        sleep: Option<R::Sleep>,
    }
}

impl<F, R: Time> Timeout<F, R> {
    pub(crate) fn new(runtime: R, deadline: Instant, future: F) -> Self {
        Self { runtime, deadline, future, sleep: None }
    }

    /// Returns a reference to the future.
    pub fn get_ref(&self) -> &F {
        &self.future
    }

    /// Returns a mutable reference to the future.
    pub fn get_mut(&mut self) -> &mut F {
        &mut self.future
    }

    /// Returns the future without its timeout.
    pub fn into_inner(self) -> F {
        self.future
    }
}

impl<F: Future, R: Time> Future for Timeout<F, R> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        if this.sleep.is_none() {
            this.sleep.set(Some(this.runtime.sleep_until(*this.deadline)));
        }
        match this.sleep.as_pin_mut() {
            Some(sleep) => sleep.poll(cx).map(|()| Err(Elapsed(()))),
            None => Poll::Pending,
        }
    }
}

impl<F, R: Time> fmt::Debug for Timeout<F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// Error: the time of a [`Timeout`] is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elapsed(());

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("deadline has elapsed")
    }
}

impl std::error::Error for Elapsed {}

impl From<Elapsed> for io::Error {
    fn from(elapsed: Elapsed) -> Self {
        io::Error::new(io::ErrorKind::TimedOut, elapsed)
    }
}
