mod queue;
mod spawn;
mod tasks;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use self::tasks::Tasks;
use super::JoinHandle;
use crate::runtime::BlockOn;

#[allow(unused_imports, reason = "without a simulation nobody sets it")]
pub(crate) use self::queue::CHOOSE;
pub use self::spawn::{NoLocalSet, spawn_local, try_spawn_local};
#[allow(unused_imports, reason = "without a simulation nobody asks")]
pub(crate) use self::tasks::tell;

/// Set of tasks that need not be `Send`. They run on the thread that polls the set.
///
/// It works on every runtime, and without one. Its tasks run while [`run_until`](Self::run_until) is polled, or while
/// the set itself is awaited, which waits for all of them. Otherwise they make no progress.
///
/// The futures of its tasks, and outputs that are not `Send`, are used and dropped on the thread of the set only. Wakers, abort
/// handles and handles whose output is `Send` may be used and dropped on any thread.
///
/// In a local task the runtime that polls the set is [current](crate::guide::differences#which-runtime-is-current):
/// timers, sockets, `spawn` and `spawn_blocking` work as in every task. Do not keep a guard of
/// [`AnyRuntime::enter`](crate::AnyRuntime::enter) over an `.await` in a local task: it would also apply to the other
/// tasks of the thread. Use [`AnyRuntime::within`](crate::AnyRuntime::within).
///
/// A simulation treats the set as part of the task that polls it. The seed decides which local task runs next. The
/// report of a stuck simulation says where the local tasks were spawned; its timeline does not show them.
///
/// # Dropping
///
/// Drops the tasks of the set. Their handles return an error that the set is gone
/// ([`is_runtime_gone`](crate::task::JoinError::is_runtime_gone)). A task that their destructors spawn in the set is
/// dropped as well. A task that holds an `Rc` of its own set keeps the set alive.
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
///
/// use anyrt::{BlockOn, task::{LocalSet, spawn_local}};
///
/// fn run(runtime: impl BlockOn) -> usize {
///     let words = Rc::new(["not", "Send"]);
///     let set = LocalSet::new();
///     runtime.block_on(set.run_until(async move {
///         let there = words.clone();
///         let task = spawn_local(async move { there.concat().len() });
///         task.await.expect("it neither panics nor is it aborted") + words.len()
///     }))
/// }
/// # #[cfg(feature = "smol")]
/// # assert_eq!(run(anyrt::Smol::global()), 9);
/// ```
///
/// In a GUI, the waker asks the event loop for a callback, and the callback polls the set:
///
/// ```
/// use std::{pin::Pin, sync::{Arc, mpsc}, task::{Context, Wake, Waker}};
///
/// use anyrt::{AnyRuntime, task::LocalSet};
///
/// enum Event {
///     Poll,
///     Quit,
/// }
///
/// /// What toolkits call a proxy, or an idle source.
/// struct Proxy(mpsc::Sender<Event>);
///
/// impl Wake for Proxy {
///     fn wake(self: Arc<Self>) {
///         let _ = self.0.send(Event::Poll);
///     }
/// }
///
/// struct App {
///     tasks: LocalSet,
///     waker: Waker,
///     // Where timers and sockets are: it runs on threads of its own.
///     runtime: AnyRuntime,
/// }
///
/// impl App {
///     fn on_click(&mut self, proxy: mpsc::Sender<Event>) {
///         let answer = self.runtime.spawn_blocking(|| 6 * 7);
///         let task = self.tasks.spawn_local(async move {
///             println!("{}", answer.await.unwrap());
///             proxy.send(Event::Quit).unwrap();
///         });
///         task.detach();
///         self.waker.wake_by_ref();
///     }
///
///     fn on_event(&mut self) {
///         let _current = self.runtime.enter();
///         let _ = Pin::new(&mut self.tasks).poll(&mut Context::from_waker(&self.waker));
///     }
/// }
///
/// fn main_loop(runtime: AnyRuntime) {
///     let (proxy, events) = mpsc::channel();
///     let waker = Waker::from(Arc::new(Proxy(proxy.clone())));
///     let mut app = App { tasks: LocalSet::new(), waker, runtime };
///     app.on_click(proxy);
///     while let Ok(Event::Poll) = events.recv() {
///         app.on_event();
///     }
/// }
/// # use anyrt::Spawn;
/// # #[cfg(feature = "smol")]
/// # main_loop(anyrt::Smol::global().into());
/// ```
///
/// A set cannot be sent to another thread:
///
/// ```compile_fail
/// fn sends<T: Send>() {}
///
/// sends::<anyrt::task::LocalSet>();
/// ```
///
/// <details><summary>Scenarios</summary>
///
/// `local_tasks_stay_on_their_thread`, `local_handles_and_wakers_go_anywhere`, `local_set_drop_drops_its_tasks`,
/// `local_set_dropped_in_a_local_task`, `local_set_is_driven_by_anybody`, `local_set_is_polled_in_two_places`,
/// `local_set_is_run_in_its_own_task`, `local_task_finds_the_runtime`, `local_tasks_have_all_that_tasks_have`.</details>
#[must_use = "its tasks run when it is polled, and are dropped with it"]
pub struct LocalSet {
    tasks: Rc<Tasks>,
}

impl LocalSet {
    /// Creates an empty set.
    pub fn new() -> Self {
        Self { tasks: Tasks::new() }
    }

    /// Spawns a task in the set. Neither the task nor its output has to be `Send`.
    ///
    /// The task runs when the set is polled; a waiting `run_until` is woken for it. Its handle keeps the contract of
    /// [`Spawn::spawn`](crate::Spawn::spawn). An abort may come from any thread; the next poll of the set drops the
    /// future.
    ///
    /// # Cancel safety
    ///
    /// `&mut handle` can be dropped and awaited again.
    ///
    /// # Dropping
    ///
    /// Dropping the handle detaches the task.
    ///
    /// # Panics
    ///
    /// Never; a panic of `future` becomes the [`JoinError`](crate::task::JoinError) of the handle. Neither it nor a
    /// panic in a destructor affects other tasks.
    ///
    /// # Errors
    ///
    /// If the set is dropped before the task is over, the handle returns an error that
    /// [says so](crate::task::JoinError::is_runtime_gone).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{cell::Cell, rc::Rc};
    ///
    /// use anyrt::task::LocalSet;
    ///
    /// async fn count() -> u32 {
    ///     let (set, count) = (LocalSet::new(), Rc::new(Cell::new(0)));
    ///     for n in 1..=10 {
    ///         let count = count.clone();
    ///         set.spawn_local(async move { count.set(count.get() + n) }).detach();
    ///     }
    ///     set.await;
    ///     count.get()
    /// }
    /// # assert_eq!(futures::executor::block_on(count()), 55);
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `local_task_is_not_send`, `local_task_panic_reaches_the_handle`, `local_destructor_panics_are_contained`,
    /// `local_abort_drops_the_task`, `local_abort_from_another_thread_drops_on_the_own`, `local_handle_keeps_the_contract`,
    /// `local_wakes_are_not_lost`, `local_late_wakes_are_harmless`.</details>
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.tasks.spawn(future)
    }

    /// Runs `future` to completion, and the tasks of the set meanwhile.
    ///
    /// In `future` and in the tasks, [`spawn_local`] spawns in this set. Tasks that are unfinished when `future`
    /// completes stay in the set, and continue in the next `run_until`.
    ///
    /// A busy task starves no other: after 61 turns of local tasks, `future` and the other tasks of the runtime get a
    /// turn, and each turn has a cooperative budget. tokio has one budget for the whole set; the tasks get it in turn.
    ///
    /// # Cancel safety
    ///
    /// Dropping the call drops `future`; the tasks stay in the set. Several `run_until` may be polled concurrently, and
    /// each of them runs the tasks.
    ///
    /// # Panics
    ///
    /// If `future` panics; the set stays usable.
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt::task::{LocalSet, spawn_local};
    ///
    /// # #[cfg(all(feature = "macros", feature = "tokio"))]
    /// #[anyrt::main(tokio)]
    /// async fn main() {
    ///     let set = LocalSet::new();
    ///     set.run_until(async {
    ///         spawn_local(async { println!("in a local task") }).await.unwrap();
    ///     })
    ///     .await;
    /// }
    /// # #[cfg(not(all(feature = "macros", feature = "tokio")))]
    /// # fn main() {}
    /// ```
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `local_tasks_go_on_with_the_next_run`, `local_busy_tasks_starve_nobody`, `local_busy_socket_starves_nobody`.</details>
    pub fn run_until<F: Future>(&self, future: F) -> impl Future<Output = F::Output> {
        RunUntil { set: self, future, tasks_first: false, key: None }
    }

    /// Blocks this thread on [`run_until`](Self::run_until): short for `runtime.block_on(set.run_until(future))`.
    ///
    /// # Panics
    ///
    /// As [`BlockOn::block_on`].
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `local_set_is_driven_by_anybody`.</details>
    #[track_caller]
    pub fn block_on<R: BlockOn, F: Future>(&self, runtime: &R, future: F) -> F::Output {
        runtime.block_on(self.run_until(future))
    }
}

/// Runs the tasks until all of them are over, including tasks that they spawn.
///
/// # Cancel safety
///
/// `&mut set` can be dropped and awaited again, also after it was ready: it then runs the tasks that were spawned
/// since.
///
/// <details><summary>Scenarios</summary>
///
/// `local_set_await_runs_all_tasks`.</details>
impl Future for LocalSet {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let _entered = self.tasks.enter();
        self.tasks.run();
        if self.tasks.len() == 0 {
            return Poll::Ready(());
        }
        self.tasks.queue.wait(ITSELF, cx.waker());
        Poll::Pending
    }
}

impl Drop for LocalSet {
    fn drop(&mut self) {
        self.tasks.close();
    }
}

impl Default for LocalSet {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for LocalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSet").field("len", &self.tasks.len()).finish_non_exhaustive()
    }
}

pin_project! {
    struct RunUntil<'a, F> {
        set: &'a LocalSet,
        #[pin]
        future: F,
        // After a poll in which one of the two has left too little for the other.
        tasks_first: bool,
        // Of its wait, once it has waited.
        key: Option<u64>,
    }

    impl<F> PinnedDrop for RunUntil<'_, F> {
        fn drop(this: Pin<&mut Self>) {
            if let Some(key) = this.key {
                this.set.tasks.queue.forget(key);
            }
        }
    }
}

/// The key of the wait of a set that is awaited itself.
const ITSELF: u64 = 0;

impl<F: Future> Future for RunUntil<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let tasks = &this.set.tasks;
        let _entered = tasks.enter();
        if !*this.tasks_first {
            if let Poll::Ready(output) = this.future.as_mut().poll(cx) {
                return Poll::Ready(output);
            }
        }
        let is_cut_short = tasks.run();
        if *this.tasks_first {
            if let Poll::Ready(output) = this.future.poll(cx) {
                return Poll::Ready(output);
            }
        }
        *this.tasks_first = is_cut_short && !*this.tasks_first;
        let key = *this.key.get_or_insert_with(|| tasks.queue.next_wait());
        tasks.queue.wait(key, cx.waker());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Wake, Waker};

    use super::*;

    struct Nobody;

    impl Wake for Nobody {
        fn wake(self: Arc<Self>) {}
    }

    #[test]
    fn set_keeps_the_last_waker_of_each_wait_and_none_of_those_that_are_over() {
        let set = LocalSet::new();
        set.spawn_local(pending::<()>()).detach();
        let nobody = Arc::new(Nobody);
        let mut run = Box::pin(set.run_until(pending::<()>()));
        let mut beside = pin!(set.run_until(pending::<()>()));
        for _ in 0..10 {
            for mut run in [run.as_mut() as Pin<&mut dyn Future<Output = ()>>, beside.as_mut()] {
                let another = Arc::new(Nobody);
                let waker = Waker::from(another.clone());
                assert!(run.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
                drop(waker);
                let waker = Waker::from(nobody.clone());
                assert!(run.poll(&mut Context::from_waker(&waker)).is_pending());
                assert_eq!(Arc::strong_count(&another), 1);
            }
        }
        assert_eq!(Arc::strong_count(&nobody), 3);
        drop(run);
        assert_eq!(Arc::strong_count(&nobody), 2);
    }
}
