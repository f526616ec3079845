//! The table "Which runtime is current" of `src/guide/differences.md`, row by row, and the error where no runtime is
//! current. It runs with every set of features. Tests with a default runtime are in `set_default.rs`, in a process of
//! their own.
#![allow(clippy::unwrap_used)]

use std::io::ErrorKind;
use std::thread;
use std::time::Duration;

use anyrt::net::{TcpListener, TcpStream, UdpSocket, lookup_host};
use anyrt::{AnyRuntime, time};
use futures::FutureExt;

/// Returns the message of a panic.
#[track_caller]
fn panic_text<T>(code: impl FnOnce() -> T + Send + 'static) -> String
where
    T: Send + 'static,
{
    let Err(payload) = thread::spawn(code).join() else { panic!("no panic") };
    payload
        .downcast_ref::<String>()
        .cloned()
        .unwrap_or_else(|| payload.downcast_ref::<&str>().unwrap().to_string())
}

const TOKIO: bool = cfg!(feature = "tokio");
const SMOL: bool = cfg!(feature = "smol");
const ASYNC_STD: bool = cfg!(feature = "async-std");
/// A simulation is never chosen by itself.
const SIM: bool = cfg!(feature = "sim");

/// Otherwise a program would run elsewhere, or not at all, once a dependency enables another feature.
#[test]
fn what_is_compiled_in_makes_nothing_current() {
    let nowhere = || AnyRuntime::try_current().is_err();
    assert!(nowhere());
    assert!(thread::spawn(nowhere).join().unwrap());
    assert!(futures::executor::block_on(async { nowhere() }));
    // The same in tasks of a runtime that anyrt does not know.
    #[cfg(feature = "smol")]
    assert!(smol::block_on(smol::spawn(async move { nowhere() })));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let task = runtime.block_on(async { tokio::spawn(async move { nowhere() }).await.unwrap() });
    assert_eq!(task, !TOKIO);
}

/// Code that asks tokio for its context, in the executor of another crate.
#[cfg(feature = "tokio")]
#[test]
fn within_is_in_the_context_of_tokio() {
    let runtime = AnyRuntime::from(anyrt::Tokio::new().unwrap());
    let told = || tokio::runtime::Handle::try_current().is_ok();
    let answer = runtime.within(async { (told(), tokio::spawn(async { 42 }).await.unwrap()) });
    assert_eq!(futures::executor::block_on(answer), (true, 42));
    assert!(!told());
}

/// On a thread that is in no runtime, with no default.
#[test]
fn error_says_what_is_compiled_in_and_what_to_write() {
    let line = line!() + 1;
    let error = AnyRuntime::try_current().unwrap_err();
    let text = error.to_string();
    let says = |word: &str| assert!(text.contains(word), "no {word:?} in {text:?}");
    if TOKIO {
        says("`anyrt::AnyRuntime::from(anyrt::Tokio::new()?).set_default()?;`");
    }
    if SMOL {
        says("`anyrt::AnyRuntime::from(anyrt::Smol::global()).set_default()?;`");
    }
    if ASYNC_STD {
        says("`anyrt::AnyRuntime::from(anyrt::AsyncStd::global()).set_default()?;`");
    }
    match (TOKIO, SMOL, ASYNC_STD) {
        (false, false, false) if SIM => says("only the simulation is compiled in"),
        (false, false, false) => {
            says("no runtime is compiled in");
            says("features = [\"tokio\"]");
            says("AnyRuntime::custom(my_runtime)");
        }
        (true, false, false) => says("tokio is compiled in. Call it inside `#[tokio::main]` or a task"),
        (false, true, false) => says("smol is compiled in. Call it inside a task of anyrt"),
        (false, false, true) => says("async-std is compiled in. Call it inside a task"),
        (true, true, false) => says("tokio and smol are compiled in, and anyrt does not guess"),
        (true, false, true) => says("tokio and async-std are compiled in, and anyrt does not guess"),
        (false, true, true) => says("smol and async-std are compiled in, and anyrt does not guess"),
        (true, true, true) => says("tokio, smol and async-std are compiled in, and anyrt does not guess"),
    }

    // The error names the call: a program that uses `?` would otherwise not know which call it was.
    let place = format!("anyrt, called at {}:{line}:17: ", file!());
    assert!(text.starts_with(&place), "{text}");

    // `unwrap` prints what can be copied, with no quote escaped.
    assert_eq!(format!("{error:?}"), text);

    // All functions return the same error.
    let second = Duration::from_secs(1);
    assert_eq!(anyrt::try_spawn(async {}).unwrap_err(), error);
    assert_eq!(anyrt::try_spawn_blocking(|| ()).unwrap_err(), error);
    assert_eq!(anyrt::try_block_on(async {}).unwrap_err(), error);
    assert_eq!(time::try_sleep(second).unwrap_err(), error);
    assert_eq!(time::try_sleep_until(std::time::Instant::now()).unwrap_err(), error);
    assert_eq!(time::try_timeout(second, async {}).unwrap_err(), error);
    assert_eq!(time::try_timeout_at(std::time::Instant::now(), async {}).unwrap_err(), error);
    assert_eq!(time::try_interval(second).unwrap_err(), error);
    let panics = [
        panic_text(AnyRuntime::current),
        panic_text(|| anyrt::spawn(async {})),
        panic_text(|| anyrt::spawn_blocking(|| ())),
        panic_text(|| anyrt::block_on(async {})),
        panic_text(|| drop(anyrt::yield_now())),
        panic_text(time::now),
        panic_text(|| time::sleep(Duration::from_secs(1))),
        panic_text(|| drop(time::timeout(Duration::from_secs(1), async {}))),
        panic_text(|| time::interval(Duration::from_secs(1))),
    ];
    let said = text.strip_prefix(&place).unwrap();
    for panic in panics {
        assert_eq!(panic, format!("anyrt: {said}"));
    }
    let io_errors = [
        TcpStream::connect("127.0.0.1:1").now_or_never().unwrap().unwrap_err(),
        TcpListener::bind("127.0.0.1:0").now_or_never().unwrap().unwrap_err(),
        TcpListener::from_std(std::net::TcpListener::bind("127.0.0.1:0").unwrap()).unwrap_err(),
        lookup_host("localhost:80").now_or_never().unwrap().unwrap_err(),
        UdpSocket::bind("127.0.0.1:0").now_or_never().unwrap().unwrap_err(),
    ];
    for error in io_errors {
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("anyrt, called at {}:", file!())) && text.ends_with(said),
            "{text}"
        );
    }
}

#[cfg(feature = "tokio")]
mod in_tokio {
    use std::sync::mpsc;

    use anyrt::{Spawn, Time, Tokio};
    use tokio::runtime::{Builder, Runtime};

    use super::*;

    fn current_thread() -> Runtime {
        Builder::new_current_thread().enable_all().build().unwrap()
    }

    fn any(runtime: &Runtime) -> AnyRuntime {
        Tokio::from(runtime.handle().clone()).into()
    }

    #[test]
    fn tokio_context_is_found() {
        let runtime = Runtime::new().unwrap();
        // In `block_on`, in tasks, in tokio's own blocking closures, and under a guard of its handle.
        let found = runtime.block_on(async {
            let here = AnyRuntime::current();
            let task = tokio::spawn(async { AnyRuntime::current() }).await.unwrap();
            let blocking = tokio::task::spawn_blocking(AnyRuntime::current).await.unwrap();
            [here, task, blocking]
        });
        assert_eq!(found, [any(&runtime), any(&runtime), any(&runtime)]);
        let _context = runtime.enter();
        assert_eq!(AnyRuntime::current(), any(&runtime));
    }

    /// rustc passes no caller to an `async fn`.
    #[test]
    fn error_in_an_async_fn_names_no_place() {
        let socket = current_thread().block_on(async { UdpSocket::bind("127.0.0.1:0").await }).unwrap();
        let error = socket.send_to(b"x", "localhost:80").now_or_never().unwrap().unwrap_err().to_string();
        assert!(error.starts_with("this thread is in no runtime"), "{error}");
    }

    #[test]
    fn guard_beats_a_tokio_context() {
        let (outer, inner) = (current_thread(), Tokio::new().unwrap());
        let inner = AnyRuntime::from(inner);
        outer.block_on(async {
            let _guard = inner.enter();
            assert_eq!(AnyRuntime::current(), inner);
        });
        // But not in a task of tokio that is polled under the guard: the task is further in.
        let _guard = inner.enter();
        let found = outer.block_on(async { tokio::spawn(async { AnyRuntime::current() }).await.unwrap() });
        assert_eq!(found, any(&outer));
        assert_eq!(AnyRuntime::current(), inner);
    }

    #[test]
    fn two_runtimes_of_tokio_are_told_apart() {
        let (one, two) = (Tokio::new().unwrap(), Tokio::new().unwrap());
        let there = two.clone();
        let found = anyrt::BlockOn::block_on(&one, async move {
            let nested = there.spawn(async { AnyRuntime::current() }).await.unwrap();
            (AnyRuntime::current(), nested)
        });
        assert_eq!(found, (one.clone().into(), two.clone().into()));
        assert_ne!(AnyRuntime::from(one), AnyRuntime::from(two));
    }

    #[test]
    fn tokio_without_drivers_says_which_to_enable() {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            // Tasks need no driver.
            assert_eq!(anyrt::spawn(async { 7 }).await.unwrap(), 7);
            let off = time::try_sleep(Duration::ZERO).unwrap_err().to_string();
            assert!(off.contains("without timers") && off.contains("`.enable_time()`"), "{off}");
            let panic = std::panic::catch_unwind(|| time::sleep(Duration::ZERO)).unwrap_err();
            let (_, said) = off.split_once(": ").unwrap();
            assert_eq!(*panic.downcast_ref::<String>().unwrap(), format!("anyrt: {said}"));
            let errors = [
                TcpListener::bind("127.0.0.1:0").await.unwrap_err(),
                anyrt::Net::tcp_connect(&AnyRuntime::current(), "127.0.0.1:1").await.unwrap_err(),
            ];
            for error in errors {
                assert_eq!(error.kind(), ErrorKind::Unsupported);
                let text = error.to_string();
                assert!(text.contains("without IO") && text.contains("`.enable_io()`"), "{text}");
            }
        });
    }

    /// Of what a free function panics with.
    fn panic_of(run: impl FnOnce() + std::panic::UnwindSafe) -> String {
        *std::panic::catch_unwind(run).unwrap_err().downcast::<String>().unwrap()
    }

    /// A free sleep asks a thread whether it was in a runtime with timers last, and tries tokio's then.
    fn sleep_in_a_task_with_timers() {
        let timers = Builder::new_current_thread().enable_time().build().unwrap();
        for _ in 0..2 {
            let slept = timers.spawn(async { time::sleep(Duration::from_millis(1)).await });
            timers.block_on(slept).unwrap();
        }
    }

    #[test]
    fn task_of_tokio_without_timers_is_told_so() {
        sleep_in_a_task_with_timers();
        let runtime = Builder::new_current_thread().build().unwrap();
        let told = runtime.spawn(async {
            for _ in 0..2 {
                let panic = panic_of(|| drop(time::sleep(Duration::ZERO)));
                assert!(panic.starts_with("anyrt: ") && panic.contains("`.enable_time()`"), "{panic}");
            }
        });
        runtime.block_on(told).unwrap();
        sleep_in_a_task_with_timers();
    }

    #[test]
    fn local_task_of_tokio_outside_of_a_runtime_is_in_no_runtime() {
        sleep_in_a_task_with_timers();
        let tasks = tokio::task::LocalSet::new();
        let task = tasks.spawn_local(async {
            assert!(tokio::task::try_id().is_some());
            for _ in 0..2 {
                assert!(anyrt::try_spawn(async {}).is_err());
                let panics = [
                    panic_of(|| drop(anyrt::spawn(async {}))),
                    panic_of(|| drop(time::sleep(Duration::ZERO))),
                ];
                for panic in panics {
                    assert!(panic.starts_with("anyrt: this thread is in no runtime"), "{panic}");
                }
            }
        });
        futures::executor::block_on(tasks);
        assert!(task.is_finished());
        futures::executor::block_on(task).unwrap();
    }

    #[test]
    fn sleep_in_an_entered_context_of_tokio_is_of_that_runtime() {
        sleep_in_a_task_with_timers();
        let timers = || Builder::new_current_thread().enable_time().build().unwrap();
        let (around, paused) =
            (timers(), Builder::new_current_thread().enable_time().start_paused(true).build().unwrap());
        let paused = std::sync::Arc::new(paused);
        let entered = paused.clone();
        let task = around.spawn(async move {
            let _context = entered.enter();
            Some(time::sleep(Duration::from_secs(3600)))
        });
        let sleep = around.block_on(task).unwrap().unwrap();
        // Where the clock is paused, an hour goes by at once.
        paused.block_on(sleep);
    }

    #[test]
    fn tokio_with_one_driver_has_that_one() {
        let timers = Builder::new_current_thread().enable_time().build().unwrap();
        timers.block_on(async {
            time::sleep(Duration::ZERO).await;
            assert!(TcpListener::bind("127.0.0.1:0").await.is_err());
        });
        let io = Builder::new_current_thread().enable_io().build().unwrap();
        io.block_on(async {
            assert!(time::try_sleep(Duration::ZERO).is_err());
            TcpListener::bind("127.0.0.1:0").await.unwrap();
        });
    }

    #[test]
    fn native_types_go_in_and_come_out() {
        let runtime = Tokio::new().unwrap();
        let any = AnyRuntime::from(runtime.clone());
        assert_eq!(Tokio::try_from(any.clone()).unwrap(), runtime);
        assert_eq!(AnyRuntime::custom(runtime.clone()), any, "generic code need not know which it is");
        assert_eq!(AnyRuntime::custom(any.clone()), any);
        anyrt::BlockOn::block_on(&any, async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let native = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let addr = native.local_addr().unwrap();
            let stream = TcpStream::from(native);
            assert_eq!(stream.local_addr().unwrap(), addr);
            let native = tokio::net::TcpStream::try_from(stream).unwrap();
            assert_eq!(native.local_addr().unwrap(), addr);
            assert!(tokio::net::TcpListener::try_from(listener).is_ok());
        });
    }

    /// A timer uses the paused clock of the runtime on which it was created.
    #[test]
    fn latched_runtime_has_its_own_clock() {
        let paused = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let latched = paused.block_on(async { AnyRuntime::current() });
        let start = latched.now();
        paused.block_on(async { time::sleep(Duration::from_secs(3600)).await });
        assert!(latched.now() - start >= Duration::from_secs(3600));
    }

    #[test]
    fn thread_that_ends_is_in_no_trouble() {
        struct AtTheEnd(AnyRuntime, mpsc::Sender<bool>);

        impl Drop for AtTheEnd {
            fn drop(&mut self) {
                let before = AnyRuntime::try_current().is_err();
                // The guards are gone, so no runtime is current.
                let guard = self.0.enter();
                let under_a_guard = AnyRuntime::try_current().is_err();
                drop(guard);
                let _ = self.1.send(before && under_a_guard && AnyRuntime::try_current().is_err());
            }
        }

        thread_local! {
            static LAST: std::cell::RefCell<Option<AtTheEnd>> = const { std::cell::RefCell::new(None) };
        }
        let (found, founds) = mpsc::channel();
        thread::spawn(move || {
            let runtime = AnyRuntime::from(Tokio::new().unwrap());
            LAST.set(Some(AtTheEnd(runtime.clone(), found)));
            drop(runtime.enter());
        })
        .join()
        .unwrap();
        assert!(founds.recv().unwrap());
    }
}

#[cfg(feature = "async-std")]
#[test]
fn async_std_task_is_found() {
    let me = AnyRuntime::from(anyrt::AsyncStd::global());
    let found = async_std::task::block_on(async {
        (AnyRuntime::current(), async_std::task::spawn(async { AnyRuntime::current() }).await)
    });
    assert_eq!(found, (me.clone(), me));
}

/// ksni#27 and zbus#1824: a program on one runtime, an object on another, and a feature that another dependency has
/// enabled.
#[cfg(all(feature = "tokio", feature = "smol"))]
mod across {
    use anyrt::{BlockOn, Net, Smol, Spawn, Time, Tokio};
    use futures::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// It keeps the runtime on which it was created.
    struct Service {
        runtime: AnyRuntime,
        listener: TcpListener,
        interval: time::Interval,
    }

    impl Service {
        async fn new() -> Self {
            let mut interval = time::interval(Duration::from_millis(2));
            interval.tick().await;
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            Self { runtime: AnyRuntime::current(), listener, interval }
        }

        /// Returns the names of the threads on which its parts ran.
        async fn work(mut self) -> [String; 2] {
            let name = || thread::current().name().unwrap_or_default().to_owned();
            self.interval.tick().await;
            let waits = self.runtime.timeout(Duration::from_millis(2), std::future::pending::<()>());
            assert!(waits.await.is_err());
            let client = self.runtime.tcp_connect(self.listener.local_addr().unwrap());
            let (client, server) = futures::future::join(client, self.listener.accept()).await;
            client.unwrap().write_all(b"across").await.unwrap();
            server.unwrap().0.read_exact(&mut [0; 6]).await.unwrap();
            let task = self.runtime.spawn(async move {
                // The same for a task that is spawned without a handle.
                anyrt::spawn(async move { name() }).await.unwrap()
            });
            let blocking = self.runtime.spawn_blocking(move || {
                anyrt::block_on(async { anyrt::spawn(async move { name() }).await.unwrap() })
            });
            [task.await.unwrap(), blocking.await.unwrap()]
        }
    }

    #[test]
    fn object_of_smol_in_a_task_of_tokio() {
        let (smol, tokio) = (Smol::with_threads(1).unwrap(), Tokio::new().unwrap());
        let service = smol.block_on(Service::new());
        let threads = tokio.block_on(tokio.spawn(service.work())).unwrap();
        assert_eq!(threads, ["anyrt-smol-1", "anyrt-smol-1"]);
    }

    #[test]
    fn object_of_tokio_in_a_task_of_smol() {
        let smol = Smol::with_threads(1).unwrap();
        let tokio =
            tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("tokios").build().unwrap();
        let service = tokio.block_on(Service::new());
        let threads = smol.block_on(smol.spawn(service.work())).unwrap();
        assert_eq!(threads, ["tokios", "tokios"]);
        // anyrt does not know smol's own tasks, and they do not change which runtime is current.
        let service = tokio.block_on(Service::new());
        assert_eq!(smol::block_on(smol::spawn(service.work())), ["tokios", "tokios"]);
    }
}

/// Guards and `block_on`s, nested in any order, compared with a list whose last entry is the current runtime.
#[cfg(all(feature = "tokio", feature = "smol"))]
mod in_any_order {
    use anyrt::{EnterGuard, Smol, Tokio};

    use super::*;

    struct Thread<'a> {
        runtimes: &'a [AnyRuntime],
        random: fastrand::Rng,
        /// A number for each active guard and `block_on`, and its runtime.
        entered: Vec<(usize, usize)>,
        guards: Vec<(usize, EnterGuard<'a>)>,
        log: String,
    }

    impl<'a> Thread<'a> {
        fn enter(&mut self) -> (usize, &'a AnyRuntime) {
            let (number, runtime) = (self.log.len(), self.random.usize(0..self.runtimes.len()));
            self.entered.push((number, runtime));
            self.log += &format!(" +{number} of {runtime}");
            (number, &self.runtimes[runtime])
        }

        fn leave(&mut self, number: usize) {
            self.entered.retain(|entered| entered.0 != number);
            self.log += &format!(" -{number}");
            self.check();
        }

        #[track_caller]
        fn check(&self) {
            let expected = self.entered.last().map(|&(_, runtime)| self.runtimes[runtime].clone());
            assert_eq!(AnyRuntime::try_current().ok(), expected, "{}", self.log);
        }

        fn guards(&mut self) {
            for _ in 0..self.random.usize(0..8) {
                if self.guards.is_empty() || self.random.bool() {
                    let (number, runtime) = self.enter();
                    self.guards.push((number, runtime.enter()));
                    self.check();
                } else {
                    let (number, guard) = self.guards.swap_remove(self.random.usize(0..self.guards.len()));
                    drop(guard);
                    self.leave(number);
                }
            }
        }
    }

    #[test]
    fn guards_and_block_ons_nest_in_any_order() {
        let smol = || AnyRuntime::from(Smol::with_threads(1).unwrap());
        let runtimes = [Tokio::new().unwrap().into(), smol(), smol(), Smol::global().into()];
        for seed in 0..2_000 {
            let random = fastrand::Rng::with_seed(seed);
            let (entered, guards, log) = (Vec::new(), Vec::new(), format!("seed {seed}:"));
            let mut thread = Thread { runtimes: &runtimes, random, entered, guards, log };
            for _ in 0..3 {
                thread.guards();
                let (number, runtime) = thread.enter();
                runtime.block_on(async {
                    thread.check();
                    thread.guards();
                });
                thread.leave(number);
            }
            while let Some((number, guard)) = thread.guards.pop() {
                drop(guard);
                thread.leave(number);
            }
        }
    }
}
