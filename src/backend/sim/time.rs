use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::clock::{Clock, Event, NEVER};
use super::log::Wait;
use super::slots::Id;
use super::world::{World, gone};
use crate::runtime::time::SleepState;

/// A timer of the virtual clock.
pub struct Sleep {
    world: Arc<World>,
    // Whose clock it follows; `None`: that of the simulation.
    host: Option<u32>,
    deadline: Instant,
    // The same on that clock, in nanoseconds.
    at: u64,
    progress: SleepState,
    // The event that holds the waker, until it has fired.
    timer: Option<Id>,
}

impl Sleep {
    pub(super) fn new(world: Arc<World>, deadline: Instant) -> Self {
        let at = world.nanos(deadline);
        Self { world, host: None, deadline, at, progress: SleepState::New, timer: None }
    }

    /// One of a host, whose clock may have a rate of its own.
    pub(super) fn on(world: Arc<World>, host: usize, deadline: Instant) -> Self {
        let mut sleep = Self::new(world, deadline);
        sleep.host = Some(host as u32);
        sleep
    }
}

/// Sets a timer on the clock of a host, and returns when it will fire, as far as is known.
fn set(timer: &mut Option<Id>, clock: &mut Clock, host: Option<u32>, at: u64, waker: Option<Waker>) -> u64 {
    let when = host.map_or(at, |host| clock.when(host as usize, at));
    let event = |waker| match host {
        Some(host) => Event::HostTimer(waker, host, at),
        None => Event::Timer(waker),
    };
    *timer = waker.map(|waker| clock.add(when, event(waker)));
    when
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.progress.poll(cx, |cx| {
            let (at, host) = (this.at, this.host);
            // The waker is cloned, and an unused clone dropped, outside of the lock: both run user code.
            let mut waker = Some(cx.waker().clone());
            let mut waits_here = false;
            let is_due = this.world.with(|state| {
                if state.is_closed() {
                    return None;
                }
                if let Some(timer) = this.timer.take() {
                    let waker = state.clock.remove_timer(timer);
                    state.clock.dropped.extend(waker);
                }
                if at <= host.map_or(state.clock.nanos, |host| state.clock.local(host as usize)) {
                    return Some(true);
                }
                let when = set(&mut this.timer, &mut state.clock, host, at, waker.take());
                let wait = if when < NEVER { Wait::Timer(when) } else { Wait::Forever };
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
        (this.deadline, this.at) = (deadline, this.world.nanos(deadline));
        this.progress = SleepState::New;
        let (at, host) = (this.at, this.host);
        this.world.with(|state| {
            let waker = this.timer.take().and_then(|timer| state.clock.remove_timer(timer));
            set(&mut this.timer, &mut state.clock, host, at, waker);
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
