use std::panic::Location;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};

use super::shared::{ASLEEP, Shared};
use super::slot::Slot;
use super::trace::{SpanNumber, TaskSpan};
use super::{TaskInfo, TaskKind};
use crate::runtime::task::{Id, try_id};
use crate::thread::{SameScope, scope};

/// What is known of a watched task.
pub(super) struct Task {
    shared: Arc<Shared>,
    key: u64,
    kind: TaskKind,
    name: Option<Box<str>>,
    spawned_at: &'static Location<'static>,
    // `None` in a `block_on`.
    id: OnceLock<Option<Id>>,
    /// When it was woken, or queued, by the clock of the watch; 0 while it is not ready.
    pub(super) ready_since: AtomicU64,
    /// How many of its polls were too long.
    pub(super) slow: AtomicU32,
    span: SpanNumber,
}

impl Task {
    pub(super) fn info(&self) -> TaskInfo {
        TaskInfo {
            id: self.id.get().and_then(Option::as_ref).map(Id::to_string),
            name: self.name.as_deref().map(str::to_owned),
            spawned_at: self.spawned_at.into(),
            kind: self.kind,
        }
    }

    pub(super) fn kind(&self) -> TaskKind {
        self.kind
    }

    /// It is woken. `false` if that is not all.
    #[inline]
    fn note_wake(&self) -> bool {
        if self.ready_since.load(Ordering::Relaxed) == 0 {
            let now = self.shared.last_tick();
            if now == ASLEEP {
                return false;
            }
            self.ready_since.store(now, Ordering::Relaxed);
        }
        !self.span.is_there()
    }

    /// Its turn has come: mostly in the tick of its wake.
    #[inline]
    fn note_turn(&self, slot: &Slot) {
        if self.ready_since.load(Ordering::Relaxed) == self.shared.last_tick() {
            self.ready_since.store(0, Ordering::Relaxed);
            slot.ready.add_none();
        } else {
            self.note_late_turn(slot);
        }
    }

    #[cold]
    #[inline(never)]
    fn note_late_turn(&self, slot: &Slot) {
        if self.shared.is_asleep() {
            self.shared.rouse();
        }
        let since = self.ready_since.swap(0, Ordering::Relaxed);
        if since != 0 {
            slot.ready.add(self.shared.now().saturating_sub(since));
        }
    }
}

/// The waker that a watched task is polled with, which notes when the task becomes ready.
struct TaskWaker {
    task: Arc<Task>,
    // That of the runtime.
    inner: Waker,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    #[inline]
    fn wake_by_ref(self: &Arc<Self>) {
        if self.task.note_wake() {
            self.inner.wake_by_ref();
        } else {
            self.wake_slowly();
        }
    }
}

impl TaskWaker {
    /// While nobody ticks, or for a subscriber that is told.
    #[cold]
    #[inline(never)]
    fn wake_slowly(&self) {
        if self.task.ready_since.load(Ordering::Relaxed) == 0 {
            self.task.ready_since.store(self.task.shared.now(), Ordering::Relaxed);
        }
        self.task.span.wake();
        self.inner.wake_by_ref();
    }
}

/// A spawned task, a blocking closure, or the future of a `block_on`, with what its watch needs.
pub(crate) struct Watched {
    task: Arc<Task>,
    // Of the last poll: mostly, the next one has the same.
    slot: Arc<Slot>,
    // That of the runtime, and one around it.
    inner: Waker,
    waker: Waker,
    span: TaskSpan,
}

impl Watched {
    pub(super) fn new(
        shared: &Arc<Shared>,
        kind: TaskKind,
        name: Option<&str>,
        spawned_at: &'static Location<'static>,
    ) -> Self {
        let key = shared.next_key();
        let task = Arc::new(Task {
            shared: shared.clone(),
            key,
            kind,
            name: name.map(Into::into),
            spawned_at,
            id: OnceLock::new(),
            ready_since: AtomicU64::new(shared.now()),
            slow: AtomicU32::new(0),
            span: SpanNumber::new(),
        });
        shared.add(key, &task);
        let (slot, none) = (shared.nowhere.clone(), Waker::noop());
        Self { task, slot, inner: none.clone(), waker: none.clone(), span: TaskSpan::new() }
    }

    /// Polls with the waker of the watch, and notes it.
    pub(crate) fn poll<T>(&mut self, waker: &Waker, poll: impl FnOnce(&mut Context<'_>) -> T) -> T {
        if self.slot.thread != scope::number() || !self.inner.will_wake(waker) {
            self.find(waker);
        }
        let _polling = self.slot.begin(self.task.key);
        self.task.note_turn(&self.slot);
        let _entered = self.span.enter();
        poll(&mut Context::from_waker(&self.waker))
    }

    /// Likewise, inside of nothing that is watched, on the thread of the last poll.
    #[inline(always)]
    pub(crate) fn poll_again<F, T>(
        &mut self,
        waker: &Waker,
        scope: SameScope<'_>,
        mut future: F,
        poll: impl FnOnce(&mut F, &mut Context<'_>) -> Poll<T>,
        end: impl FnOnce(F, T) -> T,
    ) -> Poll<T> {
        if !self.inner.will_wake(waker) {
            self.find(waker);
        }
        let (task, slot): (&Task, &Slot) = (&self.task, &self.slot);
        let polling = Slot::begin_outermost(&self.slot, task.key, &scope);
        task.note_turn(slot);
        let entered = self.span.enter();
        // Each way has an end of its own, so that no poll has to keep in mind which one it goes.
        match poll(&mut future, &mut Context::from_waker(&self.waker)) {
            Poll::Pending => {
                drop((entered, polling, scope));
                Poll::Pending
            }
            Poll::Ready(output) => {
                let output = end(future, output);
                drop((entered, polling, scope));
                Poll::Ready(output)
            }
        }
    }

    /// For the first poll, and for one that is elsewhere than the last one.
    #[cold]
    #[inline(never)]
    fn find(&mut self, inner: &Waker) {
        self.slot = Slot::of_this_thread(&self.task.shared);
        if !self.inner.will_wake(inner) {
            let waker = Arc::new(TaskWaker { task: self.task.clone(), inner: inner.clone() });
            (self.inner, self.waker) = (inner.clone(), waker.into());
        }
        if self.task.id.get().is_none() {
            self.task.id.get_or_init(try_id);
            self.span.begin(|| self.task.info(), &self.task.span);
        }
    }

    /// Runs its destructor, and notes it.
    pub(crate) fn drop_in<T>(&mut self, drop: impl FnOnce() -> T) -> T {
        let slot = Slot::of_this_thread(&self.task.shared);
        let _polling = slot.begin(self.task.key);
        let shared = &self.task.shared;
        if shared.is_asleep() {
            shared.rouse();
        }
        let _entered = self.span.enter();
        drop()
    }

    /// Runs a blocking closure, which may block.
    pub(crate) fn call<T>(mut self, call: impl FnOnce() -> T) -> T {
        let shared = &self.task.shared;
        self.task.id.get_or_init(try_id);
        self.span.begin(|| self.task.info(), &self.task.span);
        let _entered = self.span.enter();
        self.task.ready_since.store(0, Ordering::Relaxed);
        shared.closure_starts();
        // On a thread that polls something at the same time, what is around the closure may block as well.
        let slot = (scope::number() != 0).then(|| Slot::of_this_thread(shared));
        let running = Running { shared, slot };
        let _polling = running.slot.as_ref().map(|slot| slot.begin_closure());
        call()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.shared.remove(self.task.key, self.task.kind);
        // A subscriber may panic.
        self.span.end(&self.task.span);
    }
}

/// A blocking closure runs.
struct Running<'a> {
    shared: &'a Shared,
    slot: Option<Arc<Slot>>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.shared.closure_ends();
        // A poll goes on that the closure was inside.
        if self.shared.is_asleep() && self.slot.as_ref().is_some_and(|slot| slot.is_polling()) {
            self.shared.rouse();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::watch::{Watch, WatchOptions};

    #[test]
    fn poll_that_goes_on_after_a_closure_is_watched() {
        let options = WatchOptions::new().warn_after(Duration::ZERO).on_report(|_| ());
        let watch = Watch::start(options, "a test".into()).unwrap();
        let mut outer = watch.task(TaskKind::Task, None, Location::caller());
        let shared = outer.task.shared.clone();
        outer.poll(Waker::noop(), |_| {
            let closure = watch.task(TaskKind::Blocking, None, Location::caller());
            closure.call(|| {
                while !shared.is_asleep() {
                    thread::yield_now();
                }
            });
            assert!(!shared.is_asleep());
        });
    }
}
