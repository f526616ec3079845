use std::future::Future;
use std::time::{Duration, Instant, SystemTime};

use super::find;
use crate::AnyRuntime;
use crate::any::at_hand::at_hand;
use crate::any::time::Sleep;
use crate::backend::tokio_context;
use crate::runtime::time::deadline_after;
use crate::runtime::{self, Driver, NoRuntime, Time};
use crate::thread::{self, Place, RuntimeKind};

/// Future of [`timeout`]. The second parameter is the runtime.
pub type Timeout<F, R = AnyRuntime> = runtime::Timeout<F, R>;

/// Timer that ticks at a fixed period; returned by [`interval`]. The parameter is the runtime.
pub type Interval<R = AnyRuntime> = runtime::Interval<R>;

/// The current runtime, with timers.
// A call, and so the future of a timeout is made where it stays.
#[inline(never)]
#[track_caller]
fn current() -> AnyRuntime {
    at_hand!(runtime => {
        let runtime = AnyRuntime::from(runtime);
        if runtime.has(Driver::Time) {
            return runtime;
        }
    });
    match find(Driver::Time) {
        Ok(runtime) => runtime,
        Err(error) => error.panic(),
    }
}

/// [`Time::timeout`], given the runtime for good.
fn timeout_on<F: Future>(runtime: AnyRuntime, duration: Duration, future: F) -> Timeout<F> {
    let deadline = deadline_after(runtime.now(), duration);
    Timeout::new(runtime, deadline, future)
}

/// Returns the current instant of the current runtime's clock; see [`Time::now`].
///
/// # Panics
///
/// If [no runtime is current](crate::guide::differences#which-runtime-is-current); the message says what to write. See
/// [`try_now`].
///
/// <details><summary>Scenarios</summary>
///
/// `free_functions_find_the_runtime`.</details>
#[track_caller]
pub fn now() -> Instant {
    AnyRuntime::current().now()
}

/// Returns the time as [`now`] does, or an error if no runtime is current.
///
/// # Errors
///
/// [`NoRuntime`].
///
/// <details><summary>Scenarios</summary>
///
/// `free_functions_find_the_runtime`.</details>
#[track_caller]
pub fn try_now() -> Result<Instant, NoRuntime> {
    Ok(AnyRuntime::try_current()?.now())
}

/// Returns the time of day of the current runtime; see [`Time::system_time`].
///
/// # Panics
///
/// If [no runtime is current](crate::guide::differences#which-runtime-is-current); the message says what to write. See
/// [`try_system_time`].
///
/// <details><summary>Scenarios</summary>
///
/// `free_functions_find_the_runtime`.</details>
#[track_caller]
pub fn system_time() -> SystemTime {
    AnyRuntime::current().system_time()
}

/// Returns the time of day as [`system_time`] does, or an error if no runtime is current.
///
/// # Errors
///
/// [`NoRuntime`].
///
/// <details><summary>Scenarios</summary>
///
/// `free_functions_find_the_runtime`.</details>
#[track_caller]
pub fn try_system_time() -> Result<SystemTime, NoRuntime> {
    Ok(AnyRuntime::try_current()?.system_time())
}

/// Waits for `duration`, counted from this call; see [`Time::sleep`].
///
/// # Panics
///
/// If no runtime with timers [is current](crate::guide::differences#which-runtime-is-current); the message says what to
/// write. See [`try_sleep`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// async fn pause() {
///     anyrt::time::sleep(Duration::from_millis(50)).await;
/// }
/// ```
///
/// <details><summary>Scenarios</summary>
///
/// `free_functions_find_the_runtime`.</details>
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    // tokio's sleep counts a handle, and so would we: asked for one, it would do so twice.
    match thread::innermost() {
        None | Some(Place::In(RuntimeKind::Tokio)) => {
            if let Some(sleep) = tokio_context::sleep(duration) {
                return Sleep::tokio(sleep);
            }
        }
        #[allow(unreachable_code, reason = "without its backend nobody is there")]
        _ => at_hand!(runtime => return runtime.sleep(duration).into()),
    }
    current().sleep(duration)
}

/// Creates a sleep as [`sleep`] does, or returns an error if no runtime with timers is current.
///
/// # Errors
///
/// [`NoRuntime`].
#[track_caller]
pub fn try_sleep(duration: Duration) -> Result<Sleep, NoRuntime> {
    Ok(find(Driver::Time)?.sleep(duration))
}

/// Waits until `deadline`, which may have passed; see [`Time::sleep_until`].
///
/// # Panics
///
/// As [`sleep`].
///
/// <details><summary>Scenarios</summary>
///
/// `free_functions_find_the_runtime`.</details>
#[track_caller]
pub fn sleep_until(deadline: impl Into<Instant>) -> Sleep {
    current().sleep_until(deadline.into())
}

/// Creates a sleep as [`sleep_until`] does, or returns an error if no runtime with timers is current.
///
/// # Errors
///
/// [`NoRuntime`].
#[track_caller]
pub fn try_sleep_until(deadline: impl Into<Instant>) -> Result<Sleep, NoRuntime> {
    Ok(find(Driver::Time)?.sleep_until(deadline.into()))
}

/// Runs `future` for at most `duration`, then drops it and returns [`Elapsed`](crate::time::Elapsed); see
/// [`Time::timeout`].
///
/// # Errors
///
/// [`Elapsed`](crate::time::Elapsed).
///
/// # Panics
///
/// As [`sleep`].
///
/// # Examples
///
/// ```
/// use std::{io, time::Duration};
///
/// use anyrt::{net::TcpStream, time::timeout};
///
/// async fn connect() -> io::Result<TcpStream> {
///     timeout(Duration::from_secs(3), TcpStream::connect("db.example:5432")).await?
/// }
/// ```
///
/// <details><summary>Scenarios</summary>
///
/// `free_functions_find_the_runtime`.</details>
#[track_caller]
pub fn timeout<F: Future>(duration: Duration, future: F) -> Timeout<F> {
    timeout_on(current(), duration, future)
}

/// Creates a timeout as [`timeout`] does, or returns an error if no runtime with timers is current.
///
/// # Errors
///
/// [`NoRuntime`]; the future is dropped.
#[track_caller]
pub fn try_timeout<F: Future>(duration: Duration, future: F) -> Result<Timeout<F>, NoRuntime> {
    Ok(timeout_on(find(Driver::Time)?, duration, future))
}

/// Runs `future` until `deadline` at the latest, then drops it and returns [`Elapsed`](crate::time::Elapsed); see
/// [`Time::timeout_at`].
///
/// # Errors
///
/// [`Elapsed`](crate::time::Elapsed).
///
/// # Panics
///
/// As [`sleep`].
///
/// <details><summary>Scenarios</summary>
///
/// `free_functions_find_the_runtime`.</details>
#[track_caller]
pub fn timeout_at<F: Future>(deadline: impl Into<Instant>, future: F) -> Timeout<F> {
    Timeout::new(current(), deadline.into(), future)
}

/// Creates a timeout as [`timeout_at`] does, or returns an error if no runtime with timers is current.
///
/// # Errors
///
/// [`NoRuntime`]; the future is dropped.
#[track_caller]
pub fn try_timeout_at<F: Future>(deadline: impl Into<Instant>, future: F) -> Result<Timeout<F>, NoRuntime> {
    Ok(Timeout::new(find(Driver::Time)?, deadline.into(), future))
}

/// Returns an interval that ticks every `period`, the first time at once; see [`Time::interval`].
///
/// # Panics
///
/// When `period` is zero, and as [`sleep`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// async fn heartbeat() {
///     let mut every_second = anyrt::time::interval(Duration::from_secs(1));
///     loop {
///         every_second.tick().await;
///         println!("alive");
///     }
/// }
/// ```
///
/// <details><summary>Scenarios</summary>
///
/// `free_functions_find_the_runtime`.</details>
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    current().interval(period)
}

/// Creates an interval as [`interval`] does, or returns an error if no runtime with timers is current.
///
/// # Errors
///
/// [`NoRuntime`].
///
/// # Panics
///
/// When `period` is zero.
#[track_caller]
pub fn try_interval(period: Duration) -> Result<Interval, NoRuntime> {
    Ok(find(Driver::Time)?.interval(period))
}

/// Returns an interval that ticks every `period`, the first time at `start`; see [`Time::interval_at`].
///
/// # Panics
///
/// When `period` is zero, and as [`sleep`].
///
/// <details><summary>Scenarios</summary>
///
/// `free_functions_find_the_runtime`.</details>
#[track_caller]
pub fn interval_at(start: impl Into<Instant>, period: Duration) -> Interval {
    current().interval_at(start.into(), period)
}

/// Creates an interval as [`interval_at`] does, or returns an error if no runtime with timers is current.
///
/// # Errors
///
/// [`NoRuntime`].
///
/// # Panics
///
/// When `period` is zero.
///
/// <details><summary>Scenarios</summary>
///
/// `free_functions_find_the_runtime`.</details>
#[track_caller]
pub fn try_interval_at(start: impl Into<Instant>, period: Duration) -> Result<Interval, NoRuntime> {
    Ok(find(Driver::Time)?.interval_at(start.into(), period))
}
