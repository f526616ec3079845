//! What only a simulation finds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

mod hosts {
    pub fn one(sim: &anyrt::Sim) {
        sim.host("server", [10, 0, 0, 2]).unwrap();
    }
}

#[anyrt::test(only(sim), sim(seeds = 1_000, policy = Random, with = self::hosts::one))]
async fn loses_an_update_with_some_seed() {
    assert_eq!(anyrt::net::lookup_host("server:1").await.unwrap().len(), 1);
    let count = Arc::new(AtomicU32::new(0));
    let tasks = [(); 2].map(|()| {
        let count = count.clone();
        anyrt::spawn(async move {
            let read = count.load(Ordering::Relaxed);
            anyrt::yield_now().await;
            count.store(read + 1, Ordering::Relaxed);
        })
    });
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(count.load(Ordering::Relaxed), 2, "an update is lost");
}
