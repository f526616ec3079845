use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use async_io::Timer;

use crate::runtime::task::coop::poll_budget;

/// async-io's timer, made fused, and with a budget for those that are due when they are made.
#[derive(Debug)]
pub struct Sleep {
    timer: Timer,
    deadline: Instant,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    New,
    Waiting,
    /// It is due, but the budget of its task was spent.
    Due,
    Elapsed,
}

impl Sleep {
    pub(crate) fn new(deadline: Instant) -> Self {
        Self { timer: Timer::at(deadline), deadline, state: State::New }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let before = self.state;
        // A timer of async-io 2.6 that has fired is pending for ever.
        if let State::New | State::Waiting = before {
            if Pin::new(&mut self.timer).poll(cx).is_pending() {
                self.state = State::Waiting;
                return Poll::Pending;
            }
        }
        // Whoever has waited has given others a turn.
        let polled = if before == State::New { poll_budget(cx) } else { Poll::Ready(()) };
        self.state = if polled.is_ready() { State::Elapsed } else { State::Due };
        polled
    }
}

impl crate::runtime::Sleep for Sleep {
    fn deadline(&self) -> Instant {
        self.deadline
    }

    fn is_elapsed(&self) -> bool {
        self.state == State::Elapsed
    }

    fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
        // A timer that was polled wakes its task at the new time by itself, and one that has fired does not.
        self.timer.set_at(deadline);
        self.deadline = deadline;
        self.state = State::New;
    }
}
