//! Time limits, on every runtime.
#![allow(clippy::unwrap_used)]

mod services;

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use anyrt::{AnyRuntime, BlockOn, Smol, Time, Tokio};
use anyrt_tower::timeout::{Timeout, TimeoutLayer};
use futures::channel::oneshot;
use tower::timeout::error::Elapsed;
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use services::{Echo, Gate, Gated, Silent};

const SHORT: Duration = Duration::from_millis(20);

#[anyrt::test]
async fn late_response_is_elapsed(rt: AnyRuntime) {
    let begun = rt.now();
    let error = Timeout::new(Silent, SHORT).oneshot(()).await.unwrap_err();
    assert!(error.is::<Elapsed>(), "{error}");
    assert!(rt.now() - begun >= SHORT);
}

#[anyrt::test(only(sim))]
async fn limit_is_kept_to_the_nanosecond(rt: AnyRuntime) {
    let mut service = Timeout::new(Silent, Duration::from_nanos(1_234_567_891));
    for _ in 0..3 {
        let begun = rt.now();
        service.ready().await.unwrap().call(()).await.unwrap_err();
        assert_eq!(rt.now() - begun, Duration::from_nanos(1_234_567_891));
    }
}

#[anyrt::test]
async fn response_in_time_passes_and_so_does_an_error() {
    let service = TimeoutLayer::new(Duration::from_secs(60)).layer(Echo);
    assert_eq!(service.clone().oneshot(5).await.unwrap(), 5);
    let refuses = service_fn(|_: ()| async { Err::<(), BoxError>("refused".into()) });
    let error = Timeout::new(refuses, Duration::from_secs(60)).oneshot(()).await.unwrap_err();
    assert_eq!(error.to_string(), "refused");
}

/// Both are ready: it is a response.
#[anyrt::test]
async fn response_at_the_last_moment_is_a_response() {
    assert_eq!(Timeout::new(Echo, Duration::ZERO).oneshot(7).await.unwrap(), 7);
}

#[anyrt::test]
async fn limit_without_an_end_is_none() {
    assert_eq!(Timeout::new(Echo, Duration::MAX).oneshot(7).await.unwrap(), 7);
}

/// As with tower, the time that a service takes to get ready does not count.
#[anyrt::test]
async fn waiting_for_readiness_has_no_limit(rt: AnyRuntime) {
    let gate = Arc::new(Gate::default());
    let mut service = Timeout::new(Gated(gate.clone()), Duration::from_millis(1));
    assert!(rt.timeout(SHORT, service.ready()).await.is_err());
    gate.set(services::State::Open);
    assert_eq!(service.ready().await.unwrap().call(3).await.unwrap(), 3);
}

#[anyrt::test]
async fn response_can_be_dropped() {
    let (dropped, is_dropped) = oneshot::channel::<()>();
    let dropped = std::sync::Mutex::new(Some(dropped));
    let waits = service_fn(move |_: ()| {
        let dropped = dropped.lock().unwrap().take();
        async move {
            let _dropped = dropped;
            std::future::pending::<Result<(), BoxError>>().await
        }
    });
    let mut response = Box::pin(Timeout::new(waits, Duration::from_secs(60)).call(()));
    assert!(poll_fn(|cx| Poll::Ready(response.as_mut().poll(cx).is_pending())).await);
    drop(response);
    assert!(is_dropped.await.is_err());
}

/// It was made here, so its timer is here, whoever polls it.
#[anyrt::test(skip(sim = "real threads"))]
async fn service_stays_with_the_runtime_that_it_was_made_on() {
    let service = ServiceBuilder::new().layer(TimeoutLayer::new(SHORT)).service(Silent);
    let (done, error) = oneshot::channel();
    let thread = std::thread::spawn(move || {
        assert!(AnyRuntime::try_current().is_err());
        done.send(futures::executor::block_on(service.oneshot(())).unwrap_err()).unwrap();
    });
    assert!(error.await.unwrap().is::<Elapsed>());
    thread.join().unwrap();
}

#[anyrt::test(skip(sim = "real threads"))]
async fn service_is_put_on_a_runtime(rt: AnyRuntime) {
    let (done, errors) = oneshot::channel();
    let thread = std::thread::spawn(move || {
        let one = TimeoutLayer::new(SHORT).on(rt.clone()).layer(Silent);
        let other = Timeout::new(Silent, SHORT).on(rt);
        done.send([one, other].map(|it| futures::executor::block_on(it.oneshot(())).unwrap_err())).unwrap();
    });
    assert!(errors.await.unwrap().iter().all(|error| error.is::<Elapsed>()));
    thread.join().unwrap();
}

/// As in a plain `main`: layers and services first, and then a runtime.
#[test]
fn service_that_is_made_without_a_runtime_takes_that_of_its_first_call() {
    static LAYER: TimeoutLayer = TimeoutLayer::new(SHORT);

    let mut service = LAYER.layer(Silent);
    let (first, second) = (Smol::new().unwrap(), Tokio::new().unwrap());
    first.block_on(async { assert!(service.call(()).await.unwrap_err().is::<Elapsed>()) });
    // It is latched: none is current here.
    assert!(futures::executor::block_on(service.call(())).unwrap_err().is::<Elapsed>());
    // The layer has latched nothing.
    second.block_on(async { assert!(LAYER.layer(Silent).oneshot(()).await.unwrap_err().is::<Elapsed>()) });
}

#[test]
#[should_panic(expected = "no runtime")]
fn service_without_any_runtime_panics_at_its_first_call() {
    drop(Timeout::new(Silent, SHORT).call(()));
}
