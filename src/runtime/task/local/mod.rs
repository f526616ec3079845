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

/// Tasks that need not be `Send`, on the thread that polls the set.
///
/// It works on every runtime, and without one. A set is driven by whoever polls it: [`run_until`](Self::run_until), or awaiting
/// the set itself, which ends when all its tasks have. In between nothing runs.
///
/// A task, or what is left of it, is polled and dropped on no other thread. Wakers, handles and abort handles may go anywhere.
///
/// In its tasks that runtime is [current](crate#which-runtime-is-current) that polls the set, so timers, sockets, `spawn` and
/// `spawn_blocking` work as in any task. A guard of [`AnyRuntime::enter`](crate::AnyRuntime::enter) that a local task keeps over
/// an `.await` is in force for the whole thread meanwhile; [`AnyRuntime::within`](crate::AnyRuntime::within) is not.
///
/// In a simulation the seed decides which of its tasks is next; elsewhere they take turns. The set is one task there: a simulation
/// that is stuck says where its local tasks were spawned, and the timeline does not show them.
///
/// # Dropping
///
/// Drops its tasks; their handles say that the set is gone ([`is_runtime_gone`](crate::task::JoinError::is_runtime_gone)). What their
/// destructors spawn in the set is dropped at once. A task that keeps its own set, in an `Rc`, keeps itself.
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
/// With the event loop of a GUI: a waker asks it for a callback, which polls the set.
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
/// It stays on its thread:
///
/// ```compile_fail
/// fn sends<T: Send>() {}
///
/// sends::<anyrt::task::LocalSet>();
/// ```
///
/// Scenarios: `local_tasks_stay_on_their_thread`, `local_handles_and_wakers_go_anywhere`, `local_set_drop_drops_its_tasks`,
/// `local_set_dropped_in_a_local_task`, `local_set_is_driven_by_anybody`, `local_set_is_polled_in_two_places`,
/// `local_set_is_run_in_its_own_task`, `local_task_finds_the_runtime`, `local_tasks_have_all_that_tasks_have`.
#[must_use = "its tasks run when it is polled, and are dropped with it"]
pub struct LocalSet {
    tasks: Rc<Tasks>,
}

impl LocalSet {
    /// An empty set.
    pub fn new() -> Self {
        Self { tasks: Tasks::new() }
    }

    /// Starts a task in the set, which need not be `Send`, nor need its output.
    ///
    /// It runs when the set is polled; one that is waited for wakes for it. Its handle keeps the contract of
    /// [`Spawn::spawn`](crate::Spawn::spawn). It is aborted from any thread, and its future is dropped at the next poll of the set. A
    /// handle whose output is not `Send` is not `Send` either.
    ///
    /// # Cancel safety
    ///
    /// As every [`JoinHandle`]: it can be dropped and awaited again by reference.
    ///
    /// # Dropping
    ///
    /// Dropping the handle detaches the task.
    ///
    /// # Panics
    ///
    /// Never; a panic of `future` becomes the [`JoinError`](crate::task::JoinError) of the handle. It harms no other task, nor does
    /// a panic in a destructor.
    ///
    /// # Errors
    ///
    /// The handle says that the set is gone when that is dropped before the task is over.
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
    /// Scenarios: `local_task_is_not_send`, `local_task_panic_reaches_the_handle`, `local_destructor_panics_are_contained`,
    /// `local_abort_drops_the_task`, `local_abort_from_another_thread_drops_on_the_own`, `local_handle_keeps_the_contract`,
    /// `local_wakes_are_not_lost`, `local_late_wakes_are_harmless`.
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.tasks.spawn(future)
    }

    /// Runs `future`, and the tasks of the set beside it, until `future` is done.
    ///
    /// In `future`, and in the tasks, [`spawn_local`] finds this set. Tasks that are not over stay in it, and go on with its next
    /// `run_until`.
    ///
    /// All of that is one future, and so one task of the runtime. Each local task has a budget of its own; after 61 of them the
    /// runtime has its turn, and `future` has. On tokio, whose budget is that of the whole task, turns go round.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops `future`. Tasks stay in the set.
    ///
    /// # Panics
    ///
    /// With the panic of `future`; the set can be used again.
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
    /// Scenarios: `local_tasks_go_on_with_the_next_run`, `local_busy_tasks_starve_nobody`, `local_busy_socket_starves_nobody`.
    pub fn run_until<F: Future>(&self, future: F) -> impl Future<Output = F::Output> {
        RunUntil { set: self, future, tasks_first: false }
    }

    /// [`run_until`](Self::run_until) on this thread, which waits: `runtime.block_on(set.run_until(future))`.
    ///
    /// # Panics
    ///
    /// As [`BlockOn::block_on`].
    ///
    /// Scenarios: `local_set_is_driven_by_anybody`.
    #[track_caller]
    pub fn block_on<R: BlockOn, F: Future>(&self, runtime: &R, future: F) -> F::Output {
        runtime.block_on(self.run_until(future))
    }
}

/// Runs the tasks until all of them are over.
///
/// It can be polled again after that, and then runs what was spawned since.
///
/// Scenarios: `local_set_await_runs_all_tasks`.
impl Future for LocalSet {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let _entered = self.tasks.enter();
        self.tasks.run();
        if self.tasks.len() == 0 {
            return Poll::Ready(());
        }
        self.tasks.queue.wait(cx.waker());
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
    }
}

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
        tasks.queue.wait(cx.waker());
        Poll::Pending
    }
}
