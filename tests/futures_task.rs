//! Runtimes as executors of futures.
#![allow(clippy::unwrap_used)]

use anyrt::AnyRuntime;
use futures::channel::oneshot;
use futures::task::{Spawn, SpawnExt};

/// Generic code that does not know the runtime.
async fn sum(executor: &impl Spawn, numbers: [u32; 3]) -> u32 {
    let tasks = numbers.map(|n| executor.spawn_with_handle(async move { n * n }).unwrap());
    futures::future::join_all(tasks).await.into_iter().sum()
}

#[anyrt::test]
async fn handle_of_futures_gives_the_output<R: anyrt::Runtime + Spawn>(rt: R) {
    assert_eq!(sum(&rt, [1, 2, 3]).await, 14);
}

#[anyrt::test]
async fn dyn_spawn_runs_a_task_of_its_runtime(rt: AnyRuntime) {
    let executor: &(dyn Spawn + Send + Sync) = &rt;
    assert!(executor.status().is_ok());
    let (sender, found) = oneshot::channel();
    executor.spawn(async { sender.send(AnyRuntime::current()).unwrap() }).unwrap();
    assert_eq!(found.await.unwrap(), rt);
    // The handle of a panicking task returns an error, and other tasks are not affected.
    let lost = executor.spawn_with_handle(async {
        if AnyRuntime::try_current().is_ok() {
            panic!("on purpose");
        }
    });
    assert!(futures::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(lost.unwrap())).await.is_err());
    assert_eq!(executor.spawn_with_handle(async { 42 }).unwrap().await, 42);
}
