use std::cell::RefCell;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, Runtime};

use super::Tokio;
use crate::builder::{Builder, Settings, no_threads};
use crate::runtime::Left;

/// A runtime of our own, until it is dropped or stopped.
#[derive(Debug)]
pub(super) struct Owned {
    handle: Handle,
    state: Mutex<State>,
    one_left: Condvar,
    threads: Arc<Threads>,
    // Otherwise its threads are not counted.
    is_built_by_us: bool,
}

/// How many threads there are, and how many of them are in a closure of ours.
#[derive(Debug, Default)]
pub(super) struct Threads {
    alive: AtomicUsize,
    in_closures: AtomicUsize,
}

thread_local! {
    // Any thread may become a worker, or run a closure: tokio 1.54 has one pool, and does not say which does what.
    static HERE: RefCell<Option<Arc<Threads>>> = const { RefCell::new(None) };
}

/// Runs a blocking closure, and counts it: where its handle says, or by this thread of a runtime that we have built.
pub(super) fn count<T>(threads: Option<Arc<Threads>>, job: impl FnOnce() -> T) -> T {
    struct Counted(Option<Arc<Threads>>);

    impl Drop for Counted {
        fn drop(&mut self) {
            if let Some(threads) = &self.0 {
                threads.in_closures.fetch_sub(1, Ordering::SeqCst);
            }
        }
    }

    let threads = threads.or_else(|| HERE.with_borrow(Clone::clone));
    if let Some(threads) = &threads {
        threads.in_closures.fetch_add(1, Ordering::SeqCst);
    }
    let _counted = Counted(threads);
    job()
}

#[derive(Debug)]
struct State {
    // Empty once it is stopped, and then whoever is in `block_on` is the last to have it.
    runtime: Option<Arc<InBackground>>,
}

/// A plain drop of a runtime panics inside async code, and waits for blocking closures.
#[derive(Debug)]
struct InBackground(Option<Runtime>);

impl Drop for InBackground {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Owned {
    pub(super) fn new(runtime: Runtime, threads: Option<Arc<Threads>>) -> Self {
        let handle = runtime.handle().clone();
        let state = State { runtime: Some(Arc::new(InBackground(Some(runtime)))) };
        let is_built_by_us = threads.is_some();
        let threads = threads.unwrap_or_default();
        Self { handle, state: Mutex::new(state), one_left: Condvar::new(), threads, is_built_by_us }
    }

    /// Where closures are counted whose threads do not know it.
    pub(super) fn counter(&self) -> Option<Arc<Threads>> {
        (!self.is_built_by_us).then(|| self.threads.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Only the runtime itself drives a `current_thread` one; a handle would wait for somebody who does.
    pub(super) fn block_on<F: Future>(&self, future: F) -> F::Output {
        /// Tells who stops the runtime that one `block_on` less is in its way.
        struct Leaves<'a>(&'a Condvar);

        impl Drop for Leaves<'_> {
            fn drop(&mut self) {
                self.0.notify_all();
            }
        }

        let _leaves = Leaves(&self.one_left);
        let runtime = self.lock().runtime.clone();
        match runtime.as_deref() {
            Some(InBackground(Some(runtime))) => runtime.block_on(future),
            _ => self.handle.block_on(future),
        }
    }

    pub(super) fn shutdown_timeout(&self, timeout: Duration) -> Left {
        let end = Instant::now().checked_add(timeout);
        let mut state = self.lock();
        let Some(mut shared) = state.runtime.take() else { return Left::default() };
        // Whoever is in `block_on` has it too.
        let runtime = loop {
            match Arc::try_unwrap(shared) {
                Ok(mut alone) => break alone.0.take(),
                Err(still_shared) => shared = still_shared,
            }
            let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                break None;
            }
            (state, _) = self.one_left.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        };
        drop(state);
        let before = Instant::now();
        let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(before));
        if let Some(runtime) = runtime {
            runtime.shutdown_timeout(left);
        }
        let closures = self.threads.in_closures.load(Ordering::SeqCst);
        if self.is_built_by_us {
            // A thread that is still there is in a closure, or in a task.
            let alive = self.threads.alive.load(Ordering::SeqCst);
            Left::new(alive.saturating_sub(closures), closures)
        } else {
            Left::new(0, closures.max(usize::from(before.elapsed() >= left)))
        }
    }
}

impl Builder<Tokio> {
    /// Starts a multi-threaded runtime, with all its drivers.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a value that no runtime can have, naming it; the system's when it gives no descriptors, or
    /// fewer threads than that.
    pub fn build(self) -> io::Result<Tokio> {
        let Settings { worker_threads, blocking_threads, thread_name } = self.settings()?;
        try_threads(worker_threads).map_err(|error| no_threads("worker_threads", worker_threads, &error))?;
        let name = thread_name.unwrap_or_else(|| "anyrt-tokio".to_owned());
        let (threads, next) = (Arc::new(Threads::default()), AtomicUsize::new(1));
        let (started, stopped) = (threads.clone(), threads.clone());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .worker_threads(worker_threads)
            .max_blocking_threads(blocking_threads)
            .thread_name_fn(move || format!("{name}-{}", next.fetch_add(1, Ordering::Relaxed)))
            .on_thread_start(move || {
                HERE.set(Some(started.clone()));
                started.alive.fetch_add(1, Ordering::SeqCst);
            })
            .on_thread_stop(move || {
                stopped.alive.fetch_sub(1, Ordering::SeqCst);
            })
            .build()?;
        Ok(Tokio::own(runtime, Some(threads)))
    }
}

/// Whether the system gives so many threads: they are started, and end again.
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
