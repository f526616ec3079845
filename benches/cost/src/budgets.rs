//! budgets.toml: the limits relative to the runtime itself.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;

use clap::ValueEnum;
use harness::Operation;
use serde::Deserialize;
use toml::Value;

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
    /// Instructions through the traits, by profile.
    pub(crate) traits: Option<[Cost; 2]>,
    /// Instructions through a free function, which uses `AnyRuntime`, by profile.
    pub(crate) free: Option<[Cost; 2]>,
    /// Instructions through a watched handle, by profile.
    pub(crate) watched: Option<[Cost; 2]>,
    /// Atomic instructions, by a free function.
    pub(crate) atomics: Option<Cost>,
    /// Allocations, in any way.
    pub(crate) allocations: Option<Cost>,
    /// Allocations through a watched handle, if these are others.
    #[serde(rename = "watched-allocations")]
    pub(crate) watched_allocations: Option<Cost>,
    /// System calls, through the traits.
    pub(crate) syscalls: Option<Cost>,
    /// The target, through the traits and through a free function.
    pub(crate) target: String,
    /// The reason why the target is missed.
    pub(crate) missed: Option<String>,
}

/// Cost of an operation.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "Value")]
pub(crate) enum Cost {
    /// In addition to the runtime's own: 34.
    More(f64),
    /// Relative to the runtime's own: "1.05×".
    Times(f64),
    /// With the runtime's own: "60 in all".
    InAll(f64),
}

impl Cost {
    /// Returns the cost with the runtime's own.
    pub(crate) fn in_all(self, native: f64) -> f64 {
        match self {
            Self::More(more) => native + more,
            Self::Times(times) => native * times,
            Self::InAll(all) => all,
        }
    }

    /// Returns a measured cost in the unit of this one.
    pub(crate) fn in_its_unit(self, ours: f64, native: f64) -> Self {
        match self {
            Self::More(_) => Self::More(ours - native),
            Self::Times(_) => Self::Times(ours / native),
            Self::InAll(_) => Self::InAll(ours),
        }
    }
}

impl TryFrom<Value> for Cost {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let number = |text: &str| text.parse().map_err(|_| format!("{text:?} is not a number"));
        match &value {
            Value::Integer(more) => Ok(Self::More(*more as f64)),
            Value::String(text) => match (text.strip_suffix("×"), text.strip_suffix(" in all")) {
                (Some(times), _) => Ok(Self::Times(number(times)?)),
                (_, Some(all)) => Ok(Self::InAll(number(all)?)),
                _ => Err(format!("{text:?} is not like 34, \"1.05×\" or \"60 in all\"")),
            },
            _ => Err(format!("{value:?} is not a cost")),
        }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(0);
        match self {
            Self::More(more) => write!(f, "{more:+.digits$}"),
            Self::Times(times) => write!(f, "{times:.2}×"),
            Self::InAll(all) => write!(f, "{all:.digits$} in all"),
        }
    }
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
