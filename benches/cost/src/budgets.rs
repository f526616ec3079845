//! budgets.toml: the limits relative to the runtime itself.

use std::collections::BTreeMap;
use std::fs;

use clap::ValueEnum;
use harness::Operation;
use serde::Deserialize;

use crate::programs::root;

/// Limits of an operation on a runtime.
pub(crate) struct Budget {
    pub(crate) operation: Operation,
    pub(crate) runtime: String,
    pub(crate) limits: Limits,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    /// Additional instructions through the traits.
    pub(crate) traits: Option<f64>,
    /// Additional instructions through a free function, which uses `AnyRuntime`.
    pub(crate) free: Option<f64>,
    /// Additional instructions through a watched handle.
    pub(crate) watched: Option<f64>,
    /// Additional allocations, in any way.
    pub(crate) allocations: Option<f64>,
    /// Total system calls, through the traits.
    pub(crate) syscalls: Option<f64>,
    /// The target, through the traits and through a free function.
    pub(crate) target: String,
    /// The reason why the target is missed.
    pub(crate) missed: Option<String>,
}

pub(crate) fn read() -> Result<Vec<Budget>, String> {
    let path = root().join("budgets.toml");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let table: BTreeMap<String, BTreeMap<String, Limits>> =
        toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut budgets = Vec::new();
    for (operation, runtimes) in table {
        let operation = Operation::from_str(&operation, false)?;
        budgets.extend(runtimes.into_iter().map(|(runtime, limits)| Budget { operation, runtime, limits }));
    }
    budgets.sort_by_key(|budget| budget.operation);
    Ok(budgets)
}
