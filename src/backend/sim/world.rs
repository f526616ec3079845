//! The state of a simulation: whose turn it is, what time it is, and what will happen when.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::io;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use async_task::Runnable;

use super::faults::Fault;
use super::host::Power;
use super::net::{self, Network};
use super::random::Random;
use super::trace::{Kind, Trace};
use super::{Here, Policy};

/// How many operations in a row may complete before a task has to yield: the number of `coop`, whose budget belongs to a
/// thread and would make one run depend on the one before.
const BUDGET: u32 = 128;

/// Timers beyond this many nanoseconds, 20 years, never fire: a task that waits for one waits for ever.
const NEVER: u64 = 20 * 365 * 86_400 * 1_000_000_000;

/// How far the clock goes when all that happens is that tasks yield.
const STEP: u64 = 1_000;

/// So many polls without an event is a loop that never ends.
const ENDLESS: u32 = 1_000_000;

#[derive(Debug)]
pub(super) struct World {
    base: Instant,
    pub(super) seed: u64,
    policy: Policy,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) nanos: u64,
    pub(super) random: Random,
    pub(super) trace: Trace,
    pub(super) network: Network,
    // All that were drawn, and which of them are to happen: all unless set.
    pub(super) faults: Vec<Fault>,
    pub(super) only_faults: Option<BTreeSet<usize>>,
    // Hosts that a fault has turned off or on: done once the lock is free.
    pub(super) power: Vec<Power>,
    events: BTreeMap<Key, Event>,
    tasks: BTreeMap<u64, Task>,
    ready: VecDeque<Ready>,
    // Woke themselves in their own turn: they wait until nobody else is ready.
    yielded: Vec<Ready>,
    // Of nested `block_on`, the innermost last.
    mains: Vec<Main>,
    turn: Turn,
    driver: Option<ThreadId>,
    woken_by_a_stranger: Option<u64>,
    closed: bool,
    next: u64,
    step: u64,
    polls: u32,
    // Both are done with once the lock is free: what wakers do is not ours to know, and the last of a task may run a
    // destructor.
    pub(super) woken: Vec<Waker>,
    pub(super) dropped: Vec<Waker>,
}

/// When something happens, and in which order of what happens at once.
pub(super) type Key = (u64, u64);

#[derive(Debug)]
pub(super) enum Event {
    Timer(Waker),
    Net(net::Event),
    Fault { index: usize, begins: bool },
}

impl Event {
    fn into_waker(self) -> Option<Waker> {
        match self {
            Self::Timer(waker) => Some(waker),
            Self::Net(_) | Self::Fault { .. } => None,
        }
    }
}

/// A task, or the future of a `block_on`.
pub(super) struct Task {
    pub(super) started: &'static Location<'static>,
    pub(super) host: usize,
    // Of how many crashes of the host it is.
    life: u32,
    // Once it was pending.
    waker: Option<Waker>,
    waits: Option<Wait>,
}

/// What a task waits for, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wait {
    Sleep(u64),
    Socket(&'static str, Option<std::net::SocketAddr>),
}

struct Ready {
    task: u64,
    // None: the future of the innermost `block_on`.
    runnable: Option<Runnable>,
}

struct Main {
    task: u64,
    woken: bool,
}

/// The poll that is in progress.
#[derive(Clone, Copy, Default)]
struct Turn {
    task: Option<u64>,
    operations: u32,
}

/// What is to be done next.
pub(super) enum Step {
    PollMain,
    Run {
        host: usize,
        runnable: Runnable,
    },
    /// The clock has moved, and whoever waited for it is woken.
    Again,
    Stuck(String),
}

/// What is said of a simulation that was stopped.
pub(super) fn gone() -> io::Error {
    io::Error::other("anyrt: the runtime is gone: this simulation was stopped")
}

impl World {
    pub(super) fn new(seed: u64, policy: Policy, logged: bool) -> Arc<Self> {
        let state = State {
            nanos: 0,
            random: Random::new(seed),
            trace: Trace::new(seed, logged),
            network: Network::new(),
            faults: Vec::new(),
            only_faults: None,
            power: Vec::new(),
            events: BTreeMap::new(),
            tasks: BTreeMap::new(),
            ready: VecDeque::new(),
            yielded: Vec::new(),
            mains: Vec::new(),
            turn: Turn::default(),
            driver: None,
            woken_by_a_stranger: None,
            closed: false,
            next: 0,
            step: STEP,
            polls: 0,
            woken: Vec::new(),
            dropped: Vec::new(),
        };
        Arc::new(Self { base: Instant::now(), seed, policy, state: Mutex::new(state) })
    }

    /// Changes the state; then wakes and drops what that has come to.
    pub(super) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut state);
        let (woken, dropped) = (std::mem::take(&mut state.woken), std::mem::take(&mut state.dropped));
        drop(state);
        woken.into_iter().for_each(Waker::wake);
        drop(dropped);
        result
    }

    /// Whether it has been stopped, or its last handle dropped.
    pub(super) fn is_closed(&self) -> bool {
        self.with(|state| state.closed)
    }

    pub(super) fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.with(|state| state.nanos))
    }

    pub(super) fn now(&self) -> Instant {
        self.base + self.elapsed()
    }

    /// When `deadline` is, on the clock of this world.
    pub(super) fn nanos(&self, deadline: Instant) -> u64 {
        deadline.saturating_duration_since(self.base).as_nanos().try_into().unwrap_or(u64::MAX)
    }

    /// An operation of a socket, which counts for the budget of its task.
    pub(super) fn operate<T>(
        &self,
        cx: &mut Context<'_>,
        wait: Wait,
        operation: impl FnOnce(&mut State, &Waker) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        self.with(|state| {
            if state.closed {
                return Poll::Ready(Err(gone()));
            }
            if state.turn.operations == BUDGET {
                state.turn.operations = 0;
                state.woken.push(cx.waker().clone());
                return Poll::Pending;
            }
            let result = operation(state, cx.waker());
            match result {
                Poll::Ready(_) => state.turn.operations += 1,
                Poll::Pending => state.waits(wait),
            }
            result
        })
    }

    /// A task is woken. Once the world is closed, or its host has crashed, it is dropped instead, and its handle says that the
    /// runtime is gone.
    pub(super) fn schedule(self: &Arc<Self>, task: u64, runnable: Runnable) {
        let refused = self.with(|state| {
            if !state.is_alive(task) {
                let host = state.tasks.get(&task).map_or(0, |task| task.host);
                return Some((host, runnable));
            }
            state.wake(Ready { task, runnable: Some(runnable) });
            None
        });
        if let Some((host, runnable)) = refused {
            let _here = Here::enter(self, host);
            drop(runnable);
        }
    }

    pub(super) fn wake_main(&self, task: u64) {
        self.with(|state| {
            let innermost = state.mains.last().is_some_and(|main| main.task == task);
            state.heed_strangers(task);
            let Some(main) = state.mains.iter_mut().find(|main| main.task == task) else { return };
            if !std::mem::replace(&mut main.woken, true) && innermost {
                state.wake(Ready { task, runnable: None });
            }
        });
    }

    /// Whether another thread drives it just now.
    pub(super) fn is_driven_elsewhere(&self) -> bool {
        self.with(|state| state.driver.is_some_and(|driver| driver != thread::current().id()))
    }

    /// Drops every task.
    pub(super) fn close(self: &Arc<Self>) {
        let (runnables, wakers, _boots) = self.with(|state| {
            state.closed = true;
            // Whoever waits on another runtime is told.
            state.woken.extend(state.network.waiting());
            state.woken.extend(std::mem::take(&mut state.events).into_values().filter_map(Event::into_waker));
            let (mains, tasks): (Vec<_>, Vec<_>) = state
                .ready
                .drain(..)
                .chain(state.yielded.drain(..))
                .partition(|ready| ready.runnable.is_none());
            state.ready.extend(mains);
            let wakers = state.tasks.values_mut().filter_map(|task| task.waker.take()).collect();
            (tasks, wakers, state.network.take_boots())
        });
        self.refuse(runnables, wakers);
    }

    /// Drops every task of a host.
    pub(super) fn crash(self: &Arc<Self>, host: usize) {
        let (runnables, wakers) = self.with(|state| {
            if !state.go_down(host) {
                return Default::default();
            }
            let State { tasks, ready, yielded, .. } = state;
            let (theirs, others): (Vec<_>, Vec<_>) = ready.drain(..).partition(|it| it.is_of(tasks, host));
            ready.extend(others);
            let (also_theirs, others) = yielded.drain(..).partition(|it| it.is_of(tasks, host));
            *yielded = others;
            let runnables = theirs.into_iter().chain(also_theirs).collect();
            let tasks = tasks.values_mut().filter(|task| task.host == host);
            (runnables, tasks.filter_map(|task| task.waker.take()).collect())
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
    }

    /// This thread drives it until the guard is dropped.
    #[track_caller]
    pub(super) fn drive(self: &Arc<Self>, host: usize, started: &'static Location<'static>) -> Driving {
        let this = thread::current().id();
        let driving = self.with(|state| {
            if state.driver.is_some_and(|driver| driver != this) {
                return None;
            }
            state.driver = Some(this);
            state.polls = 0;
            state.forget_mains();
            let task = state.add_task(started, host);
            state.mains.push(Main { task, woken: true });
            let turn = std::mem::take(&mut state.turn);
            state.wake(Ready { task, runnable: None });
            Some(Driving { world: self.clone(), task, turn })
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
pub(super) struct Driving {
    world: Arc<World>,
    pub(super) task: u64,
    // Of the closure that this is nested in.
    turn: Turn,
}

impl Driving {
    /// What is to be done next. What was to be done before is over.
    pub(super) fn next(&self) -> Step {
        let (step, power) = self.world.with(|state| {
            let step = state.step(self.world.policy, self.world.seed);
            (step, std::mem::take(&mut state.power))
        });
        power.into_iter().for_each(|power| power.turn(&self.world));
        step
    }
}

impl Drop for Driving {
    fn drop(&mut self) {
        self.world.with(|state| {
            state.mains.pop();
            state.end_task(self.task);
            state.forget_mains();
            state.turn = self.turn;
            match state.mains.last() {
                Some(Main { task, woken: true }) => {
                    state.ready.push_back(Ready { task: *task, runnable: None });
                }
                Some(_) => {}
                None => state.driver = None,
            }
        });
    }
}

impl Ready {
    fn is_of(&self, tasks: &BTreeMap<u64, Task>, host: usize) -> bool {
        self.runnable.is_some() && tasks.get(&self.task).is_some_and(|task| task.host == host)
    }
}

impl State {
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether a task may run.
    fn is_alive(&self, task: u64) -> bool {
        let is_up = || self.tasks.get(&task).is_none_or(|task| self.network.is_alive(task.host, task.life));
        !self.closed && (!self.network.has_crashed || is_up())
    }

    /// A task is woken: while somebody drives, another thread must not.
    pub(super) fn heed_strangers(&mut self, task: u64) {
        let is_strange = self.driver.is_some_and(|driver| driver != thread::current().id());
        // Late wakes are harmless.
        if is_strange && self.tasks.contains_key(&task) {
            self.woken_by_a_stranger = Some(task);
        }
    }

    /// The `block_on` around the innermost waits, whether or not it is woken.
    fn forget_mains(&mut self) {
        self.ready.retain(|ready| ready.runnable.is_some());
        self.yielded.retain(|ready| ready.runnable.is_some());
    }

    fn wake(&mut self, ready: Ready) {
        self.trace.record(self.nanos, Kind::Woken, ready.task, 0);
        self.heed_strangers(ready.task);
        if self.turn.task == Some(ready.task) {
            self.yielded.push(ready);
        } else {
            self.ready.push_back(ready);
        }
    }

    /// The number of something new.
    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn add_task(&mut self, started: &'static Location<'static>, host: usize) -> u64 {
        let number = self.number();
        self.trace.record(self.nanos, Kind::Spawned, number, 0);
        let life = self.network.hosts[host].life;
        self.tasks.insert(number, Task { started, host, life, waker: None, waits: None });
        number
    }

    pub(super) fn end_task(&mut self, task: u64) {
        self.trace.record(self.nanos, Kind::Ended, task, 0);
        let task = self.tasks.remove(&task);
        self.dropped.extend(task.and_then(|task| task.waker));
    }

    /// A task is pending for the first time: `waker` finds it when all have to go.
    pub(super) fn keep_waker(&mut self, task: u64, waker: &Waker) {
        if !self.is_alive(task) {
            self.woken.extend([waker.clone()]);
        } else if let Some(task) = self.tasks.get_mut(&task) {
            task.waker = Some(waker.clone());
        }
    }

    /// The task whose turn it is waits for this.
    pub(super) fn waits(&mut self, wait: Wait) {
        if let Some(task) = self.turn.task.and_then(|task| self.tasks.get_mut(&task)) {
            task.waits = Some(wait);
        }
    }

    pub(super) fn add_event(&mut self, nanos: u64, event: Event) -> Key {
        let key = (nanos.max(self.nanos), self.number());
        self.events.insert(key, event);
        key
    }

    /// The waker of a timer that has not fired.
    pub(super) fn remove_timer(&mut self, key: Key) -> Option<Waker> {
        self.events.remove(&key)?.into_waker()
    }

    fn step(&mut self, policy: Policy, seed: u64) -> Step {
        self.turn = Turn::default();
        if let Some(task) = self.woken_by_a_stranger.take() {
            return Step::Stuck(self.tell(
                seed,
                "another thread has woken a task while this one drives the simulation, in an order that no seed decides",
                Some(task),
            ));
        }
        if self.ready.is_empty() {
            let next =
                self.events.first_key_value().map(|((nanos, _), _)| *nanos).filter(|nanos| *nanos < NEVER);
            match next {
                // Who polls in a loop sees time pass: slowly at first, so that one yield costs nothing.
                Some(next) if !self.yielded.is_empty() && self.nanos + self.step < next => {
                    self.nanos += self.step;
                    self.step = self.step.saturating_mul(2);
                }
                Some(next) => {
                    self.step = STEP;
                    self.polls = 0;
                    self.happen(next);
                }
                None if self.yielded.is_empty() => {
                    return Step::Stuck(self.tell(
                        seed,
                        "the simulation is stuck: nobody is ready, and nothing will ever happen again",
                        None,
                    ));
                }
                None => {}
            }
            self.ready.extend(self.yielded.drain(..));
            return Step::Again;
        }
        let at = match policy {
            Policy::Fifo => 0,
            Policy::Lifo => self.ready.len() - 1,
            Policy::Random => self.random.below(self.ready.len() as u64) as usize,
        };
        self.polls += 1;
        if self.polls > ENDLESS {
            let what =
                format!("{ENDLESS} polls, and nothing has happened: a loop that wakes itself for ever");
            // It stays in the queue: its destructor would find the lock taken.
            return Step::Stuck(self.tell(seed, &what, self.ready.get(at).map(|ready| ready.task)));
        }
        // The order of the others stays as it is.
        let Some(Ready { task, runnable }) = self.ready.remove(at) else { return Step::Again };
        self.trace.record(self.nanos, Kind::Polled, task, 0);
        self.turn.task = Some(task);
        let host = match self.tasks.get_mut(&task) {
            Some(task) => {
                task.waits = None;
                task.host
            }
            None => 0,
        };
        match runnable {
            Some(runnable) => Step::Run { host, runnable },
            None => {
                if let Some(main) = self.mains.last_mut() {
                    main.woken = false;
                }
                Step::PollMain
            }
        }
    }

    /// Everything that happens at `nanos`.
    fn happen(&mut self, nanos: u64) {
        self.nanos = nanos;
        while let Some(event) = self.events.first_entry().filter(|event| event.key().0 == nanos) {
            let (key, event) = event.remove_entry();
            match event {
                Event::Timer(waker) => {
                    self.trace.record(nanos, Kind::TimerFired, key.1, 0);
                    self.woken.push(waker);
                }
                Event::Net(event) => self.net_event(event),
                Event::Fault { index, begins } => self.fault(index, begins),
            }
        }
    }

    /// The text of a panic: of one task, or of all.
    fn tell(&self, seed: u64, what: &str, of: Option<u64>) -> String {
        use fmt::Write;

        let mut text =
            format!("anyrt: {what}. Seed {seed}, virtual time {:?}:", Duration::from_nanos(self.nanos));
        let tasks = self.tasks.iter().filter(|(number, _)| of.is_none_or(|of| of == **number));
        for (number, task) in tasks {
            let kind = match self.mains.iter().any(|main| main.task == *number) {
                true => "`block_on`, called at",
                false => "a task, spawned at",
            };
            let host = self.network.host_name(task.host);
            let _ = write!(text, "\n  #{number}, {kind} {}, on host {host:?}", task.started);
            let _ = match (task.waits, &task.waker) {
                _ if of.is_some() => Ok(()),
                (Some(Wait::Sleep(nanos)), _) if nanos >= NEVER => write!(text, ", sleeps for ever"),
                (Some(Wait::Sleep(nanos)), _) => {
                    write!(text, ", sleeps until {:?}", Duration::from_nanos(nanos))
                }
                (Some(Wait::Socket(what, None)), _) => write!(text, ", waits to {what}"),
                (Some(Wait::Socket(what, Some(addr))), _) => write!(text, ", waits to {what} {addr}"),
                (None, _) => {
                    write!(text, ", waits for what is not of the simulation: a handle, a channel, a lock")
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
            .field("nanos", &self.nanos)
            .field("tasks", &self.tasks.len())
            .finish_non_exhaustive()
    }
}
