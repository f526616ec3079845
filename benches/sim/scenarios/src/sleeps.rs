use std::time::Duration;

use crate::{Setup, Simulator};

/// **B.** 1,000 tasks, each of which sleeps for 1 ms to 1 h.
pub(crate) fn sleeps<S: Simulator>(setup: Setup) -> Duration {
    S::run_alone(setup, async move {
        let mut random = fastrand::Rng::with_seed(setup.seed);
        let sleeps = (0..1_000).map(|_| Duration::from_millis(random.u64(1..=3_600_000)));
        let tasks: Vec<_> = sleeps.map(|sleep| S::spawn(async move { S::sleep(sleep).await })).collect();
        for task in tasks {
            task.await;
        }
    })
}
