use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use super::clock::{Event, NEVER};
use super::log::Wait;
use super::slots::Id;
use super::world::{World, gone};
use crate::runtime::time::SleepState;

/// A timer of the virtual clock.
pub struct Sleep {
    world: Arc<World>,
    deadline: Instant,
    progress: SleepState,
    // The event that holds the waker, until it has fired.
    timer: Option<Id>,
}

impl Sleep {
    pub(super) fn new(world: Arc<World>, deadline: Instant) -> Self {
        Self { world, deadline, progress: SleepState::New, timer: None }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.progress.poll(cx, |cx| {
            let at = this.world.nanos(this.deadline);
            // The waker is cloned, and an unused clone dropped, outside of the lock: both run user code.
            let mut waker = Some(cx.waker().clone());
            let wait = if at < NEVER { Wait::Timer(at) } else { Wait::Forever };
            let mut waits_here = false;
            let is_due = this.world.with(|state| {
                if state.is_closed() {
                    return None;
                }
                if let Some(timer) = this.timer.take() {
                    let waker = state.clock.remove_timer(timer);
                    state.clock.dropped.extend(waker);
                }
                if at <= state.clock.nanos {
                    return Some(true);
                }
                this.timer = waker.take().map(|waker| state.clock.add(at, Event::Timer(waker)));
                waits_here = state.tasks.waits(&mut state.clock, wait);
                Some(false)
            });
            // This must happen outside of the lock.
            if is_due.unwrap_or_else(|| panic!("{}", gone())) {
                return Poll::Ready(());
            }
            if waits_here {
                this.world.wait_in_closure(cx.waker());
            }
            Poll::Pending
        })
    }
}

impl crate::runtime::Sleep for Sleep {
    fn deadline(&self) -> Instant {
        self.deadline
    }

    fn is_elapsed(&self) -> bool {
        self.progress.is_elapsed()
    }

    fn reset(self: Pin<&mut Self>, deadline: Instant) {
        let this = self.get_mut();
        this.deadline = deadline;
        this.progress = SleepState::New;
        let at = this.world.nanos(deadline);
        this.world.with(|state| {
            let waker = this.timer.take().and_then(|timer| state.clock.remove_timer(timer));
            this.timer = waker.map(|waker| state.clock.add(at, Event::Timer(waker)));
        });
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            self.world.with(|state| {
                let waker = state.clock.remove_timer(timer);
                state.clock.dropped.extend(waker);
            });
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("deadline", &self.deadline)
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}
