//! The program of a simulator: runs a scenario over some seeds, and prints its cost on one line.

use std::time::Duration;

use clap::{Parser, ValueEnum};
use cpu_time::ThreadTime;
use serde::{Deserialize, Serialize};

use crate::{Setup, Simulator, bugs, echo, sleeps};

/// Runs one scenario on one simulator.
#[derive(Debug, Parser)]
pub struct Args {
    scenario: Scenario,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How many seeds, at least; in these are bugs counted
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// How many seconds it goes on for, at least
    #[arg(long, default_value_t = 0.0)]
    seconds: f64,
    /// Of each client, in A
    #[arg(long, default_value_t = 50)]
    requests: u64,
    /// How long links take, between 1 and 10 ms, is up to turmoil, whose mean is then 2.8 ms
    #[arg(long)]
    own_curve: bool,
    /// How far a simulator that ticks goes in one
    #[arg(long, default_value_t = 1)]
    tick_millis: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    A,
    B,
    C1,
    C2,
    C3,
    C4,
}

/// The cost.
#[derive(Debug, Deserialize, Serialize)]
pub struct Report {
    pub simulations: u64,
    /// Number of seeds that found the bug.
    pub found: u64,
    /// CPU seconds.
    pub seconds: f64,
    pub virtual_seconds: f64,
    /// Number of messages in scenario A.
    pub messages: u64,
    /// Number of allocations, if they are counted.
    pub allocations: u64,
}

/// For a simulation with less virtual time, the clock is read less often.
const SMALL: Duration = Duration::from_secs(1);

pub fn main<S: Simulator>() {
    let args = Args::parse();
    let setup = |seed| Setup {
        seed,
        own_curve: args.own_curve,
        tick: Duration::from_millis(args.tick_millis),
        limit: Duration::from_secs(7_200),
    };
    let run = |seed| match args.scenario {
        Scenario::A => (echo::echo::<S>(setup(seed), args.requests), false),
        Scenario::B => (sleeps::sleeps::<S>(setup(seed)), false),
        Scenario::C1 => bugs::lost_update::<S>(setup(seed)),
        Scenario::C2 => bugs::check_then_act::<S>(setup(seed)),
        Scenario::C3 => bugs::lease_expiry::<S>(setup(seed)),
        Scenario::C4 => bugs::deep::<S>(setup(seed)),
    };
    let mut report =
        Report { simulations: 0, found: 0, seconds: 0.0, virtual_seconds: 0.0, messages: 0, allocations: 0 };
    // CPU time of this thread, so that other processes do not count.
    let (start, allocated) = (ThreadTime::now(), allocations());
    for seed in args.from.. {
        let (time, found) = run(seed);
        report.simulations += 1;
        report.found += u64::from(found && report.simulations <= args.seeds);
        report.virtual_seconds += time.as_secs_f64();
        if report.simulations < args.seeds {
            continue;
        }
        // Reading the clock takes as long as a small simulation. Without a given time, exactly the given number of
        // seeds is run.
        let look = report.simulations % 16 == 0 || time > SMALL;
        if args.seconds == 0.0 || look && start.elapsed().as_secs_f64() >= args.seconds {
            break;
        }
    }
    report.seconds = start.elapsed().as_secs_f64();
    report.allocations = allocations() - allocated;
    if args.scenario == Scenario::A {
        report.messages = report.simulations * echo::CLIENTS * args.requests * 2;
    }
    println!("{}", serde_json::to_string(&report).expect("numbers are JSON"));
}

#[cfg(feature = "count")]
fn allocations() -> u64 {
    let stats = ALLOCATOR.stats();
    (stats.allocations + stats.reallocations) as u64
}

#[cfg(not(feature = "count"))]
fn allocations() -> u64 {
    0
}

#[cfg(feature = "count")]
#[global_allocator]
static ALLOCATOR: &stats_alloc::StatsAlloc<std::alloc::System> = &stats_alloc::INSTRUMENTED_SYSTEM;
