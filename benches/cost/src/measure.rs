//! The cost of an operation: the difference between two sizes of a run.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use harness::{Operation, Report};
use indicatif::{ProgressBar, ProgressStyle};

use crate::programs::{Program, output};

/// Whether a measuring tool is installed.
pub(crate) fn has(tool: &str) -> bool {
    Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// Instructions, as callgrind counts them.
#[derive(Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) instructions: f64,
    /// Those that are atomic, and write: what threads share is in the way of them.
    pub(crate) atomics: f64,
}

/// Counts those of the whole process, and writes those of its functions to `out`.
pub(crate) fn callgrind(
    program: &Program,
    out: &Path,
    workers: usize,
    arguments: &[&str],
) -> Result<Counted, String> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--collect-bus=yes", "--compress-strings=no", "--compress-pos=no"]);
    valgrind.arg(format!("--callgrind-out-file={}", out.display())).arg(&program.path);
    let output = Program::with_workers(&mut valgrind, workers).args(arguments).output();
    let output = output.map_err(|error| format!("{valgrind:?}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let counted = text.lines().find_map(|line| line.split_once("Collected :"));
    let counted = counted.and_then(|(_, counts)| {
        let mut counts = counts.split_whitespace().map_while(|count| count.parse().ok());
        Some(Counted { instructions: counts.next()?, atomics: counts.next().unwrap_or_default() })
    });
    counted
        .filter(|_| output.status.success())
        .ok_or_else(|| format!("{valgrind:?}: {}: {text}", output.status))
}

/// Returns two sizes of a run, both large enough to include rare events.
pub(crate) fn sizes(operation: Operation) -> (u64, u64) {
    match operation {
        Operation::SpawnBatch => (10_000, 30_000),
        Operation::SpawnBlocking | Operation::TcpThroughput => (200, 600),
        Operation::SleepZero => (512, 2_560),
        Operation::Interval => (50, 150),
        Operation::TcpPingPong | Operation::Tcp256 => (1_024, 3_072),
        _ => (1_024, 9_216),
    }
}

impl Program {
    /// Instructions of an operation.
    pub(crate) fn counted(&self, implementation: &str, operation: Operation) -> Result<Counted, String> {
        self.slope_of(operation, 1, &[implementation, &operation.to_string()], &[])
    }

    /// Instructions of an operation that this number of threads run at once.
    pub(crate) fn contended(
        &self,
        implementation: &str,
        operation: Operation,
        threads: usize,
    ) -> Result<Counted, String> {
        let on = threads.to_string();
        self.slope_of(operation, threads, &[implementation, &operation.to_string()], &["--threads", &on])
    }

    /// Runs `before`, the number of operations, and `after` in two sizes.
    fn slope_of(
        &self,
        operation: Operation,
        threads: usize,
        before: &[&str],
        after: &[&str],
    ) -> Result<Counted, String> {
        let (few, many) = sizes(operation);
        let run = |n: u64| {
            let n = n.to_string();
            let arguments = [before, &[&n], after].concat();
            callgrind(self, Path::new("/dev/null"), threads, &arguments)
        };
        let (less, more) = (run(few)?, run(many)?);
        let each = |less: f64, more: f64| (more - less) / ((many - few) * threads as u64) as f64;
        Ok(Counted {
            instructions: each(less.instructions, more.instructions),
            atomics: each(less.atomics, more.atomics),
        })
    }

    /// Allocations and bytes, as counted by the allocator of the program: the minimum of some runs, because queues grow
    /// now and then.
    pub(crate) fn allocations(
        &self,
        implementation: &str,
        operation: Operation,
    ) -> Result<(f64, f64), String> {
        let mut least = (f64::MAX, f64::MAX);
        for _ in 0..3 {
            let (few, many) = sizes(operation);
            let (before, after) =
                (self.run(implementation, operation, few)?, self.run(implementation, operation, many)?);
            let each = |before: u64, after: u64| (after as f64 - before as f64) / (many - few) as f64;
            least.0 = least.0.min(each(before.allocations, after.allocations));
            least.1 = least.1.min(each(before.bytes, after.bytes));
        }
        Ok(least)
    }

    /// System calls, as counted by strace, without futex, whose number varies with the timing of threads. The median of
    /// three: a reactor with a thread of its own may be faster, so that no wait is needed.
    pub(crate) fn syscalls(&self, implementation: &str, operation: Operation) -> Result<f64, String> {
        let mut counted = [0.0; 3];
        for counted in &mut counted {
            *counted = self.syscalls_once(implementation, operation)?;
        }
        counted.sort_by(f64::total_cmp);
        Ok(counted[1])
    }

    fn syscalls_once(&self, implementation: &str, operation: Operation) -> Result<f64, String> {
        slope(operation, |n| {
            let mut strace = Command::new("strace");
            strace.args(["-f", "-c", "-U", "calls,name", "-o", "/dev/stdout"]).arg(&self.path);
            let text = output(Program::set_up(&mut strace).args([
                implementation,
                &operation.to_string(),
                &n.to_string(),
            ]))?;
            Ok(calls(&text))
        })
    }

    /// Runs once, and returns the program's report.
    pub(crate) fn run(&self, implementation: &str, operation: Operation, n: u64) -> Result<Report, String> {
        let mut program = Command::new(&self.path);
        Program::set_up(&mut program);
        program.args([implementation, &operation.to_string(), &n.to_string(), "--report"]);
        let text = output(&mut program)?;
        serde_json::from_str(&text).map_err(|error| format!("{program:?} printed {text:?}: {error}"))
    }
}

/// Returns the total that strace has counted, without futex.
pub(crate) fn calls(text: &str) -> f64 {
    let calls = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let calls: f64 = words.next()?.parse().ok()?;
        let name = words.next()?;
        (!matches!(name, "total" | "futex")).then_some(calls)
    });
    calls.sum()
}

fn slope(operation: Operation, run: impl Fn(u64) -> Result<f64, String>) -> Result<f64, String> {
    let (few, many) = sizes(operation);
    Ok((run(many)? - run(few)?) / (many - few) as f64)
}

/// Processes the items in parallel, on all processors.
pub(crate) fn each<T: Sync, U: Send>(
    what: &'static str,
    of: &[T],
    act: impl Fn(&T) -> Result<U, String> + Sync,
) -> Result<Vec<U>, String> {
    let style =
        ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}").map_err(|error| error.to_string())?;
    let bar = ProgressBar::new(of.len() as u64).with_style(style).with_message(what);
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some(it) = of.get(n) else { return };
                    let result = act(it);
                    bar.inc(1);
                    results.lock().expect("nobody panics with it").push((n, result));
                }
            });
        }
    });
    bar.finish_and_clear();
    let mut results = results.into_inner().expect("nobody panics with it");
    results.sort_by_key(|(n, _)| *n);
    results.into_iter().map(|(_, result)| result).collect()
}

/// CPU seconds of child processes, in user mode and in the system (proc(5), cutime and cstime), in hundredths.
pub(crate) fn children() -> Option<f64> {
    times("self", 13)
}

/// CPU seconds of a process itself (utime and stime).
pub(crate) fn cpu_seconds(process: u32) -> Option<f64> {
    times(&process.to_string(), 11)
}

/// Returns the sum of two fields, counted after the name.
fn times(process: &str, first: usize) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let times = fields.split_whitespace().skip(first).take(2);
    Some(times.map(|time| time.parse::<f64>()).sum::<Result<f64, _>>().ok()? / 100.0)
}
