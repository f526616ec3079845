//! Pauses between attempts, on every runtime.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyrt::time::Sleep;
use anyrt::{AnyRuntime, Time};
use anyrt_tower::retry::backoff::{
    Backoff, ExponentialBackoff, ExponentialBackoffMaker, MakeBackoff, Random,
};
use futures::channel::oneshot;
use tower::retry::{Policy, RetryLayer};
use tower::util::rng::HasherRng;
use tower::{BoxError, Layer, ServiceExt, service_fn};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Retries whatever fails, after a pause.
#[derive(Clone)]
struct Retries(ExponentialBackoff);

impl<E> Policy<(), usize, E> for Retries {
    type Future = Sleep;

    fn retry(&mut self, _: &mut (), result: &mut Result<usize, E>) -> Option<Sleep> {
        result.is_err().then(|| self.0.next_backoff())
    }

    fn clone_request(&mut self, _: &()) -> Option<()> {
        Some(())
    }
}

#[anyrt::test]
async fn service_is_asked_again_after_pauses(rt: AnyRuntime) {
    let asked = Arc::new(AtomicUsize::new(0));
    let fails_twice = service_fn(move |()| {
        let asked = asked.fetch_add(1, Ordering::Relaxed);
        async move { if asked < 2 { Err(BoxError::from("not yet")) } else { Ok(asked) } }
    });
    let mut maker = ExponentialBackoffMaker::new(ms(10), ms(1000), 0.0, Random).unwrap();
    let service = RetryLayer::new(Retries(maker.make_backoff())).layer(fails_twice);
    let begun = rt.now();
    assert_eq!(service.oneshot(()).await.unwrap(), 2);
    assert!(rt.now() - begun >= ms(10 + 20));
}

#[anyrt::test(only(sim))]
async fn pauses_double_to_the_nanosecond(rt: AnyRuntime) {
    let mut maker = ExponentialBackoffMaker::new(ms(50), ms(300), 0.0, Random).unwrap();
    for _ in 0..2 {
        let mut backoff = maker.make_backoff();
        for pause in [50, 100, 200, 300, 300] {
            let begun = rt.now();
            backoff.next_backoff().await;
            assert_eq!(rt.now() - begun, ms(pause));
        }
    }
}

/// The length of the next pause, which is not waited for.
fn next(runtime: &AnyRuntime, backoff: &mut impl Backoff<Future = Sleep>) -> Duration {
    backoff.next_backoff().deadline() - runtime.now()
}

/// Of a second too, where that of tower has none. In a simulation, where time stands still meanwhile.
#[anyrt::test(only(sim))]
async fn jitter_makes_pauses_longer_and_none_too_long(rt: AnyRuntime) {
    for min in [ms(50), Duration::from_secs(1)] {
        let mut maker = ExponentialBackoffMaker::new(min, min * 64, 0.5, Random).unwrap();
        let first: Vec<_> = (0..20).map(|_| next(&rt, &mut maker.make_backoff())).collect();
        assert!(first.iter().all(|pause| (min..=min * 3 / 2).contains(pause)), "{first:?}");
        assert!(first.windows(2).any(|pair| pair[0] != pair[1]), "{first:?}");
        let mut backoff = maker.make_backoff();
        assert!((0..20).map(|_| next(&rt, &mut backoff)).all(|pause| pause <= min * 64));
    }
}

/// A seed has its pauses.
#[anyrt::test(only(sim))]
async fn jitter_is_of_the_seed() {
    use anyrt::{BlockOn, Sim};

    let run = |seed| {
        let sim = Sim::builder().seed(seed).build().unwrap();
        let rt = AnyRuntime::from(sim.clone());
        sim.block_on(async { next(&rt, &mut ExponentialBackoffMaker::default().make_backoff()) })
    };
    let run = |seed| std::thread::spawn(move || run(seed)).join().unwrap();
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[anyrt::test]
async fn default_is_that_of_tower(rt: AnyRuntime) {
    let mut backoff = ExponentialBackoffMaker::default().make_backoff();
    let pause = next(&rt, &mut backoff);
    assert!(pause <= ms(100), "{pause:?}");
    // Without an end, and without an overflow.
    for _ in 0..100 {
        drop(backoff.next_backoff());
    }
}

#[test]
fn nonsense_is_refused_as_tower_does() {
    let refused = |min, max, jitter| {
        let error = ExponentialBackoffMaker::new(min, max, jitter, HasherRng::default()).unwrap_err();
        let theirs =
            tower::retry::backoff::ExponentialBackoffMaker::new(min, max, jitter, HasherRng::default());
        assert_eq!(error.to_string(), theirs.unwrap_err().to_string());
    };
    refused(ms(2), ms(1), 0.0);
    refused(ms(0), ms(0), 0.0);
    refused(ms(1), ms(2), -0.1);
    refused(ms(1), ms(2), 100.1);
    refused(ms(1), ms(2), f64::NAN);
}

#[anyrt::test(skip(sim = "real threads"))]
async fn pause_works_under_another_executor(rt: AnyRuntime) {
    let made_here = ExponentialBackoffMaker::new(ms(20), ms(20), 0.0, Random).unwrap();
    let (done, is_done) = oneshot::channel();
    let thread = std::thread::spawn(move || {
        let put_there = ExponentialBackoffMaker::new(ms(20), ms(20), 0.0, Random).unwrap().on(rt.clone());
        for mut maker in [made_here, put_there] {
            let begun = rt.now();
            futures::executor::block_on(maker.make_backoff().next_backoff());
            assert!(rt.now() - begun >= ms(20));
        }
        done.send(()).unwrap();
    });
    is_done.await.unwrap();
    thread.join().unwrap();
}
