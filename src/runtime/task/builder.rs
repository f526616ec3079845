use std::future::Future;
use std::io;

use super::JoinHandle;
use crate::runtime::Spawn;

/// Builder that spawns a task with a name.
///
/// A simulation shows the name in the report of a stuck run, in the log and on the timeline: `#3 "reader"`. So do the
/// reports of a watched runtime (feature `watch`). Otherwise it is ignored: tokio supports names only with
/// `--cfg tokio_unstable`, smol and async-std do not support them.
/// Tasks without a name cost nothing extra.
///
/// The methods are those of tokio's unstable `task::Builder`.
///
/// # Examples
///
/// ```
/// use std::io;
///
/// use anyrt::task::Builder;
///
/// fn start() -> io::Result<()> {
///     Builder::new().name("reader").spawn(async { /* … */ })?.detach();
///     Ok(())
/// }
/// ```
///
/// <details><summary>Scenarios</summary>
///
/// `named_tasks_run`, `builder_finds_the_runtime`.</details>
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "it spawns nothing before `spawn`"]
pub struct Builder<'a> {
    name: Option<&'a str>,
}

impl<'a> Builder<'a> {
    /// Creates a builder without a name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name of the task.
    pub fn name(&self, name: &'a str) -> Self {
        Self { name: Some(name) }
    }

    /// Spawns a task on `runtime`; see [`Spawn::spawn`].
    ///
    /// # Errors
    ///
    /// Never. When the runtime is gone, the handle reports it.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `named_tasks_run`.</details>
    #[track_caller]
    pub fn spawn_on<R, F>(self, future: F, runtime: &R) -> io::Result<JoinHandle<F::Output>>
    where
        R: Spawn,
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Ok(match self.name {
            Some(name) => runtime.spawn_named(name, future),
            None => runtime.spawn(future),
        })
    }

    /// Runs a blocking closure on `runtime`; see [`Spawn::spawn_blocking`].
    ///
    /// # Errors
    ///
    /// Never. When the runtime is gone, the handle reports it.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `named_tasks_run`.</details>
    #[track_caller]
    pub fn spawn_blocking_on<R, F, T>(self, job: F, runtime: &R) -> io::Result<JoinHandle<T>>
    where
        R: Spawn,
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Ok(match self.name {
            Some(name) => runtime.spawn_blocking_named(name, job),
            None => runtime.spawn_blocking(job),
        })
    }
}
