//! Measurements beside a crowd. They take as long to compile as all operations, so only their reports have them.

use crate::growth::{self, Fairness, Growth};
use crate::{Operation, Report, Way, contention};

pub(crate) struct Crowds {
    /// Measures an operation: with a crowd of this size, this many times.
    pub(crate) grow: fn(Operation, u64, u64) -> Growth,
    /// Measures an operation on this number of threads at once, this many times on each.
    pub(crate) contend: fn(Operation, usize, u64) -> Report,
    /// Measures fairness beside this many idle connections.
    pub(crate) fairness: fn(u64) -> Fairness,
}

impl Crowds {
    pub(crate) const fn of<W: Way>() -> Self {
        Self { grow: grow::<W>, contend: contend::<W>, fairness: fairness::<W> }
    }
}

fn grow<W: Way>(operation: Operation, crowd: u64, n: u64) -> Growth {
    let way = W::start();
    let inside = way.clone();
    way.block_on(async move { growth::run(&inside, operation, crowd, n).await })
}

fn contend<W: Way>(operation: Operation, threads: usize, n: u64) -> Report {
    let way = W::start();
    let inside = way.clone();
    way.block_on(async move { contention::run(&inside, operation, threads, n).await })
}

fn fairness<W: Way>(idle: u64) -> Fairness {
    let way = W::start();
    let inside = way.clone();
    way.block_on(async move { growth::fairness(&inside, idle).await })
}
