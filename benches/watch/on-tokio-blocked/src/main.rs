//! On tokio with tokio-blocked.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use clap::Parser;
use programs::{Host, Job, LIMIT, LONG_LIMIT, Seen, Spawned, Task, WORKERS};
use tokio::runtime::{Builder, Runtime};
use tokio_blocked::TokioBlockedLayer;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

#[derive(Parser)]
struct Args {
    /// Without a subscriber: what the flag and tokio's feature `tracing` cost alone
    #[arg(long)]
    unwatched: bool,
    #[command(flatten)]
    job: Job,
}

fn main() {
    let args = Args::parse();
    #[cfg(not(tokio_unstable))]
    eprintln!("without `--cfg tokio_unstable`, which the runner sets, it sees nothing");
    if !args.unwatched {
        let blocked = TokioBlockedLayer::new()
            .with_warn_busy_single_poll(Some(LIMIT))
            .with_warn_busy_total(Some(LONG_LIMIT));
        tracing_subscriber::registry().with(Reports).with(blocked).init();
    }
    args.job.run(file!(), || {
        let mut builder = if args.job.is_single_threaded() {
            Builder::new_current_thread()
        } else {
            Builder::new_multi_thread()
        };
        let runtime = builder.worker_threads(WORKERS).enable_time().build();
        Blocked(runtime.expect("the system gives threads"))
    });
}

/// Takes the warnings.
struct Reports;

impl<S: Subscriber> Layer<S> for Reports {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if !event.metadata().target().starts_with("tokio_blocked::") {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let took = fields.nanos.map(Duration::from_nanos);
        let name = fields.name;
        let text = format!("{}:{}", event.metadata().target(), fields.text);
        programs::see(Seen { place: fields.file.zip(fields.line), name, took, text });
    }
}

#[derive(Default)]
struct Fields {
    file: Option<String>,
    line: Option<u32>,
    name: Option<String>,
    nanos: Option<u64>,
    text: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text += &format!(" {}={value:?}", field.name());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "callsite.file" => self.file = Some(value.to_owned()),
            "task.name" => self.name = Some(value.to_owned()),
            _ => (),
        }
        self.record_debug(field, &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "callsite.line" => self.line = u32::try_from(value).ok(),
            "poll_duration_ns" | "busy_ns" => self.nanos = Some(value),
            _ => (),
        }
        self.record_debug(field, &value);
    }
}

struct Blocked(Runtime);

impl Host for Blocked {
    fn block_on(&self, main: Pin<Box<dyn Future<Output = ()> + Send + '_>>) -> u32 {
        let (line, ()) = (line!(), self.0.block_on(main));
        line
    }

    fn spawn_culprit(&self, task: Task) -> Spawned {
        #[cfg(tokio_unstable)]
        let culprit = tokio::task::Builder::new().name("culprit");
        #[cfg(tokio_unstable)]
        let (line, task) = (line!(), culprit.spawn_on(task, self.0.handle()).expect("a task is spawned"));
        #[cfg(not(tokio_unstable))]
        let (line, task) = (line!(), self.0.spawn(task));
        Spawned { line, abort: Box::new(move || task.abort()) }
    }

    fn spawn_quick(&self, task: Task) {
        self.0.spawn(task);
    }

    fn spawn_foreign(&self, task: Task) -> Spawned {
        let (line, _task) = (line!(), self.0.spawn(task));
        Spawned { line, abort: Box::new(|| ()) }
    }

    fn spawn_blocking(&self, job: Box<dyn FnOnce() + Send>) -> u32 {
        let (line, _task) = (line!(), self.0.spawn_blocking(job));
        line
    }

    fn sleep(duration: Duration) -> Task {
        Box::pin(tokio::time::sleep(duration))
    }
}
