use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::time::Duration;

use super::Spawn;
use super::backend::BlockOnBackend;
use super::task::coop::Turn;
use crate::thread::Scope;

/// Blocks a thread on a future, and stops a runtime.
///
/// # For authors of backends
///
/// Implement [`BlockOnBackend`], and this trait with an empty body; see [`runtime::backend`](super::backend).
pub trait BlockOn: Spawn + BlockOnBackend {
    /// Runs a future to completion on this thread, and blocks the thread until then.
    ///
    /// The future need not be `Send`. The call returns when the future completes; tasks that it spawned keep running.
    ///
    /// When another thread [stops](Self::shutdown_timeout) the runtime, the future is still polled. Task handles that
    /// it awaits report that the runtime is gone; its timers and sockets behave like those that outlive their runtime,
    /// see [`Time`](crate::Time) and [`Net`](crate::Net).
    ///
    /// It works in destructors of thread-locals, also after the runtime's own thread-locals of that thread are
    /// destroyed.
    ///
    /// # Panics
    ///
    /// - If `future` panics; the runtime stays usable.
    /// - If this thread is already driving async code: inside a task or another `block_on`. smol and async-std would
    ///   allow it and hang as soon as the future needs this worker. It is allowed inside
    ///   [`spawn_blocking`](Spawn::spawn_blocking). (In a task of tokio, with `panic = "abort"`, the text is tokio's.)
    ///
    /// The destructor of an output that nobody awaits runs as part of its task or closure.
    ///
    /// # Examples
    ///
    /// ```
    /// fn answer<R: anyrt::BlockOn>(runtime: &R) -> u32 {
    ///     runtime.block_on(async { 42 })
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `block_on_returns_the_value`, `block_on_passes_a_panic_on`, `nested_block_on_panics`,
    /// `block_on_in_a_task_panics`, `block_on_is_allowed_in_spawn_blocking`,
    /// `block_on_takes_what_is_not_send`, `block_on_leaves_other_tasks_running`,
    /// `block_on_from_several_threads`, `block_on_in_the_destructor_of_an_output`,
    /// `shutdown_while_a_thread_is_in_block_on`, `handle_works_in_a_destructor_of_a_thread_local`.</details>
    #[track_caller]
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        let _scope = Scope::block_on();
        let mut future = pin!(future);
        self.run_until(poll_fn(|cx| {
            let _turn = Turn::begin();
            future.as_mut().poll(cx)
        }))
    }

    /// Stops the runtime, waits for at most `timeout`, and reports what is still running.
    ///
    /// Every future of a task is dropped, except those that are just being polled. Closures that are queued may be
    /// dropped without running; those that have started run to their end. Handles of dropped tasks and closures report
    /// that the runtime is gone, and so do handles of what is spawned later. The call works while others hold handles,
    /// and while other threads are in [`block_on`](Self::block_on).
    ///
    /// A second call, also at the same time as the first, waits for what is left and reports it.
    ///
    /// # Panics
    ///
    /// On a thread that is driving async code, as [`block_on`](Self::block_on) does: the call could wait for itself.
    ///
    /// # Errors
    ///
    /// `Unsupported`, unless this handle owns its runtime. Runtimes of the process (async-std, the global executor of
    /// smol) cannot be stopped. A weak handle cannot stop its runtime, and a simulation cannot be stopped while another
    /// thread is in its `block_on`.
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
    /// <details><summary>Scenarios</summary>
    ///
    /// `shutdown_drops_every_task`, `shutdown_drops_tasks_that_wake_each_other_under_a_lock`, `shutdown_leaves_nothing_of_an_idle_runtime`,
    /// `shutdown_reports_a_closure_that_runs_on`, `shutdown_reports_a_task_that_is_stuck`,
    /// `shutdown_drops_tasks_beside_one_that_is_stuck`, `shutdown_drops_what_is_queued`, `shutdown_twice_leaves_nothing`,
    /// `shutdown_in_a_task_panics`,
    /// `shutdown_waits_for_what_ends_in_time`, `shutdown_does_not_mind_other_handles`, `shutdown_needs_an_owner`,
    /// `shutdown_while_a_thread_is_in_block_on`, `shutdown_beside_a_busy_block_on_keeps_the_deadline`,
    /// `two_shutdowns_both_tell_the_truth`, `shutdown_drops_tasks_before_it_waits_for_closures`,
    /// `shutdown_in_no_time_takes_idle_threads_for_nothing_else`.</details>
    #[track_caller]
    fn shutdown_timeout(&self, timeout: Duration) -> io::Result<ShutdownReport> {
        let _scope = Scope::shutdown();
        self.stop(timeout)
    }
}

/// Report of a [shutdown](BlockOn::shutdown_timeout): the tasks and closures that did not end in time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Tasks that were still being polled when the time was up, or that were not dropped yet if the timeout was very
    /// short: one for each thread that was busy with them.
    ///
    /// On a `current_thread` runtime of tokio the future of a `block_on` counts as well, while it is in the poll that
    /// the shutdown found it in. On a multi-threaded runtime that anyrt has not built, all tasks together count as one,
    /// or as zero if a closure is counted.
    pub tasks: usize,
    /// Blocking closures that were still running; queued ones do not count.
    ///
    /// Closures of tokio's own `spawn_blocking` cannot be distinguished from tasks. If anyrt has built the runtime,
    /// each is counted as a task. If not, and nothing else is left, all together are counted as one closure, or as one
    /// task if the runtime had tasks when it was stopped (on `current_thread` only in the first 100 ms). If it had
    /// none, they are not counted in the first 100 ms: an idle thread may take that long to end.
    pub blocking: usize,
}

impl ShutdownReport {
    /// Creates a report; for authors of backends.
    pub fn new(tasks: usize, blocking: usize) -> Self {
        Self { tasks, blocking }
    }

    /// Returns whether everything ended in time.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The error of a runtime that cannot be stopped.
pub(crate) fn not_owned(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("anyrt: {why}"))
}
