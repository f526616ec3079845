//! Ids of tasks, and names.

use std::collections::HashSet;
use std::future::pending;
use std::io;
use std::panic::catch_unwind;
use std::thread;

use futures::channel::oneshot;

use super::support::{Boxed as _, message};
use crate::AnyRuntime;
use crate::runtime::Runtime;
use crate::task::{self, Builder, Id, JoinSet};

/// Tells the id that its destructor finds.
struct TellsId(Option<oneshot::Sender<Option<Id>>>);

impl TellsId {
    fn new() -> (Self, oneshot::Receiver<Option<Id>>) {
        let (tell, told) = oneshot::channel();
        (Self(Some(tell)), told)
    }
}

impl Drop for TellsId {
    fn drop(&mut self) {
        let _ = self.0.take().map(|tell| tell.send(task::try_id()));
    }
}

pub(super) async fn ids_of_tasks_differ<R: Runtime>(rt: R) {
    let tasks: Vec<_> = (0..100).map(|_| rt.spawn_boxed(pending::<()>()).abort_on_drop()).collect();
    let closures: Vec<_> = (0..3).map(|_| rt.spawn_blocking_boxed(|| ())).collect();
    let ids: HashSet<_> =
        tasks.iter().map(|task| task.id()).chain(closures.iter().map(|closure| closure.id())).collect();
    assert_eq!(ids.len(), 103);
    let closure = &closures[0];
    assert_eq!(closure.id(), closure.abort_handle().id());
    assert_eq!(closure.id().to_string(), closure.abort_handle().id().to_string());
    assert!(!closure.id().to_string().is_empty());
    for closure in closures {
        closure.await.unwrap();
    }
}

pub(super) async fn id_in_a_task_is_that_of_its_handle<R: Runtime>(rt: R) {
    let there = rt.clone();
    let outer = rt.spawn_boxed(async move {
        let first = task::id();
        let inner = there.spawn_boxed(async { task::id() });
        assert_ne!(inner.id(), first);
        let expected = inner.id();
        assert_eq!(inner.await.unwrap(), expected);
        there.yield_now().await;
        assert_eq!(task::try_id(), Some(first));
        first
    });
    let id = outer.id();
    assert_eq!(outer.await.unwrap(), id);
}

pub(super) async fn id_in_a_blocking_closure_is_that_of_its_handle<R: Runtime>(rt: R) {
    let there = rt.clone();
    let closure = rt.spawn_blocking_boxed(move || {
        let id = task::id();
        let task = there.spawn_boxed(async { task::id() });
        let expected = task.id();
        assert_eq!(there.block_on_boxed(task).unwrap(), expected);
        assert_eq!(task::id(), id);
        id
    });
    let id = closure.id();
    assert_eq!(closure.await.unwrap(), id);
}

pub(super) async fn id_in_a_destructor_is_that_of_its_task<R: Runtime>(rt: R) {
    let (value, told) = TellsId::new();
    let completes = rt.spawn_boxed(async move {
        let _value = value;
    });
    assert_eq!(told.await.unwrap(), Some(completes.id()));

    let (value, told) = TellsId::new();
    let aborted = rt.spawn_boxed(async move {
        let _value = value;
        pending::<()>().await;
    });
    rt.yield_now().await;
    aborted.abort();
    assert_eq!(told.await.unwrap(), Some(aborted.id()));

    let (value, told) = TellsId::new();
    let closure = rt.spawn_blocking_boxed(move || drop(value));
    assert_eq!(told.await.unwrap(), Some(closure.id()));
}

pub(super) fn id_outside_of_a_task_is_none<R: Runtime>(rt: R) {
    assert_eq!(task::try_id(), None);
    let text = *catch_unwind(task::id).unwrap_err().downcast::<&str>().unwrap();
    assert!(text.contains("outside of a task"), "{text}");
    rt.block_on_boxed(async {
        assert_eq!(task::try_id(), None);
        rt.spawn_boxed(async { assert!(task::try_id().is_some()) }).await.unwrap();
        assert_eq!(task::try_id(), None);
    });
    assert_eq!(task::try_id(), None);
}

pub(super) async fn id_stays_when_a_task_is_aborted<R: Runtime>(rt: R) {
    let mut handle = rt.spawn_boxed(pending::<()>());
    let (id, abort) = (handle.id(), handle.abort_handle());
    abort.abort();
    assert_eq!((handle.id(), abort.id()), (id, id));
    let error = (&mut handle).await.unwrap_err();
    assert!(error.is_cancelled());
    assert_eq!((error.id(), handle.id(), abort.id()), (id, id, id));
    assert_eq!(error.try_into_panic().unwrap_err().id(), id);

    let panics = rt.spawn_boxed(async { panic!("on purpose") });
    let id = panics.id();
    let error = panics.await.map(|(): ()| ()).unwrap_err();
    assert_eq!(error.id(), id);
    assert_eq!(message(&*error.into_panic()), "on purpose");

    let closure = rt.spawn_blocking_boxed(|| panic!("on purpose"));
    let id = closure.id();
    assert_eq!(closure.await.map(|(): ()| ()).unwrap_err().id(), id);
}

pub(super) async fn join_set_tells_ids<R: Runtime>(rt: R) {
    let mut set = JoinSet::new();
    assert!(set.try_join_next_with_id().is_none());
    let seven = set.spawn_on(async { 7 }, &rt).id();
    assert_eq!(set.join_next_with_id().await.unwrap().unwrap(), (seven, 7));
    let aborted = set.spawn_on(pending(), &rt);
    aborted.abort();
    assert_eq!(set.join_next_with_id().await.unwrap().unwrap_err().id(), aborted.id());
    let eight = set.spawn_blocking_on(|| 8, &rt).id();
    let result = loop {
        match set.try_join_next_with_id() {
            Some(result) => break result,
            None => rt.yield_now().await,
        }
    };
    assert_eq!(result.unwrap(), (eight, 8));
    assert!(set.join_next_with_id().await.is_none());
}

pub(super) async fn named_tasks_run<R: Runtime>(rt: R) {
    let named = Builder::new().name("seven");
    assert_eq!(named.spawn_on(async { 7 }, &rt).unwrap().await.unwrap(), 7);
    assert_eq!(named.spawn_blocking_on(|| 7, &rt).unwrap().await.unwrap(), 7);
    assert_eq!(Builder::new().spawn_on(async { 7 }, &rt).unwrap().await.unwrap(), 7);
    assert_eq!(Builder::new().spawn_blocking_on(|| 7, &rt).unwrap().await.unwrap(), 7);
    let large = [1; 5_000];
    let sums = named.spawn_on(async move { large.iter().sum::<u32>() }, &rt).unwrap();
    let id = sums.id();
    assert_eq!(sums.await.unwrap(), 5_000);
    let panics = named.spawn_on(async { panic!("on purpose") }, &rt).unwrap();
    assert_ne!(panics.id(), id);
    assert!(panics.await.map(|(): ()| ()).unwrap_err().is_panic());
}

pub(super) async fn builder_finds_the_runtime<R: Runtime>(_: R) {
    let named = Builder::new().name("seven");
    assert_eq!(named.spawn(async { AnyRuntime::current() }).unwrap().await.unwrap(), AnyRuntime::current());
    assert_eq!(named.spawn_blocking(|| 7).unwrap().await.unwrap(), 7);
    let error = thread::spawn(move || named.spawn(async {}).unwrap_err()).join().unwrap();
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
}
