//! Driving the world: the thread in a `block_on`.

use std::cell::Cell;
use std::ops::ControlFlow::{Break, Continue};
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use async_task::Runnable;

use super::World;
use super::current::Entered;
use super::outside::is_there_a_stranger;
use super::polls::Polling;
use crate::backend::sim::clock::Turn;
use crate::backend::sim::faults::Power;
use crate::backend::sim::log::{Origin, TaskKind};
use crate::backend::sim::slots::Id;
use crate::runtime::task::local;

/// Next step of the driving thread.
pub(crate) enum Step {
    PollMain,
    /// No task is ready, and nothing will ever happen again.
    Idle,
    Wrong(Box<str>),
}

/// A task that is to be polled.
pub(super) struct Run {
    pub(super) host: usize,
    pub(super) runnable: Runnable,
    pub(super) cancel: bool,
}

/// Actions of the world other than polling a task.
pub(super) enum Next {
    Run(Run),
    /// An event has happened: its waiters are woken, and these hosts go down or start.
    Time(Vec<Power>),
    /// A thread outside may wake a task that was started there.
    Listen(&'static Location<'static>),
}

/// The future of a `block_on`.
pub(super) struct Main {
    pub(super) task: Id,
    pub(super) woken: bool,
}

thread_local! {
    static CANCELLED: Cell<bool> = const { Cell::new(false) };
}

/// Whether the task that is being polled is cancelled in this poll.
pub(crate) fn is_cancelled() -> bool {
    CANCELLED.with(Cell::get)
}

impl Run {
    // Where it is not measured, a call for each poll would be seen in `benches/sim`.
    #[inline(always)]
    fn run(self) {
        let before = Entered::change(self.host);
        // It never panics: see `async_task`.
        if self.cancel {
            CANCELLED.with(|cancelled| cancelled.set(true));
            self.runnable.run();
            CANCELLED.with(|cancelled| cancelled.set(false));
        } else {
            self.runnable.run();
        }
        Entered::change(before);
    }
}

/// A number that no other thread has: that of the standard library costs more to ask for.
pub(super) fn this_thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local! {
        static NUMBER: u64 = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.with(|number| *number)
}

impl World {
    /// This thread drives it until the guard is dropped.
    #[track_caller]
    pub(crate) fn drive(self: &Arc<Self>, host: usize, started: &'static Location<'static>) -> Driving {
        let driving = self.with(|state| {
            if self.is_driven_elsewhere() {
                return None;
            }
            self.driver.store(this_thread(), Ordering::Relaxed);
            state.rounds = 0;
            state.tasks.forget_mains();
            let task = state.add_task(Origin::new(TaskKind::Main, started), host);
            state.mains.push(Main { task, woken: true });
            let turn = std::mem::take(&mut state.clock.turn);
            state.tasks.wake(&mut state.clock, task, None);
            Some(Driving {
                world: self.clone(),
                task,
                turn,
                unwinding: thread::panicking(),
                host,
                started,
                polling: Cell::new(None),
            })
        });
        driving.unwrap_or_else(|| {
            panic!(
                "anyrt: `block_on` of a simulation that another thread is driving. Only one thread at a time may drive \
                 it, because a seed does not decide the order of threads."
            )
        })
    }
}

/// A `block_on` in progress.
pub(crate) struct Driving {
    world: Arc<World>,
    pub(crate) task: Id,
    // Of the closure that this is nested in.
    turn: Turn,
    // It was begun during a panic.
    unwinding: bool,
    host: usize,
    started: &'static Location<'static>,
    // The poll of its future, if it is measured.
    polling: Cell<Option<Polling>>,
}

impl Driving {
    /// Polls tasks until there is another step for the caller. The previous step is done by then.
    ///
    /// The clock advances at most to `until`; `None`: as far as there are events.
    #[inline]
    pub(crate) fn next(&self, until: Option<u64>) -> Step {
        if self.world.measures() { self.next_measured(until) } else { self.run_tasks(until) }
    }

    fn run_tasks(&self, until: Option<u64>) -> Step {
        loop {
            match self.world.with(|state| state.step(&self.world, until)) {
                Continue(Next::Run(run)) if self.world.measures() => self.measure(run),
                Continue(Next::Run(run)) => run.run(),
                Continue(Next::Time(hosts)) if hosts.is_empty() => {}
                Continue(Next::Time(hosts)) => self.turn(hosts),
                Continue(Next::Listen(started)) => drop(self.world.hears(started)),
                // A stuck simulation reports it in the next step.
                Break(Step::Idle) if until.is_none() && self.world.hears(self.started) => {}
                Break(step) => return step,
            }
        }
    }

    /// The poll of the future begins or has ended; a step says what is wrong.
    #[cold]
    #[inline(never)]
    fn next_measured(&self, until: Option<u64>) -> Step {
        self.end_poll();
        let step = self.run_tasks(until);
        if let Step::PollMain = step {
            self.polling.set(self.world.begin_poll("poll", self.task));
        }
        step
    }

    #[cold]
    #[inline(never)]
    fn measure(&self, run: Run) {
        let task = self.world.with(|state| state.clock.turn.task);
        let polling = task.and_then(|task| self.world.begin_poll("poll", task));
        run.run();
        if let Some(polling) = polling {
            self.world.end_poll(polling);
        }
    }

    fn end_poll(&self) {
        if let Some(polling) = self.polling.take() {
            self.world.end_poll(polling);
        }
    }

    /// The future has completed. Returns what is wrong, as [`Step::Wrong`] does.
    #[inline]
    pub(crate) fn finish(&self) -> Option<Box<str>> {
        if !self.world.measures() {
            return None;
        }
        self.end_poll();
        self.world.too_long()
    }

    /// Hosts go down, or start.
    #[cold]
    fn turn(&self, hosts: Vec<Power>) {
        hosts.into_iter().for_each(|power| self.world.turn(power));
    }

    /// The message of a stuck simulation.
    pub(crate) fn stuck(&self) -> String {
        let what = "the simulation is stuck: no task is ready, and nothing will ever happen again";
        let mut text = self.world.with(|state| state.tell(&self.world.seed, what, None));
        local::tell(&mut text);
        if is_there_a_stranger(self.world.base.elapsed()) {
            text.push_str(
                "\nIf a thread outside of the simulation is to wake one of them: no simulation waits for it. \
                 `anyrt::spawn_blocking` runs a closure as a task here.",
            );
        }
        text
    }
}

impl Drop for Driving {
    fn drop(&mut self) {
        if thread::panicking() && !self.unwinding {
            self.world.unwinds(self.host, self.task.number);
        }
        if let Some(polling) = self.polling.take() {
            self.world.leave_poll(polling);
        }
        self.world.with(|state| {
            state.mains.pop();
            state.end_task(self.task);
            state.tasks.forget_mains();
            state.clock.turn = self.turn;
            match state.mains.last() {
                Some(Main { task, woken: true }) => state.tasks.put_main(*task),
                Some(_) => {}
                None => self.world.driver.store(0, Ordering::Relaxed),
            }
        });
        self.world.save_log();
    }
}
