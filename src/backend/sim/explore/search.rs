//! The search: seeds run on threads until one fails.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::Notice;
use super::failure::Failure;
use super::plan::Plan;
use super::progress;
use super::run::{Program, Run};
use super::shard::Seeds;
use super::tally::{Panicked, Tally};
use crate::backend::sim::handle::Builder;
use crate::backend::sim::replay::Seed;
use crate::thread::lock;

/// Time after its limit within which a simulation that does not block ends by itself.
const GRACE: Duration = Duration::from_secs(1);

/// A run that has failed.
pub(super) struct Failed {
    /// How many were before it.
    pub(super) index: u64,
    pub(super) seed: Seed,
    pub(super) failure: Failure,
    pub(super) run: Run,
}

/// The first of the runs that fail, and what those have counted that pass. `notice` hears of one that blocks its thread.
pub(super) fn search(
    builder: &Builder,
    seeds: Seeds,
    program: &Program<'_>,
    notice: &dyn Fn(Notice),
) -> (Option<Failed>, Tally) {
    let processors = || thread::available_parallelism().map_or(1, Into::into);
    if seeds.count == 0 {
        return (None, Tally::default());
    }
    let most = seeds.count.try_into().unwrap_or(usize::MAX);
    let threads = builder.threads.unwrap_or_else(processors).clamp(1, most);
    let plan = Plan::new(seeds, builder.config.covered);
    let running: Vec<_> = (0..threads).map(|_| AtomicU64::new(progress::NO_RUN)).collect();
    let found = Mutex::new(None::<Failed>);
    let tally = Mutex::new(Tally::default());
    let work = |running: &AtomicU64| {
        while let Some((index, seed)) = plan.take() {
            running.store(index, Ordering::Relaxed);
            let mut run = Run::of(builder, seed.clone(), program);
            if let Some(failure) = run.failure.take() {
                plan.failed(index);
                let mut found = lock(&found);
                if found.as_ref().is_none_or(|before| index < before.index) {
                    *found = Some(Failed { index, seed, failure, run });
                }
            } else {
                plan.passed(index, run.news);
                let panicked = run.panic.map(|panic| Panicked { runs: 1, index, seed, panic });
                lock(&tally).add(run.counted, panicked);
            }
        }
        running.store(progress::NO_RUN, Ordering::Relaxed);
    };
    thread::scope(|scope| {
        let (works, over) = mpsc::channel::<Infallible>();
        for running in &running {
            let (work, works, plan) = (&work, works.clone(), &plan);
            let thread = thread::Builder::new().name("anyrt-explore".to_owned());
            let started = thread.spawn_scoped(scope, move || {
                let (_works, _done) = (works, OnDrop(|| plan.done()));
                work(running);
            });
            started.unwrap_or_else(|error| panic!("anyrt: no thread to explore seeds on: {error}"));
        }
        drop(works);
        let blocked = |index, since: Instant| {
            if builder.config.limit.is_some_and(|limit| since.elapsed() > limit + GRACE) {
                plan.seed(index).into_iter().for_each(|seed| notice(Notice::Blocked(seed.to_string())));
            }
        };
        progress::watch(seeds.count, &plan, &running, &over, &blocked);
    });
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    (found, tally.into_inner().unwrap_or_else(PoisonError::into_inner))
}

struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        self.0();
    }
}
