//! What other threads see of a set: which of its tasks are woken, and who polls it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Wake, Waker};

use crate::runtime::task::catch_panic::{discard, wake};
use crate::runtime::task::{Id, JoinError, NativeAbort, Number, Slot, spawned};
use crate::thread::lock;

/// Chooses the next ready task, in a simulation.
#[allow(dead_code, reason = "without a simulation nobody sets it")]
pub(crate) static CHOOSE: OnceLock<fn(usize) -> usize> = OnceLock::new();

#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
}

/// Who waits for a task that is ready: the key of the wait, and its last waker.
type Waiter = (u64, Waker);

#[derive(Default)]
struct State {
    ready: VecDeque<u64>,
    // Nearly always one.
    waiter: Option<Waiter>,
    more_waiters: Vec<Waiter>,
    waits: u64,
    // The task that polls the set checks the queue afterwards.
    is_polled: bool,
    is_closed: bool,
}

impl State {
    fn waiter(&mut self, key: u64) -> Option<&mut Waker> {
        let mut waiters = self.waiter.iter_mut().chain(&mut self.more_waiters);
        waiters.find(|(of, _)| *of == key).map(|(_, waker)| waker)
    }

    fn take_waiters(&mut self) -> (Option<Waiter>, Vec<Waiter>) {
        (self.waiter.take(), std::mem::take(&mut self.more_waiters))
    }
}

fn wake_all((waiter, more): (Option<Waiter>, Vec<Waiter>)) {
    waiter.into_iter().chain(more).for_each(|(_, waker)| wake(waker));
}

impl Queue {
    /// The task of this key is ready.
    pub(super) fn push(&self, key: u64) {
        let mut state = lock(&self.state);
        if state.is_closed {
            return;
        }
        state.ready.push_back(key);
        if !state.is_polled {
            let waiters = state.take_waiters();
            drop(state);
            wake_all(waiters);
        }
    }

    /// The one whose turn is next: the one that has been ready for the longest, except in a simulation.
    pub(super) fn next(&self) -> Option<u64> {
        let Some(choose) = CHOOSE.get() else { return lock(&self.state).ready.pop_front() };
        let len = lock(&self.state).ready.len();
        // Only this thread takes any out.
        let at = if len > 1 { choose(len) } else { 0 };
        lock(&self.state).ready.remove(at)
    }

    /// The set is being polled from now on. Whether it was already.
    pub(super) fn begin(&self) -> bool {
        std::mem::replace(&mut lock(&self.state).is_polled, true)
    }

    /// The poll is over: if there is more to do, those who wait are woken.
    pub(super) fn end(&self, was_polled: bool) {
        let mut state = lock(&self.state);
        state.is_polled = was_polled;
        if !was_polled && !state.ready.is_empty() {
            let waiters = state.take_waiters();
            drop(state);
            wake_all(waiters);
        }
    }

    /// `waker` is woken when a task is ready, instead of the one that this wait had before.
    pub(super) fn wait(&self, key: u64, waker: &Waker) {
        if lock(&self.state).waiter(key).is_some_and(|kept| kept.will_wake(waker)) {
            return;
        }
        let mut waker = waker.clone();
        let mut state = lock(&self.state);
        if let Some(kept) = state.waiter(key) {
            // The one before is dropped after the lock.
            std::mem::swap(kept, &mut waker);
            drop(state);
        } else if state.waiter.is_none() {
            state.waiter = Some((key, waker));
        } else {
            state.more_waiters.push((key, waker));
        }
    }

    /// Nobody waits any more by this key.
    pub(super) fn forget(&self, key: u64) {
        let mut state = lock(&self.state);
        let waiter = match &state.waiter {
            Some((of, _)) if *of == key => state.waiter.take(),
            _ => {
                let at = state.more_waiters.iter().position(|(of, _)| *of == key);
                at.map(|at| state.more_waiters.swap_remove(at))
            }
        };
        drop(state);
        discard(waiter);
    }

    /// A key for a wait.
    pub(super) fn next_wait(&self) -> u64 {
        let mut state = lock(&self.state);
        state.waits += 1;
        state.waits
    }

    /// Nobody polls the set any more.
    pub(super) fn close(&self) {
        let mut state = lock(&self.state);
        state.is_closed = true;
        let (ready, waiters) = (std::mem::take(&mut state.ready), state.take_waiters());
        drop(state);
        discard((ready, waiters));
    }
}

/// A local task, as other threads see it: its waker, and what aborts it.
pub(super) struct Entry {
    key: u64,
    pub(super) number: Number,
    queue: Arc<Queue>,
    is_queued: AtomicBool,
    is_aborted: AtomicBool,
    is_finished: AtomicBool,
}

impl Entry {
    pub(super) fn new(key: u64, queue: Arc<Queue>) -> Self {
        let [is_queued, is_aborted, is_finished] = [const { AtomicBool::new(false) }; 3];
        Self { key, number: Number::next(), queue, is_queued, is_aborted, is_finished }
    }

    /// The task is about to be polled: a wake from now on schedules another poll.
    pub(super) fn begin_turn(&self) {
        // A swap, and not a store: it sees what was there when others found it queued, an abort for example.
        self.is_queued.swap(false, Ordering::AcqRel);
    }
}

impl Wake for Entry {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.make_ready();
    }
}

impl Entry {
    pub(super) fn make_ready(&self) {
        if !self.is_finished.load(Ordering::Acquire) && !self.is_queued.swap(true, Ordering::AcqRel) {
            self.queue.push(self.key);
        }
    }
}

impl NativeAbort for Entry {
    fn id(&self) -> Id {
        self.number.into()
    }

    /// The task is dropped at the next poll of its set, by the thread of that.
    fn abort(&self) {
        self.is_aborted.store(true, Ordering::Release);
        self.make_ready();
    }

    fn is_finished(&self) -> bool {
        self.is_finished.load(Ordering::Acquire)
    }
}

/// What a local task tells of itself: to its handle, which has the output, and to everybody else.
pub(super) struct Owner<T> {
    pub(super) slot: Arc<Slot<T>>,
    pub(super) entry: Arc<Entry>,
}

impl<T> spawned::Owner<T> for Owner<T> {
    fn number(&self) -> Number {
        self.entry.number
    }

    fn wants(&self, _: &Waker) -> bool {
        !self.entry.is_aborted.load(Ordering::Acquire)
    }

    fn why_dropped(&self) -> JoinError {
        let is_aborted = self.entry.is_aborted.load(Ordering::Acquire);
        let why = if is_aborted { JoinError::cancelled } else { JoinError::local_set_gone };
        why(self.entry.number)
    }

    fn complete(&self, result: Result<T, JoinError>) {
        self.entry.is_finished.store(true, Ordering::Release);
        self.slot.complete(result);
    }
}
