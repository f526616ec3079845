//! The check that anyrt stays within its budgets.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::process::ExitCode;

use harness::Operation;

use crate::budgets::{self, Budget, Cost};
use crate::measure::{each, has};
use crate::programs::{Profile, Program};

/// Allowance for queues that grow, per operation.
const NOISE: f64 = 0.05;
/// Number of repeated measurements of an operation above its limit.
const RETRIES: u32 = 4;
/// A budget that could be lower by this much is reported.
const LOOSE: f64 = 40.0;

/// A check that a cost is at most `limit`.
pub(crate) struct Check<'a> {
    pub(crate) budget: &'a Budget,
    pub(crate) what: What,
    pub(crate) way: &'static str,
    limit: Cost,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    Allocations,
    Atomics,
    Instructions(Profile),
    Syscalls,
}

/// Result of a check.
#[derive(Clone, Copy)]
pub(crate) struct Took {
    /// In the unit of the limit.
    pub(crate) cost: Cost,
    /// Distance to the limit, negative above it.
    left: f64,
}

type Measurement<'a> = (What, &'a str, &'static str, Operation);

pub(crate) fn run() -> Result<ExitCode, String> {
    let budgets = budgets::read()?;
    let programs = Program::both()?;
    let measured = measured(&budgets, &programs)?;

    let (mut over, mut loose) = (0, 0);
    for (check, took) in &measured {
        let mut took = *took;
        // Costs that depend on the timing of threads exceed the limit now and then; costs of the code do so every time.
        for _ in 0..RETRIES {
            if took.left < -NOISE {
                let again = check.took(|measurement| measure(&programs, measurement))?;
                took = if again.left > took.left { again } else { took };
            }
        }
        let Check { budget: Budget { operation, runtime, .. }, what, way, limit } = check;
        let line = format!("{operation} on {runtime}, {way}: {:.2} {what}; allowed is {limit}", took.cost);
        if took.left < -NOISE {
            over += 1;
            println!("OVER   {line}");
        } else if took.left > LOOSE {
            loose += 1;
            println!("loose  {line}");
        }
    }
    for (tool, skipped) in [("valgrind", "instructions"), ("strace", "system calls")] {
        if !has(tool) {
            println!("skipped: {skipped}: there is no {tool}");
        }
    }
    println!("{} checks against budgets.toml: {over} over, {loose} looser than they need be", measured.len());
    Ok(if over > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Measures whatever has a limit, and leaves out what there is no tool for.
pub(crate) fn measured<'a>(
    budgets: &'a [Budget],
    programs: &[Program; 2],
) -> Result<Vec<(Check<'a>, Took)>, String> {
    let (valgrind, strace) = (has("valgrind"), has("strace"));
    let mut checks: Vec<_> = budgets.iter().flat_map(checks).collect();
    checks.retain(|check| match check.what {
        What::Allocations => true,
        What::Atomics | What::Instructions(_) => valgrind,
        What::Syscalls => strace,
    });
    let needed: BTreeSet<_> =
        checks.iter().flat_map(|check| [Some(check.ours()), check.native()]).flatten().collect();
    let needed: Vec<_> = needed.into_iter().collect();
    let measured = each("measuring", &needed, |measurement| measure(programs, *measurement))?;
    let measured: BTreeMap<_, _> = needed.into_iter().zip(measured).collect();
    let took: Vec<_> =
        checks.iter().map(|check| check.took(|of| Ok(measured[&of]))).collect::<Result<_, String>>()?;
    Ok(checks.into_iter().zip(took).collect())
}

fn checks(budget: &Budget) -> Vec<Check<'_>> {
    let limits = &budget.limits;
    let ways = [("traits", limits.traits), ("free", limits.free), ("watched", limits.watched)];
    let mut checks = Vec::new();
    let mut check = |what, way, limit: Option<Cost>| {
        checks.extend(limit.map(|limit| Check { budget, what, way, limit }));
    };
    for (way, by_profile) in ways {
        match (way, by_profile) {
            ("watched", None) => {}
            ("watched", Some(_)) => {
                check(What::Allocations, way, limits.watched_allocations.or(limits.allocations));
            }
            _ => check(What::Allocations, way, limits.allocations),
        }
        for (at, profile) in Profile::BOTH.into_iter().enumerate() {
            check(What::Instructions(profile), way, by_profile.map(|limits| limits[at]));
        }
    }
    check(What::Atomics, "free", limits.atomics);
    check(What::Syscalls, "traits", limits.syscalls);
    checks
}

impl Check<'_> {
    fn ours(&self) -> Measurement<'_> {
        (self.what, &self.budget.runtime, self.way, self.budget.operation)
    }

    /// Returns the baseline, if there is one.
    fn native(&self) -> Option<Measurement<'_>> {
        let native = (self.what, &*self.budget.runtime, "native", self.budget.operation);
        (!matches!(self.limit, Cost::InAll(_))).then_some(native)
    }

    fn took(&self, measure: impl Fn(Measurement<'_>) -> Result<f64, String>) -> Result<Took, String> {
        let native = self.native().map(&measure).transpose()?.unwrap_or(0.0);
        let ours = measure(self.ours())?;
        Ok(Took { cost: self.limit.in_its_unit(ours, native), left: self.limit.in_all(native) - ours })
    }
}

/// Only instructions differ between the profiles.
fn measure(programs: &[Program; 2], (what, runtime, way, operation): Measurement<'_>) -> Result<f64, String> {
    let implementation = format!("{runtime}/{way}");
    match what {
        What::Allocations => Ok(programs[0].allocations(&implementation, operation)?.0),
        What::Atomics => Ok(programs[0].counted(&implementation, operation)?.atomics),
        What::Instructions(profile) => {
            programs[profile as usize].counted(&implementation, operation).map(|counted| counted.instructions)
        }
        What::Syscalls => programs[0].syscalls(&implementation, operation),
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allocations => "allocations",
            Self::Atomics => "atomic instructions",
            Self::Instructions(Profile::One) => "instructions",
            Self::Instructions(Profile::Default) => "instructions in cargo's default profile",
            Self::Syscalls => "system calls",
        })
    }
}
