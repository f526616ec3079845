//! The tasks of a simulation, what each of them waits for, and which ones are ready.

use std::collections::{BTreeMap, VecDeque};
use std::panic::Location;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use async_task::Runnable;

use super::clock::{Clock, END, Event};
use super::lists::List;
use super::log::{Kind, Origin, TaskKind, Wait};
use super::random::Random;
use super::schedule::{Ready, Schedule};
use super::slots::{Id, Slots};
use crate::backend::sim::sorted::SortedMap;

pub(super) struct Tasks {
    pub(super) schedule: Schedule,
    tasks: Slots<Task>,
    ready: VecDeque<Ready>,
    // Ready tasks that have not woken themselves. If there are no such tasks, time advances.
    fresh: usize,
    // Tasks have their own sequence of numbers, so that priorities stay the same when an event is left out.
    next: u64,
    // Number of yields since all ready tasks had yielded.
    yields: u64,
    slow: SortedMap<usize, SlowHost>,
    // Ready tasks of slow hosts, which wait for their turn: an event each.
    late: BTreeMap<u64, Ready>,
}

/// The lists of [`Tasks`].
#[derive(Default)]
pub(super) struct TaskLists {
    tasks: Slots<Task>,
    ready: VecDeque<Ready>,
}

/// A host on which each poll takes virtual time.
#[derive(Default)]
struct SlowHost {
    // In nanoseconds: set by hand, and by faults.
    by_hand: u64,
    delays: Vec<u64>,
    // When the last poll so far ends.
    free_at: u64,
}

impl SlowHost {
    fn delay(&self) -> u64 {
        self.delays.iter().fold(self.by_hand, |sum, delay| sum.saturating_add(*delay))
    }
}

/// A task, or the future of a `block_on`.
pub(super) struct Task {
    pub(super) kind: TaskKind,
    pub(super) started: &'static Location<'static>,
    pub(super) name: Option<Arc<str>>,
    pub(super) host: usize,
    // Number of crashes of the host when the task was spawned.
    pub(super) life: u32,
    // Set when the task is pending for the first time.
    waker: Option<Waker>,
    pub(super) waits: Option<Wait>,
}

impl Tasks {
    pub(super) fn new(schedule: Schedule, TaskLists { tasks, ready }: TaskLists) -> Self {
        Self {
            schedule,
            tasks,
            ready,
            fresh: 0,
            next: 0,
            yields: 0,
            slow: SortedMap::new(),
            late: BTreeMap::new(),
        }
    }

    /// Its lists, emptied for the next simulation.
    pub(super) fn lists(&mut self) -> TaskLists {
        TaskLists { tasks: self.tasks.emptied(), ready: self.ready.emptied() }
    }

    /// All further choices are drawn from this seed.
    pub(super) fn reseed(&mut self, seed: u64, random: Random) {
        self.schedule.reseed(seed, random, &mut self.ready);
    }

    pub(super) fn add(&mut self, clock: &mut Clock, origin: Origin<'_>, (host, life): (usize, u32)) -> Id {
        let Origin { kind, started, name } = origin;
        let number = self.next_number();
        if let Some(log) = clock.trace.log() {
            log.task(number, host, started);
        }
        clock.record(Kind::Spawned, number, 0);
        if let Some(log) = clock.trace.log() {
            log.is(origin);
        }
        let name = name.map(Into::into);
        self.tasks.insert(number, Task { kind, started, name, host, life, waker: None, waits: None })
    }

    pub(super) fn next_number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn end(&mut self, clock: &mut Clock, task: Id) {
        clock.record(Kind::Ended, task.number, 0);
        self.schedule.forget(task.number);
        let task = self.tasks.remove(task);
        clock.dropped.extend(task.and_then(|task| task.waker));
    }

    pub(super) fn get(&self, task: Id) -> Option<&Task> {
        self.tasks.get(task)
    }

    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Id, &Task)> {
        self.tasks.iter()
    }

    pub(super) fn wake(&mut self, clock: &mut Clock, task: Id, mut runnable: Option<Runnable>) {
        clock.record(Kind::Woken, task.number, 0);
        let by = clock.whose_turn();
        if let Some(log) = clock.trace.log() {
            log.by(by);
        }
        if !self.slow.is_empty() && self.waits_on_a_slow_host(clock, task, &mut runnable) {
            return;
        }
        let yielded = clock.turn.task == Some(task);
        self.yields += u64::from(yielded);
        self.put(Ready { task, runnable, yielded });
    }

    /// A task of a slow host takes its turn later. The future of a `block_on` is the test, and no program of the host.
    #[cold]
    fn waits_on_a_slow_host(&mut self, clock: &mut Clock, task: Id, runnable: &mut Option<Runnable>) -> bool {
        let at = runnable.as_ref().and_then(|_| self.turn_of_a_slow_host(clock, task));
        if let Some(at) = at {
            clock.add(at, Event::Late(task.number));
            self.late.insert(task.number, Ready { task, runnable: runnable.take(), yielded: false });
        }
        at.is_some()
    }

    /// When the turn of this task is over, if its host is slow: its polls come one after the other.
    fn turn_of_a_slow_host(&mut self, clock: &Clock, task: Id) -> Option<u64> {
        let slow = self.slow.get_mut(&self.tasks.get(task)?.host)?;
        slow.free_at = slow.free_at.max(clock.nanos).saturating_add(slow.delay()).min(END);
        Some(slow.free_at)
    }

    /// A task of a slow host is ready now, unless it is gone.
    pub(super) fn begin_late(&mut self, task: u64) {
        if let Some(ready) = self.late.remove(&task) {
            self.put(ready);
        }
    }

    /// Sets by hand how long each poll of a host takes.
    pub(super) fn set_delay(&mut self, clock: &mut Clock, host: usize, nanos: u64) {
        let before = self.slow.get(&host).map_or(0, |slow| slow.by_hand);
        for (delay, begins) in [(before, false), (nanos, true)].into_iter().filter(|(delay, _)| *delay > 0) {
            self.change_delay(clock, (host, delay, begins), |slow| slow.by_hand = nanos);
        }
    }

    /// A fault that makes each poll of a host take longer begins or ends.
    pub(super) fn count_delay(&mut self, clock: &mut Clock, host: usize, nanos: u64, begins: bool) {
        self.change_delay(clock, (host, nanos, begins), |slow| {
            if begins {
                slow.delays.push(nanos);
            } else if let Some(at) = slow.delays.iter().position(|other| *other == nanos) {
                slow.delays.remove(at);
            }
        });
    }

    fn change_delay(
        &mut self,
        clock: &mut Clock,
        (host, nanos, begins): (usize, u64, bool),
        change: impl FnOnce(&mut SlowHost),
    ) {
        let slow = self.slow.get_or_insert_with(host, SlowHost::default);
        change(slow);
        if slow.delay() == 0 {
            self.slow.remove(&host);
        }
        clock.record(if begins { Kind::SlowHostBegan } else { Kind::SlowHostEnded }, host as u64, nanos);
        if let Some(log) = clock.trace.log().filter(|_| begins) {
            log.says(host, format!("{:?} a poll", Duration::from_nanos(nanos)));
        }
    }

    /// Makes the future of a `block_on` ready. Its waker has been called already.
    pub(super) fn put_main(&mut self, task: Id) {
        self.put(Ready { task, runnable: None, yielded: false });
    }

    fn put(&mut self, ready: Ready) {
        self.fresh += usize::from(!ready.yielded);
        self.schedule.put(&mut self.ready, ready);
    }

    /// Removes and returns the task whose turn is next.
    pub(super) fn take(&mut self) -> Option<Ready> {
        let next = self.schedule.take(&mut self.ready)?;
        self.fresh -= usize::from(!next.yielded);
        Some(next)
    }

    /// Puts back a task that does not get its turn but stays ready.
    pub(super) fn put_back(&mut self, ready: Ready) {
        self.fresh += usize::from(!ready.yielded);
        self.ready.push_back(ready);
    }

    /// Begins a turn of this task, which no longer waits. Returns its host and its kind.
    pub(super) fn begin_turn(&mut self, task: Id) -> (usize, TaskKind) {
        match self.tasks.get_mut(task) {
            Some(task) => {
                task.waits = None;
                (task.host, task.kind)
            }
            None => (0, TaskKind::Closure),
        }
    }

    pub(super) fn is_nobody_ready(&self) -> bool {
        self.ready.is_empty()
    }

    /// Whether the task is in the queue of ready tasks.
    pub(super) fn is_ready(&self, task: Id) -> bool {
        self.ready.iter().any(|ready| ready.task == task)
    }

    /// How long each poll of its host takes, if that is what the task waits for.
    pub(super) fn waits_for_its_turn(&self, task: Id) -> Option<Duration> {
        self.late.get(&task.number)?;
        let slow = self.slow.get(&self.tasks.get(task)?.host);
        Some(Duration::from_nanos(slow.map_or(0, SlowHost::delay)))
    }

    /// Whether every ready task has woken itself in its last turn.
    pub(super) fn have_all_yielded(&self) -> bool {
        self.fresh == 0
    }

    /// Returns how often each ready task has yielded.
    pub(super) fn rounds(&self) -> u64 {
        // `Pct` may poll one task a hundred times before the others.
        (self.yields / self.ready.len() as u64).max(1)
    }

    /// Starts a new round: all tasks that have yielded are ready again.
    pub(super) fn begin_round(&mut self) {
        self.yields = 0;
        self.ready.iter_mut().for_each(|ready| ready.yielded = false);
        self.fresh = self.ready.len();
    }

    /// Removes the futures of all `block_on`s from the ready tasks: an outer one waits for the inner one, even if it is
    /// woken.
    pub(super) fn forget_mains(&mut self) {
        self.ready.retain(|ready| ready.runnable.is_some());
        self.count_fresh();
    }

    fn count_fresh(&mut self) {
        self.fresh = self.ready.iter().filter(|ready| !ready.yielded).count();
    }

    /// Removes the ready tasks of a host, or of all hosts, and returns them with the wakers of the waiting ones.
    pub(super) fn dismiss(&mut self, host: Option<usize>) -> (Vec<Ready>, Vec<Waker>) {
        let Self { tasks, ready, late, .. } = self;
        let goes = |ready: &Ready| {
            let is_there = |host| tasks.get(ready.task).is_some_and(|task| task.host == host);
            ready.runnable.is_some() && host.is_none_or(is_there)
        };
        let (mut gone, others): (Vec<_>, Vec<_>) = ready.drain(..).partition(goes);
        ready.extend(others);
        let (late_gone, others): (Vec<_>, Vec<_>) = std::mem::take(late).into_values().partition(goes);
        gone.extend(late_gone);
        late.extend(others.into_iter().map(|ready| (ready.task.number, ready)));
        let theirs = tasks.values_mut().filter(|task| host.is_none_or(|host| task.host == host));
        let wakers = theirs.filter_map(|task| task.waker.take()).collect();
        self.count_fresh();
        (gone, wakers)
    }

    /// A task is pending for the first time: `waker` is used to reach it when all tasks are dropped.
    pub(super) fn keep_waker(&mut self, task: Id, waker: &Waker) {
        if let Some(task) = self.tasks.get_mut(task) {
            task.waker = Some(waker.clone());
        }
    }

    /// Records what the running task waits for. Returns whether it is a blocking closure, which must not wait.
    pub(super) fn waits(&mut self, clock: &mut Clock, wait: Wait) -> bool {
        let mut is_closure = false;
        clock.turn.waits += 1;
        if let Some(task) = clock.turn.task.and_then(|task| self.tasks.get_mut(task)) {
            task.waits = Some(wait);
            is_closure = task.kind == TaskKind::Closure;
        }
        let (nanos, task) = (clock.nanos, clock.whose_turn().filter(|_| clock.turn.looks == 0));
        if let (Some(log), Some(task)) = (clock.trace.log(), task) {
            log.waits(nanos, task, wait);
        }
        is_closure
    }

    /// As [`waits`](Self::waits), for a signal. If the task also waits for something else, a report names that.
    #[cfg(feature = "signal")]
    pub(super) fn waits_for_signal(&mut self, clock: &mut Clock) -> bool {
        let waits = |task| self.get(task).is_some_and(|task| task.waits.is_some());
        if clock.turn.task.is_none_or(waits) {
            return false;
        }
        let is_closure = self.waits(clock, Wait::Signal);
        // Its waker is not cloned.
        clock.turn.waits -= 1;
        is_closure
    }

    /// Returns the blocking closure that is running.
    pub(super) fn closure(&self, clock: &Clock) -> Option<Id> {
        let is_closure = |task: &Id| self.get(*task).is_some_and(|task| task.kind == TaskKind::Closure);
        clock.turn.task.filter(is_closure)
    }

    /// Wakes one of the waiting tasks, drawn from the seed.
    #[cold]
    pub(super) fn wake_for_nothing(&mut self, clock: &mut Clock) {
        let waiting = self.tasks.values().filter(|task| task.waker.is_some()).count();
        let at = self.schedule.below(waiting);
        let task = self.tasks.iter().filter(|(_, task)| task.waker.is_some()).nth(at);
        if let Some((id, Task { waker: Some(waker), .. })) = task {
            clock.record(Kind::Spurious, id.number, 0);
            clock.woken.push(waker.clone());
        }
    }
}
