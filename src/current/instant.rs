//! The clock that an `Instant` is of.

use std::time::{self, Duration};

use crate::AnyRuntime;
use crate::runtime::Time;
use crate::runtime::time::instant::Instant;

impl Instant {
    /// Returns the time on the clock of the current runtime, or of the system if no runtime is current.
    pub fn now() -> Self {
        AnyRuntime::try_current().map_or_else(|_| time::Instant::now(), |here| here.now()).into()
    }

    /// Returns the time since this instant; zero if it is in the future.
    pub fn elapsed(&self) -> Duration {
        Self::now().duration_since(*self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sum_that_no_clock_can_say_is_far_away() {
        let start = Instant::now();
        let mut end = start + Duration::MAX;
        assert!(end > start + Duration::from_secs(86_400 * 365 * 29));
        end += Duration::MAX;
        assert!(start.checked_add(Duration::MAX).is_none() && end > start);
    }

    #[test]
    fn time_since_a_later_instant_is_zero() {
        let start = Instant::now();
        let later = start + Duration::from_secs(3600);
        assert_eq!((start - later, later.elapsed()), (Duration::ZERO, Duration::ZERO));
        assert_eq!((later - start, start.checked_duration_since(later)), (Duration::from_secs(3600), None));
    }
}
