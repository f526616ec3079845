use std::collections::hash_map;
use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, Hasher};

use super::backend::SpawnBackend;
use super::task::{JoinHandle, YieldNow, spawn_blocking_with, spawn_with};

/// Spawns tasks and blocking closures.
///
/// A runtime is a handle: cloning it is cheap, and any thread may use it.
///
/// # Dropping
///
/// Dropping the last clone of an owned runtime stops the runtime in the background, also inside async code: the drop
/// neither panics nor waits. Tasks are dropped; a blocking closure that has started runs to its end, and one that is
/// still queued may be dropped without running. A task that holds a clone keeps its runtime alive.
///
/// A weak handle, such as one that was found with `current`, does not keep its runtime alive. Once the runtime is gone,
/// a task that the weak handle spawns is dropped without running, and its task handle reports that the runtime is gone.
/// If a task was dropped with its runtime, its handle reports that the runtime is gone, also after a later `abort`.
///
/// <details><summary>Scenarios</summary>
///
/// `tasks_are_dropped_with_their_runtime`, `runtime_drop_waits_for_no_closure`,
/// `runtime_can_be_dropped_by_its_own_task`, `abort_handle_hides_no_gone_runtime`, `shutdown_is_no_abort`.</details>
///
/// # For authors of backends
///
/// Implement [`SpawnBackend`], and this trait with an empty body; see [`runtime::backend`](super::backend).
pub trait Spawn: Clone + fmt::Debug + Send + Sync + SpawnBackend + 'static {
    /// Spawns a task.
    ///
    /// The task runs at once and on its own, whether or not its handle is polled. It may move between threads.
    ///
    /// # Dropping
    ///
    /// Dropping the handle detaches the task, which continues to run. (smol 2.0.2 cancels it.)
    ///
    /// A destructor of a task must not spawn the same task again without checking whether the runtime is gone: a gone
    /// runtime drops the new task at once, which runs the destructor again, without an end.
    ///
    /// # Panics
    ///
    /// Never; a panic of `future` becomes the [`JoinError`](crate::task::JoinError) of the handle. Neither it nor a
    /// panic in a destructor of `future` or of its output affects other tasks.
    ///
    /// # Errors
    ///
    /// When the runtime is gone, the task is dropped without running, and the handle returns an error that
    /// [says so](crate::task::JoinError::is_runtime_gone).
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

    /// Runs a blocking closure on a thread where blocking is allowed.
    ///
    /// The closure starts without being polled. When all threads are busy, closures queue in order; they never hold up
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
    /// When the runtime is gone, the closure is dropped without running, and the handle returns an error that
    /// [says so](crate::task::JoinError::is_runtime_gone).
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

    /// Yields once, so that every other runnable task and the I/O driver get a turn.
    ///
    /// The order of the turns is not promised, nor when each comes: a task may wait for its worker while this one
    /// yields often. In a [simulation](crate::guide::simulation#what-lets-time-pass) the clock advances while all tasks that are ready
    /// yield: at first by nothing, and by 12.7 s in 2,000 turns.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    ///
    /// # Panics
    ///
    /// May panic when it is polled after it has completed.
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

    /// Returns a new seed for a random number generator at each call. It comes from the operating system, unless the
    /// runtime has a source of its own, as a simulation has.
    ///
    /// Not suitable for cryptography.
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
}

/// From the system, once a thread, and then the next: the standard library has no other source.
pub(crate) fn random_seed_of_the_system() -> u64 {
    hash_map::RandomState::new().build_hasher().finish()
}
