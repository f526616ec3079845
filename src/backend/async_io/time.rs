use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use async_io::Timer;

/// async-io's timer, made fused and always seen pending once.
#[derive(Debug)]
pub struct Sleep {
    timer: Timer,
    deadline: Instant,
    state: State,
}

#[derive(Debug, PartialEq)]
enum State {
    New,
    Polled,
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
        match self.state {
            // A timer of async-io 2.6 that has fired is pending for ever.
            State::Elapsed => Poll::Ready(()),
            // One that is due is ready in its first poll, so that a loop of short sleeps keeps its worker.
            State::New => {
                self.state = State::Polled;
                if Pin::new(&mut self.timer).poll(cx).is_ready() {
                    self.state = State::Elapsed;
                    cx.waker().wake_by_ref();
                }
                Poll::Pending
            }
            State::Polled => Pin::new(&mut self.timer).poll(cx).map(|_| self.state = State::Elapsed),
        }
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

impl From<Sleep> for crate::time::Sleep {
    fn from(sleep: Sleep) -> Self {
        Self::async_io(sleep)
    }
}
