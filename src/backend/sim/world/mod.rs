//! The state of a simulation: whose turn it is, what time it is, and what will happen when.

mod here;
mod logged;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::io;
use std::ops::ControlFlow::{self, Break, Continue};
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use async_task::Runnable;

use crate::backend::sim::Builder;
use crate::backend::sim::clock::{Clock, END, Event, NEVER, Turn};
use crate::backend::sim::faults::Fault;
use crate::backend::sim::host::{Boot, Power};
use crate::backend::sim::log::{Kind, TaskKind, Trace, Wait};
use crate::backend::sim::network::Network;
use crate::backend::sim::random::{Random, Stream};
use crate::backend::sim::schedule::{Ready, Schedule};
use crate::backend::sim::slots::{Id, Slots};
use crate::backend::sim::waiters::Waiter;
use crate::coop;
use crate::lock::lock;
use crate::task::contain::{discard, wake};
use crate::time::deadline_after;

pub(in crate::backend::sim) use here::{Here, here};
pub use logged::note;
pub(in crate::backend::sim) use logged::{panicked, panicking};

/// So many polls without news are a loop that never ends, if they are so many for each task as well: of a million tasks that
/// have a few turns each, none may have ended yet.
const ENDLESS: usize = 1_000_000;
const ENDLESS_FOR_EACH: usize = 16;

#[derive(Debug)]
pub(in crate::backend::sim) struct World {
    base: Instant,
    pub(in crate::backend::sim) seed: u64,
    spurious_wakes: Option<u32>,
    cancel_at: Option<u64>,
    max_steps: Option<u64>,
    // The number of the thread that drives it, or 0.
    driver: AtomicU64,
    state: Mutex<State>,
}

pub(in crate::backend::sim) struct State {
    pub(in crate::backend::sim) clock: Clock,
    pub(in crate::backend::sim) faults_random: Random,
    pub(in crate::backend::sim) program_random: Random,
    pub(in crate::backend::sim) schedule: Schedule,
    pub(in crate::backend::sim) network: Network,
    pub(in crate::backend::sim) boots: BTreeMap<usize, Boot>,
    // All that were drawn, and which of them are to happen: all unless set.
    pub(in crate::backend::sim) faults: Vec<Fault>,
    pub(in crate::backend::sim) only_faults: Option<BTreeSet<usize>>,
    // Hosts that a fault has turned off or on: done once the lock is free.
    pub(in crate::backend::sim) power: Vec<Power>,
    tasks: Slots<Task>,
    ready: VecDeque<Ready>,
    // Of those, the ones that have not woken themselves. When there is none, time goes on.
    fresh: usize,
    // Of nested `block_on`, the innermost last.
    mains: Vec<Main>,
    woken_by_a_stranger: Option<Id>,
    closed: bool,
    // Tasks have numbers of their own: what their priorities follow from is the same where an event is left out.
    next_task: u64,
    // How often anybody has yielded since all of them had.
    yields: u64,
    // How often in a row all have yielded, and nothing else has happened.
    rounds: u64,
    // Since the last news: an event, a new task, or the end of one.
    idle_polls: usize,
    news_at: u64,
    // Of tasks.
    pub(in crate::backend::sim) polls: u64,
    pub(in crate::backend::sim) steps: u64,
}

/// A task, or the future of a `block_on`.
pub(in crate::backend::sim) struct Task {
    kind: TaskKind,
    pub(in crate::backend::sim) started: &'static Location<'static>,
    pub(in crate::backend::sim) host: usize,
    // Of how many crashes of the host it is.
    life: u32,
    // Once it was pending.
    waker: Option<Waker>,
    waits: Option<Wait>,
}

struct Main {
    task: Id,
    woken: bool,
}

/// What is to be done next.
pub(in crate::backend::sim) enum Step {
    PollMain,
    Run {
        host: usize,
        runnable: Runnable,
        cancel: bool,
    },
    /// Nobody is ready, and nothing will ever happen again.
    Idle,
    Wrong(Box<str>),
}

/// Whether so many polls without news, beside so many tasks, are a loop.
fn is_endless(polls: usize, tasks: usize) -> bool {
    polls > ENDLESS.max(tasks.saturating_mul(ENDLESS_FOR_EACH))
}

/// How far the clock goes where all have yielded, after so many rounds in which nothing else happened.
///
/// Nowhere at first, for one yield costs nothing; two seconds in a thousand rounds, which a loop that computes may have; and
/// an hour in 14,000, a year in 300,000: whoever looks at the clock in a loop is not to wait for long.
fn yielding(rounds: u64) -> u64 {
    rounds.saturating_mul(rounds.saturating_mul(4).saturating_add(1_000))
}

/// So often may one blocking closure look whether something is there that only the simulation can bring.
const LOOKS: u32 = 100_000;

/// What is said of a simulation that was stopped.
pub(in crate::backend::sim) fn gone() -> io::Error {
    io::Error::other("anyrt: the runtime is gone: this simulation was stopped")
}

/// A number that no other thread has: that of the standard library costs more to ask for.
fn this_thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local! {
        static NUMBER: u64 = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.with(|number| *number)
}

impl World {
    pub(in crate::backend::sim) fn new(seed: u64, builder: &Builder) -> Arc<Self> {
        let random = |stream| Random::new(seed, stream);
        let Builder { policy, spurious_wakes, cancel_at, choices, max_steps, logged, .. } = *builder;
        let state = State {
            clock: Clock::new(Trace::new(seed, logged, builder.log_file.clone())),
            faults_random: random(Stream::Faults),
            program_random: random(Stream::Program),
            schedule: Schedule::new(policy, seed, random(Stream::Schedule), choices),
            network: Network::new(random(Stream::Network)),
            faults: Vec::new(),
            only_faults: builder.only_faults.as_ref().map(|only| only.iter().copied().collect()),
            boots: BTreeMap::new(),
            power: Vec::new(),
            tasks: Slots::default(),
            ready: VecDeque::new(),
            fresh: 0,
            mains: Vec::new(),
            woken_by_a_stranger: None,
            closed: false,
            next_task: 0,
            yields: 0,
            rounds: 0,
            idle_polls: 0,
            news_at: 0,
            polls: 0,
            steps: 0,
        };
        Arc::new(Self {
            base: Instant::now(),
            seed,
            spurious_wakes,
            cancel_at,
            max_steps,
            driver: AtomicU64::new(0),
            state: Mutex::new(state),
        })
    }

    /// Changes the state; then wakes and drops what that has come to, for nothing of the user's is under the lock (`lock.rs`).
    pub(in crate::backend::sim) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = lock(&self.state);
        let result = change(&mut state);
        if !state.clock.woken.is_empty() || !state.clock.dropped.is_empty() {
            State::settle(state);
        }
        result
    }

    /// What the seed has drawn of them, each in words.
    pub(in crate::backend::sim) fn faults_drawn(&self) -> Vec<String> {
        self.with(|state| state.faults.iter().map(ToString::to_string).collect())
    }

    /// Whether it has been stopped, or its last handle dropped.
    pub(in crate::backend::sim) fn is_closed(&self) -> bool {
        self.with(|state| state.closed)
    }

    pub(in crate::backend::sim) fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.with(|state| state.clock.nanos))
    }

    pub(in crate::backend::sim) fn now(&self) -> Instant {
        deadline_after(self.base, self.elapsed())
    }

    /// When `deadline` is, on the clock of this world.
    pub(in crate::backend::sim) fn nanos(&self, deadline: Instant) -> u64 {
        deadline.saturating_duration_since(self.base).as_nanos().try_into().unwrap_or(u64::MAX)
    }

    /// An operation of a socket, which counts for the budget of its task. It changes nothing when it has to wait.
    pub(in crate::backend::sim) fn operate<T>(
        &self,
        cx: &mut Context<'_>,
        wait: impl Fn() -> Wait,
        mut operation: impl FnMut(&mut State, &mut Waiter<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        coop::poll(cx, |cx| {
            let mut waiter = Waiter::new(cx.waker());
            let mut waits_here = false;
            loop {
                let result = self.with(|state| {
                    if state.closed {
                        return Poll::Ready(Err(gone()));
                    }
                    let result = operation(state, &mut waiter);
                    if result.is_pending() && !waiter.wants_clone() {
                        waits_here = state.waits(wait());
                    }
                    result
                });
                if waits_here {
                    self.wait_in_closure(cx.waker());
                }
                if !waiter.looks_again() {
                    return result;
                }
            }
        })
    }

    /// A task is woken. Once the world is closed, or its host has crashed, it is dropped instead, and its handle says that the
    /// runtime is gone.
    pub(in crate::backend::sim) fn schedule(self: &Arc<Self>, task: Id, runnable: Runnable) {
        let refused = self.with(|state| {
            if !state.is_alive(task) {
                let host = state.tasks.get(task).map_or(0, |task| task.host);
                return Some((host, runnable));
            }
            self.heed_strangers(state, task);
            state.wake(task, Some(runnable));
            None
        });
        if let Some((host, runnable)) = refused {
            let _here = Here::enter(self, host);
            drop(runnable);
        }
    }

    pub(in crate::backend::sim) fn wake_main(&self, task: Id) {
        self.with(|state| {
            let innermost = state.mains.last().is_some_and(|main| main.task == task);
            self.heed_strangers(state, task);
            let Some(main) = state.mains.iter_mut().find(|main| main.task == task) else { return };
            if !std::mem::replace(&mut main.woken, true) && innermost {
                state.wake(task, None);
            }
        });
    }

    /// A blocking closure polls something in a way that gives no turn to anybody else: `block_on` of another crate, which
    /// would sleep, for ever, on the thread that has to bring what it waits for. So it is woken, and told when it looks too
    /// often; one look in between is nothing.
    #[cold]
    pub(in crate::backend::sim) fn wait_in_closure(&self, waker: &Waker) {
        if self.driver.load(Ordering::Relaxed) != this_thread() {
            return;
        }
        let Some(task) = self.with(|state| state.closure()) else { return };
        let wrong = self.with(|state| {
            state.clock.turn.looks += 1;
            let what = "a blocking closure waits for the simulation, which runs on the thread of the closure, with a \
                        `block_on` that is not of the simulation. Write `anyrt::block_on` there, or await it in a task";
            (state.clock.turn.looks > LOOKS).then(|| state.tell(self.seed, what, Some(task)))
        });
        match wrong {
            Some(wrong) => panic!("{wrong}"),
            None => waker.wake_by_ref(),
        }
    }

    /// Whether another thread drives it just now.
    pub(in crate::backend::sim) fn is_driven_elsewhere(&self) -> bool {
        let driver = self.driver.load(Ordering::Relaxed);
        driver != 0 && driver != this_thread()
    }

    /// A task is woken: while somebody drives, another thread must not.
    fn heed_strangers(&self, state: &mut State, task: Id) {
        // Late wakes are harmless.
        if self.is_driven_elsewhere() && state.tasks.get(task).is_some() {
            state.woken_by_a_stranger = Some(task);
        }
    }

    /// A task is woken that may be in the middle of a poll, of which nobody else hears.
    pub(in crate::backend::sim) fn woken(&self, task: Id) {
        if self.is_driven_elsewhere() {
            self.with(|state| self.heed_strangers(state, task));
        }
    }

    /// Drops every task.
    pub(in crate::backend::sim) fn close(self: &Arc<Self>) {
        let (runnables, wakers, _boots) = self.with(|state| {
            state.closed = true;
            // Whoever waits on another runtime is told.
            state.network.stop(&mut state.clock.woken);
            state.clock.stop();
            let (mains, tasks): (Vec<_>, Vec<_>) =
                state.ready.drain(..).partition(|ready| ready.runnable.is_none());
            state.ready.extend(mains);
            state.count_fresh();
            let wakers = state.tasks.values_mut().filter_map(|task| task.waker.take()).collect();
            (tasks, wakers, std::mem::take(&mut state.boots))
        });
        self.refuse(runnables, wakers);
    }

    /// Drops every task of a host.
    pub(in crate::backend::sim) fn crash(self: &Arc<Self>, host: usize) {
        let (runnables, wakers) = self.with(|state| {
            if !state.network.go_down(&mut state.clock, host) {
                return Default::default();
            }
            let State { tasks, ready, .. } = state;
            let (theirs, others): (Vec<_>, Vec<_>) = ready.drain(..).partition(|it| it.is_of(tasks, host));
            ready.extend(others);
            let wakers =
                tasks.values_mut().filter(|task| task.host == host).filter_map(|task| task.waker.take());
            let wakers = wakers.collect();
            state.count_fresh();
            (theirs, wakers)
        });
        self.refuse(runnables, wakers);
    }

    /// Tasks that have to go: each of those that wait is scheduled once more.
    fn refuse(self: &Arc<Self>, runnables: Vec<Ready>, wakers: Vec<Waker>) {
        wakers.into_iter().for_each(Waker::wake);
        runnables.into_iter().for_each(|ready| {
            if let Some(runnable) = ready.runnable {
                self.schedule(ready.task, runnable);
            }
        });
        self.save_log();
    }

    /// This thread drives it until the guard is dropped.
    #[track_caller]
    pub(in crate::backend::sim) fn drive(
        self: &Arc<Self>,
        host: usize,
        started: &'static Location<'static>,
    ) -> Driving {
        let driving = self.with(|state| {
            if self.is_driven_elsewhere() {
                return None;
            }
            self.driver.store(this_thread(), Ordering::Relaxed);
            state.rounds = 0;
            state.forget_mains();
            let task = state.add_task(TaskKind::Main, started, host);
            state.mains.push(Main { task, woken: true });
            let turn = std::mem::take(&mut state.clock.turn);
            state.wake(task, None);
            Some(Driving { world: self.clone(), task, turn, unwinding: thread::panicking(), host })
        });
        driving.unwrap_or_else(|| {
            panic!(
                "anyrt: `block_on` of a simulation that another thread is driving. The order of threads is none that a \
                 seed decides: it takes one at a time."
            )
        })
    }
}

/// A `block_on` in progress.
pub(in crate::backend::sim) struct Driving {
    world: Arc<World>,
    pub(in crate::backend::sim) task: Id,
    // Of the closure that this is nested in.
    turn: Turn,
    // It was begun during a panic.
    unwinding: bool,
    host: usize,
}

impl Driving {
    /// What is to be done next. What was to be done before is over.
    ///
    /// The clock goes no further than `until`; None: as far as anything happens.
    pub(in crate::backend::sim) fn next(&self, until: Option<u64>) -> Step {
        loop {
            match self.world.with(|state| state.step(&self.world, until)) {
                Break(step) => return step,
                Continue(hosts) if hosts.is_empty() => {}
                Continue(hosts) => self.turn(hosts),
            }
        }
    }

    /// Hosts go down, or start.
    #[cold]
    fn turn(&self, hosts: Vec<Power>) {
        hosts.into_iter().for_each(|power| power.turn(&self.world));
    }

    /// What to say when nothing is to be done.
    pub(in crate::backend::sim) fn stuck(&self) -> String {
        let what = "the simulation is stuck: nobody is ready, and nothing will ever happen again";
        self.world.with(|state| state.tell(self.world.seed, what, None))
    }
}

impl Drop for Driving {
    fn drop(&mut self) {
        if thread::panicking() && !self.unwinding {
            self.world.unwinds(self.host, self.task.number);
        }
        self.world.with(|state| {
            state.mains.pop();
            state.end_task(self.task);
            state.forget_mains();
            state.clock.turn = self.turn;
            match state.mains.last() {
                Some(Main { task, woken: true }) => {
                    let main = Ready { task: *task, runnable: None, yielded: false };
                    state.schedule.put(&mut state.ready, main);
                    state.fresh += 1;
                }
                Some(_) => {}
                None => self.world.driver.store(0, Ordering::Relaxed),
            }
        });
        self.world.save_log();
    }
}

impl Ready {
    fn is_of(&self, tasks: &Slots<Task>, host: usize) -> bool {
        self.runnable.is_some() && tasks.get(self.task).is_some_and(|task| task.host == host)
    }
}

impl State {
    /// Wakes whoever is to be woken, once the lock is free.
    fn settle(mut state: MutexGuard<'_, Self>) {
        if state.clock.woken.are_many() || state.clock.dropped.are_many() {
            return Self::settle_many(state);
        }
        let (woken, dropped) = (state.clock.woken.take_one(), state.clock.dropped.take_one());
        drop(state);
        woken.into_iter().for_each(wake);
        dropped.into_iter().for_each(discard);
    }

    #[inline(never)]
    fn settle_many(mut state: MutexGuard<'_, Self>) {
        let (woken, dropped) = (state.clock.woken.take(), state.clock.dropped.take());
        drop(state);
        woken.wake();
        dropped.discard();
    }

    pub(in crate::backend::sim) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether a task may run.
    fn is_alive(&self, task: Id) -> bool {
        let is_up = || self.tasks.get(task).is_none_or(|task| self.network.is_alive(task.host, task.life));
        !self.closed && (!self.network.has_crashed() || is_up())
    }

    /// The `block_on` around the innermost waits, whether or not it is woken.
    fn forget_mains(&mut self) {
        self.ready.retain(|ready| ready.runnable.is_some());
        self.count_fresh();
    }

    fn count_fresh(&mut self) {
        self.fresh = self.ready.iter().filter(|ready| !ready.yielded).count();
    }

    fn wake(&mut self, task: Id, runnable: Option<Runnable>) {
        self.clock.record(Kind::Woken, task.number, 0);
        let by = self.clock.whose_turn();
        if let Some(log) = self.clock.trace.log() {
            log.by(by);
        }
        let yielded = self.clock.turn.task == Some(task);
        self.fresh += usize::from(!yielded);
        self.yields += u64::from(yielded);
        self.schedule.put(&mut self.ready, Ready { task, runnable, yielded });
    }

    pub(in crate::backend::sim) fn add_task(
        &mut self,
        kind: TaskKind,
        started: &'static Location<'static>,
        host: usize,
    ) -> Id {
        self.next_task += 1;
        let number = self.next_task;
        if let Some(log) = self.clock.trace.log() {
            log.task(number, host, started);
        }
        self.clock.record(Kind::Spawned, number, 0);
        if let Some(log) = self.clock.trace.log() {
            log.is(kind);
        }
        self.news();
        let life = self.network.life(host);
        self.tasks.insert(number, Task { kind, started, host, life, waker: None, waits: None })
    }

    pub(in crate::backend::sim) fn end_task(&mut self, task: Id) {
        self.clock.record(Kind::Ended, task.number, 0);
        self.schedule.forget(task.number);
        self.news();
        let task = self.tasks.remove(task);
        self.clock.dropped.extend(task.and_then(|task| task.waker));
    }

    /// A task is pending for the first time: `waker` finds it when all have to go.
    pub(in crate::backend::sim) fn keep_waker(&mut self, task: Id, waker: &Waker) {
        if !self.is_alive(task) {
            self.clock.woken.extend([waker.clone()]);
        } else if let Some(task) = self.tasks.get_mut(task) {
            task.waker = Some(waker.clone());
        }
    }

    /// The task whose turn it is waits for this. Whether it is a blocking closure, which must not: see `wait_in_closure`.
    pub(in crate::backend::sim) fn waits(&mut self, wait: Wait) -> bool {
        let mut is_closure = false;
        if let Some(task) = self.clock.turn.task.and_then(|task| self.tasks.get_mut(task)) {
            task.waits = Some(wait);
            is_closure = task.kind == TaskKind::Closure;
        }
        let task = self.clock.whose_turn().filter(|_| self.clock.turn.looks == 0);
        if let (Some(log), Some(task)) = (self.clock.trace.log(), task) {
            log.waits(self.clock.nanos, task, wait);
        }
        is_closure
    }

    /// The blocking closure that is running.
    fn closure(&self) -> Option<Id> {
        let is_closure = |task: &Id| self.tasks.get(*task).is_some_and(|task| task.kind == TaskKind::Closure);
        self.clock.turn.task.filter(is_closure)
    }

    /// Whether some `block_on` is in progress.
    pub(in crate::backend::sim) fn is_driven(&self) -> bool {
        !self.mains.is_empty()
    }

    /// What is to be done next; or something has happened, whoever waited for it is to be woken, and these hosts go down
    /// or start.
    fn step(&mut self, world: &World, until: Option<u64>) -> ControlFlow<Step, Vec<Power>> {
        self.clock.turn = Turn::default();
        if let Some(task) = self.woken_by_a_stranger.take() {
            let what = "another thread has woken a task while this one drives the simulation, in an order that no seed \
                        decides";
            return self.wrong(world, what, task);
        }
        self.steps += 1;
        if world.max_steps.is_some_and(|most| self.steps > most) {
            return self.too_many_steps();
        }
        if self.fresh == 0 {
            return self.pass_time(until);
        }
        if world.spurious_wakes.is_some_and(|one_in| self.schedule.chance(one_in)) {
            self.wake_for_nothing();
        }
        let Some(next) = self.schedule.take(&mut self.ready) else { return Continue(Vec::new()) };
        self.idle_polls += 1;
        if self.idle_polls > ENDLESS && is_endless(self.idle_polls, self.tasks.len()) {
            return self.endless(world, next);
        }
        let Ready { task, runnable, yielded } = next;
        self.fresh -= usize::from(!yielded);
        self.clock.record(Kind::Polled, task.number, 0);
        self.clock.turn.task = Some(task);
        let (host, kind) = match self.tasks.get_mut(task) {
            Some(task) => {
                task.waits = None;
                (task.host, task.kind)
            }
            None => (0, TaskKind::Closure),
        };
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
        Break(Step::Run { host, runnable, cancel })
    }

    #[cold]
    fn wrong(&self, world: &World, what: &str, task: Id) -> ControlFlow<Step, Vec<Power>> {
        Break(Step::Wrong(self.tell(world.seed, what, Some(task)).into()))
    }

    #[cold]
    fn endless(&mut self, world: &World, next: Ready) -> ControlFlow<Step, Vec<Power>> {
        let task = next.task;
        // It stays in the queue: its destructor would find the lock taken.
        self.ready.push_back(next);
        let (polls, since) = (self.idle_polls - 1, Duration::from_nanos(self.news_at));
        let what = format!(
            "{polls} polls, and nothing has happened since {since:?}: a loop that wakes itself for ever"
        );
        self.wrong(world, &what, task)
    }

    #[cold]
    fn too_many_steps(&self) -> ControlFlow<Step, Vec<Power>> {
        Break(Step::Wrong(format!("anyrt: {} steps, which are too many", self.steps).into()))
    }

    /// Nobody is ready, or only those who have yielded.
    fn pass_time(&mut self, until: Option<u64>) -> ControlFlow<Step, Vec<Power>> {
        let end = until.unwrap_or(self.clock.nanos.saturating_add(NEVER)).min(END);
        let next = self.clock.next().filter(|nanos| *nanos <= end);
        if next.is_none() && (self.ready.is_empty() || until.is_some_and(|until| self.clock.nanos >= until)) {
            return Break(Step::Idle);
        }
        let mut nanos = next.unwrap_or(end);
        if !self.ready.is_empty() {
            // `Pct` may poll one of them a hundred times before the others.
            let rounds = (self.yields / self.ready.len() as u64).max(1);
            let passes = yielding(self.rounds).saturating_mul(rounds);
            nanos = nanos.min(self.clock.nanos.saturating_add(passes));
            self.rounds += rounds;
        }
        self.yields = 0;
        if next == Some(nanos) {
            self.rounds = 0;
            self.news();
            self.happen(nanos);
        } else {
            self.clock.nanos = nanos;
        }
        self.ready.iter_mut().for_each(|ready| ready.yielded = false);
        self.fresh = self.ready.len();
        Continue(std::mem::take(&mut self.power))
    }

    /// Something has happened: what is polled from now on is no loop yet.
    fn news(&mut self) {
        (self.idle_polls, self.news_at) = (0, self.clock.nanos);
    }

    /// Any of the tasks that wait.
    #[cold]
    fn wake_for_nothing(&mut self) {
        let waiting = self.tasks.values().filter(|task| task.waker.is_some()).count();
        let at = self.schedule.below(waiting);
        let task = self.tasks.iter().filter(|(_, task)| task.waker.is_some()).nth(at);
        if let Some((id, Task { waker: Some(waker), .. })) = task {
            self.clock.record(Kind::Spurious, id.number, 0);
            self.clock.woken.push(waker.clone());
        }
    }

    /// Everything that happens at `nanos`.
    fn happen(&mut self, nanos: u64) {
        self.clock.nanos = nanos;
        while let Some((id, event)) = self.clock.take() {
            match event {
                Event::Timer(waker) => {
                    self.clock.record(Kind::TimerFired, id.number, 0);
                    self.clock.woken.push(waker);
                }
                Event::Net(event) => self.network.happen(&mut self.clock, event),
                Event::Fault { index, begins } => self.fault(index, begins),
            }
        }
    }

    /// The text of a panic: of one task, or of all.
    fn tell(&self, seed: u64, what: &str, of: Option<Id>) -> String {
        use fmt::Write;

        let mut text =
            format!("anyrt: {what}. Seed {seed}, virtual time {:?}:", Duration::from_nanos(self.clock.nanos));
        let tasks = self.tasks.iter().filter(|(id, _)| of.is_none_or(|of| of == *id));
        for (Id { number, .. }, task) in tasks.collect::<BTreeMap<_, _>>() {
            let kind = match task.kind {
                TaskKind::Main => "`block_on`, called at",
                TaskKind::Future => "a task, spawned at",
                TaskKind::Closure => "a blocking closure, spawned at",
            };
            let host = self.network.host_name(task.host);
            let _ = write!(text, "\n  #{number}, {kind} {}, on host {host:?}", task.started);
            let _ = match (task.waits, &task.waker) {
                _ if of.is_some() => Ok(()),
                (Some(wait), _) => write!(text, ", {wait}"),
                (None, _) => {
                    write!(
                        text,
                        ", waits for a handle, a channel, a lock, or for something outside of the simulation"
                    )
                }
            };
        }
        self.network.tell_faults(&mut text);
        text
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("nanos", &self.clock.nanos)
            .field("tasks", &self.tasks.len())
            .finish_non_exhaustive()
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
    fn stopped_simulation_is_freed_though_its_tasks_own_it() {
        let sim = Sim::builder().with_seed(1);
        let world = Arc::downgrade(&sim.world);
        let [waits, boots] = [sim.clone(), sim.clone()];
        sim.boot(move |_| {
            let boots = boots.clone();
            async move { boots.yield_now().await }
        });
        drop(sim.spawn(async move {
            std::future::pending::<()>().await;
            drop(waits);
        }));
        sim.block_on(sim.yield_now());
        sim.shutdown_timeout(Duration::ZERO).unwrap();
        drop(sim);
        assert!(world.upgrade().is_none());
    }

    #[test]
    fn loop_is_what_polls_a_million_times_and_each_task_a_few_times() {
        assert!(!is_endless(1_000_000, 2) && is_endless(1_000_001, 2));
        // Each of a million tasks may be polled once, or a few times.
        assert!(!is_endless(2_000_001, 1_000_000) && !is_endless(16_000_000, 1_000_000));
        assert!(is_endless(16_000_001, 1_000_000));
    }

    #[test]
    fn tasks_that_begin_and_end_are_news() {
        let sim = Sim::builder().with_seed(1);
        let polls = || sim.world.with(|state| state.idle_polls);
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
        assert!(passed(1_000) < Duration::from_secs(2));
        assert!(passed(14_000) > Duration::from_secs(3600));
        assert!(passed(300_000) > Duration::from_secs(365 * 86_400));
        assert!(yielding(u64::MAX) > END);
    }
}
