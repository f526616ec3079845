use std::future::Future;
use std::pin::Pin;

use crate::runtime::Spawn;
use crate::runtime::task::JoinHandle;

/// A unit future that a backend can run without knowing what it computes.
pub type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A closure that a backend can run on a thread that may block.
pub type BoxJob = Box<dyn FnOnce() + Send>;

/// Runs boxed tasks and closures; what [`Spawn`] stands on. Programs call the methods of `Spawn`.
pub trait SpawnBackend {
    /// Runs `task` to its end, on any thread.
    ///
    /// `task` never panics, nor does its destructor. A runtime that has stopped drops it: the task's handle then
    /// reports that the runtime is gone.
    ///
    /// # Examples
    ///
    /// A backend passes it to its executor and detaches it:
    ///
    /// ```
    /// use std::sync::mpsc;
    ///
    /// use anyrt::runtime::backend::BoxFuture;
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

    /// Runs `job` on a thread that may block, also when nobody waits for it.
    ///
    /// `job` never panics. Jobs beyond the size of the pool wait in a queue; a runtime that has stopped drops the job.
    fn execute_blocking(&self, job: BoxJob);

    /// Spawns a task with a name, as [`spawn`](Spawn::spawn) does without; called by
    /// [`task::Builder`](crate::task::Builder).
    ///
    /// Replace it on a runtime that shows names, as the simulation does. The provided method ignores the name.
    #[track_caller]
    fn spawn_named<F>(&self, name: &str, future: F) -> JoinHandle<F::Output>
    where
        Self: Spawn,
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let _ = name;
        self.spawn(future)
    }

    /// Runs a blocking closure with a name; otherwise as [`spawn_blocking`](Spawn::spawn_blocking). The provided method
    /// ignores the name.
    #[track_caller]
    fn spawn_blocking_named<F, T>(&self, name: &str, job: F) -> JoinHandle<T>
    where
        Self: Spawn,
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let _ = name;
        self.spawn_blocking(job)
    }
}
