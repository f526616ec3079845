//! Services that get ready by themselves, on every runtime.
#![allow(clippy::unwrap_used)]

mod services;

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use anyrt::AnyRuntime;
use anyrt::task::JoinError;
use anyrt_tower::spawn_ready::{SpawnReady, SpawnReadyLayer};
use futures::FutureExt;
use futures::channel::oneshot;
use tower::{Layer, Service, ServiceExt};

use services::{Echo, Gate, Gated, State};

fn gated() -> (Arc<Gate>, SpawnReady<Gated>) {
    let gate = Arc::new(Gate::default());
    (gate.clone(), SpawnReadyLayer::new().layer(Gated(gate)))
}

/// Asks whether it is ready, and does not ask again: from then on, a task does.
async fn begin(service: &mut SpawnReady<Gated>) {
    assert!(poll_fn(|cx| Poll::Ready(service.poll_ready(cx).is_pending())).await);
}

#[anyrt::test]
async fn service_that_is_ready_is_called() {
    assert_eq!(SpawnReady::new(Echo).oneshot(1).await.unwrap(), 1);
    assert_eq!(SpawnReady::<Echo>::layer().layer(Echo).oneshot(2).await.unwrap(), 2);
}

#[anyrt::test]
async fn task_drives_the_service_though_nobody_asks() {
    let (gate, mut service) = gated();
    begin(&mut service).await;
    // By the task, which has begun.
    while gate.asked.load(Ordering::Relaxed) < 2 {
        anyrt::yield_now().await;
    }
    gate.set(State::Open);
    while gate.asked.load(Ordering::Relaxed) < 3 {
        anyrt::yield_now().await;
    }
    assert_eq!(service.ready().await.unwrap().call(3).await.unwrap(), 3);
    // Again, with the same service.
    gate.set(State::Shut);
    begin(&mut service).await;
    gate.set(State::Open);
    assert_eq!(service.ready().await.unwrap().call(4).await.unwrap(), 4);
}

#[anyrt::test]
async fn failure_is_reported_and_stays() {
    let (gate, mut service) = gated();
    begin(&mut service).await;
    gate.set(State::Failed);
    assert_eq!(service.ready().await.unwrap_err().to_string(), "the gate has failed");
    assert!(service.ready().await.unwrap_err().to_string().contains("was lost"));
}

#[anyrt::test]
async fn panic_is_reported_and_the_service_lost() {
    let (gate, mut service) = gated();
    begin(&mut service).await;
    gate.set(State::Panics);
    let error = service.ready().await.unwrap_err();
    assert!(error.downcast_ref::<JoinError>().unwrap().is_panic(), "{error}");
    assert!(service.ready().await.unwrap_err().to_string().contains("was lost"));
}

#[anyrt::test]
async fn dropping_it_drops_the_service() {
    let (gate, mut service) = gated();
    begin(&mut service).await;
    drop(service);
    while Arc::strong_count(&gate) > 1 {
        anyrt::yield_now().await;
    }
}

#[anyrt::test]
async fn call_without_readiness_panics() {
    let (_gate, mut service) = gated();
    begin(&mut service).await;
    let panic = catch_unwind(AssertUnwindSafe(|| service.call(2).now_or_never())).unwrap_err();
    assert!(panic.downcast_ref::<&str>().unwrap().contains("poll_ready must be called"));
}

#[anyrt::test(skip(sim = "real threads"))]
async fn service_gets_ready_under_another_executor(rt: AnyRuntime) {
    let (gate, made_here) = gated();
    let (done, is_done) = oneshot::channel();
    let thread = std::thread::spawn(move || {
        let put_there = SpawnReadyLayer::new().on(rt.clone()).layer(Gated(gate.clone()));
        let so_too = SpawnReady::new(Gated(gate.clone())).on(rt);
        for mut service in [made_here, put_there, so_too] {
            gate.set(State::Shut);
            futures::executor::block_on(async {
                begin(&mut service).await;
                gate.set(State::Open);
                assert_eq!(service.ready().await.unwrap().call(7).await.unwrap(), 7);
            });
        }
        done.send(()).unwrap();
    });
    is_done.await.unwrap();
    thread.join().unwrap();
}
