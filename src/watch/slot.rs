use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::shared::Shared;
use super::snapshot::Histogram;
use crate::thread::scope::{self, Watching};
use crate::thread::{SameScope, SystemThread, lock};

/// The note of one thread about what it polls for one watch.
///
/// Only its thread writes the first three, and `others`, so a store is enough; the watching thread looks at them now and
/// then.
pub(super) struct Slot {
    /// How many times it has begun something.
    pub(super) begun: AtomicU64,
    /// The key of the task that is polled; 0 if none is.
    pub(super) task: AtomicU64,
    /// How long tasks that it polled had been ready before.
    pub(super) ready: Histogram,
    /// In nanoseconds, how long it was found polling: only the watching thread writes this.
    pub(super) busy: AtomicU64,
    /// The number of its thread; see [`scope::number`].
    pub(super) thread: u64,
    pub(super) system: SystemThread,
    /// How many of these were no polls: closures, and polls that go on after what was inside them.
    others: AtomicU64,
    /// Its thread has ended.
    pub(super) is_gone: AtomicBool,
    /// Its watch has ended.
    pub(super) is_over: AtomicBool,
    pub(super) watch: u64,
}

thread_local! {
    static SLOTS: RefCell<Slots> = const { RefCell::new(Slots(Vec::new())) };
}

struct Slots(Vec<Arc<Slot>>);

impl Drop for Slots {
    fn drop(&mut self) {
        for slot in &self.0 {
            slot.is_gone.store(true, Ordering::Release);
        }
    }
}

impl Slot {
    /// That of this thread for this watch. Nobody looks at it if the watch is over, or thread-locals are gone.
    #[cold]
    #[inline(never)]
    pub(super) fn of_this_thread(shared: &Shared) -> Arc<Self> {
        let thread = scope::give_number();
        let slot = SLOTS.try_with(|slots| {
            let mut slots = slots.borrow_mut();
            if let Some(slot) = slots.0.iter().find(|slot| slot.watch == shared.id) {
                return slot.clone();
            }
            slots.0.retain(|slot| !slot.is_over.load(Ordering::Relaxed));
            let slot = Arc::new(Self::new(thread, shared.id, SystemThread::current()));
            slots.0.push(slot.clone());
            let mut looked_at = lock(&shared.slots);
            // The watching thread takes all away under this lock, at its end.
            if shared.is_over() {
                slot.is_over.store(true, Ordering::Relaxed);
            } else {
                looked_at.push(slot.clone());
            }
            drop(looked_at);
            slot
        });
        slot.unwrap_or_else(|_| Arc::new(Self::new(thread, shared.id, SystemThread::default())))
    }

    /// That of no thread.
    pub(super) fn nowhere() -> Self {
        Self::new(u64::MAX, 0, SystemThread::default())
    }

    fn new(thread: u64, watch: u64, system: SystemThread) -> Self {
        Self {
            begun: AtomicU64::new(0),
            task: AtomicU64::new(0),
            ready: Histogram::new(),
            busy: AtomicU64::new(0),
            others: AtomicU64::new(0),
            thread,
            system,
            is_gone: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            watch,
        }
    }

    /// Notes what this thread polls, until the guard is dropped.
    pub(super) fn begin(&self, task: u64) -> Polling<'_> {
        let outer = self.task.load(Ordering::Relaxed);
        self.note(task);
        Polling { slot: self, outer, _watching: Watching::begin() }
    }

    /// Likewise, inside of nothing that is noted.
    #[inline(always)]
    pub(super) fn begin_outermost<'a>(self: &'a Arc<Self>, task: u64, _: &SameScope<'_>) -> Outermost<'a> {
        debug_assert!(!self.is_polling());
        self.note(task);
        Outermost(self)
    }

    /// Likewise, that it runs a closure, which may block.
    pub(super) fn begin_closure(&self) -> Polling<'_> {
        let running = self.begin(0);
        self.count_other();
        running
    }

    #[inline]
    fn note(&self, task: u64) {
        self.task.store(task, Ordering::Relaxed);
        // The watching thread reads this first.
        self.begun.store(self.begun.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    pub(super) fn is_polling(&self) -> bool {
        self.task.load(Ordering::Relaxed) != 0
    }

    fn count_other(&self) {
        self.others.store(self.others.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    /// How many polls and destructors have begun.
    pub(super) fn polls(&self) -> u64 {
        // Each is in `begun` as well, sooner.
        let others = self.others.load(Ordering::Acquire);
        self.begun.load(Ordering::Relaxed).saturating_sub(others)
    }

    /// How many have begun, and what is polled, if both are of one time.
    pub(super) fn look(&self) -> Option<(u64, u64)> {
        let begun = self.begun.load(Ordering::Acquire);
        let task = self.task.load(Ordering::Acquire);
        (self.begun.load(Ordering::Acquire) == begun).then_some((begun, task))
    }
}

/// A thread polls something.
pub(super) struct Polling<'a> {
    slot: &'a Slot,
    // What is polled around it.
    outer: u64,
    _watching: Watching,
}

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        if self.outer != 0 {
            // Or the poll around it would seem to have gone on all the time.
            self.slot.begun.store(self.slot.begun.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            self.slot.count_other();
        }
        self.slot.task.store(self.outer, Ordering::Release);
    }
}

/// Likewise, inside of nothing.
pub(super) struct Outermost<'a>(&'a Arc<Slot>);

impl Drop for Outermost<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.task.store(0, Ordering::Release);
    }
}
