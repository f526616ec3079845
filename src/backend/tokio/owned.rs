use std::future::{Future, pending, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, Runtime, RuntimeFlavor};
use tokio::task::AbortHandle;

use super::Tokio;
use super::threads::Threads;
use crate::runtime::ShutdownReport;
use crate::runtime::builder::{Builder, Settings, no_threads};
use crate::runtime::task::catch_panic::catch_panic;
use crate::thread::lock;

/// A runtime of our own, until it is dropped or stopped.
#[derive(Debug)]
pub(super) struct Owned {
    handle: Handle,
    // No code of a user's runs under its lock; the wakers in it are tokio's.
    state: Mutex<State>,
    // Set under the lock, and read without it.
    is_stopped: AtomicBool,
    threads: Arc<Threads>,
    is_built_by_us: bool,
}

#[derive(Debug)]
struct State {
    // Empty once it is stopped: then the last who drives it ends it.
    runtime: Option<Arc<Runtime>>,
    // Each one's flag is set while its future is in a poll.
    driving: Vec<(Arc<AtomicBool>, Option<Waker>)>,
    // For the next one: a `block_on` allocates nothing.
    spare: Option<Arc<AtomicBool>>,
    stopped: Option<Stopped>,
}

/// When it was stopped, and how many tasks there were.
#[derive(Clone, Copy, Debug)]
struct Stopped {
    at: Instant,
    tasks: usize,
}

/// Time within which an idle thread ends after a shutdown; until then it may look like one in a task.
const IDLE_THREADS_END: Duration = Duration::from_millis(100);

impl Owned {
    pub(super) fn new(runtime: Runtime, threads: Option<Arc<Threads>>) -> Self {
        let handle = runtime.handle().clone();
        let state =
            State { runtime: Some(Arc::new(runtime)), driving: Vec::new(), spare: None, stopped: None };
        let is_built_by_us = threads.is_some();
        let threads = threads.unwrap_or_else(|| Threads::new(1));
        Self { handle, state: Mutex::new(state), is_stopped: AtomicBool::new(false), threads, is_built_by_us }
    }

    /// Where closures are counted whose threads do not know it.
    pub(super) fn counter(&self) -> Option<Arc<Threads>> {
        (!self.is_built_by_us).then(|| self.threads.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// A runtime cannot be stopped while somebody is in its `block_on`, but while he is in that of a handle.
    ///
    /// A handle does not drive a `current_thread` runtime. There the runtime does it, until it is stopped.
    pub(super) fn block_on<F: Future>(&self, future: F) -> F::Output {
        if self.handle.runtime_flavor() != RuntimeFlavor::CurrentThread {
            return self.handle.block_on(future);
        }
        // Around the future, whose destructor is to find its runtime as well.
        let _context = self.handle.enter();
        let mut future = pin!(future);
        let output = Driving::begin(self).drive(future.as_mut());
        output.unwrap_or_else(|| self.handle.block_on(future))
    }

    pub(super) fn shutdown_timeout(&self, timeout: Duration) -> ShutdownReport {
        let stopped = self.stop();
        let left = self.threads.wait(timeout);
        let closures = self.threads.in_closures();
        if left == 0 {
            return ShutdownReport::new(0, closures);
        }
        let (driving, in_polls) = self.driving();
        let is_early = stopped.at.elapsed() < IDLE_THREADS_END;
        // Of one that we have not built, who drives it is known, and that something is left.
        let in_tasks = if self.is_built_by_us { left.saturating_sub(closures) } else { driving };
        let tasks = if is_early { in_tasks.min(stopped.tasks + in_polls) } else { in_tasks };
        if self.is_built_by_us || tasks + closures > 0 {
            return ShutdownReport::new(tasks, closures);
        }
        // Nobody is in a task of a `current_thread` that nobody drives, and its tasks are dropped at once.
        let may_be_task = is_early || self.handle.runtime_flavor() != RuntimeFlavor::CurrentThread;
        let is_task = may_be_task && stopped.tasks > 0;
        ShutdownReport::new(usize::from(is_task), usize::from(!is_task && !is_early))
    }

    /// How many are in `block_on` on a `current_thread` runtime, and how many of them have their future in a poll.
    fn driving(&self) -> (usize, usize) {
        let state = self.lock();
        let in_polls = state.driving.iter().filter(|(is_in_poll, _)| is_in_poll.load(Ordering::Relaxed));
        (state.driving.len(), in_polls.count())
    }

    /// Lets nothing begin any more, and drops the tasks.
    fn stop(&self) -> Stopped {
        let tasks = self.handle.metrics().num_alive_tasks();
        let mut state = self.lock();
        let stopped = *state.stopped.get_or_insert_with(|| Stopped { at: Instant::now(), tasks });
        self.is_stopped.store(true, Ordering::Release);
        let runtime = state.runtime.take();
        let wakers: Vec<_> = state.driving.iter_mut().filter_map(|(_, waker)| waker.take()).collect();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        runtime.into_iter().for_each(|runtime| self.end(runtime));
        stopped
    }

    /// Ends a runtime that was stopped, unless somebody drives it yet.
    fn end(&self, runtime: Arc<Runtime>) {
        let Some(runtime) = Arc::into_inner(runtime).map(InBackground::from) else { return };
        if self.is_built_by_us {
            return drop(runtime);
        }
        // A drop waits for its threads, after the tasks are dropped: on `current_thread`, `shutdown_timeout` of tokio 1.54
        // waits first, also for closures that wait for a task.
        let threads = self.threads.clone();
        let wait = move || {
            threads.start();
            runtime.wait();
            threads.stop();
        };
        if thread::Builder::new().name("anyrt-shutdown".to_owned()).spawn(wait).is_err() {
            // It was dropped in the background instead.
            self.threads.start();
            self.threads.stop();
        }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(state.runtime.take().and_then(Arc::into_inner).map(InBackground::from));
    }
}

/// A plain drop of a runtime panics inside async code, and waits for blocking closures.
///
/// Any drop of a `current_thread` one panics that has lost its core to the panic of a waker (tokio 1.54).
struct InBackground(Option<Runtime>);

impl InBackground {
    fn wait(mut self) {
        let _ = catch_panic(|| drop(self.0.take()));
    }
}

impl From<Runtime> for InBackground {
    fn from(runtime: Runtime) -> Self {
        Self(Some(runtime))
    }
}

impl Drop for InBackground {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            let _ = catch_panic(|| runtime.shutdown_background());
        }
    }
}

/// A `block_on` of a `current_thread` runtime, which is left when that is stopped.
struct Driving<'a> {
    owned: &'a Owned,
    is_in_poll: Arc<AtomicBool>,
    runtime: Option<Arc<Runtime>>,
}

impl<'a> Driving<'a> {
    fn begin(owned: &'a Owned) -> Self {
        let mut state = owned.lock();
        let is_in_poll = state.spare.take().unwrap_or_default();
        state.driving.push((is_in_poll.clone(), None));
        Self { owned, is_in_poll, runtime: state.runtime.clone() }
    }

    /// The output of `future`, unless the runtime is stopped before.
    fn drive<F: Future>(&self, mut future: Pin<&mut F>) -> Option<F::Output> {
        let mut known = None;
        self.runtime.as_deref()?.block_on(poll_fn(|cx| {
            if !known.as_ref().is_some_and(|known: &Waker| known.will_wake(cx.waker())) {
                self.be_told(known.insert(cx.waker().clone()));
            }
            self.is_in_poll.store(true, Ordering::Relaxed);
            let polled = future.as_mut().poll(cx);
            self.is_in_poll.store(false, Ordering::Relaxed);
            match polled {
                // Before a task that it has spawned since then has its turn.
                Poll::Pending if self.owned.is_stopped.load(Ordering::Acquire) => Poll::Ready(None),
                polled => polled.map(Some),
            }
        }))
    }

    /// `waker`, which is tokio's, is woken when the runtime is stopped.
    #[cold]
    fn be_told(&self, waker: &Waker) {
        let mut state = self.owned.lock();
        if let Some((_, told)) =
            state.driving.iter_mut().find(|(other, _)| Arc::ptr_eq(other, &self.is_in_poll))
        {
            *told = Some(waker.clone());
        }
    }
}

impl Drop for Driving<'_> {
    fn drop(&mut self) {
        // It has panicked in one, perhaps.
        self.is_in_poll.store(false, Ordering::Relaxed);
        let mut state = self.owned.lock();
        state.driving.retain(|(other, _)| !Arc::ptr_eq(other, &self.is_in_poll));
        state.spare = Some(self.is_in_poll.clone());
        drop(state);
        // The last step: a shutdown that waits looks at the others as soon as the runtime has ended.
        self.runtime.take().into_iter().for_each(|runtime| self.owned.end(runtime));
    }
}

/// Drives a `current_thread` runtime on another thread until this is dropped.
pub(super) fn drive_elsewhere(owned: &Arc<Owned>) -> Option<impl Drop + use<>> {
    struct Over(AbortHandle);

    impl Drop for Over {
        fn drop(&mut self) {
            self.0.abort();
        }
    }

    if owned.handle.runtime_flavor() != RuntimeFlavor::CurrentThread {
        return None;
    }
    let (owned, until) = (owned.clone(), owned.handle.spawn(pending::<()>()));
    let over = Over(until.abort_handle());
    thread::Builder::new().spawn(move || owned.block_on(until).is_ok()).is_ok().then_some(over)
}

impl Builder<Tokio> {
    /// Starts a runtime, with all its drivers.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for an invalid value, which the error names; the system's error if it has no descriptors left or
    /// cannot start all threads.
    pub fn build(self) -> io::Result<Tokio> {
        let Settings { worker_threads, single_threaded, blocking_threads, thread_name } = self.settings()?;
        let name = thread_name.unwrap_or_else(|| "anyrt-tokio".to_owned());
        let next = AtomicUsize::new(1);
        let name_of_next = move || format!("{name}-{}", next.fetch_add(1, Ordering::Relaxed));
        if single_threaded {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            builder.enable_all().max_blocking_threads(blocking_threads).thread_name_fn(name_of_next);
            return builder.build().map(Tokio::from);
        }
        try_threads(worker_threads).map_err(|error| no_threads("worker_threads", worker_threads, &error))?;
        let threads = Threads::new(worker_threads);
        let (started, stopped) = (threads.clone(), threads.clone());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .worker_threads(worker_threads)
            .max_blocking_threads(blocking_threads)
            .thread_name_fn(name_of_next)
            .on_thread_start(move || started.start_here())
            .on_thread_stop(move || stopped.stop())
            .build()?;
        Ok(Tokio::own(runtime, Some(threads)))
    }
}

/// Checks that the system can start this many threads: starts them, and ends them again.
///
/// tokio 1.54 panics when it gets fewer, and while it unwinds it waits for ever for those that it got: its pool is
/// dropped (`runtime/builder.rs`), and nobody has told the workers to stop.
fn try_threads(count: usize) -> io::Result<()> {
    let all_started = Mutex::new(());
    thread::scope(|scope| {
        let _not_yet = all_started.lock();
        (0..count).try_for_each(|_| {
            thread::Builder::new().spawn_scoped(scope, || drop(all_started.lock()))?;
            Ok(())
        })
    })
}
