//! Waiting on a thread that is not async.

use std::any::Any;
use std::cell::RefCell;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::mpsc as threads;
use std::thread;

use futures::StreamExt;
use futures::channel::{mpsc, oneshot};

use super::support::{Boxed as _, message, ms};
use crate::runtime::Runtime;

pub(super) fn block_on_returns_the_value<R: Runtime>(rt: R) {
    assert_eq!(rt.block_on(async { 42 }), 42);
    assert_eq!(rt.block_on(async { rt.spawn_boxed(async { 7 }).await.unwrap() }), 7);
    rt.block_on(rt.sleep(ms(5)));
}

pub(super) fn block_on_takes_what_is_not_send<R: Runtime>(rt: R) {
    let local = Rc::new(7);
    let timer = rt.clone();
    let borrowed = &local;
    let value = rt.block_on(async move {
        timer.sleep(ms(1)).await;
        Rc::clone(borrowed)
    });
    assert_eq!(*value, 7);
}

pub(super) fn block_on_passes_a_panic_on<R: Runtime>(rt: R) {
    for _ in 0..3 {
        let payload =
            catch_unwind(AssertUnwindSafe(|| rt.block_on(async { panic!("through block_on") }))).unwrap_err();
        assert_eq!(message(&*payload), "through block_on");
    }
    assert_eq!(rt.block_on(async { rt.spawn_boxed(async { 7 }).await.unwrap() }), 7);
}

pub(super) fn block_on_leaves_other_tasks_running<R: Runtime>(rt: R) {
    let (go, gone) = oneshot::channel::<()>();
    let (done, finished) = oneshot::channel();
    rt.block_on(async {
        drop(rt.spawn_boxed(pending::<()>()));
        drop(rt.spawn_boxed(async move {
            gone.await.unwrap();
            done.send(()).unwrap();
        }));
    });
    go.send(()).expect("the task still waits");
    rt.block_on(finished).expect("the task runs to its end");
}

pub(super) fn block_on_from_several_threads<R: Runtime>(rt: R) {
    let threads: Vec<_> = (0..4_u64)
        .map(|n| {
            let rt = rt.clone();
            thread::spawn(move || {
                rt.block_on(async {
                    rt.sleep(ms(5 * n)).await;
                    rt.spawn_boxed(async move { n }).await.unwrap()
                })
            })
        })
        .collect();
    let sum: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(sum, 6);
}

/// Does what it says when it is dropped, with its thread.
struct AtTheEnd<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Drop for AtTheEnd<F> {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(|act| act());
    }
}

pub(super) fn handle_works_in_a_destructor_of_a_thread_local<R: Runtime>(rt: R) {
    thread_local! {
        static LAST: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
    }

    // In the order of their making: what `rt` keeps there is destroyed before the destructor runs, or after it.
    for is_first in [true, false] {
        let (ended, ends) = threads::channel();
        let kept = rt.clone();
        let thread = thread::spawn(move || {
            let uses = |rt: &R| {
                let rt = rt.clone();
                rt.block_on(async {
                    rt.sleep(ms(1)).await;
                    rt.spawn_boxed(async { 7 }).await.unwrap()
                })
            };
            if !is_first {
                uses(&kept);
            }
            let rt = kept.clone();
            let last = AtTheEnd(Some(move || {
                let sleep = rt.sleep(ms(1));
                rt.block_on(sleep);
                let _ = ended.send((uses(&rt), rt.block_on(rt.spawn_boxed(async { 8 })).unwrap()));
            }));
            LAST.with_borrow_mut(|kept| *kept = Some(Box::new(last)));
            uses(&kept);
        });
        assert_eq!(ends.recv().unwrap(), (7, 8));
        thread.join().unwrap();
    }
}

fn assert_nested(payload: &(dyn Any + Send)) {
    let text = message(payload);
    assert!(text.contains("`block_on`") && text.contains("`spawn_blocking`"), "{text}");
}

pub(super) fn nested_block_on_panics<R: Runtime>(rt: R) {
    rt.block_on(async {
        let nested = catch_unwind(AssertUnwindSafe(|| rt.block_on(async { 7 })));
        assert_nested(&*nested.unwrap_err());
    });
    assert_eq!(rt.block_on(async { 7 }), 7, "the error leaves nothing behind");
}

pub(super) async fn block_on_in_a_task_panics<R: Runtime>(rt: R) {
    let inner = rt.clone();
    let error = rt.spawn_boxed(async move { inner.block_on(async { 7 }) }).await.unwrap_err();
    assert_nested(&*error.into_panic());
    // It would be a deadlock on an executor with one thread.
    let inner = rt.clone();
    let error =
        rt.spawn_boxed(async move { inner.block_on(inner.spawn_boxed(async { 7 })) }).await.unwrap_err();
    assert_nested(&*error.into_panic());
}

pub(super) async fn block_on_is_allowed_in_spawn_blocking<R: Runtime>(rt: R) {
    let inner = rt.clone();
    let handle = rt.spawn_blocking_boxed(move || {
        inner.block_on(async {
            inner.sleep(ms(1)).await;
            inner.spawn_boxed(async { 7 }).await.unwrap()
        })
    });
    assert_eq!(handle.await.unwrap(), 7);
}

pub(super) async fn block_on_in_the_destructor_of_an_output<R: Runtime>(rt: R) {
    /// Tells whether it may block where it is dropped.
    struct Blocks<R: Runtime>(R, mpsc::UnboundedSender<bool>);

    impl<R: Runtime> Drop for Blocks<R> {
        fn drop(&mut self) {
            let blocked = catch_unwind(AssertUnwindSafe(|| self.0.block_on(self.0.sleep(ms(1)))));
            self.1.unbounded_send(blocked.is_ok()).unwrap();
        }
    }

    let (may, mut may_block) = mpsc::unbounded();
    let blocks = || Blocks(rt.clone(), may.clone());
    let (output, (go, gone)) = (blocks(), oneshot::channel::<()>());
    drop(rt.spawn_boxed(async move { gone.await.map(|()| output) }));
    go.send(()).unwrap();
    assert_eq!(may_block.next().await, Some(false), "a task must not block, to its last destructor");
    let (output, (go, gone)) = (blocks(), threads::channel::<()>());
    drop(rt.spawn_blocking_boxed(move || gone.recv().map(|()| output)));
    go.send(()).unwrap();
    assert_eq!(may_block.next().await, Some(true), "a closure may, to its last destructor");
}
