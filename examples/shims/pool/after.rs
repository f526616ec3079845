//! The functions that a pool needs of its runtime, on anyrt: the runtime that its user passes, or the current one.

use std::future::Future;
use std::io;
use std::time::Duration;

use anyrt::{AnyRuntime, Time};

#[derive(Clone, Debug)]
pub(crate) struct Runtime {
    runtime: AnyRuntime,
}

impl Runtime {
    pub(crate) fn of_pool(named: Option<Self>) -> io::Result<Self> {
        match named {
            Some(runtime) => Ok(runtime),
            None => Ok(Self { runtime: AnyRuntime::try_current()? }),
        }
    }

    /// Returns `None` when the time is up.
    pub(crate) async fn timeout<F: Future>(&self, limit: Duration, future: F) -> Option<F::Output> {
        self.runtime.timeout(limit, future).await.ok()
    }

    /// A panic of `job` is an error.
    pub(crate) async fn spawn_blocking<F, T>(&self, job: F) -> io::Result<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Ok(self.runtime.spawn_blocking(job).await?)
    }

    /// Runs `job` in the background.
    pub(crate) fn spawn_blocking_background<F>(&self, job: F)
    where
        F: FnOnce() + Send + 'static,
    {
        drop(self.runtime.spawn_blocking(job));
    }
}
