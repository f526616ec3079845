//! Closures that block.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;

use futures::StreamExt;
use futures::channel::{mpsc as events, oneshot};

use super::support::{Boxed as _, LONG, PanicsOnDrop, canary, fill_pool, message, ms};
use crate::runtime::Runtime;
use crate::task::JoinHandle;

/// A closure that runs until it is released, and then ends with `end`.
async fn started<R: Runtime, T: Send + 'static>(
    rt: &R,
    end: impl FnOnce() -> T + Send + 'static,
) -> (JoinHandle<T>, mpsc::Sender<()>) {
    let (started, is_started) = oneshot::channel();
    let (release, released) = mpsc::channel::<()>();
    let handle = rt.spawn_blocking(move || {
        started.send(()).unwrap();
        // An error means that the scenario has failed already.
        let _ = released.recv();
        end()
    });
    is_started.await.unwrap();
    (handle, release)
}

pub(super) async fn blocking_returns_the_value<R: Runtime>(rt: R) {
    let value = rt.spawn_blocking(|| {
        thread::sleep(ms(5));
        42
    });
    assert_eq!(value.await.unwrap(), 42);
}

pub(super) fn blocking_from_a_plain_thread<R: Runtime>(rt: R) {
    let handle = rt.spawn_blocking(|| 7);
    assert_eq!(futures::executor::block_on(handle).unwrap(), 7);
}

pub(super) async fn blocking_starts_without_being_polled<R: Runtime>(rt: R) {
    let (started, is_started) = oneshot::channel();
    let handle = rt.spawn_blocking(move || started.send(()).unwrap());
    is_started.await.unwrap();
    handle.await.unwrap();
}

pub(super) async fn blocking_runs_when_its_handle_is_dropped<R: Runtime>(rt: R) {
    let (count, mut counted) = events::unbounded();
    for _ in 0..200 {
        let count = count.clone();
        drop(rt.spawn_blocking(move || count.unbounded_send(()).unwrap()));
    }
    drop(count);
    let mut ran = 0;
    while counted.next().await.is_some() {
        ran += 1;
    }
    assert_eq!(ran, 200);
}

pub(super) async fn blocking_runs_when_its_handle_is_dropped_in_the_queue<R: Runtime>(rt: R) {
    let full = fill_pool(&rt);
    let (ran, has_run) = oneshot::channel();
    drop(rt.spawn_blocking(move || ran.send(()).unwrap()));
    rt.sleep(ms(10)).await;
    drop(full);
    has_run.await.expect("it runs when its turn comes");
}

pub(super) async fn blocking_panic_reaches_the_handle<R: Runtime>(rt: R) {
    let error = rt.spawn_blocking_boxed(|| panic!("while blocking")).await.map(|(): ()| ()).unwrap_err();
    assert!(error.is_panic());
    assert_eq!(message(&*error.into_panic()), "while blocking");
}

pub(super) async fn blocking_pool_survives_panics<R: Runtime>(rt: R) {
    for _ in 0..50 {
        assert!(
            rt.spawn_blocking_boxed(|| panic!("one of many")).await.map(|(): ()| ()).unwrap_err().is_panic()
        );
    }
    assert_eq!(rt.spawn_blocking_boxed(|| 7).await.unwrap(), 7);
}

pub(super) async fn blocking_abort_before_start_prevents_it<R: Runtime>(rt: R) {
    let full = fill_pool(&rt);
    let ran = Arc::new(AtomicBool::new(false));
    let (canary, mut watch) = canary();
    let flag = ran.clone();
    let handle = rt.spawn_blocking(move || {
        let _canary = canary;
        flag.store(true, Ordering::SeqCst);
    });
    handle.abort();
    drop(full);
    assert!(handle.await.unwrap_err().is_cancelled());
    assert!(!ran.load(Ordering::SeqCst));
    assert!(watch.is_dropped(), "its captures are gone when the handle resumes");
}

pub(super) async fn blocking_abort_after_start_changes_nothing<R: Runtime>(rt: R) {
    let (handle, release) = started(&rt, || 3).await;
    handle.abort();
    handle.abort();
    release.send(()).unwrap();
    assert_eq!(handle.await.unwrap(), 3);
}

pub(super) async fn blocking_abort_after_start_keeps_the_panic<R: Runtime>(rt: R) {
    let (handle, release) = started(&rt, || panic!("after the abort")).await;
    handle.abort();
    release.send(()).unwrap();
    let error = handle.await.map(|(): ()| ()).unwrap_err();
    assert_eq!(message(&*error.into_panic()), "after the abort");
}

pub(super) async fn blocking_cancel_waits_for_a_started_closure<R: Runtime>(rt: R) {
    let (handle, release) = started(&rt, || 3).await;
    let mut cancelled = handle.cancel();
    assert!(rt.timeout(ms(20), &mut cancelled).await.is_err());
    assert!(!cancelled.is_finished());
    release.send(()).unwrap();
    assert_eq!(rt.timeout(LONG, cancelled).await.unwrap().unwrap(), 3);
}

pub(super) async fn blocking_output_destructor_panic_is_contained<R: Runtime>(rt: R) {
    // The canary is dropped a moment before a process would abort, and the scenario must not end in that moment.
    for _ in 0..20 {
        let (canary, mut watch) = canary();
        drop(rt.spawn_blocking(move || (PanicsOnDrop("an output nobody wants"), canary)));
        watch.dropped().await;
        assert_eq!(rt.spawn_blocking_boxed(|| 7).await.unwrap(), 7);
    }
}

pub(super) async fn blocking_saturation_stops_no_timers<R: Runtime>(rt: R) {
    let full = fill_pool(&rt);
    let queued = rt.spawn_blocking_boxed(|| 7);
    rt.sleep(ms(20)).await;
    assert_eq!(rt.spawn_boxed(async { 8 }).await.unwrap(), 8);
    assert!(!queued.is_finished(), "it waits for a thread");
    drop(full);
    assert_eq!(queued.await.unwrap(), 7);
}

pub(super) async fn blocking_stops_no_tasks<R: Runtime>(rt: R) {
    let (handle, release) = started(&rt, || ()).await;
    rt.sleep(ms(5)).await;
    assert_eq!(rt.spawn_boxed(async { 7 }).await.unwrap(), 7);
    assert!(!handle.is_finished());
    release.send(()).unwrap();
    handle.await.unwrap();
}

pub(super) async fn blocking_runs_in_parallel<R: Runtime>(rt: R) {
    let both = Arc::new(Barrier::new(2));
    let closures = [(); 2].map(|()| {
        let both = both.clone();
        rt.spawn_blocking_boxed(move || {
            both.wait();
        })
    });
    for closure in closures {
        closure.await.unwrap();
    }
}

pub(super) async fn blocking_can_nest<R: Runtime>(rt: R) {
    let inner = rt.clone();
    let outer = rt.spawn_blocking(move || {
        let inner_handle = inner.spawn_blocking_boxed(|| 7);
        futures::executor::block_on(inner_handle).unwrap()
    });
    assert_eq!(outer.await.unwrap(), 7);
}

pub(super) async fn blocking_is_finished_tells<R: Runtime>(rt: R) {
    let (handle, release) = started(&rt, || 7).await;
    assert!(!handle.is_finished());
    release.send(()).unwrap();
    while !handle.is_finished() {
        rt.sleep(ms(1)).await;
    }
    assert_eq!(handle.await.unwrap(), 7);
}
