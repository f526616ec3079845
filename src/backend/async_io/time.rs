use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use async_io::Timer;

use crate::runtime::time::SleepState;

/// async-io's timer, made fused, and with a budget for those that are due when they are made.
#[derive(Debug)]
pub struct Sleep {
    timer: Timer,
    deadline: Instant,
    progress: SleepState,
}

impl Sleep {
    pub(crate) fn new(deadline: Instant) -> Self {
        Self { timer: Timer::at(deadline), deadline, progress: SleepState::New }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { timer, progress, .. } = &mut *self;
        progress.poll(cx, |cx| Pin::new(timer).poll(cx).map(drop))
    }
}

impl crate::runtime::Sleep for Sleep {
    fn deadline(&self) -> Instant {
        self.deadline
    }

    fn is_elapsed(&self) -> bool {
        self.progress.is_elapsed()
    }

    fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
        // A timer that was polled wakes its task at the new time by itself, and one that has fired does not.
        self.timer.set_at(deadline);
        self.deadline = deadline;
        self.progress = SleepState::New;
    }
}
