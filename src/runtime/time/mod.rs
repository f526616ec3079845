//! Time: the clock of a runtime, its sleeps, and the timeouts and intervals built on them.

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
/// Timers can be created anywhere, also where no runtime is entered, and count from their creation. They never fire
/// early and they are usually less than 2 ms late: tokio's timer wheel rounds up to milliseconds.
///
/// A sleep does not keep its runtime alive. When the runtime is gone, the sleep still completes on time, or, on tokio
/// and in a simulation, wakes its task and panics in its next poll. A timeout and an interval hold a handle, so only a
/// shutdown can end their runtime before them: then they behave like a sleep.
///
/// <details><summary>Scenarios</summary>
///
/// `sleeps_outlive_their_runtime`, `timers_outlive_a_shutdown`,
/// `timeouts_and_intervals_keep_their_runtime`.</details>
///
/// # For authors of backends
///
/// Implement [`now`](Self::now), [`sleep_until`](Self::sleep_until) and the future that it returns. Replace
/// [`system_time`](Self::system_time) if the runtime has a clock of its own. The other methods are built on these.
pub trait Time: Spawn {
    /// The future of [`sleep`](Self::sleep).
    type Sleep: Sleep;

    /// **Required.** Returns the current instant of the clock that this runtime's timers follow.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `now_never_goes_back`.</details>
    fn now(&self) -> Instant;

    /// Returns the time of day: the system's, unless the runtime has a clock of its own, as a simulation has.
    ///
    /// It may jump forwards or backwards when the clock is set. Timers do not follow it.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `system_time_goes_on`.</details>
    fn system_time(&self) -> SystemTime {
        SystemTime::now()
    }

    /// **Required.** Waits until `deadline`. Once it has passed, the sleep is ready at its next poll, even if that is
    /// the first.
    ///
    /// So each turn of a loop may create a sleep of its own. A loop of sleeps that are due lets other tasks run: each
    /// sleep counts against the cooperative budget of its task, and a sleep that finds the budget spent is ready at its
    /// second poll.
    ///
    /// # Cancel safety
    ///
    /// Dropping the sleep removes the timer and has no other effect.
    ///
    /// # Panics
    ///
    /// On tokio, if it is created on a runtime whose time driver is off, or polled after its runtime was shut down.
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
    /// `Duration::ZERO` is ready at once; use [`yield_now`](Spawn::yield_now) to yield. `Duration::MAX` waits for ever.
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

    /// Runs `future` for at most `duration`, then drops it and returns [`Elapsed`](crate::time::Elapsed).
    ///
    /// The time counts from this call. `future` is polled first, so a ready future wins even if the time is up.
    /// `future` is dropped together with the timeout.
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

    /// Runs `future` until `deadline` at the latest, then drops it and returns [`Elapsed`](crate::time::Elapsed).
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

    /// Returns an interval that ticks every `period`, the first time at once.
    ///
    /// Ticks keep to the schedule. Choose what happens to missed ticks with
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

    /// Returns an interval that ticks every `period`, the first time at `start`.
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

/// Future that waits for a deadline; returned by [`Time::sleep`].
///
/// Once ready, it stays ready. Different tasks may poll it in turn; it wakes the one that polled it last.
///
/// <details><summary>Scenarios</summary>
///
/// `sleep_is_fused`, `sleep_wakes_the_last_waker`,
/// `sleep_moves_between_tasks`.</details>
pub trait Sleep: Future<Output = ()> + fmt::Debug + Send + Sync + 'static {
    /// Returns the deadline. For a [`Time::sleep`] whose duration the clock cannot represent, it is some 30 years after
    /// the call.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `sleep_knows_its_deadline`.</details>
    fn deadline(&self) -> Instant;

    /// Returns whether the deadline has passed and the sleep has completed.
    fn is_elapsed(&self) -> bool;

    /// Moves the deadline. A sleep that has completed waits again.
    ///
    /// A waiting task is woken at the new deadline without polling again.
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
