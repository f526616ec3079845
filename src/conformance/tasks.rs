//! Tasks and their handles.

use std::collections::{BTreeSet, HashMap};
use std::fmt::{self, Write as _};
use std::future::{Future, pending, poll_fn};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::task::{Poll, Wake, Waker};
use std::thread;

use futures::StreamExt;
use futures::channel::oneshot;
use futures::future::{join_all, lazy};

use super::support::{
    Boxed as _, Canary, LONG, PanicsOnDrop, bell, canary, message, ms, poll_once, poll_with,
};
use crate::RandomState;
use crate::runtime::Runtime;
use crate::task::{AbortHandle, JoinError, JoinHandle};

/// Waits until a task is over without touching its handle.
async fn finished<R: Runtime, T: Send + 'static>(rt: &R, handle: &JoinHandle<T>) {
    while !handle.is_finished() {
        rt.sleep(ms(1)).await;
    }
}

pub(super) async fn spawn_returns_the_value<R: Runtime>(rt: R) {
    assert_eq!(rt.spawn(async { 42 }).await.unwrap(), 42);
    assert_eq!(rt.spawn(async { vec![1; 1000] }).await.unwrap().len(), 1000);
}

pub(super) fn spawn_from_a_plain_thread<R: Runtime>(rt: R) {
    let handle = rt.spawn(async { 7 });
    let there = rt.clone();
    let other = thread::spawn(move || there.spawn(async { 8 })).join().unwrap();
    assert_eq!(rt.block_on(async { handle.await.unwrap() + other.await.unwrap() }), 15);
}

pub(super) fn spawn_under_a_foreign_executor<R: Runtime>(rt: R) {
    let handle = futures::executor::block_on(lazy(|_| rt.spawn(async { 7 })));
    assert_eq!(rt.block_on(handle).unwrap(), 7);
}

pub(super) async fn drop_detaches<R: Runtime>(rt: R) {
    let (go, gone) = oneshot::channel::<()>();
    let (done, finished) = oneshot::channel();
    let (started, is_started) = oneshot::channel();
    let handle = rt.spawn(async move {
        started.send(()).unwrap();
        gone.await.unwrap();
        done.send(()).unwrap();
    });
    is_started.await.unwrap();
    drop(handle);
    // Time for a backend that cancels to do so.
    rt.sleep(ms(10)).await;
    go.send(()).expect("the task still waits");
    finished.await.expect("the task runs to its end");
}

pub(super) async fn drop_detaches_before_the_first_poll<R: Runtime>(rt: R) {
    for _ in 0..100 {
        let (done, finished) = oneshot::channel();
        drop(rt.spawn(async move { done.send(()).unwrap() }));
        finished.await.expect("the task runs");
    }
}

pub(super) async fn many_tasks_complete<R: Runtime>(rt: R) {
    let handles: Vec<_> = (0..10_000_u64).map(|n| rt.spawn(async move { n })).collect();
    let sum: u64 = join_all(handles).await.into_iter().map(Result::unwrap).sum();
    assert_eq!(sum, 49_995_000);
}

fn nest<R: Runtime>(rt: R, depth: u32) -> Pin<Box<dyn Future<Output = u32> + Send>> {
    Box::pin(async move {
        match depth {
            0 => 0,
            _ => 1 + rt.spawn_boxed(nest(rt.clone(), depth - 1)).await.unwrap(),
        }
    })
}

pub(super) async fn nested_spawns_join<R: Runtime>(rt: R) {
    assert_eq!(nest(rt, 1_000).await, 1_000);
}

pub(super) async fn large_future_spawns<R: Runtime>(rt: R) {
    let ballast = [7_u8; 16 * 1024];
    let (go, gone) = oneshot::channel::<()>();
    let handle = rt.spawn(async move {
        gone.await.unwrap();
        ballast.iter().map(|&byte| u32::from(byte)).sum::<u32>()
    });
    go.send(()).unwrap();
    assert_eq!(handle.await.unwrap(), 7 * 16 * 1024);
}

pub(super) async fn two_tasks_run_in_parallel<R: Runtime>(rt: R) {
    // Each blocks its worker until the other one runs. A worker may delay what it has spawned itself, so they are
    // spawned from here, which is no worker.
    let both = Arc::new(Barrier::new(2));
    let tasks = [(); 2].map(|()| {
        let both = both.clone();
        rt.spawn_boxed(async move {
            both.wait();
        })
    });
    for task in tasks {
        task.await.unwrap();
    }
}

pub(super) async fn panic_reaches_the_handle<R: Runtime>(rt: R) {
    let error = rt.spawn(async { panic!("boom") }).await.unwrap_err();
    assert!(error.is_panic() && !error.is_cancelled() && !error.is_runtime_gone());
    assert_eq!(message(&*error.into_panic()), "boom");
    // Also when it has been pending before.
    let (go, gone) = oneshot::channel::<()>();
    let handle = rt.spawn(async {
        gone.await.unwrap();
        panic!("later")
    });
    go.send(()).unwrap();
    assert!(handle.await.unwrap_err().is_panic());
}

pub(super) async fn panic_payload_is_preserved<R: Runtime>(rt: R) {
    #[derive(Debug, PartialEq)]
    struct Custom(u32);

    let number = 7;
    let error = rt.spawn_boxed(async move { panic!("formatted {number}") }).await.unwrap_err();
    assert_eq!(error.into_panic().downcast_ref::<String>().unwrap(), "formatted 7");
    let error = rt.spawn_boxed(async { std::panic::panic_any(Custom(7)) }).await.unwrap_err();
    assert_eq!(error.into_panic().downcast_ref::<Custom>(), Some(&Custom(7)));
    let error = rt.spawn_boxed(async { std::panic::resume_unwind(Box::new(7_u32)) }).await.unwrap_err();
    assert_eq!(error.into_panic().downcast_ref::<u32>(), Some(&7));
}

pub(super) async fn panic_in_a_detached_task_harms_no_other<R: Runtime>(rt: R) {
    let (go, gone) = oneshot::channel::<()>();
    let other = rt.spawn(async { gone.await.is_ok() });
    for _ in 0..20 {
        let (canary, mut watch) = canary();
        drop(rt.spawn(async move {
            let _canary = canary;
            panic!("a detached task panics")
        }));
        watch.dropped().await;
    }
    go.send(()).unwrap();
    assert!(other.await.unwrap());
    assert_eq!(rt.spawn_boxed(async { 7 }).await.unwrap(), 7);
}

pub(super) async fn future_is_dropped_before_its_handle_resumes<R: Runtime>(rt: R) {
    for round in 0..100 {
        let (canary, mut watch) = canary();
        let handle = rt.spawn(async move {
            let _canary = canary;
            assert!(round % 2 == 0, "half of them panic");
        });
        assert_eq!(handle.await.is_ok(), round % 2 == 0);
        assert!(watch.is_dropped());
    }
    // A hand-written future has its state until it is dropped, which takes longer than another thread needs to resume.
    struct DropsLate {
        _canary: Canary,
    }
    impl Drop for DropsLate {
        fn drop(&mut self) {
            thread::sleep(ms(5));
        }
    }
    for _ in 0..5 {
        let (canary, mut watch) = canary();
        let late = DropsLate { _canary: canary };
        let future = poll_fn(move |_| {
            let _ = &late;
            Poll::Ready(())
        });
        rt.spawn(future).await.unwrap();
        assert!(watch.is_dropped());
    }
}

pub(super) async fn abort_cancels_a_pending_task<R: Runtime>(rt: R) {
    let (canary, mut watch) = canary();
    let (started, is_started) = oneshot::channel();
    let handle = rt.spawn(async move {
        let _canary = canary;
        started.send(()).unwrap();
        pending::<()>().await
    });
    is_started.await.unwrap();
    handle.abort();
    let error = handle.await.unwrap_err();
    assert!(error.is_cancelled() && !error.is_panic() && !error.is_runtime_gone());
    assert!(watch.is_dropped(), "the future is gone when the handle resumes");
}

pub(super) async fn abort_before_the_first_poll<R: Runtime>(rt: R) {
    for _ in 0..100 {
        let (canary, mut watch) = canary();
        let handle = rt.spawn(async move {
            let _canary = canary;
            pending::<()>().await
        });
        handle.abort();
        assert!(handle.await.unwrap_err().is_cancelled());
        assert!(watch.is_dropped());
    }
}

pub(super) async fn abort_twice_is_fine<R: Runtime>(rt: R) {
    let handle = rt.spawn_boxed(pending::<()>());
    handle.abort();
    handle.abort();
    let abort = handle.abort_handle();
    abort.abort();
    assert!(handle.await.unwrap_err().is_cancelled());
    abort.abort();
}

pub(super) async fn abort_after_completion_keeps_the_value<R: Runtime>(rt: R) {
    let handle = rt.spawn_boxed(async { 7 });
    finished(&rt, &handle).await;
    handle.abort();
    assert_eq!(handle.await.unwrap(), 7);
}

pub(super) async fn abort_after_a_panic_keeps_the_panic<R: Runtime>(rt: R) {
    let handle = rt.spawn_boxed(async { panic!("before the abort") });
    finished(&rt, &handle).await;
    handle.abort();
    let error: JoinError = handle.await.map(|(): ()| ()).unwrap_err();
    assert_eq!(message(&*error.into_panic()), "before the abort");
}

/// A task whose poll is in progress until it is released, and then goes on with `end`.
async fn running<R, F>(rt: &R, end: F) -> (JoinHandle<F::Output>, mpsc::Sender<()>)
where
    R: Runtime,
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (started, is_started) = oneshot::channel();
    let (release, released) = mpsc::channel();
    let handle = rt.spawn_boxed(async move {
        started.send(()).unwrap();
        released.recv().unwrap();
        end.await
    });
    is_started.await.unwrap();
    (handle, release)
}

pub(super) async fn abort_while_running_stops_at_the_next_await<R: Runtime>(rt: R) {
    let went_on = Arc::new(AtomicBool::new(false));
    let flag = went_on.clone();
    let (canary, mut watch) = canary();
    let (handle, release) = running(&rt, async move {
        let _canary = canary;
        // Pending once, so that the abort has its chance.
        crate::task::YieldNow::default().await;
        flag.store(true, Ordering::SeqCst);
    })
    .await;
    handle.abort();
    assert!(!watch.is_dropped(), "nothing is dropped under a running poll");
    release.send(()).unwrap();
    assert!(handle.await.unwrap_err().is_cancelled());
    assert!(!went_on.load(Ordering::SeqCst));
    assert!(watch.is_dropped());
}

pub(super) async fn abort_keeps_the_value_of_a_poll_in_progress<R: Runtime>(rt: R) {
    let (handle, release) = running(&rt, async { 7 }).await;
    handle.abort();
    release.send(()).unwrap();
    assert_eq!(handle.await.unwrap(), 7);
}

pub(super) async fn abort_never_loses_a_panic<R: Runtime>(rt: R) {
    let (handle, release) = running(&rt, async { panic!("during the abort") }).await;
    handle.abort();
    release.send(()).unwrap();
    let error: JoinError = handle.await.map(|(): ()| ()).unwrap_err();
    assert!(error.is_panic());
    assert_eq!(message(&*error.into_panic()), "during the abort");
}

pub(super) async fn abort_wakes_whoever_waits<R: Runtime>(rt: R) {
    let handle = rt.spawn_boxed(pending::<()>());
    let abort = handle.abort_handle();
    let waiter = rt.spawn_boxed(handle);
    rt.sleep(ms(10)).await;
    abort.abort();
    assert!(waiter.await.unwrap().unwrap_err().is_cancelled());
}

pub(super) async fn abort_leaves_descendants_alone<R: Runtime>(rt: R) {
    let (go, gone) = oneshot::channel::<()>();
    let (done, child_done) = oneshot::channel();
    let (started, is_started) = oneshot::channel();
    let there = rt.clone();
    let parent = rt.spawn_boxed(async move {
        let child = there.spawn_boxed(async move {
            gone.await.unwrap();
            done.send(()).unwrap();
        });
        started.send(()).unwrap();
        child.await.unwrap();
    });
    is_started.await.unwrap();
    assert!(parent.cancel().await.unwrap_err().is_cancelled());
    go.send(()).expect("the child still waits");
    child_done.await.expect("the child runs to its end");
}

pub(super) async fn abort_races_with_completion<R: Runtime>(rt: R) {
    for round in 0..500 {
        let (canary, mut watch) = canary();
        let handle = rt.spawn(async move {
            let _canary = canary;
            crate::task::YieldNow::default().await;
            round
        });
        if round % 3 == 0 {
            rt.yield_now().await;
        }
        handle.abort();
        match handle.await {
            Ok(value) => assert_eq!(value, round),
            Err(error) => assert!(error.is_cancelled()),
        }
        assert!(watch.is_dropped());
    }
}

pub(super) async fn task_can_abort_itself<R: Runtime>(rt: R) {
    async fn abort_me(receive: oneshot::Receiver<AbortHandle>) {
        let me: AbortHandle = receive.await.unwrap();
        me.abort();
    }

    let (send, receive) = oneshot::channel();
    let handle = rt.spawn_boxed(async {
        abort_me(receive).await;
        5
    });
    send.send(handle.abort_handle()).unwrap();
    assert_eq!(handle.await.unwrap(), 5, "the poll that aborts may still return");

    let (send, receive) = oneshot::channel();
    let handle = rt.spawn_boxed(async {
        abort_me(receive).await;
        pending::<()>().await
    });
    send.send(handle.abort_handle()).unwrap();
    assert!(handle.await.unwrap_err().is_cancelled());
}

pub(super) async fn cancel_waits_for_the_destructor<R: Runtime>(rt: R) {
    struct Slow(Arc<AtomicBool>);

    impl Drop for Slow {
        fn drop(&mut self) {
            thread::sleep(ms(100));
            self.0.store(true, Ordering::SeqCst);
        }
    }

    let dropped = Arc::new(AtomicBool::new(false));
    let slow = Slow(dropped.clone());
    let (started, is_started) = oneshot::channel();
    let handle = rt.spawn_boxed(async move {
        let _slow = slow;
        started.send(()).unwrap();
        pending::<()>().await
    });
    is_started.await.unwrap();
    assert!(handle.cancel().await.unwrap_err().is_cancelled());
    assert!(dropped.load(Ordering::SeqCst));
}

pub(super) async fn cancel_acts_without_being_polled<R: Runtime>(rt: R) {
    let (canary, mut watch) = canary();
    let handle = rt.spawn_boxed(async move {
        let _canary = canary;
        pending::<()>().await
    });
    drop(handle.cancel());
    watch.dropped().await;
}

pub(super) async fn destructor_panic_of_an_aborted_task_is_reported<R: Runtime>(rt: R) {
    let (started, is_started) = oneshot::channel();
    let handle = rt.spawn(async move {
        let _bomb = PanicsOnDrop("a destructor under abort");
        started.send(()).unwrap();
        pending::<()>().await
    });
    is_started.await.unwrap();
    let error = handle.cancel().await.unwrap_err();
    assert!(error.is_panic());
    assert_eq!(message(&*error.into_panic()), "a destructor under abort");
    assert_eq!(rt.spawn_boxed(async { 7 }).await.unwrap(), 7);
}

pub(super) async fn destructor_panic_of_a_detached_output_is_contained<R: Runtime>(rt: R) {
    // The canary is dropped a moment before a process would abort, and the scenario must not end in that moment.
    for _ in 0..20 {
        let (canary, mut watch) = canary();
        drop(rt.spawn(async move { (PanicsOnDrop("an output nobody wants"), canary) }));
        watch.dropped().await;
        assert_eq!(rt.spawn_boxed(async { 7 }).await.unwrap(), 7);
    }
}

pub(super) async fn destructor_panic_in_a_dropped_handle_is_contained<R: Runtime>(rt: R) {
    let output = rt.spawn(async { PanicsOnDrop("the output of a dropped handle") });
    let payload = rt.spawn(async { std::panic::panic_any(PanicsOnDrop("the payload of a dropped handle")) });
    finished(&rt, &output).await;
    finished(&rt, &payload).await;
    drop(output);
    drop::<JoinHandle<()>>(payload);
}

pub(super) async fn destructor_panic_of_a_completed_future_is_reported<R: Runtime>(rt: R) {
    let bomb = PanicsOnDrop("a capture of a completed future");
    let future = poll_fn(move |_| {
        let _ = &bomb;
        Poll::Ready(7)
    });
    let error = rt.spawn(future).await.unwrap_err();
    assert_eq!(message(&*error.into_panic()), "a capture of a completed future");
}

pub(super) async fn dropping_a_finished_handle_drops_the_output<R: Runtime>(rt: R) {
    let (canary, mut watch) = canary();
    let handle = rt.spawn_boxed(async move { canary });
    finished(&rt, &handle).await;
    assert!(!watch.is_dropped());
    drop(handle);
    assert!(watch.is_dropped());
}

pub(super) async fn detached_output_is_dropped_at_completion<R: Runtime>(rt: R) {
    let (canary, mut watch) = canary();
    let (go, gone) = oneshot::channel::<()>();
    drop(rt.spawn(async move {
        gone.await.unwrap();
        canary
    }));
    go.send(()).unwrap();
    watch.dropped().await;
}

/// Lets a task end, in the middle of whatever drops this.
struct LetsItEnd(Mutex<Option<(oneshot::Sender<()>, mpsc::Receiver<()>)>>);

impl Wake for LetsItEnd {
    fn wake(self: Arc<Self>) {}
}

impl Drop for LetsItEnd {
    fn drop(&mut self) {
        let Some((go, ended)) = self.0.lock().unwrap().take() else { return };
        go.send(()).unwrap();
        // Its future is gone. What comes then is seen by nobody, but takes no time.
        ended.recv_timeout(LONG).unwrap_err();
        thread::sleep(ms(50));
    }
}

pub(super) async fn drop_of_a_handle_while_its_task_completes<R: Runtime>(rt: R) {
    let (canary, mut watch) = canary();
    let (go, gone) = oneshot::channel::<()>();
    let (alive, ended) = mpsc::channel::<()>();
    let mut handle = rt.spawn(async move {
        let _alive = alive;
        gone.await.unwrap();
        canary
    });
    let abort = handle.abort_handle();
    let lets_it_end = Waker::from(Arc::new(LetsItEnd(Mutex::new(Some((go, ended))))));
    assert!(poll_with(&mut handle, &lets_it_end).is_pending());
    drop(lets_it_end);
    drop(handle);
    watch.dropped().await;
    assert!(abort.is_finished());
}

/// Does something with the task that it waits for, when it is woken and when it is dropped.
struct Meddles(AbortHandle, fn(&AbortHandle));

impl Meddles {
    fn poll<T: Send + 'static>(
        handle: &mut JoinHandle<T>,
        meddle: fn(&AbortHandle),
    ) -> Poll<Result<T, JoinError>> {
        let waker = Waker::from(Arc::new(Self(handle.abort_handle(), meddle)));
        poll_with(handle, &waker)
    }
}

impl Wake for Meddles {
    fn wake(self: Arc<Self>) {
        (self.1)(&self.0);
    }
}

impl Drop for Meddles {
    fn drop(&mut self) {
        (self.1)(&self.0);
    }
}

pub(super) async fn waker_may_ask_its_handle<R: Runtime>(rt: R) {
    fn ask(abort: &AbortHandle) {
        assert!(!format!("{abort:?}").is_empty());
    }

    // Another takes its place, twice, and is dropped with the handle.
    let (go, gone) = oneshot::channel::<()>();
    let mut dropped = rt.spawn_boxed(gone);
    assert!(Meddles::poll(&mut dropped, ask).is_pending());
    assert!(Meddles::poll(&mut dropped, ask).is_pending());
    drop(dropped);
    drop(go);
    // Its task completes.
    let (go, gone) = oneshot::channel::<()>();
    let mut completes = rt.spawn_boxed(gone);
    assert!(Meddles::poll(&mut completes, ask).is_pending());
    go.send(()).unwrap();
    completes.await.unwrap().unwrap();
    // Its task is aborted, before and after it has begun to wait.
    let mut aborted = rt.spawn_boxed(pending::<()>());
    assert!(Meddles::poll(&mut aborted, ask).is_pending());
    aborted.abort();
    if Meddles::poll(&mut aborted, ask).is_pending() {
        assert!(aborted.await.unwrap_err().is_cancelled());
    }
}

pub(super) async fn waker_may_abort_its_task<R: Runtime>(rt: R) {
    // As it is dropped, because another takes its place.
    let mut handle = rt.spawn_boxed(pending::<()>());
    assert!(Meddles::poll(&mut handle, AbortHandle::abort).is_pending());
    assert!(handle.await.unwrap_err().is_cancelled());
    // As it is dropped with the handle.
    let (canary, mut watch) = canary();
    let mut handle = rt.spawn_boxed(async move {
        let _canary = canary;
        pending::<()>().await
    });
    assert!(Meddles::poll(&mut handle, AbortHandle::abort).is_pending());
    drop(handle);
    watch.dropped().await;
    // As it is woken.
    let (go, gone) = oneshot::channel::<()>();
    let mut handle = rt.spawn_boxed(gone);
    assert!(Meddles::poll(&mut handle, AbortHandle::abort).is_pending());
    go.send(()).unwrap();
    finished(&rt, &handle).await;
    handle.await.unwrap().unwrap();
}

pub(super) async fn is_finished_tells<R: Runtime>(rt: R) {
    let (go, gone) = oneshot::channel::<()>();
    let handle = rt.spawn_boxed(async { gone.await.unwrap() });
    rt.sleep(ms(10)).await;
    assert!(!handle.is_finished());
    go.send(()).unwrap();
    finished(&rt, &handle).await;
    handle.await.unwrap();
}

pub(super) async fn is_finished_after_an_abort<R: Runtime>(rt: R) {
    let (canary, mut watch) = canary();
    let handle = rt.spawn_boxed(async move {
        let _canary = canary;
        pending::<()>().await
    });
    handle.abort();
    finished(&rt, &handle).await;
    assert!(watch.is_dropped());
    assert!(handle.await.unwrap_err().is_cancelled());
}

pub(super) async fn handle_can_be_awaited_on_a_plain_thread<R: Runtime>(rt: R) {
    let timer = rt.clone();
    let handle = rt.spawn_boxed(async move {
        timer.sleep(ms(10)).await;
        7
    });
    let (send, receive) = oneshot::channel();
    thread::spawn(move || send.send(futures::executor::block_on(handle)));
    assert_eq!(receive.await.unwrap().unwrap(), 7);
}

pub(super) async fn handle_can_be_awaited_by_reference<R: Runtime>(rt: R) {
    let (go, gone) = oneshot::channel::<()>();
    let mut handle = rt.spawn_boxed(async {
        gone.await.unwrap();
        7
    });
    assert!(rt.timeout(ms(10), &mut handle).await.is_err());
    go.send(()).unwrap();
    assert_eq!(rt.timeout(LONG, &mut handle).await.unwrap().unwrap(), 7);
}

pub(super) async fn handle_wakes_the_last_waker<R: Runtime>(rt: R) {
    let (go, gone) = oneshot::channel::<()>();
    let mut handle = rt.spawn_boxed(gone);
    let (first, _rings) = bell();
    let (last, mut rings) = bell();
    assert!(poll_with(&mut handle, &first).is_pending());
    assert!(poll_with(&mut handle, &last).is_pending());
    go.send(()).unwrap();
    rings.next().await.unwrap();
    assert!(poll_with(&mut handle, &last).is_ready());
}

pub(super) async fn handle_polled_after_completion_panics<R: Runtime>(rt: R) {
    let mut plain = rt.spawn_boxed(async { 7 });
    let mut aborted = rt.spawn_boxed(pending::<()>());
    let mut watched = rt.spawn_boxed(async { 7 });
    let _abort = watched.abort_handle();
    aborted.abort();
    assert_eq!((&mut plain).await.unwrap(), 7);
    assert!((&mut aborted).await.unwrap_err().is_cancelled());
    assert_eq!((&mut watched).await.unwrap(), 7);
    assert!(plain.is_finished() && aborted.is_finished() && watched.is_finished());
    assert!(catch_unwind(AssertUnwindSafe(|| drop(poll_once(&mut plain)))).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| drop(poll_once(&mut aborted)))).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| drop(poll_once(&mut watched)))).is_err());
    assert_eq!(rt.spawn_boxed(async { 7 }).await.unwrap(), 7);
}

pub(super) async fn handle_in_a_timeout_leaves_its_task_running<R: Runtime>(rt: R) {
    let (go, gone) = oneshot::channel::<()>();
    let (done, task_done) = oneshot::channel();
    let handle = rt.spawn_boxed(async move {
        gone.await.unwrap();
        done.send(()).unwrap();
    });
    assert!(rt.timeout(ms(10), handle).await.is_err());
    go.send(()).expect("the task still waits");
    task_done.await.expect("the task runs to its end");
}

pub(super) async fn abort_handle_aborts<R: Runtime>(rt: R) {
    let handle = rt.spawn_boxed(pending::<()>());
    let abort = handle.abort_handle();
    let again = abort.clone();
    assert!(!abort.is_finished());
    again.abort();
    assert!(handle.await.unwrap_err().is_cancelled());
    assert!(abort.is_finished());
}

pub(super) async fn abort_handle_outlives_the_handle<R: Runtime>(rt: R) {
    let (canary, mut watch) = canary();
    let handle = rt.spawn_boxed(async move {
        let _canary = canary;
        pending::<()>().await
    });
    let abort = handle.abort_handle();
    drop(handle);
    rt.sleep(ms(10)).await;
    assert!(!watch.is_dropped());
    abort.abort();
    watch.dropped().await;
}

pub(super) async fn abort_handle_does_not_cancel_when_dropped<R: Runtime>(rt: R) {
    for handle_first in [false, true] {
        let (go, gone) = oneshot::channel::<()>();
        let (done, task_done) = oneshot::channel();
        let handle = rt.spawn_boxed(async move {
            gone.await.unwrap();
            done.send(()).unwrap();
        });
        let abort = handle.abort_handle();
        if handle_first {
            drop(handle);
            drop(abort);
        } else {
            drop(abort);
            drop(handle);
        }
        rt.sleep(ms(5)).await;
        go.send(()).expect("the task still waits");
        task_done.await.expect("the task runs to its end");
    }
}

pub(super) async fn abort_handle_keeps_no_output<R: Runtime>(rt: R) {
    let (canary, mut watch) = canary();
    let (go, gone) = oneshot::channel::<()>();
    let handle = rt.spawn_boxed(async move {
        gone.await.unwrap();
        canary
    });
    let abort = handle.abort_handle();
    drop(handle);
    go.send(()).unwrap();
    watch.dropped().await;
    drop(abort);
}

pub(super) async fn abort_handle_sees_completion<R: Runtime>(rt: R) {
    let handle = rt.spawn_boxed(async { 7 });
    let abort = handle.abort_handle();
    while !abort.is_finished() {
        rt.sleep(ms(1)).await;
    }
    abort.abort();
    assert_eq!(handle.await.unwrap(), 7);
}

pub(super) async fn abort_on_drop_aborts<R: Runtime>(rt: R) {
    let (canary, mut watch) = canary();
    let handle = rt.spawn_boxed(async move {
        let _canary = canary;
        pending::<()>().await
    });
    let handle = handle.abort_on_drop();
    assert!(!handle.is_finished());
    drop(handle);
    watch.dropped().await;
}

pub(super) async fn abort_on_drop_passes_the_value_on<R: Runtime>(rt: R) {
    assert_eq!(rt.spawn_boxed(async { 7 }).abort_on_drop().await.unwrap(), 7);
    let handle = rt.spawn_boxed(pending::<()>()).abort_on_drop();
    handle.abort();
    assert!(handle.await.unwrap_err().is_cancelled());
}

pub(super) async fn abort_on_drop_can_be_detached<R: Runtime>(rt: R) {
    let (go, gone) = oneshot::channel::<()>();
    let handle = rt.spawn_boxed(async { gone.await.is_ok() }).abort_on_drop();
    let handle = handle.detach();
    rt.sleep(ms(5)).await;
    go.send(()).unwrap();
    assert!(handle.await.unwrap());
}

pub(super) async fn spawn_in_a_destructor<R: Runtime>(rt: R) {
    struct Spawns<R: Runtime>(R, Option<oneshot::Sender<()>>);

    impl<R: Runtime> Drop for Spawns<R> {
        fn drop(&mut self) {
            let done = self.1.take().unwrap();
            drop(self.0.spawn_boxed(async move { done.send(()).unwrap() }));
        }
    }

    let (done, child_done) = oneshot::channel();
    let spawns = Spawns(rt.clone(), Some(done));
    let handle = rt.spawn_boxed(async move {
        let _spawns = spawns;
        pending::<()>().await
    });
    handle.abort();
    child_done.await.expect("what a destructor spawns runs");
}

pub(super) async fn yield_now_lets_others_run<R: Runtime>(rt: R) {
    let ran = Arc::new(AtomicBool::new(false));
    let (flag, there) = (ran.clone(), rt.clone());
    let waits = rt.spawn_boxed(async move {
        let setter = flag.clone();
        drop(there.spawn_boxed(async move { setter.store(true, Ordering::SeqCst) }));
        while !flag.load(Ordering::SeqCst) {
            there.yield_now().await;
        }
    });
    waits.await.unwrap();
    assert!(ran.load(Ordering::SeqCst));
}

pub(super) async fn yield_now_lets_timers_fire<R: Runtime>(rt: R) {
    let there = rt.clone();
    let yields = rt.spawn_boxed(async move {
        let fired = Arc::new(AtomicBool::new(false));
        let (flag, timer) = (fired.clone(), there.clone());
        drop(there.spawn_boxed(async move {
            timer.sleep(ms(20)).await;
            flag.store(true, Ordering::SeqCst);
        }));
        while !fired.load(Ordering::SeqCst) {
            there.yield_now().await;
        }
    });
    yields.await.unwrap();
}

pub(super) async fn wake_during_a_poll_is_not_lost<R: Runtime>(rt: R) {
    let mut left = 100;
    rt.spawn_boxed(poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        cx.waker().wake_by_ref();
        cx.waker().wake_by_ref();
        Poll::Pending
    }))
    .await
    .unwrap();
}

pub(super) async fn wake_from_another_thread<R: Runtime>(rt: R) {
    let mut woken = None::<Arc<AtomicBool>>;
    rt.spawn_boxed(poll_fn(move |cx| match &woken {
        Some(flag) if flag.load(Ordering::SeqCst) => Poll::Ready(()),
        _ => {
            let flag = Arc::new(AtomicBool::new(false));
            woken = Some(flag.clone());
            let waker = cx.waker().clone();
            thread::spawn(move || {
                thread::sleep(ms(5));
                flag.store(true, Ordering::SeqCst);
                waker.wake();
            });
            Poll::Pending
        }
    }))
    .await
    .unwrap();
}

pub(super) async fn late_wakes_are_harmless<R: Runtime>(rt: R) {
    let (canary, mut watch) = canary();
    let (send, receive) = oneshot::channel();
    let mut send = Some(send);
    let polls = Arc::new(AtomicUsize::new(0));
    let counter = polls.clone();
    rt.spawn_boxed(poll_fn(move |cx| {
        let _ = &canary;
        counter.fetch_add(1, Ordering::SeqCst);
        send.take().unwrap().send(cx.waker().clone()).unwrap();
        Poll::Ready(())
    }))
    .await
    .unwrap();
    let waker = receive.await.unwrap();
    assert!(watch.is_dropped(), "a waker keeps no future alive");
    waker.wake_by_ref();
    waker.wake();
    rt.sleep(ms(5)).await;
    assert_eq!(polls.load(Ordering::SeqCst), 1);
}

pub(super) async fn join_error_converts_to_io_error<R: Runtime>(rt: R) {
    let handle = rt.spawn_boxed(pending::<()>());
    let error = io::Error::from(handle.cancel().await.unwrap_err());
    assert_eq!(error.kind(), io::ErrorKind::Other);
    assert_eq!(error.to_string(), "task was cancelled");
}

struct WritesAgain<'a>(&'a JoinError, usize);

impl fmt::Write for WritesAgain<'_> {
    fn write_str(&mut self, _: &str) -> fmt::Result {
        self.1 += self.0.to_string().len();
        Ok(())
    }
}

pub(super) async fn join_error_display<R: Runtime>(rt: R) {
    let error = rt.spawn_boxed(async { panic!("boom") }).await.map(|(): ()| ()).unwrap_err();
    assert_eq!(error.to_string(), "task panicked with message \"boom\"");
    assert_eq!(format!("{error:?}"), "JoinError(task panicked with message \"boom\")");
    // What it is written to may look at it again.
    let mut again = WritesAgain(&error, 0);
    write!(again, "{error}").unwrap();
    assert_ne!(again.1, 0);
    let error = rt.spawn_boxed(async { std::panic::panic_any(7) }).await.map(|(): ()| ()).unwrap_err();
    assert_eq!(error.to_string(), "task panicked");
    let error = error.try_into_panic().unwrap().downcast::<i32>().unwrap();
    assert_eq!(*error, 7);
    let error = rt.spawn_boxed(pending::<()>()).cancel().await.unwrap_err();
    assert!(error.try_into_panic().unwrap_err().is_cancelled());
}

pub(super) fn tasks_are_dropped_with_their_runtime<R: Runtime>(rt: R) {
    let (canary, mut watch) = canary();
    let (started, is_started) = oneshot::channel();
    let handle = rt.spawn_boxed(async move {
        let _canary = canary;
        started.send(()).unwrap();
        pending::<()>().await
    });
    rt.block_on(is_started).unwrap();
    drop(rt);
    let error = futures::executor::block_on(handle).unwrap_err();
    assert!(error.is_runtime_gone() && !error.is_cancelled(), "{error}");
    futures::executor::block_on(watch.dropped());
}

pub(super) fn runtime_drop_waits_for_no_closure<R: Runtime>(rt: R) {
    let (started, is_started) = oneshot::channel();
    let (release, released) = mpsc::channel::<()>();
    let handle = rt.spawn_blocking_boxed(move || {
        started.send(()).unwrap();
        released.recv().is_ok()
    });
    rt.block_on(is_started).unwrap();
    drop(rt);
    assert!(!handle.is_finished());
    release.send(()).expect("the closure still runs");
    assert!(futures::executor::block_on(handle).expect("it runs to its end"));
}

pub(super) fn runtime_can_be_dropped_by_its_own_task<R: Runtime>(rt: R) {
    let (go, gone) = oneshot::channel::<()>();
    let (dropped, is_dropped) = mpsc::channel();
    let last = rt.clone();
    drop(rt.spawn_boxed(async move {
        gone.await.unwrap();
        let dropping = catch_unwind(AssertUnwindSafe(|| drop(last)));
        dropped.send(dropping.is_ok()).unwrap();
    }));
    drop(rt);
    go.send(()).expect("a task that holds a clone keeps its runtime alive");
    assert!(is_dropped.recv().unwrap(), "it panicked");
}

pub(super) fn random_seeds_differ<R: Runtime>(rt: R) {
    let seeds: BTreeSet<u64> = (0..100).map(|_| rt.random_seed()).collect();
    assert_eq!(seeds.len(), 100);
}

pub(super) async fn hash_map_keeps_what_it_gets<R: Runtime>(rt: R) {
    let task = rt.spawn_boxed(async {
        let map: HashMap<u32, u32, RandomState> = (0..1_000).map(|n| (n, n * n)).collect();
        map.clone().into_iter().all(|(n, square)| map.get(&n) == Some(&square)) && map.len() == 1_000
    });
    assert!(task.await.unwrap());
}
