//! A replicated key-value store with a bug behind a flag, which a simulation finds in a moment and other runtimes
//! hardly ever show.
//!
//! ```sh
//! cargo run --release -p examples --features sim --example sim_kv -- --bug
//! cargo run --release -p examples --features sim --example sim_kv -- --seeds 100000
//! cargo run --release -p examples --features sim --example sim_kv -- --bug --on tokio
//! ```
//!
//! Three replicas, and three clients that put and get at the same time. The store must be linearizable: some order of the
//! operations explains what they returned, and a history of them is checked for that. With `--bug` a replica compares versions, waits for its disk, and
//! stores without comparing again.
//!
//! In the simulation the network is slow and loses packets, and replicas are partitioned and crash.

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
use clap::{Command, ValueEnum, arg, value_parser};

use real::{Report, Runs};
use shared::Choice;
use totals::Totals;

fn arguments() -> Command {
    let about = "Looks for a contradiction in what the clients of a replicated store see";
    Command::new("sim_kv").about(about).args([
        arg!(--on <RUNTIME> "Where it runs")
            .value_parser(["sim", "tokio", "async-std", "smol"])
            .default_value("sim"),
        arg!(--bug "With the bug"),
        arg!(--seeds <SEEDS> "How many seeds the simulation tries")
            .value_parser(value_parser!(u64).range(1..))
            .default_value("10000"),
        arg!(--runs <RUNS> "How many runs there are on another runtime")
            .value_parser(value_parser!(u64).range(1..))
            .default_value("300"),
    ])
}

fn main() -> ExitCode {
    shared::main(arguments(), |arguments| {
        let bug = arguments.get_flag("bug");
        // The simulation is not one of the runtimes with real sockets.
        let Ok(choice) = Choice::from_str(&shared::value::<String>(&arguments, "on"), false) else {
            let totals = Totals::default();
            explore(0..shared::value(&arguments, "seeds"), |sim| simulated::run(sim, bug, &totals));
            return Ok(format!("nothing wrong on sim in {totals}\n"));
        };
        let reports = shared::run(choice, &Runs { runs: shared::value(&arguments, "runs"), bug })?;
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
