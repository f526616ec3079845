use std::collections::hash_map;
use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, Hasher};
use std::pin::Pin;

use super::task::{JoinHandle, YieldNow, spawn_blocking_with, spawn_with};

/// A unit future that a backend can run without knowing what it computes.
pub type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A closure that a backend can run on a thread that may block.
pub type BoxJob = Box<dyn FnOnce() + Send>;

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
/// <details><summary>Scenarios</summary>
///
/// `tasks_are_dropped_with_their_runtime`, `runtime_drop_waits_for_no_closure`,
/// `runtime_can_be_dropped_by_its_own_task`, `abort_handle_hides_no_gone_runtime`, `shutdown_is_no_abort`.</details>
///
/// # For authors of backends
///
/// Required are [`execute`](Self::execute) and [`execute_blocking`](Self::execute_blocking), which nobody else calls: the other methods
/// stand on them, with all that is promised. [`spawn`](Self::spawn) and [`spawn_blocking`](Self::spawn_blocking) stay as they are
/// provided, unless they call those of another runtime of this trait: no [`JoinHandle`](crate::task::JoinHandle) holds one of another
/// crate. Replace [`yield_now`](Self::yield_now) and [`random_seed`](Self::random_seed) where the runtime has its own, and
/// [`spawn_named`](Self::spawn_named) and [`spawn_blocking_named`](Self::spawn_blocking_named) where it shows names.
pub trait Spawn: Clone + fmt::Debug + Send + Sync + 'static {
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
    /// <details><summary>Scenarios</summary>
    ///
    /// `spawn_returns_the_value`, `drop_detaches`, `spawn_from_a_plain_thread`,
    /// `panic_reaches_the_handle`, `panic_in_a_detached_task_harms_no_other`,
    /// `destructor_panic_of_a_detached_output_is_contained`, `spawn_under_a_foreign_executor`,
    /// `spawn_in_a_destructor`, `drop_detaches_before_the_first_poll`, `many_tasks_complete`,
    /// `nested_spawns_join`, `large_future_spawns`, `two_tasks_run_in_parallel`,
    /// `panic_payload_is_preserved`, `destructor_panic_of_a_completed_future_is_reported`,
    /// `wake_during_a_poll_is_not_lost`, `wake_from_another_thread`, `late_wakes_are_harmless`.</details>
    #[track_caller]
    fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        spawn_with(future, |task| self.execute(Box::pin(task)))
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
    /// <details><summary>Scenarios</summary>
    ///
    /// `blocking_returns_the_value`, `blocking_runs_when_its_handle_is_dropped`,
    /// `blocking_abort_before_start_prevents_it`, `blocking_abort_after_start_changes_nothing`,
    /// `blocking_panic_reaches_the_handle`, `blocking_from_a_plain_thread`,
    /// `blocking_starts_without_being_polled`, `blocking_runs_in_parallel`, `blocking_can_nest`,
    /// `blocking_runs_when_its_handle_is_dropped_in_the_queue`,
    /// `blocking_cancel_waits_for_a_started_closure`, `blocking_abort_after_start_keeps_the_panic`,
    /// `blocking_pool_survives_panics`, `blocking_output_destructor_panic_is_contained`,
    /// `blocking_is_finished_tells`, `blocking_stops_no_tasks`, `blocking_saturation_stops_no_timers`.</details>
    #[track_caller]
    fn spawn_blocking<F, T>(&self, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        spawn_blocking_with(job, |job| self.execute_blocking(Box::new(move || job.run())))
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
    /// <details><summary>Scenarios</summary>
    ///
    /// `yield_now_lets_others_run`, `yield_now_lets_timers_fire`.</details>
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
    /// <details><summary>Scenarios</summary>
    ///
    /// `random_seeds_differ`.</details>
    fn random_seed(&self) -> u64 {
        random_seed_of_the_system()
    }

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

    /// [`spawn`](Self::spawn) of a task that has a name; [`task::Builder`](crate::task::Builder) calls it.
    ///
    /// A runtime that shows names replaces it, as the simulation does. Others leave the name out.
    #[track_caller]
    fn spawn_named<F>(&self, name: &str, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let _ = name;
        self.spawn(future)
    }

    /// [`spawn_blocking`](Self::spawn_blocking) of a closure that has a name, as [`spawn_named`](Self::spawn_named).
    #[track_caller]
    fn spawn_blocking_named<F, T>(&self, name: &str, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let _ = name;
        self.spawn_blocking(job)
    }
}

/// From the system, once a thread, and then the next: the standard library has no other source.
pub(crate) fn random_seed_of_the_system() -> u64 {
    hash_map::RandomState::new().build_hasher().finish()
}
