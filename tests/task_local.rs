//! Values that belong to a task: `task_local!` of tokio needs no runtime, and works on each of them.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use anyrt::{AnyRuntime, spawn, spawn_blocking, yield_now};
use futures::future::join;

tokio::task_local! {
    static REQUEST: u64;
}

#[anyrt::test]
async fn value_is_there_at_each_poll_and_no_longer() {
    let task = spawn(REQUEST.scope(7, async {
        let first = REQUEST.get();
        anyrt::time::sleep(Duration::from_millis(1)).await;
        yield_now().await;
        (first, REQUEST.get())
    }));
    assert_eq!(task.await.unwrap(), (7, 7));
    assert!(REQUEST.try_get().is_err());
}

#[anyrt::test]
async fn tasks_that_take_turns_have_values_of_their_own() {
    let task = |value| {
        spawn(REQUEST.scope(value, async {
            let mut seen = Vec::new();
            for _ in 0..10 {
                seen.push(REQUEST.get());
                yield_now().await;
            }
            seen
        }))
    };
    let (one, two) = join(task(1), task(2)).await;
    assert_eq!((one.unwrap(), two.unwrap()), (vec![1; 10], vec![2; 10]));
}

#[anyrt::test]
async fn value_does_not_follow_into_what_is_spawned() {
    let request = async {
        let task = spawn(async { REQUEST.try_get().is_ok() }).await.unwrap();
        let closure = spawn_blocking(|| REQUEST.try_get().is_ok()).await.unwrap();
        (task, closure, spawn(REQUEST.scope(REQUEST.get(), async { REQUEST.get() })).await.unwrap())
    };
    assert_eq!(REQUEST.scope(7, request).await, (false, false, 7));
}

#[anyrt::test]
async fn value_follows_where_the_handle_wraps_it(rt: AnyRuntime) {
    let rt = rt.wrap_tasks(|_| {
        let request = REQUEST.try_get();
        move |step: &mut dyn FnMut()| match request {
            Ok(request) => REQUEST.sync_scope(request, step),
            Err(_) => step(),
        }
    });
    let library = async {
        let task = spawn(async { (REQUEST.try_get(), spawn_blocking(|| REQUEST.get()).await.unwrap()) });
        task.await.unwrap()
    };
    let request = async { rt.spawn(library).await.unwrap() };
    assert_eq!(REQUEST.scope(7, request).await, (Ok(7), 7));
    assert!(rt.spawn(async { REQUEST.try_get() }).await.unwrap().is_err());
}
