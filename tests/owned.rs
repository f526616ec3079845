//! Owned runtimes: the options of their builders, on each backend that has a builder.
#![allow(clippy::unwrap_used)]
#![cfg(any(feature = "tokio", feature = "smol"))]

use std::collections::HashSet;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyrt::{Runtime, runtime::Builder};
use futures::future::join_all;

/// Creates one test per backend of a function that takes a builder.
macro_rules! each_backend {
    ($($test:ident;)*) => {
        #[cfg(feature = "tokio")]
        mod tokio_runtime {
            $(#[test]
            fn $test() {
                super::$test(anyrt::Tokio::builder, Builder::<anyrt::Tokio>::build);
            })*
            use anyrt::runtime::Builder;
        }

        #[cfg(feature = "smol")]
        mod smol_runtime {
            $(#[test]
            fn $test() {
                super::$test(anyrt::Smol::builder, Builder::<anyrt::Smol>::build);
            })*
            use anyrt::runtime::Builder;
        }
    };
}

each_backend! {
    values_that_no_runtime_can_have_are_refused;
    workers_are_as_many_as_asked_for_and_have_the_name;
    closures_block_as_many_threads_as_asked_for;
    queued_closures_run_in_order;
    threads_end_when_it_is_shut_down;
    threads_end_when_it_is_dropped;
    runtime_of_one_thread_each_works;
    tasks_of_a_single_threaded_runtime_have_one_thread;
    extreme_values_that_some_runtime_can_have_work;
    threads_that_the_system_does_not_give_are_an_error;
    shutdown_sees_each_block_on_that_ends_just_then;
}

/// With this number of rounds a lost wake-up was seen every time.
const ROUNDS: u32 = 5_000;

type Build<R> = fn(Builder<R>) -> std::io::Result<R>;

fn values_that_no_runtime_can_have_are_refused<R: Runtime>(builder: fn() -> Builder<R>, build: Build<R>) {
    let refused = |builder: Builder<R>, says: [&str; 2]| {
        let error = build(builder).unwrap_err();
        let text = error.to_string();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
        assert!(says.iter().all(|word| text.contains(word)), "{text}");
    };
    refused(builder().worker_threads(0), ["worker_threads is 0", "ask for 1"]);
    refused(builder().worker_threads(usize::MAX), ["worker_threads is 1844", "ask for 1"]);
    // The system would not refuse this number: std would abort the process.
    refused(builder().worker_threads(900_000), ["worker_threads is 900000", "ask for 1 to 4096"]);
    refused(builder().blocking_threads(usize::MAX), ["blocking_threads is 1844", "ask for 1"]);
    refused(builder().blocking_threads(0), ["blocking_threads is 0", "ask for 1"]);
    refused(builder().thread_name("a\0b"), ["thread_name is \"a\\0b\"", "NUL"]);
    refused(builder().worker_threads(2).single_threaded(), ["worker_threads is 2", "single_threaded"]);
}

fn tasks_of_a_single_threaded_runtime_have_one_thread<R: Runtime>(
    builder: fn() -> Builder<R>,
    build: Build<R>,
) {
    let rt =
        build(builder().single_threaded().worker_threads(1).blocking_threads(2).thread_name("one")).unwrap();
    let ran_on = |rt: &R| {
        let rt = rt.clone();
        async move {
            let tasks = (0..100).map(|n| {
                let here = rt.clone();
                rt.spawn(async move {
                    here.sleep(Duration::from_millis(n % 3)).await;
                    thread::current().id()
                })
            });
            join_all(tasks.collect::<Vec<_>>()).await.into_iter().map(Result::unwrap).collect::<HashSet<_>>()
        }
    };
    let threads = rt.block_on(ran_on(&rt));
    assert_eq!(threads.len(), 1);
    // Two closures meet, because closures have threads of their own.
    let barrier = Arc::new(Barrier::new(2));
    let closures = [barrier.clone(), barrier].map(|barrier| {
        rt.spawn_blocking(move || {
            barrier.wait();
            name()
        })
    });
    for name in rt.block_on(join_all(closures)) {
        assert!(name.unwrap().starts_with("one-"));
    }
    assert!(rt.shutdown_timeout(Duration::from_secs(30)).unwrap().is_empty());
}

fn extreme_values_that_some_runtime_can_have_work<R: Runtime>(builder: fn() -> Builder<R>, build: Build<R>) {
    let long = "x".repeat(10_000);
    for name in ["", long.as_str(), "\u{1f980} \n"] {
        let rt = build(builder().worker_threads(1).blocking_threads(1 << 20).thread_name(name)).unwrap();
        let full = rt.block_on(rt.spawn_blocking(self::name)).unwrap();
        assert!(full.starts_with(&format!("{name}-")), "{full:?}");
    }
}

/// Runs this test again in a process whose memory has no room for the stacks.
#[cfg(target_os = "linux")]
fn threads_that_the_system_does_not_give_are_an_error<R: Runtime>(
    builder: fn() -> Builder<R>,
    build: Build<R>,
) {
    const INSIDE: &str = "ANYRT_TEST_NO_THREADS";
    if std::env::var_os(INSIDE).is_some() {
        // Starts the thread of async-io, which belongs to the process and panics if it cannot start.
        let first = build(builder().worker_threads(1)).unwrap();
        first.block_on(first.sleep(Duration::from_millis(1)));
        drop(first);
        let error = build(builder().worker_threads(100)).unwrap_err();
        assert!(error.to_string().contains("worker_threads is 100, and the system"), "{error}");
        // Threads that have started end, and make room for others.
        let start = Instant::now();
        let rt = loop {
            match build(builder().worker_threads(2)) {
                Ok(rt) => break rt,
                Err(error) => assert!(start.elapsed() < Duration::from_secs(30), "{error}"),
            }
        };
        assert_eq!(rt.block_on(async { 7 }), 7);
        return;
    }
    let test = thread::current().name().unwrap().to_owned();
    let limited = "ulimit -v 2000000; exec \"$0\" --exact \"$1\" --nocapture";
    let mut inside = std::process::Command::new("sh");
    inside.args(["-c", limited]).arg(std::env::current_exe().unwrap()).arg(&test).env(INSIDE, "yes");
    // Large stacks: only they exceed the limit.
    inside.env("RUST_MIN_STACK", "67108864").env("MALLOC_ARENA_MAX", "1");
    let output = inside.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{test}: {text}");
}

/// Other systems have no such limit, or no limit for threads.
#[cfg(not(target_os = "linux"))]
fn threads_that_the_system_does_not_give_are_an_error<R: Runtime>(_: fn() -> Builder<R>, _: Build<R>) {}

fn name() -> String {
    thread::current().name().unwrap_or_default().to_owned()
}

fn workers_are_as_many_as_asked_for_and_have_the_name<R: Runtime>(
    builder: fn() -> Builder<R>,
    build: Build<R>,
) {
    const WORKERS: usize = 5;
    let rt = build(builder().worker_threads(WORKERS).thread_name("mine")).unwrap();
    // Each task blocks its worker until all of them have arrived.
    let barrier = Arc::new(Barrier::new(WORKERS));
    let tasks = (0..WORKERS).map(|_| {
        let barrier = barrier.clone();
        rt.spawn(async move {
            barrier.wait();
            name()
        })
    });
    let mut names: Vec<_> = rt.block_on(join_all(tasks)).into_iter().map(Result::unwrap).collect();
    names.push(rt.block_on(rt.spawn_blocking(name)).unwrap());
    assert!(names.iter().all(|name| name.starts_with("mine-")), "{names:?}");
    names.sort();
    names.dedup();
    assert!(names.len() >= WORKERS, "{names:?}");
}

fn closures_block_as_many_threads_as_asked_for<R: Runtime>(builder: fn() -> Builder<R>, build: Build<R>) {
    const THREADS: usize = 3;
    let rt = build(builder().worker_threads(1).blocking_threads(THREADS)).unwrap();
    let (at_once, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let all_there = Arc::new(Barrier::new(THREADS));
    let closures = (0..4 * THREADS).map(|_| {
        let (at_once, most, all_there) = (at_once.clone(), most.clone(), all_there.clone());
        rt.spawn_blocking(move || {
            most.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // Only if this number of closures runs at once can they pass the barrier.
            all_there.wait();
            at_once.fetch_sub(1, Ordering::SeqCst);
        })
    });
    let closures: Vec<_> = closures.collect();
    // Timers continue in the meantime.
    rt.block_on(rt.sleep(Duration::from_millis(1)));
    rt.block_on(join_all(closures)).into_iter().for_each(Result::unwrap);
    assert_eq!(most.load(Ordering::SeqCst), THREADS);
}

fn queued_closures_run_in_order<R: Runtime>(builder: fn() -> Builder<R>, build: Build<R>) {
    let rt = build(builder().worker_threads(1).blocking_threads(1)).unwrap();
    let (release, released) = mpsc::channel::<()>();
    let first = rt.spawn_blocking(move || released.recv().unwrap());
    let order = Arc::new(Mutex::new(Vec::new()));
    let closures: Vec<_> = (0..20)
        .map(|n| {
            let order = order.clone();
            rt.spawn_blocking(move || order.lock().unwrap().push(n))
        })
        .collect();
    release.send(()).unwrap();
    rt.block_on(first).unwrap();
    rt.block_on(join_all(closures)).into_iter().for_each(Result::unwrap);
    assert_eq!(*order.lock().unwrap(), Vec::from_iter(0..20));
}

fn runtime_of_one_thread_each_works<R: Runtime>(builder: fn() -> Builder<R>, build: Build<R>) {
    let rt = build(builder().worker_threads(1).blocking_threads(1)).unwrap();
    let inner = rt.clone();
    let value = rt.block_on(async {
        let nested = rt.spawn(async move { inner.spawn(async { 20 }).await.unwrap() }).await.unwrap();
        nested + rt.spawn_blocking(|| 1).await.unwrap()
    });
    assert_eq!(value, 21);
    assert!(rt.shutdown_timeout(Duration::from_secs(30)).unwrap().is_empty());
}

/// Returns the number of threads of this process whose names begin with this.
#[cfg(target_os = "linux")]
fn threads_called(name: &str) -> usize {
    let names = std::fs::read_dir("/proc/self/task").unwrap();
    // A thread may end in the meantime.
    let names = names.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("comm")).ok());
    names.filter(|comm| comm.starts_with(name)).count()
}

/// Other systems do not list threads.
#[cfg(not(target_os = "linux"))]
fn threads_called(_: &str) -> usize {
    0
}

/// Starts threads of both kinds.
fn busy<R: Runtime>(rt: &R) {
    let tasks = (0..10).map(|_| rt.spawn(async {}));
    rt.block_on(join_all(tasks)).into_iter().for_each(Result::unwrap);
    let closures = (0..10).map(|_| rt.spawn_blocking(thread::yield_now));
    rt.block_on(join_all(closures)).into_iter().for_each(Result::unwrap);
    drop(rt.spawn(std::future::pending::<()>()));
}

/// Waits until no thread has a name with this prefix; fails after 30 seconds.
fn wait_until_no_thread_is_called(name: &str) {
    let start = Instant::now();
    while threads_called(name) > 0 {
        assert!(start.elapsed() < Duration::from_secs(30), "{} threads are left", threads_called(name));
        thread::sleep(Duration::from_millis(1));
    }
}

fn threads_end_when_it_is_shut_down<R: Runtime>(builder: fn() -> Builder<R>, build: Build<R>) {
    let called = format!("sd{}", std::any::type_name::<R>().len());
    let rt = build(builder().worker_threads(2).thread_name(&called)).unwrap();
    busy(&rt);
    assert!(threads_called(&called) > 0 || cfg!(not(target_os = "linux")));
    let kept = rt.clone();
    assert!(rt.shutdown_timeout(Duration::from_secs(30)).unwrap().is_empty());
    wait_until_no_thread_is_called(&called);
    drop(kept);
}

fn threads_end_when_it_is_dropped<R: Runtime>(builder: fn() -> Builder<R>, build: Build<R>) {
    let called = format!("dr{}", std::any::type_name::<R>().len());
    let rt = build(builder().worker_threads(2).thread_name(&called)).unwrap();
    busy(&rt);
    drop(rt);
    wait_until_no_thread_is_called(&called);
}

fn shutdown_sees_each_block_on_that_ends_just_then<R: Runtime>(builder: fn() -> Builder<R>, build: Build<R>) {
    sees_each_block_on_that_ends_just_then(|| build(builder().worker_threads(1)).unwrap());
}

#[cfg(feature = "tokio")]
#[test]
fn shutdown_of_a_current_thread_sees_each_block_on_that_ends_just_then() {
    sees_each_block_on_that_ends_just_then(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        anyrt::Tokio::from(runtime)
    });
}

/// A wake-up that is lost in one round takes the whole timeout.
fn sees_each_block_on_that_ends_just_then<R: Runtime>(new: impl Fn() -> R) {
    const TIMEOUT: Duration = Duration::from_secs(30);
    // A spin barrier: a blocking one would wake the other thread too late.
    let meet = |at: &AtomicUsize| {
        at.fetch_add(1, Ordering::SeqCst);
        let mut turns = 0;
        while at.load(Ordering::SeqCst) < 2 {
            turns += 1;
            if turns % 10_000 == 0 { thread::yield_now() } else { std::hint::spin_loop() }
        }
    };
    let (begin, begins) = mpsc::channel::<(R, Arc<AtomicUsize>, u32)>();
    let other = thread::spawn(move || {
        for (rt, both, later) in begins {
            rt.block_on(async {
                meet(&both);
                (0..later).for_each(|_| std::hint::spin_loop());
            });
        }
    });
    for round in 0..ROUNDS {
        let (rt, both) = (new(), Arc::new(AtomicUsize::new(0)));
        // Each round ends a little later, until it ends after the shutdown has begun.
        begin.send((rt.clone(), both.clone(), round % 200)).unwrap();
        meet(&both);
        let start = Instant::now();
        let left = rt.shutdown_timeout(TIMEOUT).unwrap();
        assert!(
            left.is_empty() && start.elapsed() < TIMEOUT / 2,
            "round {round}: {left:?} after {:?}",
            start.elapsed()
        );
    }
    drop(begin);
    other.join().unwrap();
}

/// Runtimes of tokio that anyrt has not built: their remaining tasks are counted in other ways.
#[cfg(feature = "tokio")]
mod tokio_runtime_of_others {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use anyrt::{BlockOn, Spawn, Tokio};
    use futures::channel::oneshot;
    use tokio::runtime::{Builder, Handle};

    /// The first two timeouts are over before an idle thread has certainly ended.
    const TIMEOUTS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(20), Duration::from_millis(500)];
    const LONG: Duration = Duration::from_secs(30);

    fn left(rt: &Tokio, timeout: Duration) -> (usize, usize) {
        let left = rt.shutdown_timeout(timeout).unwrap();
        (left.tasks, left.blocking)
    }

    fn current_thread() -> Tokio {
        Builder::new_current_thread().enable_all().build().unwrap().into()
    }

    /// A future that stays in its poll until it is released.
    fn stuck() -> (impl Future<Output = ()> + Send, mpsc::Receiver<()>, mpsc::Sender<()>) {
        let ((started, is_started), (release, released)) = (mpsc::channel(), mpsc::channel());
        let future = async move {
            started.send(()).unwrap();
            released.recv().unwrap();
        };
        (future, is_started, release)
    }

    #[test]
    fn shutdown_reports_a_task_that_is_stuck_at_any_timeout() {
        let rt = Tokio::from(Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());
        let (future, is_stuck, release) = stuck();
        drop(rt.spawn(future));
        is_stuck.recv().unwrap();
        for timeout in TIMEOUTS {
            assert_eq!(left(&rt, timeout), (1, 0), "after {timeout:?}");
        }
        release.send(()).unwrap();
        assert_eq!(left(&rt, LONG), (0, 0));
    }

    #[test]
    fn shutdown_reports_a_block_on_that_is_stuck_at_any_timeout() {
        let rt = current_thread();
        // A waiting task is not reported.
        let (release_other, released) = oneshot::channel();
        let other = thread::spawn({
            let rt = rt.clone();
            move || rt.block_on(released).unwrap()
        });
        // The task has left its poll once another task has had a turn.
        let metrics = futures::executor::block_on(rt.spawn(async { Handle::current().metrics() })).unwrap();
        while metrics.num_alive_tasks() > 0 {
            thread::yield_now();
        }
        let (future, is_stuck, release) = stuck();
        let stuck = thread::spawn({
            let rt = rt.clone();
            move || rt.block_on(future)
        });
        is_stuck.recv().unwrap();
        for timeout in TIMEOUTS {
            assert_eq!(left(&rt, timeout), (1, 0), "after {timeout:?}");
        }
        release.send(()).unwrap();
        assert_eq!(left(&rt, LONG), (0, 0));
        release_other.send(()).unwrap();
        stuck.join().unwrap();
        other.join().unwrap();
    }

    #[test]
    fn shutdown_of_a_current_thread_that_waits_to_the_end_leaves_nothing() {
        for round in 0..super::ROUNDS / 2 {
            let rt = current_thread();
            let (begun, begins) = mpsc::channel();
            let drivers = [(); 3].map(|()| {
                let (rt, begun) = (rt.clone(), begun.clone());
                thread::spawn(move || {
                    rt.block_on(async {
                        begun.send(()).unwrap();
                        while rt.spawn(async {}).await.is_ok() {}
                    });
                })
            });
            begins.recv().unwrap();
            assert_eq!(left(&rt, LONG), (0, 0), "round {round}");
            drivers.into_iter().for_each(|driver| driver.join().unwrap());
        }
    }
}
