//! Measures anyrt's simulation beside turmoil, madsim and tokio's paused clock; see README.md.

mod build;
mod profile;
mod programs;
mod table;

use std::process::ExitCode;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use scenarios::{Report, Scenario};
use serde::Serialize;

use self::programs::{Programs, SIMULATORS, Simulator};

/// Measures anyrt's simulation beside turmoil, madsim and tokio's paused clock.
#[derive(Parser)]
struct Args {
    /// How often each of them has its turn, one after the other
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
    /// How long a turn is, in seconds of the processor; in C a quarter
    #[arg(long, default_value_t = 0.4)]
    seconds: f64,
    /// Seeds to find C1, C2 and C3 in; ten times as many for C4
    #[arg(long, default_value_t = 2_000)]
    seeds: u64,
    /// Builds nothing from nothing: the figures of a clean build are left out
    #[arg(long)]
    skip_builds: bool,
    /// Prints where the instructions of anyrt are, and nothing else: needs valgrind
    #[arg(long)]
    profile: bool,
    /// Prints the figures as JSON
    #[arg(long)]
    json: bool,
}

/// Results of a simulator.
#[derive(Serialize)]
struct Figures {
    simulator: &'static str,
    echo: Option<Rate>,
    instructions_per_message: Option<f64>,
    allocations_per_message: f64,
    sleeps: Option<Rate>,
    bugs: Vec<Bug>,
    build: Option<build::Cost>,
}

/// The median of the rounds.
#[derive(Clone, Serialize)]
struct Rate {
    simulations_per_second: f64,
    virtual_seconds_per_second: f64,
}

#[derive(Serialize)]
struct Bug {
    scenario: String,
    found: u64,
    seeds: u64,
    simulations_per_second: f64,
    /// `ln 2 / p / rate`, if the bug was found.
    median_seconds_to_find: Option<f64>,
}

const BUGS: [Scenario; 4] = [Scenario::C1, Scenario::C2, Scenario::C3, Scenario::C4];

fn main() -> ExitCode {
    match measure(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(args: &Args) -> Result<(), String> {
    let bar = ProgressBar::new(0).with_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}").map_err(|error| error.to_string())?,
    );
    if args.profile {
        return profile::print(&Programs::build(&SIMULATORS[..1], &bar)?);
    }
    let programs = Programs::build(&SIMULATORS, &bar)?;
    bar.set_length(args.rounds * (2 + BUGS.len() as u64) * SIMULATORS.len() as u64);
    bar.set_position(0);

    // All turns of a scenario are adjacent, so that a slow phase of the machine affects all simulators.
    let rate = |scenario: &'static str| -> Result<Vec<Option<Rate>>, String> {
        let turn =
            |simulator, _| programs.run(simulator, &[scenario, "--seconds", &args.seconds.to_string()]);
        Ok(rounds(args.rounds, &bar, scenario, turn)?.iter().map(|reports| Rate::median(reports)).collect())
    };
    let (echo, sleeps) = (rate("a")?, rate("b")?);

    let mut bugs: Vec<Vec<Bug>> = SIMULATORS.iter().map(|_| Vec::new()).collect();
    for scenario in BUGS {
        let (name, seconds) = (format!("{scenario:?}"), (args.seconds / 4.0).to_string());
        let seeds = if scenario == Scenario::C4 { args.seeds * 10 } else { args.seeds };
        let turn = |simulator: &'static Simulator, round: u64| {
            let (from, to) = (seeds * round / args.rounds, seeds * (round + 1) / args.rounds);
            let (from, seeds) = (from.to_string(), (to - from).to_string());
            let bug = [&*name.to_lowercase(), "--from", &from, "--seeds", &seeds, "--seconds", &seconds];
            programs.run(simulator, &bug)
        };
        for (bugs, reports) in bugs.iter_mut().zip(rounds(args.rounds, &bar, &name, turn)?) {
            bugs.extend(Rate::median(&reports).map(|rate| Bug::new(&name, seeds, rate, &reports)));
        }
    }
    bar.set_message("counting");
    let counted = SIMULATORS.each_ref().map(|simulator| {
        let build =
            (!args.skip_builds && !simulator.only_echo).then(|| build::cost(simulator, &bar)).transpose()?;
        Ok::<_, String>((programs.allocations(simulator)?, programs.instructions(simulator)?, build))
    });
    bar.finish_and_clear();

    let mut all = Vec::new();
    for ((((simulator, echo), sleeps), bugs), counted) in
        SIMULATORS.iter().zip(echo).zip(sleeps).zip(bugs).zip(counted)
    {
        let (allocations_per_message, instructions_per_message, build) = counted?;
        let simulator = simulator.name;
        all.push(Figures {
            simulator,
            echo,
            instructions_per_message,
            allocations_per_message,
            sleeps,
            bugs,
            build,
        });
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&all).map_err(|error| error.to_string())?);
    } else {
        table::print(&all);
    }
    Ok(())
}

/// Returns the reports of each simulator in each round.
fn rounds(
    rounds: u64,
    bar: &ProgressBar,
    scenario: &str,
    turn: impl Fn(&'static Simulator, u64) -> Result<Report, String>,
) -> Result<Vec<Vec<Report>>, String> {
    let mut reports: Vec<Vec<Report>> = SIMULATORS.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for (simulator, reports) in SIMULATORS.iter().zip(&mut reports) {
            bar.inc(1);
            if simulator.only_echo && scenario != "a" {
                continue;
            }
            bar.set_message(format!("{} on {}", scenario.to_uppercase(), simulator.name));
            reports.push(turn(simulator, round)?);
        }
    }
    Ok(reports)
}

impl Rate {
    /// Returns `None` without reports.
    fn median(reports: &[Report]) -> Option<Self> {
        Some(Self {
            simulations_per_second: median(reports, |report| report.simulations as f64 / report.seconds)?,
            virtual_seconds_per_second: median(reports, |report| report.virtual_seconds / report.seconds)?,
        })
    }
}

impl Bug {
    fn new(scenario: &str, seeds: u64, rate: Rate, reports: &[Report]) -> Self {
        let found: u64 = reports.iter().map(|report| report.found).sum();
        let rate = rate.simulations_per_second;
        let median_seconds_to_find =
            (found > 0).then(|| std::f64::consts::LN_2 * seeds as f64 / found as f64 / rate);
        Self {
            scenario: scenario.to_owned(),
            found,
            seeds,
            simulations_per_second: rate,
            median_seconds_to_find,
        }
    }
}

fn median(reports: &[Report], of: impl Fn(&Report) -> f64) -> Option<f64> {
    let mut values: Vec<_> = reports.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
