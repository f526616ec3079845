//! What tower itself does where there is no tokio: the reason for this crate. When one of them passes, its part can go.
#![allow(clippy::unwrap_used)]

mod services;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use tower::retry::backoff::{Backoff, ExponentialBackoffMaker, MakeBackoff};
use tower::util::rng::HasherRng;
use tower::{Layer, Service, ServiceExt, limit, spawn_ready, timeout};

use services::{Echo, Gate, Gated, Silent, State};

/// `run` panics, for want of tokio.
fn wants_tokio(run: impl FnOnce()) {
    let panic = catch_unwind(AssertUnwindSafe(run)).expect_err("it works without tokio");
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string())).unwrap();
    assert!(text.contains("there is no reactor running"), "{text}");
}

macro_rules! off_tokio {
    ($(async fn $name:ident() $body:block)*) => {
        $(#[anyrt::test(skip(tokio = "tokio is there", tokio_current_thread = "tokio is there"))]
        async fn $name() $body)*
    };
}

off_tokio! {
    async fn timeout_panics() {
        wants_tokio(|| drop(timeout::Timeout::new(Silent, Duration::from_secs(1)).call(())));
    }

    async fn rate_limit_panics() {
        wants_tokio(|| drop(limit::RateLimitLayer::new(1, Duration::from_secs(1)).layer(Echo)));
    }

    async fn buffer_panics() {
        wants_tokio(|| drop(tower::buffer::BufferLayer::<u32>::new(1).layer(Echo)));
    }

    async fn spawn_ready_panics() {
        let mut service = spawn_ready::SpawnReady::new(Gated(Arc::new(Gate::default())));
        wants_tokio(|| drop(service.ready().now_or_never()));
    }

    async fn backoff_panics() {
        wants_tokio(|| drop(ExponentialBackoffMaker::default().make_backoff().next_backoff()));
    }

    async fn concurrency_limit_and_load_shed_work() {
        let service = tower::load_shed::LoadShed::new(limit::ConcurrencyLimit::new(Echo, 1));
        assert_eq!(service.oneshot(1).await.unwrap(), 1);
    }
}

// And where there is one, what is better here.

#[anyrt::test(only(tokio))]
async fn rate_limit_of_a_time_without_an_end_panics() {
    let mut service = limit::RateLimitLayer::new(1, Duration::MAX).layer(Echo);
    catch_unwind(AssertUnwindSafe(|| drop(service.call(1)))).unwrap_err();
}

#[anyrt::test(only(tokio))]
async fn service_that_has_failed_to_get_ready_panics_when_it_is_asked_again() {
    let gate = Arc::new(Gate::default());
    let mut service = spawn_ready::SpawnReady::new(Gated(gate.clone()));
    assert!(service.ready().now_or_never().is_none());
    gate.set(State::Failed);
    service.ready().await.unwrap_err();
    catch_unwind(AssertUnwindSafe(|| service.ready().now_or_never().is_some())).unwrap_err();
}

#[anyrt::test(only(tokio))]
async fn pause_of_a_second_has_no_jitter() {
    let (min, max) = (Duration::from_secs(1), Duration::from_secs(60));
    let mut maker = ExponentialBackoffMaker::new(min, max, 0.9, HasherRng::default()).unwrap();
    for _ in 0..20 {
        let pause = maker.make_backoff().next_backoff();
        assert!(pause.deadline().into_std() <= Instant::now() + min);
    }
}
