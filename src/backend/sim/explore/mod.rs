//! The search for a seed that fails.

mod command;
mod failure;
mod guide;
mod json;
mod plan;
mod progress;
mod reduce;
mod report;
mod run;
mod search;
mod shard;
mod tally;

use std::fmt;
use std::ops::Range;
use std::panic::{Location, resume_unwind};
use std::path::Path;

use self::report::Report;
use self::run::{Ending, Program};
use self::search::Failed;
use self::shard::{Results, Seeds, Shard, Task};
use super::handle::{Builder, Sim};
use super::log::parting;
use super::panics::{self, Panic};
use super::replay::{Replay, Seed, guided_by_the_environment};
use crate::runtime::task::catch_panic::catch_panic;

/// Searches for a seed with which `program` fails. Each seed runs in a new simulation.
///
/// A program fails if it panics, also because the simulation is stuck, or if it returns an error. A panic of a task is
/// an error of its handle: await the handle. If nobody does, the run passes, and the search says at its end in how many runs something
/// panicked, and where first. The program of a host has none, so if that of [`boot`](crate::sim::Host::boot) panics,
/// it is a failure as well. Seeds run in parallel on as many threads as there are processors. The search finds the smallest seed that
/// fails, however many threads there are.
///
/// The failure is then reduced: to as few of the drawn faults as needed, and to as few scheduling choices as needed,
/// after which the task that has been ready for the longest runs. The reduced failure is the same: a panic at the same
/// place. The reduction ends after ten seconds or 200 runs. A poll that takes [too long](Builder::max_poll) is reported as it
/// was found: in another run the same poll may take less.
///
/// If the environment variable `ANYRT_SIM_SEED` is set, only that seed is run, on this thread, with the scheduling
/// choices of `ANYRT_SIM_CHOICES` and the faults of `ANYRT_SIM_FAULTS`. The report of a failure says what to set. A
/// replay that does not fail is an error, whose message says that the build may differ, in features or profile.
///
/// If all seeds pass, the conditions of [`sometimes!`](crate::sometimes!) are counted over all of them: what was reached and never true is
/// a failure as well.
///
/// A search of plain seeds seldom gets where several rare orders have to follow each other.
/// [`Builder::guided`] goes on from runs that did something new.
///
/// # Shards
///
/// With `ANYRT_SIM_SHARD=3/16` in the environment, only the third of sixteen shares of the seeds is run: each sixteenth seed, from the
/// third on. With `ANYRT_SIM_RESULTS=folder`, each search of the process writes what it came to, one JSON file, to that folder;
/// `ANYRT_SIM_SHARD=merge` reads the files of all shards instead of running seeds, and fails where one has failed, where the file of a
/// shard is missing or has the name of another, and where a condition of [`sometimes!`](crate::sometimes!) was true in none of them. A
/// shard alone does not fail because of such a condition. [The tutorial](crate::sim#11-use-many-machines) has the lines for a cluster.
///
/// # Output
///
/// On a terminal, a line shows the progress. Panics of the program are not printed while seeds run: the first call
/// installs a [panic hook](std::panic::set_hook) that records them, and passes all other panics of the process to the
/// previous hook. A program that never ends does not fail; its seed is named after half a minute. Use a
/// [`timeout`](crate::Time::timeout): virtual hours cost nothing.
///
/// # Panics
///
/// If the program fails. The message has the seed, the first cause, what is needed to reproduce it, and the command
/// that runs it again. The first cause is the panic that the program's panic quotes, such as that of a task whose
/// handle it unwraps; otherwise the first panic of the run. If another run with the same seed differs, the message says
/// that the program is not deterministic.
///
/// If a condition of [`sometimes!`](crate::sometimes!) was never true.
///
/// If the environment sets a seed, and that seed does not fail.
///
/// If `seeds` is empty, if no thread can be started, if one of the variables has a bad value (the message names it), or if the results of
/// a shard cannot be written or read.
///
/// # Examples
///
/// Two tasks read, wait and write. In some orders an update is lost:
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

/// What a search says before its report.
#[allow(dead_code, reason = "only an attribute listens")]
pub(crate) enum Notice {
    /// A seed blocks its thread for longer than a simulation [may take](Builder::limit).
    Blocked(String),
    /// A seed fails so, and is about to be reduced.
    Fails(String),
}

impl Builder {
    /// Searches for a seed with which `program` fails, as [`sim::explore`](explore) does, in simulations built with
    /// these options.
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
        if let Err(report) = self.explore_from(Location::caller(), seeds, program, &|_| {}) {
            panic!("{report}");
        }
    }

    /// Searches, and reports a seed that fails to somebody who calls from `source`. `notice` hears of it before that.
    #[track_caller]
    fn explore_from<T: Outcome>(
        self,
        source: &'static Location<'static>,
        seeds: Range<u64>,
        program: impl Fn(&Sim) -> T + Sync,
        notice: &dyn Fn(Notice),
    ) -> Result<(), String> {
        assert!(!seeds.is_empty(), "anyrt: {seeds:?} has no seed to explore: write a range such as 0..1000");
        let program = |sim: &Sim| program(sim).failure();
        match Replay::of_the_environment() {
            Err(error) => panic!("{error}"),
            Ok(Some(replay)) => {
                let outside =
                    if seeds.contains(&replay.seed.first) { "" } else { ", which is outside of it" };
                eprintln!("anyrt: of {seeds:?}, only seed {} runs{outside}: {replay}", replay.seed);
                self.replaying(&replay).logged_to_a_file().replay(&replay.seed, &program);
            }
            Ok(None) => {
                // No closure, which would be told of as the place of the panic.
                let Shard { task, results: folder } = match Shard::of_the_environment() {
                    Ok(shard) => shard,
                    Err(error) => panic!("{error}"),
                };
                let name = folder.as_ref().map(|_| shard::name_of_a_search(&seeds)).unwrap_or_default();
                let (number, of) = match (task, &folder) {
                    (Task::Run { number, of }, _) => (number, of),
                    (Task::Merge, folder) => {
                        let merged = Results::merge(folder.as_deref().unwrap_or(Path::new("")), &name)?;
                        return merged.end();
                    }
                };
                let share = shard::share(&seeds, number, of);
                let results = self.search(source, share, &program, notice);
                if let Some(folder) = &folder {
                    results.save(folder, &name, number, of)?;
                }
                if of == 1 || results.failed.is_some() {
                    return results.end();
                }
                // What was never true here may be so in another shard.
                results.tally.summary().into_iter().for_each(|summary| eprintln!("{summary}"));
                if folder.is_none() && results.tally.failure().is_some() {
                    eprintln!(
                        "anyrt: some of it was never true in this shard. With a folder in ANYRT_SIM_RESULTS, \
                         ANYRT_SIM_SHARD=merge decides about all shards"
                    );
                }
            }
        }
        Ok(())
    }

    /// Runs these seeds, and reduces the first that fails.
    #[track_caller]
    fn search(
        mut self,
        source: &'static Location<'static>,
        seeds: Seeds,
        program: &Program<'_>,
        notice: &dyn Fn(Notice),
    ) -> Results {
        let guided = match guided_by_the_environment() {
            Ok(guided) => guided,
            Err(error) => panic!("{error}"),
        };
        self.config.covered = guided.unwrap_or(self.guided);
        let (found, tally) = search::search(&self, seeds, program, notice);
        let failed = found.map(|Failed { index: passed, seed, failure, run }| {
            notice(Notice::Fails(format!("anyrt: seed {seed} fails: {}", failure.how)));
            self.config.covered = false;
            let first = seed.first;
            let found = reduce::reduce(self, seed, program, failure, run);
            let command = command::command(source.file());
            (first, Report { passed, found: &found, command }.to_string())
        });
        Results { tally, failed }
    }

    /// What `#[anyrt::test]` does, from `source`: with one seed, if there are no `seeds`.
    #[cfg(feature = "macros")]
    pub(crate) fn test(
        self,
        source: &'static Location<'static>,
        seeds: Option<Range<u64>>,
        program: impl Fn(&Sim) + Sync,
        notice: &dyn Fn(Notice),
    ) -> Result<(), String> {
        match seeds {
            Some(seeds) => self.explore_from(source, seeds, program, notice),
            None => {
                let sim = self.build().unwrap_or_else(|error| panic!("{error}"));
                let sim = Ending::new(sim);
                program(&sim.sim);
                let panicked = sim.sim.world.which_boot_panicked();
                match (panicked, sim.end()) {
                    (Some(panicked), _) => panic!("anyrt: {panicked}"),
                    (None, Some(why)) => panic!("{why}"),
                    (None, None) => Ok(()),
                }
            }
        }
    }

    /// Runs one seed, which somebody asks for because it fails.
    #[track_caller]
    fn replay(&self, seed: &Seed, program: &Program<'_>) {
        let sim = Ending::new(self.with_seed(seed.clone()));
        let outcome = catch_panic(|| program(&sim.sim));
        let panicked = sim.sim.world.which_boot_panicked();
        match &outcome {
            Err(payload) => sim.sim.world.failed(panics::caught(payload)),
            Ok(Some(error)) => {
                sim.sim.world.failed(Panic { location: None, text: format!("returned an error:\n{error}") });
            }
            Ok(None) => {
                if let Some(panicked) = &panicked {
                    sim.sim.world.failed(Panic { location: None, text: panicked.to_string() });
                }
            }
        }
        // What there is of a log is written before anything is said.
        let blocked = sim.end().map(String::from);
        let panicked = panicked.map(|panicked| format!("anyrt: with seed {seed} {panicked}"));
        match (outcome, panicked.or(blocked)) {
            (Err(payload), _) => resume_unwind(payload),
            (Ok(Some(error)), _) => {
                panic!("anyrt: with seed {seed} the program returns an error:\n{error}")
            }
            (Ok(None), Some(why)) => panic!("{why}"),
            (Ok(None), None) => {
                let polls = match self.config.max_poll {
                    Some(_) => "a poll that took too long may be quicker this time; ",
                    None => "",
                };
                panic!(
                    "anyrt: seed {seed} does not fail in this build (same features and profile?); {polls}if it is \
                     corrected, run without any variable ANYRT_SIM_…"
                )
            }
        }
    }
}

impl Results {
    /// Reports a seed that fails, or else what was never true.
    fn end(self) -> Result<(), String> {
        if let Some((_, report)) = self.failed {
            return Err(report);
        }
        self.tally.summary().into_iter().for_each(|summary| eprintln!("{summary}"));
        self.tally.failure().map_or(Ok(()), Err)
    }
}

/// Checks that `program` is deterministic: runs it twice with one seed, and returns the [trace hash](Sim::trace_hash).
///
/// # Panics
///
/// If the two runs differ; the message has the first event that differs. The program then depends on an order, a time
/// or a random number from outside of the simulation, such as that of a `HashMap`, of `Instant::now` or of another
/// thread.
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
        let sim = Ending::new(Sim::builder().log(true).with_seed(seed));
        program(&sim.sim);
        sim.sim.log()
    };
    let (first, second) = (run(), run());
    let Some(parting) = parting(&first, &second) else {
        assert_eq!(first.hash(), second.hash(), "the same events have the same hash");
        return first.hash();
    };
    panic!("anyrt: two runs with seed {seed} differ {parting}");
}

/// Return types of an [explored](explore) program: `()`, or a `Result` whose error is a failure.
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
