//! How the cost of an operation grows with a crowd, and the fairness beside a busy socket.

use std::process::Command;

use harness::Operation;
use harness::growth::{Fairness, Growth};
use indicatif::ProgressBar;
use serde::de::DeserializeOwned;

use crate::programs::{ALL, Profile, Program, output};
use crate::table::{self, Table};

const RUNTIMES: [&str; 3] = ["tokio-mt", "smol", "async-std"];

/// Kinds of crowds, their sizes, and the number of operations beside them.
const CROWDS: [(Operation, &str, [u64; 3], u64); 3] = [
    (Operation::Spawn, "live tasks", [1, 1_000, 1_000_000], 100_000),
    (Operation::SleepDrop, "live timers", [1, 1_000, 1_000_000], 100_000),
    (Operation::TcpPingPong, "open connections", [1, 100, 10_000], 20_000),
];

/// Number of pairs of native and anyrt, one after the other.
const PAIRS: usize = 9;

const IDLE: [u64; 2] = [1, 100];

/// Fills the tables of README.md.
pub(crate) fn report() -> Result<(), String> {
    let program = Program::workloads(&format!("{ALL},crowds"), Profile::One)?;
    table::fill("fairness", &fairness(&program)?)?;
    table::fill("growth", &growth(&program)?)
}

/// Runs each operation beside a crowd, alternately with the runtime itself.
fn growth(program: &Program) -> Result<String, String> {
    let mut table = Table::new([
        "",
        "operation",
        "with",
        "native, ns",
        "anyrt, ns",
        "×",
        "each of them: native, ns",
        "anyrt, ns",
        "×",
        "native, bytes",
        "anyrt, bytes",
    ]);
    let bar = ProgressBar::new((RUNTIMES.len() * 9 * PAIRS) as u64);
    for runtime in RUNTIMES {
        for (operation, what, sizes, n) in CROWDS {
            for size in sizes {
                let mut pairs = Vec::new();
                for _ in 0..PAIRS {
                    let run = |way: &str| -> Result<Growth, String> {
                        let (operation, n, size) = (operation.to_string(), n.to_string(), size.to_string());
                        let arguments = [&format!("{runtime}/{way}"), &*operation, &n, "--beside", &size];
                        ask(program, &arguments)
                    };
                    pairs.push((run("native")?, run("traits")?));
                    bar.inc(1);
                }
                let crowd = pairs[0].0.crowd;
                let fewer = if crowd < size { " (there are descriptors for no more)" } else { "" };
                let mut row =
                    vec![runtime.to_owned(), operation.to_string(), format!("{what}: {crowd}{fewer}")];
                row.extend(times(&pairs, |growth| growth.beside.cpu_nanos as f64 / n as f64));
                if crowd == 1 {
                    // The first value of a process is not comparable.
                    row.extend(vec!["–".to_owned(); 5]);
                    table.row(row);
                    continue;
                }
                row.extend(times(&pairs, |growth| growth.all.cpu_nanos as f64 / growth.crowd as f64));
                let bytes = |growth: &Growth| (growth.all.bytes as f64 / growth.crowd as f64).round();
                row.push(median(pairs.iter().map(|(native, _)| bytes(native))).to_string());
                row.push(median(pairs.iter().map(|(_, anyrt)| bytes(anyrt))).to_string());
                table.row(row);
            }
        }
    }
    bar.finish_and_clear();
    Ok(table.to_markdown())
}

/// Returns the medians of the native runs, of anyrt's, and of their ratios.
fn times(pairs: &[(Growth, Growth)], of: impl Fn(&Growth) -> f64) -> [String; 3] {
    let native = median(pairs.iter().map(|(native, _)| of(native)));
    let anyrt = median(pairs.iter().map(|(_, anyrt)| of(anyrt)));
    let ratio = median(pairs.iter().map(|(native, anyrt)| of(anyrt) / of(native)));
    [format!("{native:.0}"), format!("{anyrt:.0}"), format!("{ratio:.2}")]
}

/// Measures the delays of 10 ms timers beside a socket that always has data.
fn fairness(program: &Program) -> Result<String, String> {
    let mut table = Table::new([
        "",
        "",
        "idle sockets",
        "sleeps beside it, median",
        "the latest",
        "timeouts around it, median",
        "the latest",
    ]);
    for runtime in RUNTIMES {
        for idle in IDLE {
            for (way, name) in [("native", "native"), ("traits", "anyrt")] {
                let arguments = [&format!("{runtime}/{way}"), "--fairness", &idle.to_string()];
                let late: Fairness = ask(program, &arguments)?;
                let mut row = vec![runtime.to_owned(), name.to_owned(), idle.to_string()];
                for late in [&late.sleeps, &late.timeouts] {
                    let late: Vec<_> = late.iter().map(|nanos| *nanos as f64 / 1e6).collect();
                    row.push(format!("{:.2} ms", median(late.iter().copied())));
                    row.push(format!("{:.2} ms", late.iter().copied().fold(0.0, f64::max)));
                }
                table.row(row);
            }
        }
    }
    Ok(table.to_markdown())
}

fn ask<T: DeserializeOwned>(program: &Program, arguments: &[&str]) -> Result<T, String> {
    let mut command = Command::new(&program.path);
    let text = output(Program::set_up(&mut command).args(arguments))?;
    serde_json::from_str(&text).map_err(|error| format!("{command:?} printed {text:?}: {error}"))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
