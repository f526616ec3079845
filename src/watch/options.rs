use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Report;

/// Options of [`AnyRuntime::watch`](crate::AnyRuntime::watch).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use anyrt::watch::{Report, WatchOptions};
///
/// let options = WatchOptions::new()
///     .warn_after(Duration::from_millis(10))
///     .on_report(|report| {
///         if let Report::Blocked { task, .. } = report {
///             println!("blocked by what was spawned at {}", task.spawned_at);
///         }
///     });
/// # drop(options);
/// ```
#[derive(Clone)]
#[must_use = "they are for `AnyRuntime::watch`"]
pub struct WatchOptions {
    pub(super) warn_after: Duration,
    ready: Option<Duration>,
    queued: Option<Duration>,
    pub(super) on_report: Option<OnReport>,
}

/// Shorter limits are taken for this one.
const LEAST: Duration = Duration::from_millis(1);

pub(super) type OnReport = Arc<dyn Fn(&Report) + Send + Sync>;

impl WatchOptions {
    /// Creates options with the defaults: a limit of 100 ms, and reports to stderr, or as events of
    /// [tracing](super#with-tracing).
    pub fn new() -> Self {
        Self { warn_after: Duration::from_millis(100), ready: None, queued: None, on_report: None }
    }

    /// Sets how long a poll may take; 100 ms by default. Less than 1 ms, also zero, is taken for 1 ms.
    ///
    /// A good value for a server is 10 ms; builds without optimisation need more.
    pub fn warn_after(self, limit: Duration) -> Self {
        Self { warn_after: limit.max(LEAST), ..self }
    }

    /// Sets how long a task may be ready without getting a turn; by default ten times as long as a poll may take, and at
    /// least 1 ms.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `watch_reports_tasks_without_a_turn`.</details>
    pub fn warn_when_ready_for(self, limit: Duration) -> Self {
        Self { ready: Some(limit.max(LEAST)), ..self }
    }

    /// Sets how long a blocking closure may wait for a thread; by default ten times as long as a poll may take, and at
    /// least 1 ms.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `watch_reports_closures_without_a_thread`.</details>
    pub fn warn_when_queued_for(self, limit: Duration) -> Self {
        Self { queued: Some(limit.max(LEAST)), ..self }
    }

    /// Passes each report to a callback, and writes nothing to stderr.
    ///
    /// Without a callback and with feature `tracing`, reports go to the subscriber of the program, if there is one; see
    /// [above](super#with-tracing).
    ///
    /// The callback runs on the thread that watches, which sees nothing meanwhile; that time counts for nobody. The end of
    /// a poll that was reported is reported as well, unless the last handle was dropped before it. A panic of the callback
    /// is ignored. It may use the watched handle, but should not keep it: the thread ends with the last one.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `watch_callback_may_panic`, `watch_reports_the_end_to_a_late_callback`.</details>
    pub fn on_report(self, callback: impl Fn(&Report) + Send + Sync + 'static) -> Self {
        Self { on_report: Some(Arc::new(callback)), ..self }
    }

    pub(super) fn ready_limit(&self) -> Duration {
        self.ready.unwrap_or(self.warn_after.saturating_mul(10))
    }

    pub(super) fn queued_limit(&self) -> Duration {
        self.queued.unwrap_or(self.warn_after.saturating_mul(10))
    }

    /// The time between two looks at the notes: an eighth of the limit.
    pub(super) fn tick(&self) -> Duration {
        (self.warn_after / 8).clamp(Duration::from_micros(500), Duration::from_millis(50))
    }
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for WatchOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchOptions")
            .field("warn_after", &self.warn_after)
            .field("warn_when_ready_for", &self.ready_limit())
            .field("warn_when_queued_for", &self.queued_limit())
            .finish_non_exhaustive()
    }
}
