//! What a run has done, as far as it may be new: for a search that goes on from there.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::panic::Location;

use super::event::Wait;
use super::hash::{hash, mix};
use super::kind::{Kind, Subject};

/// What may be new, as a hash, and the step in which it was.
pub(crate) type News = Vec<(u64, u64)>;

/// The things that happened, without what they were about: which kind of event follows which, and about how often; what a task of a
/// place waits for; and which places of `sometimes!` were true. No number and no content of a message is in it, for those are
/// always new.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    step: u64,
    // The last two events. The last may still be told what it was about.
    events: [u64; 2],
    // Where they were spawned.
    tasks: HashMap<u64, u64, Same>,
    // Where the tasks were spawned whose they are.
    timers: HashMap<u64, u64, Same>,
    // What was sent; the first is message 1.
    flights: Vec<u64>,
    counts: HashMap<u64, u32, Same>,
    seen: HashSet<u64, Same>,
    news: News,
}

impl Coverage {
    pub(super) fn begin_step(&mut self, step: u64) {
        self.step = step;
    }

    /// All so far.
    pub(super) fn take(&mut self) -> News {
        self.follows(0);
        std::mem::take(&mut self.news)
    }

    pub(super) fn event(&mut self, kind: Kind, number: u64, payload: u64) {
        let who = match kind.subject() {
            Subject::Task => self.place(number),
            Subject::Timer => self.timers.remove(&number).unwrap_or_default(),
            Subject::Socket => 0,
            Subject::Path | Subject::Host => number,
        };
        // Its payload is a place.
        let who = if kind == Kind::Buggified { mix(who, payload) } else { who };
        self.follows(mix(mix(0, kind as u64), who));
    }

    /// An event follows the last one.
    fn follows(&mut self, event: u64) {
        let [before, last] = self.events;
        self.events = [last, event];
        let count = self.counts.entry(mix(before, last)).or_default();
        *count += 1;
        // Exactly, and then in powers of two.
        if *count <= 4 || count.is_power_of_two() {
            self.news.push((mix(mix(before, last), u64::from(*count)), self.step));
        }
    }

    /// The last event was about this.
    fn was(&mut self, what: u64) {
        self.events[1] = mix(self.events[1], what);
    }

    /// This is so, in this run: no matter how often.
    fn is(&mut self, what: u64) {
        if self.seen.insert(what) {
            self.news.push((what, self.step));
        }
    }

    fn place(&self, task: u64) -> u64 {
        self.tasks.get(&task).copied().unwrap_or_default()
    }

    pub(super) fn task(&mut self, number: u64, place: &Location<'_>) {
        self.tasks.insert(number, of_place(place));
    }

    pub(super) fn timer(&mut self, number: u64, task: u64) {
        self.timers.insert(number, self.place(task));
    }

    pub(super) fn forget_timer(&mut self, number: u64) {
        self.timers.remove(&number);
    }

    pub(super) fn waits(&mut self, task: u64, wait: Wait) {
        let what = match wait {
            Wait::Forever => 1,
            Wait::Timer(_) => 2,
            Wait::Socket(what, _) => hash(what.as_bytes()),
            #[cfg(feature = "signal")]
            Wait::Signal => 3,
        };
        self.is(mix(self.place(task), what));
    }

    /// A condition was true.
    pub(super) fn holds(&mut self, place: &Location<'_>) {
        self.is(of_place(place));
    }

    pub(super) fn sent(&mut self, what: &str, (from, to): (usize, usize)) -> u64 {
        let what = hash(what.as_bytes());
        self.flights.push(mix(what, (from as u64) << 32 | to as u64));
        self.event(Kind::Sent, 0, 0);
        self.was(what);
        self.flights.len() as u64
    }

    pub(super) fn arrived(&mut self, message: u64) {
        let flight = message.checked_sub(1).and_then(|at| self.flights.get(at as usize));
        if let Some(flight) = flight {
            self.was(*flight);
        }
    }

    pub(super) fn on_path(&mut self, (from, to): (usize, usize)) {
        self.was((from as u64) << 32 | to as u64);
    }
}

/// Its file, line and column: where it is in memory differs.
fn of_place(place: &Location<'_>) -> u64 {
    mix(hash(place.file().as_bytes()), u64::from(place.line()) << 32 | u64::from(place.column()))
}

/// Keys are numbers, or hashes already.
pub(crate) type Same = BuildHasherDefault<Itself>;

#[derive(Default)]
pub(crate) struct Itself(u64);

impl Hasher for Itself {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = mix(self.0, hash(bytes));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BlockOn, Sim, Spawn};

    fn news(times: usize, note: &str) -> Vec<u64> {
        let mut builder = Sim::builder();
        builder.config.covered = true;
        let sim = builder.with_seed(1);
        sim.block_on(async {
            crate::sim::note(note);
            for _ in 0..times {
                sim.spawn(async {}).await.unwrap();
            }
        });
        assert!(sim.log().is_empty(), "no log is kept");
        sim.world.with(|state| state.clock.trace.take_news()).into_iter().map(|(what, _)| what).collect()
    }

    #[test]
    fn counts_are_news_and_contents_are_none() {
        assert!(news(1, "").len() > 4);
        assert_eq!(news(1, "a"), news(1, "b"));
        let is_new = |before, now| {
            let known: HashSet<_> = news(before, "").into_iter().collect();
            news(now, "").iter().any(|what| !known.contains(what))
        };
        assert!(is_new(0, 1) && is_new(1, 2) && is_new(2, 3) && is_new(3, 4), "exactly at first");
        assert!(is_new(9, 20) && !is_new(20, 21) && !is_new(40, 20), "then in powers of two");
    }

    #[test]
    fn run_that_is_covered_is_the_same() {
        let hash = |covered| {
            let mut builder = Sim::builder();
            builder.config.covered = covered;
            let sim = builder.with_seed(1);
            sim.block_on(async { sim.spawn(async { crate::yield_now().await }).await.unwrap() });
            sim.trace_hash()
        };
        assert_eq!(hash(true), hash(false));
    }
}
