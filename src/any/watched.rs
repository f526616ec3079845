use std::io;

use super::wrapped::Wrapped;
use super::{AnyRuntime, Other, Repr};
use crate::watch::{Snapshot, Watch, WatchOptions};

impl AnyRuntime {
    /// Returns a handle to the same runtime that [watches](crate::watch) what is spawned through it: a task that blocks its
    /// thread is reported while it blocks.
    ///
    /// Tasks that a watched task spawns on the current runtime are watched as well: this handle is the
    /// [current](Self::current) one inside, and in [`block_on`](crate::BlockOn::block_on) of this handle. The new handle
    /// is equal to the original, which stays as it is. If that one is watched already, the new one has the new options and
    /// numbers of its own instead.
    ///
    /// Each task is boxed, listed, and woken through another waker: a spawn takes three allocations more, and some twice the
    /// instructions of one that is not watched (`benches/cost` has the figures, of polls as well). Other handles cost nothing
    /// extra.
    ///
    /// # Dropping
    ///
    /// The thread that watches ends with the last owned handle, also while tasks go on: nothing is reported of them from then
    /// on. Keep the handle as long as the program runs.
    ///
    /// # Errors
    ///
    /// If the system gives no thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use anyrt::AnyRuntime;
    /// use anyrt::watch::WatchOptions;
    ///
    /// fn watched(runtime: AnyRuntime) -> std::io::Result<AnyRuntime> {
    ///     runtime.watch(WatchOptions::new().warn_after(Duration::from_millis(10)))
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `watch_reports_a_poll_while_it_blocks`, `watch_reports_the_end_of_a_poll`, `watch_reports_a_destructor`,
    /// `watch_reports_the_future_of_block_on`, `watch_sees_what_a_task_spawns`, `watch_ignores_blocking_closures`,
    /// `watch_wakes_through_the_last_waker`, `watch_ends_with_its_handle`.</details>
    pub fn watch(&self, options: WatchOptions) -> io::Result<Self> {
        let watch = Watch::start(options, format!("{self:?}"))?;
        let wrapped = match &self.repr {
            Repr::Other(Other::Wrapped(outer)) => Wrapped::watched(&outer.runtime, Some(outer), watch),
            _ => Wrapped::watched(self, None, watch),
        };
        Ok(Self::from_wrapped(wrapped))
    }

    /// Returns the numbers of a watched runtime; `None` if this handle is not watched.
    ///
    /// # Examples
    ///
    /// In a task, of the runtime that it runs on:
    ///
    /// ```
    /// async fn print() {
    ///     if let Some(snapshot) = anyrt::AnyRuntime::current().watch_snapshot() {
    ///         println!("{} tasks, ready for {:?} before they run", snapshot.tasks, snapshot.ready.p99);
    ///     }
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `watch_counts`.</details>
    pub fn watch_snapshot(&self) -> Option<Snapshot> {
        match &self.repr {
            Repr::Other(Other::Wrapped(wrapped)) => wrapped.watch().map(Watch::snapshot),
            _ => None,
        }
    }
}
