use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;
use tokio::runtime::Handle;
use tokio::task::unconstrained;

use super::Tokio;
use super::clock::Clock;
use crate::runtime::Driver;
use crate::runtime::Time as _;
use crate::runtime::task::catch_panic::catch_panic;
use crate::runtime::time::{SleepState, deadline_after};

pin_project! {
    /// tokio's sleep, which looks at the clock itself: a timer of tokio counts in milliseconds, and fires when its driver has a
    /// turn. With a budget for those that are due at their first poll.
    #[derive(Debug)]
    pub struct Sleep {
        #[pin]
        timer: tokio::time::Sleep,
        clock: Clock,
        progress: SleepState,
    }
}

impl Sleep {
    /// Needs the context of a runtime; lives without it.
    pub(super) fn new(clock: Clock, deadline: Instant) -> Self {
        Self { timer: tokio::time::sleep_until(within_clock(deadline)), clock, progress: SleepState::New }
    }

    /// In the context of this thread.
    ///
    /// # Panics
    ///
    /// As tokio's: if the thread is in no context, or its runtime has no timers.
    #[inline]
    pub(super) fn here(duration: Duration) -> Self {
        let now = tokio::time::Instant::now().into_std();
        Self::new(Clock::here(), deadline_after(now, duration))
    }
}

/// tokio 1.54 adds a millisecond to a deadline, and panics where the clock ends (`runtime/time/source.rs`).
fn within_clock(deadline: Instant) -> tokio::time::Instant {
    const ROUNDED_UP: Duration = Duration::from_millis(1);
    let fits = deadline.checked_add(ROUNDED_UP).is_some();
    (if fits { deadline } else { deadline - ROUNDED_UP }).into()
}

/// A sleep for a listener, which goes on without one where the time driver is off, or its runtime has been shut down.
pub(super) fn pause(handle: &Handle, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
    let runtime = Tokio::from(handle.clone());
    let sleep = runtime.has(Driver::Time).then(|| runtime.sleep(duration));
    async move {
        let Some(sleep) = sleep else { return };
        let mut sleep = pin!(sleep);
        poll_fn(|cx| catch_panic(|| sleep.as_mut().poll(cx)).unwrap_or(Poll::Ready(()))).await;
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let (clock, timer) = (this.clock, this.timer);
        this.progress.poll(cx, |cx| {
            if clock.now() >= timer.deadline().into_std() {
                return Poll::Ready(());
            }
            // Without tokio's budget, which a busy socket beside us may have used up: then the timer would not be set.
            pin!(unconstrained(timer)).poll(cx)
        })
    }
}

impl crate::runtime::Sleep for Sleep {
    fn deadline(&self) -> Instant {
        self.timer.deadline().into_std()
    }

    fn is_elapsed(&self) -> bool {
        self.progress.is_elapsed()
    }

    fn reset(self: Pin<&mut Self>, deadline: Instant) {
        let this = self.project();
        *this.progress = SleepState::New;
        this.timer.reset(within_clock(deadline));
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
