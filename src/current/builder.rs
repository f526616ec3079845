use std::future::Future;
use std::io;

use crate::AnyRuntime;
use crate::runtime::task::{Builder, JoinHandle};

impl Builder<'_> {
    /// Spawns a task on the current runtime; see [`spawn`](crate::spawn).
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](crate::NoRuntime), as an error of kind `Unsupported`, if
    /// [no runtime is current](crate::guide::differences#which-runtime-is-current); the future is dropped.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `builder_finds_the_runtime`.</details>
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.spawn_on(future, &AnyRuntime::try_current()?)
    }

    /// Runs a blocking closure on the current runtime; see [`spawn_blocking`](crate::spawn_blocking).
    ///
    /// # Errors
    ///
    /// As [`spawn`](Self::spawn); the closure is dropped.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `builder_finds_the_runtime`.</details>
    #[track_caller]
    pub fn spawn_blocking<F, T>(self, job: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.spawn_blocking_on(job, &AnyRuntime::try_current()?)
    }
}
