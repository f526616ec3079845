//! The check that anyrt stays within its budgets.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use harness::Operation;

use crate::budgets::{self, Budget};
use crate::measure::{each, has};
use crate::programs::{ALL, Program};

/// Allowance for queues that grow, per operation.
const NOISE: f64 = 0.05;
/// Number of repeated measurements of an operation above its limit.
const RETRIES: u32 = 4;
/// A budget that could be lower by this much is reported.
const LOOSE: f64 = 40.0;

/// A check that a cost is at most `limit`: in total, or in addition to the runtime's own.
struct Check<'a> {
    budget: &'a Budget,
    what: What,
    way: &'static str,
    limit: f64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Allocations,
    Instructions,
    Syscalls,
}

type Measurement<'a> = (What, &'a str, &'static str, Operation);

pub(crate) fn run() -> Result<ExitCode, String> {
    let budgets = budgets::read()?;
    let (valgrind, strace) = (has("valgrind"), has("strace"));
    let program = Program::workloads(ALL)?;
    let mut checks = Vec::new();
    for budget in &budgets {
        let limits = &budget.limits;
        let check = |what, way, limit: Option<f64>| limit.map(|limit| Check { budget, what, way, limit });
        let watched = limits.watched.map(|_| "watched");
        for way in ["traits", "free"].into_iter().chain(watched) {
            checks.extend(check(What::Allocations, way, limits.allocations));
        }
        if valgrind {
            checks.extend(check(What::Instructions, "traits", limits.traits));
            checks.extend(check(What::Instructions, "free", limits.free));
            checks.extend(check(What::Instructions, "watched", limits.watched));
        }
        if strace {
            checks.extend(check(What::Syscalls, "traits", limits.syscalls));
        }
    }
    let needed: BTreeSet<_> =
        checks.iter().flat_map(|check| [Some(check.ours()), check.native()]).flatten().collect();
    let needed: Vec<_> = needed.into_iter().collect();
    let measured = each("measuring", &needed, |measurement| measure(&program, *measurement))?;
    let measured: BTreeMap<_, _> = needed.into_iter().zip(measured).collect();

    let (mut over, mut loose) = (0, 0);
    for check in &checks {
        let limit = check.limit;
        let mut took = check.took(|measurement| Ok(measured[&measurement]))?;
        // Costs that depend on the timing of threads exceed the limit now and then; costs of the code do so every time.
        for _ in 0..RETRIES {
            if took > limit + NOISE {
                took = took.min(check.took(|measurement| measure(&program, measurement))?);
            }
        }
        let Check { budget: Budget { operation, runtime, .. }, what, way, .. } = check;
        let what = match what {
            What::Allocations => "allocations more",
            What::Instructions => "instructions more",
            What::Syscalls => "system calls",
        };
        let line = format!("{operation} on {runtime}, {way}: {took:.2} {what}, and {limit} are allowed");
        if took > limit + NOISE {
            over += 1;
            println!("OVER   {line}");
        } else if took < limit - LOOSE {
            loose += 1;
            println!("loose  {line}");
        }
    }
    for (tool, skipped) in
        [(valgrind, "instructions: there is no valgrind"), (strace, "system calls: there is no strace")]
    {
        if !tool {
            println!("skipped: {skipped}");
        }
    }
    println!("{} checks against budgets.toml: {over} over, {loose} looser than they need be", checks.len());
    Ok(if over > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

impl Check<'_> {
    fn ours(&self) -> Measurement<'_> {
        (self.what, &self.budget.runtime, self.way, self.budget.operation)
    }

    fn took(&self, measure: impl Fn(Measurement<'_>) -> Result<f64, String>) -> Result<f64, String> {
        Ok(measure(self.ours())? - self.native().map(&measure).transpose()?.unwrap_or(0.0))
    }

    /// Returns the baseline, if there is one.
    fn native(&self) -> Option<Measurement<'_>> {
        let native = (self.what, &*self.budget.runtime, "native", self.budget.operation);
        (self.what != What::Syscalls).then_some(native)
    }
}

fn measure(program: &Program, (what, runtime, way, operation): Measurement<'_>) -> Result<f64, String> {
    let implementation = format!("{runtime}/{way}");
    match what {
        What::Allocations => Ok(program.allocations(&implementation, operation)?.0),
        What::Instructions => program.instructions(&implementation, operation),
        What::Syscalls => program.syscalls(&implementation, operation),
    }
}
