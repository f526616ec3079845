use std::fmt;
use std::future::Future;
use std::io::{self, Write};
use std::panic::{Location, resume_unwind};
use std::process;
use std::time::Duration;

use super::{Named, watched};
use crate::BlockOn;
use crate::named::chosen;
use crate::runtime::ShutdownReport;
use crate::runtime::builder::Builder;
use crate::runtime::task::catch_panic::catch_panic;

/// Time for remaining tasks and closures to end.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// The runtime of a program.
#[derive(Debug)]
pub struct Program {
    runtime: &'static Named,
    workers: Option<usize>,
    shutdown: Duration,
    watch: Option<Duration>,
}

impl Program {
    /// Uses the runtime with this name.
    pub fn on(runtime: &'static Named) -> Self {
        Self { runtime, workers: None, shutdown: SHUTDOWN, watch: None }
    }

    /// The runtime that the environment names, or else the only one that is compiled in. The process ends if none or
    /// several are compiled in.
    pub fn chosen() -> Self {
        match chosen("`#[anyrt::main(tokio)]`") {
            Ok(runtime) => Self::on(runtime),
            Err(wrong) => end(wrong),
        }
    }

    /// Sets the number of its workers.
    pub fn workers(self, workers: usize) -> Self {
        Self { workers: Some(workers), ..self }
    }

    /// Sets how long tasks and closures that are left at the end may take.
    pub fn shutdown_millis(self, millis: u64) -> Self {
        Self { shutdown: Duration::from_millis(millis), ..self }
    }

    /// Sets how long a task may block its thread before it is reported.
    pub fn watch_millis(self, millis: u64) -> Self {
        Self { watch: Some(Duration::from_millis(millis)), ..self }
    }

    /// Runs it.
    #[track_caller]
    pub fn run<F: Future>(self, program: F) -> F::Output {
        let Self { runtime: Named { word, start, .. }, workers, shutdown, watch } = self;
        let called_at = Location::caller();
        let limit = watched::limit(watch).unwrap_or_else(|wrong| end(wrong));
        let builder = match workers {
            Some(workers) => Builder::new_multi_thread().worker_threads(workers),
            None => Builder::new_multi_thread(),
        };
        let rt = start(builder).unwrap_or_else(|error| end(format_args!("{word} does not start: {error}")));
        let rt = watched::watched(rt, limit)
            .unwrap_or_else(|error| end(format_args!("no thread to watch {word} with: {error}")));
        let outcome = catch_panic(|| rt.block_on_at(called_at, program));
        // What this panics with is not what the program did.
        let left = catch_panic(|| rt.shutdown_timeout(shutdown));
        // A runtime that belongs to the process goes on.
        if let Some(ShutdownReport { tasks, blocking }) =
            left.ok().and_then(Result::ok).filter(|left| !left.is_empty())
        {
            say(format_args!(
                "the program ends, and leaves what has not ended after {shutdown:?}: {tasks} tasks, {blocking} blocking \
                 closures"
            ));
        }
        outcome.unwrap_or_else(|payload| resume_unwind(payload))
    }
}

/// Ends the process with a line that says why.
fn end(why: impl fmt::Display) -> ! {
    say(why);
    process::exit(1)
}

/// Writes to stderr, ignoring errors. Not with `eprintln!`, which panics on errors, and whose output tests capture.
pub(super) fn say(what: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "anyrt: {what}");
}
