//! # CPU work, on rayon
//!
//! A task that computes for long holds up every other on its thread. Two places take such work:
//!
//! | | [`anyrt::spawn_blocking`] | [`on_rayon`] |
//! |---|---|---|
//! | threads | many, for closures that mostly wait: files, locks, other people's blocking calls | one per core, for closures that compute |
//! | work that is divided (`par_iter`) | on one of them, the parts on rayon's | on rayon's |
//! | too much of it | waits for a thread, and so does every file that is read | waits for a core |
//! | in a simulation | a task, in its turn | a real thread, which is an error when it wakes a task |
//!
//! So [`anyrt::spawn_blocking`] is what a library takes that wants to be simulated, with `par_iter` inside it if there is
//! something to divide: the simulation then waits where the closure does, and [`sum_of_squares`] shows it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use futures::channel::oneshot;
use rayon::prelude::*;

/// Runs a closure on the threads of rayon, and waits for it without a thread.
///
/// # Dropping
///
/// The closure runs nevertheless, and its result is dropped.
///
/// # Panics
///
/// With the panic of the closure.
pub async fn on_rayon<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, result) = oneshot::channel();
    rayon::spawn(move || {
        // Out of here, it would end the process.
        let result = catch_unwind(AssertUnwindSafe(work));
        // Nobody need wait for it any more.
        let _ = sender.send(result);
    });
    match result.await.expect("rayon runs what it has taken") {
        Ok(value) => value,
        Err(panic) => resume_unwind(panic),
    }
}

/// Divides the work among the threads of rayon, and waits for them on one for closures that block.
pub async fn sum_of_squares(numbers: Vec<u64>) -> u64 {
    let sum = anyrt::spawn_blocking(move || numbers.par_iter().map(|n| n * n).sum());
    sum.await.expect("it is neither aborted nor does it panic")
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use anyrt::time::sleep;
    use futures::FutureExt;
    use futures::future::join;

    use super::*;
    use crate::simulated::{panic_of, takes_real_time};

    #[anyrt::test(skip(sim = "the thread of rayon that wakes a task is none of the simulation"))]
    async fn computes_beside_the_tasks() {
        let (sender, told) = mpsc::channel();
        let work = on_rayon(move || {
            // Until a task has said so, which could not run if its thread was here.
            told.recv().unwrap();
            (rayon::current_thread_index().is_some(), (1..=1_000_000_u64).into_par_iter().sum())
        });
        let tells = anyrt::spawn(async move {
            sleep(Duration::from_millis(1)).await;
            sender.send(()).unwrap();
        });
        assert_eq!(work.await, (true, 500_000_500_000_u64));
        tells.await.unwrap();
    }

    #[anyrt::test(skip(sim = "the thread of rayon that wakes a task is none of the simulation"))]
    async fn panic_is_that_of_the_closure() {
        let panics = AssertUnwindSafe(on_rayon(|| panic!("one of the closure"))).catch_unwind();
        assert_eq!(*panics.await.unwrap_err().downcast::<&str>().unwrap(), "one of the closure");
        // The thread of rayon is none the worse.
        assert_eq!(on_rayon(|| 42).await, 42);
    }

    #[anyrt::test(skip(sim = "the thread of rayon that wakes a task is none of the simulation"))]
    async fn dropped_is_not_stopped() {
        let (sender, told) = mpsc::channel();
        let (ended, has_ended) = oneshot::channel();
        let mut work = Box::pin(on_rayon(move || {
            told.recv().unwrap();
            ended.send(()).unwrap();
        }));
        assert!(work.as_mut().now_or_never().is_none());
        drop(work);
        sender.send(()).unwrap();
        has_ended.await.unwrap();
    }

    #[test]
    fn thread_of_rayon_is_another_to_a_simulation() {
        let panic = panic_of(async || {
            let work = on_rayon(|| thread::sleep(Duration::from_millis(50)));
            join(work, takes_real_time()).await
        });
        assert!(panic.contains("another thread has woken a task"), "{panic}");
    }

    /// In a simulation too, which waits for the closure.
    #[anyrt::test]
    async fn spawn_blocking_divides_work() {
        assert_eq!(sum_of_squares((1..=1_000).collect()).await, 333_833_500);
    }
}
