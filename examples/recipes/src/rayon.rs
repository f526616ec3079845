//! # CPU work, on rayon
//!
//! A task that computes for a long time holds up all other tasks on its thread. There are two places for such work:
//!
//! |---|---|---|
//! | threads | many, for closures that mostly wait: files, locks, other blocking calls | one per core, for closures that compute |
//! | work that is divided (`par_iter`) | on one of them, the parts on rayon's | on rayon's |
//! | overload | waits for a thread, and so do reads of files | waits for a core |
//! | in a simulation | a task | a real thread; it is an error if it wakes a task |
//!
//! So a library that is to be simulated uses [`anyrt::spawn_blocking`], with `par_iter` inside for parallel work: the
//! simulation then waits inside the closure, as [`sum_of_squares`] shows.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use futures::channel::oneshot;
use rayon::prelude::*;

/// Runs a closure on the threads of rayon, and awaits it without blocking a thread.
///
/// # Dropping
///
/// The closure still runs, and its result is dropped.
///
/// # Panics
///
/// With the panic of the closure.
pub async fn on_rayon<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, result) = oneshot::channel();
    rayon::spawn(move || {
        // An uncaught panic would end the process.
        let result = catch_unwind(AssertUnwindSafe(work));
        // The receiver may be dropped.
        let _ = sender.send(result);
    });
    match result.await.expect("rayon runs what it has taken") {
        Ok(value) => value,
        Err(panic) => resume_unwind(panic),
    }
}

/// Divides the work among the threads of rayon, and waits for it on a blocking thread.
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
            // Blocks until a task sends, which could not run if this thread were its worker.
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
        // The thread of rayon still works.
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

    /// Also in a simulation, which waits for the closure.
    #[anyrt::test]
    async fn spawn_blocking_divides_work() {
        assert_eq!(sum_of_squares((1..=1_000).collect()).await, 333_833_500);
    }
}
