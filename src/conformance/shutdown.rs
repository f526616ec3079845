//! How a runtime ends.

use std::future::{Future, pending, poll_fn};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use futures::channel::oneshot;
use futures::executor::block_on;

use super::run::pool_size;
use super::support::{Boxed as _, LONG, LOOPBACK, canary, message, ms};
use crate::runtime::{BlockOn, Runtime, ShutdownReport, TcpListener, UdpSocket};
use crate::task::JoinHandle;

/// For whatever can end, on a busy machine; what cannot takes all of it.
const ENOUGH: Duration = Duration::from_secs(2);

/// Tasks that wait, tasks that were never polled, and a witness of their drops.
fn pending_tasks<R: Runtime>(rt: &R) -> Vec<(JoinHandle<()>, super::support::Watch)> {
    let spawn = |started: Option<oneshot::Sender<()>>| {
        let (canary, watch) = canary();
        let handle = rt.spawn_boxed(async move {
            let _canary = canary;
            started.map(|started| started.send(()));
            pending::<()>().await
        });
        (handle, watch)
    };
    let mut tasks = Vec::new();
    for _ in 0..50 {
        let (started, is_started) = oneshot::channel();
        tasks.push(spawn(Some(started)));
        rt.block_on(is_started).unwrap();
        tasks.push(spawn(None));
    }
    tasks
}

fn assert_gone(tasks: Vec<(JoinHandle<()>, super::support::Watch)>) {
    for (handle, mut watch) in tasks {
        assert!(watch.is_dropped(), "its future is still there");
        let error = block_on(handle).unwrap_err();
        assert!(error.is_runtime_gone() && !error.is_cancelled(), "{error}");
        // What an `unwrap` of it prints.
        let text = format!("{error:?}");
        assert!(text.contains("its runtime is gone") && text.contains("`is_cancelled()`"), "{text}");
    }
}

pub(super) fn shutdown_drops_every_task<R: Runtime>(rt: R) {
    let tasks = pending_tasks(&rt);
    assert_eq!(rt.shutdown_timeout(LONG).unwrap(), ShutdownReport::default());
    assert_gone(tasks);
    let late = rt.spawn_boxed(async { 7 });
    assert!(block_on(late).unwrap_err().is_runtime_gone());
    let late = rt.spawn_blocking_boxed(|| 7);
    assert!(block_on(late).unwrap_err().is_runtime_gone());
    // A future that needs no runtime still has a thread.
    assert_eq!(rt.block_on_boxed(async { 7 }), 7);
}

pub(super) fn shutdown_drops_tasks_that_wake_each_other_under_a_lock<R: Runtime>(rt: R) {
    /// As a stream of h2 0.4: its destructor takes the lock of the connection, and under it wakes the others.
    struct Stream(Arc<Mutex<Vec<Waker>>>);

    impl Drop for Stream {
        fn drop(&mut self) {
            self.0.lock().unwrap().drain(..).for_each(Waker::wake);
        }
    }

    let connection = Arc::new(Mutex::new(Vec::new()));
    for _ in 0..3 {
        let (stream, (waits, is_waiting)) = (Stream(connection.clone()), oneshot::channel());
        let socket = rt.block_on_boxed(rt.udp_bind(LOOPBACK)).unwrap();
        drop(rt.spawn_boxed(async move {
            let mut waits = Some(waits);
            poll_fn(|cx| {
                stream.0.lock().unwrap().push(cx.waker().clone());
                waits.take().map(|waits| waits.send(()));
                // The runtime wakes it, too, when its sockets end.
                socket.poll_recv(cx, &mut [0; 8]).map(drop)
            })
            .await;
        }));
        rt.block_on(is_waiting).unwrap();
    }
    assert_eq!(rt.shutdown_timeout(LONG).unwrap(), ShutdownReport::default());
    assert_eq!(Arc::strong_count(&connection), 1, "one of them is still there");
}

pub(super) fn shutdown_leaves_nothing_of_an_idle_runtime<R: Runtime>(rt: R) {
    let blocking = rt.block_on_boxed(async {
        rt.sleep(ms(1)).await;
        rt.spawn_boxed(async {}).await.unwrap();
        rt.spawn_blocking_boxed(|| 7).await.unwrap()
    });
    assert_eq!(blocking, 7);
    let left = rt.shutdown_timeout(LONG).unwrap();
    assert!(left.is_empty(), "{left:?}");
}

pub(super) fn shutdown_waits_for_what_ends_in_time<R: Runtime>(rt: R) {
    let (started, is_started) = oneshot::channel();
    let closure = rt.spawn_blocking_boxed(move || {
        started.send(()).unwrap();
        thread::sleep(ms(50));
        7
    });
    rt.block_on(is_started).unwrap();
    let start = Instant::now();
    assert!(rt.shutdown_timeout(LONG).unwrap().is_empty());
    assert!(start.elapsed() < LONG / 2, "it waited for more than that");
    assert_eq!(block_on(closure).unwrap(), 7);
}

/// A closure that runs until it is released.
fn running_closure<R: Runtime>(rt: &R) -> (JoinHandle<u32>, mpsc::Sender<()>) {
    let (started, is_started) = oneshot::channel();
    let (release, released) = mpsc::channel();
    let handle = rt.spawn_blocking_boxed(move || {
        started.send(()).unwrap();
        released.recv().unwrap();
        7
    });
    rt.block_on(is_started).unwrap();
    (handle, release)
}

pub(super) fn shutdown_reports_a_closure_that_runs_on<R: Runtime>(rt: R) {
    let tasks = pending_tasks(&rt);
    let (handle, release) = running_closure(&rt);
    let start = Instant::now();
    let left = rt.shutdown_timeout(ENOUGH).unwrap();
    let took = start.elapsed();
    assert_eq!(left, ShutdownReport::new(0, 1));
    assert!(took >= ENOUGH && took < LONG, "it took {took:?}");
    assert_gone(tasks);
    release.send(()).expect("it still runs");
    assert_eq!(block_on(handle).expect("to its end"), 7);
}

pub(super) fn shutdown_reports_a_task_that_is_stuck<R: Runtime>(rt: R) {
    let (started, is_started) = oneshot::channel();
    let (release, released) = mpsc::channel::<()>();
    let stuck = rt.spawn_boxed(async move {
        started.send(()).unwrap();
        released.recv().unwrap();
        7
    });
    rt.block_on(is_started).unwrap();
    let tasks = pending_tasks(&rt);
    let left = rt.shutdown_timeout(ENOUGH).unwrap();
    assert_eq!(left, ShutdownReport::new(1, 0));
    // One that is stuck does not keep the others, nor those that come later.
    assert_gone(tasks);
    assert!(block_on(rt.spawn_boxed(async { 7 })).unwrap_err().is_runtime_gone());
    assert_eq!(rt.shutdown_timeout(ms(200)).unwrap(), ShutdownReport::new(1, 0));
    release.send(()).expect("it still runs");
    match block_on(stuck) {
        Ok(value) => assert_eq!(value, 7),
        Err(error) => assert!(error.is_runtime_gone() || error.is_cancelled(), "{error}"),
    }
}

pub(super) fn shutdown_drops_tasks_beside_one_that_is_stuck<R: Runtime>(rt: R) {
    // A worker that takes it may have taken others already.
    let mut watches = Vec::new();
    let mut spawn_busy = || {
        let (canary, watch) = canary();
        watches.push(watch);
        let busy = rt.clone();
        drop(rt.spawn_boxed(async move {
            let _canary = canary;
            loop {
                busy.yield_now().await;
            }
        }));
    };
    (0..100).for_each(|_| spawn_busy());
    let (started, is_started) = oneshot::channel();
    let (release, released) = mpsc::channel::<()>();
    let stuck = rt.spawn_boxed(async move {
        started.send(()).unwrap();
        let _ = released.recv();
    });
    (0..100).for_each(|_| spawn_busy());
    rt.block_on(is_started).unwrap();
    assert_eq!(rt.shutdown_timeout(ENOUGH).unwrap(), ShutdownReport::new(1, 0));
    for (n, mut watch) in watches.into_iter().enumerate() {
        assert!(watch.is_dropped(), "future {n} is still there");
    }
    drop(release);
    let _ = block_on(stuck);
}

pub(super) fn shutdown_drops_what_is_queued<R: Runtime>(rt: R) {
    let running: Vec<_> = (0..pool_size()).map(|_| running_closure(&rt)).collect();
    let (canary, mut watch) = canary();
    let queued = rt.spawn_blocking_boxed(move || drop(canary));
    assert_eq!(rt.shutdown_timeout(ENOUGH).unwrap(), ShutdownReport::new(0, running.len()));
    for (handle, release) in running {
        release.send(()).expect("it still runs");
        assert_eq!(block_on(handle).expect("to its end"), 7);
    }
    // Either way: a thread that was just free may have come to it.
    match block_on(queued) {
        Ok(()) => {}
        Err(error) => assert!(error.is_runtime_gone(), "{error}"),
    }
    block_on(watch.dropped());
}

pub(super) fn shutdown_twice_leaves_nothing<R: Runtime>(rt: R) {
    let tasks = pending_tasks(&rt);
    assert!(rt.shutdown_timeout(LONG).unwrap().is_empty());
    assert_gone(tasks);
    assert!(rt.shutdown_timeout(Duration::ZERO).unwrap().is_empty());
    assert!(rt.clone().shutdown_timeout(Duration::MAX).unwrap().is_empty());
}

/// A thread that is in `block_on`, and what comes of it there.
struct InBlockOn<T> {
    what: &'static str,
    output: mpsc::Receiver<thread::Result<T>>,
}

fn in_block_on<R: Runtime, T: Send + 'static, F: Future<Output = T>>(
    rt: &R,
    what: &'static str,
    future: impl FnOnce(R) -> F + Send + 'static,
) -> InBlockOn<T> {
    let (rt, (waits, is_waiting), (done, output)) = (rt.clone(), mpsc::channel(), mpsc::channel());
    thread::spawn(move || {
        let output = catch_unwind(AssertUnwindSafe(|| {
            let mut future = pin!(future(rt.clone()));
            rt.block_on(poll_fn(|cx| {
                let polled = future.as_mut().poll(cx);
                // It is told once; later nobody listens.
                let _ = waits.send(());
                polled
            }))
        }));
        // Nobody waits for it any more in a scenario that has failed.
        let _ = done.send(output);
    });
    is_waiting.recv().unwrap();
    InBlockOn { what, output }
}

impl<T> InBlockOn<T> {
    /// What it comes to, or its panic. It does not hang.
    fn end(self) -> thread::Result<T> {
        self.output.recv_timeout(LONG).unwrap_or_else(|error| panic!("{} does not end: {error}", self.what))
    }
}

pub(super) fn shutdown_while_a_thread_is_in_block_on<R: Runtime>(rt: R) {
    let task = in_block_on(&rt, "a task", |rt| async move { rt.spawn_boxed(pending::<()>()).await });
    let (go, gone) = oneshot::channel::<()>();
    let afterwards = in_block_on(&rt, "what needs no runtime", |rt| async move {
        gone.await.unwrap();
        rt.spawn_boxed(async { 7 }).await
    });
    let sleep = in_block_on(&rt, "a sleep", |rt| async move { rt.sleep(ms(200)).await });
    let (told, addr) = mpsc::channel();
    let accept = in_block_on(&rt, "an accept", |rt| async move {
        let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
        told.send(listener.local_addr().unwrap()).unwrap();
        listener.accept().await.map(drop)
    });
    let addr = addr.recv().unwrap();
    let tasks = pending_tasks(&rt);
    let start = Instant::now();
    assert_eq!(rt.shutdown_timeout(LONG).unwrap(), ShutdownReport::default());
    assert!(start.elapsed() < LONG / 2, "it waited for a `block_on`");
    assert_gone(tasks);
    assert!(block_on(rt.spawn_boxed(async { 7 })).unwrap_err().is_runtime_gone());
    assert!(task.end().unwrap().unwrap_err().is_runtime_gone());
    go.send(()).expect("it waits as before");
    assert!(afterwards.end().unwrap().unwrap_err().is_runtime_gone());
    // Those go on, or they are what they are without their runtime.
    let _ = sleep.end();
    let _client = std::net::TcpStream::connect(addr);
    if let Err(error) = accept.end().unwrap() {
        assert_eq!(error.kind(), ErrorKind::Other, "{error}");
    }
}

pub(super) fn shutdown_beside_a_busy_block_on_keeps_the_deadline<R: Runtime>(rt: R) {
    let (release, released) = mpsc::channel::<()>();
    let (started, is_started) = mpsc::channel();
    let main = rt.clone();
    let busy = thread::spawn(move || {
        main.block_on_boxed(async {
            started.send(()).unwrap();
            released.recv().unwrap();
            main.spawn_boxed(async { 7 }).await
        })
    });
    is_started.recv().unwrap();
    let start = Instant::now();
    let left = rt.shutdown_timeout(ms(500)).unwrap();
    assert!(start.elapsed() < LONG / 2, "it waited for a `block_on`");
    // A thread in `block_on` may be the one that runs the tasks.
    assert!(left.is_empty() || left == ShutdownReport::new(1, 0), "{left:?}");
    release.send(()).expect("it is still in its poll");
    assert!(busy.join().unwrap().unwrap_err().is_runtime_gone());
    assert!(rt.shutdown_timeout(LONG).unwrap().is_empty());
}

pub(super) fn two_shutdowns_both_tell_the_truth<R: Runtime>(rt: R) {
    let (handle, release) = running_closure(&rt);
    let first = rt.clone();
    let first = thread::spawn(move || first.shutdown_timeout(LONG).unwrap());
    let one = ShutdownReport::new(0, 1);
    // Beside the first, or before it.
    assert_eq!(rt.shutdown_timeout(ms(500)).unwrap(), one);
    assert_eq!(rt.shutdown_timeout(Duration::ZERO).unwrap(), one);
    assert!(!first.is_finished(), "it waits for the closure as well");
    release.send(()).expect("it still runs");
    assert_eq!(block_on(handle).expect("to its end"), 7);
    assert!(first.join().unwrap().is_empty());
    assert!(rt.shutdown_timeout(Duration::ZERO).unwrap().is_empty());
}

pub(super) fn shutdown_drops_tasks_before_it_waits_for_closures<R: Runtime>(rt: R) {
    let (task_is_alive, task_is_gone) = mpsc::channel::<()>();
    drop(rt.spawn_boxed(async move {
        let _alive = task_is_alive;
        pending::<()>().await
    }));
    let (started, is_started) = oneshot::channel();
    let closure = rt.spawn_blocking_boxed(move || {
        started.send(()).unwrap();
        task_is_gone.recv().unwrap_err();
        7
    });
    rt.block_on(is_started).unwrap();
    let start = Instant::now();
    assert!(rt.shutdown_timeout(LONG).unwrap().is_empty());
    assert!(start.elapsed() < LONG / 2, "each waited for the other");
    assert_eq!(block_on(closure).expect("to its end"), 7);
}

pub(super) fn shutdown_in_no_time_takes_idle_threads_for_nothing_else<R: Runtime>(rt: R) {
    rt.block_on_boxed(async {
        rt.spawn_boxed(async {}).await.unwrap();
        rt.spawn_blocking_boxed(|| {}).await.unwrap();
        // The threads that ran them are done with them.
        rt.sleep(ms(20)).await;
    });
    let left = rt.shutdown_timeout(Duration::ZERO).unwrap();
    assert!(left.is_empty(), "{left:?}");
    assert!(block_on(rt.spawn_boxed(async { 7 })).unwrap_err().is_runtime_gone());
    assert!(rt.shutdown_timeout(Duration::MAX).unwrap().is_empty());
}

pub(super) fn shutdown_in_a_task_panics<R: Runtime>(rt: R) {
    let inner = rt.clone();
    let error = rt.block_on(rt.spawn_boxed(async move { inner.shutdown_timeout(LONG) })).unwrap_err();
    let text = message(&*error.into_panic()).to_owned();
    assert!(text.contains("`shutdown_timeout`") && text.contains("out of async code"), "{text}");
    assert_eq!(rt.block_on(rt.spawn_boxed(async { 7 })).unwrap(), 7, "nothing has happened to it");
}

pub(super) fn shutdown_does_not_mind_other_handles<R: Runtime>(rt: R) {
    let (kept, elsewhere) = (rt.clone(), rt.clone());
    let (canary, mut watch) = canary();
    let (started, is_started) = oneshot::channel();
    let handle = rt.spawn_boxed(async move {
        let (_canary, _kept) = (canary, kept);
        started.send(()).unwrap();
        pending::<()>().await
    });
    rt.block_on(is_started).unwrap();
    assert!(thread::spawn(move || rt.shutdown_timeout(LONG)).join().unwrap().unwrap().is_empty());
    assert!(watch.is_dropped());
    assert!(block_on(handle).unwrap_err().is_runtime_gone());
    assert!(block_on(elsewhere.spawn_boxed(async { 7 })).unwrap_err().is_runtime_gone());
}

pub(super) fn shutdown_needs_an_owner<R: Runtime>(rt: R) {
    let error = rt.spawn_blocking_boxed(|| crate::AnyRuntime::current().shutdown_timeout(LONG).unwrap_err());
    assert_eq!(rt.block_on(error).unwrap().kind(), ErrorKind::Unsupported);
    assert_eq!(rt.block_on(rt.spawn_boxed(async { 7 })).unwrap(), 7, "nothing has happened to it");
}
