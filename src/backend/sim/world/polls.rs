//! How long polls and destructors take in real time.
//!
//! Of what is measured here, nothing gets into the run: neither into its clock nor into its log nor into its hash.

use std::cell::RefCell;
use std::fmt;
use std::mem;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::turn::Named;
use super::{State, World, Wrong};
use crate::backend::sim::log::TaskKind;
use crate::backend::sim::replay::Seed;
use crate::backend::sim::slots::Id;
use crate::thread::SystemThread;

/// The longest poll of a simulation in real time; returned by [`Sim::longest_poll`](crate::Sim::longest_poll).
///
/// `Display`: `#3 "reader", a task, spawned at src/lib.rs:20:5, on host "main": 61.2ms`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LongPoll {
    /// How long it took. On Linux, the time for which its thread waited for a CPU is not counted.
    pub took: Duration,
    /// The number of the task, as the log and messages have it.
    pub task: u64,
    /// The name of the task, if [`task::Builder`](crate::task::Builder) has set one.
    pub name: Option<String>,
    /// Where the task was spawned, or `block_on` was called.
    pub spawned_at: &'static Location<'static>,
    /// The name of the host of the task.
    pub host: String,
    /// The virtual time of the poll.
    pub at: Duration,
    kind: TaskKind,
}

impl LongPoll {
    fn named(&self) -> Named<'_> {
        let Self { task, name, spawned_at, host, kind, .. } = self;
        Named { number: *task, name: name.as_deref(), kind: *kind, started: spawned_at, host }
    }
}

impl fmt::Display for LongPoll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:.1?}", self.named(), self.took)
    }
}

/// What was measured.
#[derive(Default)]
pub(super) struct PollTimes {
    pub(super) longest: Option<LongPoll>,
    /// Somebody was told.
    pub(super) is_told: bool,
    // The poll that is in progress has panicked.
    panicked: bool,
}

/// A poll or destructor that is in progress.
pub(super) struct Polling {
    what: &'static str,
    of: Polled,
    begun: Instant,
    // For how long its thread had waited for a CPU before, or a moment earlier.
    waited: Option<Duration>,
    // How long others had taken within the poll around it.
    inner: Duration,
    // The poll around it has panicked.
    panicked: bool,
}

/// A task, which may be gone by the end of its poll.
struct Polled {
    task: u64,
    name: Option<Arc<str>>,
    kind: TaskKind,
    started: &'static Location<'static>,
    host: usize,
}

/// What is known of a thread that polls.
struct ThreadTimes {
    system: SystemThread,
    waited: Option<Duration>,
    looked: Option<Instant>,
    // How long others took within the poll that is in progress.
    inner: Duration,
}

thread_local! {
    static THREAD: RefCell<ThreadTimes> = RefCell::new(ThreadTimes {
        system: SystemThread::current(),
        waited: None,
        looked: None,
        inner: Duration::ZERO,
    });
}

/// How old what is known of a thread may be: a file of the system takes as long as several polls.
const OLDEST: Duration = Duration::from_millis(5);

impl ThreadTimes {
    /// For how long it has waited for a CPU, as of a time that is not `older`. What it has waited since then counts as a wait
    /// within the next poll: rather too much than too little, or a poll would fail that takes no time.
    fn waited(&mut self, oldest: Duration) -> Option<Duration> {
        let now = Instant::now();
        if self.looked.is_none_or(|looked| now.saturating_duration_since(looked) >= oldest) {
            self.waited = self.system.cpu().map(|cpu| cpu.waited);
            self.looked = Some(now);
        }
        self.waited
    }
}

impl World {
    /// Whether somebody wants to know how long polls take.
    #[inline]
    pub(super) fn measures(&self) -> bool {
        self.max_poll.is_some()
    }

    /// A poll or destructor of a task begins. `None`: it is a blocking closure, which may take as long as it wants.
    pub(super) fn begin_poll(&self, what: &'static str, task: Id) -> Option<Polling> {
        let oldest = (self.max_poll? / 8).min(OLDEST);
        let (of, panicked) = self.with(|state| {
            let number = task.number;
            let task = state.tasks.get(task).filter(|task| task.kind != TaskKind::Closure)?;
            let (name, kind, started, host) = (task.name.clone(), task.kind, task.started, task.host);
            let of = Polled { task: number, name, kind, started, host };
            Some((of, mem::take(&mut state.poll_times.panicked)))
        })?;
        // In a destructor of a thread-local it may be gone.
        let (inner, waited) = THREAD
            .try_with(|thread| {
                let mut thread = thread.borrow_mut();
                (mem::take(&mut thread.inner), thread.waited(oldest))
            })
            .unwrap_or_default();
        Some(Polling { what, of, waited, inner, panicked, begun: Instant::now() })
    }

    pub(super) fn end_poll(&self, polling: Polling) {
        let elapsed = polling.begun.elapsed();
        let inner = THREAD.try_with(|thread| mem::take(&mut thread.borrow_mut().inner)).unwrap_or_default();
        let took = elapsed.saturating_sub(inner);
        let limit = self.max_poll.unwrap_or(Duration::MAX);
        let is_of_note = self.with(|state| {
            let panicked = mem::replace(&mut state.poll_times.panicked, polling.panicked);
            let longest = state.poll_times.longest.as_ref().map_or(Duration::ZERO, |longest| longest.took);
            // Printing a backtrace takes long.
            !panicked && took > longest.min(limit)
        });
        let without_cpu = THREAD.try_with(|thread| {
            let mut thread = thread.borrow_mut();
            let waited = if is_of_note { thread.waited(Duration::ZERO) } else { None };
            let waited = polling.waited.zip(waited).map(|(before, after)| after.saturating_sub(before));
            // The poll around it subtracts these waits itself.
            let own = elapsed.saturating_sub(waited.unwrap_or_default());
            thread.inner = polling.inner.saturating_add(own);
            waited
        });
        if is_of_note {
            let without_cpu = without_cpu.ok().flatten();
            let took = took.saturating_sub(without_cpu.unwrap_or_default());
            self.with(|state| state.note_poll(&self.seed, limit, polling, took, without_cpu.is_some()));
        }
    }

    /// It goes in a panic.
    pub(super) fn leave_poll(&self, polling: Polling) {
        self.with(|state| state.poll_times.panicked = true);
        self.end_poll(polling);
    }

    /// What to say of a poll that took too long, unless a step has said it.
    #[cold]
    pub(crate) fn too_long(&self) -> Option<Box<str>> {
        self.with(|state| {
            let is_one = |wrong: &mut Wrong| matches!(wrong, Wrong::PollTooLong(_));
            let Some(Wrong::PollTooLong(why)) = state.wrong.take_if(is_one) else { return None };
            state.poll_times.is_told = true;
            Some(why)
        })
    }
}

impl State {
    /// A poll took that long, without waits for a CPU if they are known.
    fn note_poll(
        &mut self,
        seed: &Seed,
        limit: Duration,
        polling: Polling,
        took: Duration,
        is_without_waits: bool,
    ) {
        let Polled { task, name, kind, started, host } = polling.of;
        let poll = LongPoll {
            took,
            task,
            name: name.as_deref().map(str::to_owned),
            spawned_at: started,
            host: self.network.host_name(host).to_owned(),
            at: Duration::from_nanos(self.clock.nanos),
            kind,
        };
        if poll.took > limit && self.wrong.is_none() {
            let unknown = if is_without_waits { "" } else { ", waits for a CPU included" };
            let text = format!(
                "anyrt: a {} took {:.1?} of real time{unknown}, and may take {limit:?}. Seed {seed}, virtual time \
                 {:?}:\n  {}\nAwait `anyrt::time::sleep` instead of `std::thread::sleep`, run other blocking code with \
                 `anyrt::spawn_blocking`, and await `anyrt::yield_now` now and then in long computations.",
                polling.what,
                poll.took,
                poll.at,
                poll.named()
            );
            self.wrong = Some(Wrong::PollTooLong(text.into()));
        }
        if self.poll_times.longest.as_ref().is_none_or(|longest| longest.took < poll.took) {
            self.poll_times.longest = Some(poll);
        }
    }

    /// A poll has panicked.
    pub(super) fn poll_panics(&mut self) {
        self.poll_times.panicked = true;
    }
}
