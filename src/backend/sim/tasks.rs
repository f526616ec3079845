//! The tasks of a simulation: which there are, what each waits for, and which are ready.

use std::collections::VecDeque;
use std::panic::Location;
use std::task::Waker;

use async_task::Runnable;

use super::clock::Clock;
use super::log::{Kind, Origin, TaskKind, Wait};
use super::schedule::{Ready, Schedule};
use super::slots::{Id, Slots};

pub(super) struct Tasks {
    pub(super) schedule: Schedule,
    tasks: Slots<Task>,
    ready: VecDeque<Ready>,
    // Ready tasks that have not woken themselves. If there are no such tasks, time advances.
    fresh: usize,
    // Tasks have numbers of their own: what their priorities follow from is the same where an event is left out.
    next: u64,
    // How often anybody has yielded since all of them had.
    yields: u64,
}

/// A task, or the future of a `block_on`.
pub(super) struct Task {
    pub(super) kind: TaskKind,
    pub(super) started: &'static Location<'static>,
    pub(super) name: Option<Box<str>>,
    pub(super) host: usize,
    // Of how many crashes of the host it is.
    pub(super) life: u32,
    // Once it was pending.
    waker: Option<Waker>,
    pub(super) waits: Option<Wait>,
}

impl Tasks {
    pub(super) fn new(schedule: Schedule) -> Self {
        Self { schedule, tasks: Slots::default(), ready: VecDeque::new(), fresh: 0, next: 0, yields: 0 }
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

    pub(super) fn wake(&mut self, clock: &mut Clock, task: Id, runnable: Option<Runnable>) {
        clock.record(Kind::Woken, task.number, 0);
        let by = clock.whose_turn();
        if let Some(log) = clock.trace.log() {
            log.by(by);
        }
        let yielded = clock.turn.task == Some(task);
        self.yields += u64::from(yielded);
        self.put(Ready { task, runnable, yielded });
    }

    /// Waiters for a `block_on` are woken already.
    pub(super) fn put_main(&mut self, task: Id) {
        self.put(Ready { task, runnable: None, yielded: false });
    }

    fn put(&mut self, ready: Ready) {
        self.fresh += usize::from(!ready.yielded);
        self.schedule.put(&mut self.ready, ready);
    }

    /// The one whose turn is next.
    pub(super) fn take(&mut self) -> Option<Ready> {
        let next = self.schedule.take(&mut self.ready)?;
        self.fresh -= usize::from(!next.yielded);
        Some(next)
    }

    /// It gets no turn, and is ready.
    pub(super) fn put_back(&mut self, ready: Ready) {
        self.fresh += usize::from(!ready.yielded);
        self.ready.push_back(ready);
    }

    /// A turn of this task begins: it waits for nothing. Its host, and what it is.
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

    /// Whether it has only to wait for its turn.
    pub(super) fn is_ready(&self, task: Id) -> bool {
        self.ready.iter().any(|ready| ready.task == task)
    }

    /// Whether nobody is ready but those who have woken themselves.
    pub(super) fn have_all_yielded(&self) -> bool {
        self.fresh == 0
    }

    /// How often each of those that are ready has yielded.
    pub(super) fn rounds(&self) -> u64 {
        // `Pct` may poll one of them a hundred times before the others.
        (self.yields / self.ready.len() as u64).max(1)
    }

    /// Those who have yielded are ready again.
    pub(super) fn begin_round(&mut self) {
        self.yields = 0;
        self.ready.iter_mut().for_each(|ready| ready.yielded = false);
        self.fresh = self.ready.len();
    }

    /// The `block_on` around the innermost waits, whether or not it is woken.
    pub(super) fn forget_mains(&mut self) {
        self.ready.retain(|ready| ready.runnable.is_some());
        self.count_fresh();
    }

    fn count_fresh(&mut self) {
        self.fresh = self.ready.iter().filter(|ready| !ready.yielded).count();
    }

    /// The tasks of a host, or all, have to go: those that are ready, and the wakers of the others.
    pub(super) fn dismiss(&mut self, host: Option<usize>) -> (Vec<Ready>, Vec<Waker>) {
        let Self { tasks, ready, .. } = self;
        let goes = |ready: &Ready| {
            let is_there = |host| tasks.get(ready.task).is_some_and(|task| task.host == host);
            ready.runnable.is_some() && host.is_none_or(is_there)
        };
        let (gone, others): (Vec<_>, Vec<_>) = ready.drain(..).partition(goes);
        ready.extend(others);
        let theirs = tasks.values_mut().filter(|task| host.is_none_or(|host| task.host == host));
        let wakers = theirs.filter_map(|task| task.waker.take()).collect();
        self.count_fresh();
        (gone, wakers)
    }

    /// A task is pending for the first time: `waker` reaches it when all tasks are dropped.
    pub(super) fn keep_waker(&mut self, task: Id, waker: &Waker) {
        if let Some(task) = self.tasks.get_mut(task) {
            task.waker = Some(waker.clone());
        }
    }

    /// The task whose turn it is waits for this. Whether it is a blocking closure, which must not.
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

    /// As [`waits`](Self::waits), for a signal. A report names what else the task waits for, if there is something.
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

    /// The blocking closure that is running.
    pub(super) fn closure(&self, clock: &Clock) -> Option<Id> {
        let is_closure = |task: &Id| self.get(*task).is_some_and(|task| task.kind == TaskKind::Closure);
        clock.turn.task.filter(is_closure)
    }

    /// Wakes any of the tasks that wait, as the seed has it.
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
