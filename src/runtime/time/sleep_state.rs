use std::task::{Context, Poll};

use crate::runtime::task::coop::poll_budget;

/// How far a sleep has come. What the sleeps of all backends promise about a deadline that is due is here.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(dead_code, reason = "without a backend there is no sleep")]
pub(crate) enum SleepState {
    New,
    Waiting,
    /// It is due, but the budget of its task was spent.
    Due,
    Elapsed,
}

#[allow(dead_code, reason = "without a backend there is no sleep")]
impl SleepState {
    /// One poll, of which `wait` says whether the sleep is due.
    #[inline]
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        wait: impl FnOnce(&mut Context<'_>) -> Poll<()>,
    ) -> Poll<()> {
        let before = *self;
        // A timer that has fired is not asked again: one of async-io 2.6 is pending for ever then.
        if let Self::New | Self::Waiting = before {
            if wait(cx).is_pending() {
                *self = Self::Waiting;
                return Poll::Pending;
            }
        }
        // A sleep that has waited has already yielded.
        let polled = if before == Self::New { poll_budget(cx) } else { Poll::Ready(()) };
        *self = if polled.is_ready() { Self::Elapsed } else { Self::Due };
        polled
    }

    pub(crate) fn is_elapsed(self) -> bool {
        self == Self::Elapsed
    }
}
