//! What only the thread of a set sees of it: its tasks, and which set is being polled.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Waker};

use super::queue::{Entry, Owner, Queue};
use crate::runtime::task::spawned::Spawned;
use crate::runtime::task::{JoinHandle, Slot, coop, native};

/// So many tasks have a turn each before the future beside them has its next: tokio's number.
const TURNS: usize = 61;

thread_local! {
    static CURRENT: RefCell<Option<Rc<Tasks>>> = const { RefCell::new(None) };
    static SETS: RefCell<Vec<Weak<Tasks>>> = const { RefCell::new(Vec::new()) };
}

/// The tasks of a set.
#[derive(Default)]
pub(super) struct Tasks {
    // None of the user's code runs while it is borrowed.
    tasks: RefCell<BTreeMap<u64, Task>>,
    next_key: Cell<u64>,
    was_skipped: Cell<bool>,
    pub(super) queue: Arc<Queue>,
}

struct Task {
    // Empty while it is polled.
    idle: Option<Idle>,
    // Its turn came while it was being polled, in a poll of the set inside of that.
    missed: bool,
    spawned: &'static Location<'static>,
}

struct Idle {
    future: Pin<Box<dyn Future<Output = ()>>>,
    entry: Arc<Entry>,
    waker: Waker,
}

impl Tasks {
    pub(super) fn new() -> Rc<Self> {
        let tasks = Rc::new(Self::default());
        let _ = SETS.try_with(|sets| {
            let mut sets = sets.borrow_mut();
            if sets.len() == sets.capacity() {
                sets.retain(|set| set.strong_count() > 0);
            }
            sets.push(Rc::downgrade(&tasks));
        });
        tasks
    }

    /// Those whose task, future or destructor this thread is in.
    pub(super) fn current() -> Option<Rc<Self>> {
        CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
    }

    pub(super) fn len(&self) -> usize {
        self.tasks.borrow().len()
    }

    #[track_caller]
    pub(super) fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let key = self.next_key.replace(self.next_key.get() + 1);
        let entry = Arc::new(Entry::new(key, self.queue.clone()));
        let slot = Arc::new(Slot::new(entry.number));
        let owner = Owner { slot: slot.clone(), entry: entry.clone() };
        self.add(key, Box::pin(Spawned::new(future, owner)), &entry, Location::caller());
        JoinHandle::from_parts(slot, entry)
    }

    fn add(
        &self,
        key: u64,
        future: Pin<Box<dyn Future<Output = ()>>>,
        entry: &Arc<Entry>,
        spawned: &'static Location<'static>,
    ) {
        let idle = Idle { future, entry: entry.clone(), waker: entry.clone().into() };
        self.tasks.borrow_mut().insert(key, Task { idle: Some(idle), missed: false, spawned });
        entry.make_ready();
    }

    /// This thread is in the set until the guard is dropped.
    pub(super) fn enter(self: &Rc<Self>) -> Entered {
        let before = CURRENT.try_with(|current| current.replace(Some(self.clone())));
        Entered { before: before.ok().flatten(), was_polled: self.queue.begin(), tasks: self.clone() }
    }

    /// Gives tasks that are ready a turn each. Whether it was cut short.
    pub(super) fn run(&self) -> bool {
        let _around = coop::Around::begin();
        // tokio 1.54 has one budget for all that is in one of its tasks, and wakes those that it refuses in the reverse order
        // (`runtime/scheduler/defer.rs`): the same ones would come first each time, and spend all of it. So who has not had a turn
        // stays where it is. If somebody else spends it each time, those have turns that need none.
        let is_spent = native::is_budget_spent();
        if is_spent && !self.was_skipped.get() {
            self.was_skipped.set(true);
            return true;
        }
        self.was_skipped.set(false);
        for _ in 0..TURNS {
            if !self.run_next() {
                return false;
            }
            if !is_spent && native::is_budget_spent() {
                return true;
            }
        }
        true
    }

    fn run_next(&self) -> bool {
        let Some(key) = self.queue.next() else { return false };
        let mut tasks = self.tasks.borrow_mut();
        // One that is over was perhaps just being woken.
        let Some(task) = tasks.get_mut(&key) else { return true };
        let Some(mut idle) = task.idle.take() else {
            task.missed = true;
            return true;
        };
        drop(tasks);
        idle.entry.begin_turn();
        let is_over = idle.future.as_mut().poll(&mut Context::from_waker(&idle.waker)).is_ready();
        let mut tasks = self.tasks.borrow_mut();
        if is_over {
            tasks.remove(&key);
        } else if let Some(task) = tasks.get_mut(&key) {
            task.idle = Some(idle);
            if std::mem::take(&mut task.missed) {
                self.queue.push(key);
            }
        }
        true
    }

    /// Drops all tasks, also those that their destructors spawn.
    pub(super) fn close(self: &Rc<Self>) {
        self.queue.close();
        let _entered = self.enter();
        loop {
            let first = self.tasks.borrow_mut().pop_first();
            if first.is_none() {
                return;
            }
        }
    }
}

/// This thread is in a set.
pub(super) struct Entered {
    tasks: Rc<Tasks>,
    before: Option<Rc<Tasks>>,
    was_polled: bool,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let _ = CURRENT.try_with(|current| current.replace(self.before.take()));
        self.tasks.queue.end(self.was_polled);
    }
}

/// Says where the local tasks of this thread were spawned.
#[allow(dead_code, reason = "without a simulation nobody asks")]
pub(crate) fn tell(text: &mut String) {
    let _ = SETS.try_with(|sets| {
        for set in sets.borrow().iter().filter_map(Weak::upgrade) {
            for task in set.tasks.borrow().values() {
                let _ = write!(text, "\n  a local task of this thread, spawned at {}", task.spawned);
            }
        }
    });
}
