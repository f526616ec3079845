use std::future::Future;

use crate::AnyRuntime;
use crate::runtime::task::{AbortHandle, JoinSet};

impl<T: Send + 'static> JoinSet<T> {
    /// Spawns a task on the current runtime and adds it to the set.
    ///
    /// # Panics
    ///
    /// If [no runtime is current](crate::guide::differences#which-runtime-is-current); the message says what to write.
    /// See [`spawn_on`](Self::spawn_on).
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt::task::JoinSet;
    ///
    /// async fn sum_of_squares() -> u32 {
    ///     let mut set = JoinSet::new();
    ///     for n in 0..10 {
    ///         set.spawn(async move { n * n });
    ///     }
    ///     set.join_all().await.into_iter().sum()
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `join_set_finds_the_runtime`.</details>
    #[track_caller]
    pub fn spawn<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
    {
        self.spawn_on(future, &AnyRuntime::current())
    }

    /// Runs a blocking closure on the current runtime and adds it to the set.
    ///
    /// # Panics
    ///
    /// As [`spawn`](Self::spawn).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `join_set_finds_the_runtime`.</details>
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, job: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
    {
        self.spawn_blocking_on(job, &AnyRuntime::current())
    }
}

/// Spawns each future as a task on the current runtime.
///
/// # Panics
///
/// As [`JoinSet::spawn`].
///
/// <details><summary>Scenarios</summary>
///
/// `join_set_finds_the_runtime`.</details>
impl<T: Send + 'static, F> FromIterator<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
{
    fn from_iter<I: IntoIterator<Item = F>>(futures: I) -> Self {
        let mut set = Self::new();
        for future in futures {
            set.spawn(future);
        }
        set
    }
}
