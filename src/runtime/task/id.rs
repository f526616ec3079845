use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use super::native;
use crate::thread;

/// Id of a task or blocking closure, unique among the running ones of the process, across all runtimes.
///
/// [`JoinHandle::id`](super::JoinHandle::id) returns it outside of the task, [`id`] inside. Two ids are equal if they
/// are of the same task. An id may be reused once its task is over and no handle and no set refers to the task.
///
/// `Display` prints a number. Tasks on different runtimes may print the same number although their ids differ, because
/// tokio counts its own tasks. In a simulation it is the number in reports and in the log (`#7`), the same in each run
/// of one seed.
///
/// # Examples
///
/// ```
/// use std::collections::HashMap;
///
/// use anyrt::{Spawn, task::JoinSet};
///
/// async fn fetch_all<R: Spawn>(urls: Vec<String>, runtime: R) {
///     let (mut set, mut urls_of) = (JoinSet::new(), HashMap::new());
///     for url in urls {
///         let task = set.spawn_on(async { /* … */ }, &runtime);
///         urls_of.insert(task.id(), url);
///     }
///     while let Some(result) = set.join_next_with_id().await {
///         if let Err(error) = result {
///             eprintln!("{}: {error}", urls_of[&error.id()]);
///         }
///     }
/// }
/// ```
///
/// <details><summary>Scenarios</summary>
///
/// `ids_of_tasks_differ`, `id_in_a_task_is_that_of_its_handle`, `id_stays_when_a_task_is_aborted`.</details>
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id {
    repr: Repr,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Repr {
    Tokio(native::Task),
    Other(Number),
}

/// Returns the id of the task or blocking closure that this code runs in.
///
/// # Panics
///
/// If called outside of a task; see [`try_id`].
///
/// # Examples
///
/// ```
/// async fn serve(request: &str) {
///     println!("task {} serves {request}", anyrt::task::id());
/// }
/// ```
///
/// <details><summary>Scenarios</summary>
///
/// `id_in_a_task_is_that_of_its_handle`.</details>
#[track_caller]
pub fn id() -> Id {
    match try_id() {
        Some(id) => id,
        None => {
            panic!(
                "anyrt: `anyrt::task::id` was called outside of a task. `anyrt::task::try_id` can be called anywhere."
            )
        }
    }
}

/// Returns the id of the task or blocking closure that this code runs in, or `None` outside of tasks.
///
/// The future of a `block_on` is not a task. A destructor of the future or closure sees the same id as the task.
///
/// <details><summary>Scenarios</summary>
///
/// `id_in_a_task_is_that_of_its_handle`, `id_in_a_blocking_closure_is_that_of_its_handle`,
/// `id_in_a_destructor_is_that_of_its_task`, `id_outside_of_a_task_is_none`.</details>
pub fn try_id() -> Option<Id> {
    match thread::task() {
        Some(number) => Some(Number(number).into()),
        None => native::task().map(Id::tokio),
    }
}

impl Id {
    pub(crate) fn tokio(id: native::Task) -> Self {
        Self { repr: Repr::Tokio(id) }
    }
}

impl From<Number> for Id {
    fn from(number: Number) -> Self {
        Self { repr: Repr::Other(number) }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.repr {
            Repr::Tokio(id) => id.fmt(f),
            Repr::Other(number) => number.shown().fmt(f),
        }
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({self})")
    }
}

/// The number of a task in its process, tasks of tokio left out, which have numbers of their own; never 0.
///
/// Those of simulations have the highest bit set. Then there are the simulation, in 27 bits, and the task in it, in 36: so that
/// what is shown of it does not depend on what else is in the process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Number(u64);

const SIMULATED: u64 = 1 << 63;
const BITS_OF_TASK: u32 = 36;

impl Number {
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The task with this number in a simulation.
    #[allow(dead_code, reason = "without a simulation nobody asks")]
    pub(crate) fn in_simulation(simulation: u64, task: u64) -> Self {
        Self(SIMULATED | (simulation << BITS_OF_TASK) & !SIMULATED | task & ((1 << BITS_OF_TASK) - 1))
    }

    #[allow(dead_code, reason = "without a simulation nobody asks")]
    pub(crate) fn is_simulated(self) -> bool {
        self.0 & SIMULATED != 0
    }

    pub(crate) fn get(self) -> u64 {
        self.0
    }

    fn shown(self) -> u64 {
        if self.is_simulated() { self.0 & ((1 << BITS_OF_TASK) - 1) } else { self.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_of_a_simulated_task_shows_the_task_alone() {
        let number = |simulation, task| Id::from(Number::in_simulation(simulation, task));
        assert_eq!(number(3, 7).to_string(), "7");
        assert_ne!(number(3, 7), number(4, 7));
        assert_ne!(number(3, 7), number(3, 8));
        assert!(Number::in_simulation(u64::MAX, u64::MAX).is_simulated());
        assert_eq!(number(1 << 27, 7), number(0, 7), "as many simulations later");
        assert!(!Number::next().is_simulated());
    }
}
