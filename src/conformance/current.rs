//! Which runtime is current, and who stays where it was made.

use std::collections::HashSet;
use std::future::pending;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime};

use futures::channel::oneshot;
use futures::future::{FutureExt, join};
use futures::io::{AsyncReadExt, AsyncWriteExt};

use super::elsewhere::elsewhere;
use super::support::{Boxed as _, LONG, canary, fill_pool, ms};
use crate::net::{TcpListener, TcpStream, lookup_host};
use crate::runtime::{Runtime, TcpListener as _};
use crate::task::JoinSet;
use crate::time::Instant;
use crate::{AnyRuntime, NoRuntime, Time, time};

/// The runtime under test, as what is found without a handle.
fn any<R: Runtime>(rt: &R) -> AnyRuntime {
    AnyRuntime::known(rt).expect("the list says that it needs one that is found")
}

/// What a thread finds that is in no runtime.
fn on_another_thread() -> Result<AnyRuntime, NoRuntime> {
    thread::spawn(AnyRuntime::try_current).join().unwrap()
}

pub(super) async fn current_in_a_task_is_its_runtime<R: Runtime>(rt: R) {
    let me = any(&rt);
    let found = rt.spawn_boxed(async {
        let first = AnyRuntime::current();
        first.sleep(ms(1)).await;
        let then = AnyRuntime::current();
        let nested = then.spawn_boxed(async { AnyRuntime::current() }).await.unwrap();
        [first, then, nested]
    });
    assert_eq!(found.await.unwrap(), [me.clone(), me.clone(), me]);
}

pub(super) fn current_in_block_on_is_its_runtime<R: Runtime>(rt: R) {
    let (me, elsewhere) = (any(&rt), elsewhere());
    let before = AnyRuntime::try_current();
    assert_eq!(rt.block_on_boxed(async { AnyRuntime::current() }), me);
    assert_eq!(AnyRuntime::try_current(), before);
    let _guard = elsewhere.enter();
    assert_eq!(rt.block_on_boxed(async { AnyRuntime::current() }), me);
    assert_eq!(AnyRuntime::current(), elsewhere);
}

pub(super) async fn current_in_a_blocking_closure_is_its_runtime<R: Runtime>(rt: R) {
    let me = any(&rt);
    assert_eq!(rt.spawn_blocking_boxed(AnyRuntime::current).await.unwrap(), me);
    let nested = rt.spawn_blocking_boxed(|| crate::block_on(crate::spawn_blocking(AnyRuntime::current)));
    assert_eq!(nested.await.unwrap().unwrap(), me);
}

/// Tells which runtime is current when it is dropped.
struct Looks(mpsc::Sender<Result<AnyRuntime, NoRuntime>>);

impl Drop for Looks {
    fn drop(&mut self) {
        let _ = self.0.send(AnyRuntime::try_current());
    }
}

pub(super) async fn current_in_a_destructor_is_its_runtime<R: Runtime>(rt: R) {
    let (found, founds) = mpsc::channel();
    let looks = Looks(found.clone());
    rt.spawn_boxed(async move { drop(looks) }).await.unwrap();
    let (looks, (started, is_started)) = (Looks(found), oneshot::channel());
    let aborted = rt.spawn_boxed(async move {
        let _looks = looks;
        started.send(()).unwrap();
        pending::<()>().await
    });
    is_started.await.unwrap();
    assert!(aborted.cancel().await.unwrap_err().is_cancelled());
    let founds: Vec<_> = founds.iter().collect();
    assert_eq!(founds, [Ok(any(&rt)), Ok(any(&rt))]);
}

/// What somebody finds who is dropped on a thread of a runtime, sooner or later.
async fn next<R: Runtime, T>(rt: &R, found: &mpsc::Receiver<T>) -> T {
    loop {
        match found.try_recv() {
            Ok(found) => return found,
            Err(mpsc::TryRecvError::Empty) => rt.sleep(ms(1)).await,
            Err(mpsc::TryRecvError::Disconnected) => panic!("nobody is left to be dropped"),
        }
    }
}

pub(super) async fn current_in_the_destructor_of_an_output<R: Runtime>(rt: R) {
    let (me, elsewhere) = (any(&rt), elsewhere());
    let (found, founds) = mpsc::channel();
    let looks = || Looks(found.clone());
    // Here, where tasks of a runtime without workers are polled too.
    let _guard = elsewhere.enter();
    let [(go, gone), (go_abortable, gone_abortable), (go_panic, gone_panic)] =
        [(); 3].map(|()| oneshot::channel::<()>());
    let (output, abortable, payload) = (looks(), looks(), looks());
    drop(rt.spawn_boxed(async move { gone.await.map(|()| output) }));
    let abort_handle = rt.spawn_boxed(async move { gone_abortable.await.map(|()| abortable) }).abort_handle();
    drop(rt.spawn_boxed(async move {
        gone_panic.await.unwrap();
        std::panic::panic_any(payload)
    }));
    for go in [go, go_abortable, go_panic] {
        go.send(()).unwrap();
        assert_eq!(next(&rt, &founds).await, Ok(me.clone()));
    }
    drop(abort_handle);
    // Of closures, that end when nobody waits for them any more.
    let [(go, gone), (go_panic, gone_panic)] = [(); 2].map(|()| mpsc::channel::<()>());
    let (output, payload) = (looks(), looks());
    drop(rt.spawn_blocking_boxed(move || gone.recv().map(|()| output)));
    go.send(()).unwrap();
    assert_eq!(next(&rt, &founds).await, Ok(me.clone()));
    drop(rt.spawn_blocking_boxed(move || {
        gone_panic.recv().unwrap();
        std::panic::panic_any(payload)
    }));
    go_panic.send(()).unwrap();
    assert_eq!(next(&rt, &founds).await, Ok(me));
}

pub(super) async fn output_of_a_dropped_handle_finds_what_its_holder_does<R: Runtime>(rt: R) {
    let (found, founds) = mpsc::channel();
    let (output, watched, closure) = (Looks(found.clone()), Looks(found.clone()), Looks(found.clone()));
    let (output, guarded) = (rt.spawn_boxed(async move { output }), Looks(found));
    let guarded = rt.spawn_boxed(async move { guarded });
    let watched = rt.spawn_boxed(async move { watched });
    let abort = watched.abort_handle();
    let closure = rt.spawn_blocking_boxed(move || closure);
    while !(output.is_finished() && watched.is_finished() && closure.is_finished() && guarded.is_finished()) {
        rt.sleep(ms(1)).await;
    }
    let elsewhere = elsewhere();
    let held = thread::spawn(move || {
        drop((output, watched, closure));
        let _guard = elsewhere.enter();
        drop(guarded);
        elsewhere.clone()
    });
    let elsewhere = held.join().unwrap();
    let nothing = on_another_thread();
    assert_eq!(founds.iter().collect::<Vec<_>>(), [nothing.clone(), nothing.clone(), nothing, Ok(elsewhere)]);
    drop(abort);
}

pub(super) async fn current_in_the_destructor_of_a_queued_closure<R: Runtime>(rt: R) {
    let (found, founds) = mpsc::channel();
    let blocked = fill_pool(&rt);
    let looks = Looks(found);
    let queued = rt.spawn_blocking_boxed(move || drop(looks));
    queued.abort();
    drop(blocked);
    assert!(queued.await.unwrap_err().is_cancelled());
    assert_eq!(next(&rt, &founds).await, Ok(any(&rt)));
}

pub(super) fn current_in_the_destructor_of_a_closure_at_shutdown<R: Runtime>(rt: R) {
    let (found, founds) = mpsc::channel();
    let blocked = fill_pool(&rt);
    let looks = Looks(found);
    let queued = rt.spawn_blocking_boxed(move || drop(looks));
    rt.shutdown_timeout(ms(10)).unwrap();
    drop((blocked, queued));
    assert_eq!(founds.recv(), Ok(Ok(any(&rt))));
}

pub(super) fn current_in_a_destructor_at_shutdown_is_its_runtime<R: Runtime>(rt: R) {
    let (found, founds) = mpsc::channel();
    for _ in 0..100 {
        let (looks, (started, is_started)) = (Looks(found.clone()), oneshot::channel());
        drop(rt.spawn_boxed(async move {
            let _looks = looks;
            started.send(()).unwrap();
            pending::<()>().await
        }));
        rt.block_on(is_started).unwrap();
    }
    drop(found);
    rt.shutdown_timeout(LONG).unwrap();
    assert_eq!(founds.iter().collect::<Vec<_>>(), vec![Ok(any(&rt)); 100]);
}

pub(super) fn current_keeps_nothing_alive<R: Runtime>(rt: R) {
    let (canary, mut watch) = canary();
    let latched = rt.block_on(rt.spawn_boxed(async {
        let kept = AnyRuntime::current();
        let forever = async move {
            let _canary = canary;
            let mut interval = kept.interval(Duration::from_secs(3600));
            loop {
                interval.tick().await;
            }
        };
        drop(crate::spawn(forever));
        AnyRuntime::current()
    }));
    let latched = latched.unwrap();
    let under_a_guard = {
        let owner = any(&rt);
        let _guard = owner.enter();
        AnyRuntime::current()
    };
    assert_eq!(under_a_guard, latched);
    drop(rt);
    futures::executor::block_on(watch.dropped());
    let error = futures::executor::block_on(latched.spawn_boxed(async { 7 })).unwrap_err();
    assert!(error.is_runtime_gone(), "{error}");
    let error = futures::executor::block_on(latched.spawn_blocking_boxed(|| 7)).unwrap_err();
    assert!(error.is_runtime_gone(), "{error}");
}

pub(super) fn enter_makes_it_current<R: Runtime>(rt: R) {
    let me = any(&rt);
    let before = AnyRuntime::try_current();
    let guard = me.enter();
    assert_eq!(AnyRuntime::current(), me);
    let spawned = crate::spawn(async { AnyRuntime::current() });
    let blocking = crate::spawn_blocking(AnyRuntime::current);
    drop(guard);
    assert_eq!(AnyRuntime::try_current(), before);
    let (spawned, blocking) = rt.block_on(join(spawned, blocking));
    assert_eq!((spawned.unwrap(), blocking.unwrap()), (me.clone(), me));
}

pub(super) fn enter_guards_nest<R: Runtime>(rt: R) {
    let (me, elsewhere) = (any(&rt), elsewhere());
    let before = AnyRuntime::try_current();
    {
        let _outer = elsewhere.enter();
        {
            let _inner = me.enter();
            assert_eq!(AnyRuntime::current(), me);
        }
        assert_eq!(AnyRuntime::current(), elsewhere);
        assert_eq!(rt.block_on_boxed(async { AnyRuntime::current() }), me);
        assert_eq!(AnyRuntime::current(), elsewhere);
    }
    assert_eq!(AnyRuntime::try_current(), before);
}

pub(super) fn enter_guards_may_be_dropped_out_of_order<R: Runtime>(rt: R) {
    let (me, elsewhere) = (any(&rt), elsewhere());
    let before = AnyRuntime::try_current();
    let outer = elsewhere.enter();
    let inner = me.enter();
    drop(outer);
    assert_eq!(AnyRuntime::current(), me);
    drop(inner);
    assert_eq!(AnyRuntime::try_current(), before);
    // Further in than it was made.
    let guard = elsewhere.enter();
    rt.block_on_boxed(async {
        drop(guard);
        assert_eq!(AnyRuntime::current(), me);
    });
    assert_eq!(AnyRuntime::try_current(), before);
}

pub(super) fn enter_guard_outlives_its_block_on<R: Runtime>(rt: R) {
    let (me, elsewhere) = (any(&rt), elsewhere());
    let before = AnyRuntime::try_current();
    let guard = rt.block_on_boxed(async { elsewhere.enter() });
    assert_eq!(AnyRuntime::current(), elsewhere);
    assert_eq!(rt.block_on_boxed(async { AnyRuntime::current() }), me);
    let nested = me.enter();
    assert_eq!(AnyRuntime::current(), me);
    drop(nested);
    assert_eq!(AnyRuntime::current(), elsewhere);
    drop(guard);
    assert_eq!(AnyRuntime::try_current(), before);

    // Under another guard, and two of them, which are dropped in the order in which they were made.
    let outer = me.enter();
    let (first, second) = rt.block_on_boxed(async { (me.enter(), elsewhere.enter()) });
    assert_eq!(AnyRuntime::current(), elsewhere);
    drop(first);
    assert_eq!(AnyRuntime::current(), elsewhere);
    drop(second);
    assert_eq!(AnyRuntime::current(), me);
    drop(outer);
    assert_eq!(AnyRuntime::try_current(), before);
}

pub(super) fn enter_guards_end_further_in_than_they_began<R: Runtime>(rt: R) {
    let (me, mine) = (any(&rt), rt.clone());
    // In a closure, where something is current before the first guard.
    let closure = rt.spawn_blocking_boxed(move || {
        let (first, second) = (elsewhere(), elsewhere());
        let guard = first.enter();
        mine.block_on_boxed(async { drop(guard) });
        assert_eq!(AnyRuntime::current(), me);

        let outer = first.enter();
        let inner = second.enter();
        mine.block_on_boxed(async { drop(inner) });
        assert_eq!(AnyRuntime::current(), first);
        drop(outer);
        assert_eq!(AnyRuntime::current(), me);

        let outer = first.enter();
        let inner = second.enter();
        mine.block_on_boxed(async { drop(outer) });
        assert_eq!(AnyRuntime::current(), second);
        drop(inner);
        assert_eq!(AnyRuntime::current(), me);

        let outer = first.enter();
        let inner = mine.block_on_boxed(async { second.enter() });
        drop(outer);
        assert_eq!(AnyRuntime::current(), second);
        drop(inner);
        assert_eq!(AnyRuntime::current(), me);

        let outer = first.enter();
        let nested = second.enter();
        mine.block_on_boxed(async {
            let inner = first.enter();
            drop((outer, nested));
            assert_eq!(AnyRuntime::current(), first);
            drop(inner);
            assert_eq!(AnyRuntime::current(), me);
        });
        assert_eq!(AnyRuntime::current(), me);
        // They leave nothing behind.
        let guard = first.enter();
        assert_eq!(AnyRuntime::current(), first);
        drop(guard);
        assert_eq!(AnyRuntime::current(), me);
    });
    rt.block_on(closure).unwrap();
}

pub(super) fn enter_belongs_to_its_thread<R: Runtime>(rt: R) {
    let me = any(&rt);
    let before = on_another_thread();
    let _guard = me.enter();
    assert_eq!(on_another_thread(), before);
}

pub(super) fn within_makes_it_current_in_each_poll<R: Runtime>(rt: R) {
    let (me, elsewhere) = (any(&rt), elsewhere());
    let before = AnyRuntime::try_current();
    let looks = || async {
        let first = AnyRuntime::current();
        crate::yield_now().await;
        let task = crate::spawn(async { AnyRuntime::current() });
        [first, AnyRuntime::current(), task.await.unwrap()]
    };
    let all_me = [me.clone(), me.clone(), me.clone()];
    let mut polled = Box::pin(me.within(looks()));
    assert!(polled.as_mut().now_or_never().is_none());
    assert_eq!(AnyRuntime::try_current(), before);
    assert_eq!(rt.block_on_boxed(polled), all_me);
    // Further in than a guard, and than another one.
    let _guard = elsewhere.enter();
    let nested = elsewhere.within(me.within(async { AnyRuntime::current() }));
    assert_eq!(nested.now_or_never().unwrap(), me);
    assert_eq!(AnyRuntime::current(), elsewhere);
}

pub(super) fn within_makes_it_current_in_the_destructor<R: Runtime>(rt: R) {
    let (me, elsewhere) = (any(&rt), elsewhere());
    let (sender, found) = mpsc::channel();
    let looks = Looks(sender);
    let mut within = Box::pin(me.within(async move {
        let _looks = looks;
        pending::<()>().await;
    }));
    assert!(within.as_mut().now_or_never().is_none());
    let _guard = elsewhere.enter();
    drop(within);
    assert_eq!(found.recv().unwrap(), Ok(me));
}

pub(super) async fn task_under_a_foreign_guard_finds_its_own<R: Runtime>(rt: R) {
    let (me, elsewhere) = (any(&rt), elsewhere());
    // Here, where tasks of a runtime without workers are polled too.
    let guard = elsewhere.enter();
    let task = rt.spawn_boxed(async {
        crate::yield_now().await;
        crate::spawn(async { AnyRuntime::current() }).await.unwrap()
    });
    assert_eq!(task.await.unwrap(), me);
    assert_eq!(AnyRuntime::current(), elsewhere);
    drop(guard);
    assert_eq!(AnyRuntime::current(), me);
}

pub(super) async fn free_functions_find_the_runtime<R: Runtime>(rt: R) {
    let me = any(&rt);
    let task = rt.spawn_boxed(async move {
        assert_eq!(crate::spawn(async { AnyRuntime::current() }).await.unwrap(), me);
        assert_eq!(crate::try_spawn(async { AnyRuntime::current() }).unwrap().await.unwrap(), me);
        assert_eq!(crate::spawn_blocking(AnyRuntime::current).await.unwrap(), me);
        assert_eq!(crate::try_spawn_blocking(AnyRuntime::current).unwrap().await.unwrap(), me);
        crate::yield_now().await;
        crate::try_yield_now().unwrap().await;

        let start = time::now();
        assert!(time::try_now().unwrap() >= start && time::try_system_time().is_ok());
        time::sleep(ms(2)).await;
        time::sleep_until(start + ms(4)).await;
        time::try_sleep(ms(1)).unwrap().await;
        time::try_sleep_until(start + ms(6)).unwrap().await;
        assert!(time::now() - start >= ms(6));
        assert!(time::system_time() > SystemTime::UNIX_EPOCH);
        assert_ne!(crate::random_seed(), crate::random_seed());
        assert!(time::timeout(ms(2), pending::<()>()).await.is_err());
        assert!(time::timeout_at(start, pending::<()>()).await.is_err());
        assert_eq!(time::try_timeout(LONG, async { 7 }).unwrap().await, Ok(7));
        assert_eq!(time::try_timeout_at(start + LONG, async { 7 }).unwrap().await, Ok(7));
        time::interval(LONG).tick().await;
        time::try_interval(LONG).unwrap().tick().await;
        assert_eq!(time::interval_at(start, LONG).tick().await, start);
        assert_eq!(time::try_interval_at(start, LONG).unwrap().tick().await, start);

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        assert!(lookup_host(addr).await.unwrap().eq([addr]));
        let (client, server) = join(TcpStream::connect(addr), listener.accept()).await;
        let (mut client, mut server) = (client.unwrap(), server.unwrap().0);
        client.write_all(b"free").await.unwrap();
        client.close().await.unwrap();
        let mut text = String::new();
        server.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "free");
    });
    task.await.unwrap();
}

pub(super) async fn instant_is_of_the_clock_of_the_runtime<R: Runtime>(rt: R) {
    let inner = rt.clone();
    let between = move || {
        let before = inner.now();
        let now = Instant::now();
        assert!((before..=inner.now()).contains(&now.into_std()), "{now:?} is of another clock");
        now
    };
    let start = between();
    rt.sleep(ms(20)).await;
    let task = rt.spawn_boxed(async move {
        assert!(between() - start >= ms(20) && start.elapsed() >= ms(20));
        time::sleep_until(start + ms(30)).await;
        assert!(start.elapsed() >= ms(30));
        between
    });
    let between = task.await.unwrap();
    let end = rt.spawn_blocking(between).await.unwrap();
    assert!(end >= start + ms(30));
}

pub(super) fn block_on_without_a_handle<R: Runtime>(rt: R) {
    let me = any(&rt);
    let _guard = me.enter();
    assert_eq!(crate::block_on(async { crate::spawn(async { AnyRuntime::current() }).await.unwrap() }), me);
    assert_eq!(crate::try_block_on(async { AnyRuntime::current() }).as_ref(), Ok(&me));
}

/// What a library keeps: made in one place, and used in another.
struct Client<R: Runtime> {
    rt: R,
    interval: time::Interval<R>,
    listener: R::TcpListener,
    tasks: JoinSet<Result<AnyRuntime, NoRuntime>>,
}

impl<R: Runtime> Client<R> {
    async fn new(rt: R) -> Self {
        let listener = rt.tcp_bind("127.0.0.1:0").await.unwrap();
        let mut interval = rt.interval(ms(2));
        interval.tick().await;
        Self { rt, interval, listener, tasks: JoinSet::new() }
    }

    /// Uses everything, wherever this is polled.
    async fn work(mut self) -> Vec<Result<AnyRuntime, NoRuntime>> {
        self.interval.tick().await;
        assert!(self.rt.timeout(ms(2), pending::<()>()).await.is_err());
        let addr = self.listener.local_addr().unwrap();
        let (client, server) = join(self.rt.tcp_connect(addr), self.listener.accept()).await;
        let (mut client, mut server) = (client.unwrap(), server.unwrap().0);
        client.write_all(b"here").await.unwrap();
        server.read_exact(&mut [0; 4]).await.unwrap();
        self.tasks.spawn_on(async { AnyRuntime::try_current() }, &self.rt);
        self.tasks.spawn_blocking_on(AnyRuntime::try_current, &self.rt);
        let mut found = Vec::new();
        while let Some(task) = self.tasks.join_next().await {
            found.push(task.unwrap());
        }
        found
    }
}

pub(super) async fn objects_stay_with_their_runtime<R: Runtime>(rt: R) {
    let (me, elsewhere) = (any(&rt), elsewhere());
    let client = Client::new(rt.clone()).await;
    let _guard = elsewhere.enter();
    // Nothing of this works elsewhere.
    assert_eq!(client.work().await, [Ok(me.clone()), Ok(me)]);
}

pub(super) async fn objects_are_driven_from_anywhere<R: Runtime>(rt: R) {
    let me = any(&rt);
    let client = Client::new(rt).await;
    let (done, found) = oneshot::channel();
    thread::spawn(move || {
        let elsewhere = elsewhere();
        let _guard = elsewhere.enter();
        done.send(futures::executor::block_on(client.work()))
    });
    assert_eq!(found.await.unwrap(), [Ok(me.clone()), Ok(me)]);
}

#[allow(
    clippy::mutable_key_type,
    reason = "the hash is of which runtime it is, and not of what goes on there"
)]
pub(super) async fn handles_of_one_runtime_are_equal<R: Runtime>(rt: R) {
    let (me, other) = (any(&rt), elsewhere());
    let current = rt.spawn_boxed(async { AnyRuntime::current() }).await.unwrap();
    assert_eq!(me, current);
    assert_eq!(me, me.clone());
    assert_ne!(me, other);
    let runtimes: HashSet<_> = [me.clone(), current, other.clone(), me, other].into_iter().collect();
    assert_eq!(runtimes.len(), 2);
}
