//! The loop of turns: the next task to poll, or the next event.

use std::fmt;
use std::ops::ControlFlow::{self, Break, Continue};
use std::panic::Location;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::driving::{Next, Run, Step};
use super::{State, World, Wrong};
use crate::backend::sim::clock::{Clock, END, Event, NEVER, Turn};
use crate::backend::sim::log::{Kind, TaskKind};
use crate::backend::sim::replay::Seed;
use crate::backend::sim::schedule::Ready;
use crate::backend::sim::slots::Id;

/// Number of polls without progress that count as an endless loop, if each task had its share as well: of a million
/// tasks that have a few turns each, none may have ended yet.
const ENDLESS: usize = 1_000_000;
const ENDLESS_FOR_EACH: usize = 16;

/// A look at the real clock costs more than a step.
const BETWEEN_LOOKS: u64 = 1 << 10;

/// Polls since the last progress: an event, a new task, or the end of a task.
#[derive(Debug, Default)]
pub(super) struct News {
    polls: usize,
    at: u64,
}

impl News {
    /// Progress was made.
    pub(super) fn come(&mut self, clock: &Clock) {
        *self = Self { polls: 0, at: clock.nanos };
    }
}

/// Returns whether this many polls without progress, with this many tasks, are an endless loop.
fn is_endless(polls: usize, tasks: usize) -> bool {
    polls > ENDLESS.max(tasks.saturating_mul(ENDLESS_FOR_EACH))
}

/// How far the clock advances when all tasks have yielded, after this many rounds in which nothing else happened.
///
/// Nowhere at first, for one yield costs nothing; two seconds in a thousand rounds, which a loop that computes may
/// have; and an hour in 14,000, a year in 300,000: a loop that reads the clock must not wait for long.
fn yielding(rounds: u64) -> u64 {
    rounds.saturating_mul(rounds.saturating_mul(4).saturating_add(1_000))
}

impl State {
    /// Returns the next step.
    pub(super) fn step(&mut self, world: &World, until: Option<u64>) -> ControlFlow<Step, Next> {
        self.clock.turn = Turn::default();
        if let Some(wrong) = self.wrong.take() {
            return self.goes_wrong(world, wrong);
        }
        self.steps += 1;
        if self.steps > self.marks.next {
            self.pass_mark()?;
        }
        if self.steps % BETWEEN_LOOKS == 0 && world.limit.is_some_and(|limit| world.has_run() > limit) {
            return self.too_long(world);
        }
        if self.tasks.have_all_yielded() {
            return self.pass_time(world, until);
        }
        if world.spurious_wakes.is_some_and(|one_in| self.tasks.schedule.chance(one_in)) {
            self.tasks.wake_for_nothing(&mut self.clock);
        }
        let Some(next) = self.tasks.take() else { return Continue(Next::Time(Vec::new())) };
        self.news.polls += 1;
        if self.news.polls > ENDLESS && is_endless(self.news.polls, self.tasks.len()) {
            return self.endless(world, next);
        }
        let Ready { task, runnable, .. } = next;
        self.clock.record(Kind::Polled, task.number, 0);
        self.clock.turn.task = Some(task);
        let (host, kind) = self.tasks.begin_turn(task);
        let Some(runnable) = runnable else {
            if let Some(main) = self.mains.last_mut() {
                main.woken = false;
            }
            return Break(Step::PollMain);
        };
        self.polls += u64::from(kind == TaskKind::Future);
        let cancel = kind == TaskKind::Future && world.cancel_at == Some(self.polls);
        if cancel {
            self.clock.record(Kind::Cancelled, task.number, 0);
        }
        Continue(Next::Run(Run { host, runnable, cancel }))
    }

    #[cold]
    fn goes_wrong(&mut self, world: &World, wrong: Wrong) -> ControlFlow<Step, Next> {
        match wrong {
            Wrong::WokenByAStranger(task) => {
                let what = "another thread has woken a task while this one drives the simulation, in an order that no \
                            seed decides. `anyrt::spawn_blocking` runs a closure as a task here; a library that has \
                            sockets, timers or threads of its own belongs in no simulation";
                self.wrong(world, what, task)
            }
            Wrong::PollTooLong(why) => {
                self.poll_times.is_told = true;
                Break(Step::Wrong(why))
            }
        }
    }

    #[cold]
    fn wrong(&self, world: &World, what: &str, task: Id) -> ControlFlow<Step, Next> {
        Break(Step::Wrong(self.tell(&world.seed, what, Some(task)).into()))
    }

    #[cold]
    fn endless(&mut self, world: &World, next: Ready) -> ControlFlow<Step, Next> {
        let task = next.task;
        // It stays in the queue: its destructor would need the lock, which is held here.
        self.tasks.put_back(next);
        let (polls, since) = (self.news.polls - 1, Duration::from_nanos(self.news.at));
        let what = format!(
            "{polls} polls, and nothing has happened since {since:?}: a loop that wakes itself for ever"
        );
        self.wrong(world, &what, task)
    }

    #[cold]
    fn too_long(&mut self, world: &World) -> ControlFlow<Step, Next> {
        self.too_long = true;
        let what = format!("the simulation has not ended after {:?}", world.limit.unwrap_or_default());
        Break(Step::Wrong(self.tell(&world.seed, &what, None).into()))
    }

    /// No task is ready, or only tasks that have yielded.
    fn pass_time(&mut self, world: &World, until: Option<u64>) -> ControlFlow<Step, Next> {
        let end = until.unwrap_or(self.clock.nanos.saturating_add(NEVER)).min(END);
        let next = self.clock.next().filter(|nanos| *nanos <= end);
        let nobody = self.tasks.is_nobody_ready();
        if next.is_none() && (nobody || until.is_some_and(|until| self.clock.nanos >= until)) {
            return Break(Step::Idle);
        }
        let mut nanos = next.unwrap_or(end);
        if !nobody {
            let rounds = self.tasks.rounds();
            let passes = yielding(self.rounds).saturating_mul(rounds);
            nanos = nanos.min(self.clock.nanos.saturating_add(passes));
            self.rounds += rounds;
        }
        if nobody && nanos > self.clock.nanos {
            if let Some(started) = self.suspected(world) {
                // This is not a step of the program.
                self.steps -= 1;
                return Continue(Next::Listen(started));
            }
        }
        if next == Some(nanos) {
            self.rounds = 0;
            self.news.come(&self.clock);
            self.happen(nanos);
        } else {
            self.clock.nanos = nanos;
        }
        self.tasks.begin_round();
        Continue(Next::Time(std::mem::take(&mut self.power)))
    }

    /// Returns where the suspected task was spawned, which another thread may wake.
    fn suspected(&self, world: &World) -> Option<&'static Location<'static>> {
        let number = match world.suspect.load(Ordering::Relaxed) {
            0 => return None,
            _ => world.suspect.swap(0, Ordering::Relaxed),
        };
        self.tasks.iter().find(|(id, _)| id.number == number).map(|(_, task)| task.started)
    }

    /// Handles all events at `nanos`.
    fn happen(&mut self, nanos: u64) {
        let Self { clock, network, tasks, faults, power, .. } = self;
        clock.nanos = nanos;
        while let Some((id, event)) = clock.take() {
            match event {
                Event::Timer(waker) | Event::HostTimer(waker, ..) => {
                    clock.record(Kind::TimerFired, id.number, 0);
                    clock.woken.push(waker);
                }
                Event::Late(task) => tasks.begin_late(task),
                Event::Net(event) => network.happen(clock, event),
                Event::Fault { index, begins } => {
                    power.extend(faults.happen(clock, network, tasks, index, begins));
                }
            }
        }
    }

    /// Formats a panic message, about one task or about all.
    pub(super) fn tell(&self, seed: &Seed, what: &str, of: Option<Id>) -> String {
        use fmt::Write;

        let mut text =
            format!("anyrt: {what}. Seed {seed}, virtual time {:?}:", Duration::from_nanos(self.clock.nanos));
        let mut tasks: Vec<_> = self.tasks.iter().filter(|(id, _)| of.is_none_or(|of| of == *id)).collect();
        tasks.sort_by_key(|(id, _)| *id);
        for (id @ Id { number, .. }, task) in tasks {
            let (name, host) = (task.name.as_deref(), self.network.host_name(task.host));
            let named = Named { number, name, kind: task.kind, started: task.started, host };
            let _ = write!(text, "\n  {named}");
            let late = self.tasks.waits_for_its_turn(id);
            let _ = match (task.waits, late) {
                _ if of.is_some() => Ok(()),
                (_, Some(Duration::ZERO)) => write!(text, ", waits for its turn, on a host that was slow"),
                (_, Some(poll)) => {
                    write!(text, ", waits for its turn: each poll of that host takes {poll:?}")
                }
                (Some(wait), None) => write!(text, ", {wait}"),
                _ if self.tasks.is_ready(id) => write!(text, ", is ready"),
                _ => write!(
                    text,
                    ", waits for a handle, a channel, a lock, or for something outside of the simulation"
                ),
            };
        }
        self.network.tell_faults(&mut text);
        text
    }
}

/// A task, as messages name it.
pub(super) struct Named<'a> {
    pub(super) number: u64,
    pub(super) name: Option<&'a str>,
    pub(super) kind: TaskKind,
    pub(super) started: &'static Location<'static>,
    pub(super) host: &'a str,
}

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, name, kind, started, host } = self;
        write!(f, "#{number}")?;
        if let Some(name) = name {
            write!(f, " {name:?}")?;
        }
        let kind = match kind {
            TaskKind::Main => "`block_on`, called at",
            TaskKind::Future => "a task, spawned at",
            TaskKind::Closure => "a blocking closure, spawned at",
        };
        write!(f, ", {kind} {started}, on host {host:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BlockOn, Sim, Spawn, Time};

    #[test]
    fn time_passes_where_nothing_else_happens() {
        let sim = Sim::builder().with_seed(1);
        let end = sim.now() + Duration::from_secs(3600);
        sim.block_on(async {
            while sim.now() < end {
                sim.yield_now().await;
            }
        });
    }

    #[test]
    fn loop_is_what_polls_a_million_times_and_each_task_a_few_times() {
        assert!(!is_endless(1_000_000, 2) && is_endless(1_000_001, 2));
        // Each of a million tasks may be polled a few times.
        assert!(!is_endless(2_000_001, 1_000_000) && !is_endless(16_000_000, 1_000_000));
        assert!(is_endless(16_000_001, 1_000_000));
    }

    #[test]
    fn tasks_that_begin_and_end_are_news() {
        let sim = Sim::builder().with_seed(1);
        let polls = || sim.world.with(|state| state.news.polls);
        sim.block_on(async {
            for _ in 0..100 {
                sim.yield_now().await;
            }
            assert!(polls() >= 100);
            let task = sim.spawn(async {
                for _ in 0..100 {
                    crate::yield_now().await;
                }
            });
            assert_eq!(polls(), 0);
            task.await.unwrap();
            assert!(polls() < 10);
        });
    }

    #[test]
    fn clock_goes_fast_where_all_yield_for_long() {
        let passed = |rounds| Duration::from_nanos((0..rounds).map(yielding).sum());
        assert_eq!(passed(1), Duration::ZERO);
        assert!(passed(2) < Duration::from_micros(2));
        // As `src/guide/simulation.md` and the docs of `yield_now` have it.
        let is_about = |rounds, secs: f64| (passed(rounds).as_secs_f64() - secs).abs() < 0.05;
        assert!(is_about(1_000, 1.8) && is_about(2_000, 12.7));
        assert!(passed(14_000) > Duration::from_secs(3600));
        assert!(passed(300_000) > Duration::from_secs(365 * 86_400));
        assert!(yielding(u64::MAX) > END);
    }
}
