//! Times of day of the hosts.

use std::time::{Duration, SystemTime};

use crate::backend::sim::sorted::SortedMap;

/// The first second of the year 2000: where every simulation begins.
const BEGINNING: Duration = Duration::from_secs(946_684_800);

/// The times of day that were set or have jumped. They advance as the clock of their host does.
#[derive(Debug, Default)]
pub(super) struct TimesOfDay {
    // To what, and when.
    set: SortedMap<usize, (SystemTime, u64)>,
    // By how many nanoseconds.
    jumps: SortedMap<usize, Vec<i64>>,
}

impl TimesOfDay {
    /// Sets it, whatever jumps there were.
    pub(super) fn set(&mut self, host: usize, time: SystemTime, nanos: u64) {
        self.set.insert(host, (time, nanos));
        self.jumps.remove(&host);
    }

    pub(super) fn get(&self, host: usize, nanos: u64) -> SystemTime {
        let beginning = (SystemTime::UNIX_EPOCH + BEGINNING, 0);
        let (time, since) = self.set.get(&host).copied().unwrap_or(beginning);
        // A clock that has come to the end of its range stands still.
        let time = time.checked_add(Duration::from_nanos(nanos - since)).unwrap_or(time);
        let jump = self.jumps.get(&host).map_or(0, |jumps| jumps.iter().map(|jump| i128::from(*jump)).sum());
        let by = Duration::from_nanos(u64::try_from(jump.unsigned_abs()).unwrap_or(u64::MAX));
        let jumped = if jump < 0 { time.checked_sub(by) } else { time.checked_add(by) };
        jumped.unwrap_or(time)
    }

    /// A jump begins or ends.
    pub(super) fn count_jump(&mut self, host: usize, nanos: i64, begins: bool) {
        let jumps = self.jumps.get_or_insert_with(host, Vec::new);
        if begins {
            jumps.push(nanos);
        } else if let Some(at) = jumps.iter().position(|other| *other == nanos) {
            jumps.remove(at);
        }
    }
}
