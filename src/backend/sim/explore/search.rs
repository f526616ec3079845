//! The search: seeds run on threads until one fails.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::Notice;
use super::failure::Failure;
use super::progress;
use super::run::{Program, Run};
use super::shard::Seeds;
use super::tally::Tally;
use crate::backend::sim::handle::Builder;
use crate::thread::lock;

/// Time after its limit within which a simulation that does not block ends by itself.
const GRACE: Duration = Duration::from_secs(1);

/// The smallest of the seeds that fail, and what those have counted that pass. `notice` hears of one that blocks its thread.
pub(super) fn search(
    builder: &Builder,
    seeds: Seeds,
    program: &Program<'_>,
    notice: &dyn Fn(Notice),
) -> (Option<(u64, Failure, Run)>, Tally) {
    let processors = || thread::available_parallelism().map_or(1, Into::into);
    if seeds.count == 0 {
        return (None, Tally::default());
    }
    let most = seeds.count.try_into().unwrap_or(usize::MAX);
    let threads = builder.threads.unwrap_or_else(processors).clamp(1, most);
    let (next, end) = (AtomicU64::new(0), AtomicU64::new(seeds.count));
    let running: Vec<_> = (0..threads).map(|_| AtomicU64::new(progress::NO_SEED)).collect();
    let found = Mutex::new(None::<(u64, Failure, Run)>);
    let tally = Mutex::new(Tally::default());
    // Each is finished before a larger one can be the result: they are taken in order, and those that are taken are run.
    let take = || {
        let one = |index| (index < end.load(Ordering::Relaxed)).then(|| index + 1);
        next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one).ok()
    };
    let work = |running: &AtomicU64| {
        while let Some(index) = take() {
            let seed = seeds.get(index);
            running.store(seed, Ordering::Relaxed);
            let mut run = Run::of(builder, seed, program);
            if let Some(failure) = run.failure.take() {
                end.fetch_min(index, Ordering::Relaxed);
                let mut found = lock(&found);
                if found.as_ref().is_none_or(|(before, ..)| seed < *before) {
                    *found = Some((seed, failure, run));
                }
            } else {
                lock(&tally).add(run.counted);
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
        let blocked = |seed, since: Instant| {
            if builder.config.limit.is_some_and(|limit| since.elapsed() > limit + GRACE) {
                notice(Notice::Blocked(seed));
            }
        };
        progress::watch(seeds.count, &next, &running, &over, &blocked);
    });
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    (found, tally.into_inner().unwrap_or_else(PoisonError::into_inner))
}
