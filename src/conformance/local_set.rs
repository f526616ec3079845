//! Local tasks: what need not be `Send`, on the thread that polls its set.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::thread::{self, ThreadId};

use futures::channel::{mpsc, oneshot};
use futures::future::{LocalBoxFuture, join, join_all};
use futures::io::{AsyncReadExt, AsyncWriteExt};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};

use super::support::{
    Boxed as _, LOOPBACK, PanicsOnDrop, bell, canary, message, ms, on_a_plain_thread, poll_once,
};
use crate::AnyRuntime;
use crate::runtime::{Runtime, TcpListener as _, UdpSocket as _};
use crate::task::{JoinHandle, JoinSet, LocalSet, YieldNow, spawn_local, try_spawn_local};

/// In a box: what has a type of its own is compiled for each backend.
#[track_caller]
fn spawn_in<T: 'static>(set: &LocalSet, future: impl Future<Output = T> + 'static) -> JoinHandle<T> {
    let future: LocalBoxFuture<'static, T> = Box::pin(future);
    set.spawn_local(future)
}

/// In the set that this is in.
#[track_caller]
fn spawn_here<T: 'static>(future: impl Future<Output = T> + 'static) -> JoinHandle<T> {
    let future: LocalBoxFuture<'static, T> = Box::pin(future);
    spawn_local(future)
}

/// It is not `Send`, and counts what happens to it on another thread than its own.
struct Here {
    thread: ThreadId,
    wrong: Rc<Cell<u32>>,
}

impl Here {
    fn new(wrong: &Rc<Cell<u32>>) -> Self {
        Self { thread: thread::current().id(), wrong: wrong.clone() }
    }

    fn look(&self) {
        if thread::current().id() != self.thread {
            self.wrong.set(self.wrong.get() + 1);
        }
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.look();
    }
}

pub(super) async fn local_task_is_not_send<R: Runtime>(rt: R) {
    let (set, log) = (LocalSet::new(), Rc::new(RefCell::new(Vec::new())));
    let task = |n: u32| {
        let (rt, log) = (rt.clone(), log.clone());
        async move {
            log.borrow_mut().push(n);
            rt.yield_now().await;
            // Nor is its output.
            Rc::new(n)
        }
    };
    let sum = set.run_until(async {
        let tasks = (0..3).map(|n| spawn_here(task(n)));
        let last = spawn_in(&set, task(3));
        let outputs = join_all(tasks.chain([last])).await;
        outputs.into_iter().map(|output| *output.unwrap()).sum::<u32>()
    });
    assert_eq!(sum.await, 6);
    log.borrow_mut().sort_unstable();
    assert_eq!(*log.borrow(), [0, 1, 2, 3]);
}

pub(super) async fn local_tasks_stay_on_their_thread<R: Runtime>(rt: R) {
    let (set, wrong, arrived) = (LocalSet::new(), Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    for n in 0..20 {
        let (rt, here, arrived) = (rt.clone(), Here::new(&wrong), arrived.clone());
        let task = spawn_in(&set, async move {
            // Each of these is woken where it happens.
            here.look();
            rt.spawn_boxed(async {}).await.unwrap();
            here.look();
            rt.spawn_blocking_boxed(|| ()).await.unwrap();
            here.look();
            rt.sleep(ms(n)).await;
            here.look();
            arrived.set(arrived.get() + 1);
            if n % 2 == 0 {
                pending::<()>().await;
            }
        });
        if n % 4 == 0 {
            task.abort();
        }
    }
    let others_arrive = async {
        while arrived.get() < 15 {
            rt.sleep(ms(1)).await;
        }
    };
    set.run_until(others_arrive).await;
    assert_eq!(Rc::strong_count(&wrong), 6, "those that wait for ever and were not aborted, and ours");
    drop(set);
    assert_eq!((Rc::strong_count(&wrong), wrong.get()), (1, 0));
}

pub(super) async fn local_handles_and_wakers_go_anywhere<R: Runtime>(_: R) {
    let (set, wrong) = (LocalSet::new(), Rc::new(Cell::new(0)));
    let waits_for = |opened: oneshot::Receiver<u32>| {
        let here = Here::new(&wrong);
        spawn_in(&set, async move {
            let value = opened.await.unwrap();
            here.look();
            value
        })
    };
    set.run_until(async {
        // Awaited elsewhere, before and after it has completed.
        let (open, opened) = oneshot::channel();
        let waits = waits_for(opened);
        let there = on_a_plain_thread(async move {
            open.send(7).unwrap();
            waits.await.unwrap()
        });
        assert_eq!(there.await, 7);
        let (open, opened) = oneshot::channel();
        let waits = waits_for(opened);
        open.send(8).unwrap();
        while !waits.is_finished() {
            YieldNow::default().await;
        }
        assert_eq!(on_a_plain_thread(waits).await.unwrap(), 8);
        // Dropped elsewhere, while it runs.
        let (open, opened) = oneshot::channel();
        let waits = waits_for(opened);
        on_a_plain_thread(async move { drop(waits) }).await;
        open.send(9).unwrap();
        // Its waker is kept, woken and dropped elsewhere.
        let here = Here::new(&wrong);
        let (lend, lent) = oneshot::channel::<Waker>();
        let mut lend = Some(lend);
        let task = spawn_here(poll_fn(move |cx| {
            here.look();
            match lend.take() {
                Some(lend) => {
                    lend.send(cx.waker().clone()).unwrap();
                    Poll::Pending
                }
                None => Poll::Ready(()),
            }
        }));
        let woken = on_a_plain_thread(async move { lent.await.unwrap().wake() });
        join(task, woken).await.0.unwrap();
    })
    .await;
    drop(set);
    assert_eq!((Rc::strong_count(&wrong), wrong.get()), (1, 0));
}

pub(super) async fn local_task_panic_reaches_the_handle<R: Runtime>(rt: R) {
    let set = LocalSet::new();
    let beside = spawn_in(&set, {
        let rt = rt.clone();
        async move { rt.sleep(ms(5)).await }
    });
    let panics = spawn_in(&set, {
        let rt = rt.clone();
        async move {
            rt.yield_now().await;
            panic!("in a local task")
        }
    });
    set.run_until(async {
        let error = panics.await.map(|(): ()| ()).unwrap_err();
        assert_eq!(message(&*error.into_panic()), "in a local task");
        spawn_here(async { panic!("detached") }).detach();
        beside.await.unwrap();
    })
    .await;
    // A panic of the future is passed on, and harms no task.
    let after = spawn_in(&set, async { 7 });
    let payload = AssertUnwindSafe(set.run_until(async { panic!("beside them") })).catch_unwind().await;
    assert_eq!(message(&*payload.map(|(): ()| ()).unwrap_err()), "beside them");
    assert_eq!(set.run_until(after).await.unwrap(), 7);
}

pub(super) async fn local_destructor_panics_are_contained<R: Runtime>(rt: R) {
    let set = LocalSet::new();
    let keeps = |text| {
        spawn_in(&set, async move {
            let _panics = PanicsOnDrop(text);
            pending::<()>().await;
        })
    };
    let gives = spawn_in(&set, async { PanicsOnDrop("of an output") });
    let completes = spawn_in(&set, async {
        let _panics = PanicsOnDrop("of a state");
        7
    });
    let (aborted, dropped) = (keeps("of an aborted task"), keeps("with the set"));
    gives.detach();
    set.run_until(async {
        assert_eq!(message(&*completes.await.unwrap_err().into_panic()), "of a state");
        rt.yield_now().await;
        assert_eq!(message(&*aborted.cancel().await.unwrap_err().into_panic()), "of an aborted task");
    })
    .await;
    drop(set);
    assert_eq!(message(&*dropped.await.unwrap_err().into_panic()), "with the set");
}

pub(super) async fn local_abort_drops_the_task<R: Runtime>(rt: R) {
    let set = LocalSet::new();
    let waits = || {
        let (canary, watch) = canary();
        let task = spawn_in(&set, async move {
            let _canary = canary;
            pending::<()>().await;
        });
        (task, watch)
    };
    let (before_its_first_poll, mut never_polled) = waits();
    before_its_first_poll.abort();
    let (polled, mut pends) = waits();
    set.run_until(async {
        assert!(before_its_first_poll.await.unwrap_err().is_cancelled());
        assert!(never_polled.is_dropped() && !pends.is_dropped());
        polled.abort();
        polled.abort();
        // Nobody drops it in the middle of a task, or of this.
        assert!(!pends.is_dropped() && !polled.is_finished());
        assert!(polled.await.unwrap_err().is_cancelled());
        assert!(pends.is_dropped());
        // By itself: it ends at its next await.
        let (give, given) = oneshot::channel();
        let (reached, reaches) = oneshot::channel();
        let itself = spawn_here(async move {
            let me: crate::task::AbortHandle = given.await.unwrap();
            me.abort();
            reached.send(()).unwrap();
            pending::<()>().await;
        });
        give.send(itself.abort_handle()).unwrap();
        assert!(itself.await.unwrap_err().is_cancelled());
        reaches.await.unwrap();
        // One that is over keeps its value.
        let over = spawn_here(async { 7 });
        while !over.is_finished() {
            rt.yield_now().await;
        }
        over.abort();
        assert_eq!(over.await.unwrap(), 7);
        let (task, mut watch) = waits();
        drop(task.abort_on_drop());
        watch.dropped().await;
    })
    .await;
    // Between two runs it waits for the next.
    let (task, mut watch) = waits();
    set.run_until(rt.yield_now()).await;
    let task = task.cancel();
    assert!(!watch.is_dropped());
    assert!(set.run_until(task).await.unwrap_err().is_cancelled());
    assert!(watch.is_dropped());
}

pub(super) async fn local_abort_from_another_thread_drops_on_the_own<R: Runtime>(rt: R) {
    let (set, wrong) = (LocalSet::new(), Rc::new(Cell::new(0)));
    let tasks = [(); 2].map(|()| {
        let here = Here::new(&wrong);
        spawn_in(&set, async move {
            pending::<()>().await;
            // Not `Send`, and so is its handle; what aborts it is.
            Rc::new(here)
        })
    });
    set.run_until(async {
        rt.yield_now().await;
        let [one, other] = tasks;
        let handle = one.abort_handle();
        thread::spawn(move || handle.abort()).join().unwrap();
        assert!(one.await.map(|_| ()).unwrap_err().is_cancelled());
        // Also while the set waits.
        let handle = other.abort_handle();
        let aborter = thread::spawn(move || {
            thread::sleep(ms(5));
            handle.abort();
        });
        assert!(other.await.map(|_| ()).unwrap_err().is_cancelled());
        aborter.join().unwrap();
    })
    .await;
    assert_eq!((Rc::strong_count(&wrong), wrong.get()), (1, 0));
}

pub(super) async fn local_handle_keeps_the_contract<R: Runtime>(rt: R) {
    let set = LocalSet::new();
    set.run_until(async {
        // Dropping it detaches.
        let (go, gone) = oneshot::channel::<()>();
        let (done, finished) = oneshot::channel();
        drop(spawn_here(async move {
            gone.await.unwrap();
            done.send(()).unwrap();
        }));
        go.send(()).expect("the task still waits");
        finished.await.expect("the task runs to its end");
        // The output that nobody waits for goes where it completes, one that is there with its handle.
        let (canary, mut watch) = canary();
        spawn_here(async move { canary }).detach();
        watch.dropped().await;
        let (canary, mut watch) = self::canary();
        let handle = spawn_here(async move { canary });
        let abort = handle.abort_handle();
        assert!(!handle.is_finished() && !abort.is_finished());
        while !handle.is_finished() {
            rt.yield_now().await;
        }
        assert!(abort.is_finished() && !watch.is_dropped());
        drop(handle);
        assert!(watch.is_dropped());
        // The future is dropped before its handle resumes.
        let (canary, mut watch) = self::canary();
        let mut handle = spawn_here(async move { drop(canary) });
        (&mut handle).await.unwrap();
        assert!(watch.is_dropped());
        let again = catch_unwind(AssertUnwindSafe(|| poll_once(&mut handle).is_ready()));
        assert!(message(&*again.unwrap_err()).contains("polled after it had completed"));
        // Among others.
        let mut both = JoinSet::new();
        both.insert(spawn_here(async { 1 }));
        both.insert(rt.spawn_boxed(async { 2 }));
        assert_eq!(both.join_all().await.into_iter().sum::<u32>(), 3);
    })
    .await;
}

pub(super) async fn local_set_drop_drops_its_tasks<R: Runtime>(rt: R) {
    struct Spawns(Rc<RefCell<Option<JoinHandle<()>>>>);

    impl Drop for Spawns {
        fn drop(&mut self) {
            *self.0.borrow_mut() = Some(spawn_local(pending()));
        }
    }

    let set = LocalSet::new();
    let late = Rc::<RefCell<_>>::default();
    let [(one, mut first), (other, mut second)] = [(); 2].map(|()| {
        let (canary, watch) = canary();
        let spawns = Spawns(late.clone());
        let task = spawn_in(&set, async move {
            let _both = (canary, spawns);
            pending::<()>().await;
        });
        (task, watch)
    });
    let aborted = spawn_in(&set, pending::<()>());
    set.run_until(rt.yield_now()).await;
    let never_polled = spawn_in(&set, async {});
    aborted.abort();
    drop(set);
    assert!(first.is_dropped() && second.is_dropped());
    let late = late.take().expect("a destructor has spawned it");
    for task in [one, other, never_polled, late] {
        assert!(task.is_finished());
        let error = task.await.unwrap_err();
        assert!(error.is_runtime_gone() && !error.is_cancelled(), "{error}");
        assert!(error.to_string().contains("`LocalSet` is gone"), "{error}");
    }
    assert!(aborted.await.unwrap_err().is_cancelled());
}

pub(super) async fn local_set_dropped_in_a_local_task<R: Runtime>(rt: R) {
    let (outer, wrong) = (LocalSet::new(), Rc::new(Cell::new(0)));
    let here = Here::new(&wrong);
    let task = spawn_in(&outer, async move {
        let inner = LocalSet::new();
        let lost = spawn_in(&inner, async move {
            let _here = here;
            pending::<()>().await;
        });
        inner.run_until(rt.yield_now()).await;
        drop(inner);
        assert!(lost.await.unwrap_err().is_runtime_gone());
        // This is in the outer one again.
        spawn_here(async { 7 }).await.unwrap()
    });
    assert_eq!(outer.run_until(task).await.unwrap(), 7);
    assert_eq!((Rc::strong_count(&wrong), wrong.get()), (1, 0));
    // One that its own task keeps goes with that.
    let set = Rc::new(outer);
    let kept = set.clone();
    let task = spawn_in(&set, async move { drop(kept) });
    set.run_until(task).await.unwrap();
    assert_eq!(Rc::strong_count(&set), 1);
}

pub(super) async fn local_set_await_runs_all_tasks<R: Runtime>(rt: R) {
    let (mut set, count) = (LocalSet::new(), Rc::new(Cell::new(0)));
    (&mut set).await;
    let counts = |n: u64| {
        let (rt, count) = (rt.clone(), count.clone());
        async move {
            rt.sleep(ms(n)).await;
            count.set(count.get() + 1);
        }
    };
    for n in 0..3 {
        let (task, nested) = (counts(n), counts(2 * n));
        spawn_in(&set, async move {
            task.await;
            spawn_here(nested).detach();
        })
        .detach();
    }
    (&mut set).await;
    assert_eq!(count.get(), 6);
    // And then those that have come since.
    spawn_in(&set, counts(1)).detach();
    set.await;
    assert_eq!(count.get(), 7);
}

pub(super) async fn local_tasks_go_on_with_the_next_run<R: Runtime>(rt: R) {
    let (set, turns) = (LocalSet::new(), Rc::new(Cell::new(0)));
    let counts = turns.clone();
    let there = rt.clone();
    let task = spawn_in(&set, async move {
        for _ in 0..1_000 {
            counts.set(counts.get() + 1);
            there.yield_now().await;
        }
    });
    set.run_until(rt.yield_now()).await;
    let so_far = turns.get();
    assert!(0 < so_far && so_far < 1_000, "{so_far} turns in two polls");
    rt.sleep(ms(5)).await;
    assert_eq!(turns.get(), so_far, "nobody polls the set");
    set.run_until(task).await.unwrap();
    assert_eq!(turns.get(), 1_000);
}

pub(super) async fn local_spawn_outside_of_a_set_is_an_error<R: Runtime>(rt: R) {
    let outside = || {
        let (canary, mut watch) = canary();
        let error = try_spawn_local(async move { drop(canary) }).map(drop).unwrap_err();
        assert!(watch.is_dropped());
        assert!(error.to_string().contains("`anyrt::task::LocalSet::new().run_until(my_future).await`"));
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::Unsupported);
        let panics = catch_unwind(|| spawn_local(async {}).detach());
        assert_eq!(message(&*panics.unwrap_err()), format!("anyrt: {error}"));
    };
    outside();
    let set = LocalSet::new();
    set.run_until(async {
        assert!(try_spawn_local(async {}).is_ok());
        // A task of the runtime is in no set.
        rt.spawn_boxed(async move { outside() }).await.unwrap();
        assert!(try_spawn_local(async {}).is_ok());
    })
    .await;
    outside();
}

pub(super) async fn local_spawn_finds_the_innermost_set<R: Runtime>(rt: R) {
    let (outer, inner) = (LocalSet::new(), LocalSet::new());
    let waits = || spawn_here(pending::<()>()).abort_handle();
    let (mine, theirs, mine_again) = outer
        .run_until(async {
            let mine = waits();
            let theirs = inner.run_until(async {
                rt.yield_now().await;
                spawn_here(async move { waits() }).await.unwrap()
            });
            (mine, theirs.await, waits())
        })
        .await;
    drop(inner);
    assert!(theirs.is_finished() && !mine.is_finished() && !mine_again.is_finished());
    drop(outer);
    assert!(mine.is_finished() && mine_again.is_finished());
}

pub(super) async fn local_busy_tasks_starve_nobody<R: Runtime>(rt: R) {
    let set = LocalSet::new();
    let is_over = Rc::new(Cell::new(false));
    // More of them than have a turn before the future beside them.
    let busy: Vec<_> = (0..200)
        .map(|_| {
            let (there, is_over) = (rt.clone(), is_over.clone());
            spawn_in(&set, async move {
                while !is_over.get() {
                    there.yield_now().await;
                }
            })
        })
        .collect();
    let there = rt.clone();
    let beside = spawn_in(&set, async move {
        there.sleep(ms(5)).await;
        there.spawn_boxed(async {}).await.unwrap();
    });
    set.run_until(async {
        rt.sleep(ms(5)).await;
        rt.spawn_blocking_boxed(|| ()).await.unwrap();
        beside.await.unwrap();
        is_over.set(true);
        join_all(busy).await.into_iter().for_each(|task| task.unwrap());
    })
    .await;
}

pub(super) async fn local_busy_socket_starves_nobody<R: Runtime>(rt: R) {
    /// More than anybody has in a few turns.
    const FAR_AHEAD: u32 = 100_000;

    /// It may always send, and is never pending but for its budget.
    async fn sends<R: Runtime>(n: usize, rt: R, sent: Rc<[Cell<u32>; 3]>) {
        let socket = rt.udp_bind(LOOPBACK).await.unwrap();
        let addr = socket.local_addr().unwrap();
        loop {
            let least = sent.iter().map(Cell::get).min().unwrap();
            if least >= 1_000 {
                return;
            }
            assert!(sent[n].get() - least < FAR_AHEAD, "{n} has all turns: {sent:?}");
            socket.send_to(b"x", addr).await.unwrap();
            sent[n].set(sent[n].get() + 1);
        }
    }

    let set = LocalSet::new();
    let sent = Rc::new([const { Cell::new(0_u32) }; 3]);
    spawn_in(&set, sends(0, rt.clone(), sent.clone())).detach();
    spawn_in(&set, sends(1, rt.clone(), sent.clone())).detach();
    set.run_until(sends(2, rt, sent)).await;
}

pub(super) async fn local_wakes_are_not_lost<R: Runtime>(rt: R) {
    let set = LocalSet::new();
    set.run_until(async {
        // During the poll, once and again.
        let mut polls = 0;
        let wakes_itself = spawn_here(poll_fn(move |cx| {
            polls += 1;
            cx.waker().wake_by_ref();
            let waker = cx.waker().clone();
            waker.wake();
            if polls < 1_000 { Poll::Pending } else { Poll::Ready(()) }
        }));
        wakes_itself.await.unwrap();
        // From the next task, and from those of the runtime, wherever these are.
        let (ping, mut pings) = mpsc::unbounded();
        let (pong, mut pongs) = mpsc::unbounded();
        let there = rt.spawn_boxed(async move {
            while let Some(n) = pings.next().await {
                pong.unbounded_send(n).unwrap();
            }
        });
        let (relay, mut relayed) = mpsc::unbounded();
        let here = spawn_here(async move {
            while let Some(n) = pongs.next().await {
                relay.unbounded_send(n).unwrap();
            }
        });
        for n in 0..1_000 {
            ping.unbounded_send(n).unwrap();
            assert_eq!(relayed.next().await, Some(n));
        }
        drop(ping);
        there.await.unwrap();
        here.await.unwrap();
    })
    .await;
}

pub(super) async fn local_late_wakes_are_harmless<R: Runtime>(rt: R) {
    let set = LocalSet::new();
    let mut wakers = Vec::new();
    for is_over in [true, false] {
        let (lend, lent) = oneshot::channel::<Waker>();
        let mut lend = Some(lend);
        let task = spawn_in(
            &set,
            poll_fn(move |cx| {
                if let Some(lend) = lend.take() {
                    lend.send(cx.waker().clone()).unwrap();
                }
                if is_over { Poll::Ready(()) } else { Poll::Pending }
            }),
        );
        wakers.push(set.run_until(lent).await.unwrap());
        assert_eq!(task.is_finished(), is_over);
        drop(task);
    }
    wakers.iter().for_each(Waker::wake_by_ref);
    set.run_until(rt.yield_now()).await;
    wakers.iter().for_each(Waker::wake_by_ref);
    drop(set);
    wakers.into_iter().for_each(Waker::wake);
}

pub(super) async fn local_task_finds_the_runtime<R: Runtime>(rt: R) {
    /// Tells which runtime is current when it is dropped.
    struct Looks(Rc<RefCell<Vec<AnyRuntime>>>);

    impl Drop for Looks {
        fn drop(&mut self) {
            self.0.borrow_mut().push(AnyRuntime::current());
        }
    }

    let me = AnyRuntime::known(&rt).expect("the list says that it needs one that is found");
    let (set, found) = (LocalSet::new(), Rc::new(RefCell::new(Vec::new())));
    let looks = [(); 2].map(|()| Looks(found.clone()));
    set.run_until(async {
        let [state, output] = looks;
        let task = spawn_here(async move {
            let _state = state;
            let first = AnyRuntime::current();
            crate::time::sleep(ms(1)).await;
            let nested = crate::spawn(async { AnyRuntime::current() }).await.unwrap();
            let closure = crate::spawn_blocking(AnyRuntime::current).await.unwrap();
            [first, AnyRuntime::current(), nested, closure]
        });
        assert!(task.await.unwrap().iter().all(|found| *found == me));
        spawn_here(async { output }).detach();
        rt.yield_now().await;
    })
    .await;
    assert_eq!(*found.borrow(), [me.clone(), me]);
}

pub(super) async fn local_tasks_have_all_that_tasks_have<R: Runtime>(rt: R) {
    let set = LocalSet::new();
    let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server = spawn_in(&set, async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    });
    let there = rt.clone();
    let client = spawn_in(&set, async move {
        let text = there.spawn_blocking_boxed(|| "of a closure").await.unwrap();
        let mut stream = there.tcp_connect(addr).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream.close().await.unwrap();
    });
    let there = rt.clone();
    let timer = spawn_in(&set, async move {
        let begun = there.now();
        assert!(there.timeout(ms(5), pending::<()>()).await.is_err());
        there.now() - begun
    });
    set.run_until(async {
        assert_eq!(server.await.unwrap(), "of a closure");
        client.await.unwrap();
        assert!(timer.await.unwrap() >= ms(5));
    })
    .await;
}

pub(super) fn local_set_is_driven_by_anybody<R: Runtime>(rt: R) {
    let mut set = LocalSet::new();
    let runs_three_times = |there: R| async move {
        let task = spawn_here(async move { there.spawn_boxed(async { 7 }).await.unwrap() });
        task.await.unwrap()
    };
    assert_eq!(rt.block_on_boxed(set.run_until(runs_three_times(rt.clone()))), 7);
    assert_eq!(set.block_on(&rt, runs_three_times(rt.clone())), 7);
    // By an event loop: it is polled in a callback, and what wakes it asks for the next one.
    let (waker, mut rings) = bell();
    let (log, (go, gone)) = (Rc::new(RefCell::new(Vec::new())), oneshot::channel::<()>());
    let writes = log.clone();
    spawn_in(&set, async move {
        writes.borrow_mut().push("first");
        gone.await.unwrap();
        writes.borrow_mut().push("second");
        YieldNow::default().await;
        writes.borrow_mut().push("third");
    })
    .detach();
    let mut polls_set = || Pin::new(&mut set).poll(&mut Context::from_waker(&waker));
    assert!(polls_set().is_pending());
    assert_eq!(*log.borrow(), ["first"]);
    assert!(rings.try_recv().is_err(), "nothing is to be done");
    go.send(()).unwrap();
    while rings.try_recv().is_ok() {
        if polls_set().is_ready() {
            break;
        }
    }
    assert_eq!(*log.borrow(), ["first", "second", "third"]);
    // And one that is waited for wakes for a task that is spawned from outside.
    let mut run = pin!(set.run_until(pending::<()>()));
    assert!(run.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(rings.try_recv().is_err());
    spawn_in(&set, async {}).detach();
    assert!(rings.try_recv().is_ok());
}

pub(super) async fn local_set_is_polled_in_two_places<R: Runtime>(rt: R) {
    let set = LocalSet::new();
    let counts_to = |n: u32| {
        let rt = rt.clone();
        spawn_in(&set, async move {
            for _ in 0..n {
                rt.sleep(ms(1)).await;
            }
            n
        })
    };
    let (one, other) = (counts_to(2), counts_to(6));
    let (one, other) = join(set.run_until(one), set.run_until(other)).await;
    assert_eq!((one.unwrap(), other.unwrap()), (2, 6));
    // Each has its own waker: the remaining one continues to run the tasks.
    let (one, other) = (counts_to(2), counts_to(6));
    let mut both: FuturesUnordered<LocalBoxFuture<'_, _>> = FuturesUnordered::new();
    both.push(Box::pin(set.run_until(other)));
    both.push(Box::pin(set.run_until(one)));
    assert_eq!(both.next().await.unwrap().unwrap(), 2);
    assert_eq!(both.next().await.unwrap().unwrap(), 6);
}

pub(super) async fn local_tasks_are_joined_as_a_set<R: Runtime>(rt: R) {
    let (local, mut tasks) = (LocalSet::new(), JoinSet::new());
    let yields = |n: u32| -> LocalBoxFuture<'static, Rc<u32>> {
        let rt = rt.clone();
        Box::pin(async move {
            rt.yield_now().await;
            Rc::new(n)
        })
    };
    tasks.spawn_local_on(yields(1), &local);
    let aborted = tasks.spawn_local_on(yields(10), &local);
    local
        .run_until(async {
            tasks.spawn_local(yields(2));
            aborted.abort();
            let mut results = Vec::new();
            while let Some(task) = tasks.join_next().await {
                results.push(task.map_or(0, |value| *value));
            }
            results.sort_unstable();
            assert_eq!(results, [0, 1, 2], "one was aborted");
            assert!(tasks.is_empty());
        })
        .await;
}

pub(super) async fn local_set_is_run_in_its_own_task<R: Runtime>(rt: R) {
    let set = Rc::new(LocalSet::new());
    let (inside, there) = (set.clone(), rt.clone());
    let task = spawn_in(&set, async move {
        let beside = spawn_here(async { 7 });
        // It is woken by this, and its turn comes while it is polled.
        let nested = inside.run_until(async move {
            there.yield_now().await;
            there.sleep(ms(1)).await;
            beside.await.unwrap()
        });
        nested.await
    });
    assert_eq!(set.run_until(task).await.unwrap(), 7);
    rt.yield_now().await;
    assert_eq!(Rc::strong_count(&set), 1);
}
