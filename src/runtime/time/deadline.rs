use std::time::{Duration, Instant};

/// Further away than anybody waits, and near enough for every clock: 30 years, which is tokio's number too.
const FAR: Duration = Duration::from_secs(86_400 * 365 * 30);

/// `now + duration`; some 30 years from now when the clock cannot say it; `now` itself where the clock ends sooner.
///
/// Whatever is added to an `Instant` is added here.
#[inline]
pub(crate) fn deadline_after(now: Instant, duration: Duration) -> Instant {
    now.checked_add(duration).unwrap_or_else(|| far_after(now))
}

#[cold]
fn far_after(now: Instant) -> Instant {
    now.checked_add(FAR).unwrap_or(now)
}
