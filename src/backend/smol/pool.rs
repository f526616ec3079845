//! Threads that may block, for an executor of our own: `blocking` has one pool a process, with one limit.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use async_task::{Runnable, Task};

use super::threads::{Threads, Working, wait_until};
use crate::thread::lock;

/// How long a thread waits for more, except for the last: tokio's time.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Pool {
    state: Mutex<State>,
    more: Condvar,
    one_done: Condvar,
    running: AtomicUsize,
    limit: usize,
    name: String,
    // Whose it is: what runs closures, and what drops them, finds it.
    threads: Weak<Threads>,
}

#[derive(Debug)]
struct State {
    queue: VecDeque<Runnable>,
    threads: usize,
    idle: usize,
    started: usize,
    closed: bool,
}

impl Pool {
    pub(super) fn new(limit: usize, name: &str, threads: Weak<Threads>) -> Arc<Self> {
        let state = State { queue: VecDeque::new(), threads: 0, idle: 0, started: 0, closed: false };
        Arc::new(Self {
            state: Mutex::new(state),
            more: Condvar::new(),
            one_done: Condvar::new(),
            running: AtomicUsize::new(0),
            limit,
            name: name.to_owned(),
            threads,
        })
    }

    /// One thread is there from the beginning: later there might be none to be had.
    pub(super) fn start(self: &Arc<Self>) -> io::Result<()> {
        self.start_thread(&mut lock(&self.state))
    }

    fn start_thread(self: &Arc<Self>, state: &mut State) -> io::Result<()> {
        let name = format!("{}-blocking-{}", self.name, state.started + 1);
        let pool = self.clone();
        thread::Builder::new().name(name).spawn(move || pool.work())?;
        state.started += 1;
        state.threads += 1;
        Ok(())
    }

    /// Runs a future that is ready in its first poll on one of the threads.
    pub(super) fn spawn<F>(self: &Arc<Self>, future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (pool, running) = (self.clone(), self.clone());
        let future = async move {
            let _counted = Running::one(&running);
            future.await
        };
        let (runnable, task) = async_task::spawn(future, move |runnable| pool.push(runnable));
        runnable.schedule();
        task
    }

    fn push(self: &Arc<Self>, runnable: Runnable) {
        let mut state = lock(&self.state);
        if state.closed {
            drop(state);
            // Its handle says that the runtime is gone.
            self.forget(runnable);
            return;
        }
        state.queue.push_back(runnable);
        if state.idle < state.queue.len() && state.threads < self.limit {
            // Should there be no more threads, those that there are take it.
            let _ = self.start_thread(&mut state);
        }
        drop(state);
        self.more.notify_one();
    }

    fn work(&self) {
        let _working = Working::with(self.threads.clone());
        let mut state = lock(&self.state);
        loop {
            if let Some(runnable) = state.queue.pop_front() {
                drop(state);
                // It never panics: see `async_task`.
                runnable.run();
                state = lock(&self.state);
            } else if state.closed {
                break;
            } else {
                state.idle += 1;
                let timed_out;
                (state, timed_out) = {
                    let (state, result) =
                        self.more.wait_timeout(state, KEEP_ALIVE).unwrap_or_else(PoisonError::into_inner);
                    (state, result.timed_out())
                };
                state.idle -= 1;
                if timed_out && state.queue.is_empty() && state.threads > 1 {
                    break;
                }
            }
        }
        state.threads -= 1;
        drop(state);
        self.one_done.notify_all();
    }

    /// Takes no more, and drops what is queued.
    pub(super) fn close(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        let queue = std::mem::take(&mut state.queue);
        drop(state);
        self.more.notify_all();
        self.forget(queue);
    }

    /// Drops what never ran.
    fn forget<T>(&self, runnables: T) {
        let _working = Working::with(self.threads.clone());
        drop(runnables);
    }

    /// Waits until every thread of a closed pool has left; how many are in a closure instead.
    pub(super) fn wait(&self, end: Instant) -> usize {
        drop(wait_until(lock(&self.state), &self.one_done, end, |state| state.threads == 0));
        self.running.load(Ordering::SeqCst)
    }
}

/// A closure that runs: it is over before its handle says so, and its thread later.
struct Running<'a>(&'a Pool);

impl<'a> Running<'a> {
    fn one(pool: &'a Pool) -> Self {
        pool.running.fetch_add(1, Ordering::SeqCst);
        Self(pool)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}
