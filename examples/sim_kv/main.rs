//! A replicated key-value store with a bug behind a flag, which a simulation finds in a moment and other runtimes hardly
//! ever show.
//!
//! ```sh
//! cargo run --release --example sim_kv --features sim -- --bug
//! cargo run --release --example sim_kv --features sim -- --seeds 100000
//! cargo run --release --example sim_kv --all-features -- --bug --on tokio
//! ```
//!
//! Three replicas, and three clients that put and get at the same time. A register that is read by everybody has to be
//! linearizable: nobody reads an older value than somebody has read before. With `--bug` a replica looks whether what it is
//! told to store is newer than what it has, waits for its disk, and does not look again.
//!
//! In the simulation the network is slow and loses packets, and replicas are cut off and crash.

mod check;
mod client;
mod real;
mod replica;
#[path = "../shared/mod.rs"]
mod shared;
mod simulated;
mod totals;
mod wire;
mod workload;

use std::process::ExitCode;

use anyrt::sim::explore;
use clap::{Parser, ValueEnum};

use real::{Report, Runs};
use shared::Choice;
use totals::Totals;

/// Looks for a contradiction in what the clients of a replicated store see.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Where it runs
    #[arg(long, value_enum, default_value = "sim")]
    on: On,
    /// With the bug
    #[arg(long)]
    bug: bool,
    /// How many seeds the simulation tries
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// How many runs there are on another runtime
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    runs: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum On {
    Sim,
    Tokio,
    AsyncStd,
    Smol,
}

fn main() -> ExitCode {
    shared::main(|arguments: Arguments| {
        let Arguments { on, bug, seeds, runs } = arguments;
        let choice = match on {
            On::Sim => {
                let totals = Totals::default();
                explore(0..seeds, |sim| simulated::run(sim, bug, &totals));
                return Ok(format!("nothing wrong on sim in {totals}\n"));
            }
            On::Tokio => Choice::Tokio,
            On::AsyncStd => Choice::AsyncStd,
            On::Smol => Choice::Smol,
        };
        let reports = shared::run(choice, &Runs { runs, bug })?;
        Ok(reports.into_iter().map(|(runtime, report)| said(runtime, &report)).collect())
    })
}

fn said(runtime: &str, Report { totals, contradictions }: &Report) -> String {
    match contradictions.as_slice() {
        [] => format!("nothing wrong on {runtime} in {totals}\n"),
        [first, ..] => {
            let runs = contradictions.len();
            format!("{runs} runs went wrong on {runtime} in {totals}; the first of them:\n  {first}\n")
        }
    }
}
