use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use super::options::OnReport;
use super::shared::Shared;
use super::slot::Slot;
use super::snapshot::LongPoll;
use super::task::Task;
use super::{Report, TaskInfo, TaskKind};
use crate::runtime::task::catch_panic::{catch_panic, discard};
use crate::thread::lock;

/// Reports about one place have at least this between them.
const PAUSE: Duration = Duration::from_secs(1);

/// Likewise, reports about the whole runtime.
const LONG_PAUSE: Duration = Duration::from_secs(10);

/// While nothing happens, the thread looks as often, in case that it has missed that something does: a poll that begins
/// while it falls asleep may see that it is awake.
const SLEEP: Duration = Duration::from_secs(1);

/// After as many ticks without a poll it falls asleep.
const IDLE_TICKS: u32 = 16;

/// The thread that watches.
pub(super) struct Watcher {
    shared: Arc<Shared>,
    // Here, so that it is dropped with the thread: tasks keep what they share.
    on_report: Option<OnReport>,
    tick: Duration,
    // By the number of their thread.
    seen: HashMap<u64, Seen>,
    reports: Vec<Report>,
    /// The time for which polls count: without what the thread itself was late.
    time: Duration,
    last: Duration,
    idle: u32,
    next_scan: Duration,
    starved: Option<Duration>,
    pool_full: Option<Duration>,
    descheduled: Option<Duration>,
}

/// A poll that was going on at the last tick.
struct Seen {
    begun: u64,
    task: u64,
    since: Duration,
    // Since the second look.
    lasting: Option<Lasting>,
    // The next report, by how long the poll has taken.
    next: Duration,
    is_slow: bool,
    is_reported: bool,
}

/// A poll that goes on for more than a tick.
struct Lasting {
    // By the end of its poll the task may be gone.
    task: TaskInfo,
    // How long its thread had waited for a CPU.
    waited: Duration,
}

impl Watcher {
    pub(super) fn new(shared: Arc<Shared>, on_report: Option<OnReport>) -> Self {
        Self {
            on_report,
            tick: shared.options.tick(),
            shared,
            seen: HashMap::new(),
            reports: Vec::new(),
            time: Duration::ZERO,
            last: Duration::ZERO,
            idle: 0,
            next_scan: Duration::ZERO,
            starved: None,
            pool_full: None,
            descheduled: None,
        }
    }

    pub(super) fn run(mut self) {
        while !self.shared.is_over() {
            if self.idle >= IDLE_TICKS {
                self.shared.fall_asleep(true);
                thread::park_timeout(SLEEP);
                self.shared.fall_asleep(false);
                // What it has slept was not late.
                self.last = self.shared.elapsed();
                self.idle = IDLE_TICKS / 2;
            } else {
                thread::park_timeout(self.tick);
            }
            self.look();
            for report in std::mem::take(&mut self.reports) {
                self.deliver(&report);
            }
        }
        for slot in lock(&self.shared.slots).drain(..) {
            slot.is_over.store(true, Ordering::Relaxed);
        }
    }

    /// One tick.
    fn look(&mut self) {
        let now = Duration::from_nanos(self.shared.tick());
        let passed = now.saturating_sub(self.last);
        self.last = now;
        // This thread was late: the process was stopped, or the machine is overloaded. Nobody knows who got a CPU.
        self.time = self.time.saturating_add(passed.min(self.tick * 2));

        let slots: Vec<Arc<Slot>> = lock(&self.shared.slots).clone();
        let mut is_idle = true;
        for slot in &slots {
            is_idle &= !self.look_at(slot, passed);
            if slot.is_gone.load(Ordering::Acquire) {
                self.bury(slot);
            }
        }
        self.idle = if is_idle { self.idle.saturating_add(1) } else { 0 };
        if now >= self.next_scan {
            let limits = self.shared.options.ready_limit().min(self.shared.options.queued_limit());
            self.next_scan = now.saturating_add((limits / 4).max(self.tick));
            if self.scan(now, &slots) {
                self.idle = 0;
            }
        }
    }

    /// Whether its thread has polled something since the last look.
    fn look_at(&mut self, slot: &Slot, passed: Duration) -> bool {
        let Some((begun, task)) = slot.look() else { return true };
        let before = self.seen.remove(&slot.thread);
        let is_new = before.as_ref().is_none_or(|before| before.begun != begun);
        match before {
            Some(mut seen) if !is_new && task != 0 => {
                self.goes_on(&mut seen, slot);
                self.seen.insert(slot.thread, seen);
            }
            before => {
                if let Some(seen) = before {
                    self.has_ended(&seen, slot);
                }
                let next = self.shared.options.warn_after;
                let seen = Seen {
                    begun,
                    task,
                    since: self.time,
                    lasting: None,
                    next,
                    is_slow: false,
                    is_reported: false,
                };
                self.seen.insert(slot.thread, seen);
            }
        }
        if task != 0 {
            let busy = slot.busy.load(Ordering::Relaxed);
            slot.busy.store(busy.saturating_add(passed.as_nanos() as u64), Ordering::Relaxed);
        }
        is_new || task != 0
    }

    /// How long a poll has taken, without waits for a CPU; and these waits.
    fn took(&self, seen: &Seen, lasting: &Lasting, slot: &Slot) -> (Duration, Duration) {
        let took = self.time.saturating_sub(seen.since);
        // Only of a poll that is long enough to matter: it is a file of the system.
        let waited = if took < self.shared.options.warn_after {
            Duration::ZERO
        } else {
            slot.system.waited_for_cpu().unwrap_or_default().saturating_sub(lasting.waited).min(took)
        };
        (took.saturating_sub(waited), waited)
    }

    fn goes_on(&mut self, seen: &mut Seen, slot: &Slot) {
        let Some(lasting) = &seen.lasting else {
            let waited = slot.system.waited_for_cpu().unwrap_or_default();
            seen.lasting = self.shared.find(seen.task).map(|task| Lasting { task: task.info(), waited });
            return;
        };
        let (took, _) = self.took(seen, lasting, slot);
        if took < seen.next {
            return;
        }
        // Once more when it has taken ten times as long, and so on.
        seen.next = seen.next.saturating_mul(10);
        let is_first = !std::mem::replace(&mut seen.is_slow, true);
        let before = match self.shared.find(seen.task) {
            Some(task) if is_first => task.slow.fetch_add(1, Ordering::Relaxed),
            Some(task) => task.slow.load(Ordering::Relaxed).saturating_sub(1),
            None => return,
        };
        let left_out = {
            let mut places = lock(&self.shared.places);
            places.slow_polls += u64::from(is_first);
            let slow = places.slow.entry(lasting.task.spawned_at).or_default();
            slow.polls += u64::from(is_first);
            if is_first && slow.last_report.is_some_and(|last| self.last.saturating_sub(last) < PAUSE) {
                slow.left_out += 1;
                return;
            }
            slow.last_report = Some(self.last);
            std::mem::take(&mut slow.left_out)
        };
        seen.is_reported = true;
        self.reports.push(Report::Blocked {
            runtime: self.shared.runtime.clone(),
            task: lasting.task.clone(),
            thread: slot.system.name.clone(),
            elapsed: took,
            asleep_in: slot.system.asleep_in(),
            before,
            left_out,
        });
    }

    fn has_ended(&mut self, seen: &Seen, slot: &Slot) {
        let Some(lasting) = &seen.lasting else { return };
        let ((took, waited), limit) = (self.took(seen, lasting, slot), self.shared.options.warn_after);
        let is_descheduled = !seen.is_slow && took < limit && took.saturating_add(waited) >= limit;
        {
            let mut places = lock(&self.shared.places);
            if places.longest.as_ref().is_none_or(|longest| longest.took < took) {
                places.longest = Some(LongPoll { took, task: lasting.task.clone() });
            }
            if let Some(slow) = places.slow.get_mut(&lasting.task.spawned_at).filter(|_| seen.is_slow) {
                slow.longest = slow.longest.max(took);
            }
            places.descheduled += u64::from(is_descheduled);
        }
        let (runtime, task, thread) =
            (self.shared.runtime.clone(), lasting.task.clone(), slot.system.name.clone());
        if seen.is_reported {
            self.reports.push(Report::Ended { runtime, task, thread, took });
        } else if is_descheduled && is_due(&mut self.descheduled, self.last) {
            let took = took.saturating_add(waited);
            self.reports.push(Report::Descheduled { runtime, task, thread, took, waited });
        }
    }

    /// The slot of a thread that has ended.
    fn bury(&mut self, slot: &Slot) {
        self.seen.remove(&slot.thread);
        let mut slots = lock(&self.shared.slots);
        let mut totals = lock(&self.shared.totals);
        totals.polls += slot.begun.load(Ordering::Relaxed);
        totals.busy = totals.busy.saturating_add(Duration::from_nanos(slot.busy.load(Ordering::Relaxed)));
        self.shared.ready.add_all(&slot.ready);
        slots.retain(|other| other.thread != slot.thread);
    }

    /// Looks for tasks that get no turn, and closures that get no thread; whether any waits at all.
    fn scan(&mut self, now: Duration, slots: &[Arc<Slot>]) -> bool {
        let polled: Vec<u64> = slots.iter().map(|slot| slot.task.load(Ordering::Relaxed)).collect();
        let waiting = self.shared.tasks(|key, task| {
            // One that is woken in its own poll is ready, and not waiting.
            task.ready_since.load(Ordering::Relaxed) != 0 && !polled.contains(&key)
        });
        let waits = |task: &Task| match task.ready_since.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            since => now.saturating_sub(Duration::from_nanos(since)),
        };
        let longest = |is_closure: bool, limit: Duration| {
            let of_kind = waiting.iter().filter(|task| (task.kind() == TaskKind::Blocking) == is_closure);
            let longest =
                of_kind.clone().max_by_key(|task| waits(task)).filter(|task| waits(task) >= limit)?;
            Some((longest.info(), waits(longest), of_kind.filter(|task| waits(task) >= limit).count()))
        };
        let runtime = &self.shared.runtime;
        match longest(false, self.shared.options.ready_limit()) {
            None => self.starved = None,
            Some((task, waited, tasks)) => {
                if is_due(&mut self.starved, now) {
                    self.reports.push(Report::Starved { runtime: runtime.clone(), task, waited, tasks });
                }
            }
        }
        match longest(true, self.shared.options.queued_limit()) {
            None => self.pool_full = None,
            Some((closure, waited, queued)) => {
                if is_due(&mut self.pool_full, now) {
                    let running = self.shared.closures_running.load(Ordering::Relaxed);
                    let runtime = runtime.clone();
                    self.reports.push(Report::PoolFull { runtime, closure, waited, queued, running });
                }
            }
        }
        !waiting.is_empty()
    }

    fn deliver(&self, report: &Report) {
        match &self.on_report {
            Some(callback) => {
                if let Err(payload) = catch_panic(|| callback(report)) {
                    discard(payload);
                }
            }
            // Not with `eprintln!`, which panics on errors.
            None => drop(writeln!(io::stderr(), "anyrt: {report}")),
        }
    }
}

/// Whether the last report of a kind was long enough ago.
fn is_due(last: &mut Option<Duration>, now: Duration) -> bool {
    let is_due = last.is_none_or(|last| now.saturating_sub(last) >= LONG_PAUSE);
    if is_due {
        *last = Some(now);
    }
    is_due
}
