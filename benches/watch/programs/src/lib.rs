//! Ten bad programs, written once, and notes of what a tool sees of them. A tool with its runtime is a [`Host`].

mod bad;
mod outcome;
mod polls;
mod slow_dns;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub use bad::Program;
pub use outcome::{Outcome, Seen, note, see};
pub use polls::{Polled, TASKS};

/// A poll that takes longer is slow: what each tool is told.
pub const LIMIT: Duration = Duration::from_millis(10);

/// More than one poll: a wait for a turn, or the sum over all polls of a task.
pub const LONG_LIMIT: Duration = Duration::from_millis(100);

/// A tool that has to be asked is asked as often.
pub const SAMPLE: Duration = Duration::from_millis(5);

/// Threads of each runtime.
pub const WORKERS: usize = 2;

pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A runtime with a tool that watches it.
pub trait Host {
    /// Runs a future with the tool; returns the line of this call.
    fn block_on(&self, main: Pin<Box<dyn Future<Output = ()> + Send + '_>>) -> u32;

    /// Spawns a task as one does with the tool, by the name `culprit` where tasks have names.
    fn spawn_culprit(&self, task: Task) -> Spawned;

    /// Spawns a task that does nothing bad, in another line.
    fn spawn_quick(&self, task: Task);

    /// Spawns a task as a dependency does that does not know the tool.
    fn spawn_foreign(&self, task: Task) -> Spawned;

    /// Runs a closure that may block; returns the line of this call.
    fn spawn_blocking(&self, job: Box<dyn FnOnce() + Send>) -> u32;

    fn sleep(duration: Duration) -> Task;

    /// The main future has ended: what the tool has to say apart from reports.
    fn is_over(&self) {}
}

/// A task that has been spawned.
pub struct Spawned {
    /// The line that did it.
    pub line: u32,
    pub abort: Box<dyn FnOnce() + Send>,
}

/// The job of a process.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub struct Job {
    /// Runs a bad program and prints what was seen of it
    #[arg(long, value_enum)]
    program: Option<Program>,
    /// Polls each of a hundred tasks as often, on one thread, and prints how long that took
    #[arg(long)]
    polls: Option<u64>,
}

impl Job {
    /// Whether the runtime has one thread rather than [`WORKERS`].
    pub fn is_single_threaded(&self) -> bool {
        self.polls.is_some()
    }

    /// Whether the main future is the culprit.
    pub fn is_main_future(&self) -> bool {
        self.program == Some(Program::MainFuture)
    }

    /// Runs it and prints a line of JSON. `file` is where the host is written.
    pub fn run<H: Host + Sync>(&self, file: &str, host: impl FnOnce() -> H) {
        if let Some(each) = self.polls {
            let host = host();
            let mut polled = None;
            host.block_on(Box::pin(async { polled = Some(polls::run(&host, each).await) }));
            print(&polled);
        } else if let Some(program) = self.program {
            let task = bad::prepare(program);
            let host = host();
            let mut line = None;
            let main_line = host.block_on(Box::pin(async { line = run(&host, program, task).await }));
            host.is_over();
            print(&outcome::sum_up(file, line.unwrap_or(main_line)));
        }
    }
}

fn print<T: serde::Serialize>(it: &T) {
    println!("{}", serde_json::to_string(it).expect("no map has a key that is not a string"));
}

/// The tasks that behave have to end.
static IS_OVER: AtomicBool = AtomicBool::new(false);

/// The main future: a program beside tasks that behave. Returns the line that a report should name; `None` if it is the one of
/// the main future.
async fn run<H: Host>(host: &H, program: Program, task: Task) -> Option<u32> {
    for _ in 0..4 {
        host.spawn_quick(Box::pin(async {
            while !IS_OVER.load(Ordering::Relaxed) {
                H::sleep(Duration::from_millis(1)).await;
            }
        }));
    }
    // By then the threads of the runtime and of the tool have begun.
    H::sleep(Duration::from_millis(50)).await;
    let line = match program {
        Program::MainFuture => {
            task.await;
            None
        }
        Program::Foreign => Some(host.spawn_foreign(task).line),
        Program::Pool => Some(host.spawn_blocking(Box::new(bad::sleep))),
        Program::Yields => {
            for _ in 1..bad::LOOPS {
                host.spawn_culprit(Box::pin(bad::yields()));
            }
            Some(host.spawn_culprit(task).line)
        }
        Program::Destructor => {
            let spawned = host.spawn_culprit(task);
            H::sleep(Duration::from_millis(50)).await;
            (spawned.abort)();
            Some(spawned.line)
        }
        _ => Some(host.spawn_culprit(task).line),
    };
    while !outcome::has_ended() {
        H::sleep(Duration::from_millis(5)).await;
    }
    // By then a tool has said what it says afterwards.
    H::sleep(Duration::from_millis(150)).await;
    IS_OVER.store(true, Ordering::Relaxed);
    H::sleep(Duration::from_millis(50)).await;
    line
}
