//! User code that a simulation runs outside of tasks: wakers, destructors, and foreign `block_on`s in blocking
//! closures.
#![allow(clippy::unwrap_used)]

use std::any::Any;
use std::cell::RefCell;
use std::future::Future;
use std::panic::catch_unwind;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use anyrt::runtime::{TcpListener, UdpSocket};
use anyrt::task::JoinSet;
use anyrt::{AnyRuntime, BlockOn, Net, Sim, Spawn, Time, sim};
use futures::future::{FutureExt, join};
use futures::io::{AsyncReadExt, AsyncWriteExt};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A waker that calls the simulation in all of its functions, and panics when it is woken and when it is dropped.
struct Panics {
    sim: Sim,
    woken: Arc<AtomicU32>,
    dropped: Arc<AtomicU32>,
}

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        let _ = self.sim.elapsed();
        self.woken.fetch_add(1, Ordering::Relaxed);
        panic!("a waker");
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        let _ = self.sim.elapsed();
        self.dropped.fetch_add(1, Ordering::Relaxed);
        if !thread::panicking() {
            panic!("the destructor of a waker");
        }
    }
}

/// Creates such wakers, and counts them.
struct Wakers {
    sim: Sim,
    woken: Arc<AtomicU32>,
    dropped: Arc<AtomicU32>,
}

impl Wakers {
    fn new(sim: &Sim) -> Self {
        Self { sim: sim.clone(), woken: Arc::default(), dropped: Arc::default() }
    }

    /// Polls `future` with a new waker, which only `future` keeps.
    #[track_caller]
    fn wait<F: Future>(&self, future: std::pin::Pin<&mut F>) {
        let Self { sim, woken, dropped } = self;
        let waker = Panics { sim: sim.clone(), woken: woken.clone(), dropped: dropped.clone() };
        let waker = Waker::from(Arc::new(waker));
        assert!(future.poll(&mut Context::from_waker(&waker)).is_pending());
    }

    fn counts(&self) -> (u32, u32) {
        (self.woken.load(Ordering::Relaxed), self.dropped.load(Ordering::Relaxed))
    }
}

#[test]
fn waker_that_panics_keeps_nobody_else_from_being_woken() {
    let sim = Sim::new().unwrap();
    let wakers = Wakers::new(&sim);
    let (a, b) = (
        sim.block_on(sim.udp_bind("127.0.0.1:0")).unwrap(),
        sim.block_on(sim.udp_bind("127.0.0.1:0")).unwrap(),
    );
    let to = b.local_addr().unwrap();
    sim.block_on(async {
        // Timers that fire at the same time, before and after those of tasks.
        let (mut first, mut last) = (pin!(sim.sleep(ms(5))), pin!(sim.sleep(ms(5))));
        wakers.wait(first.as_mut());
        let tasks: Vec<_> = (0..3)
            .map(|_| {
                let there = sim.clone();
                sim.spawn(async move { there.sleep(ms(5)).await })
            })
            .collect();
        sim.yield_now().await;
        wakers.wait(last.as_mut());
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!((wakers.counts(), sim.elapsed()), ((2, 2), ms(5)));
        first.await;
        // A socket.
        let mut buf = [0; 1];
        wakers.wait(pin!(b.recv(&mut buf)).as_mut());
        a.send_to(b"x", to).await.unwrap();
        assert_eq!(b.recv(&mut [0]).await.unwrap(), 1);
        assert_eq!(wakers.counts(), (3, 3));
    });
    // Closing the simulation wakes all waiters.
    wakers.wait(pin!(sim.sleep(ms(1))).as_mut());
    let mut sleep = pin!(sim.sleep(ms(1)));
    wakers.wait(sleep.as_mut());
    let mut buf = [0; 1];
    let mut recv = pin!(b.recv(&mut buf));
    wakers.wait(recv.as_mut());
    sim.shutdown_timeout(ms(1)).unwrap();
    assert_eq!(wakers.counts().0, 5);
}

/// Every place in which a waker is stored: replacing it, and dropping it while a task waits.
#[test]
fn wakers_may_ask_the_simulation_while_it_drops_them() {
    let sim = Sim::new().unwrap();
    let wakers = Wakers::new(&sim);
    let (listener, (mut client, mut server), socket) = sim.block_on(async {
        let listener = sim.tcp_bind("127.0.0.1:1").await.unwrap();
        let (client, accepted) = join(sim.tcp_connect("127.0.0.1:1"), listener.accept()).await;
        (listener, (client.unwrap(), accepted.unwrap().0), sim.udp_bind("127.0.0.1:0").await.unwrap())
    });
    sim.block_on(async {
        let filled = sim.timeout(ms(10), client.write_all(&[0; 1 << 20])).await;
        assert!(filled.is_err(), "there is no more room");
    });
    let mut kept = 0;
    let mut buf = [0; 1];
    {
        let mut sleep = pin!(sim.sleep(ms(5)));
        let mut accept = pin!(listener.accept());
        let mut connect = pin!(sim.tcp_connect("10.9.9.9:1"));
        let mut write = pin!(client.write(&[0; 1 << 20]));
        let mut recv = pin!(socket.recv(&mut buf));
        for _ in 0..3 {
            wakers.wait(sleep.as_mut());
            wakers.wait(accept.as_mut());
            wakers.wait(connect.as_mut());
            wakers.wait(write.as_mut());
            wakers.wait(recv.as_mut());
            kept += 5;
        }
    }
    drop((listener, client, socket));
    sim.block_on(async {
        let mut sink = Vec::new();
        let _ = server.read_to_end(&mut sink).await;
        sim.sleep(ms(1)).await;
    });
    sim.shutdown_timeout(ms(1)).unwrap();
    assert_eq!(wakers.counts().1, kept, "each is dropped once");
}

/// Spawns tasks that never end: one that waits, one that yields, one that has never run; each with a handle and a
/// value.
fn leave_tasks(sim: &Sim, thing: &Arc<()>) {
    let own = || (sim.clone(), thing.clone());
    let (waits, yields, new) = (own(), own(), own());
    drop(sim.spawn(async move {
        let (sim, _thing) = waits;
        sim.sleep(Duration::MAX).await;
    }));
    drop(sim.spawn(async move {
        let (sim, _thing) = yields;
        loop {
            sim.yield_now().await;
        }
    }));
    sim.block_on(sim.sleep(ms(1)));
    drop(sim.spawn_blocking(move || drop(new)));
}

#[test]
fn unfinished_tasks_that_own_their_simulation_end_with_it() {
    let thing = Arc::default();
    let count = || Arc::strong_count(&thing) - 1;
    // Nobody can run the tasks any more; as on every runtime, a task that holds a clone keeps its runtime alive.
    leave_tasks(&Sim::new().unwrap(), &thing);
    assert_eq!(count(), 3);
    // A shutdown drops everything.
    let sim = Sim::new().unwrap();
    leave_tasks(&sim, &thing);
    assert_eq!(count(), 6);
    sim.shutdown_timeout(ms(1)).unwrap();
    assert_eq!(count(), 3);
    sim::check_deterministic(1, |sim| leave_tasks(sim, &thing));
    sim::explore(0..2, |sim| leave_tasks(sim, &thing));
    assert_eq!(count(), 3);
}

/// Runs `then` at the end of a thread: in the destructor of a thread-local that is older than the simulation.
fn at_the_end_of_a_thread<T: Send + 'static>(before: impl FnOnce() + Send + 'static, then: fn() -> T) -> T {
    struct Last<T>(fn() -> T, mpsc::Sender<thread::Result<T>>);

    impl<T> Drop for Last<T> {
        fn drop(&mut self) {
            let _ = self.1.send(catch_unwind(self.0));
        }
    }

    thread_local! {
        static LAST: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
    }

    let (send, receive) = mpsc::channel();
    let thread = thread::spawn(move || {
        LAST.set(Some(Box::new(Last(then, send))));
        before();
    });
    thread.join().unwrap();
    receive.recv().unwrap().unwrap()
}

#[test]
fn simulation_runs_in_the_destructor_of_a_thread_local() {
    fn run() -> (Duration, bool) {
        let sim = Sim::builder().seed(1).build().unwrap();
        let is_current = sim.block_on(async {
            let there = sim.clone();
            let task = sim.spawn(async move {
                anyrt::time::sleep(ms(5)).await;
                sim::note("late");
                anyrt::spawn_blocking(|| ()).await.unwrap();
                AnyRuntime::current() == AnyRuntime::from(there)
            });
            task.await.unwrap()
        });
        sim.advance(ms(1));
        (sim.elapsed(), is_current)
    }

    // On a thread that has run a simulation before, or has not.
    for before in [
        || (),
        || {
            run();
        },
    ] {
        assert_eq!(at_the_end_of_a_thread(before, run), (ms(6), true));
    }
}

/// Returns the panic of a blocking closure that waits in this way, and the line where it was spawned.
fn panic_of_a_closure<F: Future>(wait: impl FnOnce(Sim) -> F + Send + 'static) -> (String, u32) {
    let sim = Sim::builder().seed(9).build().unwrap();
    let there = sim.clone();
    let closure = sim.spawn_blocking(move || drop(futures::executor::block_on(wait(there))));
    let line = line!() - 1;
    let payload = sim.block_on(closure).unwrap_err().into_panic();
    (*payload.downcast::<String>().unwrap(), line)
}

#[test]
fn foreign_block_on_in_a_blocking_closure_says_what_to_write() {
    let texts = [
        panic_of_a_closure(|sim| sim.spawn(async {})),
        panic_of_a_closure(|sim| {
            let task = sim.spawn(async {});
            let _shared = task.abort_handle();
            task
        }),
        panic_of_a_closure(|sim| sim.spawn_blocking(|| ())),
        panic_of_a_closure(|sim| async move {
            let task = sim.spawn(async { sim::note("is dropped") });
            task.abort();
            task.await
        }),
        panic_of_a_closure(|sim| async move {
            let mut tasks = JoinSet::new();
            tasks.insert(sim.spawn(async {}));
            tasks.join_next().await
        }),
        panic_of_a_closure(|sim| async move { sim.sleep(ms(1)).await }),
        panic_of_a_closure(|sim| async move { sim.tcp_connect("10.0.0.1:1").await.map(drop) }),
        panic_of_a_closure(|sim| async move {
            sim.udp_bind("0.0.0.0:1").await.unwrap().recv(&mut [0]).await.map(drop)
        }),
        panic_of_a_closure(|sim| async move { sim.timeout(ms(1), std::future::pending::<()>()).await }),
    ];
    for (text, line) in texts {
        let place = format!("a blocking closure, spawned at tests/sim_guests.rs:{line}:");
        for words in ["Write `anyrt::block_on`", "Seed 9", &place] {
            assert!(text.contains(words), "no {words:?} in {text:?}");
        }
    }
}

/// A future that is ready works with any `block_on`, and so does the code that the message suggests.
#[test]
fn blocking_closure_waits_with_the_block_on_of_the_simulation() {
    let sim = Sim::new().unwrap();
    let there = sim.clone();
    let closure = sim.spawn_blocking(move || {
        let task = there.spawn({
            let there = there.clone();
            async move { there.sleep(ms(5)).await }
        });
        // A poll without waiting is fine.
        let mut sleep = pin!(there.sleep(ms(7)));
        assert!(sleep.as_mut().now_or_never().is_none());
        futures::executor::block_on(async { anyrt::yield_now().await });
        anyrt::block_on(async {
            task.await.unwrap();
            sleep.await;
        });
        assert_eq!(futures::executor::block_on(there.sleep(Duration::ZERO)), ());
        there.elapsed()
    });
    assert_eq!(sim.block_on(closure).unwrap(), ms(7));
}
