//! All measurements, as the tables of README.md.

use std::collections::BTreeMap;
use std::ptr;

use clap::ValueEnum;
use harness::Operation;

use crate::adapters;
use crate::attributes;
use crate::budgets;
use crate::contention;
use crate::echo;
use crate::gate::{self, Check, What};
use crate::growth;
use crate::measure::{each, has};
use crate::peers;
use crate::programs::{ALL, Profile, Program};
use crate::table::{Table, fill};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which of them; all unless said
    #[arg(value_enum)]
    tables: Vec<Name>,
    /// How often each of them has its turn for wall and CPU time, one after the other
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
}

/// A table, or two of one measurement.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Name {
    /// The operations with a budget
    Targets,
    Allocations,
    /// Wall and CPU time
    Times,
    /// How late intervals become
    Drift,
    Syscalls,
    Instructions,
    /// Instructions with one backend compiled in
    Alone,
    /// What other layers cost, and chart.svg
    Peers,
    /// How cost grows, and who gets a turn
    Growth,
    /// Free functions on several threads at once
    Contention,
    /// What echo servers are made of
    Echo,
    /// How long tests compile
    Attributes,
    /// What libraries cost through what is shipped for them
    Adapters,
}

const RUNTIMES: [&str; 5] = ["tokio-ct", "tokio-mt", "smol", "smol-own", "async-std"];
const WAYS: [&str; 4] = ["native", "traits", "any", "free"];
/// The runtimes in a program with one backend.
const ALONE: [(&str, &[&str]); 3] =
    [("tokio", &["tokio-ct", "tokio-mt"]), ("smol", &["smol", "smol-own"]), ("async-std", &["async-std"])];

/// Wall and CPU time of these vary by a third with the timing of threads; their allocations are exact.
const BY_CHANCE: &[Operation] = &[
    Operation::SpawnBlocking,
    Operation::SleepZero,
    Operation::TcpThroughput,
    Operation::Tcp256,
    Operation::Interval,
];

/// An operation, a runtime and a way.
type Case = (Operation, &'static str, &'static str);

pub(crate) fn run(args: &Args) -> Result<(), String> {
    let tables = if args.tables.is_empty() { Name::value_variants() } else { &args.tables };
    tables.iter().try_for_each(|table| write(*table, args.rounds))
}

fn write(table: Name, rounds: u64) -> Result<(), String> {
    let tools: &[&str] = match table {
        Name::Syscalls => &["strace"],
        Name::Instructions | Name::Alone | Name::Peers | Name::Contention => &["valgrind"],
        Name::Targets => &["valgrind", "strace"],
        _ => &[],
    };
    if let Some(tool) = tools.iter().find(|tool| !has(tool)) {
        let name = table.to_possible_value();
        let name = name.as_ref().map_or("", |name| name.get_name());
        println!("skipped: {name}, because there is no {tool}");
        return Ok(());
    }
    let all = || Program::workloads(ALL, Profile::One);
    match table {
        Name::Targets => fill("targets", &targets()?),
        Name::Allocations => fill("allocations", &allocations(&all()?)?),
        Name::Times => fill("times", &times(&all()?, rounds)?),
        Name::Drift => fill("drift", &drift(&all()?)?),
        Name::Syscalls => fill("syscalls", &syscalls(&all()?)?),
        Name::Instructions => fill("instructions", &instructions()?),
        Name::Alone => fill("alone", &alone()?),
        Name::Peers => peers::report(),
        Name::Growth => growth::report(),
        Name::Contention => contention::report(rounds),
        Name::Echo => echo::report(),
        Name::Attributes => attributes::report(),
        Name::Adapters => adapters::report(rounds),
    }
}

/// Measures what has a budget, and lists it beside the targets.
fn targets() -> Result<String, String> {
    let budgets = budgets::read()?;
    let measured = gate::measured(&budgets, &Program::both()?)?;
    let mut table = Table::new([
        "operation",
        "runtime",
        "target",
        "traits",
        "free function",
        "watched",
        "free function: atomic",
        "allocations",
        "system calls",
        "why it is missed",
    ]);
    for budget in &budgets {
        let cost = |what: &[What], way| {
            let of = |check: &Check<'_>| {
                ptr::eq(check.budget, budget) && check.way == way && what.contains(&check.what)
            };
            let costs = measured.iter().filter(|(check, _)| of(check)).map(|(_, took)| took.cost.to_string());
            let costs: Vec<_> = costs.collect();
            if costs.is_empty() { "–".to_owned() } else { costs.join(", ") }
        };
        let instructions = Profile::BOTH.map(What::Instructions);
        let limits = &budget.limits;
        table.row(vec![
            budget.operation.to_string(),
            budget.runtime.clone(),
            limits.target.clone(),
            cost(&instructions, "traits"),
            cost(&instructions, "free"),
            cost(&instructions, "watched"),
            cost(&[What::Atomics], "free"),
            cost(&[What::Allocations], "traits"),
            cost(&[What::Syscalls], "traits"),
            limits.missed.clone().unwrap_or_default(),
        ]);
    }
    Ok(table.to_markdown())
}

fn instructions() -> Result<String, String> {
    let operations = Operation::ALL.iter().copied().filter(|operation| !BY_CHANCE.contains(operation));
    let programs = Program::both()?;
    by_way(
        "instructions",
        operations,
        |(operation, runtime, way)| {
            let [one, default] = programs.each_ref().map(|program| {
                program.counted(&format!("{runtime}/{way}"), *operation).map(|counted| counted.instructions)
            });
            Ok([one?, default?])
        },
        |[one, default]| format!("{one:.0}, {default:.0}"),
    )
}

fn allocations(all: &Program) -> Result<String, String> {
    let operations = Operation::ALL.iter().copied().filter(|operation| *operation != Operation::Interval);
    by_way(
        "allocations",
        operations,
        |(operation, runtime, way)| all.allocations(&format!("{runtime}/{way}"), *operation),
        |(allocations, bytes)| format!("{:.2} ({:.0} B)", allocations + 0.0, bytes + 0.0),
    )
}

fn syscalls(all: &Program) -> Result<String, String> {
    by_way(
        "system calls",
        [Operation::TcpPingPong].into_iter(),
        |(operation, runtime, way)| all.syscalls(&format!("{runtime}/{way}"), *operation),
        |n| format!("{n:.1}"),
    )
}

/// Formats a table of all runtimes in all ways.
fn by_way<T: Send>(
    what: &'static str,
    operations: impl Iterator<Item = Operation>,
    measure: impl Fn(&Case) -> Result<T, String> + Sync,
    show: impl Fn(&T) -> String,
) -> Result<String, String> {
    let cases: Vec<Case> = operations
        .flat_map(|operation| {
            RUNTIMES.iter().flat_map(move |runtime| WAYS.map(|way| (operation, *runtime, way)))
        })
        .collect();
    let measured = each(what, &cases, measure)?;
    let mut table = Table::new(["operation", "runtime", "itself", "traits", "AnyRuntime", "free function"]);
    for (cases, measured) in cases.chunks(WAYS.len()).zip(measured.chunks(WAYS.len())) {
        let (operation, runtime, _) = cases[0];
        let head = [operation.to_string(), runtime.to_owned()];
        table.row(head.into_iter().chain(measured.iter().map(&show)).collect());
    }
    Ok(table.to_markdown())
}

/// Additional instructions when only one backend is compiled in.
fn alone() -> Result<String, String> {
    let mut table = Table::new(["operation", "runtime", "traits", "AnyRuntime", "free function"]);
    for (backend, runtimes) in ALONE {
        let program = Program::workloads(backend, Profile::One)?;
        let operations = [
            Operation::Spawn,
            Operation::SpawnDetached,
            Operation::SleepDrop,
            Operation::TimeoutReady,
            Operation::TimeoutPending,
            Operation::Yield,
        ];
        let cases: Vec<Case> = operations
            .into_iter()
            .flat_map(|operation| {
                runtimes.iter().flat_map(move |runtime| WAYS.map(|way| (operation, *runtime, way)))
            })
            .collect();
        let measured = each(backend, &cases, |(operation, runtime, way)| {
            program.counted(&format!("{runtime}/{way}"), *operation).map(|counted| counted.instructions)
        })?;
        for (cases, measured) in cases.chunks(WAYS.len()).zip(measured.chunks(WAYS.len())) {
            let (operation, runtime, _) = cases[0];
            let more = measured[1..].iter().map(|n| format!("{:+.0}", n - measured[0]));
            table.row([operation.to_string(), runtime.to_owned()].into_iter().chain(more).collect());
        }
    }
    Ok(table.to_markdown())
}

/// Medians of pairs: anyrt right after the runtime itself, as wall and as CPU time.
fn times(all: &Program, rounds: u64) -> Result<String, String> {
    let mut table =
        Table::new(["operation", "runtime", "itself", "traits: wall, CPU", "free function: wall, CPU"]);
    let cases: Vec<(Operation, &str)> = Operation::ALL
        .iter()
        .filter(|operation| **operation != Operation::Interval)
        .flat_map(|operation| RUNTIMES.map(|runtime| (*operation, runtime)))
        .collect();
    for (operation, runtime) in cases {
        let n = match operation {
            Operation::SleepZero => 100,
            Operation::TcpPingPong | Operation::TcpThroughput | Operation::SpawnBlocking => 2_000,
            _ => 20_000,
        };
        let mut pairs = BTreeMap::<&str, (Vec<f64>, Vec<f64>)>::new();
        let mut itself = Vec::new();
        for _ in 0..rounds {
            for way in ["traits", "free"] {
                let native = all.run(&format!("{runtime}/native"), operation, n)?;
                let ours = all.run(&format!("{runtime}/{way}"), operation, n)?;
                itself.push(native.wall_nanos as f64 / n as f64);
                let (wall, cpu) = pairs.entry(way).or_default();
                wall.push(ours.wall_nanos as f64 / native.wall_nanos as f64);
                cpu.push(ours.cpu_nanos as f64 / native.cpu_nanos as f64);
            }
        }
        let ratio = |way| {
            let (wall, cpu) = pairs.get(way).cloned().unwrap_or_default();
            format!("{:.2}, {:.2}", median(wall), median(cpu))
        };
        let itself = format!("{:.0} ns", median(itself));
        table.row(vec![operation.to_string(), runtime.to_owned(), itself, ratio("traits"), ratio("free")]);
    }
    Ok(table.to_markdown())
}

/// Measures the delay of the thousandth tick of an interval of a millisecond.
fn drift(all: &Program) -> Result<String, String> {
    const TICKS: u64 = 1_000;
    let mut table = Table::new(["runtime", "itself", "traits", "free function"]);
    for runtime in RUNTIMES {
        let mut row = vec![runtime.to_owned()];
        for way in ["native", "traits", "free"] {
            let run = |ticks| all.run(&format!("{runtime}/{way}"), Operation::Interval, ticks);
            // The first tick comes at once or after one period.
            let nanos = run(TICKS + 1)?.wall_nanos as f64 - run(1)?.wall_nanos as f64;
            row.push(format!("{:+.1} ms", nanos / 1e6 - TICKS as f64));
        }
        table.row(row);
    }
    Ok(table.to_markdown())
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
