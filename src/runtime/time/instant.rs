use std::cmp::Ordering;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::time::{self, Duration};

use super::deadline_after;

/// An instant on the clock of the current runtime.
///
/// [`now`](crate::time::Instant::now) and [`elapsed`](crate::time::Instant::elapsed) ask the runtime that is
/// [current](crate::guide::differences#which-runtime-is-current) for the time, so a simulation sees its own clock and
/// the same times in each run, and a paused tokio runtime its paused clock. If no runtime is current, they ask the
/// system. In all other respects it is an [`Instant` of the standard library](time::Instant), into which it converts;
/// the functions of [`time`](crate::time) take both.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use anyrt::time::{Instant, sleep, sleep_until};
///
/// async fn twice() -> Duration {
///     let start = Instant::now();
///     sleep(Duration::from_millis(10)).await;
///     sleep_until(start + Duration::from_millis(20)).await;
///     start.elapsed()
/// }
/// ```
///
/// <details><summary>Scenarios</summary>
///
/// `instant_is_of_the_clock_of_the_runtime`.</details>
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    std: time::Instant,
}

impl Instant {
    /// Converts an instant of the standard library.
    pub fn from_std(std: time::Instant) -> Self {
        Self { std }
    }

    /// Returns the instant of the standard library, for other crates.
    pub fn into_std(self) -> time::Instant {
        self.std
    }

    /// Returns the time from `earlier` to this instant; zero if `earlier` is later.
    pub fn duration_since(&self, earlier: Self) -> Duration {
        self.std.saturating_duration_since(earlier.std)
    }

    /// Returns the time from `earlier` to this instant; `None` if `earlier` is later.
    pub fn checked_duration_since(&self, earlier: Self) -> Option<Duration> {
        self.std.checked_duration_since(earlier.std)
    }

    /// Returns the time from `earlier` to this instant; zero if `earlier` is later.
    pub fn saturating_duration_since(&self, earlier: Self) -> Duration {
        self.std.saturating_duration_since(earlier.std)
    }

    /// Returns this instant plus `duration`, or `None` if the clock cannot represent it. (`+` then returns an instant
    /// some 30 years from here.)
    pub fn checked_add(&self, duration: Duration) -> Option<Self> {
        self.std.checked_add(duration).map(Self::from_std)
    }

    /// Returns this instant minus `duration`, or `None` if the clock cannot represent it.
    pub fn checked_sub(&self, duration: Duration) -> Option<Self> {
        self.std.checked_sub(duration).map(Self::from_std)
    }
}

/// Never panics: a sum that the clock cannot represent becomes an instant some 30 years away, which is also how long a
/// timer of `Duration::MAX` waits.
impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        deadline_after(self.std, duration).into()
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

/// Panics if the clock cannot represent the difference, as the standard library does; see [`Instant::checked_sub`].
impl Sub<Duration> for Instant {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        (self.std - duration).into()
    }
}

impl SubAssign<Duration> for Instant {
    fn sub_assign(&mut self, duration: Duration) {
        self.std -= duration;
    }
}

/// As [`duration_since`](Instant::duration_since).
impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.duration_since(earlier)
    }
}

impl From<time::Instant> for Instant {
    fn from(std: time::Instant) -> Self {
        Self { std }
    }
}

impl From<Instant> for time::Instant {
    fn from(instant: Instant) -> Self {
        instant.std
    }
}

/// With an instant of the standard library, such as [`Time::now`](crate::Time::now) returns.
impl PartialEq<time::Instant> for Instant {
    fn eq(&self, other: &time::Instant) -> bool {
        self.std == *other
    }
}

impl PartialEq<Instant> for time::Instant {
    fn eq(&self, other: &Instant) -> bool {
        *self == other.std
    }
}

impl PartialOrd<time::Instant> for Instant {
    fn partial_cmp(&self, other: &time::Instant) -> Option<Ordering> {
        self.std.partial_cmp(other)
    }
}

impl PartialOrd<Instant> for time::Instant {
    fn partial_cmp(&self, other: &Instant) -> Option<Ordering> {
        self.partial_cmp(&other.std)
    }
}

/// As [`duration_since`](Instant::duration_since).
impl Sub<time::Instant> for Instant {
    type Output = Duration;

    fn sub(self, earlier: time::Instant) -> Duration {
        self.duration_since(earlier.into())
    }
}

/// The time from `earlier` to this instant; zero if `earlier` is later.
impl Sub<Instant> for time::Instant {
    type Output = Duration;

    fn sub(self, earlier: Instant) -> Duration {
        self.saturating_duration_since(earlier.std)
    }
}
