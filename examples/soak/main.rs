//! A soak test: runs a mixed load for the given time on the given runtime, and checks at the end that nothing is left
//! of it.
//!
//! ```sh
//! cargo run --release -p examples --features futures --example soak -- --minutes 5 --runtime all
//! cargo run --release -p examples --features futures --example soak -- --minutes 0.05 --runtime smol --seed 42
//! ```
//!
//! Tasks, timers, blocking closures, TCP and UDP, some of them aborted or dropped at random points. The same seed
//! performs the same operations in the same order, as far as a runtime with several threads allows.

mod census;
mod load;
#[path = "../shared/mod.rs"]
mod shared;

use std::io;
use std::process::ExitCode;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use anyrt::Runtime;
use anyrt::runtime::ShutdownReport;
use anyrt::task::JoinSet;
use clap::{Command, arg, value_parser};
use fastrand::Rng;
use indicatif::{ProgressBar, ProgressStyle};

use census::{Census, Live, known};
use load::{Counts, Load, Servers};
use shared::{Error, Program, Reports};

fn arguments() -> Command {
    Command::new("soak").about("Puts a load on a runtime, and counts what is left of it").args([
        arg!(--minutes <MINUTES> "How long on each runtime; also parts of a minute, such as 0.05")
            .value_parser(parse_minutes)
            .default_value("1")
            .allow_hyphen_values(true),
        arg!(--seed <SEED> "What the random numbers start from [default: another one each time]")
            .value_parser(value_parser!(u64)),
        shared::runtime(),
    ])
}

/// A year.
const MOST_MINUTES: f64 = 365.0 * 24.0 * 60.0;

fn main() -> ExitCode {
    shared::main(arguments(), |mut arguments| {
        // Short enough to type.
        let seed = arguments.remove_one("seed").unwrap_or_else(|| fastrand::u64(..1_000_000));
        let soak = Soak { duration: shared::value(&arguments, "minutes"), seed, live: Live::default() };
        let reports = shared::run(shared::value(&arguments, "runtime"), &soak)?;
        let (text, left) = (table(seed, &reports), left(&reports));
        if left.is_empty() {
            return Ok(text);
        }
        shared::print(&text)?;
        Err(io::Error::other(format!("seed {seed}: {}", left.join("; "))).into())
    })
}

fn parse_minutes(text: &str) -> Result<Duration, String> {
    let minutes: f64 = text.parse().unwrap_or(f64::NAN);
    // The comparison is false for NaN, too.
    if minutes > 0.0 && minutes <= MOST_MINUTES {
        let duration = Duration::from_secs_f64(minutes * 60.0);
        // A duration below a nanosecond is zero.
        if !duration.is_zero() {
            return Ok(duration);
        }
    }
    Err(format!("minutes are a number above 0, and at most {MOST_MINUTES}"))
}

#[derive(Clone)]
struct Soak {
    duration: Duration,
    seed: u64,
    live: Live,
}

struct Report {
    took: Duration,
    counts: Arc<Counts>,
    /// They run until the runtime is stopped or these handles are dropped.
    servers: Option<Servers>,
    left: ShutdownReport,
    start: Census,
    end: Census,
}

/// Duration of the first round, which is not measured.
const WARM_UP: Duration = Duration::from_millis(500);
/// Time that a busy machine may need to end pending operations.
const GRACE: Duration = Duration::from_secs(60);
/// Number of concurrent blocking closures that occurs at least once.
const AT_ONCE: usize = 8;

impl Program for Soak {
    type Report = Report;

    /// The first count is taken before the runtime is created, the last one after it has been shut down.
    ///
    /// Resources of the process stay once they were needed: the reactor of async-io with its thread and descriptors,
    /// the workers of async-std and its blocking threads. A short round of the same load creates them before the first
    /// count.
    fn on<R: Runtime>(&self, new: impl Fn() -> io::Result<R>) -> Result<Report, Error> {
        limit_the_pool_of_the_process();
        let before = Census::take(&self.live);
        drop(Soak { duration: WARM_UP.min(self.duration), ..self.clone() }.round(&new)?);
        let start = Census::at_rest(&before, &self.live);
        let report = self.round(&new)?;
        Ok(Report { start, end: Census::back_at(&start, &self.live), ..report })
    }

    async fn run<R: Runtime>(&self, runtime: R) -> Result<Report, Error> {
        let (mut random, counts) = (Rng::with_seed(self.seed), Arc::<Counts>::default());
        let (load, servers) = Load::start(runtime.clone(), counts.clone(), self.live.clone()).await?;
        all_at_once(&runtime).await?;

        let start = runtime.now();
        let end = start + self.duration;
        let bar = ProgressBar::new(self.duration.as_secs()).with_style(style());
        bar.set_message(format!("{}, seed {}", name::<R>(), self.seed));
        let mut lanes: JoinSet<_> = JoinSet::new();
        load.lanes(&mut random, end).into_iter().for_each(|lane| lanes.insert(lane));
        while !lanes.is_empty() {
            match runtime.timeout(Duration::from_millis(250), lanes.join_next()).await {
                Ok(Some(ended)) => drop(ended?),
                _ if runtime.now() > end + GRACE => {
                    let text = format!("{} lanes did not end within {GRACE:?}", lanes.len());
                    return Err(self.wrong::<R>(text));
                }
                _ => bar.set_position((runtime.now() - start).as_secs()),
            }
        }
        bar.finish_and_clear();
        if let Some(failure) = counts.failure() {
            return Err(self.wrong::<R>(failure));
        }
        load.leave_a_crowd(&mut random);
        Ok(Report {
            took: runtime.now() - start,
            counts,
            servers: Some(servers),
            left: ShutdownReport::default(),
            start: Census::default(),
            end: Census::default(),
        })
    }
}

impl Soak {
    /// Runs the load on a new runtime, and shuts it down.
    fn round<R: Runtime>(&self, new: &impl Fn() -> io::Result<R>) -> Result<Report, Error> {
        let runtime = new()?;
        let mut report = runtime.block_on(self.run(runtime.clone()))?;
        match runtime.shutdown_timeout(GRACE) {
            Ok(left) => report.left = left,
            // The runtime belongs to the process, and its pending operations end by themselves.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(error) => return Err(self.wrong::<R>(error)),
        }
        report.servers = None;
        Ok(report)
    }

    fn wrong<R>(&self, what: impl std::fmt::Display) -> Error {
        io::Error::other(format!("{}, seed {}: {what}", name::<R>(), self.seed)).into()
    }
}

/// Runs closures that wait for each other, so that every blocking thread of async-std's pool is started.
async fn all_at_once<R: Runtime>(runtime: &R) -> Result<(), Error> {
    let mut closures = JoinSet::new();
    let barrier = Arc::new(Barrier::new(AT_ONCE));
    for _ in 0..AT_ONCE {
        let barrier = barrier.clone();
        closures.spawn_blocking_on(move || _ = barrier.wait(), runtime);
    }
    while let Some(ended) = closures.join_next().await {
        ended?;
    }
    Ok(())
}

/// The pool of async-std has a varying number of threads, up to 500, which never end: `main_loop` of blocking 1.7 stops
/// a thread only above the limit. With a limit that the warm-up reaches, the number is the same at the end.
fn limit_the_pool_of_the_process() {
    #[cfg(feature = "async-std")]
    blocking::set_max_blocking_threads(AT_ONCE.try_into().expect("it is not zero"));
}

fn style() -> ProgressStyle {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} s on {msg}");
    style.unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Returns the name of the type: `Tokio`.
fn name<R>() -> &'static str {
    let path = std::any::type_name::<R>();
    path.rsplit("::").next().unwrap_or(path)
}

fn table(seed: u64, reports: &Reports<Soak>) -> String {
    let mut text = format!("seed {seed}\n\n");
    let mut line = |line: String| text += &(line + "\n");
    line(format!(
        "{:<10}  {:>7}  {:>9}  {:>9}  {:>8}  {:>8}  {:>8}  {:>19}  {:>8}",
        "runtime", "seconds", "tasks", "timers", "blocking", "TCP", "MiB", "UDP sent/answered", "aborts"
    ));
    for (runtime, Report { took, counts, .. }) in reports {
        let Counts { tasks, timers, jobs, connections, bytes, sent, answered, aborts, .. } = &**counts;
        line(format!(
            "{runtime:<10}  {:>7.1}  {:>9}  {:>9}  {:>8}  {:>8}  {:>8.1}  {:>19}  {:>8}",
            took.as_secs_f64(),
            tasks.get(),
            timers.get(),
            jobs.get(),
            connections.get(),
            bytes.get() as f64 / f64::from(1 << 20),
            format!("{}/{}", sent.get(), answered.get()),
            aborts.get(),
        ));
    }
    line(format!(
        "\n{:<10}  {:>14}  {:>14}  {:>14}  {:>14}",
        "start->end", "live tasks", "threads", "descriptors", "resident KiB"
    ));
    for (runtime, Report { start, end, .. }) in reports {
        let from_to = |start, end| format!("{} -> {}", known(start), known(end));
        line(format!(
            "{runtime:<10}  {:>14}  {:>14}  {:>14}  {:>14}",
            from_to(Some(start.tasks), Some(end.tasks)),
            from_to(start.threads, end.threads),
            from_to(start.descriptors, end.descriptors),
            from_to(start.resident_kib, end.resident_kib),
        ));
    }
    let is_unknown = reports.iter().any(|(_, report)| report.end.threads.is_none());
    line(match (left(reports).is_empty(), is_unknown) {
        (true, false) => "\nall back at their start".to_owned(),
        (true, true) => {
            "\nall tasks back at their start; threads and descriptors are unknown here".to_owned()
        }
        (false, _) => "\nNOT all back at their start".to_owned(),
    });
    text
}

/// Returns the resources that were left at the end, in words.
fn left(reports: &Reports<Soak>) -> Vec<String> {
    let of_one = |(runtime, report): &(&str, Report)| {
        let mut left = report.end.more_than(&report.start);
        if !report.left.is_empty() {
            let ShutdownReport { tasks, blocking, .. } = report.left;
            left.push(format!("{tasks} tasks and {blocking} closures after the shutdown"));
        }
        (!left.is_empty()).then(|| format!("left on {runtime}: {}", left.join(", ")))
    };
    reports.iter().filter_map(of_one).collect()
}
