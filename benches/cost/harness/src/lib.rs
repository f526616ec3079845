//! Shared by all programs of this workspace: the command line, the operations, and an allocator that counts.
//!
//! ```sh
//! workloads tokio-ct/native spawn 1000
//! ```
//!
//! runs the operation a thousand times, and nothing else that depends on the number: the difference between two sizes,
//! in instructions of the whole process, is the cost of the operation.

mod called;
#[cfg(feature = "crowds")]
mod contention;
#[cfg(feature = "crowds")]
mod crowds;
#[cfg(feature = "crowds")]
pub mod growth;
pub mod operations;
pub mod pool;
mod way;

use std::ops::Add;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use nix::time::ClockId;
use serde::{Deserialize, Serialize};

use self::pool::Counted;

pub use called::Called;
pub use operations::Operation;
pub use way::{Absent, Way};

/// Runs an operation so many times.
#[derive(Parser)]
struct Args {
    /// Who runs it: a runtime and a way; `list` names them
    implementation: String,
    /// What
    operation: Option<Operation>,
    /// How many times
    #[arg(default_value_t = 1)]
    n: u64,
    /// Prints what it took, as JSON
    #[arg(long)]
    report: bool,
    #[cfg(feature = "crowds")]
    /// Beside so many of its kind, tasks, timers or connections; prints what it took
    #[arg(long, value_name = "CROWD")]
    beside: Option<u64>,
    #[cfg(feature = "crowds")]
    /// On so many workers at once, that many times on each; prints what it took
    #[arg(long)]
    threads: Option<usize>,
    #[cfg(feature = "crowds")]
    /// Instead of an operation, prints how late timers are beside a busy socket, and so many idle ones
    #[arg(long, value_name = "IDLE")]
    fairness: Option<u64>,
}

/// Cost of all operations together.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Report {
    pub allocations: u64,
    pub bytes: u64,
    pub wall_nanos: u64,
    pub cpu_nanos: u64,
}

/// A runtime and a way to use it.
pub struct Implementation {
    pub name: &'static str,
    pub lacks: &'static [Operation],
    pub run: fn(Operation, u64) -> Report,
    #[cfg(feature = "crowds")]
    crowds: crowds::Crowds,
}

impl Implementation {
    pub const fn of<W: Way>(name: &'static str) -> Self {
        Self {
            name,
            lacks: W::LACKS,
            run: run::<W>,
            #[cfg(feature = "crowds")]
            crowds: crowds::Crowds::of::<W>(),
        }
    }
}

/// The whole of `main`.
pub fn main<'a>(implementations: impl IntoIterator<Item = &'a Implementation>) -> ExitCode {
    let args = Args::parse();
    let mut implementations = implementations.into_iter();
    if args.implementation == "list" {
        implementations.for_each(|implementation| println!("{}", implementation.name));
        return ExitCode::SUCCESS;
    }
    let Some(implementation) = implementations.find(|it| it.name == args.implementation) else {
        eprintln!("error: no implementation is called {}; `list` names them", args.implementation);
        return ExitCode::FAILURE;
    };
    #[cfg(feature = "crowds")]
    if let Some(idle) = args.fairness {
        return print(&(implementation.crowds.fairness)(idle));
    }
    let Some(operation) = args.operation else {
        eprintln!("error: which operation? `--help` names them");
        return ExitCode::FAILURE;
    };
    if implementation.lacks.contains(&operation) {
        eprintln!("error: {} has no {operation}", implementation.name);
        return ExitCode::from(LACKS);
    }
    #[cfg(feature = "crowds")]
    if let Some(crowd) = args.beside {
        return print(&(implementation.crowds.grow)(operation, crowd, args.n));
    }
    #[cfg(feature = "crowds")]
    if let Some(threads) = args.threads {
        return print(&(implementation.crowds.contend)(operation, threads, args.n));
    }
    let report = (implementation.run)(operation, args.n);
    if args.report { print(&report) } else { ExitCode::SUCCESS }
}

fn print(figures: &impl Serialize) -> ExitCode {
    match serde_json::to_string(figures) {
        Ok(figures) => {
            println!("{figures}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Exit code of an implementation without that operation.
pub const LACKS: u8 = 3;

fn run<W: Way>(operation: Operation, n: u64) -> Report {
    let way = W::start();
    let inside = way.clone();
    way.block_on(async move {
        let start = Report::start();
        operations::run(&inside, operation, n).await;
        start.end()
    })
}

/// State at the begin of a measurement.
struct Start {
    wall: Instant,
    cpu: Duration,
    counted: Counted,
}

impl Report {
    fn start() -> Start {
        Start { wall: Instant::now(), cpu: cpu(), counted: pool::counted() }
    }
}

impl Start {
    fn end(self) -> Report {
        let counted = pool::counted();
        Report {
            allocations: counted.allocations - self.counted.allocations,
            bytes: counted.bytes - self.counted.bytes,
            wall_nanos: self.wall.elapsed().as_nanos() as u64,
            cpu_nanos: (cpu() - self.cpu).as_nanos() as u64,
        }
    }
}

impl Add for Report {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            allocations: self.allocations + other.allocations,
            bytes: self.bytes + other.bytes,
            wall_nanos: self.wall_nanos + other.wall_nanos,
            cpu_nanos: self.cpu_nanos + other.cpu_nanos,
        }
    }
}

/// Returns the CPU time of this process.
pub fn cpu() -> Duration {
    ClockId::CLOCK_PROCESS_CPUTIME_ID.now().expect("there is such a clock").into()
}
