//! What every program of this workspace shares: a command line, the operations, and an allocator that counts.
//!
//! ```sh
//! workloads tokio-ct/native spawn 1000
//! ```
//!
//! does the operation a thousand times, and nothing else that depends on the thousand: what two sizes differ by, in the
//! instructions of the whole process, is the operation.

pub mod operations;
pub mod pool;
mod way;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

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
}

/// What all of the operations took together.
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
}

impl Implementation {
    pub const fn of<W: Way>(name: &'static str) -> Self {
        Self { name, lacks: W::LACKS, run: run::<W> }
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
    let Some(operation) = args.operation else {
        eprintln!("error: which operation? `--help` names them");
        return ExitCode::FAILURE;
    };
    if implementation.lacks.contains(&operation) {
        eprintln!("error: {} has no {operation}", implementation.name);
        return ExitCode::from(LACKS);
    }
    let report = (implementation.run)(operation, args.n);
    if args.report {
        match serde_json::to_string(&report) {
            Ok(report) => println!("{report}"),
            Err(error) => {
                eprintln!("error: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// The exit code of an implementation that has no such operation.
pub const LACKS: u8 = 3;

fn run<W: Way>(operation: Operation, n: u64) -> Report {
    let way = W::start();
    let inside = way.clone();
    way.block_on(async move {
        let (wall, cpu, before) = (Instant::now(), cpu(), pool::counted());
        operations::run(&inside, operation, n).await;
        let after = pool::counted();
        Report {
            allocations: after.allocations - before.allocations,
            bytes: after.bytes - before.bytes,
            wall_nanos: wall.elapsed().as_nanos() as u64,
            cpu_nanos: (self::cpu() - cpu).as_nanos() as u64,
        }
    })
}

/// Time of the processor that this process has taken.
pub fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
