//! Times of day of the hosts.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// The first second of the year 2000: where every simulation begins.
const BEGINNING: Duration = Duration::from_secs(946_684_800);

/// The clocks that were set: to what, and when.
#[derive(Debug, Default)]
pub(super) struct TimesOfDay(BTreeMap<usize, (SystemTime, u64)>);

impl TimesOfDay {
    pub(super) fn set(&mut self, host: usize, time: SystemTime, nanos: u64) {
        self.0.insert(host, (time, nanos));
    }

    pub(super) fn get(&self, host: usize, nanos: u64) -> SystemTime {
        let beginning = (SystemTime::UNIX_EPOCH + BEGINNING, 0);
        let (time, since) = self.0.get(&host).copied().unwrap_or(beginning);
        // A clock that has come to the end of its range stands still.
        time.checked_add(Duration::from_nanos(nanos - since)).unwrap_or(time)
    }
}
