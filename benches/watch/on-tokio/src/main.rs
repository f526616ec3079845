//! On tokio with the two monitors of tokio-metrics, and with no tool.

use std::future::Future;
use std::pin::Pin;
use std::thread;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use programs::{Host, Job, LIMIT, SAMPLE, Seen, Spawned, Task, WORKERS};
use tokio::runtime::{Builder, Runtime};
use tokio_metrics::TaskMonitor;

#[derive(Parser)]
struct Args {
    #[arg(long, value_enum)]
    tool: Tool,
    #[command(flatten)]
    job: Job,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Tool {
    Nothing,
    TaskMonitor,
    /// Needs `--cfg tokio_unstable`
    RuntimeMonitor,
}

fn main() {
    let args = Args::parse();
    args.job.run(file!(), || Monitored::new(&args));
}

struct Monitored {
    runtime: Runtime,
    // One for each place, which is how they are meant to be used.
    monitors: Option<[TaskMonitor; 3]>,
}

const LABELS: [&str; 3] = ["culprit", "quick", "main"];

impl Monitored {
    fn new(args: &Args) -> Self {
        let mut builder = if args.job.is_single_threaded() {
            Builder::new_current_thread()
        } else {
            Builder::new_multi_thread()
        };
        builder.worker_threads(WORKERS).enable_time();
        if args.tool == Tool::RuntimeMonitor {
            runtime_monitor::prepare(&mut builder);
        }
        let runtime = builder.build().expect("the system gives threads");
        if args.tool == Tool::RuntimeMonitor {
            runtime_monitor::start(&runtime);
        }
        let monitors = (args.tool == Tool::TaskMonitor)
            .then(|| [(); 3].map(|()| TaskMonitor::with_slow_poll_threshold(LIMIT)));
        let culprit = if args.job.is_main_future() { "main" } else { "culprit" };
        for (monitor, label) in monitors.iter().flatten().zip(LABELS) {
            let mut intervals = monitor.intervals();
            thread::spawn(move || {
                loop {
                    thread::sleep(SAMPLE);
                    let Some(metrics) = intervals.next() else { return };
                    if metrics.total_slow_poll_count > 0 {
                        let (count, mean) =
                            (metrics.total_slow_poll_count, metrics.mean_slow_poll_duration());
                        see(label, label == culprit, count, mean);
                    }
                }
            });
        }
        Self { runtime, monitors }
    }

    /// In what a monitor wants around each task.
    fn monitored(&self, label: usize, task: Task) -> Task {
        match &self.monitors {
            None => task,
            Some(monitors) => Box::pin(monitors[label].instrument(task)),
        }
    }
}

/// The counts of a monitor have neither a name nor a place: a program has a monitor for each place that it wants to tell apart.
fn see(label: &str, is_right: bool, count: u64, mean: Duration) {
    programs::see(Seen {
        place: (!is_right).then(|| ("another monitor".to_owned(), 0)),
        name: None,
        took: Some(mean),
        text: format!("{label}: {count} slow polls, {mean:.1?} each"),
    });
}

#[cfg(tokio_unstable)]
mod runtime_monitor {
    use std::thread;

    use programs::{LIMIT, SAMPLE, Seen};
    use tokio::runtime::{Builder, HistogramConfiguration, LogHistogram, Runtime};
    use tokio_metrics::RuntimeMonitor;

    pub(crate) fn prepare(builder: &mut Builder) {
        let histogram = LogHistogram::builder().max_error(0.25).build();
        builder.enable_metrics_poll_time_histogram();
        builder.metrics_poll_time_histogram_configuration(HistogramConfiguration::log(histogram));
    }

    pub(crate) fn start(runtime: &Runtime) {
        let mut intervals = RuntimeMonitor::new(runtime.handle()).intervals();
        thread::spawn(move || {
            loop {
                thread::sleep(SAMPLE);
                let Some(metrics) = intervals.next() else { return };
                for bucket in metrics.poll_time_histogram.buckets() {
                    let (from, to) = (bucket.range_start(), bucket.range_end());
                    if bucket.count() > 0 && from >= LIMIT {
                        programs::see(Seen {
                            took: Some(to),
                            text: format!("{} polls of {from:.1?} to {to:.1?}", bucket.count()),
                            ..Seen::default()
                        });
                    }
                }
            }
        });
    }
}

#[cfg(not(tokio_unstable))]
mod runtime_monitor {
    use tokio::runtime::{Builder, Runtime};

    pub(crate) fn prepare(_: &mut Builder) {
        panic!("without `--cfg tokio_unstable` it does not know how long polls take");
    }

    pub(crate) fn start(_: &Runtime) {}
}

impl Host for Monitored {
    fn block_on(&self, main: Pin<Box<dyn Future<Output = ()> + Send + '_>>) -> u32 {
        match &self.monitors {
            None => self.runtime.block_on(main),
            Some(monitors) => self.runtime.block_on(monitors[2].instrument(main)),
        }
        line!()
    }

    fn spawn_culprit(&self, task: Task) -> Spawned {
        let (line, task) = (line!(), self.runtime.spawn(self.monitored(0, task)));
        Spawned { line, abort: Box::new(move || task.abort()) }
    }

    fn spawn_quick(&self, task: Task) {
        self.runtime.spawn(self.monitored(1, task));
    }

    fn spawn_foreign(&self, task: Task) -> Spawned {
        let (line, _task) = (line!(), self.runtime.spawn(task));
        Spawned { line, abort: Box::new(|| ()) }
    }

    fn spawn_blocking(&self, job: Box<dyn FnOnce() + Send>) -> u32 {
        let (line, _task) = (line!(), self.runtime.spawn_blocking(job));
        line
    }

    fn sleep(duration: Duration) -> Task {
        Box::pin(tokio::time::sleep(duration))
    }

    fn is_over(&self) {
        if let Some([_, quick, _]) = &self.monitors {
            let metrics = quick.cumulative();
            let (long, mean) = (metrics.total_long_delay_count, metrics.mean_long_delay_duration());
            programs::note(format!("{long} long delays, {mean:.1?} each"));
        }
    }
}
