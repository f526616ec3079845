//! A search through seeds for one that fails.

mod command;
mod progress;
mod reduce;
mod report;

use std::convert::Infallible;
use std::fmt;
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use self::report::Report;
use super::handle::{Builder, Sim};
use super::log::{self, Log};
use super::panics::{self, Panic, Quiet};
use super::replay::Replay;
use crate::lock::lock;
use crate::task::contain::{Payload, contain, discard};

/// Runs `program` with one seed after the other, in a new simulation each, until it fails.
///
/// It fails when it panics, which it does as well where the simulation is stuck, and when it returns an error. A panic of a
/// task is one of its handle: await it. Seeds run on as many threads as there are processors, one beside the other. What is
/// found is the smallest seed that fails, however many threads there are.
///
/// What made it fail is then reduced: to as few of the faults that its seed has drawn as needed, and to the choices of the
/// scheduler up to the one that matters, after which whoever has been ready for the longest runs. It is still the same
/// failure: a panic at the same place. This ends after ten seconds or 200 runs.
///
/// Where the environment variable `ANYRT_SIM_SEED` is set, only that seed is run, on this thread, with as many choices as
/// `ANYRT_SIM_CHOICES` and only the faults of `ANYRT_SIM_FAULTS`. A failure says what to set. Such a replay that does not
/// fail is an error: it may be another build, with other features or another profile, and says so.
///
/// On a terminal, a line shows how far it is. Panics of the program are not printed while seeds run: at its first call,
/// this sets a [panic hook](std::panic::set_hook) that keeps them, and hands all other panics of the process to the hook
/// that was there before. A program that never ends is not found by itself, but named after half a minute: give it a
/// [`timeout`](crate::Time::timeout), whose hours cost nothing.
///
/// # Panics
///
/// When the program fails: with the seed, the panic that it began with, what it takes to see it, and the line that runs it
/// again. Where the panic of the program quotes another, such as that of a task whose handle it unwraps, it began with that;
/// and else with the first of the run. It says so when the program is not deterministic, and the same seed goes otherwise
/// the next time.
///
/// When the environment asks for a seed, and that does not fail.
///
/// When there is no seed in `seeds`, when no thread can be started, and when one of those variables is no number, saying
/// which.
///
/// # Examples
///
/// Two tasks that read, wait and write. In most orders all is well, and in some an update is lost:
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// use anyrt::{BlockOn, Sim, Spawn, sim};
///
/// fn counts_to_two(sim: &Sim) {
///     let count = Arc::new(AtomicU32::new(0));
///     let tasks = [(); 2].map(|()| {
///         let count = count.clone();
///         sim.spawn(async move {
///             let read = count.load(Ordering::Relaxed);
///             anyrt::yield_now().await;
///             count.store(read + 1, Ordering::Relaxed);
///         })
///     });
///     sim.block_on(async {
///         for task in tasks {
///             task.await.unwrap();
///         }
///     });
///     assert_eq!(count.load(Ordering::Relaxed), 2, "an update is lost");
/// }
///
/// let found = std::panic::catch_unwind(|| sim::explore(0..1_000, counts_to_two)).unwrap_err();
/// let text = found.downcast_ref::<String>().unwrap();
/// assert!(text.contains("an update is lost") && text.contains("ANYRT_SIM_SEED="), "{text}");
/// ```
#[track_caller]
pub fn explore<T: Outcome>(seeds: Range<u64>, program: impl Fn(&Sim) -> T + Sync) {
    Sim::builder().explore(seeds, program);
}

impl Builder {
    /// Runs `program` with one seed after the other until it fails, as [`sim::explore`](explore) does, in simulations that
    /// are set up like this one.
    ///
    /// # Panics
    ///
    /// As [`sim::explore`](explore).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use anyrt::{BlockOn, Sim, Spawn, Time, sim::Policy};
    ///
    /// Sim::builder().policy(Policy::Pct(3)).spurious_wakes(10).explore(0..100, |sim| {
    ///     let there = sim.clone();
    ///     sim.block_on(sim.spawn(async move { there.sleep(Duration::from_secs(60)).await }))
    /// });
    /// ```
    #[track_caller]
    pub fn explore<T: Outcome>(self, seeds: Range<u64>, program: impl Fn(&Sim) -> T + Sync) {
        assert!(!seeds.is_empty(), "anyrt: {seeds:?} has no seed to explore: write a range such as 0..1000");
        let program = |sim: &Sim| program(sim).failure();
        match Replay::of_the_environment() {
            Err(error) => panic!("{error}"),
            Ok(Some(replay)) => {
                let outside = if seeds.contains(&replay.seed) { "" } else { ", which is outside of it" };
                eprintln!("anyrt: of {seeds:?}, only seed {} runs{outside}: {replay}", replay.seed);
                self.replaying(&replay).logged_to_a_file().replay(replay.seed, &program);
            }
            Ok(None) => {
                if let Some((seed, failure, run)) = search(&self, &seeds, &program) {
                    let found = reduce::reduce(self, seed, &program, failure, run);
                    panic!("{}", Report { seeds, found: &found, command: command::command() });
                }
            }
        }
    }

    /// Runs one seed, which somebody asks for because it fails.
    #[track_caller]
    fn replay(&self, seed: u64, program: &Program<'_>) {
        let sim = Ending(self.with_seed(seed));
        let outcome = contain(|| program(&sim.0));
        match &outcome {
            Err(payload) => sim.0.world.failed(panics::caught(payload)),
            Ok(Some(error)) => {
                sim.0.world.failed(Panic { location: None, text: format!("returned an error:\n{error}") });
            }
            Ok(None) => {}
        }
        // What there is of a log is written before anything is said.
        drop(sim);
        match outcome {
            Err(payload) => resume_unwind(payload),
            Ok(Some(error)) => panic!("anyrt: with seed {seed} the program returns an error:\n{error}"),
            Ok(None) => panic!(
                "anyrt: seed {seed} does not fail in this build (same features and profile?); if it is corrected, run \
                 without any variable ANYRT_SIM_…"
            ),
        }
    }
}

/// Runs `program` twice with one seed, and returns the hash of what happened.
///
/// # Panics
///
/// When the two runs differ, with the first event that does: the program has an order, a time or a random number from
/// outside of the simulation, such as that of a `HashMap`, of `Instant::now` or of another thread.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use anyrt::{BlockOn, Time, sim::check_deterministic};
///
/// check_deterministic(7, |sim| sim.block_on(sim.sleep(Duration::from_secs(3600))));
/// ```
#[track_caller]
pub fn check_deterministic(seed: u64, program: impl Fn(&Sim)) -> u64 {
    let run = || {
        let sim = Ending(Sim::builder().log(true).with_seed(seed));
        program(&sim.0);
        sim.0.log()
    };
    let (first, second) = (run(), run());
    let Some(parting) = log::parting(&first, &second) else {
        assert_eq!(first.hash(), second.hash(), "the same events have the same hash");
        return first.hash();
    };
    panic!("anyrt: two runs with seed {seed} differ {parting}");
}

/// What a program that is [explored](explore) may return: nothing, or a result, whose error is a failure.
pub trait Outcome {
    #[doc(hidden)]
    fn failure(self) -> Option<String>;
}

impl Outcome for () {
    fn failure(self) -> Option<String> {
        None
    }
}

impl<T: Outcome, E: fmt::Debug> Outcome for Result<T, E> {
    fn failure(self) -> Option<String> {
        match self {
            Ok(value) => value.failure(),
            Err(error) => Some(format!("{error:?}")),
        }
    }
}

/// Returns what went wrong, if it does not panic.
type Program<'a> = dyn Fn(&Sim) -> Option<String> + Sync + 'a;

/// The smallest of the seeds that fail.
fn search(builder: &Builder, seeds: &Range<u64>, program: &Program<'_>) -> Option<(u64, Failure, Run)> {
    let processors = || thread::available_parallelism().map_or(1, Into::into);
    let many = seeds.end - seeds.start;
    let threads = builder.threads.unwrap_or_else(processors).clamp(1, many.try_into().unwrap_or(usize::MAX));
    let (next, end) = (AtomicU64::new(seeds.start), AtomicU64::new(seeds.end));
    let running: Vec<_> = (0..threads).map(|_| AtomicU64::new(progress::NO_SEED)).collect();
    let found = Mutex::new(None::<(u64, Failure, Run)>);
    // Each is finished before a larger one can be the result: they are taken in order, and those that are taken are run.
    let take = || {
        let one = |seed| (seed < end.load(Ordering::Relaxed)).then(|| seed + 1);
        next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one).ok()
    };
    let work = |running: &AtomicU64| {
        while let Some(seed) = take() {
            running.store(seed, Ordering::Relaxed);
            let mut run = Run::of(builder, seed, program);
            if let Some(failure) = run.failure.take() {
                end.fetch_min(seed, Ordering::Relaxed);
                let mut found = lock(&found);
                if found.as_ref().is_none_or(|(before, ..)| seed < *before) {
                    *found = Some((seed, failure, run));
                }
            }
        }
        running.store(progress::NO_SEED, Ordering::Relaxed);
    };
    thread::scope(|scope| {
        let (works, over) = mpsc::channel::<Infallible>();
        for running in &running {
            let (work, works) = (&work, works.clone());
            let thread = thread::Builder::new().name("anyrt-explore".to_owned());
            let started = thread.spawn_scoped(scope, move || {
                let _works = works;
                work(running);
            });
            started.unwrap_or_else(|error| panic!("anyrt: no thread to explore seeds on: {error}"));
        }
        drop(works);
        progress::watch(seeds, &next, &running, &over);
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// What a run came to.
struct Run {
    failure: Option<Failure>,
    choices: u64,
    faults: Vec<String>,
    steps: u64,
    hash: u64,
    log: Log,
}

impl Run {
    fn of(builder: &Builder, seed: u64, program: &Program<'_>) -> Self {
        // Until the simulation is gone: destructors may panic as well.
        let quiet = Quiet::begin(seed);
        let sim = Ending(builder.with_seed(seed));
        let outcome = contain(|| program(&sim.0));
        let failure = Failure::new(outcome, quiet.take());
        let faults = sim.0.world.with(|state| state.faults.in_words());
        sim.0.world.with(|state| Self {
            failure,
            choices: state.tasks.schedule.choices(),
            faults,
            steps: state.steps,
            hash: state.clock.trace.hash(),
            log: sim.0.world.log_of(state),
        })
    }
}

/// A simulation that is over when this is dropped, also where its tasks have handles that own it.
struct Ending(Sim);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.world.close();
    }
}

/// How a program failed.
#[derive(Clone, Debug)]
struct Failure {
    how: How,
    // Panics before that, of which the program may not have died.
    before: Vec<Panic>,
}

#[derive(Clone, Debug)]
enum How {
    Panicked(Panic),
    Returned(String),
}

impl Failure {
    fn new(outcome: Result<Option<String>, Payload>, mut panics: Vec<Panic>) -> Option<Self> {
        match outcome {
            Ok(error) => error.map(|error| Self { how: How::Returned(error), before: panics }),
            Err(payload) => {
                let text = panics::text(&*payload);
                discard(payload);
                // Where it went on with the panic of a task, that is not the last; and there is none if the hook is another.
                let panic = match panics.iter().rposition(|panic| panic.text == text) {
                    Some(at) => {
                        panics.truncate(at + 1);
                        panics.pop()
                    }
                    None => None,
                };
                let panic = panic.unwrap_or(Panic { location: None, text });
                Some(Self { how: How::Panicked(panic), before: panics })
            }
        }
    }

    /// Whether both are one mistake, as far as can be seen.
    fn is_like(&self, other: &Self) -> bool {
        match (&self.how, &other.how) {
            (How::Returned(error), How::Returned(other)) => error == other,
            (How::Panicked(panic), How::Panicked(others)) => {
                let is_there = match (&panic.location, &others.location) {
                    (None, None) => panic.text == others.text,
                    (location, others) => location == others,
                };
                is_there && own_words(&panic.text) == own_words(&others.text) && self.cause() == other.cause()
            }
            _ => false,
        }
    }

    /// Where the panic was that this one quotes: `unwrap` of a handle is one place for everything that a task does.
    fn cause(&self) -> Option<&str> {
        self.quoted(&self.how.to_string(), self.before.len())
            .and_then(|at| self.before[at].location.as_deref())
    }

    /// Which of the panics before it all began with: where one quotes another, that one, and else the first.
    fn root(&self) -> Option<usize> {
        let mut root = self.quoted(&self.how.to_string(), self.before.len());
        while let Some(earlier) = root.and_then(|at| self.quoted(&self.before[at].text, at)) {
            root = Some(earlier);
        }
        root.or(if self.before.is_empty() { None } else { Some(0) })
    }

    /// The last panic of the first `end` that a text quotes.
    fn quoted(&self, text: &str, end: usize) -> Option<usize> {
        self.before[..end].iter().rposition(|panic| text.contains(&format!("{:?}", panic.text)))
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(panic) => panic.fmt(f),
            Self::Returned(error) => write!(f, "returned an error:\n{error}"),
        }
    }
}

/// What is wrong with a simulation; None: what is wrong with the program. Either is a panic at a `block_on`.
fn own_words(text: &str) -> Option<&str> {
    text.strip_prefix("anyrt: ").and_then(|text| text.split('.').next())
}
