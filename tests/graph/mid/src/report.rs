use std::collections::BTreeSet;
use std::{slice, thread};

use anyrt::AnyRuntime;

/// Returns the name of this thread, which anyrt does not set.
pub(crate) fn thread_name() -> String {
    thread::current().name().unwrap_or("unnamed").to_owned()
}

/// The names of the threads, by what they did.
#[derive(Debug, Default)]
pub struct Report {
    /// Threads that polled the tasks of the service.
    pub tasks: BTreeSet<String>,
    /// Threads that ran its blocking closures.
    pub jobs: BTreeSet<String>,
    /// Threads that woke tasks that waited for its timers.
    pub timers: BTreeSet<String>,
    /// Threads that woke tasks that waited for its sockets.
    pub sockets: BTreeSet<String>,
    /// Threads that polled the caller.
    pub callers: BTreeSet<String>,
    /// The current runtimes in its tasks and closures.
    pub current: Vec<AnyRuntime>,
}

/// Prefixes of the names of a runtime's threads.
#[derive(Clone, Copy, Debug)]
pub struct Threads {
    /// Threads that poll tasks.
    pub tasks: &'static [&'static str],
    /// Threads that run blocking closures.
    pub jobs: &'static [&'static str],
    /// Threads of the reactor and its timers.
    pub wakers: &'static [&'static str],
}

impl Report {
    pub(crate) fn called(&mut self) {
        self.callers.insert(thread_name());
    }

    pub(crate) fn ran_a_task(&mut self) {
        self.tasks.insert(thread_name());
        self.found(AnyRuntime::current());
    }

    pub(crate) fn ran_a_job(&mut self) {
        self.jobs.insert(thread_name());
        self.found(AnyRuntime::current());
    }

    fn found(&mut self, runtime: AnyRuntime) {
        if !self.current.contains(&runtime) {
            self.current.push(runtime);
        }
    }

    /// Adds another report.
    pub fn add(&mut self, other: Self) {
        let Self { tasks, jobs, timers, sockets, callers, current } = other;
        self.tasks.extend(tasks);
        self.jobs.extend(jobs);
        self.timers.extend(timers);
        self.sockets.extend(sockets);
        self.callers.extend(callers);
        current.into_iter().for_each(|runtime| self.found(runtime));
    }

    /// Panics unless everything was done, and only by `runtime` and its threads.
    #[track_caller]
    pub fn assert_done_by(&self, runtime: &AnyRuntime, threads: Threads) {
        let Threads { tasks, jobs, wakers } = threads;
        let done = [
            ("tasks", &self.tasks, tasks),
            ("jobs", &self.jobs, jobs),
            ("timers", &self.timers, wakers),
            ("sockets", &self.sockets, wakers),
        ];
        for (what, names, of_runtime) in done {
            let right = all_begin_with(names, of_runtime);
            assert!(right, "{what} of {runtime:?} were on {names:?}, and not on {of_runtime:?}: {self:#?}");
        }
        assert_eq!(self.current, slice::from_ref(runtime));
    }

    /// Panics unless the caller was polled on these threads.
    #[track_caller]
    pub fn assert_called_from(&self, threads: &[&str]) {
        let right = all_begin_with(&self.callers, threads);
        assert!(right, "the caller was on {:?}, and not on {threads:?}", self.callers);
    }
}

fn all_begin_with(names: &BTreeSet<String>, beginnings: &[&str]) -> bool {
    let known = |name: &String| beginnings.iter().any(|beginning| name.starts_with(beginning));
    !names.is_empty() && names.iter().all(known)
}
