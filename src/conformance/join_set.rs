//! Sets of tasks.

use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Barrier};
use std::task::{Context, Wake, Waker};

use futures::channel::oneshot;
use futures::{FutureExt, StreamExt};

use super::support::{Boxed as _, bell, canary, counted, message, ms, poll_with};
use crate::AnyRuntime;
use crate::runtime::Runtime;
use crate::task::{AbortHandle, JoinSet};

pub(super) async fn join_set_returns_every_value<R: Runtime>(rt: R) {
    let mut set = JoinSet::new();
    for n in 0..1_000_u64 {
        set.spawn_on(async move { n }, &rt);
    }
    assert_eq!(set.len(), 1_000);
    let mut sum = 0;
    while let Some(value) = set.join_next().await {
        sum += value.unwrap();
    }
    assert_eq!(sum, 499_500);
    assert!(set.is_empty());
}

pub(super) async fn join_set_in_order_of_completion<R: Runtime>(rt: R) {
    let mut set = JoinSet::new();
    let gates: Vec<_> = (0..3)
        .map(|n| {
            let (gate, opened) = oneshot::channel::<()>();
            set.spawn_on(async move { opened.await.map(|()| n).unwrap() }.boxed(), &rt);
            gate
        })
        .collect();
    let mut gates: Vec<_> = gates.into_iter().map(Some).collect();
    for n in [2, 0, 1] {
        gates[n].take().unwrap().send(()).unwrap();
        assert_eq!(set.join_next().await.unwrap().unwrap(), n);
    }
}

pub(super) async fn join_set_of_nothing_is_none<R: Runtime>(rt: R) {
    let mut set = JoinSet::<()>::new();
    assert!(set.join_next().await.is_none());
    assert!(set.try_join_next().is_none());
    set.spawn_on(async {}.boxed(), &rt);
    assert!(set.join_next().await.is_some());
    assert!(set.join_next().await.is_none());
}

pub(super) async fn join_set_reports_a_panic<R: Runtime>(rt: R) {
    let mut set = JoinSet::new();
    set.spawn_on(async { panic!("in the set") }.boxed(), &rt);
    let error = set.join_next().await.unwrap().map(|(): ()| ()).unwrap_err();
    assert_eq!(message(&*error.into_panic()), "in the set");
}

pub(super) async fn join_set_drop_aborts<R: Runtime>(rt: R) {
    let (canary, mut watch) = canary();
    let mut set = JoinSet::new();
    set.spawn_on(
        async move {
            let _canary = canary;
            pending::<()>().await
        }
        .boxed(),
        &rt,
    );
    drop(set);
    watch.dropped().await;
}

pub(super) async fn join_set_abort_all<R: Runtime>(rt: R) {
    let mut set = JoinSet::new();
    for _ in 0..10 {
        set.spawn_on(pending::<()>().boxed(), &rt);
    }
    // Also tasks that have been polled by the set already.
    assert!(rt.timeout(ms(5), set.join_next()).await.is_err());
    set.abort_all();
    for _ in 0..10 {
        assert!(set.join_next().await.unwrap().unwrap_err().is_cancelled());
    }
    assert!(set.is_empty());
}

pub(super) async fn join_set_detach_all<R: Runtime>(rt: R) {
    let (go, gone) = oneshot::channel::<()>();
    let (done, finished) = oneshot::channel();
    let mut set = JoinSet::new();
    set.spawn_on(
        async move {
            gone.await.unwrap();
            done.send(()).unwrap();
        }
        .boxed(),
        &rt,
    );
    set.detach_all();
    assert!(set.is_empty());
    drop(set);
    go.send(()).expect("the task still waits");
    finished.await.expect("the task runs to its end");
}

pub(super) async fn join_set_shutdown_waits<R: Runtime>(rt: R) {
    let mut set = JoinSet::new();
    let mut watches: Vec<_> = (0..10)
        .map(|_| {
            let (canary, watch) = canary();
            set.spawn_on(
                async move {
                    let _canary = canary;
                    pending::<()>().await
                }
                .boxed(),
                &rt,
            );
            watch
        })
        .collect();
    set.shutdown().await;
    assert!(watches.iter_mut().all(|watch| watch.is_dropped()));
}

pub(super) async fn join_set_runs_in_parallel<R: Runtime>(rt: R) {
    let both = Arc::new(Barrier::new(2));
    let mut set = JoinSet::new();
    for _ in 0..2 {
        let both = both.clone();
        set.spawn_on(async move { both.wait().is_leader() }.boxed(), &rt);
    }
    let mut leaders = 0;
    while let Some(leader) = set.join_next().await {
        leaders += usize::from(leader.unwrap());
    }
    assert_eq!(leaders, 1);
}

pub(super) async fn join_set_join_next_is_cancel_safe<R: Runtime>(rt: R) {
    let mut set = JoinSet::new();
    for n in 0..20_u64 {
        let timer = rt.clone();
        set.spawn_on(async move { timer.sleep(ms(n)).await }.boxed(), &rt);
    }
    let mut joined = 0;
    while !set.is_empty() {
        if let Ok(result) = rt.timeout(ms(1), set.join_next()).await {
            result.unwrap().unwrap();
            joined += 1;
        }
    }
    assert_eq!(joined, 20);
}

pub(super) async fn join_set_try_join_next_keeps_the_waiter<R: Runtime>(rt: R) {
    let (go, gone) = oneshot::channel::<()>();
    let mut set = JoinSet::new();
    set.spawn_on(async { gone.await.unwrap() }.boxed(), &rt);
    let (waker, mut rings) = bell();
    assert!(set.poll_join_next(&mut Context::from_waker(&waker)).is_pending());
    assert!(set.try_join_next().is_none());
    go.send(()).unwrap();
    rings.next().await.unwrap();
    let mut next = pin!(set.join_next());
    assert!(poll_with(&mut next, &waker).is_ready());
}

pub(super) async fn join_set_try_join_next_takes_all_that_are_finished<R: Runtime>(rt: R) {
    let there = rt.clone();
    let joined = rt.spawn_boxed(async move {
        let mut set = JoinSet::new();
        let handles: Vec<_> = (0..1_000).map(|_| there.spawn_boxed(async {})).collect();
        while !handles.iter().all(|handle| handle.is_finished()) {
            there.sleep(ms(1)).await;
        }
        handles.into_iter().for_each(|handle| set.insert(handle));
        (0..).take_while(|_| set.try_join_next().is_some()).count()
    });
    assert_eq!(joined.await.unwrap(), 1_000);
}

pub(super) async fn join_set_in_a_blocking_closure_does_not_wait<R: Runtime>(rt: R) {
    let mut set = JoinSet::new();
    set.spawn_on(pending::<()>().boxed(), &rt);
    let closure = rt.spawn_blocking_boxed(move || {
        assert!(set.try_join_next().is_none());
        set.len()
    });
    assert_eq!(closure.await.unwrap(), 1);
}

pub(super) async fn join_set_loop_lets_others_run<R: Runtime>(rt: R) {
    let there = rt.clone();
    rt.spawn_boxed(async move {
        let finished: Vec<_> = (0..2_000).map(|_| there.spawn_boxed(async {})).collect();
        while !finished.iter().all(|handle| handle.is_finished()) {
            there.sleep(ms(1)).await;
        }
        let mut set = JoinSet::new();
        finished.into_iter().for_each(|handle| set.insert(handle));
        let (join, polls) = counted(Box::pin(async move { while set.join_next().await.is_some() {} }));
        join.await;
        assert!(polls.load(Ordering::SeqCst) > 10, "2,000 results in a row, and nobody else had a turn");
    })
    .await
    .unwrap();
}

/// A waker whose clones and destructors look at the set that it is to wake for.
pub(super) async fn join_set_waker_may_use_the_set<R: Runtime>(rt: R) {
    struct Aborts(AbortHandle);

    impl Wake for Aborts {
        fn wake(self: Arc<Self>) {
            self.0.abort();
        }
    }

    impl Drop for Aborts {
        fn drop(&mut self) {
            self.0.abort();
        }
    }

    let mut set = JoinSet::new();
    let handle = rt.spawn_boxed(pending::<()>());
    let aborts = Waker::from(Arc::new(Aborts(handle.abort_handle())));
    set.insert(handle);
    assert!(set.poll_join_next(&mut Context::from_waker(&aborts)).is_pending());
    drop(aborts);
    // The last of the wakers before goes now, and with it the task.
    assert!(set.join_next().await.unwrap().unwrap_err().is_cancelled());
}

pub(super) async fn join_set_takes_blocking_closures<R: Runtime>(rt: R) {
    let mut set = JoinSet::new();
    set.spawn_blocking_on(|| 1, &rt);
    set.insert(rt.spawn_boxed(async { 2 }));
    let one = set.join_next().await.unwrap().unwrap();
    let two = set.join_next().await.unwrap().unwrap();
    assert_eq!(one + two, 3);
}

pub(super) async fn join_set_aborts_one_of_its_tasks<R: Runtime>(rt: R) {
    let mut set = JoinSet::new();
    let (gate, opened) = oneshot::channel::<()>();
    let aborted = set.spawn_on(pending::<u32>().boxed(), &rt);
    set.spawn_on(async { opened.await.map(|()| 7).unwrap() }.boxed(), &rt);
    aborted.abort();
    assert!(set.join_next().await.unwrap().unwrap_err().is_cancelled());
    assert!(aborted.is_finished());
    gate.send(()).unwrap();
    assert_eq!(set.join_next().await.unwrap().unwrap(), 7);
}

pub(super) async fn join_set_join_all_gives_every_value<R: Runtime>(rt: R) {
    let mut set = JoinSet::new();
    assert!(JoinSet::<u32>::new().join_all().await.is_empty());
    let (gate, opened) = oneshot::channel::<()>();
    set.spawn_on(async { opened.await.map(|()| 0).unwrap() }.boxed(), &rt);
    set.spawn_on(async move { gate.send(()).map(|()| 1).unwrap() }.boxed(), &rt);
    set.spawn_blocking_on(|| 2, &rt);
    let mut values = set.join_all().await;
    values.sort_unstable();
    assert_eq!(values, [0, 1, 2]);
}

pub(super) async fn join_set_join_all_panics_with_its_task<R: Runtime>(rt: R) {
    let mut set = JoinSet::new();
    let (canary, mut watch) = canary();
    let other = async move {
        let _canary = canary;
        pending::<()>().await;
    };
    set.spawn_on(other.boxed(), &rt);
    set.spawn_on(async { panic!("in the set") }.boxed(), &rt);
    let payload = AssertUnwindSafe(set.join_all()).catch_unwind().await.unwrap_err();
    assert_eq!(message(&*payload), "in the set");
    // The other was aborted, and goes in its own time.
    while !watch.is_dropped() {
        rt.sleep(ms(1)).await;
    }
}

pub(super) async fn join_set_finds_the_runtime<R: Runtime>(rt: R) {
    let me = AnyRuntime::known(&rt).expect("the list says that it needs one that is found");
    let mut set: JoinSet<_> = (0..2).map(|_| async { AnyRuntime::current() }).collect();
    set.spawn(async { AnyRuntime::current() });
    set.spawn_blocking(AnyRuntime::current);
    assert_eq!(set.join_all().await, [(); 4].map(|()| me.clone()));
}
