//! What a subscriber of tracing is told: the reports, and the tasks, as `tokio-console` reads them.
//!
//! It knows a task by a span of this name, with fields of these names, each poll by the span being entered, and wakes
//! by events of the target `runtime::waker` (console-subscriber 0.5, `src/lib.rs` and `src/visitors.rs`). compio and tokio
//! emit the same.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing::span::Entered;
use tracing::subscriber::NoSubscriber;
use tracing::{Level, Span, dispatcher, enabled, info, trace, trace_span, warn};

use super::report::remedy;
use super::{Report, TaskInfo};
use crate::thread::{self, lock};

/// The span of a task; `None` if no subscriber wants it.
pub(super) struct TaskSpan(Option<Box<Span>>);

/// The number of that span, for wakes; 0 if there is no span.
pub(super) struct SpanNumber(AtomicU64);

/// Something that the subscriber does; `None` where the thread ends and thread-locals of the subscriber may be gone.
///
/// The registry of tracing-subscriber 0.3.23 panics there, which aborts the process. Each kind of call makes
/// thread-locals of its own, so each has a sentinel that is made, and destroyed, at about the same time.
macro_rules! unless_thread_ends {
    ($call:expr) => {{
        struct Sentinel;

        impl Drop for Sentinel {
            // It is there to be gone.
            fn drop(&mut self) {}
        }

        thread_local! {
            static SENTINEL: Sentinel = const { Sentinel };
        }
        SENTINEL.try_with(|_| ()).is_ok().then(|| $call)
    }};
}

impl TaskSpan {
    pub(super) fn new() -> Self {
        Self(None)
    }

    /// In the first poll, which is when the number of a task is known.
    #[cold]
    pub(super) fn begin(&mut self, task: impl FnOnce() -> TaskInfo, number: &SpanNumber) {
        // Most subscribers want no level as fine as this.
        if LevelFilter::current() < Level::TRACE || self.0.is_some() {
            return;
        }
        let span = unless_thread_ends!(new_span(&task())).flatten();
        if let Some(id) = span.as_ref().and_then(Span::id).map(|id| id.into_u64()) {
            // The wakers are counted in an `Arc`, unseen. Without a first one the console says that a task is lost.
            tell("waker.clone", id);
            number.0.store(id, Ordering::Relaxed);
            self.0 = span.map(Box::new);
        }
    }

    /// The task is polled, until this is dropped.
    #[inline]
    pub(super) fn enter(&self) -> Option<Entered<'_>> {
        self.0.as_deref().and_then(enter)
    }

    /// Closes the span. Wakers that are left over tell nothing more, because another span may get its number.
    pub(super) fn end(&mut self, number: &SpanNumber) {
        if let Some(span) = self.0.take() {
            let id = number.0.swap(0, Ordering::Relaxed);
            tell("waker.drop", id);
            drop(span);
        }
    }
}

impl SpanNumber {
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    #[inline]
    pub(super) fn is_there(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// The task is woken.
    pub(super) fn wake(&self) {
        let id = self.0.load(Ordering::Relaxed);
        if id != 0 {
            tell("waker.wake_by_ref", id);
        }
    }
}

/// A callsite of tracing, which the first call registers with the subscriber.
///
/// Events of other threads meanwhile reach a subscriber that does not know the callsite yet (tracing-core 0.1.36,
/// `DefaultCallsite::register`). console-subscriber 0.5 drops them, and says for ever that a task has lost its waker.
struct Callsite {
    is_registered: AtomicBool,
    is_in_first_call: Mutex<bool>,
    first_call_ends: Condvar,
}

impl Callsite {
    /// A subscriber may run a task itself in the first call, or wait for a thread that does.
    const LIMIT: Duration = Duration::from_secs(5);

    const fn new() -> Self {
        Self {
            is_registered: AtomicBool::new(false),
            is_in_first_call: Mutex::new(false),
            first_call_ends: Condvar::new(),
        }
    }

    /// Calls, once the first call of another thread has ended.
    fn call<T>(&self, call: impl FnOnce() -> T) -> T {
        let _first = (!self.is_registered.load(Ordering::Acquire)).then(|| self.begin()).flatten();
        call()
    }

    #[cold]
    fn begin(&self) -> Option<FirstCall<'_>> {
        let mut is_in_first_call = lock(&self.is_in_first_call);
        if *is_in_first_call {
            let is_waited_for = |it: &mut bool| *it && !self.is_registered.load(Ordering::Acquire);
            drop(self.first_call_ends.wait_timeout_while(is_in_first_call, Self::LIMIT, is_waited_for));
            // In vain or not, nobody waits from now on: such a subscriber may wait for many tasks.
            self.is_registered.store(true, Ordering::Release);
            return None;
        }
        *is_in_first_call = true;
        Some(FirstCall(self))
    }
}

/// Ends with a panic of the subscriber, too.
struct FirstCall<'a>(&'a Callsite);

impl Drop for FirstCall<'_> {
    fn drop(&mut self) {
        let Callsite { is_registered, is_in_first_call, first_call_ends } = self.0;
        is_registered.store(true, Ordering::Release);
        *lock(is_in_first_call) = false;
        first_call_ends.notify_all();
    }
}

fn new_span(task: &TaskInfo) -> Option<Span> {
    if is_traced_by_tokio() {
        return None;
    }
    static CALLSITE: Callsite = Callsite::new();
    Some(CALLSITE.call(|| {
        trace_span!(
            target: "tokio::task",
            parent: None,
            "runtime.spawn",
            kind = task.kind.word(),
            task.id = id_of(task),
            task.name = task.name.as_deref(),
            loc.file = task.spawned_at.file,
            loc.line = task.spawned_at.line,
            loc.col = task.spawned_at.column,
        )
    }))
}

#[cold]
fn tell(op: &str, id: u64) {
    static CALLSITE: Callsite = Callsite::new();
    let tell = || trace!(target: "runtime::waker", op, task.id = id);
    let _told = unless_thread_ends!(CALLSITE.call(tell));
}

#[cold]
fn enter(span: &Span) -> Option<Entered<'_>> {
    unless_thread_ends!(span.enter())
}

/// tokio has a span of its own around the task, with `--cfg tokio_unstable` and its feature `tracing`.
fn is_traced_by_tokio() -> bool {
    let is_of_tokio = |path: Option<&str>| path.is_some_and(|path| path.starts_with("tokio::"));
    // Of others, tokio may poll what polls them.
    thread::task().is_none()
        && Span::current()
            .metadata()
            .is_some_and(|span| span.name() == "runtime.spawn" && is_of_tokio(span.module_path()))
}

/// The number that it is displayed as.
fn id_of(task: &TaskInfo) -> Option<u64> {
    task.id.as_ref()?.parse().ok()
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// An event of these fields, and of what each report has.
macro_rules! event {
    ($level:ident!($runtime:ident, $task:ident, ($($message:expr),+), $($fields:tt)*)) => {
        $level!(
            target: "anyrt::watch",
            runtime = $runtime.as_str(),
            task.kind = $task.kind.word(),
            task.id = id_of($task),
            task.name = $task.name.as_deref(),
            spawned_at = %$task.spawned_at,
            $($fields)*,
            $($message),+
        )
    };
}

/// Passes a report to the subscriber of the program; `None` if it has set none, and `Some(false)` if its filter drops a report
/// that asks for something.
pub(super) fn report(report: &Report) -> Option<bool> {
    if dispatcher::get_default(|subscriber| subscriber.is::<NoSubscriber>()) {
        return None;
    }
    match report {
        Report::Blocked { runtime, task, thread, elapsed, asleep_in, before, left_out } => event!(warn!(
            runtime,
            task,
            ("a task blocks its thread. {}", remedy(asleep_in.as_deref())),
            thread,
            elapsed_ms = ms(*elapsed),
            asleep_in = asleep_in.as_deref(),
            before,
            left_out
        )),
        Report::Ended { runtime, task, thread, took } => {
            event!(info!(runtime, task, ("a task has blocked its thread"), thread, took_ms = ms(*took)));
        }
        Report::Starved { runtime, task, waited, tasks } => event!(warn!(
            runtime,
            task,
            ("tasks are ready and get no turn: their runtime is blocked, overloaded, or not driven"),
            waited_ms = ms(*waited),
            tasks
        )),
        Report::PoolFull { runtime, closure, waited, queued, running } => event!(warn!(
            runtime,
            closure,
            ("blocking closures wait for a thread: set a higher `blocking_threads`, or run fewer at a time"),
            waited_ms = ms(*waited),
            queued,
            running
        )),
        Report::Descheduled { runtime, task, thread, took, waited } => event!(info!(
            runtime,
            task,
            ("a poll took long because its thread got no CPU: the machine is overloaded, the task does not block"),
            thread,
            took_ms = ms(*took),
            waited_ms = ms(*waited)
        )),
    }
    let asks_for_nothing = matches!(report, Report::Ended { .. } | Report::Descheduled { .. });
    Some(asks_for_nothing || enabled!(target: "anyrt::watch", Level::WARN))
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Instant;

    use super::*;

    #[test]
    fn callsite_is_called_when_it_is_registered() {
        let (callsite, is_registered) = (&Callsite::new(), &AtomicBool::new(false));
        let (tell, told) = mpsc::channel();
        thread::scope(|scope| {
            let second = callsite.call(|| {
                let second = scope.spawn(move || {
                    callsite.call(|| assert!(is_registered.load(Ordering::SeqCst)));
                    let _ = tell.send(());
                });
                // It waits.
                let told = told.recv_timeout(Duration::from_millis(300));
                assert_eq!(told, Err(mpsc::RecvTimeoutError::Timeout));
                is_registered.store(true, Ordering::SeqCst);
                second
            });
            second.join().unwrap();
        });
    }

    #[test]
    fn callsite_waits_once_for_a_first_call_that_waits_for_it() {
        let callsite = Callsite::new();
        callsite.call(|| {
            callsite.call(|| ());
            let begun = Instant::now();
            callsite.call(|| ());
            assert!(begun.elapsed() < Callsite::LIMIT);
        });
    }

    #[test]
    fn callsite_whose_first_call_panics_is_registered() {
        let callsite = Callsite::new();
        let panics = AssertUnwindSafe(|| callsite.call(|| resume_unwind(Box::new(()))));
        assert!(catch_unwind(panics).is_err());
        assert!(callsite.is_registered.load(Ordering::SeqCst));
        assert_eq!(callsite.call(|| 1), 1);
    }
}
