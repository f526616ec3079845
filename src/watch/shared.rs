use std::collections::HashMap;
use std::io;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::slot::Slot;
use super::snapshot::{Histogram, Places, Totals};
use super::task::Task;
use super::watcher::Watcher;
use super::{Snapshot, TaskKind, WatchOptions, Watched};
use crate::thread::lock;

/// A watch of a runtime. The thread that watches ends with the last owned one.
#[derive(Clone)]
pub(crate) struct Watch {
    shared: Arc<Shared>,
    _owner: Option<Arc<Owner>>,
}

/// Ends the thread that watches.
struct Owner(Arc<Shared>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Release);
        self.0.unpark();
    }
}

impl Watch {
    /// `runtime` is the name of the runtime in reports.
    pub(crate) fn start(mut options: WatchOptions, runtime: String) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        if cfg!(all(target_family = "wasm", target_os = "unknown")) {
            // It has no clock either, and panics when it is asked.
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "anyrt: there are no threads to watch with",
            ));
        }
        let on_report = options.on_report.take();
        let shared = Arc::new(Shared {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            options,
            runtime,
            begun: Instant::now(),
            now: AtomicU64::new(1),
            left_out: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            thread: OnceLock::new(),
            slots: Mutex::new(Vec::new()),
            nowhere: Arc::new(Slot::nowhere()),
            tasks: std::array::from_fn(|_| Mutex::new(HashMap::new())),
            spawned: AtomicU64::new(0),
            tasks_alive: AtomicUsize::new(0),
            closures: AtomicUsize::new(0),
            closures_running: AtomicUsize::new(0),
            totals: Mutex::new(Totals::default()),
            ready: Histogram::new(),
            places: Mutex::new(Places::default()),
        });
        let watcher = Watcher::new(shared.clone(), on_report);
        let thread = thread::Builder::new().name("anyrt-watch".into()).spawn(move || watcher.run())?;
        let _ = shared.thread.set(thread.thread().clone());
        Ok(Self { _owner: Some(Arc::new(Owner(shared.clone()))), shared })
    }

    /// Returns a watch that does not keep the thread.
    pub(crate) fn unowned(&self) -> Self {
        Self { shared: self.shared.clone(), _owner: None }
    }

    pub(crate) fn task(
        &self,
        kind: TaskKind,
        name: Option<&str>,
        spawned_at: &'static Location<'static>,
    ) -> Watched {
        Watched::new(&self.shared, kind, name, spawned_at)
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.shared.snapshot()
    }
}

/// A time that never is: that of the last tick while the thread that ticks sleeps.
pub(super) const ASLEEP: u64 = u64::MAX;

/// How many locks there are for the tasks.
const SHARDS: usize = 16;

/// What the tasks, the slots and the watching thread share.
pub(super) struct Shared {
    pub(super) id: u64,
    pub(super) options: WatchOptions,
    pub(super) runtime: String,
    pub(super) begun: Instant,
    // Nanoseconds since `begun`, as of the last tick; never 0. Without those that are left out. `ASLEEP` while the watching
    // thread waits for something to happen.
    now: AtomicU64,
    // For which nobody watched, in nanoseconds.
    left_out: AtomicU64,
    is_over: AtomicBool,
    thread: OnceLock<Thread>,
    pub(super) slots: Mutex<Vec<Arc<Slot>>>,
    /// In place of one, for tasks that were never polled.
    pub(super) nowhere: Arc<Slot>,
    // By their keys.
    tasks: [Mutex<HashMap<u64, Arc<Task>>>; SHARDS],
    pub(super) spawned: AtomicU64,
    pub(super) tasks_alive: AtomicUsize,
    // Queued or running.
    pub(super) closures: AtomicUsize,
    pub(super) closures_running: AtomicUsize,
    /// Of threads that have ended.
    pub(super) totals: Mutex<Totals>,
    pub(super) ready: Histogram,
    pub(super) places: Mutex<Places>,
}

impl Shared {
    /// The time of the last tick; `ASLEEP` while the thread that ticks sleeps.
    #[inline]
    pub(super) fn last_tick(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    /// The time of the last tick; or now, if the thread that ticks sleeps.
    #[inline]
    pub(super) fn now(&self) -> u64 {
        match self.last_tick() {
            ASLEEP => self.clock(),
            now => now,
        }
    }

    #[inline]
    pub(super) fn is_asleep(&self) -> bool {
        self.last_tick() == ASLEEP
    }

    /// Asks the clock.
    #[cold]
    #[inline(never)]
    pub(super) fn clock(&self) -> u64 {
        let elapsed = u64::try_from(self.elapsed().as_nanos()).unwrap_or(u64::MAX);
        elapsed.saturating_sub(self.left_out.load(Ordering::Relaxed)).clamp(1, ASLEEP - 1)
    }

    /// Likewise, for all who do not; but nobody takes the thread that ticks for awake because of that.
    pub(super) fn tick(&self) -> u64 {
        let now = self.clock();
        // It does not fall asleep in between, because it is the one that is here.
        if !self.is_asleep() {
            self.now.store(now, Ordering::Relaxed);
        }
        now
    }

    /// Stops the clock for a time that is over: what became ready meanwhile has the time of the tick before.
    pub(super) fn leave_out(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.left_out.fetch_add(nanos, Ordering::Relaxed);
    }

    /// Wakes the watching thread: a thread polls something.
    #[cold]
    #[inline(never)]
    pub(super) fn rouse(&self) {
        if self.now.swap(self.clock(), Ordering::SeqCst) == ASLEEP {
            self.unpark();
        }
    }

    /// Of the watching thread, as the next one.
    pub(super) fn fall_asleep(&self) {
        self.now.store(ASLEEP, Ordering::SeqCst);
    }

    pub(super) fn wake_up(&self) {
        self.now.store(self.clock(), Ordering::SeqCst);
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    fn unpark(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    pub(super) fn next_key(&self) -> u64 {
        self.spawned.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn shard(&self, key: u64) -> &Mutex<HashMap<u64, Arc<Task>>> {
        &self.tasks[(key % SHARDS as u64) as usize]
    }

    pub(super) fn add(&self, key: u64, task: &Arc<Task>) {
        let counter = if task.kind() == TaskKind::Blocking { &self.closures } else { &self.tasks_alive };
        counter.fetch_add(1, Ordering::Relaxed);
        lock(self.shard(key)).insert(key, task.clone());
    }

    pub(super) fn remove(&self, key: u64, kind: TaskKind) {
        let counter = if kind == TaskKind::Blocking { &self.closures } else { &self.tasks_alive };
        counter.fetch_sub(1, Ordering::Relaxed);
        let _task = lock(self.shard(key)).remove(&key);
    }

    pub(super) fn find(&self, key: u64) -> Option<Arc<Task>> {
        lock(self.shard(key)).get(&key).cloned()
    }

    /// Looks at each task, under a lock.
    pub(super) fn each_task(&self, mut look: impl FnMut(u64, &Task)) {
        for shard in &self.tasks {
            for (key, task) in lock(shard).iter() {
                look(*key, task);
            }
        }
    }

    pub(super) fn closure_starts(&self) {
        self.closures_running.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn closure_ends(&self) {
        self.closures_running.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn watch() -> Watch {
        Watch::start(WatchOptions::new(), "a test".into()).unwrap()
    }

    #[test]
    fn nobody_looks_at_slots_once_a_watch_is_over() {
        let watch = watch();
        let shared = watch.shared.clone();
        assert_eq!(Slot::of_this_thread(&shared).watch, shared.id);
        assert_eq!(lock(&shared.slots).len(), 1);
        drop(watch);
        let there = shared.clone();
        let is_over = move || Slot::of_this_thread(&there).is_over.load(Ordering::Relaxed);
        assert!(thread::spawn(is_over).join().unwrap());
        let begun = Instant::now();
        while !lock(&shared.slots).is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(60), "nobody takes them away");
            thread::yield_now();
        }
    }

    #[test]
    fn closures_and_polls_that_go_on_are_no_polls() {
        let slot = Slot::nowhere();
        {
            let _outer = slot.begin(1);
            {
                let _closure = slot.begin_closure();
                let _inner = slot.begin(2);
            }
            let _another = slot.begin(3);
        }
        assert!(!slot.is_polling());
        assert_eq!(slot.polls(), 3);
    }

    #[test]
    fn clock_stops_for_what_is_left_out() {
        let shared = watch().shared;
        let hour = Duration::from_secs(3600);
        shared.leave_out(hour);
        assert_eq!(shared.clock(), 1);
        assert!(shared.elapsed() < hour);
    }
}
