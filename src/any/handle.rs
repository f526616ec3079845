//! The methods of tokio's `Handle` that are found without a trait.

use std::future::Future;

use super::AnyRuntime;
use crate::runtime::task::JoinHandle;
use crate::runtime::{BlockOn, Spawn};

/// The most common operations, without an import. The traits of [`prelude`](crate::prelude) have the others.
impl AnyRuntime {
    /// Spawns a task; see [`Spawn::spawn`].
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Spawn::spawn(self, future)
    }

    /// Runs a blocking closure on a thread where blocking is allowed; see [`Spawn::spawn_blocking`].
    #[track_caller]
    pub fn spawn_blocking<F, T>(&self, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Spawn::spawn_blocking(self, job)
    }

    /// Runs a future to completion on this thread; see [`BlockOn::block_on`].
    ///
    /// # Panics
    ///
    /// If called in async code, which it would block.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        BlockOn::block_on(self, future)
    }
}
