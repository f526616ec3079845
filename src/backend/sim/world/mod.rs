//! The world: the state of a simulation, and the code that drives it.

mod current;
mod driving;
mod lists;
mod logged;
mod marks;
mod operations;
mod outside;
mod polls;
mod power;
mod rare;
mod turn;
mod waiting;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Waker;
use std::time::{Duration, Instant};

use self::driving::Main;
use self::lists::Lists;
use self::marks::Marks;
use self::polls::PollTimes;
use self::power::Refused;
use self::turn::News;
use super::clock::Clock;
use super::faults::{Drawn, Fault, Faults, Power};
use super::log::{Origin, Trace};
use super::network::{LinkOptions, Network, Paths};
use super::places::Places;
use super::random::{Random, Stream};
use super::replay::Seed;
use super::schedule::{Policy, Schedule};
use super::slots::Id;
use super::tasks::Tasks;
use crate::backend::sim::sorted::SortedMap;
use crate::runtime::task::Number;
use crate::runtime::task::catch_panic::{discard, wake};
use crate::runtime::time::deadline_after;
use crate::thread::lock;

pub(super) use current::{Entered, InProgram, current};
pub(super) use driving::{Step, is_cancelled};
pub use logged::note;
pub(super) use logged::{panicked, panicking};
pub(super) use operations::{Traced, called, virtual_time};
pub use polls::LongPoll;
pub(super) use power::{Boot, BootPanicked};
pub use rare::{__buggify, __is_in_simulation, __sometimes};

/// Settings of a simulation, besides its seed.
#[derive(Clone, Debug, Default)]
pub(super) struct Config {
    pub(super) policy: Policy,
    pub(super) spurious_wakes: Option<u32>,
    pub(super) cancel_at: Option<u64>,
    /// Number of choices that the policy makes; later choices go to the task that has been ready for the longest.
    pub(super) choices: Option<u64>,
    /// Indices of the drawn faults that happen; `None`: all.
    pub(super) only_faults: Option<Vec<usize>>,
    /// Exceeding it is an error.
    pub(super) max_steps: Option<u64>,
    /// Limit of real time; exceeding it is an error.
    pub(super) limit: Option<Duration>,
    /// In real time; a longer poll is an error. `None`: no poll is measured.
    pub(super) max_poll: Option<Duration>,
    pub(super) logged: bool,
    pub(super) log_file: Option<PathBuf>,
    /// What is new in a run is noted, for a guided search.
    pub(super) covered: bool,
}

pub(super) struct World {
    // Number of this simulation in the process.
    number: u64,
    base: Instant,
    pub(super) seed: Seed,
    spurious_wakes: Option<u32>,
    cancel_at: Option<u64>,
    limit: Option<Duration>,
    max_poll: Option<Duration>,
    // Number of the thread that drives it, or 0.
    driver: AtomicU64,
    // Number of a task that another thread may wake, or 0.
    suspect: AtomicU64,
    // Nanoseconds of real time spent only listening for other threads.
    listened: AtomicU64,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) clock: Clock,
    pub(super) network: Network,
    pub(super) tasks: Tasks,
    pub(super) faults: Drawn,
    pub(super) program_random: Random,
    pub(super) places: Places,
    // The boot programs of the hosts.
    boots: SortedMap<usize, Boot>,
    // The first of them that has panicked.
    boot_panicked: Option<BootPanicked>,
    // Hosts that a fault has taken down or started; handled once the lock is free.
    power: Vec<Power>,
    // Nested `block_on`s, the innermost last.
    mains: Vec<Main>,
    // Found outside of a step, which will say so.
    wrong: Option<Wrong>,
    // Tasks that have to be dropped; `None`: no dismissal is in progress.
    refused: Option<Vec<Refused>>,
    closed: bool,
    // Number of consecutive rounds in which all tasks yielded and nothing else happened.
    rounds: u64,
    news: News,
    // Number of polls of tasks.
    pub(super) polls: u64,
    pub(super) steps: u64,
    marks: Marks,
    /// The run has exceeded its limit of time.
    pub(super) too_long: bool,
    poll_times: PollTimes,
}

/// What is wrong with a run.
enum Wrong {
    WokenByAStranger(Id),
    /// What to say of it.
    PollTooLong(Box<str>),
}

/// The error of a simulation that was stopped.
pub(super) fn gone() -> io::Error {
    io::Error::other("anyrt: the runtime is gone: this simulation was stopped")
}

impl World {
    pub(super) fn new(named: Seed, config: &Config) -> Arc<Self> {
        let seed = named.first;
        let random = |stream| Random::new(seed, stream);
        let Config { policy, spurious_wakes, cancel_at, choices, limit, max_poll, logged, covered, .. } =
            *config;
        let Lists { events, network, tasks, mains } = Lists::found();
        let marks = Marks::new(&named, config);
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Arc::new(Self {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            base: Instant::now(),
            seed: named,
            spurious_wakes,
            cancel_at,
            limit,
            max_poll,
            driver: AtomicU64::new(0),
            suspect: AtomicU64::new(0),
            listened: AtomicU64::new(0),
            // Written here, for it is large, and each name that it has on its way is one more copy.
            state: Mutex::new(State {
                clock: Clock::new(Trace::new(seed, logged, config.log_file.clone(), covered), events),
                network: Network::new(random(Stream::Network), network),
                tasks: Tasks::new(Schedule::new(policy, seed, random(Stream::Schedule), choices), tasks),
                faults: Drawn::new(random(Stream::Faults), config.only_faults.as_deref()),
                program_random: random(Stream::Program),
                places: Places::new(seed),
                boots: SortedMap::new(),
                boot_panicked: None,
                power: Vec::new(),
                mains,
                wrong: None,
                refused: None,
                closed: false,
                rounds: 0,
                news: News::default(),
                polls: 0,
                steps: 0,
                marks,
                too_long: false,
                poll_times: PollTimes::default(),
            }),
        })
    }

    /// Changes the state under the lock; then, without the lock, calls the wakers and destructors that resulted (the
    /// rule is in `lock.rs`).
    pub(super) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = lock(&self.state);
        let result = change(&mut state);
        if state.clock.is_to_wake() {
            State::settle(state);
        }
        result
    }

    /// Whether it has been stopped, or its last handle dropped.
    pub(super) fn is_closed(&self) -> bool {
        self.with(|state| state.closed)
    }

    /// Returns the number of a task that is unique in the process.
    pub(super) fn number(&self, task: u64) -> Number {
        Number::in_simulation(self.number, task)
    }

    /// Returns a number for a task that is dropped at once, because the simulation is over.
    pub(super) fn number_of_a_lost_task(&self) -> Number {
        let task = self.with(|state| state.tasks.next_number());
        self.number(task)
    }

    pub(super) fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.with(|state| state.clock.nanos))
    }

    /// Of the polls that were measured.
    pub(super) fn longest_poll(&self) -> Option<LongPoll> {
        self.with(|state| state.poll_times.longest.clone())
    }

    pub(super) fn now(&self) -> Instant {
        deadline_after(self.base, self.elapsed())
    }

    /// On the clock of a host.
    pub(super) fn now_on(&self, host: usize) -> Instant {
        deadline_after(self.base, Duration::from_nanos(self.with(|state| state.clock.local(host))))
    }

    /// Converts `deadline` to the clock of this world, or of the host that it is of.
    pub(super) fn nanos(&self, deadline: Instant) -> u64 {
        deadline.saturating_duration_since(self.base).as_nanos().try_into().unwrap_or(u64::MAX)
    }
}

impl State {
    /// Calls the collected wakers, once the lock is free.
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

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether it has failed because of a poll that took too long.
    pub(super) fn has_blocked(&self) -> bool {
        self.poll_times.is_told
    }

    /// Whether a task may run.
    fn is_alive(&self, task: Id) -> bool {
        let is_up = || self.tasks.get(task).is_none_or(|task| self.network.is_alive(task.host, task.life));
        !self.closed && (!self.network.has_crashed() || is_up())
    }

    pub(super) fn add_task(&mut self, origin: Origin<'_>, host: usize) -> Id {
        let life = self.network.life(host);
        self.news.come(&self.clock);
        self.tasks.add(&mut self.clock, origin, (host, life))
    }

    pub(super) fn end_task(&mut self, task: Id) {
        self.news.come(&self.clock);
        self.tasks.end(&mut self.clock, task);
    }

    /// A task is pending for the first time: `waker` reaches it when all tasks are dropped.
    pub(super) fn keep_waker(&mut self, task: Id, waker: &Waker) {
        if self.is_alive(task) {
            self.tasks.keep_waker(task, waker);
        } else {
            self.clock.woken.push(waker.clone());
        }
    }

    /// Whether a `block_on` is in progress.
    fn is_driven(&self) -> bool {
        !self.mains.is_empty()
    }

    /// Sets options of links, which faults may be slowing down.
    pub(super) fn set_links(&mut self, paths: Paths, options: &LinkOptions) -> io::Result<()> {
        self.faults.set_links(&mut self.clock, &mut self.network, paths, options)
    }

    /// Draws faults from the seed and schedules them from now on.
    pub(super) fn inject(&mut self, faults: &Faults) -> io::Result<Vec<Fault>> {
        let boots: Vec<_> = self.boots.keys().copied().collect();
        self.faults.inject(&mut self.clock, &self.network, faults, &boots)
    }
}

// Does not take the lock: a writer may ask the simulation for the time while it formats.
impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("seed", &self.seed).finish_non_exhaustive()
    }
}
