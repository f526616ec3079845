//! What was done in all runs together: a run in which nothing happens proves nothing.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::check::Operation;
use crate::workload::Workload;

/// Counts; the clones are one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) runs: Count,
    pub(crate) operations: Count,
    /// Attempts of clients that failed, and were made again.
    pub(crate) retries: Count,
    /// Those that were drawn.
    pub(crate) faults: Count,
    /// How often a replica was started.
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
    /// A run is over.
    pub(crate) fn add(&self, operations: &[Operation], workload: &Workload) {
        self.runs.add(1);
        self.operations.add(operations.len() as u64);
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
