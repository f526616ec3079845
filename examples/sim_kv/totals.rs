//! Counts over all runs: a run in which nothing happens proves nothing.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::workload::Workload;

/// Counts; clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) runs: Count,
    pub(crate) operations: Count,
    /// Repeated attempts of clients.
    pub(crate) retries: Count,
    /// Drawn faults.
    pub(crate) faults: Count,
    /// Starts of replicas.
    pub(crate) boots: Count,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Count(Arc<AtomicU64>);

impl Count {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Totals {
    /// Adds a run that has ended.
    pub(crate) fn add(&self, workload: &Workload) {
        self.runs.add(1);
        self.operations.add(workload.history.len() as u64);
        self.retries.add(workload.retries.get());
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runs, operations, retries, faults, boots } = self;
        let [runs, operations, retries, faults, boots] =
            [runs, operations, retries, faults, boots].map(Count::get);
        write!(f, "{runs} runs: {operations} operations, {retries} attempts made again, ")?;
        write!(f, "{faults} faults, {boots} starts of a replica")
    }
}
