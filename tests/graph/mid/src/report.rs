use std::collections::BTreeSet;
use std::{slice, thread};

use anyrt::AnyRuntime;

/// The name of this thread, which anyrt has no say in.
pub(crate) fn thread_name() -> String {
    thread::current().name().unwrap_or("unnamed").to_owned()
}

/// Which threads did what.
#[derive(Debug, Default)]
pub struct Report {
    /// Polled the tasks of the service,
    pub tasks: BTreeSet<String>,
    /// ran its blocking jobs,
    pub jobs: BTreeSet<String>,
    /// woke whoever waited for one of its timers,
    pub timers: BTreeSet<String>,
    /// or for one of its sockets;
    pub sockets: BTreeSet<String>,
    /// and polled the caller.
    pub callers: BTreeSet<String>,
    /// What was the current runtime in its tasks and jobs.
    pub current: Vec<AnyRuntime>,
}

/// How the names of a runtime's threads begin.
#[derive(Clone, Copy, Debug)]
pub struct Threads {
    /// Those that poll tasks,
    pub tasks: &'static [&'static str],
    /// those that run blocking jobs,
    pub jobs: &'static [&'static str],
    /// and those that see that time has passed, or that a socket is ready.
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

    /// Takes another one in.
    pub fn add(&mut self, other: Self) {
        let Self { tasks, jobs, timers, sockets, callers, current } = other;
        self.tasks.extend(tasks);
        self.jobs.extend(jobs);
        self.timers.extend(timers);
        self.sockets.extend(sockets);
        self.callers.extend(callers);
        current.into_iter().for_each(|runtime| self.found(runtime));
    }

    /// Panics unless everything was done, and all of it by `runtime` and its threads.
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
