use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Once};
use std::thread;
use std::time::Duration;

use super::options::OnReport;
use super::shared::Shared;
use super::slot::Slot;
use super::{Report, TaskInfo, TaskKind, trace};
use crate::runtime::task::catch_panic::{catch_panic, discard};
use crate::thread::{Cpu, SystemThread, lock};

/// Reports about one place have at least this between them.
const PAUSE: Duration = Duration::from_secs(1);

/// Likewise, reports about the whole runtime.
const LONG_PAUSE: Duration = Duration::from_secs(10);

/// While nothing is polled, the thread looks as often for tasks that are ready.
const SLEEP: Duration = Duration::from_secs(1);

/// Looking through all tasks takes at most one part of so many of the time.
const SCAN_PART: u32 = 50;

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
    /// The time for which polls count.
    time: Duration,
    last: Duration,
    // The last look came late, and what threads did before it is older than it should be.
    is_late: bool,
    // This thread, and what was counted of it.
    system: SystemThread,
    cpu: Option<Cpu>,
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
    // As of the last look at it. What its thread waits for a CPU after the poll is no part of the poll.
    took: Duration,
    // The next report, by how long the poll has taken.
    next: Duration,
    is_slow: bool,
    is_reported: bool,
}

/// A poll that goes on for more than a tick.
struct Lasting {
    // By the end of its poll the task may be gone.
    task: TaskInfo,
    // As of the second look, and as of the last one.
    first: Option<Cpu>,
    cpu: Option<Cpu>,
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
            is_late: false,
            system: SystemThread::default(),
            cpu: None,
            idle: 0,
            next_scan: Duration::ZERO,
            starved: None,
            pool_full: None,
            descheduled: None,
        }
    }

    pub(super) fn run(mut self) {
        self.system = SystemThread::current();
        self.cpu = self.system.cpu();
        while !self.shared.is_over() {
            if self.idle >= IDLE_TICKS {
                self.sleep();
            } else {
                thread::park_timeout(self.tick);
            }
            self.look();
            self.deliver_all();
        }
        // A poll may have ended while the last reports were delivered.
        self.look();
        self.deliver_all();
        for slot in lock(&self.shared.slots).drain(..) {
            slot.is_over.store(true, Ordering::Relaxed);
        }
    }

    /// Waits until something is polled.
    fn sleep(&mut self) {
        self.shared.fall_asleep();
        // A poll that begins just now may have seen that this thread is awake.
        thread::park_timeout(self.tick);
        self.look();
        if self.idle >= IDLE_TICKS && !self.shared.is_over() {
            thread::park_timeout(SLEEP);
            // What it has slept was not late.
            self.last = Duration::from_nanos(self.shared.clock());
        }
        self.shared.wake_up();
        self.idle = self.idle.min(IDLE_TICKS / 2);
    }

    /// One tick.
    fn look(&mut self) {
        let passed = Duration::from_nanos(self.shared.clock()).saturating_sub(self.last);
        let late = passed.saturating_sub(self.tick * 2);
        self.is_late = !late.is_zero();
        if self.is_late {
            let stopped = self.stopped(late);
            self.shared.leave_out(stopped);
        }
        let now = Duration::from_nanos(self.shared.tick());
        let passed = now.saturating_sub(self.last);
        self.last = now;
        self.time = self.time.saturating_add(passed);

        let slots: Vec<Arc<Slot>> = lock(&self.shared.slots).clone();
        let mut is_idle = true;
        for slot in &slots {
            // Asked before, so that what it did last is seen.
            let is_gone = slot.is_gone.load(Ordering::Acquire);
            is_idle &= !self.look_at(slot, passed);
            if is_gone {
                self.bury(slot);
            }
        }
        self.idle = if is_idle { self.idle.saturating_add(1) } else { 0 };
        if now >= self.next_scan {
            self.cpu = self.system.cpu();
            let limits = self.shared.options.ready_limit().min(self.shared.options.queued_limit());
            if self.scan(now, &slots) {
                self.idle = 0;
            }
            // A scan of a million tasks takes some time, of which it may have a part.
            let took = Duration::from_nanos(self.shared.clock()).saturating_sub(now);
            // At least as often as it would asleep, so that what was counted of this thread is of late.
            let pause = (limits / 4).clamp(self.tick, SLEEP).max(took.saturating_mul(SCAN_PART));
            self.next_scan = now.saturating_add(pause);
        }
    }

    /// How long the process was stopped, or a callback took, if this thread is so late: what it has not waited for a CPU.
    /// Where the system does not count that, nobody knows who got one.
    fn stopped(&mut self, late: Duration) -> Duration {
        let before = self.cpu;
        self.cpu = self.system.cpu();
        match (before, self.cpu) {
            (Some(before), Some(cpu)) => late.saturating_sub(cpu.waited.saturating_sub(before.waited)),
            _ => late,
        }
    }

    /// Whether its thread has polled something since the last look.
    fn look_at(&mut self, slot: &Slot, passed: Duration) -> bool {
        let Some((begun, task)) = slot.look() else { return true };
        let before = self.seen.remove(&slot.thread);
        // Both, because they are not written at once.
        let is_new = before.as_ref().is_none_or(|before| (before.begun, before.task) != (begun, task));
        match before {
            Some(mut seen) if !is_new && task != 0 => {
                self.goes_on(&mut seen, slot);
                self.seen.insert(slot.thread, seen);
            }
            before => {
                if let Some(mut seen) = before {
                    self.has_ended(&mut seen, slot);
                }
                let next = self.shared.options.warn_after;
                let seen = Seen {
                    begun,
                    task,
                    since: self.time,
                    lasting: None,
                    took: Duration::ZERO,
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
    fn took(&self, seen: &Seen, lasting: &Lasting) -> (Duration, Duration) {
        let took = self.time.saturating_sub(seen.since);
        let waited = match (lasting.first, lasting.cpu) {
            (Some(first), Some(cpu)) => cpu.waited.saturating_sub(first.waited).min(took),
            _ => Duration::ZERO,
        };
        (took.saturating_sub(waited), waited)
    }

    fn goes_on(&mut self, seen: &mut Seen, slot: &Slot) {
        let Some(lasting) = &mut seen.lasting else {
            let cpu = slot.system.cpu();
            if self.is_late {
                // Waits until now are not known.
                seen.since = self.time;
            }
            let task = self.shared.find(seen.task).map(|task| task.info());
            seen.lasting = task.map(|task| Lasting { task, first: cpu, cpu });
            return;
        };
        // It is a file of the system, so it is read only when it matters, but once before that.
        if self.time.saturating_sub(seen.since).saturating_add(self.tick * 2) < seen.next {
            return;
        }
        let cpu = slot.system.cpu();
        let before = std::mem::replace(&mut lasting.cpu, cpu);
        let Some(lasting) = &seen.lasting else { return };
        let (took, _) = self.took(seen, lasting);
        if took < seen.next {
            return;
        }
        let asleep_in = slot.system.asleep_in();
        // A thread that neither sleeps nor has run lately waits for a CPU. The system counts a wait when it is over.
        if asleep_in.is_none() && cpu.is_some() && (cpu == before || self.is_late) {
            return;
        }
        seen.took = seen.took.max(took);
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
            places.note_longest(took, &lasting.task);
            let slow = places.slow.entry(lasting.task.spawned_at).or_default();
            slow.polls += u64::from(is_first);
            slow.longest = slow.longest.max(took);
            let pause = slow
                .last_report
                .map_or(Duration::ZERO, |last| PAUSE.saturating_sub(self.last.saturating_sub(last)));
            if !pause.is_zero() && !seen.is_reported {
                // It is due at the end of the pause, if it still blocks.
                seen.next = took.saturating_add(pause);
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
            asleep_in,
            before,
            left_out,
        });
    }

    fn has_ended(&mut self, seen: &mut Seen, slot: &Slot) {
        let limit = self.shared.options.warn_after;
        let Some(lasting) = &mut seen.lasting else { return };
        if self.time.saturating_sub(seen.since) >= limit {
            lasting.cpu = slot.system.cpu().or(lasting.cpu);
        }
        let Some(lasting) = &seen.lasting else { return };
        let (took, waited) = self.took(seen, lasting);
        let took = took.max(seen.took);
        let is_descheduled = !seen.is_slow && took < limit && took.saturating_add(waited) >= limit;
        {
            let mut places = lock(&self.shared.places);
            places.note_longest(took, &lasting.task);
            if let Some(slow) = places.slow.get_mut(&lasting.task.spawned_at).filter(|_| seen.is_slow) {
                slow.longest = slow.longest.max(took);
                slow.left_out += u32::from(!seen.is_reported);
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
        totals.polls += slot.polls();
        totals.busy = totals.busy.saturating_add(Duration::from_nanos(slot.busy.load(Ordering::Relaxed)));
        self.shared.ready.add_all(&slot.ready);
        slots.retain(|other| other.thread != slot.thread);
    }

    /// Looks for tasks that get no turn, and closures that get no thread; whether any waits at all.
    fn scan(&mut self, now: Duration, slots: &[Arc<Slot>]) -> bool {
        let polled: HashSet<u64> = slots.iter().map(|slot| slot.task.load(Ordering::Relaxed)).collect();
        let (mut tasks, mut closures) = (Waiting::default(), Waiting::default());
        let (ready_limit, queued_limit) =
            (self.shared.options.ready_limit(), self.shared.options.queued_limit());
        self.shared.each_task(|key, task| {
            let since = task.ready_since.load(Ordering::Relaxed);
            // One that is woken in its own poll is ready, and not waiting.
            if since != 0 && !polled.contains(&key) {
                let waits = now.saturating_sub(Duration::from_nanos(since));
                match task.kind() {
                    TaskKind::Blocking => closures.add(key, waits, queued_limit),
                    TaskKind::Task | TaskKind::BlockOn => tasks.add(key, waits, ready_limit),
                }
            }
        });
        let runtime = || self.shared.runtime.clone();
        if let Some((task, waited)) = tasks.longest(&self.shared, ready_limit) {
            if is_due(&mut self.starved, now) {
                self.reports.push(Report::Starved { runtime: runtime(), task, waited, tasks: tasks.late });
            }
        }
        if let Some((closure, waited)) = closures.longest(&self.shared, queued_limit) {
            if is_due(&mut self.pool_full, now) {
                let running = self.shared.closures_running.load(Ordering::Relaxed);
                let queued = closures.all;
                self.reports.push(Report::PoolFull { runtime: runtime(), closure, waited, queued, running });
            }
        }
        tasks.all + closures.all > 0
    }

    fn deliver_all(&mut self) {
        for report in std::mem::take(&mut self.reports) {
            self.deliver(&report);
        }
    }

    fn deliver(&self, report: &Report) {
        let deliver = || match &self.on_report {
            Some(callback) => callback(report),
            None => match trace::report(report) {
                Some(true) => {}
                Some(false) => say_that_reports_are_dropped(),
                None => say(report),
            },
        };
        if let Err(payload) = catch_panic(deliver) {
            discard(payload);
        }
    }
}

/// Not with `eprintln!`, which panics on errors; and at once, so that no other line gets between.
fn say(line: impl fmt::Display) {
    drop(io::stderr().write_all(format!("anyrt: {line}\n").as_bytes()));
}

/// Once: many filters drop warnings unless they are told otherwise, and silence would look like a program that never blocks.
fn say_that_reports_are_dropped() {
    static SAID: Once = Once::new();

    SAID.call_once(|| {
        say("reports of the watch are events of tracing, and the filter of the program drops them: set \
             RUST_LOG=anyrt::watch=warn, or let warnings of the target anyrt::watch through");
    });
}

/// Those of one kind that wait.
#[derive(Default)]
struct Waiting {
    all: usize,
    // For longer than the limit.
    late: usize,
    longest: Duration,
    key: u64,
}

impl Waiting {
    fn add(&mut self, key: u64, waits: Duration, limit: Duration) {
        self.all += 1;
        self.late += usize::from(waits >= limit);
        if waits >= self.longest {
            (self.longest, self.key) = (waits, key);
        }
    }

    /// The one that has waited longest, if that is too long.
    fn longest(&self, shared: &Shared, limit: Duration) -> Option<(TaskInfo, Duration)> {
        let task = if self.late > 0 && self.longest >= limit { shared.find(self.key) } else { None };
        Some((task?.info(), self.longest))
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
