//! Clocks of hosts that go faster or slower than the simulation's.

use crate::backend::sim::sorted::SortedMap;

/// A rate of 1, in parts per million.
const MILLION: i64 = 1_000_000;

/// No clock goes slower than a tenth.
const SLOWEST: i64 = -900_000;

/// The hosts whose clock has ever had a rate of its own.
#[derive(Debug, Default)]
pub(super) struct LocalClocks(SortedMap<usize, LocalClock>);

#[derive(Debug, Default)]
struct LocalClock {
    // What it shows, and at what time it did.
    shown: u64,
    since: u64,
    // How much faster it goes than the simulation's: set by hand, and by faults.
    by_hand: i64,
    drifts: Vec<i64>,
}

impl LocalClock {
    fn rate(&self) -> u128 {
        let ppm = self.drifts.iter().fold(self.by_hand, |sum, drift| sum.saturating_add(*drift));
        u128::from(ppm.max(SLOWEST).saturating_add(MILLION).unsigned_abs())
    }

    fn shows(&self, now: u64) -> u64 {
        let passed = u128::from(now.saturating_sub(self.since)) * self.rate() / MILLION as u128;
        u64::try_from(u128::from(self.shown) + passed).unwrap_or(u64::MAX)
    }

    fn when(&self, local: u64) -> u64 {
        let left = u128::from(local.saturating_sub(self.shown)) * MILLION as u128;
        u64::try_from(u128::from(self.since) + left.div_ceil(self.rate())).unwrap_or(u64::MAX)
    }
}

impl LocalClocks {
    /// The present time on the clock of a host.
    pub(super) fn shows(&self, host: usize, now: u64) -> u64 {
        self.0.get(&host).map_or(now, |clock| clock.shows(now))
    }

    /// The first moment at which it shows that, if its rate stays what it is.
    pub(super) fn when(&self, host: usize, local: u64) -> u64 {
        self.0.get(&host).map_or(local, |clock| clock.when(local))
    }

    /// Returns what was set before.
    pub(super) fn set(&mut self, host: usize, ppm: i64, now: u64) -> i64 {
        self.change(host, now, |clock| std::mem::replace(&mut clock.by_hand, ppm))
    }

    pub(super) fn count_drift(&mut self, host: usize, ppm: i64, begins: bool, now: u64) {
        self.change(host, now, |clock| {
            if begins {
                clock.drifts.push(ppm);
            } else if let Some(at) = clock.drifts.iter().position(|other| *other == ppm) {
                clock.drifts.remove(at);
            }
        });
    }

    /// The rate changes now, and not what the clock shows.
    fn change<T>(&mut self, host: usize, now: u64, change: impl FnOnce(&mut LocalClock) -> T) -> T {
        let new = || LocalClock { shown: now, since: now, ..LocalClock::default() };
        let clock = self.0.get_or_insert_with(host, new);
        (clock.shown, clock.since) = (clock.shows(now), now);
        change(clock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_goes_on_from_what_it_shows() {
        let mut clocks = LocalClocks::default();
        assert_eq!((clocks.shows(1, 500), clocks.when(1, 700)), (500, 700));
        clocks.count_drift(1, 500_000, true, 1_000);
        assert_eq!(
            (clocks.shows(1, 1_000), clocks.shows(1, 3_000), clocks.when(1, 4_000)),
            (1_000, 4_000, 3_000)
        );
        clocks.set(1, -750_000, 3_000);
        assert_eq!((clocks.shows(1, 3_004), clocks.when(1, 4_003)), (4_003, 3_004));
        clocks.count_drift(1, 500_000, false, 5_000);
        clocks.set(1, 0, 9_000);
        assert_eq!(clocks.shows(1, 9_000), 4_000 + 1_500 + 1_000);
        assert_eq!((clocks.shows(1, 9_010), clocks.shows(0, 9_010)), (6_510, 9_010));
    }

    /// The moment that is found is the first one, whatever the rate is.
    #[test]
    fn clock_shows_a_time_when_it_is_said_to() {
        for ppm in [-950_000, -333_333, -1, 0, 1, 77, 250_001, 3_000_000] {
            let mut clocks = LocalClocks::default();
            clocks.set(0, ppm, 10);
            for local in [11, 12, 1_000, 999_999_937, u64::MAX / 64] {
                let when = clocks.when(0, local);
                assert!(
                    clocks.shows(0, when) >= local && clocks.shows(0, when - 1) < local,
                    "{ppm}, {local}"
                );
            }
        }
    }

    #[test]
    fn clock_has_no_end() {
        let mut clocks = LocalClocks::default();
        clocks.set(0, i64::MAX, 0);
        assert_eq!(clocks.shows(0, u64::MAX), u64::MAX);
        clocks.set(0, i64::MIN, u64::MAX);
        assert_eq!(clocks.when(0, u64::MAX), u64::MAX);
    }
}
