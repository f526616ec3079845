use std::any::Any;
use std::cell::Cell;
use std::ffi::OsString;
use std::io::Write;
use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;
use std::{env, fmt, thread};

use super::promise::promise;
use super::{Capabilities, scenarios};
use crate::AnyRuntime;
use crate::runtime::Runtime;

/// Seconds after which a scenario counts as hanging; the longest takes about one on an idle machine.
const LIMIT: u64 = 90;

/// Environment variable that overrides it.
const LIMIT_VARIABLE: &str = "ANYRT_CONFORMANCE_LIMIT";

/// A scenario: the test of one promise.
pub struct Scenario<R> {
    name: &'static str,
    needs: &'static str,
    run: fn(R),
}

impl<R: Runtime> Scenario<R> {
    pub(super) fn new(name: &'static str, needs: &'static str, run: fn(R)) -> Self {
        Self { name, needs, run }
    }

    /// Returns its name, which the docs cite.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns why a backend with `capabilities` cannot run it.
    pub fn skipped(&self, capabilities: &Capabilities) -> Option<&'static str> {
        if words(self.needs).any(|need| need == "current") && !AnyRuntime::knows::<R>() {
            return Some("it is found without a handle only as `AnyRuntime`");
        }
        declarable(self.needs).find_map(|need| capabilities.missing(need))
    }

    /// Runs the scenario on a thread of its own, for at most `limit`.
    ///
    /// # Errors
    ///
    /// The failure. If a scenario hangs, its thread is left behind.
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
            Err(RecvTimeoutError::Timeout) => Err(self.failure(How::Hung(limit))),
            Ok(()) | Err(RecvTimeoutError::Disconnected) => {
                thread.join().map_err(|payload| self.failure(How::Panicked(payload)))
            }
        }
    }
}

impl<R> Scenario<R> {
    fn failure(&self, how: How) -> Failure {
        Failure { scenario: self.name, needs: self.needs, how }
    }
}

/// What a scenario needs, as the list says it.
fn words(needs: &'static str) -> impl Iterator<Item = &'static str> {
    needs.trim_matches(['(', ')']).split(',').map(str::trim).filter(|need| !need.is_empty())
}

/// What of it is a capability.
fn declarable(needs: &'static str) -> impl Iterator<Item = &'static str> {
    words(needs).filter(|need| *need != "current")
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

/// Failure of a scenario, with the text of the promise.
pub struct Failure {
    scenario: &'static str,
    needs: &'static str,
    how: How,
}

enum How {
    Hung(Duration),
    Panicked(Box<dyn Any + Send>),
}

impl Failure {
    /// Returns whether the scenario did not end in time.
    pub fn is_hang(&self) -> bool {
        matches!(self.how, How::Hung(_))
    }

    /// Whether an error of kind `Unsupported` was unwrapped, as far as its text tells.
    fn is_unsupported(&self) -> bool {
        match &self.how {
            How::Hung(_) => false,
            How::Panicked(payload) => {
                let text = text(payload.as_ref());
                text.contains("kind: Unsupported") || text.contains("Kind(Unsupported)")
            }
        }
    }
}

/// What a panic said.
fn text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("it panicked")
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.how {
            How::Hung(limit) => write!(f, "scenario `{}` hangs: no end after {limit:?}", self.scenario)?,
            How::Panicked(payload) => {
                write!(f, "scenario `{}` failed: {}", self.scenario, text(payload.as_ref()))?
            }
        }
        if let Some(promise) = promise(self.scenario) {
            write!(f, "\n\n{promise}")?;
        }
        if self.is_unsupported() {
            let mut declarations = declarable(self.needs).map(Capabilities::declaration).peekable();
            let none = declarations.peek().is_none();
            f.write_str("\n\nThe runtime says that this is unsupported. ")?;
            f.write_str(if none {
                "No capability stands for it: every runtime has it."
            } else {
                "If so, declare it: "
            })?;
            for (n, declaration) in declarations.enumerate() {
                write!(f, "{}{declaration}", if n == 0 { "" } else { " or " })?;
            }
        }
        Ok(())
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
    // Not through `eprintln!`, which a passing test keeps to itself.
    let skip = |reason: &str| drop(writeln!(std::io::stderr(), "skipped {suite}::{scenario}: {reason}"));
    let Some(scenario) = scenarios.iter().find(|each| each.name == scenario) else {
        let feature = if scenario.starts_with("unix_fds") { "fds" } else { "watch" };
        return skip(&format!("it needs the feature `{feature}` of anyrt"));
    };
    if let Some(reason) = scenario.skipped(&capabilities) {
        return skip(reason);
    }
    if let Err(failure) = scenario.check(capabilities, limit(env::var_os(LIMIT_VARIABLE)), runtime) {
        if failure.is_hang() {
            panic!("{failure}");
        }
        eprintln!("{failure}");
        // Its panic has been seen.
        if let How::Panicked(payload) = failure.how {
            resume_unwind(payload)
        }
    }
}

fn limit(variable: Option<OsString>) -> Duration {
    let Some(text) = variable else { return Duration::from_secs(LIMIT) };
    match text.to_str().map(str::parse) {
        Some(Ok(seconds @ 1..)) => Duration::from_secs(seconds),
        _ => panic!("anyrt: {LIMIT_VARIABLE} is {text:?}: write a number of seconds, 1 or more"),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::conformance::elsewhere::elsewhere;

    fn failure(needs: &'static str, run: fn(AnyRuntime), limit: Duration) -> Failure {
        let scenario = Scenario::new("drop_detaches", needs, run);
        scenario.check(Capabilities::ALL, limit, elsewhere).unwrap_err()
    }

    fn unsupported(_: AnyRuntime) {
        // As `unwrap` has it.
        panic!("{:?}", io::Error::new(io::ErrorKind::Unsupported, "not here"))
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn failure_says_what_was_promised() {
        let text = failure("()", |_| panic!("it did {}", "not"), LONG).to_string();
        assert!(text.starts_with("scenario `drop_detaches` failed: it did not\n"), "{text}");
        assert!(text.contains("Dropping the handle detaches the task"), "{text}");
        assert!(!text.contains("unsupported"), "{text}");
    }

    #[test]
    fn failure_for_want_of_support_says_what_to_declare() {
        let text = failure("(current, shutdown, real_sockets)", unsupported, LONG).to_string();
        assert!(text.contains("declare it: `Capabilities::ALL.without_shutdown(\"why\")` or "), "{text}");
        assert!(text.ends_with("`Capabilities::ALL.without_real_sockets(\"why\")`"), "{text}");
        let text = failure("()", unsupported, LONG).to_string();
        assert!(text.ends_with("every runtime has it."), "{text}");
    }

    #[test]
    fn hang_says_after_how_long() {
        let hang = failure("()", |_| thread::park(), Duration::from_millis(1));
        assert!(hang.is_hang());
        let text = hang.to_string();
        assert!(text.starts_with("scenario `drop_detaches` hangs: no end after 1ms\n"), "{text}");
        assert!(text.contains("Dropping the handle detaches the task"), "{text}");
    }

    #[test]
    fn limit_is_a_number_of_seconds() {
        assert_eq!(limit(None), Duration::from_secs(LIMIT));
        assert_eq!(limit(Some("7".into())), Duration::from_secs(7));
        for bad in ["", "0", "-1", "soon"] {
            let payload = std::panic::catch_unwind(|| limit(Some(bad.into()))).unwrap_err();
            let text = text(payload.as_ref()).to_owned();
            assert!(text.contains("ANYRT_CONFORMANCE_LIMIT") && text.contains(&format!("{bad:?}")), "{text}");
        }
    }
}
