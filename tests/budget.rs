//! The cost of many operations in one poll, compared with the runtimes' own.
#![allow(clippy::unwrap_used)]

use std::future::pending;
use std::time::{Duration, Instant};

use anyrt::task::JoinSet;
use anyrt::{AsyncStd, Runtime, Smol, Tokio};

fn tokio_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// With this number, a set that polls all its tasks for every 128 results takes half a minute.
const MANY: usize = 60_000;

fn join_many<R: Runtime>(rt: &R) -> Duration {
    let start = Instant::now();
    rt.block_on(async {
        let mut set = JoinSet::new();
        (0..MANY).for_each(|_| drop(set.spawn_on(async {}, rt)));
        let mut joined = 0;
        while let Some(result) = set.join_next().await {
            result.unwrap();
            joined += 1;
        }
        assert_eq!(joined, MANY);
        // And aborted tasks.
        (0..MANY).for_each(|_| drop(set.spawn_on(pending(), rt)));
        set.shutdown().await;
        assert!(set.is_empty());
    });
    start.elapsed()
}

fn join_many_natively() -> Duration {
    let start = Instant::now();
    tokio_runtime().block_on(async {
        let mut set = tokio::task::JoinSet::new();
        (0..MANY).for_each(|_| drop(set.spawn(async {})));
        while set.join_next().await.is_some() {}
        (0..MANY).for_each(|_| drop(set.spawn(pending::<()>())));
        set.shutdown().await;
    });
    start.elapsed()
}

#[test]
fn set_of_many_tasks_takes_no_more_than_a_few_times_what_tokios_takes() {
    let native = join_many_natively();
    let most = native * 10;
    for (name, took) in [
        ("tokio", join_many(&Tokio::from(tokio_runtime()))),
        ("smol", join_many(&Smol::with_threads(2).unwrap())),
        ("async-std", join_many(&AsyncStd::global())),
    ] {
        assert!(took < most, "{name}: {took:?} for {MANY} tasks, twice; tokio's own set {native:?}");
    }
}
