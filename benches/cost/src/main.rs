//! Measures what anyrt costs; see README.md.

mod adapters;
mod attributes;
mod budgets;
mod chart;
mod contention;
mod echo;
mod gate;
mod growth;
mod measure;
mod peers;
mod profile;
mod programs;
mod report;
mod table;
mod text;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures what anyrt costs, beside the runtimes themselves.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Fails when anyrt takes more than budgets.toml allows
    Gate,
    /// Measures, and writes the tables of README.md
    Report(report::Args),
    /// Prints the functions in which anyrt takes more instructions than the runtime itself
    Profile(profile::Args),
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Gate => gate::run(),
        Command::Report(args) => report::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Profile(args) => profile::run(&args).map(|()| ExitCode::SUCCESS),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}
