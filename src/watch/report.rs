use std::fmt;
use std::panic::Location;
use std::time::Duration;

/// What the watching thread has seen. `Display` writes it as one line, with what to do about it.
///
/// With feature `serde` it can be serialised, as a [`Snapshot`](super::Snapshot) can: `{"report":"blocked","task":…}`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Report {
    /// A poll or destructor of a task, or a poll of a `block_on`, takes longer than the limit and has not ended. Reported
    /// again when it has taken ten times as long, and so on.
    #[non_exhaustive]
    Blocked {
        /// The runtime, as its `Debug` prints it.
        runtime: String,
        /// The task that blocks.
        task: TaskInfo,
        /// The name of the blocked thread.
        thread: String,
        /// How long the poll has taken so far, waits for a CPU left out.
        elapsed: Duration,
        /// The kernel function that the thread sleeps in; `None` if it runs, or on systems other than Linux.
        asleep_in: Option<String>,
        /// How often this task has done so before.
        before: u32,
        /// How many slow polls of tasks from this place have ended without a report since the last one.
        left_out: u32,
    },
    /// The poll of an earlier [`Blocked`](Self::Blocked) has ended. Comes once for each such poll.
    #[non_exhaustive]
    Ended {
        /// The runtime, as its `Debug` prints it.
        runtime: String,
        /// The task that blocked.
        task: TaskInfo,
        /// The name of the thread.
        thread: String,
        /// How long the poll took in all, waits for a CPU left out.
        took: Duration,
    },
    /// Tasks are ready and get no turn.
    #[non_exhaustive]
    Starved {
        /// The runtime, as its `Debug` prints it.
        runtime: String,
        /// The one that has waited longest.
        task: TaskInfo,
        /// How long it has waited.
        waited: Duration,
        /// How many wait for longer than the limit.
        tasks: usize,
    },
    /// Blocking closures wait for a thread.
    #[non_exhaustive]
    PoolFull {
        /// The runtime, as its `Debug` prints it.
        runtime: String,
        /// The one that has waited longest.
        closure: TaskInfo,
        /// How long it has waited.
        waited: Duration,
        /// How many wait.
        queued: usize,
        /// How many run.
        running: usize,
    },
    /// A poll took long because its thread got no CPU.
    #[non_exhaustive]
    Descheduled {
        /// The runtime, as its `Debug` prints it.
        runtime: String,
        /// The task that was polled.
        task: TaskInfo,
        /// The name of the thread.
        thread: String,
        /// How long the poll took.
        took: Duration,
        /// How much of it the thread waited for a CPU.
        waited: Duration,
    },
}

/// A watched task, blocking closure, or future of a `block_on`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TaskInfo {
    /// Its number, as [`task::Id`](crate::task::Id) prints it; `None` before its first poll, and for a `block_on`.
    pub id: Option<String>,
    /// Its name, if [`task::Builder`](crate::task::Builder) has set one.
    pub name: Option<String>,
    /// Where it was spawned, or where `block_on` was called.
    pub spawned_at: Place,
    /// What it is.
    pub kind: TaskKind,
}

/// Kind of a [`TaskInfo`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskKind {
    /// A spawned task.
    Task,
    /// A blocking closure.
    Blocking,
    /// The future of a `block_on`.
    BlockOn,
}

/// A place in the source: `src/main.rs:20:5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Place {
    /// The file, as the compiler was told it.
    pub file: &'static str,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

#[cfg(any(feature = "serde", feature = "tracing"))]
impl TaskKind {
    /// The word for it in data.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Blocking => "blocking",
            Self::BlockOn => "block_on",
        }
    }
}

impl From<&'static Location<'static>> for Place {
    fn from(at: &'static Location<'static>) -> Self {
        Self { file: at.file(), line: at.line(), column: at.column() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// `task 7 "reader", spawned at src/main.rs:20:5`
impl fmt::Display for TaskInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = match self.kind {
            TaskKind::Task => "task",
            TaskKind::Blocking => "blocking closure",
            TaskKind::BlockOn => return write!(f, "`block_on` at {}", self.spawned_at),
        };
        match &self.id {
            Some(id) => write!(f, "{noun} {id}")?,
            None => write!(f, "a {noun}")?,
        }
        if let Some(name) = &self.name {
            write!(f, " {name:?}")?;
        }
        write!(f, ", spawned at {}", self.spawned_at)
    }
}

/// A task in the middle of a sentence, which goes on after its place.
struct Subject<'a>(&'a TaskInfo);

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let comma = if self.0.kind == TaskKind::BlockOn { "" } else { "," };
        write!(f, "{}{comma}", self.0)
    }
}

/// A duration as a report has it: in whole milliseconds.
struct Millis(Duration);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0.as_millis())
    }
}

/// A number, and the noun in its form.
struct Count(usize, &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(count, noun) = self;
        write!(f, "{count} {noun}{}", if *count == 1 { "" } else { "s" })
    }
}

/// What to write instead, as far as the kernel function tells.
pub(super) fn remedy(asleep_in: Option<&str>) -> &'static str {
    match asleep_in {
        Some(function) if function.contains("nanosleep") => {
            "Await `anyrt::time::sleep` instead of `std::thread::sleep`, and run other blocking code with \
             `anyrt::spawn_blocking`."
        }
        Some(function) if function.contains("futex") => {
            "It waits for a lock, a channel or a thread: use an async one, or wait with `anyrt::spawn_blocking`."
        }
        Some(_) => "Run blocking code with `anyrt::spawn_blocking`.",
        None => {
            "Run blocking code with `anyrt::spawn_blocking`, and await `anyrt::yield_now` now and then in long \
             computations."
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocked { task, thread, elapsed, asleep_in, before, left_out, .. } => {
                write!(f, "{} blocks thread {thread:?} for {} so far", Subject(task), Millis(*elapsed))?;
                let state = match asleep_in {
                    Some(function) => Some(format!("asleep in the kernel: {function}")),
                    // Elsewhere it may as well sleep.
                    None => cfg!(target_os = "linux").then(|| "running".to_owned()),
                };
                let before = (*before > 0).then(|| format!("{} before", Count(*before as usize, "time")));
                let left_out = (*left_out > 0)
                    .then(|| format!("{} of this place left out", Count(*left_out as usize, "report")));
                let notes: Vec<String> = [state, before, left_out].into_iter().flatten().collect();
                if !notes.is_empty() {
                    write!(f, " ({})", notes.join("; "))?;
                }
                write!(f, ". {}", remedy(asleep_in.as_deref()))
            }
            Self::Ended { task, thread, took, .. } => {
                write!(f, "{} blocked thread {thread:?} for {}", Subject(task), Millis(*took))
            }
            Self::Starved { task, waited, tasks, .. } => {
                let verbs = if *tasks == 1 { "is ready and gets" } else { "are ready and get" };
                write!(
                    f,
                    "{} {verbs} no turn. The first has waited for {}: {task}. The runtime is blocked, overloaded, or \
                     not driven.",
                    Count(*tasks, "task"),
                    Millis(*waited)
                )
            }
            Self::PoolFull { closure, waited, queued, running, .. } => {
                let verb = if *queued == 1 { "waits" } else { "wait" };
                write!(
                    f,
                    "{} {verb} for a thread; {running} running. The first has waited for {}: {closure}. Set a higher \
                     `blocking_threads`, or run fewer at a time.",
                    Count(*queued, "blocking closure"),
                    Millis(*waited)
                )
            }
            Self::Descheduled { task, thread, took, waited, .. } => {
                write!(
                    f,
                    "descheduled: a poll of {} took {}, of which thread {thread:?} waited {} for a CPU. The machine \
                     is overloaded; the task does not block.",
                    Subject(task),
                    Millis(*took),
                    Millis(*waited)
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task() -> TaskInfo {
        let spawned_at = Place { file: "src/main.rs", line: 20, column: 5 };
        TaskInfo { id: Some("7".into()), name: Some("reader".into()), spawned_at, kind: TaskKind::Task }
    }

    fn blocked(asleep_in: Option<&str>, before: u32, left_out: u32) -> String {
        let blocked = Report::Blocked {
            runtime: "Smol".into(),
            task: task(),
            thread: "worker".into(),
            elapsed: Duration::from_millis(105),
            asleep_in: asleep_in.map(Into::into),
            before,
            left_out,
        };
        blocked.to_string()
    }

    #[test]
    fn whoever_blocks_is_told_what_to_write_instead() {
        assert_eq!(
            blocked(Some("hrtimer_nanosleep"), 1, 2),
            "task 7 \"reader\", spawned at src/main.rs:20:5, blocks thread \"worker\" for 105 ms so far (asleep in the \
             kernel: hrtimer_nanosleep; 1 time before; 2 reports of this place left out). Await `anyrt::time::sleep` \
             instead of `std::thread::sleep`, and run other blocking code with `anyrt::spawn_blocking`."
        );
        assert!(
            blocked(Some("futex_do_wait"), 0, 0)
                .contains("futex_do_wait). It waits for a lock, a channel or a thread")
        );
        assert!(
            blocked(Some("pipe_read"), 0, 0).ends_with("Run blocking code with `anyrt::spawn_blocking`.")
        );
        let running =
            if cfg!(target_os = "linux") { "105 ms so far (running). Run" } else { "105 ms so far. Run" };
        assert!(blocked(None, 0, 0).contains(running));
    }

    #[test]
    fn one_task_gets_no_turn_and_two_get_none() {
        let starved = |tasks, task| {
            let waited = Duration::from_secs(1);
            Report::Starved { runtime: "Smol".into(), task, waited, tasks }.to_string()
        };
        assert_eq!(
            starved(1, task()),
            "1 task is ready and gets no turn. The first has waited for 1000 ms: task 7 \"reader\", spawned at \
             src/main.rs:20:5. The runtime is blocked, overloaded, or not driven."
        );
        // Before its first poll nobody knows its number.
        assert!(starved(2, TaskInfo { id: None, name: None, ..task() }).starts_with(
            "2 tasks are ready and get no turn. The first has waited for 1000 ms: a task, spawned at src/main.rs:20:5. "
        ));
    }

    #[test]
    fn one_closure_waits_for_a_thread_and_two_wait() {
        let full = |queued| {
            let (waited, closure) = (
                Duration::from_secs(1),
                TaskInfo { id: None, name: None, kind: TaskKind::Blocking, ..task() },
            );
            Report::PoolFull { runtime: "Smol".into(), closure, waited, queued, running: 3 }.to_string()
        };
        assert_eq!(
            full(2),
            "2 blocking closures wait for a thread; 3 running. The first has waited for 1000 ms: a blocking closure, \
             spawned at src/main.rs:20:5. Set a higher `blocking_threads`, or run fewer at a time."
        );
        assert!(full(1).starts_with("1 blocking closure waits for a thread; 3 running. "));
    }

    #[test]
    fn what_blocks_is_the_subject_of_its_sentence() {
        let ended = |kind| {
            let (task, took) = (TaskInfo { kind, ..task() }, Duration::from_millis(105));
            Report::Ended { runtime: "Smol".into(), task, thread: "worker".into(), took }.to_string()
        };
        assert_eq!(
            ended(TaskKind::Task),
            "task 7 \"reader\", spawned at src/main.rs:20:5, blocked thread \"worker\" for 105 ms"
        );
        assert_eq!(
            ended(TaskKind::BlockOn),
            "`block_on` at src/main.rs:20:5 blocked thread \"worker\" for 105 ms"
        );
        assert_eq!(task().to_string(), "task 7 \"reader\", spawned at src/main.rs:20:5");
    }
}
