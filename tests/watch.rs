//! Watched runtimes: what the scenarios of the suite cannot ask of each runtime.
#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
use std::future::Future;
use std::io::{Read, Write};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use std::{net, thread};

use anyrt::task::Builder;
use anyrt::watch::{Report, Snapshot, TaskKind, WatchOptions};
use anyrt::{AnyRuntime, AsyncStd, Smol, Tokio};
use futures::channel::oneshot;
use futures::io::AsyncReadExt;

const LONG: Duration = Duration::from_secs(60);

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// One test at a time: they count threads, and what one computes another would wait for.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn runtimes() -> [AnyRuntime; 5] {
    [
        Tokio::new().unwrap().into(),
        Tokio::builder().single_threaded().build().unwrap().into(),
        Smol::with_threads(2).unwrap().into(),
        Smol::global().into(),
        AsyncStd::global().into(),
    ]
}

fn watched(runtime: &AnyRuntime, options: WatchOptions) -> (AnyRuntime, Receiver<Report>) {
    let (tell, reports) = channel();
    let tell = Mutex::new(tell);
    let options = options.on_report(move |report| drop(tell.lock().unwrap().send(report.clone())));
    (runtime.watch(options).unwrap(), reports)
}

/// The next report of something that blocks.
fn blocked(reports: &Receiver<Report>) -> Report {
    loop {
        let report = reports.recv_timeout(LONG).unwrap();
        if matches!(report, Report::Blocked { .. }) {
            return report;
        }
    }
}

/// The lines of the server below that spawn.
const SPAWNS: u32 = line!() + 4;

/// Answers one client, and blocks its thread until that has been reported.
async fn serve(listener: anyrt::net::TcpListener, is_reported: Arc<AtomicBool>) {
    anyrt::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        client.read_exact(&mut [0]).await.unwrap();
        let begun = Instant::now();
        while !is_reported.load(Ordering::SeqCst) && begun.elapsed() < LONG {
            thread::sleep(ms(5));
        }
    })
    .await
    .unwrap();
}

#[test]
fn server_that_sleeps_is_named_while_it_sleeps() {
    let _alone = alone();
    for runtime in runtimes() {
        let limit = ms(20);
        let (tell, reports) = channel();
        let (tell, is_reported) = (Mutex::new(tell), Arc::new(AtomicBool::new(false)));
        let reported = is_reported.clone();
        let options = WatchOptions::new().warn_after(limit).on_report(move |report| {
            if matches!(report, Report::Blocked { .. }) {
                reported.store(true, Ordering::SeqCst);
            }
            let _ = tell.lock().unwrap().send(report.clone());
        });
        let runtime = runtime.watch(options).unwrap();
        runtime.block_on(async {
            let listener = anyrt::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut client = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            client.write_all(b"x").unwrap();
            serve(listener, is_reported).await;
            assert_eq!(client.read(&mut [0]).unwrap(), 0);
        });
        let report = blocked(&reports);
        let text = report.to_string();
        let Report::Blocked { task, elapsed, asleep_in, thread, before, .. } = report else { unreachable!() };
        let at = task.spawned_at;
        assert!(at.file == file!() && at.line == SPAWNS && task.kind == TaskKind::Task, "{text}");
        assert!(elapsed >= limit && before == 0 && !thread.is_empty(), "{text}");
        assert!(!cfg!(target_os = "linux") || asleep_in.is_some(), "{text}");
        assert!(text.contains(&format!("spawned at {at}, blocks thread")), "{text}");
        let took = loop {
            if let Report::Ended { took, .. } = reports.recv_timeout(LONG).unwrap() {
                break took;
            }
        };
        assert!(took >= elapsed, "{took:?}, {text}");
    }
}

#[test]
fn report_comes_within_twice_the_limit() {
    let _alone = alone();
    let runtime = AnyRuntime::from(Smol::with_threads(1).unwrap());
    // A machine that is busy may be late, but not every time.
    let took: Vec<Duration> = (0..20)
        .map(|_| {
            let (runtime, reports) = watched(&runtime, WatchOptions::new().warn_after(ms(50)));
            let reports = Mutex::new(reports);
            let task = runtime.spawn(async move {
                let begun = Instant::now();
                blocked(&reports.lock().unwrap());
                begun.elapsed()
            });
            runtime.block_on(task).unwrap()
        })
        .take_while(|took| *took >= ms(100))
        .collect();
    assert!(took.len() < 20, "{took:?}");
}

/// Reports of a place have a pause between them; a poll that outlasts it is reported then, and not when it has taken ten times
/// as long.
#[test]
fn poll_that_outlasts_the_pause_of_its_place_is_reported() {
    let _alone = alone();
    let limit = ms(300);
    let (runtime, reports) =
        watched(&Smol::with_threads(1).unwrap().into(), WatchOptions::new().warn_after(limit));
    let (reports, inside) = (Arc::new(Mutex::new(reports)), runtime.clone());
    let blocks = || {
        let (reports, runtime) = (reports.clone(), inside.clone());
        move || {
            let report = blocked(&reports.lock().unwrap());
            (report, runtime.watch_snapshot().unwrap())
        }
    };
    let place = |block: Box<dyn FnOnce() -> (Report, Snapshot) + Send>| {
        let task = runtime.spawn(async move { block() });
        runtime.block_on(task).unwrap()
    };
    let (Report::Blocked { elapsed: first, .. }, _) = place(Box::new(blocks())) else { unreachable!() };
    let (second, during) = place(Box::new(blocks()));
    let Report::Blocked { elapsed, left_out, .. } = second else { unreachable!() };
    assert!(elapsed < limit * 10 && left_out == 0, "{first:?}, {elapsed:?}, {left_out}");

    // It went on, and was counted.
    let longest = during.longest_poll.unwrap().took;
    assert!(longest >= elapsed && during.slow_places[0].longest == longest, "{elapsed:?}, {longest:?}");
    assert_eq!((during.slow_polls, during.slow_places[0].polls), (2, 2));
}

#[test]
fn reports_that_are_left_out_are_counted() {
    let _alone = alone();
    let (runtime, reports) =
        watched(&Smol::with_threads(1).unwrap().into(), WatchOptions::new().warn_after(ms(5)));
    let begun = Instant::now();
    let (mut polls, mut left_out, mut reported) = (0, 0, HashSet::new());
    while left_out == 0 && begun.elapsed() < LONG {
        runtime.block_on(runtime.spawn(sleeps())).unwrap();
        polls += 1;
        for report in reports.try_iter() {
            if let Report::Blocked { task, left_out: count, .. } = report {
                // Those that take ten times as long are reported twice.
                reported.insert(task.id.unwrap());
                left_out += count;
            }
        }
    }
    assert!(left_out > 0 && reported.len() as u32 + left_out <= polls, "{polls}: {reported:?}, {left_out}");
}

/// `spawn` is that of the runtime itself.
fn is_not_seen<F: Future<Output = ()>>(runtime: AnyRuntime, spawn: impl FnOnce() -> F) {
    let (runtime, reports) = watched(&runtime, WatchOptions::new().warn_after(ms(5)));
    runtime.block_on(async {
        spawn().await;
        let seen = async move { blocked(&reports) };
        let reports_itself = Builder::new().name("ours").spawn_on(seen, &AnyRuntime::current()).unwrap();
        let Report::Blocked { task, .. } = reports_itself.await.unwrap() else { unreachable!() };
        assert_eq!(task.name.as_deref(), Some("ours"));
    });
    assert_eq!(runtime.watch_snapshot().unwrap().spawned, 2, "the future of the `block_on`, and ours");
}

/// Longer than it takes to be reported.
async fn sleeps() {
    thread::sleep(ms(60));
}

#[test]
fn task_of_tokio_itself_is_not_seen() {
    let _alone = alone();
    is_not_seen(Tokio::new().unwrap().into(), || async { tokio::spawn(sleeps()).await.unwrap() });
}

#[test]
fn task_of_smol_itself_is_not_seen() {
    let _alone = alone();
    is_not_seen(Smol::global().into(), || smol::spawn(sleeps()));
}

#[test]
fn task_of_async_std_itself_is_not_seen() {
    let _alone = alone();
    is_not_seen(AsyncStd::global().into(), || async_std::task::spawn(sleeps()));
}

#[test]
fn runtimes_may_be_watched_inside_each_other() {
    let _alone = alone();
    let options = || WatchOptions::new().warn_after(ms(5));
    let (outer, of_outer) = watched(&Tokio::new().unwrap().into(), options());
    let (inner, of_inner) = watched(&Smol::with_threads(1).unwrap().into(), options());
    // The blocking closure of the one drives the other.
    let there = inner.clone();
    let closure = outer.spawn_blocking(move || {
        there.block_on(async { blocked(&of_inner) });
        of_inner
    });
    let of_inner = outer.block_on(closure).unwrap();
    let blocks = |reports: &Receiver<Report>| {
        reports.try_iter().filter(|report| matches!(report, Report::Blocked { .. })).count()
    };
    assert_eq!((blocks(&of_outer), blocks(&of_inner)), (0, 0));
    assert_eq!(inner.watch_snapshot().unwrap().slow_polls, 1);
    assert_eq!(outer.watch_snapshot().unwrap().slow_polls, 0);
}

#[test]
fn task_finds_its_runtime_after_it_has_driven_another() {
    let _alone = alone();
    let (outer, _reports) = watched(&Tokio::new().unwrap().into(), WatchOptions::new());
    let inner: AnyRuntime = Tokio::builder().single_threaded().build().unwrap().into();
    let (inner, _reports) = watched(&inner, WatchOptions::new());
    let (there, driven) = (outer.clone(), inner.clone());
    let task = outer.spawn(async move {
        for polls_before in 0..4 {
            // Its task is polled by this thread, in this poll.
            tokio::task::block_in_place(|| {
                let yields = async {
                    for _ in 0..4 {
                        anyrt::yield_now().await;
                    }
                    AnyRuntime::current()
                };
                assert_eq!(driven.block_on(driven.spawn(yields)).unwrap(), driven);
            });
            let current = AnyRuntime::current();
            assert!(current == there && current.watch_snapshot().is_some(), "after {polls_before} polls");
            anyrt::yield_now().await;
        }
    });
    outer.block_on(task).unwrap();
    assert_eq!(inner.watch_snapshot().unwrap().tasks, 0);
}

/// Its destructor panics.
struct Panics(&'static str);

impl Drop for Panics {
    fn drop(&mut self) {
        panic!("{}", self.0);
    }
}

/// On tokio without a watch, this would end the process.
#[test]
fn two_destructors_that_panic_end_a_watched_task_and_nothing_else() {
    /// With a state that is there when it is done.
    struct Done {
        _state: Panics,
        polls: u32,
    }

    impl Future for Done {
        type Output = Panics;

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Panics> {
            cx.waker().wake_by_ref();
            match self.polls.checked_sub(1) {
                Some(left) => {
                    self.polls = left;
                    Poll::Pending
                }
                None => Poll::Ready(Panics("of the output")),
            }
        }
    }

    let _alone = alone();
    for (runtime, polls) in runtimes().into_iter().zip((0..2).cycle()) {
        let (runtime, _reports) = watched(&runtime, WatchOptions::new());
        let task = runtime.spawn(Done { _state: Panics("of the state"), polls });
        let Err(error) = runtime.block_on(task) else { panic!("its state has no output") };
        assert_eq!(error.into_panic().downcast_ref::<String>().unwrap(), "of the state");
    }
}

/// Blocks until that is reported.
async fn blocks(is_reported: Arc<AtomicBool>) {
    let begun = Instant::now();
    while !is_reported.load(Ordering::SeqCst) && begun.elapsed() < LONG {
        thread::sleep(ms(1));
    }
}

#[test]
fn poll_waits_for_its_turn_to_be_reported() {
    let _alone = alone();
    let (runtime, reports) =
        watched(&Smol::with_threads(1).unwrap().into(), WatchOptions::new().warn_after(ms(5)));
    let reports = Arc::new(Mutex::new(reports));
    let elapsed = [(); 2].map(|()| {
        let reports = reports.clone();
        let task = runtime.spawn(async move { blocked(&reports.lock().unwrap()) });
        let Report::Blocked { elapsed, .. } = runtime.block_on(task).unwrap() else { unreachable!() };
        elapsed
    });
    // The second comes a second after the first, and not when its poll has taken ten times as long once more.
    assert!(elapsed[0] < ms(4_000) && elapsed[1] < ms(4_000), "{elapsed:?}");
}

#[test]
fn time_of_a_callback_counts_for_nobody() {
    const LATE: Duration = ms(500);

    let _alone = alone();
    for runtime in runtimes() {
        let [first, late, second] = [(); 3].map(|()| Arc::new(AtomicBool::new(false)));
        let (tell, reports) = channel();
        let told = [first.clone(), late.clone(), second.clone()];
        let tell = Mutex::new(tell);
        let options = WatchOptions::new().warn_after(ms(5)).warn_when_ready_for(ms(100));
        let options = options.on_report(move |report| {
            let _ = tell.lock().unwrap().send(report.clone());
            let Report::Blocked { task, .. } = report else { return };
            match task.name.as_deref() {
                Some("first") => {
                    told[0].store(true, Ordering::SeqCst);
                    thread::sleep(LATE);
                    told[1].store(true, Ordering::SeqCst);
                }
                Some("second") => told[2].store(true, Ordering::SeqCst),
                _ => {}
            }
        });
        let runtime = runtime.watch(options).unwrap();
        runtime.block_on(async {
            // They have turns all the time, while the callback takes its time for the first.
            let turns = (0..16).map(|_| {
                let over = second.clone();
                anyrt::spawn(async move {
                    while !over.load(Ordering::SeqCst) {
                        anyrt::yield_now().await;
                    }
                })
            });
            let turns: Vec<_> = turns.collect();
            let first = Builder::new().name("first").spawn_on(blocks(first), &runtime).unwrap();
            first.await.unwrap();
            while !late.load(Ordering::SeqCst) {
                anyrt::yield_now().await;
            }
            // When this is reported, the watch has looked at what is ready.
            let second = Builder::new().name("second").spawn_on(blocks(second), &runtime).unwrap();
            second.await.unwrap();
            for turn in turns {
                turn.await.unwrap();
            }
        });
        let latest = runtime.watch_snapshot().unwrap().ready.max;
        drop(runtime);
        let is_wrong = |report: &Report| matches!(report, Report::Starved { waited, .. } if *waited >= LATE);
        let wrong: Vec<_> = reports.iter().filter(is_wrong).collect();
        assert!(wrong.is_empty() && latest < LATE, "{wrong:?}, ready for {latest:?}");
    }
}

#[test]
fn limits_may_be_as_long_and_as_short_as_a_duration() {
    let _alone = alone();
    let all =
        |limit| WatchOptions::new().warn_after(limit).warn_when_ready_for(limit).warn_when_queued_for(limit);
    let runtime = AnyRuntime::from(Smol::with_threads(1).unwrap());
    let (longest, reports) = watched(&runtime, all(Duration::MAX));
    longest.block_on(async { anyrt::spawn(sleeps()).await.unwrap() });
    let snapshot = longest.watch_snapshot().unwrap();
    drop(longest);
    assert!(reports.iter().next().is_none() && snapshot.slow_polls == 0, "{snapshot:?}");

    let (shortest, reports) = watched(&runtime, all(Duration::ZERO));
    shortest.block_on(async { anyrt::spawn(sleeps()).await.unwrap() });
    let Report::Blocked { elapsed, .. } = blocked(&reports) else { unreachable!() };
    assert!(elapsed >= ms(1));
}

#[test]
fn threads_that_come_and_go_are_counted() {
    let _alone = alone();
    let (runtime, _reports) = watched(&Smol::with_threads(1).unwrap().into(), WatchOptions::new());
    for _ in 0..10 {
        thread::scope(|scope| {
            for _ in 0..100 {
                scope.spawn(|| runtime.block_on(async { anyrt::yield_now().await }));
            }
        });
    }
    let snapshot = runtime.watch_snapshot().unwrap();
    assert!(snapshot.polls >= 2_000 && snapshot.tasks == 0 && snapshot.spawned == 1_000, "{snapshot:?}");
}

#[test]
fn many_tasks_may_wait() {
    const COUNT: usize = 50_000;

    let _alone = alone();
    let (runtime, reports) = watched(&Smol::with_threads(1).unwrap().into(), WatchOptions::new());
    let (ends, tasks): (Vec<_>, Vec<_>) = (0..COUNT)
        .map(|_| {
            let (end, ended) = oneshot::channel::<()>();
            (end, runtime.spawn(async move { ended.await.unwrap() }))
        })
        .unzip();
    while runtime.watch_snapshot().unwrap().polls < COUNT as u64 {
        thread::yield_now();
    }
    assert_eq!(runtime.watch_snapshot().unwrap().tasks, COUNT);
    for end in ends {
        end.send(()).unwrap();
    }
    for task in tasks {
        futures::executor::block_on(task).unwrap();
    }
    let snapshot = runtime.watch_snapshot().unwrap();
    assert!(snapshot.tasks == 0 && snapshot.polls >= 2 * COUNT as u64, "{snapshot:?}");
    let blocks = reports.try_iter().filter(|report| matches!(report, Report::Blocked { .. })).count();
    assert_eq!(blocks, 0);
}

/// Where the system says what a thread does.
#[cfg(target_os = "linux")]
mod linux {
    use std::hint;

    use super::*;

    /// Threads that compute, as many on each core, until it is dropped.
    struct Busy {
        is_over: Arc<AtomicBool>,
        threads: Vec<thread::JoinHandle<()>>,
    }

    impl Busy {
        fn on_each_core(count: usize) -> Self {
            let is_over = Arc::new(AtomicBool::new(false));
            let cores = thread::available_parallelism().unwrap().get();
            let computes = || {
                let is_over = is_over.clone();
                thread::spawn(move || {
                    while !is_over.load(Ordering::Relaxed) {
                        hint::spin_loop();
                    }
                })
            };
            let threads = (0..cores * count).map(|_| computes()).collect();
            Self { is_over, threads }
        }
    }

    impl Drop for Busy {
        fn drop(&mut self) {
            self.is_over.store(true, Ordering::Relaxed);
            self.threads.drain(..).for_each(|thread| thread.join().unwrap());
        }
    }

    /// A thread that shares its core with so many others waits for longer than the limit, in the middle of a poll.
    #[test]
    fn task_that_gets_no_cpu_does_not_block() {
        let _alone = alone();
        for runtime in [AnyRuntime::from(Tokio::new().unwrap()), Smol::with_threads(2).unwrap().into()] {
            let (runtime, reports) = watched(&runtime, WatchOptions::new().warn_after(ms(50)));
            let busy = Busy::on_each_core(20);
            let tasks: Vec<_> = (0..10_000)
                .map(|_| runtime.spawn(async { (0..10).for_each(|_| hint::spin_loop()) }))
                .collect();
            // On this thread, so that the future of a `block_on` is not what gets no CPU.
            for task in tasks {
                futures::executor::block_on(task).unwrap();
            }
            drop(busy);
            let snapshot = runtime.watch_snapshot().unwrap();
            drop(runtime);
            // Until the end of the thread.
            let blocks: Vec<_> =
                reports.iter().filter(|report| matches!(report, Report::Blocked { .. })).collect();
            assert!(blocks.is_empty() && snapshot.slow_polls == 0, "{blocks:#?}, {snapshot:?}");
            assert!(snapshot.polls >= 10_000);
            println!("{} descheduled in {:?}", snapshot.descheduled, snapshot.watched_for);
        }
    }

    /// A poll that computes beside others is one that blocks.
    #[test]
    fn task_that_computes_on_a_busy_machine_blocks() {
        let _alone = alone();
        let _busy = Busy::on_each_core(2);
        let runtime = AnyRuntime::from(Smol::with_threads(1).unwrap());
        let (runtime, reports) = watched(&runtime, WatchOptions::new().warn_after(ms(20)));
        let is_reported = Arc::new(AtomicBool::new(false));
        let over = is_reported.clone();
        runtime
            .spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    hint::spin_loop();
                }
            })
            .detach();
        let report = blocked(&reports);
        is_reported.store(true, Ordering::Relaxed);
        let Report::Blocked { asleep_in, elapsed, .. } = report else { unreachable!() };
        assert!(asleep_in.is_none() && elapsed >= ms(20), "{asleep_in:?}, {elapsed:?}");
    }

    /// How many threads watch.
    fn watching() -> usize {
        let threads = std::fs::read_dir("/proc/self/task").unwrap();
        let names =
            threads.filter_map(|thread| std::fs::read_to_string(thread.unwrap().path().join("comm")).ok());
        names.filter(|name| name == "anyrt-watch\n").count()
    }

    fn wait_until_nobody_watches() {
        let begun = Instant::now();
        while watching() > 0 {
            assert!(begun.elapsed() < LONG, "{} watch", watching());
            thread::yield_now();
        }
    }

    #[test]
    fn thread_ends_with_the_last_handle() {
        let _alone = alone();
        wait_until_nobody_watches();
        for runtime in runtimes() {
            let watched = runtime.watch(WatchOptions::new()).unwrap();
            let again = watched.watch(WatchOptions::new()).unwrap();
            // As the system sees it, a thread gets its name when it begins.
            while watching() < 2 {
                thread::yield_now();
            }
            let clone = again.clone();
            drop((watched, again));
            // A task has a weak handle.
            clone.spawn(std::future::pending::<()>()).detach();
            clone.block_on(async { assert_eq!(AnyRuntime::current(), runtime) });
            // The system may leave one out of the list while another ends.
            let begun = Instant::now();
            while watching() == 0 {
                assert!(begun.elapsed() < LONG, "nobody watches");
                thread::yield_now();
            }
            drop(clone);
            wait_until_nobody_watches();
        }
    }

    #[test]
    fn callback_may_spawn_block_and_drop_the_last_handle() {
        let _alone = alone();
        wait_until_nobody_watches();
        for runtime in runtimes() {
            let last = Arc::new(Mutex::new(None::<AnyRuntime>));
            let (tell, told) = channel();
            let (tell, held) = (Mutex::new(tell), last.clone());
            let options = WatchOptions::new().warn_after(ms(5)).on_report(move |_| {
                let Some(runtime) = held.lock().unwrap().take() else { return };
                let answer = runtime.block_on(async { anyrt::spawn(async { 42 }).await.unwrap() });
                tell.lock().unwrap().send(answer).unwrap();
            });
            *last.lock().unwrap() = Some(runtime.watch(options).unwrap());
            let told = Arc::new(Mutex::new(told));
            let blocks = last.lock().unwrap().as_ref().unwrap().spawn(async { sleeps().await });
            runtime.block_on(blocks).unwrap();
            assert_eq!(told.lock().unwrap().recv_timeout(LONG).unwrap(), 42);
            wait_until_nobody_watches();
        }
    }
}
