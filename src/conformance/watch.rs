//! Watched runtimes. What blocks here waits for its own report: no test has to know how fast the machine is.

use std::future::{pending, poll_fn};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;
use std::time::Instant;

use futures::channel::oneshot;

use super::run::pool_size;
use super::support::{Boxed as _, LONG, ms};
use crate::runtime::Runtime;
use crate::task::Builder;
use crate::watch::{Report, TaskInfo, TaskKind, WatchOptions};
use crate::{AnyRuntime, Spawn};

/// A watched handle, and what it reports.
fn watched<R: Runtime>(rt: &R, options: WatchOptions) -> (AnyRuntime, Reports) {
    let (tell, reports) = channel();
    let tell = Mutex::new(tell);
    let options = options.on_report(move |report| {
        let _ = tell.lock().unwrap().send(report.clone());
    });
    (AnyRuntime::custom(rt.clone()).watch(options).unwrap(), Reports(Arc::new(Mutex::new(reports))))
}

#[derive(Clone)]
struct Reports(Arc<Mutex<Receiver<Report>>>);

impl Reports {
    /// Blocks until there is a report that `wanted` wants. Others are of a machine that is busy.
    fn wait<T>(&self, wanted: impl Fn(Report) -> Option<T>) -> T {
        let reports = self.0.lock().unwrap();
        loop {
            match reports.recv_timeout(LONG) {
                Ok(report) => {
                    if let Some(found) = wanted(report) {
                        return found;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("no report"),
                Err(RecvTimeoutError::Disconnected) => panic!("nobody watches"),
            }
        }
    }

    /// Blocks until something is reported to block.
    fn wait_for_blocked(&self) -> TaskInfo {
        self.wait(|report| match report {
            Report::Blocked { task, .. } => Some(task),
            _ => None,
        })
    }

    /// Likewise, the task with this name.
    fn wait_for(&self, name: &str) {
        while self.wait_for_blocked().name.as_deref() != Some(name) {}
    }
}

/// Low, so that what waits for a report does not wait for long.
fn quick() -> WatchOptions {
    WatchOptions::new().warn_after(ms(5))
}

pub(super) async fn watch_reports_a_poll_while_it_blocks<R: Runtime>(rt: R) {
    let (rt, reports) = watched(&rt, quick());
    let (there, said) = (rt.clone(), reports.clone());
    let task = async move {
        // The second report of the same place comes a second later.
        for times_before in 0..2 {
            let (info, thread, elapsed, before) = said.wait(|report| match report {
                Report::Blocked { task, thread, elapsed, before, .. } if task.kind == TaskKind::Task => {
                    Some((task, thread, elapsed, before))
                }
                _ => None,
            });
            assert_eq!(info.id, Some(crate::task::id().to_string()));
            assert!(info.name.is_none() && info.spawned_at.file == file!(), "{info}");
            assert!(thread::current().name().is_none_or(|name| name == thread), "{thread}");
            assert!(elapsed >= ms(5) && before == times_before, "{elapsed:?}, {before} before");
            there.yield_now().await;
        }
    };
    rt.spawn_boxed(task).await.unwrap();
    reports.wait(|report| matches!(report, Report::Ended { took, .. } if took >= ms(5)).then_some(()));
}

pub(super) async fn watch_reports_the_end_of_a_poll<R: Runtime>(rt: R) {
    // The first poll of its task, and another one. No later poll on its thread says that it has ended.
    for polls_before in 0..2 {
        let (rt, reports) = watched(&rt, quick());
        let (there, said) = (rt.clone(), reports.clone());
        let task = async move {
            for _ in 0..polls_before {
                there.yield_now().await;
            }
            said.wait_for_blocked()
        };
        rt.spawn_boxed(task).await.unwrap();
        let (kind, took) = reports.wait(|report| match report {
            Report::Ended { task, took, .. } => Some((task.kind, took)),
            _ => None,
        });
        assert!(kind == TaskKind::Task && took >= ms(5), "{kind:?} took {took:?}");
    }
}

/// Waits for its own report when it is dropped.
struct BlocksOnDrop(Reports);

impl Drop for BlocksOnDrop {
    fn drop(&mut self) {
        self.0.wait_for("destructor");
    }
}

pub(super) async fn watch_reports_a_destructor<R: Runtime>(rt: R) {
    let (rt, reports) = watched(&rt, quick());
    let blocks = BlocksOnDrop(reports);
    let future = async move {
        let _blocks = blocks;
        pending::<()>().await;
    };
    let task = Builder::new().name("destructor").spawn_on(future, &rt).unwrap();
    rt.yield_now().await;
    assert!(task.cancel().await.unwrap_err().is_cancelled());
}

pub(super) fn watch_reports_the_future_of_block_on<R: Runtime>(rt: R) {
    let (rt, reports) = watched(&rt, quick());
    let line = line!() + 1;
    let info = rt.block_on(async { reports.wait_for_blocked() });
    let at = info.spawned_at;
    assert!(info.kind == TaskKind::BlockOn && at.file == file!() && at.line == line, "{info}");
}

pub(super) async fn watch_sees_what_a_task_spawns<R: Runtime>(rt: R) {
    let (rt, reports) = watched(&rt, quick());
    let task = rt.spawn_boxed(async move {
        let blocks = async move { reports.wait_for("inner") };
        Builder::new().name("inner").spawn_on(blocks, &AnyRuntime::current()).unwrap().await.unwrap();
    });
    task.await.unwrap();
}

pub(super) async fn watch_ignores_blocking_closures<R: Runtime>(rt: R) {
    let (rt, reports) = watched(&rt, quick().warn_when_queued_for(LONG));
    // It blocks for longer than two tasks, each of which blocks until it is reported.
    let ((end_first, first), (end_second, second)) = (channel(), channel());
    let closure = rt.spawn_blocking_boxed({
        let reports = reports.clone();
        move || {
            let mut names = Vec::new();
            for (name, end) in [("first", end_first), ("second", end_second)] {
                while names.last().is_none_or(|last: &Option<String>| last.as_deref() != Some(name)) {
                    names.push(reports.wait_for_blocked().name);
                }
                end.send(()).unwrap();
            }
            names
        }
    });
    while rt.watch_snapshot().unwrap().blocking_running == 0 {
        rt.yield_now().await;
    }
    // Each at a place of its own: a second report about one place comes a second later.
    let task = async move { first.recv().unwrap() };
    Builder::new().name("first").spawn_on(task, &rt).unwrap().await.unwrap();
    let task = async move { second.recv().unwrap() };
    Builder::new().name("second").spawn_on(task, &rt).unwrap().await.unwrap();
    let names = closure.await.unwrap();
    assert!(names.iter().all(Option::is_some), "{names:?}");
}

pub(super) async fn watch_reports_closures_without_a_thread<R: Runtime>(rt: R) {
    let threads = pool_size();
    let (rt, reports) = watched(&rt, WatchOptions::new().warn_when_queued_for(ms(5)));
    let (end, ended) = channel::<()>();
    let ended = Arc::new(Mutex::new(ended));
    let mut closures = Vec::new();
    for _ in 0..threads + 2 {
        let ended = ended.clone();
        closures.push(rt.spawn_blocking_boxed(move || {
            let _ = ended.lock().unwrap().recv();
        }));
    }
    let (queued, running) = reports.wait(|report| match report {
        Report::PoolFull { closure, waited, queued, running, .. } => {
            assert!(closure.kind == TaskKind::Blocking && waited >= ms(5));
            Some((queued, running))
        }
        _ => None,
    });
    // Others share the pool of a process.
    assert!(queued >= 1 && running <= threads, "{queued} queued, {running} running");
    drop(end);
    for closure in closures {
        closure.await.unwrap();
    }
}

pub(super) async fn watch_counts<R: Runtime>(rt: R) {
    let (rt, reports) = watched(&rt, quick());
    let before = rt.watch_snapshot().unwrap();
    assert_eq!((before.tasks, before.spawned, before.polls, before.slow_polls), (0, 0, 0, 0));

    let there = rt.clone();
    let yields = rt.spawn_boxed(async move {
        for _ in 0..10 {
            there.yield_now().await;
        }
    });
    let waits = rt.spawn_boxed(pending::<()>());
    yields.await.unwrap();
    let counted = rt.watch_snapshot().unwrap();
    assert_eq!((counted.tasks, counted.spawned), (1, 2));
    assert!(counted.polls >= 11, "{counted:?}");
    assert!(counted.ready.count >= 11 && counted.ready.p50 <= counted.ready.max, "{counted:?}");

    let blocks = async move { reports.wait_for("slow") };
    Builder::new().name("slow").spawn_on(blocks, &rt).unwrap().await.unwrap();
    assert!(waits.cancel().await.unwrap_err().is_cancelled());
    let after = rt.watch_snapshot().unwrap();
    assert!(after.tasks == 0 && after.slow_polls >= 1 && after.busy >= ms(4), "{after:?}");
    let slow = &after.slow_places[0];
    assert!(slow.polls >= 1 && slow.spawned_at.file == file!(), "{after:?}");
    assert!(after.watched_for >= before.watched_for);
}

pub(super) async fn watch_reports_tasks_without_a_turn<R: Runtime>(rt: R) {
    let (rt, reports) = watched(&rt, quick().warn_when_ready_for(ms(10)));
    // More than there are workers. The first that runs waits for the report, the others for the first.
    let said = Arc::new(Mutex::new(false));
    let mut tasks = Vec::new();
    for _ in 0..64 {
        let (said, reports) = (said.clone(), reports.clone());
        tasks.push(rt.spawn_boxed(async move {
            let mut said = said.lock().unwrap();
            if !*said {
                let (kind, waited, tasks) = reports.wait(|report| match report {
                    Report::Starved { task, waited, tasks, .. } => Some((task.kind, waited, tasks)),
                    _ => None,
                });
                assert!(kind == TaskKind::Task && waited >= ms(10) && tasks >= 1, "{tasks} for {waited:?}");
                *said = true;
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}

pub(super) async fn watch_wakes_through_the_last_waker<R: Runtime>(rt: R) {
    let (rt, _reports) = watched(&rt, quick());
    // Woken during a poll, from elsewhere, and by two clones of its waker.
    let mut polls = 0;
    let task = rt.spawn_boxed(poll_fn(move |cx| {
        polls += 1;
        let waker = cx.waker().clone();
        match polls {
            1 => cx.waker().wake_by_ref(),
            2 => waker.wake(),
            3 => drop(thread::spawn(move || waker.wake())),
            _ => return Poll::Ready(polls),
        }
        Poll::Pending
    }));
    assert!(task.await.unwrap() >= 4);
}

pub(super) async fn watch_callback_may_panic<R: Runtime>(rt: R) {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let options = quick().on_report(move |_| {
        let _ = tell.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).send(());
        panic!("in a callback");
    });
    let rt = AnyRuntime::custom(rt).watch(options).unwrap();
    let told = Mutex::new(told);
    let task = rt.spawn_boxed(async move {
        for _ in 0..2 {
            told.lock().unwrap().recv_timeout(LONG).unwrap();
        }
    });
    task.await.unwrap();
}

pub(super) async fn watch_reports_the_end_to_a_late_callback<R: Runtime>(rt: R) {
    let ((tell, reports), (end, ended)) = (channel(), channel::<()>());
    let (tell, ended) = (Mutex::new(tell), Mutex::new(ended));
    let options = quick().on_report(move |report| {
        let _ = tell.lock().unwrap().send(report.clone());
        if matches!(report, Report::Blocked { .. }) {
            let _ = ended.lock().unwrap().recv_timeout(LONG);
        }
    });
    let reports = Reports(Arc::new(Mutex::new(reports)));
    let watched = AnyRuntime::custom(rt.clone()).watch(options).unwrap();
    let said = reports.clone();
    watched.spawn_boxed(async move { said.wait_for_blocked() }).await.unwrap();
    drop(watched);
    // Only now does the callback return.
    drop(end);
    reports.wait(|report| matches!(report, Report::Ended { .. }).then_some(()));
}

pub(super) fn watch_ends_with_its_handle<R: Runtime>(rt: R) {
    let (watched, reports) = watched(&rt, quick());
    let (tell, told) = oneshot::channel::<()>();
    let task = watched.spawn_boxed(async move { told.await.is_err() });
    let clone = watched.clone();
    drop(watched);
    clone.block_on_boxed(async { reports.wait_for_blocked() });
    drop(clone);
    // The callback is dropped by the thread that watched, with the other end of this.
    let begun = Instant::now();
    loop {
        match reports.0.lock().unwrap().recv_timeout(LONG) {
            Ok(_) => {}
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => panic!("watched for {:?}", begun.elapsed()),
        }
    }
    // What was spawned goes on.
    drop(tell);
    assert!(rt.block_on_boxed(task).unwrap());
}

/// A handle for a whole suite, which is one that nothing blocks for a second.
#[cfg(test)]
pub(crate) fn quiet(rt: AnyRuntime) -> AnyRuntime {
    static REPORTS: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let reports = REPORTS.lock().unwrap().join("\n");
    assert!(
        reports.is_empty(),
        "an earlier scenario, or another that runs now, blocks its thread: {reports}"
    );
    // With a subscriber that wants everything, and panics if it is told of a span that is closed.
    #[cfg(feature = "tracing")]
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
    let options = WatchOptions::new().warn_after(ms(1000)).on_report(|report| match report {
        // One that is stuck until the shutdown has reported it.
        Report::Blocked { task, .. } if task.spawned_at.file.ends_with("shutdown.rs") => {}
        Report::Blocked { .. } => REPORTS.lock().unwrap().push(report.to_string()),
        _ => {}
    });
    rt.watch(options).unwrap()
}
