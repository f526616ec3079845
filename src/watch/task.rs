use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Wake, Waker};

use super::shared::Shared;
use super::slot::{self, Slot};
use super::trace::{SpanNumber, TaskSpan};
use super::{TaskInfo, TaskKind};
use crate::runtime::task::{Id, try_id};
use crate::thread::lock;

/// What is known of a watched task; also the waker that it is polled with, which notes when the task becomes ready.
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
    waker: OnceLock<Waker>,
    // Runtimes wake a task with one waker, all its life. If not, the last one is here. In an `Arc`, because nothing of the
    // user's is cloned under a lock.
    later_waker: Mutex<Option<Arc<Waker>>>,
    has_later_waker: AtomicBool,
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

    fn note_ready(&self) {
        if self.ready_since.load(Ordering::Relaxed) == 0 {
            self.ready_since.store(self.shared.now(), Ordering::Relaxed);
        }
    }

    #[cold]
    #[inline(never)]
    fn keep_waker(&self, waker: &Waker) {
        self.id.get_or_init(try_id);
        if self.waker.set(waker.clone()).is_err() {
            let waker = Some(Arc::new(waker.clone()));
            let _before = std::mem::replace(&mut *lock(&self.later_waker), waker);
            self.has_later_waker.store(true, Ordering::Release);
        }
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.note_ready();
        self.span.wake();
        if self.has_later_waker.load(Ordering::Acquire) {
            let waker = lock(&self.later_waker).clone();
            if let Some(waker) = waker {
                waker.wake_by_ref();
            }
        } else if let Some(waker) = self.waker.get() {
            waker.wake_by_ref();
        }
    }
}

/// A spawned task, a blocking closure, or the future of a `block_on`, with what its watch needs.
pub(crate) struct Watched {
    task: Arc<Task>,
    // Of `task`.
    waker: Waker,
    // What `task` wakes.
    inner: Waker,
    slot: Option<Arc<Slot>>,
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
            waker: OnceLock::new(),
            later_waker: Mutex::new(None),
            has_later_waker: AtomicBool::new(false),
            span: SpanNumber::new(),
        });
        shared.add(key, &task);
        // None that the task is ever polled with.
        let waker = Waker::from(task.clone());
        Self { inner: waker.clone(), waker, task, slot: None, span: TaskSpan::new() }
    }

    /// Polls with the waker of the watch, and notes it.
    #[inline]
    pub(crate) fn poll<T>(&mut self, cx: &mut Context<'_>, poll: impl FnOnce(&mut Context<'_>) -> T) -> T {
        if !self.inner.will_wake(cx.waker()) {
            self.inner = cx.waker().clone();
            self.task.keep_waker(cx.waker());
            self.span.begin(|| self.task.info(), &self.task.span);
        }
        self.find_slot();
        let Some(slot) = &self.slot else { return self.poll_unseen(poll) };
        let _polling = slot.begin(self.task.key);
        let shared = &self.task.shared;
        if shared.is_asleep() {
            shared.rouse();
        }
        let since = self.task.ready_since.load(Ordering::Relaxed);
        if since != 0 {
            self.task.ready_since.store(0, Ordering::Relaxed);
            slot.ready.add(shared.last_tick().saturating_sub(since));
        }
        let _entered = self.span.enter();
        poll(&mut Context::from_waker(&self.waker))
    }

    /// Likewise, where nobody looks at a note.
    #[cold]
    fn poll_unseen<T>(&self, poll: impl FnOnce(&mut Context<'_>) -> T) -> T {
        self.task.ready_since.store(0, Ordering::Relaxed);
        let _entered = self.span.enter();
        poll(&mut Context::from_waker(&self.waker))
    }

    /// Runs its destructor, and notes it.
    pub(crate) fn drop_in<T>(&mut self, drop: impl FnOnce() -> T) -> T {
        self.find_slot();
        let _polling = self.slot.as_ref().map(|slot| slot.begin(self.task.key));
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
        let slot = if slot::thread() != 0 { Slot::of_this_thread(shared) } else { None };
        let running = Running { shared, slot };
        let _polling = running.slot.as_ref().map(|slot| slot.begin_closure());
        call()
    }

    #[inline]
    fn find_slot(&mut self) {
        let thread = slot::thread();
        if self.slot.as_ref().is_none_or(|slot| slot.thread != thread) {
            self.slot = Slot::of_this_thread(&self.task.shared);
        }
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
        outer.poll(&mut Context::from_waker(Waker::noop()), |_| {
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
