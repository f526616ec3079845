//! Ten bad programs under anyrt's watch and under the tools of tokio; see README.md.

mod table;
mod tools;
mod why;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use programs::{Outcome, Program};
use serde::Serialize;

use self::tools::{COSTS, PrivateNetwork, TOOLS, Tool};

/// Ten bad programs under anyrt's watch and under the tools of tokio.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs each program with each tool, prints each outcome as a line of JSON, and writes the tables of README.md
    Report(Options),
}

#[derive(clap::Args)]
struct Options {
    /// How often a program is run while its threads wait for a CPU; the run that waited least counts
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    tries: u32,
    /// How often each of a hundred tasks is polled for the cost of a poll
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(10..))]
    polls: u64,
    /// Which tables; both unless said
    #[arg(value_enum)]
    tables: Vec<Table>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Table {
    /// What each tool sees
    Seen,
    /// The cost of a poll with it
    Cost,
}

/// A program with a tool.
#[derive(Debug, Serialize)]
struct Row {
    tool: &'static str,
    program: Program,
    outcome: Outcome,
}

/// A poll with a tool, or without.
#[derive(Serialize)]
struct Cost {
    tool: &'static str,
    /// Nothing without valgrind.
    instructions: Option<f64>,
    nanoseconds: f64,
    /// It is what those after it are compared to.
    is_base: bool,
}

fn main() -> ExitCode {
    let Command::Report(options) = Args::parse().command;
    let done = measure(&options).and_then(|(rows, costs)| table::write(&rows, &costs));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Options) -> Result<(Vec<Row>, Vec<Cost>), String> {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}");
    let bar = ProgressBar::new(0).with_style(style.map_err(|error| error.to_string())?);
    tools::build(|what| bar.set_message(what))?;
    let network = PrivateNetwork::try_new();
    let is_wanted = |table| options.tables.is_empty() || options.tables.contains(&table);
    let programs = if is_wanted(Table::Seen) { Program::value_variants() } else { &[] };
    let costs = if is_wanted(Table::Cost) { &COSTS[..] } else { &[] };
    let polled = costs.iter().map(|(_, tools)| 1 + tools.len()).sum::<usize>();
    bar.set_length((programs.len() * TOOLS.len() + polled) as u64);

    let mut rows = Vec::new();
    for &program in programs {
        for tool in &TOOLS {
            bar.set_message(format!("{program:?}, {}", tool.name));
            let outcome = watch(tool, program, network.as_ref(), options.tries)?;
            rows.push(print(Row { tool: tool.name, program, outcome })?);
            bar.inc(1);
        }
    }
    let mut polls = Vec::new();
    for (base, tools) in costs {
        for (tool, is_base) in [(base, true)].into_iter().chain(tools.iter().map(|tool| (tool, false))) {
            bar.set_message(format!("a poll, {}", tool.name));
            polls.push(print(cost(tool, is_base, options)?)?);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok((rows, polls))
}

/// Another process may want the CPU: of some runs, the one whose threads have waited least for it.
fn watch(
    tool: &Tool,
    program: Program,
    network: Option<&PrivateNetwork>,
    tries: u32,
) -> Result<Outcome, String> {
    let waited = |outcome: &Outcome| outcome.waited_ms.unwrap_or(0.0);
    let mut best = tool.watch(program, network)?;
    for _ in 1..tries {
        if waited(&best) < 0.05 * best.took_ms {
            break;
        }
        let again = tool.watch(program, network)?;
        if waited(&again) < waited(&best) {
            best = again;
        }
    }
    Ok(best)
}

fn cost(tool: &Tool, is_base: bool, options: &Options) -> Result<Cost, String> {
    let instructions = tools::has_valgrind().then(|| tool.instructions(options.polls)).transpose()?;
    let mut nanoseconds = f64::INFINITY;
    for _ in 0..options.tries {
        nanoseconds = nanoseconds.min(tool.nanoseconds(options.polls)?);
    }
    Ok(Cost { tool: tool.name, instructions, nanoseconds, is_base })
}

fn print<T: Serialize>(outcome: T) -> Result<T, String> {
    println!("{}", serde_json::to_string(&outcome).map_err(|error| error.to_string())?);
    Ok(outcome)
}
