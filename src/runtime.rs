//! The contract: what a runtime can do, one trait a capability.
//!
//! A library bounds only what it uses ([`Spawn`], [`Time`], [`Net`]); [`Runtime`] is the sum. Every sentence
//! below holds on every backend and is a scenario of the conformance suite; what cannot be made equal is in the
//! table of differences in the [crate documentation](crate#what-cannot-be-made-equal).
//!
//! # Bringing a runtime
//!
//! A backend implements the methods marked **required**: a way to run a boxed unit future, a way to run a
//! closure, a way to drive a future on this thread, a sleep and sockets. The handles, their abort and panic
//! rules, timeouts, intervals, name resolution and address iteration are written once on top of those.

pub(crate) mod descriptor;
mod tcp;
mod udp;
#[cfg(unix)]
mod unix;

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::time::{Duration, Instant, SystemTime};

use crate::context::Scope;
use crate::coop::Turn;
use crate::net::{ConnectOptions, ListenOptions, ToSocketAddrs};
use crate::random;
use crate::task::{JoinHandle, YieldNow};
use crate::time::{Interval, Timeout, deadline_after};

pub use crate::coop::poll_budget;
pub use descriptor::Descriptor;
pub use tcp::{TcpListener, TcpStream};
pub(crate) use tcp::{tcp_options, tcp_required};
pub use udp::UdpSocket;
pub(crate) use udp::{udp_calls, udp_groups, udp_options};
#[cfg(unix)]
pub(crate) use unix::unix_calls;
#[cfg(unix)]
pub use unix::{UnixDatagram, UnixListener, UnixNet, UnixStream};

/// A unit future that a backend can run without knowing what it computes.
pub type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A closure that a backend can run on a thread that may block.
pub type BoxJob = Box<dyn FnOnce() + Send>;

/// Everything: [`Spawn`], [`BlockOn`], [`Time`], [`Net`], and [`UnixNet`] on Unix.
///
/// # Examples
///
/// ```
/// use anyrt::Runtime;
///
/// struct Client<R: Runtime> {
///     runtime: R,
/// }
/// ```
#[cfg(unix)]
pub trait Runtime: Spawn + BlockOn + Time + Net + UnixNet {}

/// Everything: [`Spawn`], [`BlockOn`], [`Time`] and [`Net`].
#[cfg(not(unix))]
pub trait Runtime: Spawn + BlockOn + Time + Net {}

#[cfg(unix)]
impl<R: Spawn + BlockOn + Time + Net + UnixNet> Runtime for R {}

#[cfg(not(unix))]
impl<R: Spawn + BlockOn + Time + Net> Runtime for R {}

/// Starting tasks and blocking closures.
///
/// A runtime is a handle: cloning it is cheap, and any thread may use it.
///
/// # Dropping
///
/// The last clone of an owned runtime stops it in the background, also inside async code: dropping it neither
/// panics nor waits. Tasks are dropped; a blocking closure that has started runs to its end, and one that is
/// still queued may be dropped without running. A task that holds a clone keeps its runtime alive.
///
/// A handle that was kept, as one that was found does not keep its runtime alive, is then of a runtime that is gone: what
/// it spawns is dropped without running, and its handle says so. Nor is what went with its runtime aborted by an abort that
/// comes later.
///
/// Scenarios: `tasks_are_dropped_with_their_runtime`, `runtime_drop_waits_for_no_closure`,
/// `runtime_can_be_dropped_by_its_own_task`, `abort_handle_hides_no_gone_runtime`, `shutdown_is_no_abort`.
pub trait Spawn: Clone + fmt::Debug + Send + Sync + 'static {
    /// **Required.** Runs `task` to its end, on any thread.
    ///
    /// `task` never panics, nor does its destructor. A runtime that cannot run it any more drops it: its handle
    /// then says that the runtime is gone.
    ///
    /// # Examples
    ///
    /// A backend hands it to its executor and forgets it:
    ///
    /// ```
    /// use std::sync::mpsc;
    ///
    /// use anyrt::runtime::BoxFuture;
    ///
    /// struct Executor {
    ///     queue: mpsc::Sender<BoxFuture>,
    /// }
    ///
    /// impl Executor {
    ///     fn execute(&self, task: BoxFuture) {
    ///         // A queue without a receiver drops it.
    ///         let _ = self.queue.send(task);
    ///     }
    /// }
    /// ```
    fn execute(&self, task: BoxFuture);

    /// **Required.** Runs `job` on a thread that may block, also when nobody waits for it.
    ///
    /// `job` never panics. Jobs beyond the size of the pool wait their turn; a runtime that cannot run a job
    /// any more drops it.
    fn execute_blocking(&self, job: BoxJob);

    /// Starts a task.
    ///
    /// The task runs at once and on its own, whether or not its handle is polled. It may move between threads.
    ///
    /// # Dropping
    ///
    /// Dropping the handle detaches the task: it runs on. (smol 2.0.2 cancels it.)
    ///
    /// A destructor of a task must not spawn that task again without looking whether its handle says that the runtime is gone:
    /// then the new one is dropped at once, which spawns it again.
    ///
    /// # Panics
    ///
    /// Never; a panic of `future` becomes the [`JoinError`](crate::task::JoinError) of the handle. It harms no
    /// other task, nor does a panic in a destructor of `future` or of its output.
    ///
    /// # Errors
    ///
    /// When the runtime is gone the task is dropped without running, and its handle says so.
    ///
    /// # Examples
    ///
    /// ```
    /// async fn double<R: anyrt::Spawn>(runtime: R) -> u32 {
    ///     let handle = runtime.spawn(async { 21 * 2 });
    ///     handle.await.expect("it neither panics nor is it aborted")
    /// }
    /// ```
    ///
    /// Scenarios: `spawn_returns_the_value`, `drop_detaches`, `spawn_from_a_plain_thread`,
    /// `panic_reaches_the_handle`, `panic_in_a_detached_task_harms_no_other`,
    /// `destructor_panic_of_a_detached_output_is_contained`, `spawn_under_a_foreign_executor`,
    /// `spawn_in_a_destructor`, `drop_detaches_before_the_first_poll`, `many_tasks_complete`,
    /// `nested_spawns_join`, `large_future_spawns`, `two_tasks_run_in_parallel`,
    /// `panic_payload_is_preserved`, `destructor_panic_of_a_completed_future_is_reported`,
    /// `wake_during_a_poll_is_not_lost`, `wake_from_another_thread`, `late_wakes_are_harmless`.
    #[track_caller]
    fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        crate::task::spawn_with(future, |task| self.execute(Box::pin(task)))
    }

    /// Runs a closure that blocks, on a thread where that is no harm.
    ///
    /// The closure starts without being polled. More closures than threads queue in order, and never stop
    /// timers or tasks. A started closure cannot be aborted; one that is still queued can.
    ///
    /// # Dropping
    ///
    /// Dropping the handle detaches the closure: it runs, also when it is still queued. (smol 2.0.2 drops it.)
    ///
    /// # Panics
    ///
    /// Never; a panic of `job` becomes the [`JoinError`](crate::task::JoinError) of the handle.
    ///
    /// # Errors
    ///
    /// When the runtime is gone the closure is dropped without running, and its handle says so.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{fs, io};
    ///
    /// async fn read<R: anyrt::Spawn>(runtime: R) -> io::Result<String> {
    ///     runtime.spawn_blocking(|| fs::read_to_string("notes.txt")).await?
    /// }
    /// ```
    ///
    /// Scenarios: `blocking_returns_the_value`, `blocking_runs_when_its_handle_is_dropped`,
    /// `blocking_abort_before_start_prevents_it`, `blocking_abort_after_start_changes_nothing`,
    /// `blocking_panic_reaches_the_handle`, `blocking_from_a_plain_thread`,
    /// `blocking_starts_without_being_polled`, `blocking_runs_in_parallel`, `blocking_can_nest`,
    /// `blocking_runs_when_its_handle_is_dropped_in_the_queue`,
    /// `blocking_cancel_waits_for_a_started_closure`, `blocking_abort_after_start_keeps_the_panic`,
    /// `blocking_pool_survives_panics`, `blocking_output_destructor_panic_is_contained`,
    /// `blocking_is_finished_tells`, `blocking_stops_no_tasks`, `blocking_saturation_stops_no_timers`.
    #[track_caller]
    fn spawn_blocking<F, T>(&self, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        crate::task::spawn_blocking_with(job, |job| self.execute_blocking(Box::new(move || job.run())))
    }

    /// Lets every other runnable task, and the I/O driver, have a turn.
    ///
    /// In which order they have it is not promised, nor when: a task may wait for its worker while this one yields often.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    ///
    /// # Panics
    ///
    /// Perhaps, when it is polled after it has completed.
    ///
    /// # Examples
    ///
    /// ```
    /// async fn crunch<R: anyrt::Spawn>(runtime: R, rows: &[u64]) -> u64 {
    ///     let mut sum = 0;
    ///     for chunk in rows.chunks(10_000) {
    ///         sum += chunk.iter().sum::<u64>();
    ///         runtime.yield_now().await;
    ///     }
    ///     sum
    /// }
    /// ```
    ///
    /// Scenarios: `yield_now_lets_others_run`, `yield_now_lets_timers_fire`.
    fn yield_now(&self) -> impl Future<Output = ()> + Send + 'static {
        YieldNow::default()
    }

    /// A number to seed a generator with, another each time: of the system, unless the runtime has a source of its own, as a
    /// simulation has.
    ///
    /// It is none for secrets.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// /// Up to a tenth more, so that not all come back at once.
    /// fn with_jitter<R: anyrt::Spawn>(runtime: &R, pause: Duration) -> Duration {
    ///     let mut random = fastrand::Rng::with_seed(runtime.random_seed());
    ///     pause + pause.mul_f64(random.f64() / 10.0)
    /// }
    /// ```
    ///
    /// Scenarios: `random_seeds_differ`.
    fn random_seed(&self) -> u64 {
        random::of_the_system()
    }
}

/// Waiting for a future on a thread that is not async.
pub trait BlockOn: Spawn {
    /// **Required.** Drives `future` on this thread until it is done.
    ///
    /// Call [`block_on`](Self::block_on) instead: it makes nesting an error.
    fn run_until<F: Future>(&self, future: F) -> F::Output;

    /// Stops the runtime, for at most `timeout`; [`shutdown_timeout`](Self::shutdown_timeout) is the one to call.
    ///
    /// A backend that can be owned replaces it.
    ///
    /// # Errors
    ///
    /// `Unsupported`, unless this handle owns its runtime.
    fn stop(&self, timeout: Duration) -> io::Result<Left> {
        let _ = timeout;
        Err(not_owned("a runtime of this kind cannot be stopped"))
    }

    /// Stops the runtime, waiting for at most `timeout`, and says what goes on nevertheless.
    ///
    /// Every future of a task is dropped, except those that are just being polled. Closures that are queued may be
    /// dropped without running; those that have started run to their end. Handles of what was dropped say that the
    /// runtime is gone, and so do those of what is spawned later. It does not matter who else has a handle, nor who is in
    /// [`block_on`](Self::block_on).
    ///
    /// Stopping it again, also beside the first, waits for what is left, and says what that is.
    ///
    /// # Panics
    ///
    /// On a thread that is driving async code, as [`block_on`](Self::block_on): it could wait for itself.
    ///
    /// # Errors
    ///
    /// `Unsupported`, unless this handle owns its runtime: those of the process (async-std, the global executor of
    /// smol) cannot be stopped, nor can one through a handle that was merely found, nor a simulation while another thread is
    /// in its `block_on`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{io, time::Duration};
    ///
    /// fn stop<R: anyrt::BlockOn>(runtime: R) -> io::Result<()> {
    ///     let left = runtime.shutdown_timeout(Duration::from_secs(5))?;
    ///     if !left.is_empty() {
    ///         eprintln!("{} tasks and {} closures did not end in time", left.tasks, left.blocking);
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// Scenarios: `shutdown_drops_every_task`, `shutdown_leaves_nothing_of_an_idle_runtime`,
    /// `shutdown_reports_a_closure_that_runs_on`, `shutdown_reports_a_task_that_is_stuck`,
    /// `shutdown_drops_what_is_queued`, `shutdown_twice_leaves_nothing`, `shutdown_in_a_task_panics`,
    /// `shutdown_waits_for_what_ends_in_time`, `shutdown_does_not_mind_other_handles`, `shutdown_needs_an_owner`,
    /// `shutdown_while_a_thread_is_in_block_on`, `shutdown_beside_a_busy_block_on_keeps_the_deadline`,
    /// `two_shutdowns_both_tell_the_truth`, `shutdown_drops_tasks_before_it_waits_for_closures`,
    /// `shutdown_in_no_time_takes_idle_threads_for_nothing_else`.
    #[track_caller]
    fn shutdown_timeout(&self, timeout: Duration) -> io::Result<Left> {
        let _scope = Scope::shutdown();
        self.stop(timeout)
    }

    /// Runs a future to its end on this thread, which waits.
    ///
    /// The future need not be `Send`. It ends when the future does; tasks that it spawned go on.
    ///
    /// When another thread [stops](Self::shutdown_timeout) the runtime, the future is polled on. Handles that it awaits say that
    /// the runtime is gone; its timers and sockets do what those do that outlive their runtime, see [`Time`] and [`Net`].
    ///
    /// It works in destructors of thread-locals, also where the runtime's own are gone that the thread had.
    ///
    /// # Panics
    ///
    /// - With the panic of `future`; the runtime can be used again afterwards.
    /// - When this thread is already driving async code: inside a task or another `block_on`. smol and
    ///   async-std would allow it and hang as soon as the future needs this worker. It is allowed inside
    ///   [`spawn_blocking`](Spawn::spawn_blocking). (In a task of tokio, with `panic = "abort"`, the text is tokio's.) The
    ///   destructor of an output that nobody waits for belongs to its task, or to its closure.
    ///
    /// # Examples
    ///
    /// ```
    /// fn answer<R: anyrt::BlockOn>(runtime: &R) -> u32 {
    ///     runtime.block_on(async { 42 })
    /// }
    /// ```
    ///
    /// Scenarios: `block_on_returns_the_value`, `block_on_passes_a_panic_on`, `nested_block_on_panics`,
    /// `block_on_in_a_task_panics`, `block_on_is_allowed_in_spawn_blocking`,
    /// `block_on_takes_what_is_not_send`, `block_on_leaves_other_tasks_running`,
    /// `block_on_from_several_threads`, `block_on_in_the_destructor_of_an_output`,
    /// `shutdown_while_a_thread_is_in_block_on`, `handle_works_in_a_destructor_of_a_thread_local`.
    #[track_caller]
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        let _scope = Scope::block_on();
        let mut future = pin!(future);
        self.run_until(poll_fn(|cx| {
            let _turn = Turn::begin();
            future.as_mut().poll(cx)
        }))
    }
}

/// What a runtime left when it was [stopped](BlockOn::shutdown_timeout).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Left {
    /// Tasks that were still in a poll when the time was up, or not dropped yet if there was hardly any: one for each thread
    /// that had to do with them.
    ///
    /// On a `current_thread` runtime of tokio the future of a `block_on` counts as well, while it is in the poll that the
    /// shutdown found it in. On a multi-threaded one that anyrt has not built, all tasks are counted as one, and as none
    /// beside a closure.
    pub tasks: usize,
    /// Blocking closures that were still running; those that were queued do not count.
    ///
    /// Those of tokio's own `spawn_blocking` cannot be told from tasks. If anyrt has built the runtime, each is counted
    /// as a task. If not, and nothing else is left, all together are counted as one closure, or as one task if the runtime
    /// had tasks when it was stopped (on `current_thread` only in the first 100 ms). If it had none, they are not counted
    /// in the first 100 ms: an idle thread may take so long to end.
    pub blocking: usize,
}

impl Left {
    /// What a backend left.
    pub fn new(tasks: usize, blocking: usize) -> Self {
        Self { tasks, blocking }
    }

    /// Whether all is over.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Why a runtime cannot be stopped.
pub(crate) fn not_owned(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("anyrt: {why}"))
}

/// Clocks and timers.
///
/// Timers are created anywhere, also where no runtime is entered, and count from their creation. They never
/// fire early and they are usually less than 2 ms late: tokio's timer wheel rounds up to milliseconds.
///
/// A sleep does not keep its runtime alive. When that is gone the sleep goes on, or, on tokio and in a simulation, wakes whoever
/// waits and panics in its next poll. A timeout and an interval hold a handle, so only a shutdown ends their runtime before them:
/// then they do as a sleep does.
///
/// Scenarios: `sleeps_outlive_their_runtime`, `timers_outlive_a_shutdown`,
/// `timeouts_and_intervals_keep_their_runtime`.
pub trait Time: Spawn {
    /// The future of [`sleep`](Self::sleep).
    type Sleep: Sleep;

    /// **Required.** What time it is on the clock that this runtime's timers follow.
    ///
    /// Scenarios: `now_never_goes_back`.
    fn now(&self) -> Instant;

    /// The time of day: that of the system, unless the runtime has clocks of its own, as a simulation has.
    ///
    /// It may jump, and go back, when somebody sets the clock. Timers do not follow it.
    ///
    /// Scenarios: `system_time_goes_on`.
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
    /// Scenarios: `sleep_that_is_due_is_ready_at_its_first_poll`, `sleep_that_becomes_due_is_ready_at_its_next_poll`,
    /// `first_operation_of_a_task_finds_its_budget`, `budget_of_a_block_on_is_not_that_of_a_task`,
    /// `deadline_made_anew_in_each_turn_fires`,
    /// `loop_of_due_sleeps_lets_others_run`, `several_busy_futures_let_others_run`, `sleep_is_never_early`, `sleep_until_the_end_of_the_clock`.
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
    /// Scenarios: `sleep_max_waits_for_ever`, `sleep_counts_from_creation`,
    /// `sleep_can_be_created_on_a_plain_thread`, `sleep_can_be_dropped_pending`,
    /// `sleep_can_be_awaited_on_a_plain_thread`, `many_sleeps_all_fire`.
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
    /// [`Elapsed`](crate::time::Elapsed), which converts into an [`io::Error`] of kind `TimedOut`.
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
    /// Scenarios: `timeout_of_a_ready_future_is_ok`, `timeout_polls_the_future_first`, `timeout_elapses`,
    /// `timeout_drops_the_future`, `timeout_max_never_elapses`,
    /// `timeout_that_is_up_polls_the_future_once`, `timeout_counts_from_creation`,
    /// `timeout_inside_a_timeout`.
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
    /// Scenarios: `timeout_at_a_past_deadline_elapses`,
    /// `timeout_at_a_past_deadline_still_takes_a_ready_value`, `busy_future_hides_no_deadline`.
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
    /// Scenarios: `interval_first_tick_is_immediate`, `interval_keeps_its_schedule`,
    /// `interval_of_zero_panics`.
    #[track_caller]
    fn interval(&self, period: Duration) -> Interval<Self> {
        self.interval_at(self.now(), period)
    }

    /// Ticks every `period`, the first time at `start`.
    ///
    /// Otherwise as [`interval`](Self::interval).
    ///
    /// Scenarios: `interval_at_starts_then`, `interval_at_the_end_of_the_clock`.
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
/// Scenarios: `sleep_is_fused`, `sleep_wakes_the_last_waker`,
/// `sleep_moves_between_tasks`.
pub trait Sleep: Future<Output = ()> + fmt::Debug + Send + Sync + 'static {
    /// When it ends. After [`Time::sleep`] of a duration beyond the clock: some 30 years from then.
    ///
    /// Scenarios: `sleep_knows_its_deadline`.
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
    /// Scenarios: `sleep_reset_to_later`, `sleep_reset_to_earlier`, `sleep_reset_after_completion`,
    /// `sleep_reset_to_the_past`, `sleep_reset_before_the_first_poll`.
    fn reset(self: Pin<&mut Self>, deadline: Instant);
}

/// TCP, UDP and names.
///
/// Objects stay with the runtime that made them, whichever is current where they are used. They may be used from
/// any thread and under any executor for as long as their runtime lives and is driven.
///
/// They do not keep it alive. When it is gone, nothing hangs: an operation, also one that waits already, goes on, or, on
/// tokio and in a simulation, fails with an error of kind `Other`. Closing and `into_std` work, and so does making another one with the old
/// handle, or it fails in the same way. A name is not looked up any more: that is an error of kind `Other` everywhere.
///
/// Tasks that compute for some milliseconds between two turns keep nobody waiting for longer than for a few of their turns:
/// an operation is tried before it waits, and whenever it is polled.
///
/// Scenarios: `busy_tasks_starve_no_connect`, `busy_tasks_starve_no_accept`, `busy_tasks_starve_no_read`,
/// `busy_tasks_starve_no_write`, `busy_tasks_starve_no_receive`, `busy_tasks_starve_no_lookup`,
/// `busy_tasks_starve_no_happy_eyeballs`, `busy_tasks_starve_no_timer`, `objects_stay_with_their_runtime`, `objects_are_driven_from_anywhere`, `sockets_outlive_their_runtime`,
/// `sockets_outlive_a_shutdown`, `sockets_that_wait_outlive_their_runtime`, `sockets_that_wait_outlive_a_shutdown`,
/// `sockets_made_after_a_shutdown_work_or_fail`, `names_after_a_shutdown_are_an_error`.
pub trait Net: Time {
    /// A TCP connection.
    type TcpStream: TcpStream;
    /// A TCP socket that listens.
    type TcpListener: TcpListener<Stream = Self::TcpStream>;
    /// A UDP socket.
    type UdpSocket: UdpSocket;

    /// **Required.** Waits until a socket that does not block, and has begun to connect, is connected or has failed; and
    /// takes it over.
    ///
    /// That is so when it can be written to.
    fn finish_connect(
        &self,
        stream: std::net::TcpStream,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send;

    /// **Required.** Takes over a connection of the standard library, blocking or not.
    ///
    /// It is set to non-blocking here. (tokio 1.54 leaves that to the caller: it panics in debug builds and
    /// blocks a worker in release.)
    ///
    /// Scenarios: `stream_from_a_blocking_std_stream`, `stream_from_std_on_a_plain_thread`.
    fn tcp_stream_from_std(&self, stream: std::net::TcpStream) -> io::Result<Self::TcpStream>;

    /// **Required.** Takes over a listening socket of the standard library, blocking or not.
    ///
    /// Scenarios: `listener_from_a_blocking_std_listener`.
    fn tcp_listener_from_std(&self, listener: std::net::TcpListener) -> io::Result<Self::TcpListener>;

    /// **Required.** Takes over a UDP socket of the standard library, blocking or not.
    ///
    /// Scenarios: `udp_from_a_blocking_std_socket`, `udp_from_std_on_a_plain_thread`.
    fn udp_socket_from_std(&self, socket: std::net::UdpSocket) -> io::Result<Self::UdpSocket>;

    /// Connects to one address; [`tcp_connect`](Self::tcp_connect) is the one to call.
    ///
    /// A backend whose connections are no sockets of the system replaces it.
    fn connect_addr(
        &self,
        addr: SocketAddr,
        options: &ConnectOptions,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send {
        let started = options.start(addr);
        async move { self.finish_connect(started?).await }
    }

    /// Listens on one address; [`tcp_bind`](Self::tcp_bind) is the one to call.
    ///
    /// A backend whose listeners are no sockets of the system replaces it.
    fn bind_addr(&self, addr: SocketAddr, options: &ListenOptions) -> io::Result<Self::TcpListener> {
        self.tcp_listener_from_std(options.listen(addr)?)
    }

    /// Binds a UDP socket to one address; [`udp_bind`](Self::udp_bind) is the one to call.
    ///
    /// A backend whose sockets are none of the system replaces it.
    fn udp_bind_addr(&self, addr: SocketAddr) -> io::Result<Self::UdpSocket> {
        self.udp_socket_from_std(std::net::UdpSocket::bind(addr)?)
    }

    /// Asks the resolver for a host; [`lookup_host`](Self::lookup_host) is the one to call.
    ///
    /// This is the one of the process, if [`set_resolver`](crate::net::set_resolver) has set one, or the system's, off the
    /// workers. A backend that has names of its own replaces it.
    fn resolve(
        &self,
        host: String,
        port: u16,
    ) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send + '_ {
        crate::net::resolve(self, host, port)
    }

    /// All addresses of a name, in the order of the system's resolver, which runs off the workers, or of
    /// [another](crate::net::set_resolver).
    ///
    /// # Cancel safety
    ///
    /// A look-up in progress ends on its own and its result is dropped.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for text that is no `host:port`, the resolver's own error for a name that does not resolve, and
    /// `NotFound` when it answers with no address; each says the name.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// async fn first<R: anyrt::Net>(runtime: R) -> io::Result<()> {
    ///     for addr in runtime.lookup_host(("localhost", 80)).await? {
    ///         println!("{addr}");
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// Scenarios: `lookup_resolves_localhost`, `lookup_of_a_bad_address_is_invalid_input`,
    /// `lookup_of_an_unknown_host_fails`.
    fn lookup_host<A: ToSocketAddrs>(
        &self,
        addr: A,
    ) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send + '_ {
        crate::net::resolve_all(self, addr.to_addrs(), None)
    }

    /// Connects to the first address that answers.
    ///
    /// Names are resolved off the workers; every address is tried, in order. An address, other than a name, needs no
    /// thread of the blocking pool: not even a full one stops it.
    ///
    /// # Cancel safety
    ///
    /// The socket is closed; the peer may have seen the connection nevertheless.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when there is no address; otherwise the error of the last address, which says the address and has
    /// the system's kind, such as `ConnectionRefused` where nobody listens. The system's own error, with its number, is the
    /// [source](std::error::Error::source).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// async fn dial<R: anyrt::Net>(runtime: R) -> io::Result<R::TcpStream> {
    ///     runtime.tcp_connect("localhost:6379").await
    /// }
    /// ```
    ///
    /// Scenarios: `connect_by_name`, `connect_tries_every_address`, `connect_reports_the_last_error`,
    /// `connect_to_no_address_is_invalid_input`, `connect_refused_has_its_kind`, `connect_can_be_cancelled`,
    /// `connect_from_a_plain_thread`, `connect_to_an_address_needs_no_blocking_thread`, `ipv6_round_trip`.
    fn tcp_connect<A: ToSocketAddrs>(
        &self,
        addr: A,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + '_ {
        crate::net::connect(self, addr.to_addrs(), &ConnectOptions::UNSET)
    }

    /// [`tcp_connect`](Self::tcp_connect) with options: from which address, for how long, with which keepalive …
    ///
    /// # Cancel safety
    ///
    /// As of `tcp_connect`.
    ///
    /// # Errors
    ///
    /// As of `tcp_connect`, and: `InvalidInput` for an option that makes no sense, and `Unsupported` for one that the system
    /// does not have, each saying which; `TimedOut` for an address that did not answer in time.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{io, time::Duration};
    ///
    /// use anyrt::net::ConnectOptions;
    ///
    /// async fn dial<R: anyrt::Net>(runtime: R) -> io::Result<R::TcpStream> {
    ///     let options = ConnectOptions::new().timeout(Duration::from_secs(2)).nodelay(true);
    ///     runtime.tcp_connect_with("localhost:6379", &options).await
    /// }
    /// ```
    ///
    /// Scenarios: `connect_options_that_make_no_sense`.
    fn tcp_connect_with<A: ToSocketAddrs>(
        &self,
        addr: A,
        options: &ConnectOptions,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send {
        crate::net::connect(self, addr.to_addrs(), options)
    }

    /// Listens on the first address that can be bound; port 0 picks a free one.
    ///
    /// `SO_REUSEADDR` is set on Unix, so that a server can be restarted at once. 1024 connections may wait to be
    /// accepted, if the system allows as many.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when there is no address; otherwise the error of the last address, which says the address and has
    /// the system's kind, such as `AddrInUse`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// async fn serve<R: anyrt::Net>(runtime: R) -> io::Result<R::TcpListener> {
    ///     runtime.tcp_bind("127.0.0.1:0").await
    /// }
    /// ```
    ///
    /// Scenarios: `bind_port_zero_picks_a_port`, `bind_in_use_has_its_kind`, `bind_tries_every_address`,
    /// `bind_to_no_address_is_invalid_input`, `bind_from_a_plain_thread`, `bind_again_at_once`,
    /// `bind_queues_a_burst`.
    fn tcp_bind<A: ToSocketAddrs>(
        &self,
        addr: A,
    ) -> impl Future<Output = io::Result<Self::TcpListener>> + Send + '_ {
        crate::net::bind(self, addr.to_addrs(), &ListenOptions::UNSET)
    }

    /// [`tcp_bind`](Self::tcp_bind) with options: how many connections may wait, whether others may listen there as
    /// well …
    ///
    /// # Errors
    ///
    /// As of `tcp_bind`, and: `InvalidInput` for an option that makes no sense, and `Unsupported` for one that the system
    /// does not have, each saying which.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// use anyrt::net::ListenOptions;
    ///
    /// /// One of several processes that serve one port.
    /// async fn serve<R: anyrt::Net>(runtime: R) -> io::Result<R::TcpListener> {
    ///     runtime.tcp_bind_with("127.0.0.1:7000", &ListenOptions::new().reuse_port(true)).await
    /// }
    /// ```
    ///
    /// Scenarios: `listen_options_that_make_no_sense`.
    fn tcp_bind_with<A: ToSocketAddrs>(
        &self,
        addr: A,
        options: &ListenOptions,
    ) -> impl Future<Output = io::Result<Self::TcpListener>> + Send {
        crate::net::bind(self, addr.to_addrs(), options)
    }

    /// Binds a UDP socket to the first address that can be bound; port 0 picks a free one.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when there is no address; otherwise the error of the last address, which says the address and has
    /// the system's kind, such as `AddrInUse`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// async fn client<R: anyrt::Net>(runtime: R) -> io::Result<R::UdpSocket> {
    ///     runtime.udp_bind("0.0.0.0:0").await
    /// }
    /// ```
    ///
    /// Scenarios: `udp_bind_picks_a_port`, `udp_bind_by_name`, `udp_bind_in_use_has_its_kind`,
    /// `udp_bind_tries_every_address`, `udp_bind_to_no_address_is_invalid_input`,
    /// `udp_bind_from_a_plain_thread`.
    fn udp_bind<A: ToSocketAddrs>(
        &self,
        addr: A,
    ) -> impl Future<Output = io::Result<Self::UdpSocket>> + Send + '_ {
        crate::net::udp_bind(self, addr.to_addrs())
    }
}
