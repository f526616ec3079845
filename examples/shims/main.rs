//! A driver and a pool, each on a shim of its own over three runtimes and on anyrt: the answers are the same, and the
//! shims' costs are compared.
//!
//! ```sh
//! cargo run -p examples --features futures --example shims
//! cargo run -p examples --features futures --example shims -- --runtime smol --clients 500
//! ```
//!
//! The driver and the pool are written once. `driver/before.rs` and `pool/before.rs` are shims as such crates have them
//! today; the files called `after.rs` replace them.

#![allow(clippy::duplicate_mod, reason = "the driver and the pool are there twice, once on each shim")]

mod after;
mod before;
#[cfg(feature = "tokio")]
mod compat;
mod count;
mod server;
#[path = "../shared/mod.rs"]
mod shared;

use std::io;
use std::process::ExitCode;

use anyrt::Runtime;
use clap::{Command, arg, value_parser};

use count::{Count, SHIMS};
use shared::{Error, Program};

fn arguments() -> Command {
    let about =
        "Puts a driver and a pool through their paces before and after their port, and counts the lines";
    Command::new("shims").about(about).args([
        arg!(--clients <CLIENTS> "How many clients share the pool")
            .value_parser(value_parser!(u32).range(1..=10_000))
            .default_value("20"),
        shared::runtime(),
    ])
}

/// Number of clients that share the pool.
struct Clients(u32);

fn main() -> ExitCode {
    shared::main(arguments(), |arguments| {
        let clients = Clients(shared::value(&arguments, "clients"));
        let reports = shared::run(shared::value(&arguments, "runtime"), &clients)?;
        let mut text = format!("{:<16}  {:>5}  {:>4}  {:>14}\n", "shim", "lines", "cfgs", "runtimes named");
        for (name, source) in SHIMS {
            let Count { lines, cfgs, runtimes } = Count::of(source);
            text += &format!("{name:<16}  {lines:>5}  {cfgs:>4}  {runtimes:>14}\n");
        }
        let (runtimes, answers) = agreed(reports)?;
        text += &format!("\nthe same answers before and after, on {runtimes}:\n");
        for answer in answers {
            text += &format!("  {answer}\n");
        }
        Ok(text)
    })
}

/// The answers of one run, line by line.
type Answers = Vec<String>;

struct BeforeAndAfter {
    before: Answers,
    after: Answers,
}

impl Program for Clients {
    type Report = BeforeAndAfter;

    async fn run<R: Runtime>(&self, runtime: R) -> Result<BeforeAndAfter, Error> {
        let before = before::workload::run(&runtime, self.0).await?;
        let after = after::workload::run(&runtime, self.0).await?;
        Ok(BeforeAndAfter { before, after })
    }
}

/// Returns the names of the runtimes, and the answers, which must be the same on all of them with either shim.
fn agreed(reports: Vec<(&'static str, BeforeAndAfter)>) -> Result<(String, Answers), Error> {
    let names: Vec<_> = reports.iter().map(|(name, _)| *name).collect();
    let mut expected = None;
    for (runtime, BeforeAndAfter { before, after }) in reports {
        for (shim, answers) in [("before", before), ("after", after)] {
            let expected = expected.get_or_insert_with(|| answers.clone());
            if *expected != answers {
                let text = format!("{shim}, on {runtime}: {answers:?}, and not {expected:?}");
                return Err(io::Error::other(text).into());
            }
        }
    }
    Ok((names.join(", "), expected.unwrap_or_default()))
}
