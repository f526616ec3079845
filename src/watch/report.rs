use std::fmt;
use std::panic::Location;
use std::time::Duration;

/// What the watching thread has seen. `Display` writes it as one line, with what to do about it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Report {
    /// A poll or destructor of a task, or a poll of a `block_on`, takes longer than the limit and has not ended.
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
        /// How many reports about tasks from this place were left out since the last one.
        left_out: u32,
    },
    /// The poll of an earlier [`Blocked`](Self::Blocked) has ended.
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

impl From<&Location<'static>> for Place {
    fn from(at: &Location<'static>) -> Self {
        Self { file: at.file(), line: at.line(), column: at.column() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// `task 7 "reader", spawned at src/main.rs:20:5,`
impl fmt::Display for TaskInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            TaskKind::Task => "task",
            TaskKind::Blocking => "blocking closure",
            TaskKind::BlockOn => return write!(f, "`block_on` at {}", self.spawned_at),
        })?;
        if let Some(id) = &self.id {
            write!(f, " {id}")?;
        }
        if let Some(name) = &self.name {
            write!(f, " {name:?}")?;
        }
        write!(f, ", spawned at {},", self.spawned_at)
    }
}

/// A duration as a report has it: in whole milliseconds.
struct Millis(Duration);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0.as_millis())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocked { task, thread, elapsed, asleep_in, before, left_out, .. } => {
                write!(f, "{task} blocks thread {thread:?} for {} so far (", Millis(*elapsed))?;
                match asleep_in {
                    Some(function) => write!(f, "asleep in the kernel: {function}")?,
                    None => f.write_str("running")?,
                }
                if *before > 0 {
                    write!(f, "; {before} times before")?;
                }
                if *left_out > 0 {
                    write!(f, "; {left_out} reports of this place left out")?;
                }
                f.write_str(
                    "). Run blocking code with `anyrt::spawn_blocking`, and call `anyrt::yield_now` in long \
                     computations.",
                )
            }
            Self::Ended { task, thread, took, .. } => {
                write!(f, "{task} blocked thread {thread:?} for {}", Millis(*took))
            }
            Self::Starved { task, waited, tasks, .. } => {
                write!(
                    f,
                    "{tasks} tasks are ready and get no turn. The first, {task} has waited for {}. Its runtime is \
                     blocked, overloaded, or not driven.",
                    Millis(*waited)
                )
            }
            Self::PoolFull { closure, waited, queued, running, .. } => {
                write!(
                    f,
                    "{queued} blocking closures wait for a thread, {running} run. The first, {closure} has waited for \
                     {}. Set a higher `blocking_threads`, or run fewer at a time.",
                    Millis(*waited)
                )
            }
            Self::Descheduled { task, thread, took, waited, .. } => {
                write!(
                    f,
                    "descheduled: a poll of {task} took {}, of which thread {thread:?} waited {} for a CPU. The machine \
                     is overloaded; the task does not block.",
                    Millis(*took),
                    Millis(*waited)
                )
            }
        }
    }
}
