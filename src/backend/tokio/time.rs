use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;
use tokio::runtime::Handle;
use tokio::task::unconstrained;

use super::Tokio;
use crate::current::Driver;
use crate::runtime::Time as _;
use crate::task::contain::contain;

pin_project! {
    /// tokio's sleep, which is always seen pending once.
    #[derive(Debug)]
    pub struct Sleep {
        #[pin]
        timer: tokio::time::Sleep,
        yielded: bool,
    }
}

impl Sleep {
    /// Needs the context of a runtime; lives without it.
    pub(super) fn new(deadline: Instant) -> Self {
        Self { timer: tokio::time::sleep_until(deadline.into()), yielded: false }
    }
}

/// A sleep for a listener, which goes on without one where the time driver is off, or its runtime has been shut down.
pub(super) fn pause(handle: &Handle, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
    let runtime = Tokio::from(handle.clone());
    let sleep = runtime.has(Driver::Time).then(|| runtime.sleep(duration));
    async move {
        let Some(sleep) = sleep else { return };
        let mut sleep = pin!(sleep);
        poll_fn(|cx| contain(|| sleep.as_mut().poll(cx)).unwrap_or(Poll::Ready(()))).await;
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let yielded = std::mem::replace(this.yielded, true);
        // Without tokio's budget, which a busy socket beside us may have used up: a timeout would never see its
        // time go by (tokio's own does the same, `time/timeout.rs`). No sleep is busy: see below.
        let timer = pin!(unconstrained(this.timer));
        ready!(timer.poll(cx));
        // A deadline that passed long ago completes in the first poll; the contract says that a sleep yields.
        if !yielded {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}

impl crate::runtime::Sleep for Sleep {
    fn deadline(&self) -> Instant {
        self.timer.deadline().into_std()
    }

    fn is_elapsed(&self) -> bool {
        self.timer.is_elapsed()
    }

    fn reset(self: Pin<&mut Self>, deadline: Instant) {
        let this = self.project();
        *this.yielded = false;
        this.timer.reset(deadline.into());
    }
}

impl From<Sleep> for crate::time::Sleep {
    fn from(sleep: Sleep) -> Self {
        Self::tokio(sleep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pause_needs_neither_a_driver_nor_a_runtime() {
        let bare = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        bare.block_on(pause(bare.handle(), Duration::MAX));

        let stopped = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let pause = pause(stopped.handle(), Duration::MAX);
        drop(stopped);
        futures::executor::block_on(pause);
    }
}
