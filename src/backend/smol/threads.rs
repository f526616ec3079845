use std::cell::RefCell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use smol::Executor;
use smol::channel::{Receiver, Sender, bounded};

use super::pool::Pool;
use super::tasks::Tasks;
use crate::runtime::ShutdownReport;
use crate::runtime::builder::no_threads;
use crate::runtime::time::deadline_after;
use crate::thread::lock;

/// An executor, the threads that run it and those that may block, until this is dropped or stopped.
pub(super) struct Threads {
    // It belongs to the workers: a handle that is kept, in a task perhaps, does not keep it.
    executor: Weak<Executor<'static>>,
    pub(super) pool: Arc<Pool>,
    tasks: Arc<Tasks>,
    workers: Arc<Workers>,
}

/// How many threads there are that run tasks, and how to stop them.
struct Workers {
    state: Mutex<WorkersState>,
    one_left: Condvar,
}

struct WorkersState {
    // Nothing is ever sent: the workers leave when it is dropped.
    running: Option<Sender<()>>,
    alive: usize,
    last: Option<Last>,
}

/// The first thread that is done with its tasks: it is the last that leaves, and drops what others leave behind.
///
/// async-executor 1.14 gives each worker that asks for a task half of those in the queue (`steal`). One that gets stuck in the first
/// keeps the others, and only a thread that runs the executor finds them.
struct Last {
    // Woken when another thread leaves.
    waker: Waker,
    has_nothing_to_do: bool,
}

impl Threads {
    pub(super) fn start(workers: usize, blocking: usize, name: &str) -> io::Result<Arc<Self>> {
        let (running, stopped) = bounded(1);
        let executor = Arc::new(Executor::new());
        let state = WorkersState { running: Some(running), alive: 0, last: None };
        let threads = Arc::new_cyclic(|threads| Self {
            executor: Arc::downgrade(&executor),
            pool: Pool::new(blocking, name, threads.clone()),
            tasks: Arc::default(),
            workers: Arc::new(Workers { state: Mutex::new(state), one_left: Condvar::new() }),
        });
        threads.pool.start().map_err(|error| no_threads("blocking_threads", blocking, &error))?;
        for n in 1..=workers {
            let worker = Worker {
                executor: executor.clone(),
                stopped: stopped.clone(),
                tasks: threads.tasks.clone(),
                here: Arc::downgrade(&threads),
                counted: Counted::one(&threads.workers),
            };
            thread::Builder::new()
                .name(format!("{name}-{n}"))
                .spawn(move || worker.work())
                .map_err(|error| no_threads("worker_threads", workers, &error))?;
        }
        Ok(threads)
    }

    /// The executor, unless it is stopped: a worker that is stuck in a poll has it nevertheless.
    pub(super) fn executor(&self) -> Option<Arc<Executor<'static>>> {
        if self.tasks.is_closed() { None } else { self.executor.upgrade() }
    }

    /// Lets the workers drop every task and leave, and the pool forget what is queued. Whether it is the first to do so.
    fn stop(&self) -> bool {
        // First, while there are workers to drop them.
        self.tasks.close();
        let running = lock(&self.workers.state).running.take();
        let is_first = running.is_some();
        drop(running);
        self.pool.close();
        is_first
    }

    pub(super) fn shutdown_timeout(self: &Arc<Self>, timeout: Duration) -> ShutdownReport {
        let end = deadline_after(Instant::now(), timeout);
        let is_first = self.stop();
        // Should every worker be stuck in a poll, somebody has to drop the other tasks.
        if let Some(executor) = self.executor.upgrade().filter(|_| is_first) {
            let (tasks, counted) = (self.tasks.clone(), Counted::one(&self.workers));
            let here = Arc::downgrade(self);
            let drop_all = move || {
                let _working = Working::with(here);
                counted.drop_all(&tasks, executor);
            };
            // Without another thread they are dropped when a worker is free.
            drop(thread::Builder::new().name("anyrt-shutdown".to_owned()).spawn(drop_all));
        }
        let workers = self.workers.wait(end);
        // An idle worker may be on its way out.
        let has_tasks = self.executor.upgrade().is_some_and(|executor| !executor.is_empty());
        ShutdownReport::new(if has_tasks { workers } else { 0 }, self.pool.wait(end))
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alive = lock(&self.workers.state).alive;
        f.debug_struct("Threads").field("workers", &alive).finish_non_exhaustive()
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Workers {
    /// Waits until all have left; how many have not, each of them in a task if there is one.
    fn wait(&self, end: Instant) -> usize {
        let state = wait_until(lock(&self.state), &self.one_left, end, |state| state.alive == 0);
        let idle = state.last.as_ref().is_some_and(|last| last.has_nothing_to_do);
        state.alive - usize::from(idle)
    }

    /// Whether this thread is to be the last.
    fn is_to_stay(&self) -> bool {
        let mut state = lock(&self.state);
        let is_first = state.last.is_none();
        state.last.get_or_insert_with(|| Last { waker: Waker::noop().clone(), has_nothing_to_do: false });
        is_first
    }

    /// Polls `run`, on the thread that stays, also whenever another one leaves.
    async fn run_as_the_last<T>(&self, run: impl Future<Output = T>) -> T {
        let mut run = pin!(run);
        poll_fn(|cx| {
            let waker = cx.waker().clone();
            lock(&self.state).last = Some(Last { waker: waker.clone(), has_nothing_to_do: false });
            let polled = run.as_mut().poll(cx);
            lock(&self.state).last = Some(Last { waker, has_nothing_to_do: polled.is_pending() });
            polled
        })
        .await
    }

    /// Waits in [`run_as_the_last`](Self::run_as_the_last) until the other threads have left.
    async fn others_left(&self) {
        poll_fn(|_| if lock(&self.state).alive == 1 { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

/// Waits until `done`, or until `end`.
pub(super) fn wait_until<'a, T>(
    mut state: MutexGuard<'a, T>,
    changed: &Condvar,
    end: Instant,
    done: impl Fn(&T) -> bool,
) -> MutexGuard<'a, T> {
    while !done(&state) {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        (state, _) = changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
    }
    state
}

struct Worker {
    executor: Arc<Executor<'static>>,
    stopped: Receiver<()>,
    tasks: Arc<Tasks>,
    here: Weak<Threads>,
    counted: Counted,
}

impl Worker {
    fn work(self) {
        let _working = Working::with(self.here.clone());
        let _tasks = self.tasks.enter();
        // Tasks never panic here: see `async_task`.
        let _ = smol::block_on(self.executor.run(self.stopped.recv()));
        self.counted.drop_all(&self.tasks, self.executor);
    }
}

/// One thread that runs tasks.
struct Counted(Arc<Workers>);

impl Counted {
    fn one(workers: &Arc<Workers>) -> Self {
        lock(&workers.state).alive += 1;
        Self(workers.clone())
    }

    /// Drops the remaining tasks.
    fn drop_all(self, tasks: &Arc<Tasks>, executor: Arc<Executor<'static>>) {
        let Self(workers) = &self;
        tasks.drop_all(&executor);
        if workers.is_to_stay() {
            smol::block_on(workers.run_as_the_last(tasks.drop_the_last(&executor, workers.others_left())));
        }
        // No task is left to this thread when it is not counted any more.
        drop((executor, self));
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.alive -= 1;
        if let Some(last) = &state.last {
            last.waker.wake_by_ref();
        }
        drop(state);
        self.0.one_left.notify_all();
    }
}

thread_local! {
    static HERE: RefCell<Option<Weak<Threads>>> = const { RefCell::new(None) };
}

/// The executor of ours that this thread works for.
pub(super) fn here() -> Option<Weak<Threads>> {
    HERE.try_with(|here| here.borrow().clone()).ok().flatten()
}

/// This thread works for an executor of ours until this is dropped.
pub(super) struct Working {
    before: Option<Weak<Threads>>,
}

impl Working {
    pub(super) fn with(threads: Weak<Threads>) -> Self {
        Self { before: HERE.try_with(|here| here.replace(Some(threads))).ok().flatten() }
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        let before = self.before.take();
        let _ = HERE.try_with(|here| here.replace(before));
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::mpsc;

    use crate::runtime::{BlockOn as _, ShutdownReport, Spawn as _};
    use crate::{Smol, task::JoinHandle};

    use super::*;

    /// Until it is released: whether the thread is in it, and how to release it.
    fn stuck(runtime: &Smol) -> (mpsc::Receiver<()>, mpsc::Sender<()>) {
        let ((here, is_here), (release, released)) = (mpsc::channel(), mpsc::channel());
        drop(runtime.spawn(async move {
            here.send(()).unwrap();
            released.recv().unwrap();
        }));
        (is_here, release)
    }

    #[test]
    fn stuck_worker_keeps_nothing_that_it_has_taken() {
        let runtime = Smol::with_threads(1).unwrap();
        let (is_busy, release_first) = stuck(&runtime);
        is_busy.recv().unwrap();
        // The only worker takes half of these when it is free.
        let (is_stuck, release) = stuck(&runtime);
        let tasks: Vec<JoinHandle<()>> = (0..100).map(|_| runtime.spawn(pending())).collect();
        release_first.send(()).unwrap();
        is_stuck.recv().unwrap();
        let left = runtime.shutdown_timeout(Duration::from_secs(2)).unwrap();
        assert_eq!(left, ShutdownReport::new(1, 0));
        assert_eq!(tasks.iter().filter(|task| !task.is_finished()).count(), 0);
        release.send(()).unwrap();
    }
}
