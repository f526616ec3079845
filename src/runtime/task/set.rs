use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};

use super::{AbortHandle, Id, JoinError, JoinHandle, LocalSet, spawn_local};
use crate::runtime::Spawn;
use crate::runtime::task::coop;
use crate::thread::lock;

/// Tasks that are awaited together, in the order in which they finish.
///
/// The tasks run in parallel, and may be on several runtimes. A task whose runtime is gone is joined with an
/// [error](JoinError::is_runtime_gone).
///
/// # Dropping
///
/// Aborts all tasks of the set; see [`detach_all`](Self::detach_all).
///
/// # Examples
///
/// ```
/// use anyrt::{Spawn, task::JoinSet};
///
/// async fn squares<R: Spawn>(runtime: R) -> u32 {
///     let mut set = JoinSet::new();
///     for n in 0..10 {
///         set.spawn_on(async move { n * n }, &runtime);
///     }
///     let mut sum = 0;
///     while let Some(square) = set.join_next().await {
///         sum += square.expect("none of them panics");
///     }
///     sum
/// }
/// ```
///
/// <details><summary>Scenarios</summary>
///
/// `join_set_returns_every_value`, `join_set_in_order_of_completion`,
/// `join_set_of_nothing_is_none`, `join_set_reports_a_panic`, `join_set_drop_aborts`, `join_set_abort_all`,
/// `join_set_detach_all`, `join_set_shutdown_waits`, `join_set_runs_in_parallel`,
/// `join_set_join_next_is_cancel_safe`, `join_set_try_join_next_keeps_the_waiter`,
/// `join_set_try_join_next_takes_all_that_are_finished`, `join_set_in_a_blocking_closure_does_not_wait`,
/// `join_set_loop_lets_others_run`,
/// `join_set_waker_may_use_the_set`, `join_set_takes_blocking_closures`, `join_set_outlives_a_shutdown`.</details>
#[must_use = "dropping a set aborts its tasks"]
pub struct JoinSet<T> {
    tasks: BTreeMap<u64, (JoinHandle<T>, Waker)>,
    next_key: u64,
    ready: Arc<Ready>,
}

/// The tasks to poll, and the waker of the task that polls the set.
struct Ready {
    state: Mutex<ReadyState>,
}

struct ReadyState {
    keys: VecDeque<u64>,
    waiter: Option<Waker>,
}

impl Ready {
    fn lock(&self) -> MutexGuard<'_, ReadyState> {
        lock(&self.state)
    }

    fn next(&self) -> Option<u64> {
        self.lock().keys.pop_front()
    }

    fn len(&self) -> usize {
        self.lock().keys.len()
    }

    fn forget_all(&self) {
        self.lock().keys.clear();
    }

    /// Registers `waiter` as the only waiter.
    fn wait(&self, waiter: &Waker) {
        let waiter = waiter.clone();
        let mut state = self.lock();
        if state.keys.is_empty() {
            let before = state.waiter.replace(waiter);
            drop(state);
            drop(before);
        } else {
            drop(state);
            waiter.wake();
        }
    }
}

/// The waker of one task in the set.
struct Entry {
    key: u64,
    ready: Arc<Ready>,
}

impl Wake for Entry {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.ready.lock();
        state.keys.push_back(self.key);
        let waiter = state.waiter.take();
        drop(state);
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }
}

impl<T> JoinSet<T> {
    /// Creates an empty set.
    pub fn new() -> Self {
        let state = Mutex::new(ReadyState { keys: VecDeque::new(), waiter: None });
        Self { tasks: BTreeMap::new(), next_key: 0, ready: Arc::new(Ready { state }) }
    }

    /// Returns the number of tasks that have not been joined yet.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Returns whether all tasks have been joined.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Spawns a task on `runtime` and adds it.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `join_set_aborts_one_of_its_tasks`.</details>
    #[track_caller]
    pub fn spawn_on<R, F>(&mut self, future: F, runtime: &R) -> AbortHandle
    where
        R: Spawn,
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        self.add(runtime.spawn(future))
    }

    /// Runs a blocking closure on `runtime` and adds it.
    #[track_caller]
    pub fn spawn_blocking_on<R, F>(&mut self, job: F, runtime: &R) -> AbortHandle
    where
        R: Spawn,
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.add(runtime.spawn_blocking(job))
    }

    /// Spawns a task, which need not be `Send`, in `set` and adds it.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `local_tasks_are_joined_as_a_set`.</details>
    #[track_caller]
    pub fn spawn_local_on<F>(&mut self, future: F, set: &LocalSet) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
        T: 'static,
    {
        self.add(set.spawn_local(future))
    }

    /// Spawns a task, which need not be `Send`, in the [`LocalSet`] that this code runs in and adds it.
    ///
    /// # Panics
    ///
    /// If called outside of a `LocalSet`, as [`spawn_local`](crate::task::spawn_local).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `local_tasks_are_joined_as_a_set`.</details>
    #[track_caller]
    pub fn spawn_local<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
        T: 'static,
    {
        self.add(spawn_local(future))
    }

    fn add(&mut self, handle: JoinHandle<T>) -> AbortHandle {
        let abort = handle.abort_handle();
        self.insert(handle);
        abort
    }

    /// Adds a task that is already running. To keep an abort handle, take [`abort_handle`](JoinHandle::abort_handle)
    /// first.
    pub fn insert(&mut self, handle: JoinHandle<T>) {
        let key = self.next_key;
        self.next_key += 1;
        let waker = Waker::from(Arc::new(Entry { key, ready: self.ready.clone() }));
        // It has to be polled once, to learn its waker.
        waker.wake_by_ref();
        self.tasks.insert(key, (handle, waker));
    }

    /// Waits for the next task to finish; `None` when the set is empty.
    ///
    /// # Cancel safety
    ///
    /// No result is lost.
    pub fn join_next(&mut self) -> impl Future<Output = Option<Result<T, JoinError>>> {
        std::future::poll_fn(|cx| self.poll_join_next(cx))
    }

    /// [`join_next`](Self::join_next) with the [`Id`] of the task; if the task has no output, its id is in
    /// [`JoinError::id`].
    ///
    /// # Cancel safety
    ///
    /// No result is lost.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `join_set_tells_ids`.</details>
    pub fn join_next_with_id(&mut self) -> impl Future<Output = Option<Result<(Id, T), JoinError>>> {
        std::future::poll_fn(|cx| self.poll_join_next_with_id(cx))
    }

    /// Returns the result of a task that has finished, or `None`. Call it in a loop to take all of them.
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        match self.poll_finished(|_, result| result) {
            Poll::Ready(result) => result,
            Poll::Pending => None,
        }
    }

    /// [`try_join_next`](Self::try_join_next) with the [`Id`] of the task.
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `join_set_tells_ids`.</details>
    pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        match self.poll_finished(with_id) {
            Poll::Ready(result) => result,
            Poll::Pending => None,
        }
    }

    /// [`join_next`](Self::join_next) as a poll function. Only the last task that polled is woken.
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        self.poll_next(cx, |_, result| result)
    }

    /// [`join_next_with_id`](Self::join_next_with_id) as a poll function. Only the last task that polled is woken.
    pub fn poll_join_next_with_id(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(Id, T), JoinError>>> {
        self.poll_next(cx, with_id)
    }

    fn poll_next<R>(
        &mut self,
        cx: &mut Context<'_>,
        tell: impl Fn(&JoinHandle<T>, Result<T, JoinError>) -> R,
    ) -> Poll<Option<R>> {
        coop::poll(cx, |cx| {
            let polled = self.poll_finished(&tell);
            if polled.is_pending() {
                self.ready.wait(cx.waker());
            }
            polled
        })
    }

    fn poll_finished<R>(
        &mut self,
        tell: impl Fn(&JoinHandle<T>, Result<T, JoinError>) -> R,
    ) -> Poll<Option<R>> {
        if self.tasks.is_empty() {
            self.ready.forget_all();
            return Poll::Ready(None);
        }
        // Those that are woken from now on have their turn with the next poll: a handle may wake its entry at once.
        for _ in 0..self.ready.len() {
            let Some(key) = self.ready.next() else { break };
            // A task may be woken once more after it has been joined.
            let Some((handle, waker)) = self.tasks.get_mut(&key) else { continue };
            if let Poll::Ready(result) = handle.poll_unconstrained(&mut Context::from_waker(waker)) {
                let result = tell(handle, result);
                self.tasks.remove(&key);
                return Poll::Ready(Some(result));
            }
        }
        Poll::Pending
    }

    /// Waits until all tasks have finished, and returns their outputs in the order in which they finished.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future aborts the tasks that have not finished, and drops the outputs of the others.
    ///
    /// # Panics
    ///
    /// If a task has panicked (with that panic), was aborted, or its runtime is gone; the other tasks are aborted then.
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt::{AnyRuntime, task::JoinSet};
    ///
    /// async fn lengths(texts: Vec<String>) -> Vec<usize> {
    ///     let set: JoinSet<_> = texts.into_iter().map(|text| async move { text.len() }).collect();
    ///     set.join_all().await
    /// }
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `join_set_join_all_gives_every_value`, `join_set_join_all_panics_with_its_task`.</details>
    pub async fn join_all(mut self) -> Vec<T> {
        let mut values = Vec::with_capacity(self.len());
        while let Some(result) = self.join_next().await {
            match result {
                Ok(value) => values.push(value),
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(error) => panic!("anyrt: `join_all` of a set with a task that has no output: {error}"),
            }
        }
        values
    }

    /// Aborts every task; [`join_next`](Self::join_next) still returns each of them.
    pub fn abort_all(&mut self) {
        self.tasks.values().for_each(|(handle, _)| handle.abort());
    }

    /// Detaches every task and empties the set.
    pub fn detach_all(&mut self) {
        self.tasks.clear();
        self.ready.forget_all();
    }

    /// Aborts every task and waits until their futures have been dropped.
    pub async fn shutdown(&mut self) {
        self.abort_all();
        while self.join_next().await.is_some() {}
    }
}

fn with_id<T>(handle: &JoinHandle<T>, result: Result<T, JoinError>) -> Result<(Id, T), JoinError> {
    result.map(|value| (handle.id(), value))
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        self.abort_all();
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet").field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::task::{Number, Slot};

    #[test]
    fn set_that_is_detached_again_and_again_does_not_grow() {
        let mut set = JoinSet::<()>::new();
        for _ in 0..1_000 {
            set.insert(JoinHandle::from_slot(Arc::new(Slot::new(Number::next()))));
            set.detach_all();
        }
        assert_eq!(set.ready.len(), 0);
    }
}
