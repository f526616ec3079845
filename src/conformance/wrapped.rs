//! Wrappers of whatever is spawned through a handle.

use std::cell::Cell;
use std::future::pending;
use std::sync::{Arc, Mutex};

use futures::channel::oneshot;

use super::support::{Boxed as _, canary, message};
use crate::runtime::Runtime;
use crate::task::Builder;
use crate::{AnyRuntime, Spawn, spawn, spawn_blocking};

thread_local! {
    /// How deep in wrappers this thread is, and in which.
    static INSIDE: Cell<u32> = const { Cell::new(0) };
}

/// A handle whose tasks find this number in [`INSIDE`], times ten what was there where they were spawned.
fn numbered(rt: &AnyRuntime, number: u32) -> AnyRuntime {
    rt.wrap_tasks(move |_| {
        let spawned_in = INSIDE.get();
        move |step: &mut dyn FnMut()| {
            let before = INSIDE.replace(spawned_in * 10 + number);
            step();
            INSIDE.set(before);
        }
    })
}

fn wrapped<R: Runtime>(rt: &R) -> AnyRuntime {
    numbered(&AnyRuntime::custom(rt.clone()), 1)
}

/// Tells in its destructor where that is.
struct Tells(Option<oneshot::Sender<u32>>);

impl Tells {
    fn new() -> (Self, oneshot::Receiver<u32>) {
        let (tell, told) = oneshot::channel();
        (Self(Some(tell)), told)
    }
}

impl Drop for Tells {
    fn drop(&mut self) {
        let _ = self.0.take().map(|tell| tell.send(INSIDE.get()));
    }
}

pub(super) async fn wrapper_is_around_each_poll<R: Runtime>(rt: R) {
    let (rt, there) = (wrapped(&rt), rt);
    let task = rt.spawn_boxed(async move {
        let mut found = vec![INSIDE.get()];
        for _ in 0..2 {
            there.yield_now().await;
            found.push(INSIDE.get());
        }
        // Through the handle that is not wrapped.
        found.push(there.spawn_boxed(async { INSIDE.get() }).await.unwrap());
        found
    });
    assert_eq!(task.await.unwrap(), [1, 1, 1, 0]);
    assert_eq!(INSIDE.get(), 0);
}

pub(super) async fn wrapper_is_around_destructors<R: Runtime>(rt: R) {
    let rt = wrapped(&rt);
    let (value, told) = Tells::new();
    rt.spawn_boxed(async move { drop(value) }).await.unwrap();
    assert_eq!(told.await, Ok(1));

    let (value, told) = Tells::new();
    let task = rt.spawn_boxed(async move {
        let _value = value;
        pending::<()>().await;
    });
    rt.yield_now().await;
    assert!(task.cancel().await.unwrap_err().is_cancelled());
    assert_eq!(told.await, Ok(1));
}

pub(super) async fn wrapper_is_around_blocking_closures<R: Runtime>(rt: R) {
    let rt = wrapped(&rt);
    let (value, told) = Tells::new();
    let closure = rt.spawn_blocking_boxed(move || {
        let _value = &value;
        (INSIDE.get(), AnyRuntime::current())
    });
    let (inside, current) = closure.await.unwrap();
    assert_eq!((inside, told.await), (1, Ok(1)));
    assert!(current == rt);
}

pub(super) async fn wrapper_follows_into_what_a_task_spawns<R: Runtime>(rt: R) {
    let rt = wrapped(&rt);
    let task = rt.spawn_boxed(async {
        let task = spawn(async { INSIDE.get() }).await.unwrap();
        let closure = spawn_blocking(|| INSIDE.get()).await.unwrap();
        let deeper = spawn(async { spawn(async { INSIDE.get() }).await.unwrap() }).await.unwrap();
        (task, closure, deeper)
    });
    assert_eq!(task.await.unwrap(), (11, 11, 111));
    let (here, inside) = (rt.clone(), rt.clone());
    let in_block_on = rt.spawn_blocking_boxed(move || {
        here.block_on(async { (INSIDE.get(), spawn(async { INSIDE.get() }).await.unwrap()) })
    });
    assert_eq!(in_block_on.await.unwrap(), (1, 11));
    let guard = inside.enter();
    let entered = spawn(async { INSIDE.get() });
    drop(guard);
    assert_eq!(entered.await.unwrap(), 1);
}

pub(super) async fn wrapper_is_told_of_its_task<R: Runtime>(rt: R) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = told.clone();
    let rt = AnyRuntime::custom(rt).wrap_tasks(move |task| {
        let name = task.name().map(str::to_owned);
        tell.lock().unwrap().push((name, task.is_blocking(), *task.spawned_at()));
        |step: &mut dyn FnMut()| step()
    });
    let line = line!() + 1;
    rt.spawn(async {}).await.unwrap();
    rt.spawn_blocking(|| {}).await.unwrap();
    let named = Builder::new().name("named");
    named.spawn_on(async {}, &rt).unwrap().await.unwrap();
    named.spawn_blocking_on(|| {}, &rt).unwrap().await.unwrap();
    let told = told.lock().unwrap();
    let said: Vec<_> = told.iter().map(|(name, is_blocking, _)| (name.as_deref(), *is_blocking)).collect();
    assert_eq!(said, [(None, false), (None, true), (Some("named"), false), (Some("named"), true)]);
    for (n, (_, _, place)) in told.iter().enumerate() {
        let lines_between = if n < 2 { n } else { n + 1 };
        assert_eq!(place.line(), line + lines_between as u32, "{place}");
        assert!(place.file().ends_with("wrapped.rs"), "{place}");
    }
}

pub(super) async fn wrapper_is_dropped_with_its_handles<R: Runtime>(rt: R) {
    let (canary, mut watch) = canary();
    let wrapped = AnyRuntime::custom(rt).wrap_tasks(move |_| {
        let _kept = &canary;
        |step: &mut dyn FnMut()| step()
    });
    // A thread that has looked for the handle does not keep it.
    let found = wrapped.spawn_boxed(async { AnyRuntime::current() });
    assert!(found.await.unwrap() == wrapped);
    drop(wrapped);
    watch.dropped().await;
}

pub(super) async fn wrappers_nest<R: Runtime>(rt: R) {
    let plain = AnyRuntime::custom(rt);
    let both = numbered(&numbered(&plain, 1), 2);
    assert!(both == plain && both == numbered(&plain, 3));
    // Of both it is the inner one that a task finds.
    let task = both.spawn_boxed(async { (INSIDE.get(), spawn(async { INSIDE.get() }).await.unwrap()) });
    assert_eq!(task.await.unwrap(), (2, 22));
    assert_eq!(both.spawn_blocking_boxed(|| INSIDE.get()).await.unwrap(), 2);
}

pub(super) async fn wrapper_may_panic<R: Runtime>(rt: R) {
    let rt = AnyRuntime::custom(rt).wrap_tasks(|task| {
        let panics = task.name() == Some("panics");
        move |step: &mut dyn FnMut()| {
            step();
            assert!(!panics, "in the wrapper");
        }
    });
    let named = Builder::new().name("panics");
    let error = named.spawn_on(async { 7 }, &rt).unwrap().await.unwrap_err();
    assert!(error.is_panic());
    let error = named.spawn_blocking_on(|| 7, &rt).unwrap().await.unwrap_err();
    assert!(error.is_panic());
    let error = rt.spawn_boxed(async { panic!("in the task") }).await.map(|(): ()| ()).unwrap_err();
    assert_eq!(message(&*error.into_panic()), "in the task");
    assert_eq!(rt.spawn_boxed(async { 7 }).await.unwrap(), 7);

    // Before the task has its step, so that there is a future to drop: the wrapper is around that, too.
    let refuses = rt.wrap_tasks(|_| |_: &mut dyn FnMut()| panic!("in the wrapper"));
    let error = refuses.spawn_boxed(async { 7 }).await.unwrap_err();
    assert_eq!(message(&*error.into_panic()), "in the wrapper");
}
