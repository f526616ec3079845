//! How an operation becomes slower when several threads run it at once: what they share is in the way then.

use std::process::Command;

use harness::{Operation, Report};
use indicatif::ProgressBar;

use crate::measure::{Counted, has};
use crate::programs::{ALL, Profile, Program, output};
use crate::report::median;
use crate::table::{self, Table};

const RUNTIMES: [&str; 3] = ["tokio-mt", "smol", "async-std"];
const OPERATIONS: [Operation; 4] =
    [Operation::Spawn, Operation::SpawnDetached, Operation::SleepCreate, Operation::Current];
/// The first is the baseline.
const THREADS: [usize; 4] = [1, 2, 4, 8];

/// Cost of a call.
#[derive(Clone, Copy)]
struct Call {
    /// `None` without valgrind.
    counted: Option<Counted>,
    cpu_nanos: f64,
}

/// Fills the table of README.md.
pub(crate) fn report(rounds: u64) -> Result<(), String> {
    let program = Program::workloads(&format!("{ALL},crowds,system-allocator"), Profile::One)?;
    let mut table = Table::new([
        "operation",
        "runtime",
        "threads",
        "itself: instructions",
        "atomic",
        "CPU",
        "×",
        "free function: instructions",
        "atomic",
        "CPU",
        "×",
    ]);
    let bar = ProgressBar::new((OPERATIONS.len() * RUNTIMES.len() * THREADS.len()) as u64);
    for operation in OPERATIONS {
        for runtime in RUNTIMES {
            let mut alone = None;
            for threads in THREADS {
                let call = |way| program.call(&format!("{runtime}/{way}"), operation, threads, rounds);
                let calls = [call("native")?, call("free")?];
                let alone = alone.get_or_insert(calls);
                let mut row = vec![operation.to_string(), runtime.to_owned(), threads.to_string()];
                row.extend(calls.iter().zip(alone).flat_map(|(call, alone)| cells(*call, *alone)));
                table.row(row);
                bar.inc(1);
            }
        }
    }
    bar.finish_and_clear();
    table::fill("contention", &table.to_markdown())
}

/// Returns the number of operations on each thread for CPU time: long enough for the threads to meet.
fn many(operation: Operation) -> u64 {
    match operation {
        Operation::Spawn | Operation::SpawnDetached => 100_000,
        _ => 2_000_000,
    }
}

fn cells(call: Option<Call>, alone: Option<Call>) -> [String; 4] {
    let Some((call, alone)) = call.zip(alone) else { return ["–"; 4].map(str::to_owned) };
    let [instructions, atomics] = call.counted.map_or(["–"; 2].map(str::to_owned), |counted| {
        // Without the sign of what rounds to zero.
        let atomics = (counted.atomics * 10.0).round() / 10.0 + 0.0;
        [format!("{:.0}", counted.instructions), format!("{atomics:.1}")]
    });
    let times = call.cpu_nanos / alone.cpu_nanos;
    [instructions, atomics, format!("{:.0} ns", call.cpu_nanos), format!("{times:.2}")]
}

impl Program {
    /// Measures an operation on all of these threads; `None` if it is lacking.
    fn call(
        &self,
        name: &str,
        operation: Operation,
        threads: usize,
        rounds: u64,
    ) -> Result<Option<Call>, String> {
        if self.lacks(name, operation)? {
            return Ok(None);
        }
        let counted = has("valgrind").then(|| self.contended(name, operation, threads)).transpose()?;
        let (n, mut nanos) = (many(operation), Vec::new());
        for _ in 0..rounds {
            let mut command = Command::new(&self.path);
            command.args([name, &operation.to_string(), &n.to_string(), "--threads", &threads.to_string()]);
            let text = output(Program::with_workers(&mut command, threads))?;
            let report: Report = serde_json::from_str(&text)
                .map_err(|error| format!("{command:?} printed {text:?}: {error}"))?;
            nanos.push(report.cpu_nanos as f64 / (n * threads as u64) as f64);
        }
        Ok(Some(Call { counted, cpu_nanos: median(nanos) }))
    }
}
