//! The virtual clock: the time, the current turn, the trace, the queue of events, and the wakers to call.

mod event;
mod local;
mod queue;
mod time_of_day;

use std::task::Waker;
use std::time::{Duration, SystemTime};

use self::local::LocalClocks;
use self::time_of_day::TimesOfDay;
use super::lists::List;
use super::log::{Kind, Trace};
use super::slots::Id;
use super::waiters::Waiters;

pub(super) use event::{Datagram, Event, NetEvent, Refusal};
pub(super) use queue::Queue;

/// Timers that are further away than this many nanoseconds, 20 years, never fire: a task that waits for one waits for ever.
pub(super) const NEVER: u64 = 20 * 365 * 86_400 * 1_000_000_000;

/// Where the clock stands still, after 292 years: far from where adding a latency would overflow.
pub(super) const END: u64 = u64::MAX / 2;

pub(super) struct Clock {
    pub(super) nanos: u64,
    pub(super) turn: Turn,
    pub(super) trace: Trace,
    // Both are done with once the lock is free: what wakers do is not ours to know, and the last of a task may run a
    // destructor.
    pub(super) woken: Waiters,
    pub(super) dropped: Waiters,
    events: Queue<Event>,
    next: u64,
    local: LocalClocks,
    times_of_day: TimesOfDay,
}

/// How a clock goes.
pub(super) fn rate_in_words(ppm: i64) -> String {
    format!("{} % {}", ppm.unsigned_abs() as f64 / 10_000.0, if ppm < 0 { "slow" } else { "fast" })
}

/// How a time of day has jumped.
pub(super) fn jump_in_words(nanos: i64) -> String {
    format!("{:?} {}", Duration::from_nanos(nanos.unsigned_abs()), if nanos < 0 { "behind" } else { "ahead" })
}

/// The poll that is in progress.
#[derive(Clone, Copy, Default)]
pub(super) struct Turn {
    pub(super) task: Option<Id>,
    /// How often it has looked for something in vain, if it is a blocking closure.
    pub(super) looks: u32,
    /// How many timers and sockets it waits for.
    pub(super) waits: usize,
}

impl Clock {
    pub(super) fn new(trace: Trace, events: Queue<Event>) -> Self {
        Self {
            nanos: 0,
            turn: Turn::default(),
            trace,
            woken: Waiters::default(),
            dropped: Waiters::default(),
            events,
            next: 0,
            local: LocalClocks::default(),
            times_of_day: TimesOfDay::default(),
        }
    }

    /// Its lists, emptied for the next simulation.
    pub(super) fn lists(&mut self) -> Queue<Event> {
        self.events.emptied()
    }

    /// Draws a number for a new object other than a task.
    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// The task that is being polled.
    pub(super) fn whose_turn(&self) -> Option<u64> {
        self.turn.task.map(|task| task.number)
    }

    /// Something happens now.
    #[inline]
    pub(super) fn record(&mut self, kind: Kind, number: u64, payload: u64) {
        self.trace.record(self.nanos, kind, number, payload);
    }

    /// Something goes from one host to another: its number in the log, or 0.
    pub(super) fn sent<'a>(
        &mut self,
        socket: u64,
        route: impl FnOnce() -> (&'static str, (usize, usize)),
        shown: impl FnOnce() -> ([String; 2], &'a [u8]),
    ) -> u64 {
        self.trace.sent(self.nanos, (self.whose_turn(), socket), route, shown)
    }

    /// Something will happen then, or at once if that has passed.
    pub(super) fn add(&mut self, nanos: u64, event: impl Into<Event>) -> Id {
        let (number, event) = (self.number(), event.into());
        let task = self.whose_turn();
        if let (Some(log), Event::Timer(_) | Event::HostTimer(..)) = (self.trace.log(), &event) {
            log.timer(number, task);
        }
        self.events.insert(nanos.max(self.nanos), number, event)
    }

    /// The waker of a timer that has not fired.
    pub(super) fn remove_timer(&mut self, timer: Id) -> Option<Waker> {
        if let Some(log) = self.trace.log() {
            log.forget_timer(timer.number);
        }
        self.events.remove(timer)?.into_waker()
    }

    /// When the next event is.
    pub(super) fn next(&mut self) -> Option<u64> {
        self.events.next()
    }

    /// The next event, if it is now.
    pub(super) fn take(&mut self) -> Option<(Id, Event)> {
        self.events.take(self.nanos)
    }

    /// Whether there are wakers to call or to drop, once the lock is free.
    #[inline]
    pub(super) fn is_to_wake(&self) -> bool {
        !self.woken.is_empty() || !self.dropped.is_empty()
    }

    /// Nothing will happen any more: wakes everything that waits for a timer.
    pub(super) fn stop(&mut self) {
        self.woken.extend(self.events.take_all().filter_map(Event::into_waker));
    }

    /// The time on the clock of a host.
    pub(super) fn local(&self, host: usize) -> u64 {
        self.local.shows(host, self.nanos)
    }

    /// When the clock of a host will show that, as far as is known.
    pub(super) fn when(&self, host: usize, local: u64) -> u64 {
        self.local.when(host, local)
    }

    /// From now on the clock of a host goes faster by this rate, in parts per million.
    pub(super) fn set_rate(&mut self, host: usize, ppm: i64) {
        let before = self.local.set(host, ppm, self.nanos);
        for (ppm, begins) in [(before, false), (ppm, true)].into_iter().filter(|(ppm, _)| *ppm != 0) {
            self.rate_has_changed(host, ppm, begins);
        }
    }

    /// A fault that makes the clock of a host go faster begins or ends.
    pub(super) fn count_drift(&mut self, host: usize, ppm: i64, begins: bool) {
        self.local.count_drift(host, ppm, begins, self.nanos);
        self.rate_has_changed(host, ppm, begins);
    }

    fn rate_has_changed(&mut self, host: usize, ppm: i64, begins: bool) {
        self.events.move_to(|event| match event {
            Event::HostTimer(_, of, at) if *of as usize == host => {
                Some(self.local.when(host, *at).max(self.nanos))
            }
            _ => None,
        });
        let kind = if begins { Kind::ClockDriftBegan } else { Kind::ClockDriftEnded };
        self.record(kind, host as u64, ppm as u64);
        if let Some(log) = self.trace.log().filter(|_| begins) {
            log.says(host, rate_in_words(ppm));
        }
    }

    /// A fault that makes the time of day of a host jump begins or ends.
    pub(super) fn count_jump(&mut self, host: usize, nanos: i64, begins: bool) {
        self.times_of_day.count_jump(host, nanos, begins);
        let kind = if begins { Kind::ClockJumpBegan } else { Kind::ClockJumpEnded };
        self.record(kind, host as u64, nanos as u64);
        if let Some(log) = self.trace.log().filter(|_| begins) {
            log.says(host, jump_in_words(nanos));
        }
    }

    pub(super) fn set_time_of_day(&mut self, host: usize, time: SystemTime) {
        let before = self.time_of_day(host);
        self.times_of_day.set(host, time, self.local(host));
        let nanos = self.nanos;
        if let Some(log) = self.trace.log() {
            let (by, side) = match time.duration_since(before) {
                Ok(by) => (by, "ahead"),
                Err(error) => (error.duration(), "behind"),
            };
            log.add(nanos, Kind::TimeOfDaySet, host as u64, 0);
            log.says(host, format!("{by:?} {side}"));
        }
    }

    pub(super) fn time_of_day(&self, host: usize) -> SystemTime {
        self.times_of_day.get(host, self.local(host))
    }
}
