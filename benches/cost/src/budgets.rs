//! budgets.toml: how much more than the runtime itself.

use std::collections::BTreeMap;
use std::fs;

use clap::ValueEnum;
use harness::Operation;
use serde::Deserialize;

use crate::programs::root;

/// What one operation on one runtime may take.
pub(crate) struct Budget {
    pub(crate) operation: Operation,
    pub(crate) runtime: String,
    pub(crate) limits: Limits,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    /// Instructions more than the runtime itself, through the traits.
    pub(crate) traits: Option<f64>,
    /// Likewise, through a free function, which goes through `AnyRuntime`.
    pub(crate) free: Option<f64>,
    /// Allocations more, in any way.
    pub(crate) allocations: Option<f64>,
    /// System calls in all, through the traits.
    pub(crate) syscalls: Option<f64>,
    /// What is aimed at, through the traits and through a free function.
    pub(crate) target: String,
    /// Why that is missed.
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
