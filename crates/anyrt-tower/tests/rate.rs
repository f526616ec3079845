//! Rates, on every runtime.
#![allow(clippy::unwrap_used)]

mod services;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use anyrt::{AnyRuntime, Time};
use anyrt_tower::limit::rate::Rate;
use anyrt_tower::limit::{RateLimit, RateLimitLayer};
use futures::channel::oneshot;
use futures::{FutureExt, future::poll_fn};
use tower::{Layer, Service, ServiceExt};

use services::Echo;

/// `service` is not ready, without waiting.
async fn is_limited(service: &mut RateLimit<Echo>) -> bool {
    poll_fn(|cx| std::task::Poll::Ready(Service::<u32>::poll_ready(service, cx).is_pending())).await
}

#[anyrt::test]
async fn more_requests_have_to_wait(rt: AnyRuntime) {
    let per = Duration::from_millis(30);
    let mut service = RateLimitLayer::new(2, per).layer(Echo);
    let begun = rt.now();
    for n in 0..7_u32 {
        assert_eq!(service.ready().await.unwrap().call(n).await.unwrap(), n);
    }
    // Two at once, three times.
    assert!(rt.now() - begun >= per * 3);
}

#[anyrt::test(only(sim))]
async fn requests_are_let_through_to_the_nanosecond(rt: AnyRuntime) {
    let per = Duration::from_millis(100);
    let mut service = RateLimitLayer::new(3, per).layer(Echo);
    let begun = rt.now();
    let mut let_through = Vec::new();
    for n in 0..10_u32 {
        service.ready().await.unwrap().call(n).await.unwrap();
        let_through.push((rt.now() - begun).as_millis());
    }
    assert_eq!(let_through, [0, 0, 0, 100, 100, 100, 200, 200, 200, 300]);
    assert_eq!(rt.now() - begun, per * 3);
}

/// A time begins with its first request, and a new one has all of its requests.
#[anyrt::test(only(sim))]
async fn what_is_left_of_a_time_is_not_left_for_the_next(rt: AnyRuntime) {
    let mut service = RateLimit::new(Echo, Rate::new(3, Duration::from_millis(100)));
    rt.sleep(Duration::from_secs(1)).await;
    service.ready().await.unwrap().call(0).await.unwrap();
    rt.sleep(Duration::from_millis(100)).await;
    for n in 0..3_u32 {
        assert!(!is_limited(&mut service).await, "{n}");
        service.call(n).await.unwrap();
    }
    assert!(is_limited(&mut service).await);
    rt.sleep(Duration::from_nanos(99_999_999)).await;
    assert!(is_limited(&mut service).await);
    rt.sleep(Duration::from_nanos(1)).await;
    assert!(!is_limited(&mut service).await);
}

#[anyrt::test]
async fn waiting_can_be_given_up_and_taken_up_again(rt: AnyRuntime) {
    let per = Duration::from_millis(50);
    let mut service = RateLimitLayer::new(1, per).layer(Echo);
    let begun = rt.now();
    service.ready().await.unwrap().call(1).await.unwrap();
    for _ in 0..3 {
        let ready = ServiceExt::<u32>::ready(&mut service);
        let _ = rt.timeout(Duration::from_millis(1), ready).await;
    }
    service.ready().await.unwrap().call(2).await.unwrap();
    assert!(rt.now() - begun >= per);
}

#[anyrt::test]
async fn time_without_an_end_has_none() {
    let mut service = RateLimitLayer::new(1, Duration::MAX).layer(Echo);
    service.ready().await.unwrap().call(1).await.unwrap();
    assert!(is_limited(&mut service).await);
}

#[anyrt::test]
async fn call_without_readiness_panics() {
    let mut service = RateLimitLayer::new(1, Duration::from_secs(60)).layer(Echo);
    service.call(1).await.unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| service.call(2).now_or_never())).unwrap_err();
    assert!(panic.downcast_ref::<&str>().unwrap().contains("poll_ready must be called"));
}

#[test]
#[should_panic(expected = "no requests")]
fn rate_of_nothing_panics() {
    Rate::new(0, Duration::from_secs(1));
}

#[anyrt::test(skip(sim = "real threads"))]
async fn limit_works_under_another_executor(rt: AnyRuntime) {
    let per = Duration::from_millis(20);
    let made_here = RateLimitLayer::new(1, per).layer(Echo);
    let (done, is_done) = oneshot::channel();
    let thread = std::thread::spawn(move || {
        let put_there = RateLimitLayer::new(1, per).on(rt.clone()).layer(Echo);
        let so_too = RateLimit::new(Echo, Rate::new(1, per)).on(rt.clone());
        for mut service in [made_here, put_there, so_too] {
            let begun = rt.now();
            futures::executor::block_on(async {
                service.ready().await.unwrap().call(1).await.unwrap();
                service.ready().await.unwrap().call(2).await.unwrap();
            });
            assert!(rt.now() - begun >= per);
        }
        done.send(()).unwrap();
    });
    is_done.await.unwrap();
    thread.join().unwrap();
}
