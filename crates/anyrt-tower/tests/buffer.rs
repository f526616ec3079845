//! Buffers, on every runtime.
#![allow(clippy::unwrap_used)]

mod services;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyrt::AnyRuntime;
use anyrt_tower::buffer::BufferLayer;
use futures::channel::oneshot;
use futures::future::{join_all, poll_fn};
use tower::buffer::Buffer;
use tower::buffer::error::{Closed, ServiceError};
use tower::{Layer, Service, ServiceExt};

use services::{Echo, Gate, Gated, State};

type Gatekeeper = Buffer<u32, <Gated as Service<u32>>::Future>;

fn gated(bound: usize) -> (Arc<Gate>, Gatekeeper) {
    let gate = Arc::new(Gate::default());
    (gate.clone(), BufferLayer::new(bound).layer(Gated(gate)))
}

#[anyrt::test]
async fn clones_share_a_service() {
    let buffer = BufferLayer::new(4).layer(Echo);
    let clients = (0..50_u32).map(|n| {
        let mut buffer = buffer.clone();
        anyrt::spawn(async move { buffer.ready().await.unwrap().call(n).await.unwrap() })
    });
    let answers = join_all(clients.collect::<Vec<_>>()).await;
    assert!(answers.into_iter().map(Result::unwrap).eq(0..50));
}

#[anyrt::test]
async fn full_buffer_is_not_ready_until_the_service_is() {
    let (gate, mut buffer) = gated(1);
    // One is with the worker, and one in the queue.
    let first = anyrt::spawn(buffer.ready().await.unwrap().call(1));
    while gate.asked.load(Ordering::Relaxed) == 0 {
        anyrt::yield_now().await;
    }
    let second = anyrt::spawn(buffer.ready().await.unwrap().call(2));
    let full = poll_fn(|cx| std::task::Poll::Ready(buffer.poll_ready(cx).is_pending()));
    assert!(full.await);
    gate.set(State::Open);
    assert_eq!(buffer.ready().await.unwrap().call(3).await.unwrap(), 3);
    assert_eq!((first.await.unwrap().unwrap(), second.await.unwrap().unwrap()), (1, 2));
}

#[anyrt::test]
async fn dropped_request_never_reaches_the_service() {
    let (gate, mut buffer) = gated(8);
    let kept = anyrt::spawn(buffer.ready().await.unwrap().call(1));
    drop(buffer.ready().await.unwrap().call(2));
    let last = buffer.ready().await.unwrap().call(3);
    gate.set(State::Open);
    assert_eq!((kept.await.unwrap().unwrap(), last.await.unwrap()), (1, 3));
    assert_eq!(gate.calls.load(Ordering::Relaxed), 2);
}

#[anyrt::test]
async fn failure_of_the_service_is_that_of_every_request() {
    let (gate, mut buffer) = gated(8);
    let waiting = [buffer.ready().await.unwrap().call(1), buffer.ready().await.unwrap().call(2)];
    gate.set(State::Failed);
    for response in waiting {
        let error = response.await.unwrap_err();
        assert!(error.is::<ServiceError>(), "{error}");
        assert!(error.to_string().contains("the gate has failed"), "{error}");
    }
    assert!(buffer.clone().oneshot(3).await.unwrap_err().is::<ServiceError>());
}

#[anyrt::test]
async fn panic_of_the_service_closes_the_buffer() {
    let (gate, mut buffer) = gated(8);
    let waiting = [buffer.ready().await.unwrap().call(1), buffer.ready().await.unwrap().call(2)];
    gate.set(State::Panics);
    for response in waiting {
        let error = response.await.unwrap_err();
        assert!(error.is::<Closed>(), "{error}");
    }
    assert!(buffer.clone().oneshot(3).await.unwrap_err().is::<Closed>());
}

/// The last clone takes the worker and its service with it, after what was asked before.
#[anyrt::test]
async fn service_is_dropped_after_the_last_clone() {
    struct Says(#[allow(dead_code, reason = "it is dropped")] oneshot::Sender<()>);

    let (dropped, is_dropped) = oneshot::channel();
    let says = Says(dropped);
    let service = tower::service_fn(move |n: u32| {
        let _ = &says;
        Echo.call(n)
    });
    let mut buffer = BufferLayer::new(8).layer(service);
    let response = buffer.clone().ready().await.unwrap().call(1);
    let other = buffer.ready().await.unwrap().call(2);
    drop(buffer);
    assert!(is_dropped.await.is_err());
    assert_eq!((response.await.unwrap(), other.await.unwrap()), (1, 2));
}

#[anyrt::test(skip(sim = "real threads"))]
async fn buffer_works_under_another_executor(rt: AnyRuntime) {
    let made_here = BufferLayer::new(1).layer(Echo);
    let (done, is_done) = oneshot::channel();
    let thread = std::thread::spawn(move || {
        let put_there = BufferLayer::new(1).on(rt).layer(Echo);
        for buffer in [made_here, put_there] {
            assert_eq!(futures::executor::block_on(buffer.oneshot(7)).unwrap(), 7);
        }
        done.send(()).unwrap();
    });
    is_done.await.unwrap();
    thread.join().unwrap();
}

#[test]
#[should_panic(expected = "no runtime")]
fn buffer_without_a_runtime_panics() {
    drop(BufferLayer::<u32>::new(1).layer(Echo));
}
