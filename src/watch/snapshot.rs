use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::shared::Shared;
use super::{Place, TaskInfo};
use crate::thread::lock;

/// Numbers of a watched runtime, since it is watched; returned by
/// [`AnyRuntime::watch_snapshot`](crate::AnyRuntime::watch_snapshot).
///
/// They are of what is spawned through the watched handle, as in the [reports](super).
///
/// # Serialised
///
/// With feature `serde` it implements `Serialize`: a map of the fields below. Durations are seconds, as numbers
/// with a fraction, and places text, `"src/main.rs:20:5"`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// The runtime, as its `Debug` prints it.
    pub runtime: String,
    /// How long it has been watched.
    pub watched_for: Duration,
    /// The time between two looks at the threads. Durations below are counted in such steps, and shorter polls are not timed.
    pub resolution: Duration,
    /// Tasks, and futures in `block_on`, that have not ended.
    pub tasks: usize,
    /// Everything that was ever spawned, including blocking closures and futures in `block_on`.
    pub spawned: u64,
    /// Polls of tasks and of futures in `block_on`, and destructors of tasks.
    pub polls: u64,
    /// How long threads have been found polling, in all. With two busy workers it is two seconds a second.
    pub busy: Duration,
    /// Polls that took longer than the limit.
    pub slow_polls: u64,
    /// The longest poll. One that blocks counts with what it had taken when it was last looked at.
    pub longest_poll: Option<LongPoll>,
    /// The places whose tasks had slow polls, the most frequent first.
    pub slow_places: Vec<SlowPlace>,
    /// Time from becoming ready to the poll.
    pub ready: Latency,
    /// Polls that took long because their thread got no CPU.
    pub descheduled: u64,
    /// Blocking closures that run.
    pub blocking_running: usize,
    /// Blocking closures that wait for a thread.
    pub blocking_queued: usize,
}

/// The longest poll of a [`Snapshot`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LongPoll {
    /// How long it took, waits for a CPU left out.
    pub took: Duration,
    /// The task.
    pub task: TaskInfo,
}

/// A place where tasks with slow polls are spawned.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SlowPlace {
    /// Where they are spawned.
    pub spawned_at: Place,
    /// How many slow polls they had.
    pub polls: u64,
    /// The longest of these.
    pub longest: Duration,
}

/// Distribution of times; each is up to a quarter too high, and no more exact than [`Snapshot::resolution`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Latency {
    /// How many times it has.
    pub count: u64,
    /// The median.
    pub p50: Duration,
    /// 99 of 100 are not above this.
    pub p99: Duration,
    /// The highest.
    pub max: Duration,
}

/// Counts of durations, in buckets that are a quarter wide. One thread writes.
pub(super) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    max: AtomicU64,
}

/// Four for each power of two.
const BUCKETS: usize = 4 + 62 * 4;

/// Nanoseconds are counted in units of this power of two: some microsecond.
const UNIT: u32 = 10;

/// The bucket of as many units.
#[inline]
fn bucket(units: u64) -> usize {
    if units < 4 {
        return units as usize;
    }
    let power = units.ilog2() - 2;
    4 + (power as usize) * 4 + ((units >> power) & 3) as usize
}

/// The units that all in this bucket are below.
fn end_of(bucket: usize) -> u64 {
    match bucket.checked_sub(4) {
        None => bucket as u64 + 1,
        Some(bucket) => {
            let (power, quarter) = (bucket / 4, bucket % 4);
            (5 + quarter as u64).checked_shl(power as u32).unwrap_or(u64::MAX)
        }
    }
}

impl Histogram {
    pub(super) fn new() -> Self {
        Self { buckets: [const { AtomicU64::new(0) }; BUCKETS], max: AtomicU64::new(0) }
    }

    /// No time.
    #[inline]
    pub(super) fn add_none(&self) {
        let none = &self.buckets[0];
        none.store(none.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    pub(super) fn add(&self, nanos: u64) {
        let bucket = &self.buckets[bucket(nanos >> UNIT)];
        bucket.store(bucket.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        if nanos > self.max.load(Ordering::Relaxed) {
            self.max.store(nanos, Ordering::Relaxed);
        }
    }

    /// Adds what another one has; nobody else may write at the same time.
    pub(super) fn add_all(&self, other: &Self) {
        for (bucket, other) in self.buckets.iter().zip(&other.buckets) {
            bucket.store(bucket.load(Ordering::Relaxed) + other.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        self.max.fetch_max(other.max.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    fn latency(&self) -> Latency {
        let counts: Vec<u64> = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        let (count, max) = (counts.iter().sum::<u64>(), self.max.load(Ordering::Relaxed));
        let quantile = |percent: u64| {
            let rank = (count * percent).div_ceil(100);
            let mut below = 0;
            let bucket = counts.iter().position(|count| {
                below += count;
                below >= rank
            });
            // Whatever is not 0 is at least a tick, and not in the first bucket.
            let bucket = bucket.filter(|bucket| *bucket != 0);
            let end = bucket.map_or(0, |bucket| end_of(bucket).saturating_mul(1 << UNIT));
            Duration::from_nanos(end.min(max))
        };
        Latency { count, p50: quantile(50), p99: quantile(99), max: Duration::from_nanos(max) }
    }
}

/// Sums over threads that have ended.
#[derive(Default)]
pub(super) struct Totals {
    pub(super) polls: u64,
    pub(super) busy: Duration,
}

/// What the watching thread knows of places.
#[derive(Default)]
pub(super) struct Places {
    pub(super) slow: HashMap<Place, Slow>,
    pub(super) slow_polls: u64,
    pub(super) longest: Option<LongPoll>,
    pub(super) descheduled: u64,
}

impl Places {
    pub(super) fn note_longest(&mut self, took: Duration, task: &TaskInfo) {
        if self.longest.as_ref().is_none_or(|longest| longest.took < took) {
            self.longest = Some(LongPoll { took, task: task.clone() });
        }
    }
}

#[derive(Default)]
pub(super) struct Slow {
    pub(super) polls: u64,
    pub(super) longest: Duration,
    pub(super) last_report: Option<Duration>,
    pub(super) left_out: u32,
}

impl Shared {
    pub(super) fn snapshot(&self) -> Snapshot {
        let ready = Histogram::new();
        let (polls, busy) = {
            // Both locks: the slot of a thread that ends moves from one to the other.
            let slots = lock(&self.slots);
            let totals = lock(&self.totals);
            ready.add_all(&self.ready);
            let (mut polls, mut busy) = (totals.polls, totals.busy);
            for slot in slots.iter() {
                polls += slot.polls();
                busy = busy.saturating_add(Duration::from_nanos(slot.busy.load(Ordering::Relaxed)));
                ready.add_all(&slot.ready);
            }
            (polls, busy)
        };
        let places = lock(&self.places);
        let mut slow_places: Vec<SlowPlace> = places
            .slow
            .iter()
            .map(|(place, slow)| SlowPlace { spawned_at: *place, polls: slow.polls, longest: slow.longest })
            .collect();
        slow_places.sort_by(|a, b| {
            let key = |it: &SlowPlace| (it.polls, it.longest);
            key(b).cmp(&key(a)).then_with(|| {
                (a.spawned_at.file, a.spawned_at.line).cmp(&(b.spawned_at.file, b.spawned_at.line))
            })
        });
        let running = self.closures_running.load(Ordering::Relaxed);
        Snapshot {
            runtime: self.runtime.clone(),
            watched_for: self.elapsed(),
            resolution: self.options.tick(),
            tasks: self.tasks_alive.load(Ordering::Relaxed),
            spawned: self.spawned.load(Ordering::Relaxed),
            polls,
            busy,
            slow_polls: places.slow_polls,
            longest_poll: places.longest.clone(),
            slow_places,
            ready: ready.latency(),
            descheduled: places.descheduled,
            blocking_running: running,
            blocking_queued: self.closures.load(Ordering::Relaxed).saturating_sub(running),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_in_order_and_a_quarter_wide() {
        let mut last = 0;
        for units in (0..10_000).chain([1 << 40, u64::MAX >> UNIT]) {
            let bucket = bucket(units);
            assert!(bucket == last || bucket == last + 1 || units > 10_000, "{units}");
            last = bucket;
            let end = end_of(bucket);
            assert!(units < end && end <= units + units / 4 + 1, "{units} is in a bucket that ends at {end}");
        }
        assert!(bucket(u64::MAX) < BUCKETS);
    }

    #[test]
    fn quantiles_are_those_of_what_was_added() {
        let times = Histogram::new();
        assert_eq!(times.latency(), Latency::default());
        for millis in 1..=100 {
            times.add(millis * 1_000_000);
        }
        let Latency { count, p50, p99, max } = times.latency();
        let near = |time: Duration, millis: u64| {
            let millis = Duration::from_millis(millis);
            time >= millis && time <= millis * 5 / 4
        };
        assert!(count == 100 && near(p50, 50) && near(p99, 99) && max == Duration::from_millis(100));
    }
}
