//! Time: the clock of a runtime, its sleeps, and what is written once over any sleep.

mod deadline;
pub(crate) mod instant;
mod interval;
mod sleep_state;
mod timeout;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime};

use super::Spawn;

pub(crate) use deadline::deadline_after;
pub use interval::{Interval, MissedTickBehavior};
#[allow(unused_imports, reason = "without a backend there is no sleep")]
pub(crate) use sleep_state::SleepState;
pub use timeout::{Elapsed, Timeout};

/// Clocks and timers.
///
/// Timers are created anywhere, also where no runtime is entered, and count from their creation. They never
/// fire early and they are usually less than 2 ms late: tokio's timer wheel rounds up to milliseconds.
///
/// A sleep does not keep its runtime alive. When that is gone the sleep goes on, or, on tokio and in a simulation, wakes whoever
/// waits and panics in its next poll. A timeout and an interval hold a handle, so only a shutdown ends their runtime before them:
/// then they do as a sleep does.
///
/// <details><summary>Scenarios</summary>
///
/// `sleeps_outlive_their_runtime`, `timers_outlive_a_shutdown`,
/// `timeouts_and_intervals_keep_their_runtime`.</details>
///
/// # For authors of backends
///
/// Required are [`now`](Self::now), [`sleep_until`](Self::sleep_until) and the future that it returns. Replace
/// [`system_time`](Self::system_time) where the runtime has a clock of its own; the rest is written once on top of those.
pub trait Time: Spawn {
    /// The future of [`sleep`](Self::sleep).
    type Sleep: Sleep;

    /// **Required.** What time it is on the clock that this runtime's timers follow.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `now_never_goes_back`.</details>
    fn now(&self) -> Instant;

    /// The time of day: that of the system, unless the runtime has clocks of its own, as a simulation has.
    ///
    /// It may jump, and go back, when somebody sets the clock. Timers do not follow it.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `system_time_goes_on`.</details>
    fn system_time(&self) -> SystemTime {
        SystemTime::now()
    }

    /// **Required.** Waits until `deadline`. When that has passed, the sleep is ready at its next poll, also at its first.
    ///
    /// So a deadline may be made anew in each turn of a loop. A loop of sleeps that are due lets other tasks run: each of
    /// them counts for the budget of its task, and one that finds it spent is ready at its second poll.
    ///
    /// # Cancel safety
    ///
    /// Dropping it takes the timer away; nothing else happens.
    ///
    /// # Panics
    ///
    /// On tokio, when it is created on a runtime whose time driver is off, or polled after its runtime has been
    /// shut down.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// async fn two_seconds_in_all<R: anyrt::Time>(runtime: R, first: impl Future<Output = ()>) {
    ///     let end = runtime.now() + Duration::from_secs(2);
    ///     first.await;
    ///     runtime.sleep_until(end).await;
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `sleep_that_is_due_is_ready_at_its_first_poll`, `sleep_that_becomes_due_is_ready_at_its_next_poll`,
    /// `first_operation_of_a_task_finds_its_budget`, `budget_of_a_block_on_is_not_that_of_a_task`,
    /// `deadline_made_anew_in_each_turn_fires`,
    /// `loop_of_due_sleeps_lets_others_run`, `several_busy_futures_let_others_run`, `sleep_is_never_early`, `sleep_until_the_end_of_the_clock`.</details>
    fn sleep_until(&self, deadline: Instant) -> Self::Sleep;

    /// Waits for `duration`, counted from this call.
    ///
    /// `Duration::ZERO` is ready at once: [`yield_now`](Spawn::yield_now) is for giving way. `Duration::MAX` waits for ever.
    ///
    /// # Cancel safety, panics
    ///
    /// As [`sleep_until`](Self::sleep_until).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// async fn retry<R: anyrt::Time>(runtime: R, mut attempt: impl AsyncFnMut() -> bool) {
    ///     while !attempt().await {
    ///         runtime.sleep(Duration::from_millis(50)).await;
    ///     }
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `sleep_max_waits_for_ever`, `sleep_counts_from_creation`,
    /// `sleep_can_be_created_on_a_plain_thread`, `sleep_can_be_dropped_pending`,
    /// `sleep_can_be_awaited_on_a_plain_thread`, `many_sleeps_all_fire`.</details>
    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.sleep_until(deadline_after(self.now(), duration))
    }

    /// Gives `future` until `duration` from this call.
    ///
    /// `future` is polled first, so one that is ready wins even when the time is up. When it is pending then, the timeout
    /// has elapsed, and `future` is dropped with it.
    ///
    /// # Cancel safety
    ///
    /// As cancel safe as `future`.
    ///
    /// # Errors
    ///
    /// [`Elapsed`](crate::time::Elapsed), which converts into an [`io::Error`](std::io::Error) of kind `TimedOut`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{io, time::Duration};
    ///
    /// async fn connect<R: anyrt::Runtime>(runtime: R) -> io::Result<R::TcpStream> {
    ///     runtime.timeout(Duration::from_secs(3), runtime.tcp_connect("db.example:5432")).await?
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `timeout_of_a_ready_future_is_ok`, `timeout_polls_the_future_first`, `timeout_elapses`,
    /// `timeout_drops_the_future`, `timeout_max_never_elapses`,
    /// `timeout_that_is_up_polls_the_future_once`, `timeout_counts_from_creation`,
    /// `timeout_inside_a_timeout`.</details>
    fn timeout<F: Future>(&self, duration: Duration, future: F) -> Timeout<F, Self> {
        self.timeout_at(deadline_after(self.now(), duration), future)
    }

    /// Gives `future` until `deadline`.
    ///
    /// Otherwise as [`timeout`](Self::timeout).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{io, time::Instant};
    ///
    /// async fn both<R: anyrt::Runtime>(runtime: R, end: Instant) -> io::Result<()> {
    ///     runtime.timeout_at(end, runtime.tcp_connect("one.example:80")).await??;
    ///     runtime.timeout_at(end, runtime.tcp_connect("two.example:80")).await??;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `timeout_at_a_past_deadline_elapses`,
    /// `timeout_at_a_past_deadline_still_takes_a_ready_value`, `busy_future_hides_no_deadline`.</details>
    fn timeout_at<F: Future>(&self, deadline: Instant, future: F) -> Timeout<F, Self> {
        Timeout::new(self.clone(), deadline, future)
    }

    /// Ticks every `period`, the first time at once.
    ///
    /// Ticks keep to the schedule. What happens to ticks that were missed is chosen with
    /// [`set_missed_tick_behavior`](Interval::set_missed_tick_behavior).
    ///
    /// # Panics
    ///
    /// When `period` is zero.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// async fn heartbeat<R: anyrt::Time>(runtime: R, mut beat: impl FnMut()) {
    ///     let mut every_second = runtime.interval(Duration::from_secs(1));
    ///     loop {
    ///         every_second.tick().await;
    ///         beat();
    ///     }
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `interval_first_tick_is_immediate`, `interval_keeps_its_schedule`,
    /// `interval_of_zero_panics`.</details>
    #[track_caller]
    fn interval(&self, period: Duration) -> Interval<Self> {
        self.interval_at(self.now(), period)
    }

    /// Ticks every `period`, the first time at `start`.
    ///
    /// Otherwise as [`interval`](Self::interval).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `interval_at_starts_then`, `interval_at_the_end_of_the_clock`.</details>
    #[track_caller]
    fn interval_at(&self, start: Instant, period: Duration) -> Interval<Self> {
        Interval::new(self.clone(), start, period)
    }
}

/// A pending sleep.
///
/// Once it has been ready it is ready for ever. It may be polled by another task than the one before, and wakes the last
/// that polled it.
///
/// <details><summary>Scenarios</summary>
///
/// `sleep_is_fused`, `sleep_wakes_the_last_waker`,
/// `sleep_moves_between_tasks`.</details>
pub trait Sleep: Future<Output = ()> + fmt::Debug + Send + Sync + 'static {
    /// When it ends. After [`Time::sleep`] of a duration beyond the clock: some 30 years from then.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `sleep_knows_its_deadline`.</details>
    fn deadline(&self) -> Instant;

    /// Whether it has completed.
    fn is_elapsed(&self) -> bool;

    /// Moves the deadline, also of a sleep that has completed: it then waits again.
    ///
    /// A task that is waiting need not poll again to be woken at the new time.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{pin::pin, time::Duration};
    ///
    /// use anyrt::{Time, runtime::Sleep};
    ///
    /// /// Waits until nothing has happened for a second.
    /// async fn quiet<R: Time>(runtime: R, mut next_event: impl AsyncFnMut()) {
    ///     let second = Duration::from_secs(1);
    ///     let mut silence = pin!(runtime.sleep(second));
    ///     while runtime.timeout_at(silence.deadline(), next_event()).await.is_ok() {
    ///         silence.as_mut().reset(runtime.now() + second);
    ///     }
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `sleep_reset_to_later`, `sleep_reset_to_earlier`, `sleep_reset_after_completion`,
    /// `sleep_reset_to_the_past`, `sleep_reset_before_the_first_poll`.</details>
    fn reset(self: Pin<&mut Self>, deadline: Instant);
}
