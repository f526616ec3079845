use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::io::Write;
use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::{Capabilities, scenarios};
use crate::AnyRuntime;
use crate::runtime::Runtime;

/// After this a scenario hangs; the longest takes about a second on an idle machine.
const LIMIT: Duration = Duration::from_secs(90);

/// One promise, and how to see that a runtime keeps it.
pub struct Scenario<R> {
    name: &'static str,
    needs: &'static str,
    run: fn(R),
}

impl<R: Runtime> Scenario<R> {
    pub(super) fn new(name: &'static str, needs: &'static str, run: fn(R)) -> Self {
        Self { name, needs, run }
    }

    /// Its name, which the docs cite.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Why a backend with `capabilities` cannot run it.
    pub fn skipped(&self, capabilities: &Capabilities) -> Option<&'static str> {
        let needs =
            || self.needs.trim_matches(['(', ')']).split(',').map(str::trim).filter(|need| !need.is_empty());
        if needs().any(|need| need == "current") && !AnyRuntime::knows::<R>() {
            return Some("it is found without a handle only as `AnyRuntime`");
        }
        needs().filter(|need| *need != "current").find_map(|need| capabilities.missing(need))
    }

    /// Runs it on a thread of its own, for `limit` at most.
    ///
    /// # Errors
    ///
    /// How it failed. The thread of a scenario that hangs is left behind.
    pub fn check(
        &self,
        capabilities: Capabilities,
        limit: Duration,
        runtime: impl FnOnce() -> R + Send + 'static,
    ) -> Result<(), Failure> {
        let (run, name) = (self.run, self.name);
        let (done, ended) = channel();
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                POOL_SIZE.set(capabilities.pool_size());
                run(runtime());
                // Nobody listens any more once the scenario is taken for hung.
                let _ = done.send(());
            })
            .unwrap();
        match ended.recv_timeout(limit) {
            Err(RecvTimeoutError::Timeout) => Err(Failure { scenario: name, payload: None }),
            Ok(()) | Err(RecvTimeoutError::Disconnected) => {
                thread.join().map_err(|payload| Failure { scenario: name, payload: Some(payload) })
            }
        }
    }
}

impl<R> fmt::Debug for Scenario<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenario").field("name", &self.name).field("needs", &self.needs).finish()
    }
}

thread_local! {
    static POOL_SIZE: Cell<usize> = const { Cell::new(0) };
}

/// How many closures fill the blocking pool of the runtime under test. Asked on the thread of the scenario.
pub(super) fn pool_size() -> usize {
    POOL_SIZE.get()
}

/// How a scenario failed.
pub struct Failure {
    scenario: &'static str,
    // Empty when it hung.
    payload: Option<Box<dyn Any + Send>>,
}

impl Failure {
    /// Whether it did not end in time.
    pub fn is_hang(&self) -> bool {
        self.payload.is_none()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.payload {
            None => write!(f, "scenario `{}` hangs", self.scenario),
            Some(payload) => {
                let message = payload.downcast_ref::<String>().map(String::as_str);
                let message = message.or_else(|| payload.downcast_ref::<&str>().copied());
                write!(f, "scenario `{}` failed: {}", self.scenario, message.unwrap_or("it panicked"))
            }
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failure {}

/// The body of a test that [`conformance!`](crate::conformance!) makes.
pub fn run<R: Runtime>(
    suite: &str,
    scenario: &str,
    capabilities: Capabilities,
    runtime: impl FnOnce() -> R + Send + 'static,
) {
    let scenarios = scenarios::<R>();
    let scenario = scenarios.iter().find(|each| each.name == scenario).unwrap();
    if let Some(reason) = scenario.skipped(&capabilities) {
        // Not through `eprintln!`, which a passing test keeps to itself.
        let _ = writeln!(std::io::stderr(), "skipped {suite}::{}: {reason}", scenario.name);
        return;
    }
    match scenario.check(capabilities, LIMIT, runtime) {
        Ok(()) => {}
        Err(Failure { payload: Some(payload), .. }) => resume_unwind(payload),
        Err(hang) => panic!("{hang}: no end after {LIMIT:?}"),
    }
}
