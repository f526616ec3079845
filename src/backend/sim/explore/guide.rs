//! A guided search: runs that did something new are gone on from, each at one of its steps, with other numbers from there.
//!
//! Runs are made in generations. What a run is follows from its index and from what earlier generations have found, so that it
//! does not matter on how many threads they run.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use super::shard::Seeds;
use crate::backend::sim::log::{News, Same};
use crate::backend::sim::random::{Random, Stream};
use crate::backend::sim::replay::Seed;
use crate::thread::lock;

/// Runs of a generation: enough that threads seldom wait for its end.
const GENERATION: u64 = 64;

/// As many runs as are kept, the newest.
const KEPT: usize = 256;

/// Half of those that are gone on from are among so many.
const NEWEST: usize = 8;

/// More switches of a run are not worth their words: the first of them go.
const MOST_SWITCHES: usize = 32;

pub(super) struct Guide {
    seeds: Seeds,
    begun: AtomicU64,
    state: Mutex<State>,
    // Signals that the next generation begins, or that the search is over.
    turned: Condvar,
}

struct State {
    random: Random,
    // What has been seen in any run.
    known: HashSet<u64, Same>,
    kept: VecDeque<Kept>,
    // Seeds of the search that have had their run.
    fresh: u64,
    // The generation: the index of its first run, what its runs are, how many have begun and ended, and what was in them.
    first: u64,
    runs: Vec<Seed>,
    begun: usize,
    ended: usize,
    news: Vec<News>,
    // No run begins any more.
    over: bool,
}

/// A run in which something was new.
struct Kept {
    seed: Seed,
    // The steps in which it was.
    steps: Vec<u64>,
}

impl Guide {
    pub(super) fn new(seeds: Seeds) -> Self {
        let mut state = State {
            random: Random::new(seeds.get(0), Stream::Search),
            known: HashSet::default(),
            kept: VecDeque::new(),
            fresh: 0,
            first: 0,
            runs: Vec::new(),
            begun: 0,
            ended: 0,
            news: Vec::new(),
            over: false,
        };
        state.plan(seeds);
        Self { seeds, begun: AtomicU64::new(0), state: Mutex::new(state), turned: Condvar::new() }
    }

    /// How many runs have begun.
    pub(super) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// The run with this index, which has not ended.
    pub(super) fn seed(&self, index: u64) -> Option<Seed> {
        let state = lock(&self.state);
        state.runs.get(index.checked_sub(state.first)? as usize).cloned()
    }

    /// The next run. Waits for the end of a generation.
    pub(super) fn take(&self) -> Option<(u64, Seed)> {
        let mut state = lock(&self.state);
        loop {
            if state.over {
                return None;
            }
            if let Some(seed) = state.runs.get(state.begun).cloned() {
                let index = state.first + state.begun as u64;
                state.begun += 1;
                self.begun.store(index + 1, Ordering::Relaxed);
                return Some((index, seed));
            }
            state = self.turned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A run has passed, in which this was so.
    pub(super) fn passed(&self, index: u64, news: News) {
        let mut state = lock(&self.state);
        let at = (index - state.first) as usize;
        state.news[at] = news;
        state.ended += 1;
        if !state.over && state.ended == state.runs.len() {
            state.learn();
            state.plan(self.seeds);
            self.turned.notify_all();
        }
    }

    /// A run has failed, or cannot be made: those before it go on to their end, and no other begins.
    pub(super) fn end(&self) {
        lock(&self.state).over = true;
        self.turned.notify_all();
    }
}

impl State {
    /// Keeps the runs of a generation in which something was new, one after the other.
    fn learn(&mut self) {
        for (seed, news) in std::mem::take(&mut self.runs).into_iter().zip(std::mem::take(&mut self.news)) {
            let mut steps: Vec<u64> =
                news.into_iter().filter(|(what, _)| self.known.insert(*what)).map(|(_, step)| step).collect();
            steps.dedup();
            if !steps.is_empty() {
                self.kept.push_back(Kept { seed, steps });
            }
        }
        let many = self.kept.len().saturating_sub(KEPT);
        self.kept.drain(..many);
    }

    /// The next generation: each second run is that of a seed.
    fn plan(&mut self, seeds: Seeds) {
        self.first += self.begun as u64;
        let count = GENERATION.min(seeds.count - self.first);
        for index in 0..count {
            let seed = if index % 2 == 1 { self.vary() } else { None };
            self.runs.push(seed.unwrap_or_else(|| {
                self.fresh += 1;
                seeds.get(self.fresh - 1).into()
            }));
        }
        (self.begun, self.ended) = (0, 0);
        self.news = vec![News::new(); self.runs.len()];
        self.over = self.runs.is_empty();
    }

    /// A kept run, up to one of its steps, and from there on another seed.
    fn vary(&mut self) -> Option<Seed> {
        let Self { random, kept, .. } = self;
        let all = kept.len() as u64;
        let back =
            if random.below(2) == 0 { random.below(all.min(NEWEST as u64)) } else { random.below(all) };
        let Kept { seed, steps } = kept.get((all.checked_sub(1 + back)?) as usize)?;
        let last = steps.last().copied().unwrap_or_default();
        let after = if random.below(2) == 0 {
            steps[random.below(steps.len() as u64) as usize]
        } else {
            random.below(last + 1)
        };
        let before = seed.switches.iter().copied().filter(|(switch, _)| *switch < after);
        let mut seed = Seed { first: seed.first, switches: before.collect() };
        if seed.switches.len() >= MOST_SWITCHES {
            return None;
        }
        // Short enough to be read and typed.
        seed.switches.push((after, random.below(1_000_000)));
        Some(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::sim::explore::shard::share;

    /// All runs, where `news` says what is new in which; those of a generation end in any order.
    fn all(count: u64, backwards: bool, news: impl Fn(u64, &Seed) -> News) -> Vec<Seed> {
        let guide = Guide::new(share(&(7..7 + count), 1, 1));
        let mut runs = Vec::new();
        while let Some(first) = guide.take() {
            let mut generation = vec![first];
            let more = GENERATION.min(count - runs.len() as u64) - 1;
            generation.extend((0..more).map(|_| guide.take().unwrap()));
            runs.extend(generation.iter().map(|(_, seed)| seed.clone()));
            if backwards {
                generation.reverse();
            }
            generation.into_iter().for_each(|(index, seed)| guide.passed(index, news(index, &seed)));
        }
        runs
    }

    #[test]
    fn runs_do_not_depend_on_the_order_in_which_they_end() {
        let news = |index: u64, _: &Seed| vec![(index / 3, 5), (index / 7, 50)];
        let runs = all(1_000, false, news);
        assert_eq!(runs.len(), 1_000);
        assert_eq!(runs, all(1_000, true, news));
        assert!(runs.iter().all(|run| run.switches.iter().all(|(after, _)| *after <= 50)));
        assert!(runs.iter().all(|run| run.switches.is_sorted_by(|a, b| a.0 < b.0)));
    }

    #[test]
    fn only_what_is_new_is_gone_on_from() {
        let runs = all(1_000, false, |index, _| vec![(u64::from(index == 100), 9)]);
        let origins: HashSet<_> =
            runs.iter().filter(|run| !run.switches.is_empty()).map(|run| run.first).collect();
        // Of the first run, in which nothing is new for the first time, and of that one.
        assert_eq!(origins, [7, runs[100].first].into_iter().collect());
        assert!(all(1_000, false, |_, _| News::new()).iter().all(|run| run.switches.is_empty()));
    }

    #[test]
    fn newest_are_kept() {
        let mut state = State {
            random: Random::new(0, Stream::Search),
            known: HashSet::default(),
            kept: VecDeque::new(),
            fresh: 0,
            first: 0,
            runs: (0..1_000).map(Seed::from).collect(),
            begun: 0,
            ended: 0,
            news: (0..1_000).map(|run| vec![(run, 1)]).collect(),
            over: false,
        };
        state.learn();
        assert_eq!((state.kept.len(), state.kept[0].seed.first), (KEPT, 1_000 - KEPT as u64));
        let varied: Vec<_> = (0..1_000).filter_map(|_| state.vary()).collect();
        let newest = varied.iter().filter(|seed| seed.first >= 1_000 - NEWEST as u64).count();
        assert!(varied.len() == 1_000 && newest.abs_diff(515) < 60, "{newest}");
    }
}
