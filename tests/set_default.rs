//! The default runtime of a process. It can be set once, so there is only one test.
#![allow(clippy::unwrap_used)]

use std::future::pending;
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;
use std::{panic, thread};

use anyrt::{AnyRuntime, SetDefaultError, Smol, Tokio, time};
use futures::channel::oneshot;

#[test]
fn default_is_set_once_and_found_anywhere() {
    assert!(AnyRuntime::try_current().is_err());

    // Two threads race. Each has a runtime of its own, with a task whose destructor shows when the runtime is gone.
    let start = Barrier::new(2);
    let contestant = || {
        let runtime = AnyRuntime::from(Smol::with_threads(1).unwrap());
        let (alive, gone) = oneshot::channel::<()>();
        drop(runtime.spawn(async move {
            let _alive = alive;
            pending::<()>().await
        }));
        start.wait();
        (runtime.clone().set_default(), runtime, gone)
    };
    let contestants = thread::scope(|scope| {
        [scope.spawn(contestant), scope.spawn(contestant)].map(|it| it.join().unwrap())
    });
    let (winners, losers): (Vec<_>, Vec<_>) =
        contestants.into_iter().partition(|(result, ..)| result.is_ok());
    let [(_, default, mut alive)] = <[_; 1]>::try_from(winners).map_err(drop).expect("exactly one wins");
    let [(result, loser, gone)] = <[_; 1]>::try_from(losers).map_err(drop).expect("and the other does not");
    let error = result.unwrap_err();
    assert!(error.to_string().contains("a default runtime already"), "{error}");
    assert_eq!(format!("{error:?}"), error.to_string());
    // The error converts into an `io::Error` by `?`, and remains its source.
    let error = io::Error::from(error);
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    let error = error.into_inner().unwrap().downcast::<SetDefaultError>().unwrap();
    assert_eq!(error.into_runtime(), loser);
    drop(loser);
    assert!(futures::executor::block_on(gone).is_err(), "nothing of the loser is left");

    // The process keeps the winner, which is found on every thread.
    let me = default.clone();
    drop(default);
    assert_eq!(thread::spawn(AnyRuntime::current).join().unwrap(), me);
    assert_eq!(anyrt::block_on(async { anyrt::spawn(async { AnyRuntime::current() }).await.unwrap() }), me);
    assert_eq!(alive.try_recv(), Ok(None), "it still runs");

    // A closer runtime has precedence.
    let tokio = AnyRuntime::from(Tokio::new().unwrap());
    assert_eq!(tokio.block_on(async { AnyRuntime::current() }), tokio);
    {
        let _guard = tokio.enter();
        assert_eq!(AnyRuntime::current(), tokio);
    }
    let native = tokio::runtime::Runtime::new().unwrap();
    let found = native.block_on(async { AnyRuntime::current() });
    assert_eq!(found, Tokio::from(native.handle().clone()).into());

    // A tokio context without the required driver does not count.
    let bare = tokio::runtime::Builder::new_current_thread().build().unwrap();
    bare.block_on(async {
        assert_eq!(AnyRuntime::current(), Tokio::current().into());
        time::sleep(Duration::from_millis(1)).await;
        let listener = anyrt::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        anyrt::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    });

    // Nor does a task of tokio outside of all runtimes, where no panic is needed to see that.
    let panics = Arc::new(AtomicUsize::new(0));
    let counted = panics.clone();
    panic::set_hook(Box::new(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
    }));
    thread::spawn(|| {
        let tasks = tokio::task::LocalSet::new();
        let task = tasks.spawn_local(async {
            assert!(tokio::task::try_id().is_some());
            time::sleep(Duration::from_millis(1)).await;
        });
        futures::executor::block_on(tasks);
        futures::executor::block_on(task).unwrap();
    })
    .join()
    .unwrap();
    let _ours = panic::take_hook();
    assert_eq!(panics.load(Ordering::SeqCst), 0);
}
