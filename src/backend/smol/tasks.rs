//! The tasks of an executor of our own that wait for something, so that they can be dropped when it stops.
//!
//! async-executor 1.14 drops them when it is dropped itself, which it is not as long as one worker is stuck in a poll.

use std::cell::RefCell;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Waker;

use slab::Slab;
use smol::Executor;
use smol::channel::{Receiver, Sender, bounded};

use crate::thread::lock;

#[derive(Debug)]
pub(super) struct Tasks {
    // Set under the lock, and read without it in every poll.
    closed: AtomicBool,
    state: Mutex<State>,
    // Nothing is ever sent: see `State::waits`.
    all_gone: Receiver<()>,
}

#[derive(Debug)]
struct State {
    // The waker, until it has been told to go.
    waiting: Slab<Option<Waker>>,
    // Dropped with the last that waits, once it is closed.
    waits: Option<Sender<()>>,
}

impl Default for Tasks {
    fn default() -> Self {
        let (waits, all_gone) = bounded(1);
        let state = State { waiting: Slab::new(), waits: Some(waits) };
        Self { closed: AtomicBool::new(false), state: Mutex::new(state), all_gone }
    }
}

thread_local! {
    static HERE: RefCell<Option<Arc<Tasks>>> = const { RefCell::new(None) };
}

/// Whether the task that is being polled has to go, because its executor stops.
pub(super) fn is_closed(waiting: Option<&Waiting>) -> bool {
    match waiting {
        Some(waiting) => waiting.tasks.is_closed(),
        None => {
            HERE.try_with(|here| here.borrow().as_ref().is_some_and(|tasks| tasks.is_closed())) == Ok(true)
        }
    }
}

/// The task that is being polled waits, if it is of an executor of ours.
pub(super) fn wait(waker: &Waker) -> Option<Waiting> {
    let tasks = HERE.try_with(|here| here.borrow().clone()).ok().flatten()?;
    let kept = waker.clone();
    let mut state = lock(&tasks.state);
    if tasks.is_closed() {
        // Once more, to be dropped.
        drop(state);
        kept.wake();
        return None;
    }
    let key = state.waiting.insert(Some(kept));
    drop(state);
    Some(Waiting { key, tasks })
}

/// A task that has been pending.
#[derive(Debug)]
pub(crate) struct Waiting {
    key: usize,
    tasks: Arc<Tasks>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut state = lock(&self.tasks.state);
        let waker = state.waiting.remove(self.key);
        self.tasks.see_whether_all_are_gone(&mut state);
        drop(state);
        drop(waker);
    }
}

impl Tasks {
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// This thread polls them until the guard is dropped.
    pub(super) fn enter(self: &Arc<Self>) -> impl Drop + use<> {
        struct Guard;

        impl Drop for Guard {
            fn drop(&mut self) {
                let _ = HERE.try_with(|here| here.take());
            }
        }

        let _ = HERE.try_with(|here| here.replace(Some(self.clone())));
        Guard
    }

    /// Wakes every task, so that it finds that it has to go.
    pub(super) fn close(&self) {
        let mut state = lock(&self.state);
        self.closed.store(true, Ordering::Release);
        let wakers: Vec<_> = state.waiting.iter_mut().filter_map(|(_, waker)| waker.take()).collect();
        self.see_whether_all_are_gone(&mut state);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    fn see_whether_all_are_gone(&self, state: &mut State) {
        if self.is_closed() && state.waiting.is_empty() {
            state.waits = None;
        }
    }

    /// Runs the tasks in the queue of a closed executor, which drops them; not those that a thread has taken from it.
    pub(super) fn drop_all(self: &Arc<Self>, executor: &Executor<'static>) {
        let _tasks = self.enter();
        while executor.try_tick() {}
    }

    /// Runs tasks of a closed executor until `others_left`, and none is left that has ever waited.
    ///
    /// A wake-up first marks its task and then puts it into the queue. async-executor 1.14 never drops a task that was
    /// marked when it was dropped, and put there later.
    pub(super) async fn drop_the_last(
        self: &Arc<Self>,
        executor: &Executor<'static>,
        others_left: impl Future<Output = ()>,
    ) {
        let _tasks = self.enter();
        executor
            .run(async {
                others_left.await;
                let _ = self.all_gone.recv().await;
            })
            .await;
        while executor.try_tick() {}
    }
}
