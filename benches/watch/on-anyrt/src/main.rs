//! On anyrt, watched: on each of its runtimes.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use anyrt::watch::{Report, TaskInfo, WatchOptions};
use anyrt::{AnyRuntime, AsyncStd, Smol, Tokio};
use clap::{Parser, ValueEnum};
use programs::{Host, Job, LIMIT, Seen, Spawned, Task, WORKERS};

#[derive(Parser)]
struct Args {
    #[arg(long, value_enum)]
    runtime: Runtime,
    /// Does not watch
    #[arg(long)]
    unwatched: bool,
    #[command(flatten)]
    job: Job,
}

#[derive(Clone, Copy, ValueEnum)]
enum Runtime {
    Tokio,
    Smol,
    AsyncStd,
}

fn main() {
    let args = Args::parse();
    args.job.run(file!(), || Watched::new(&args));
}

struct Watched {
    runtime: AnyRuntime,
    native: Runtime,
}

impl Watched {
    fn new(args: &Args) -> Self {
        let single = args.job.is_single_threaded();
        let runtime: AnyRuntime = match args.runtime {
            Runtime::Tokio if single => Tokio::builder().single_threaded().build().map(Into::into),
            Runtime::Tokio => Tokio::builder().worker_threads(WORKERS).build().map(Into::into),
            Runtime::Smol if single => Smol::builder().single_threaded().build().map(Into::into),
            Runtime::Smol => Smol::builder().worker_threads(WORKERS).build().map(Into::into),
            // Its number of threads is `ASYNC_STD_THREAD_COUNT`, which the runner sets.
            Runtime::AsyncStd => Ok(AsyncStd::global().into()),
        }
        .expect("the system gives threads");
        let options = WatchOptions::new().warn_after(LIMIT).on_report(see);
        let watched = if args.unwatched { Ok(runtime) } else { runtime.watch(options) };
        Self { runtime: watched.expect("the system gives a thread"), native: args.runtime }
    }
}

fn see(report: &Report) {
    let (task, took): (&TaskInfo, Duration) = match report {
        Report::Blocked { task, elapsed, .. } => (task, *elapsed),
        Report::Ended { task, took, .. } => (task, *took),
        // They are told apart by their text: of these, the time is not that of a poll.
        Report::Starved { task, .. } => (task, Duration::ZERO),
        Report::PoolFull { closure, .. } => (closure, Duration::ZERO),
        // It says that the task does not block.
        Report::Descheduled { .. } => return,
        _ => return,
    };
    let place = Some((task.spawned_at.file.to_owned(), task.spawned_at.line));
    programs::see(Seen { place, name: task.name.clone(), took: Some(took), text: report.to_string() });
}

impl Host for Watched {
    fn block_on(&self, main: Pin<Box<dyn Future<Output = ()> + Send + '_>>) -> u32 {
        let (line, ()) = (line!(), self.runtime.block_on(main));
        line
    }

    fn spawn_culprit(&self, task: Task) -> Spawned {
        let culprit = anyrt::task::Builder::new().name("culprit");
        let (line, task) = (line!(), culprit.spawn_on(task, &self.runtime).expect("a task is spawned"));
        Spawned { line, abort: Box::new(move || task.abort()) }
    }

    fn spawn_quick(&self, task: Task) {
        self.runtime.spawn(task).detach();
    }

    fn spawn_foreign(&self, task: Task) -> Spawned {
        let line = line!() + 1;
        let tokio = |task| drop(tokio::spawn(task));
        match self.native {
            Runtime::Tokio => tokio(task),
            Runtime::Smol => smol::spawn(task).detach(),
            Runtime::AsyncStd => drop(async_std::task::spawn(task)),
        }
        Spawned { line, abort: Box::new(|| ()) }
    }

    fn spawn_blocking(&self, job: Box<dyn FnOnce() + Send>) -> u32 {
        let (line, task) = (line!(), self.runtime.spawn_blocking(job));
        task.detach();
        line
    }

    fn sleep(duration: Duration) -> Task {
        Box::pin(anyrt::time::sleep(duration))
    }

    fn is_over(&self) {
        if let Some(snapshot) = self.runtime.watch_snapshot() {
            programs::note(format!("ready for {:.1?} at p99", snapshot.ready.p99));
        }
    }
}
