//! An operation that several threads run at once.

use std::sync::{Arc, Barrier};

use crate::{Operation, Report, Way, operations};

/// Runs `operation` this many times in each of as many tasks as the runtime has workers.
pub(crate) async fn run<W: Way>(way: &W, operation: Operation, threads: usize, n: u64) -> Report {
    let all_are_here = Arc::new(Barrier::new(threads));
    let tasks: Vec<_> = (0..threads)
        .map(|_| {
            let (inside, all_are_here) = (way.clone(), all_are_here.clone());
            way.spawn(async move {
                // Blocks the worker, so that each of them has one of the tasks.
                all_are_here.wait();
                operations::run(&inside, operation, n).await;
            })
        })
        .collect();
    let start = Report::start();
    for task in tasks {
        task.await;
    }
    start.end()
}
