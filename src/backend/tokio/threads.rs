//! How many threads a runtime of our own has, and how many of them are in a closure: tokio 1.54 says neither.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::thread::lock;

/// The threads of a runtime. For one that anyrt has not built, a single thread stands for all: the one that waits for them.
#[derive(Debug)]
pub(super) struct Threads {
    state: Mutex<State>,
    one_ended: Condvar,
    in_closures: AtomicUsize,
}

#[derive(Debug)]
struct State {
    // A worker that has not started yet has tasks to drop as well.
    yet_to_start: usize,
    alive: usize,
}

thread_local! {
    // Any thread may become a worker, or run a closure: tokio 1.54 has one pool, and does not say which does what.
    static HERE: RefCell<Option<Arc<Threads>>> = const { RefCell::new(None) };
}

impl Threads {
    /// So many will start; there may be more later.
    pub(super) fn new(count: usize) -> Arc<Self> {
        let state = State { yet_to_start: count, alive: 0 };
        Arc::new(Self {
            state: Mutex::new(state),
            one_ended: Condvar::new(),
            in_closures: AtomicUsize::new(0),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// This thread is one of them, and counts the closures that it runs.
    pub(super) fn start_here(self: &Arc<Self>) {
        let _ = HERE.try_with(|here| here.replace(Some(self.clone())));
        self.start();
    }

    pub(super) fn start(&self) {
        let mut state = self.lock();
        state.yet_to_start = state.yet_to_start.saturating_sub(1);
        state.alive += 1;
    }

    pub(super) fn stop(&self) {
        self.lock().alive -= 1;
        self.one_ended.notify_all();
    }

    /// Waits until all have ended; how many have not.
    pub(super) fn wait(&self, timeout: Duration) -> usize {
        let is_one_left = |state: &mut State| state.yet_to_start + state.alive > 0;
        let waited = self.one_ended.wait_timeout_while(self.lock(), timeout, is_one_left);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.yet_to_start + state.alive
    }

    pub(super) fn in_closures(&self) -> usize {
        self.in_closures.load(Ordering::SeqCst)
    }
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

    let threads = threads.or_else(|| HERE.try_with(|here| here.borrow().clone()).ok().flatten());
    if let Some(threads) = &threads {
        threads.in_closures.fetch_add(1, Ordering::SeqCst);
    }
    let _counted = Counted(threads);
    job()
}
