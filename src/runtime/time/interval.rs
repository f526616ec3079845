use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{self, Duration};

use futures_core::Stream;

use super::instant::Instant;
use super::{Sleep, Time, deadline_after};
use crate::runtime::task::coop;

/// What an [`Interval`] does when ticks were missed.
///
/// Example: a period of 50 ms, and a task that takes ticks at 0 ms, 50 ms and, after a stall, 225 ms:
///
/// | behavior | ticks from then on, in ms |
/// |---|---|
/// | `Burst` | 225, 225, 225, 250, 300 |
/// | `Delay` | 225, 275, 325 |
/// | `Skip` | 225, 250, 300 |
///
/// A tick is missed when it is late by more than 5 ms, or by more than half of a period that is shorter than 10 ms.
///
/// <details><summary>Scenarios</summary>
///
/// `interval_of_a_few_milliseconds_skips`, `interval_burst_catches_up`, `interval_delay_starts_over`, `interval_skip_keeps_the_grid`,
/// `interval_default_is_delay`.</details>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MissedTickBehavior {
    /// Returns all missed ticks at once, until the interval has caught up.
    Burst,
    /// Schedules the next tick one period after the late one.
    #[default]
    Delay,
    /// Skips to the next multiple of the period.
    Skip,
}

/// Timer that ticks at a fixed period; returned by [`Time::interval`].
///
/// It is also an endless `Stream` of the instants that [`tick`](Self::tick) returns.
pub struct Interval<R: Time> {
    runtime: R,
    // Boxed once, so that `tick` can take `&mut self`; tokio's interval does the same.
    sleep: Pin<Box<R::Sleep>>,
    next: time::Instant,
    period: Duration,
    missed: MissedTickBehavior,
}

impl<R: Time> Interval<R> {
    #[track_caller]
    pub(crate) fn new(runtime: R, start: time::Instant, period: Duration) -> Self {
        assert!(!period.is_zero(), "anyrt: the period of an interval must not be zero");
        let sleep = Box::pin(runtime.sleep_until(start));
        Self { runtime, sleep, next: start, period, missed: MissedTickBehavior::default() }
    }

    /// Waits for the next tick and returns the instant at which it was due.
    ///
    /// # Cancel safety
    ///
    /// No tick is lost.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `interval_tick_is_cancel_safe`, `interval_is_a_stream`.</details>
    pub fn tick(&mut self) -> impl Future<Output = Instant> + Send + '_ {
        std::future::poll_fn(|cx| self.poll_tick(cx))
    }

    /// [`tick`](Self::tick) as a poll function.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        // Ticks that are due need no timer: one of tokio's costs a millisecond.
        coop::poll(cx, |cx| {
            let mut now = self.runtime.now();
            if now < self.next {
                ready!(self.sleep.as_mut().poll(cx));
                now = self.runtime.now();
            }
            let due = self.next;
            self.schedule(self.following(due, now));
            Poll::Ready(due.into())
        })
    }

    fn following(&self, due: time::Instant, now: time::Instant) -> time::Instant {
        // Runtimes are late by a millisecond or two; that is no missed tick. tokio 1.54 has this rule without its second half
        // (`time/interval.rs`), so that short intervals burst there whatever they were told.
        let late = now.saturating_duration_since(due);
        if late <= Duration::from_millis(5).min(self.period / 2) {
            return deadline_after(due, self.period);
        }
        match self.missed {
            MissedTickBehavior::Burst => deadline_after(due, self.period),
            MissedTickBehavior::Delay => deadline_after(now, self.period),
            MissedTickBehavior::Skip => {
                let into_period = late.as_nanos() % self.period.as_nanos();
                // The remainder of a division by the period is less than the period, which is a Duration.
                let into_period =
                    Duration::new((into_period / 1_000_000_000) as u64, (into_period % 1_000_000_000) as u32);
                deadline_after(now, self.period - into_period)
            }
        }
    }

    fn schedule(&mut self, next: time::Instant) {
        self.next = next;
        Sleep::reset(self.sleep.as_mut(), next);
    }

    /// Moves the next tick to one period from now.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `interval_reset_starts_over`.</details>
    pub fn reset(&mut self) {
        self.schedule(deadline_after(self.runtime.now(), self.period));
    }

    /// Makes the next tick due at once.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `interval_can_be_reset_to_any_time`.</details>
    pub fn reset_immediately(&mut self) {
        self.schedule(self.runtime.now());
    }

    /// Moves the next tick to `after` from now; the following one comes a period later.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `interval_can_be_reset_to_any_time`.</details>
    pub fn reset_after(&mut self, after: Duration) {
        self.schedule(deadline_after(self.runtime.now(), after));
    }

    /// Moves the next tick to `deadline`; the following one comes a period later.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `interval_can_be_reset_to_any_time`.</details>
    pub fn reset_at(&mut self, deadline: impl Into<time::Instant>) {
        self.schedule(deadline.into());
    }

    /// Sets what happens to missed ticks. Default: `Delay`.
    pub fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior) {
        self.missed = behavior;
    }

    /// Returns what happens to missed ticks.
    pub fn missed_tick_behavior(&self) -> MissedTickBehavior {
        self.missed
    }

    /// Returns the time between two ticks.
    pub fn period(&self) -> Duration {
        self.period
    }
}

impl<R: Time> Stream for Interval<R> {
    type Item = Instant;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Instant>> {
        self.poll_tick(cx).map(Some)
    }
}

impl<R: Time> Unpin for Interval<R> {}

impl<R: Time> fmt::Debug for Interval<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interval")
            .field("next", &self.next)
            .field("period", &self.period)
            .field("missed", &self.missed)
            .finish_non_exhaustive()
    }
}
