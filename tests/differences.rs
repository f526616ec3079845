//! The rows of the table "What cannot be made equal" in `src/guide/differences.md` that a test can observe.
#![allow(clippy::unwrap_used)]

use std::any::Any;
use std::cell::RefCell;
use std::error::Error as _;
use std::future::{pending, poll_fn};
use std::io::{ErrorKind, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::process::Command;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use anyrt::runtime::{TcpListener as _, TcpStream as _, UdpSocket as _};
use anyrt::{AnyRuntime, AsyncStd, BlockOn, Net, NoRuntime, Runtime, Smol, Spawn, Time, Tokio};
use futures::FutureExt;
use futures::channel::oneshot;
use futures::io::{AsyncReadExt, AsyncWriteExt};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn tokio_with_one_worker() -> Tokio {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().unwrap().into()
}

fn tokio_current_thread() -> Tokio {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().into()
}

/// Returns the shortest time that twenty short sleeps took one after the other.
fn twenty_sleeps<R: Runtime>(rt: &R) -> Duration {
    let series = async || {
        let start = rt.now();
        for _ in 0..20 {
            rt.sleep(Duration::from_micros(100)).await;
        }
        rt.now() - start
    };
    (0..20).map(|_| rt.block_on(series())).min().unwrap()
}

#[test]
fn timers_of_tokio_round_up() {
    // Each sleep ends at a tick. The first tick may be near.
    assert!(twenty_sleeps(&Tokio::new().unwrap()) >= ms(19));
    assert!(twenty_sleeps(&Smol::global()) < ms(19));
    assert!(twenty_sleeps(&AsyncStd::global()) < ms(19));
}

/// Whether a timer fires while a task blocks the only worker. A watchdog releases the worker after a while.
fn timer_fires_beside_a_blocked_worker<R: Runtime>(rt: &R) -> bool {
    let (release, released) = mpsc::channel();
    let (blocked, is_blocked) = oneshot::channel();
    let task = rt.spawn(async move {
        blocked.send(()).unwrap();
        released.recv().unwrap()
    });
    rt.block_on(is_blocked).unwrap();
    let watchdog = release.clone();
    thread::spawn(move || {
        thread::sleep(ms(500));
        watchdog.send("the watchdog")
    });
    rt.block_on(rt.sleep(ms(20)));
    // Has no effect if the watchdog was first.
    let _ = release.send("the timer");
    rt.block_on(task).unwrap() == "the timer"
}

#[test]
fn blocked_workers_stop_the_timers_of_tokio() {
    assert!(!timer_fires_beside_a_blocked_worker(&tokio_with_one_worker()));
    assert!(timer_fires_beside_a_blocked_worker(&Smol::with_threads(1).unwrap()));
}

/// Whether a shutdown drops a waiting task while another task is stuck on the only worker.
fn shutdown_drops_beside_a_stuck_worker<R: Runtime>(rt: R) -> bool {
    let (waits, is_waiting) = oneshot::channel();
    let (alive, mut watch) = oneshot::channel::<()>();
    drop(rt.spawn(async move {
        let _alive = alive;
        waits.send(()).unwrap();
        pending::<()>().await
    }));
    rt.block_on(is_waiting).unwrap();
    let (release, released) = mpsc::channel::<()>();
    let (stuck, is_stuck) = oneshot::channel();
    drop(rt.spawn(async move {
        stuck.send(()).unwrap();
        released.recv()
    }));
    rt.block_on(is_stuck).unwrap();
    assert_eq!(rt.shutdown_timeout(ms(1_000)).unwrap().tasks, 1);
    let dropped = watch.try_recv().is_err();
    release.send(()).unwrap();
    futures::executor::block_on(watch).unwrap_err();
    dropped
}

#[test]
fn stuck_workers_keep_the_tasks_of_tokio() {
    assert!(!shutdown_drops_beside_a_stuck_worker(Tokio::builder().worker_threads(1).build().unwrap()));
    assert!(shutdown_drops_beside_a_stuck_worker(Smol::with_threads(1).unwrap()));
}

/// Whether a task runs while the thread in `block_on` is busy.
fn task_runs_beside_a_busy_block_on<R: Runtime>(rt: &R) -> bool {
    rt.block_on(async {
        let (ran, has_run) = mpsc::channel();
        let task = rt.spawn(async move { ran.send(()).unwrap() });
        let beside = has_run.recv_timeout(ms(500)).is_ok();
        if !beside {
            // The receiver must live as long as the task runs.
            task.await.unwrap();
        }
        beside
    })
}

#[test]
fn current_thread_stands_still_while_its_thread_is_busy() {
    assert!(!task_runs_beside_a_busy_block_on(&tokio_current_thread()));
    assert!(task_runs_beside_a_busy_block_on(&Tokio::new().unwrap()));
    assert!(task_runs_beside_a_busy_block_on(&Smol::global()));
    assert!(task_runs_beside_a_busy_block_on(&AsyncStd::global()));
}

struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("a waker panics");
    }
}

/// Polls the handle of a task with a waker that panics, and then lets the task end.
fn wake_a_panicking_waker<R: Runtime>(rt: &R) {
    let (go, gone) = oneshot::channel::<()>();
    let mut handle = rt.spawn(async { gone.await.unwrap() });
    let waker = Waker::from(Arc::new(Panics));
    let polled = Future::poll(pin!(&mut handle), &mut Context::from_waker(&waker));
    assert!(matches!(polled, Poll::Pending));
    go.send(()).unwrap();
    while !handle.is_finished() {
        thread::sleep(ms(1));
    }
    rt.block_on(handle).unwrap();
    assert_eq!(rt.block_on(rt.spawn(async { 7 })).unwrap(), 7);
}

/// The same in a process that is expected to abort: it waits, so that it does not exit normally before the abort.
fn wake_and_wait_for_the_abort<R: Runtime>(rt: &R) {
    wake_a_panicking_waker(rt);
    thread::sleep(Duration::from_secs(30));
}

#[test]
fn panicking_waker_aborts_on_async_task() {
    const INSIDE: &str = "ANYRT_TEST_PANICKING_WAKER";
    // The process may abort, so the test runs itself again in a process of its own.
    match std::env::var(INSIDE).as_deref() {
        Ok("tokio") => return wake_a_panicking_waker(&Tokio::new().unwrap()),
        Ok("smol") => return wake_and_wait_for_the_abort(&Smol::with_threads(1).unwrap()),
        Ok("async-std") => return wake_and_wait_for_the_abort(&AsyncStd::global()),
        _ => {}
    }
    let survives = |runtime| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "panicking_waker_aborts_on_async_task"])
            .env(INSIDE, runtime)
            .output()
            .unwrap()
            .status
            .success()
    };
    assert!(survives("tokio"));
    assert!(!survives("smol"));
    assert!(!survives("async-std"));
}

/// Its destructor panics with a payload that panics again when it is dropped, this many times.
struct PanicsOnDrop(u32);

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        match self.0 {
            0 => panic!("a destructor panics"),
            times => std::panic::panic_any(Self(times - 1)),
        }
    }
}

/// A future whose output is another future with a panicking destructor.
struct Ready(#[allow(dead_code, reason = "it is there to be dropped")] PanicsOnDrop);

impl Future for Ready {
    type Output = PanicsOnDrop;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<PanicsOnDrop> {
        Poll::Ready(PanicsOnDrop(0))
    }
}

fn future_and_output_panic<R: Runtime>(rt: &R) {
    let error = rt.block_on(rt.spawn(Ready(PanicsOnDrop(0)))).map(std::mem::forget).unwrap_err();
    assert_eq!(error.into_panic().downcast_ref(), Some(&"a destructor panics"));
}

fn payload_of_an_output_panics<R: Runtime>(rt: &R) {
    drop(rt.spawn(async { PanicsOnDrop(1) }));
    rt.block_on(rt.sleep(ms(100)));
    assert_eq!(rt.block_on(rt.spawn(async { 7 })).unwrap(), 7);
}

fn payload_in_a_dropped_handle_panics<R: Runtime>(rt: &R) {
    let handle = rt.spawn(async { PanicsOnDrop(1) });
    while !handle.is_finished() {
        thread::sleep(ms(1));
    }
    drop(handle);
}

/// Runs one case, by its number, in a process that may abort.
fn destructors_panic<R: Runtime>(rt: &R, case: &str, aborts: bool) {
    match case {
        "0" => future_and_output_panic(rt),
        "1" => payload_of_an_output_panics(rt),
        _ => payload_in_a_dropped_handle_panics(rt),
    }
    if aborts {
        // Without this sleep the process could exit normally before the abort.
        thread::sleep(Duration::from_secs(30));
    }
}

#[test]
fn destructors_that_panic_twice_on_tokio() {
    const INSIDE: &str = "ANYRT_TEST_DESTRUCTORS";
    // The process may abort, so the test runs itself again in a process of its own.
    if let Ok(inside) = std::env::var(INSIDE) {
        let (runtime, case) = inside.split_once(' ').unwrap();
        return match runtime {
            "tokio" => destructors_panic(&Tokio::new().unwrap(), case, case != "2"),
            "smol" => destructors_panic(&Smol::with_threads(1).unwrap(), case, false),
            _ => destructors_panic(&AsyncStd::global(), case, false),
        };
    }
    let survives = |runtime, case| {
        let mut test = Command::new(std::env::current_exe().unwrap());
        test.args(["--exact", "destructors_that_panic_twice_on_tokio"])
            .env(INSIDE, format!("{runtime} {case}"));
        let output = test.output().unwrap();
        output.status.success() && String::from_utf8_lossy(&output.stdout).contains("1 passed")
    };
    for case in 0..=2 {
        assert!(!survives("tokio", case), "{case}");
        assert!(survives("smol", case), "{case}");
        assert!(survives("async-std", case), "{case}");
    }
}

/// Polls a timer with a waker that panics, and waits until the waker is called.
fn wake_where_a_timer_fires<R: Runtime>(rt: &R) {
    let waker = Waker::from(Arc::new(Panics));
    rt.block_on(async {
        let mut sleep = pin!(rt.sleep(ms(20)));
        assert!(sleep.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        rt.sleep(ms(100)).await;
    });
}

/// The same with a socket.
fn wake_where_a_socket_is_ready<R: Runtime>(rt: &R) {
    let waker = Waker::from(Arc::new(Panics));
    rt.block_on(async {
        let socket = rt.udp_bind("127.0.0.1:0").await.unwrap();
        assert!(socket.poll_recv(&mut Context::from_waker(&waker), &mut [0; 8]).is_pending());
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        sender.send_to(b"x", socket.local_addr().unwrap()).unwrap();
        rt.sleep(ms(100)).await;
    });
}

fn wakes_are_contained<R: Runtime>(rt: &R) {
    wake_where_a_timer_fires(rt);
    wake_where_a_socket_is_ready(rt);
    assert_eq!(rt.block_on(rt.spawn(async { 7 })).unwrap(), 7);
}

/// The panic leaves `block_on`, and the runtime has lost its driver.
fn wake_comes_out_of_block_on(wake: fn(&Tokio)) {
    let rt = tokio_current_thread();
    let came_out = catch_unwind(AssertUnwindSafe(|| wake(&rt))).unwrap_err();
    assert_eq!(came_out.downcast_ref(), Some(&"a waker panics"));
    let again = catch_unwind(AssertUnwindSafe(|| rt.block_on(rt.sleep(ms(1))))).unwrap_err();
    assert_eq!(again.downcast_ref(), Some(&"driver missing".to_owned()));
}

#[test]
fn panicking_waker_of_a_timer_or_a_socket() {
    const INSIDE: &str = "ANYRT_TEST_PANICKING_WAKER";
    // The process may abort, so the test runs itself again in a process of its own.
    match std::env::var(INSIDE).as_deref() {
        Ok("multi-thread") => {
            wake_where_a_timer_fires(&Tokio::new().unwrap());
            // Without this sleep the process could exit normally before the abort.
            return thread::sleep(Duration::from_secs(30));
        }
        Ok("current-thread") => {
            wake_comes_out_of_block_on(wake_where_a_timer_fires);
            return wake_comes_out_of_block_on(wake_where_a_socket_is_ready);
        }
        Ok("smol") => return wakes_are_contained(&Smol::with_threads(1).unwrap()),
        Ok("async-std") => return wakes_are_contained(&AsyncStd::global()),
        _ => {}
    }
    let survives = |runtime| {
        let mut test = Command::new(std::env::current_exe().unwrap());
        test.args(["--exact", "panicking_waker_of_a_timer_or_a_socket"]).env(INSIDE, runtime);
        let output = test.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success() && text.contains("1 passed")
    };
    assert!(!survives("multi-thread"));
    assert!(survives("current-thread"));
    assert!(survives("smol"));
    assert!(survives("async-std"));
}

/// A waker that reports the current runtime when it is called.
struct Looks(mpsc::Sender<Result<AnyRuntime, NoRuntime>>);

impl Wake for Looks {
    fn wake(self: Arc<Self>) {
        self.0.send(AnyRuntime::try_current()).unwrap();
    }
}

fn found_in_a_waker_of_a_timer<R: Runtime>(rt: &R) -> Result<AnyRuntime, NoRuntime> {
    let (found, founds) = mpsc::channel();
    let waker = Waker::from(Arc::new(Looks(found)));
    let mut sleep = pin!(rt.sleep(ms(20)));
    assert!(sleep.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    founds.recv().unwrap()
}

#[test]
fn waker_of_a_timer_finds_its_runtime_on_tokio_only() {
    const INSIDE: &str = "ANYRT_TEST_WAKER_OF_A_TIMER";
    // Runs itself again in a process of its own: a `block_on` of another test could drive the reactor of this process.
    match std::env::var(INSIDE).as_deref() {
        Ok("smol") => return assert!(found_in_a_waker_of_a_timer(&Smol::global()).is_err()),
        Ok("async-std") => return assert!(found_in_a_waker_of_a_timer(&AsyncStd::global()).is_err()),
        _ => {}
    }
    for runtime in ["smol", "async-std"] {
        let mut inside = Command::new(std::env::current_exe().unwrap());
        inside.args(["--exact", "waker_of_a_timer_finds_its_runtime_on_tokio_only"]).env(INSIDE, runtime);
        let output = inside.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{runtime}: {text}");
    }
    let tokio = Tokio::new().unwrap();
    assert_eq!(found_in_a_waker_of_a_timer(&tokio), Ok(tokio.into()));
}

/// Whether a future that has completed panics when it is polled again.
fn second_poll_panics(future: impl Future<Output = ()>) -> bool {
    let mut future = pin!(future);
    let mut poll = || future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    while poll().is_pending() {}
    catch_unwind(AssertUnwindSafe(poll)).is_err()
}

#[test]
fn second_poll_of_yield_now() {
    let tokio = Tokio::new().unwrap();
    assert!(second_poll_panics(tokio.yield_now()));
    assert!(!second_poll_panics(Smol::global().yield_now()));
    assert!(!second_poll_panics(AsyncStd::global().yield_now()));
    for any in [tokio.into(), Smol::global().into(), AsyncStd::global().into()] {
        let any: AnyRuntime = any;
        assert!(second_poll_panics(any.yield_now()));
    }
}

/// Whether creating a runtime fails, or its first timer panics, in a process that has no descriptors left.
#[cfg(unix)]
#[test]
fn reactor_fails_without_descriptors() {
    const INSIDE: &str = "ANYRT_TEST_NO_DESCRIPTORS";
    match std::env::var(INSIDE).as_deref() {
        Ok("tokio") => return assert!(Tokio::new().is_err()),
        Ok(_) => {
            let rt = Smol::with_threads(1).unwrap();
            return assert!(thread::spawn(move || rt.block_on(rt.sleep(ms(1)))).join().is_err());
        }
        Err(_) => {}
    }
    for runtime in ["tokio", "smol"] {
        let test = std::env::current_exe().unwrap();
        let mut inside = Command::new("sh");
        inside.args(["-c", "ulimit -n 4; exec \"$0\" --exact reactor_fails_without_descriptors"]).arg(&test);
        let output = inside.env(INSIDE, runtime).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{runtime}: {text}");
    }
}

/// Reports its drop; if it has a receiver, it waits there for ever first.
struct Says(Option<mpsc::Receiver<()>>);

impl Drop for Says {
    fn drop(&mut self) {
        if let Some(never) = self.0.take() {
            let _ = never.recv();
        }
        let _ = writeln!(std::io::stderr(), "it was dropped");
    }
}

/// Ends the process like the end of `main`, while the last handle belongs to a runtime with a waiting task.
fn end_of_main<R: Runtime>(rt: R, is_stuck: bool) -> ! {
    let (sender, never) = mpsc::channel();
    let says = Says(is_stuck.then_some(never));
    let (waits, is_waiting) = oneshot::channel();
    drop(rt.spawn(async move {
        let _says = says;
        waits.send(()).unwrap();
        pending::<()>().await
    }));
    rt.block_on(is_waiting).unwrap();
    drop(rt);
    let _sender = sender;
    std::process::exit(0)
}

#[test]
fn end_of_main_waits_for_no_destructor() {
    const INSIDE: &str = "ANYRT_TEST_END_OF_MAIN";
    match std::env::var(INSIDE).as_deref() {
        Ok("tokio, one thread") => end_of_main(tokio_current_thread(), false),
        Ok("tokio") => end_of_main(Tokio::new().unwrap(), true),
        Ok("owned smol") => end_of_main(Smol::with_threads(1).unwrap(), true),
        Ok("smol") => end_of_main(Smol::global(), false),
        Ok(_) => end_of_main(AsyncStd::global(), false),
        Err(_) => {}
    }
    let drops = |runtime| {
        let mut inside = Command::new(std::env::current_exe().unwrap());
        inside.args(["--exact", "end_of_main_waits_for_no_destructor"]).env(INSIDE, runtime);
        let output = inside.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{runtime}: {text}");
        text.contains("it was dropped")
    };
    // There, dropping the runtime drops the task.
    assert!(drops("tokio, one thread"));
    // A stuck destructor does not keep the process alive, and destructors of tasks on global executors are not run.
    assert!(!["tokio", "owned smol", "smol", "async-std"].map(drops).contains(&true));
}

/// Whether `block_on` works in the destructor of a thread-local that outlives those of the runtime, as `atexit` does,
/// on a thread that has been in `block_on` before or has not.
fn blocks_without_thread_locals<R: Runtime>(rt: &R, before: bool) -> bool {
    struct Last(Option<Box<dyn FnOnce()>>);

    impl Drop for Last {
        fn drop(&mut self) {
            self.0.take().into_iter().for_each(|last| last());
        }
    }

    thread_local! {
        static LAST: RefCell<Last> = const { RefCell::new(Last(None)) };
    }

    let (sender, works) = mpsc::channel();
    let there = rt.clone();
    let thread = thread::spawn(move || {
        let late = there.clone();
        // The thread-local that is initialized first is destroyed last.
        LAST.with_borrow_mut(|last| {
            last.0 = Some(Box::new(move || {
                let block_on = AssertUnwindSafe(|| late.block_on(async { 7 }));
                sender.send(catch_unwind(block_on).is_ok()).unwrap();
            }));
        });
        if before {
            there.block_on(async {});
        }
    });
    thread.join().unwrap();
    works.recv().unwrap()
}

#[test]
fn block_on_without_thread_locals() {
    for before in [false, true] {
        assert!(blocks_without_thread_locals(&Tokio::new().unwrap(), before));
        assert!(blocks_without_thread_locals(&tokio_current_thread(), before));
        assert!(blocks_without_thread_locals(&Smol::with_threads(1).unwrap(), before));
        assert!(blocks_without_thread_locals(&AsyncStd::global(), before));
    }
}

#[test]
fn sleep_after_its_runtime() {
    let sleep_after = |sleep: Pin<Box<dyn Future<Output = ()> + Send>>| {
        thread::spawn(|| futures::executor::block_on(sleep)).join()
    };
    let rt = Tokio::new().unwrap();
    // Not due before its first poll, however slow the machine is: then it would be ready.
    let sleep = Box::pin(rt.sleep(Duration::from_secs(3600)));
    stop(rt);
    assert!(sleep_after(sleep).is_err(), "tokio's panics");
    let rt = Smol::with_threads(1).unwrap();
    let sleep = Box::pin(rt.sleep(ms(10)));
    drop(rt);
    assert!(sleep_after(sleep).is_ok(), "async-io's goes on");
}

/// Drops the last handle to a runtime and waits until it has stopped.
fn stop(rt: Tokio) {
    let (alive, stopped) = oneshot::channel::<()>();
    let task = rt.spawn(async move {
        let _alive = alive;
        pending::<()>().await
    });
    drop(rt);
    assert!(futures::executor::block_on(task).unwrap_err().is_runtime_gone());
    assert!(futures::executor::block_on(stopped).is_err());
}

#[test]
fn stream_after_its_runtime() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();

    let rt = Tokio::new().unwrap();
    let mut stream = rt.block_on(rt.tcp_connect(addr)).unwrap();
    let peer = listener.accept().unwrap().0;
    stop(rt);
    let error = futures::executor::block_on(stream.read(&mut [0; 8])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other);
    drop(peer);

    let rt = Smol::with_threads(1).unwrap();
    let mut stream = rt.block_on(rt.tcp_connect(addr)).unwrap();
    let peer = listener.accept().unwrap().0;
    drop((rt, peer));
    assert_eq!(futures::executor::block_on(stream.read(&mut [0; 8])).unwrap(), 0);
}

/// The results of every operation after the runtime is gone: with a socket that was created before, and of creating
/// another one.
fn after_its_runtime<R: Runtime>(rt: R) -> Vec<(&'static str, std::io::Result<()>)> {
    let theirs = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = theirs.local_addr().unwrap();
    let mut stream = rt.block_on(rt.tcp_connect(addr)).unwrap();
    let (peer, listener) = (theirs.accept().unwrap().0, rt.block_on(rt.tcp_bind("127.0.0.1:0")).unwrap());
    let socket = rt.block_on(rt.udp_bind("127.0.0.1:0")).unwrap();
    let other = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(other.local_addr().unwrap()).unwrap();
    let mut clients = [(); 2].map(|()| TcpStream::connect(listener.local_addr().unwrap()).unwrap());
    for _ in 0..3 {
        other.send_to(b"x", socket.local_addr().unwrap()).unwrap();
    }
    clients[0].write_all(b"x").unwrap();
    (&peer).write_all(b"x").unwrap();
    assert!(rt.shutdown_timeout(Duration::from_secs(30)).unwrap().is_empty());
    futures::executor::block_on(async {
        let mut buf = [0; 8];
        vec![
            ("peek", stream.peek(&mut buf).await.map(drop)),
            ("read", stream.read(&mut buf).await.map(drop)),
            ("write", stream.write(b"x").await.map(drop)),
            ("accept", listener.accept().await.map(drop)),
            ("poll_accept", poll_fn(|cx| listener.poll_accept(cx)).await.map(drop)),
            ("recv", socket.recv(&mut buf).await.map(drop)),
            ("peek_from", socket.peek_from(&mut buf).await.map(drop)),
            ("poll_recv_from", poll_fn(|cx| socket.poll_recv_from(cx, &mut buf)).await.map(drop)),
            ("send", socket.send(b"x").await.map(drop)),
            ("poll_send", poll_fn(|cx| socket.poll_send(cx, b"x")).await.map(drop)),
            ("tcp_connect", rt.tcp_connect(addr).await.map(drop)),
            ("tcp_bind", rt.tcp_bind("127.0.0.1:0").await.map(drop)),
            ("udp_bind", rt.udp_bind("127.0.0.1:0").await.map(drop)),
        ]
    })
}

#[test]
fn sockets_after_their_runtime() {
    for (what, result) in after_its_runtime(Tokio::builder().worker_threads(2).build().unwrap()) {
        let error = result.expect_err(what);
        assert_eq!(error.kind(), ErrorKind::Other, "{what}: {error}");
        // The source of an error with an address is tokio's own error.
        let source = error.source().and_then(|source| source.downcast_ref());
        assert!(tokio::runtime::is_rt_shutdown_err(source.unwrap_or(&error)), "{what}: {error}");
    }
    for (what, result) in after_its_runtime(Smol::with_threads(2).unwrap()) {
        result.expect(what);
    }
}

/// Whether a pending read completes after its runtime was stopped while a task was stuck in its poll.
fn read_ends_beside_a_stuck_worker<R: Runtime>(rt: R) -> bool {
    let theirs = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut stream = rt.block_on(rt.tcp_connect(theirs.local_addr().unwrap())).unwrap();
    let mut peer = theirs.accept().unwrap().0;
    let (release, released) = mpsc::channel::<()>();
    let (stuck, is_stuck) = oneshot::channel();
    drop(rt.spawn(async move {
        stuck.send(()).unwrap();
        released.recv()
    }));
    rt.block_on(is_stuck).unwrap();
    let (ended, ends) = mpsc::channel();
    let reader = thread::spawn(move || {
        let result = futures::executor::block_on(stream.read(&mut [0; 8]));
        ended.send(()).unwrap();
        result
    });
    assert_eq!(rt.shutdown_timeout(ms(500)).unwrap().tasks, 1);
    peer.write_all(b"x").unwrap();
    let ends_beside_it = ends.recv_timeout(ms(1_000)).is_ok();
    release.send(()).unwrap();
    // The read must not hang for ever.
    let result = reader.join().unwrap();
    assert_eq!(result.is_ok(), ends_beside_it);
    ends_beside_it
}

#[test]
fn stuck_worker_keeps_a_read_of_tokio_waiting() {
    assert!(!read_ends_beside_a_stuck_worker(Tokio::builder().worker_threads(2).build().unwrap()));
    assert!(read_ends_beside_a_stuck_worker(Smol::with_threads(2).unwrap()));
}

#[test]
fn closures_of_tokio_itself_are_left_as_tasks() {
    let left = |rt: Tokio| {
        let handle = rt.block_on(async { tokio::runtime::Handle::current() });
        let closures = [(); 2].map(|()| {
            let (release, released) = mpsc::channel::<()>();
            let (runs, is_running) = mpsc::channel();
            drop(handle.spawn_blocking(move || {
                runs.send(()).unwrap();
                released.recv()
            }));
            is_running.recv().unwrap();
            release
        });
        let left = rt.shutdown_timeout(ms(1_000)).unwrap();
        closures.into_iter().for_each(|release| release.send(()).unwrap());
        (left.tasks, left.blocking)
    };
    assert_eq!(left(Tokio::new().unwrap()), (2, 0));
    assert_eq!(left(tokio::runtime::Runtime::new().unwrap().into()), (0, 1));
}

/// Whether a refusal by the peer's host wakes a `poll_` receive.
#[cfg(target_os = "linux")]
fn refusal_wakes_a_poll<R: Runtime>(rt: &R) -> bool {
    // Two other sockets are connected to each other, so they accept no datagrams from this one.
    let [closed, other] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
    closed.connect(other.local_addr().unwrap()).unwrap();
    rt.block_on(async {
        let ours = rt.udp_bind("127.0.0.1:0").await.unwrap();
        ours.connect(closed.local_addr().unwrap()).unwrap();
        // Lets tokio's driver report the socket: until then every poll tries the operation.
        rt.sleep(ms(20)).await;
        let mut buf = [0; 8];
        assert!(poll_fn(|cx| Poll::Ready(ours.poll_recv(cx, &mut buf))).await.is_pending());
        ours.send(b"is anybody there?").await.unwrap();
        let (woken, error) = match rt.timeout(ms(500), poll_fn(|cx| ours.poll_recv(cx, &mut buf))).await {
            Ok(polled) => (true, polled.unwrap_err()),
            // The error is reported to the next operation.
            Err(_) => (false, ours.recv(&mut [0; 8]).await.unwrap_err()),
        };
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        woken
    })
}

#[cfg(target_os = "linux")]
#[test]
fn refusal_wakes_no_poll_of_tokio() {
    assert!(!refusal_wakes_a_poll(&Tokio::new().unwrap()));
    assert!(refusal_wakes_a_poll(&Smol::global()));
    assert!(refusal_wakes_a_poll(&AsyncStd::global()));
}

/// Whether the first poll finds what has arrived in the meantime: a datagram, a connection, and the bytes of a stream
/// when it was registered.
fn first_poll_is_ready<R: Runtime>(rt: &R) -> [bool; 3] {
    rt.block_on(async {
        let [ours, peer] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
        let (seen, addr) = (ours.try_clone().unwrap(), ours.local_addr().unwrap());
        let ours = rt.udp_socket_from_std(ours).unwrap();
        peer.send_to(b"x", addr).unwrap();
        ours.recv(&mut [0; 8]).await.unwrap();
        // tokio has been told that the socket is registered and that nothing has arrived.
        assert!(rt.timeout(ms(20), ours.recv(&mut [0; 8])).await.is_err());
        peer.send_to(b"x", addr).unwrap();
        while seen.peek(&mut [0; 8]).is_err() {}
        let datagram = ours.recv(&mut [0; 8]).now_or_never().is_some();

        let listener = rt.tcp_bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let connection = listener.accept().now_or_never().is_some();

        let theirs = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(theirs.local_addr().unwrap()).unwrap();
        theirs.accept().unwrap().0.write_all(b"x").unwrap();
        stream.peek(&mut [0; 8]).unwrap();
        let mut stream = rt.tcp_stream_from_std(stream).unwrap();
        let read = stream.read(&mut [0; 8]).now_or_never().is_some();
        [datagram, connection, read]
    })
}

#[test]
fn first_poll_of_tokio_waits_for_its_driver() {
    // With a driver that has no thread of its own.
    assert_eq!(first_poll_is_ready(&tokio_current_thread()), [false; 3]);
    assert_eq!(first_poll_is_ready(&Smol::global()), [true; 3]);
    assert_eq!(first_poll_is_ready(&AsyncStd::global()), [true; 3]);
}

/// Whether a stream reads the bytes behind an urgent one, which a read does not cross.
#[cfg(target_os = "linux")]
fn reads_behind_an_urgent_byte<R: Runtime>(rt: &R) -> bool {
    rt.block_on(async {
        let listener = rt.tcp_bind("127.0.0.1:0").await.unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        // tokio has been told that the socket is registered and that nothing has arrived.
        assert!(rt.timeout(ms(20), stream.read(&mut [0; 8])).await.is_err());
        peer.write_all(b"ab").unwrap();
        socket2::SockRef::from(&peer).send_out_of_band(b"x").unwrap();
        peer.write_all(b"cd").unwrap();
        let mut buf = [0; 8];
        assert_eq!(stream.read(&mut buf).await.unwrap(), 2);
        let reads = rt.timeout(ms(200), stream.read(&mut buf)).await;
        if reads.is_err() {
            // They are not lost.
            peer.write_all(b"e").unwrap();
            assert_eq!(stream.read(&mut buf).await.unwrap(), 3);
        }
        reads.is_ok()
    })
}

#[test]
#[cfg(target_os = "linux")]
fn urgent_byte_keeps_a_read_of_tokio_waiting() {
    // Its driver tells of all three writes at once.
    assert!(!reads_behind_an_urgent_byte(&tokio_current_thread()));
    assert!(reads_behind_an_urgent_byte(&Smol::global()));
    assert!(reads_behind_an_urgent_byte(&AsyncStd::global()));
}

#[test]
fn handle_to_a_gone_tokio_says_so() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let rt = Tokio::from(runtime.handle().clone());
    drop(runtime);
    let error = futures::executor::block_on(rt.spawn(async { 7 })).unwrap_err();
    assert!(error.is_runtime_gone(), "{error}");
    let error = futures::executor::block_on(rt.spawn_blocking(|| 7)).unwrap_err();
    assert!(error.is_runtime_gone(), "{error}");
    let stream = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = stream.local_addr().unwrap();
    let error = futures::executor::block_on(rt.tcp_connect(addr)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other);
    let error = rt.tcp_stream_from_std(TcpStream::connect(addr).unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other);
    let error = rt.udp_socket_from_std(UdpSocket::bind("127.0.0.1:0").unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other);
}

#[test]
fn foreign_tasks_are_not_known_on_smol() {
    // tokio knows all of its tasks, whoever spawned them.
    let rt = Tokio::new().unwrap();
    let inner = rt.clone();
    let handle = rt.block_on(async { tokio::runtime::Handle::current() });
    let native = handle.spawn(async move { inner.block_on(async { 7 }) });
    let payload = rt.block_on(native).unwrap_err().into_panic();
    assert!(payload.downcast_ref::<&str>().is_some_and(|text| text.contains("`spawn_blocking`")));
    let native = smol::spawn(async { Smol::global().block_on(async { 7 }) });
    assert_eq!(smol::block_on(native), 7);
}

#[test]
fn async_std_does_not_know_our_tasks() {
    let rt = AsyncStd::global();
    let ours = rt.block_on(rt.spawn(async { async_std::task::try_current().is_some() })).unwrap();
    let theirs = rt.block_on(async_std::task::spawn(async { async_std::task::try_current().is_some() }));
    assert!(!ours && theirs);
}

#[test]
fn timers_and_clock_of_tokio_follow_a_paused_one() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let rt = Tokio::from(runtime);
    let wall = std::time::Instant::now();
    let start = rt.now();
    rt.block_on(rt.sleep(Duration::from_secs(3600)));
    assert!(rt.now() - start >= Duration::from_secs(3600));
    assert!(wall.elapsed() < Duration::from_secs(60));
}

#[test]
fn no_tokio_says_what_to_write() {
    assert!(Tokio::try_current().is_none());
    let payload = thread::spawn(|| drop(Tokio::current())).join().unwrap_err();
    let text = payload.downcast_ref::<&str>().copied().unwrap_or_default();
    assert!(text.contains("Tokio::new()?"), "{text}");
    let rt = Tokio::new().unwrap();
    rt.block_on(async { drop(Tokio::current()) });
}

/// The result of creating a socket in a destructor that runs when most thread-locals are destroyed.
fn socket_at_the_end_of_a_thread<R: Runtime>(rt: R) -> std::io::Result<()> {
    struct AtTheEnd<R: Runtime>(R, mpsc::Sender<std::io::Result<()>>);

    impl<R: Runtime> Drop for AtTheEnd<R> {
        fn drop(&mut self) {
            self.1.send(self.0.block_on(self.0.udp_bind("127.0.0.1:0")).map(drop)).unwrap();
        }
    }

    thread_local! {
        static LAST: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
    }

    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        // Initialized first, so it is destroyed last.
        LAST.set(Some(Box::new(AtTheEnd(rt.clone(), tell))));
        rt.block_on(rt.sleep(ms(1)));
    });
    told.recv().unwrap()
}

#[test]
fn socket_of_tokio_at_the_end_of_a_thread() {
    let error = socket_at_the_end_of_a_thread(Tokio::new().unwrap()).unwrap_err();
    assert!(
        error.kind() == ErrorKind::Other && error.to_string().contains("thread-locals are destroyed"),
        "{error}"
    );
    socket_at_the_end_of_a_thread(Smol::with_threads(1).unwrap()).unwrap();
    socket_at_the_end_of_a_thread(AsyncStd::global()).unwrap();
}

/// Whether a task completes that waits 300 times for a finished closure with the `block_on` of another crate.
fn foreign_block_on_in_a_task_ends<R: Runtime>(rt: &R, patience: Duration) -> bool {
    let (done, ended) = mpsc::channel();
    let there = rt.clone();
    drop(rt.spawn(async move {
        for _ in 0..300 {
            let closure = there.spawn_blocking(|| ());
            while !closure.is_finished() {
                thread::yield_now();
            }
            futures::executor::block_on(closure).unwrap();
        }
        done.send(()).unwrap();
    }));
    ended.recv_timeout(patience) != Err(mpsc::RecvTimeoutError::Timeout)
}

#[test]
fn foreign_block_on_in_a_task_stops_on_tokio() {
    assert!(foreign_block_on_in_a_task_ends(&Smol::with_threads(2).unwrap(), Duration::from_secs(60)));
    assert!(foreign_block_on_in_a_task_ends(&AsyncStd::global(), Duration::from_secs(60)));
    // tokio wakes a task that has spent its budget when its poll ends, and this poll never ends.
    assert!(!foreign_block_on_in_a_task_ends(&Tokio::new().unwrap(), Duration::from_secs(2)));
}
