//! Whether anyrt takes more than it may.

use std::process::ExitCode;

use crate::budgets::{self, Budget};
use crate::measure::{each, has};
use crate::programs::{ALL, Program};

/// What a few queues that grow may cost, per operation.
const NOISE: f64 = 0.05;

/// Something to measure in some way, which may not be more than `limit` over the runtime's own.
struct Check<'a> {
    budget: &'a Budget,
    what: What,
    way: &'static str,
    limit: f64,
}

#[derive(Clone, Copy, PartialEq)]
enum What {
    Allocations,
    Instructions,
    Syscalls,
}

pub(crate) fn run() -> Result<ExitCode, String> {
    let budgets = budgets::read()?;
    let program = Program::workloads(ALL)?;
    let mut checks = Vec::new();
    let (valgrind, strace) = (has("valgrind"), has("strace"));
    for budget in &budgets {
        let limits = &budget.limits;
        let check = |what, way, limit: Option<f64>| limit.map(|limit| Check { budget, what, way, limit });
        for way in ["traits", "any", "free"] {
            checks.extend(check(What::Allocations, way, limits.allocations));
        }
        if valgrind {
            checks.extend(check(What::Instructions, "traits", limits.traits));
            checks.extend(check(What::Instructions, "free", limits.free));
        }
        if strace {
            checks.extend(check(What::Syscalls, "traits", limits.syscalls));
        }
    }
    let measured = each("measuring", &checks, |check| check.measure(&program))?;

    let (mut over, mut loose) = (0, 0);
    for (check, more) in checks.iter().zip(measured) {
        let Check { budget: Budget { operation, runtime, .. }, what, way, limit } = check;
        let what = match what {
            What::Allocations => "allocations more",
            What::Instructions => "instructions more",
            What::Syscalls => "system calls",
        };
        let line = format!("{operation} on {runtime}, {way}: {more:.2} {what}, and {limit} are allowed");
        if more > limit + NOISE {
            over += 1;
            println!("OVER   {line}");
        } else if more < limit - 20.0 {
            loose += 1;
            println!("loose  {line}");
        }
    }
    if !valgrind {
        println!("skipped: instructions, because there is no valgrind");
    }
    if !strace {
        println!("skipped: system calls, because there is no strace");
    }
    println!("{} checks against budgets.toml: {over} over, {loose} looser than they need be", checks.len());
    Ok(if over > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

impl Check<'_> {
    fn measure(&self, program: &Program) -> Result<f64, String> {
        let Budget { operation, runtime, .. } = self.budget;
        let measure = |way| {
            let implementation = format!("{runtime}/{way}");
            match self.what {
                What::Allocations => Ok(program.allocations(&implementation, *operation)?.0),
                What::Instructions => program.instructions(&implementation, *operation),
                What::Syscalls => program.syscalls(&implementation, *operation),
            }
        };
        let ours = measure(self.way)?;
        Ok(if self.what == What::Syscalls { ours } else { ours - measure("native")? })
    }
}
