//! Which run is next: one for each seed, or what a guide makes of them.

use std::sync::atomic::{AtomicU64, Ordering};

use super::guide::Guide;
use super::shard::Seeds;
use crate::backend::sim::log::News;
use crate::backend::sim::replay::Seed;

pub(super) enum Plan {
    /// The next index, and the end.
    Seeds(Seeds, AtomicU64, AtomicU64),
    Guided(Guide),
}

impl Plan {
    pub(super) fn new(seeds: Seeds, guided: bool) -> Self {
        if guided {
            Self::Guided(Guide::new(seeds))
        } else {
            Self::Seeds(seeds, AtomicU64::new(0), AtomicU64::new(seeds.count))
        }
    }

    /// How many runs have begun.
    pub(super) fn begun(&self) -> u64 {
        match self {
            Self::Seeds(_, next, _) => next.load(Ordering::Relaxed),
            Self::Guided(guide) => guide.begun(),
        }
    }

    /// The seed of a run that has not ended.
    pub(super) fn seed(&self, index: u64) -> Option<Seed> {
        match self {
            Self::Seeds(seeds, ..) => Some(seeds.get(index).into()),
            Self::Guided(guide) => guide.seed(index),
        }
    }

    /// The next run, and its index. Each ends before a later one can be the result: they are taken in order, and those that
    /// are taken are run.
    pub(super) fn take(&self) -> Option<(u64, Seed)> {
        match self {
            Self::Seeds(seeds, next, end) => {
                let one = |index| (index < end.load(Ordering::Relaxed)).then(|| index + 1);
                let index = next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one).ok()?;
                Some((index, seeds.get(index).into()))
            }
            Self::Guided(guide) => guide.take(),
        }
    }

    /// A run has passed, with this in it.
    pub(super) fn passed(&self, index: u64, news: News) {
        if let Self::Guided(guide) = self {
            guide.passed(index, news);
        }
    }

    /// A run has failed: no later one begins.
    pub(super) fn failed(&self, index: u64) {
        match self {
            Self::Seeds(_, _, end) => {
                end.fetch_min(index, Ordering::Relaxed);
            }
            Self::Guided(guide) => guide.end(),
        }
    }

    /// A thread is done. If it has not come to an end but panicked, nobody waits for it.
    pub(super) fn done(&self) {
        if let Self::Guided(guide) = self {
            guide.end();
        }
    }
}
