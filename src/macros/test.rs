use std::any::type_name;
use std::env;
use std::future::Future;
use std::io::Write;
use std::panic::{Location, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::{Named, watched};
use crate::runtime::builder::Builder;
use crate::runtime::task::catch_panic::{Payload, catch_panic};
use crate::{AnyRuntime, BlockOn, Time};

/// The body of a test. It is boxed, so that its runner is compiled only once.
pub type Body = Pin<Box<dyn Future<Output = ()>>>;

/// A test, independent of the runtime.
#[derive(Clone, Copy, Debug)]
pub struct Test {
    module: &'static str,
    pub(super) body: fn(AnyRuntime) -> Body,
    workers: usize,
    timeout: Duration,
}

/// Default number of workers, on all machines: tests run concurrently.
const WORKERS: usize = 2;

const TIMEOUT: Duration = Duration::from_secs(60);

/// How many seconds it is instead, for all tests.
const TIMEOUT_VARIABLE: &str = "ANYRT_TEST_TIMEOUT";

/// Maximum delay of a timer if its runtime makes progress.
const GRACE: Duration = Duration::from_secs(1);

/// Time for reducing the failure of a simulation.
const REDUCTION: Duration = Duration::from_secs(10);

/// Time for remaining tasks and closures to end.
const SHUTDOWN: Duration = Duration::from_secs(5);

impl Test {
    /// `module` is the one that the tests of all runtimes are in.
    pub const fn new(module: &'static str, body: fn(AnyRuntime) -> Body) -> Self {
        Self { module, body, workers: WORKERS, timeout: TIMEOUT }
    }

    /// Sets the number of its workers.
    pub const fn workers(self, workers: usize) -> Self {
        Self { workers, ..self }
    }

    /// Sets how long it may take.
    pub const fn timeout_millis(self, millis: u64) -> Self {
        Self { timeout: Duration::from_millis(millis), ..self }
    }

    /// Runs it on one runtime.
    #[track_caller]
    pub fn run(self, runtime: &'static Named) {
        let (name, limit, called_at) = (self.name(), self.limit(), Location::caller());
        self.on_a_thread(runtime.word, Some(limit), move |said| {
            let start = (runtime.start)(Builder::new_multi_thread().worker_threads(self.workers));
            let rt = start.unwrap_or_else(|error| panic!("anyrt: no runtime for `{name}`: {error}"));
            let limit_of_polls = watched::limit(None).unwrap_or_else(|wrong| panic!("anyrt: {wrong}"));
            let rt = watched::watched(rt, limit_of_polls)
                .unwrap_or_else(|error| panic!("anyrt: no thread to watch `{name}` with: {error}"));
            let begun = Instant::now();
            let ended = catch_panic(|| {
                rt.block_on_at(called_at, async {
                    let mut body = pin!(rt.timeout(limit, (self.body)(rt.clone())));
                    if body.as_mut().await.is_err() {
                        // Before its destructor, which may panic.
                        let _ = said.send(Said::Hangs);
                    }
                });
            });
            let took = if ended.is_ok() { begun.elapsed() } else { Duration::ZERO };
            let _ = said.send(Said::Ended(took));
            // A runtime that belongs to the process goes on.
            let _ = rt.shutdown_timeout(SHUTDOWN);
            if let Err(payload) = ended {
                resume_unwind(payload);
            }
        });
    }

    /// Runs `program` on a thread that has the name of the test: one that blocks its thread can be left there.
    #[track_caller]
    pub(super) fn on_a_thread(
        self,
        word: &str,
        limit: Option<Duration>,
        program: impl FnOnce(&Sender<Said>) + Send + 'static,
    ) {
        let (name, after) = (self.name(), self.limit());
        let (says, said) = channel();
        let thread = thread::Builder::new().name(format!("{name}::{word}")).spawn(move || {
            let over = catch_panic(|| program(&says));
            let _ = says.send(Said::Over(over));
        });
        thread.unwrap_or_else(|error| panic!("anyrt: no thread for `{name}`: {error}"));

        let (mut limit, mut wrong) = (limit, None);
        let over = loop {
            let next = match limit {
                Some(limit) => said.recv_timeout(limit.saturating_add(GRACE)),
                None => said.recv().map_err(RecvTimeoutError::from),
            };
            let not_ended = |with: &str, why: &str| {
                format!("anyrt: `{name}` has not ended on {word}{with} after {after:?}{why}")
            };
            match next {
                Ok(Said::Hangs) => wrong = Some(not_ended("", "")),
                Ok(Said::Failed(report)) => wrong = Some(report),
                Ok(Said::Ended(took)) if took > after && wrong.is_none() => {
                    wrong =
                        Some(format!("anyrt: `{name}` has taken {took:?} on {word}, and may take {after:?}"));
                }
                Ok(Said::Ended(_)) => {}
                Ok(Said::Reduces(failure)) => {
                    // Until there is a report.
                    wrong = Some(format!("{failure}\nRun again, it blocks its thread"));
                    limit = Some(after.saturating_add(REDUCTION));
                    continue;
                }
                Ok(Said::Blocked(seed)) => {
                    let with = format!(" with seed {seed}");
                    break Err(wrong.take().unwrap_or_else(|| not_ended(&with, ": it blocks its thread")));
                }
                Ok(Said::Over(over)) => break Ok(over),
                Err(_) => break Err(wrong.take().unwrap_or_else(|| not_ended("", ": it blocks its thread"))),
            }
            // What is left is the end of its runtime.
            limit = Some(SHUTDOWN);
        };
        match (over, wrong) {
            (Err(blocked), _) => panic!("{blocked}"),
            // Its panic, if there is one, has been printed.
            (Ok(_), Some(wrong)) => panic!("{wrong}"),
            (Ok(Err(payload)), None) => resume_unwind(payload),
            (Ok(Ok(())), None) => {}
        }
    }

    /// As the test harness has it, but for the runtime.
    pub(super) fn name(self) -> &'static str {
        without_crate(self.module)
    }

    pub(super) fn limit(self) -> Duration {
        let Some(text) = env::var_os(TIMEOUT_VARIABLE) else { return self.timeout };
        match text.to_str().map(str::parse) {
            Some(Ok(seconds @ 1..)) => Duration::from_secs(seconds),
            _ => panic!("anyrt: {TIMEOUT_VARIABLE} is {text:?}: write a number of seconds, 1 or more"),
        }
    }
}

/// What the thread of a test says.
#[allow(dead_code, reason = "without a simulation there are no seeds")]
pub(super) enum Said {
    /// It has not ended in time.
    Hangs,
    /// So long has it taken, if it has not panicked. Its runtime is about to end.
    Ended(Duration),
    /// A seed fails, and is run again, to see what that takes.
    Reduces(String),
    /// With one of its seeds: a report.
    Failed(String),
    /// It blocks its thread with this seed.
    Blocked(String),
    /// The thread is done.
    Over(Result<(), Payload>),
}

fn without_crate(module: &'static str) -> &'static str {
    module.split_once("::").map_or(module, |(_, path)| path)
}

/// The runtime as what it is.
pub fn known<R: TryFrom<AnyRuntime>>(runtime: AnyRuntime) -> R {
    R::try_from(runtime)
        .unwrap_or_else(|_| panic!("anyrt: a test is given another runtime than `{}`", type_name::<R>()))
}

/// A test that is skipped has been asked for.
pub fn skipped(module: &'static str, word: &str, reason: &str) {
    // Not through `eprintln!`, which a passing test keeps to itself.
    let _ = writeln!(std::io::stderr(), "skipped {}::{word}: {reason}", without_crate(module));
}

/// There is no runtime to test on.
pub fn no_backend() {
    panic!(
        "anyrt: no runtime is compiled in, so nothing is tested. Write those to test on under `[dev-dependencies]` in \
         Cargo.toml, such as `anyrt = {{ version = \"0.1\", features = [\"macros\", \"tokio\", \"smol\", \"sim\"] }}`."
    );
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::Spawn;
    use crate::named::COMPILED_IN;

    static DROPPED: AtomicUsize = AtomicUsize::new(0);

    struct Counts;

    impl Drop for Counts {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Leaves a task that never ends.
    fn leaves_a_task(rt: AnyRuntime) -> Body {
        Box::pin(async move {
            let counts = Counts;
            drop(rt.spawn(async move {
                std::future::pending::<()>().await;
                drop(counts);
            }));
            rt.yield_now().await;
        })
    }

    #[test]
    fn tasks_are_dropped_with_the_runtime_of_their_test() {
        // A simulation of a test has its end elsewhere, and others belong to the process.
        let owned = ["tokio", "tokio_current_thread", "smol"];
        for runtime in COMPILED_IN.iter().filter(|runtime| owned.contains(&runtime.word)) {
            let before = DROPPED.load(Ordering::SeqCst);
            Test::new(module_path!(), leaves_a_task).run(runtime);
            assert_eq!(DROPPED.load(Ordering::SeqCst), before + 1, "{runtime:?}");
        }
    }

    #[test]
    fn name_is_that_of_the_harness() {
        let test = |module| Test::new(module, leaves_a_task).name();
        assert_eq!(test("krate::tests::naps"), "tests::naps");
        assert_eq!(test("krate"), "krate");
    }
}
