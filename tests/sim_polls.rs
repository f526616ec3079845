//! What a simulation finds of polls that take real time.
#![allow(clippy::unwrap_used)]

use std::env;
use std::fs;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyrt::sim::{LongPoll, Policy};
use anyrt::task::Builder;
use anyrt::{BlockOn, Net, Sim, Spawn, Time};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Far above what a poll takes that does nothing, on any machine.
const LIMIT: Duration = ms(100);
const TOO_LONG: Duration = ms(250);

fn sim() -> Sim {
    Sim::builder().seed(7).max_poll(LIMIT).build().unwrap()
}

/// What a panic says.
#[track_caller]
fn panic_text<T>(code: impl FnOnce() -> T) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(code)) else { panic!("no panic") };
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast_ref::<&str>().unwrap().to_string(),
    }
}

#[track_caller]
fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no {word:?} in {text}");
    }
}

/// Takes long to drop.
struct Slow;

impl Drop for Slow {
    fn drop(&mut self) {
        spin(TOO_LONG);
    }
}

/// How long this thread has waited for a CPU.
fn waited() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split_whitespace().nth(1).map_or(0, |nanos| nanos.parse().unwrap());
    Duration::from_nanos(nanos)
}

/// Runs for so long, waits for a CPU not counted.
fn spin(long: Duration) {
    let (begun, before) = (Instant::now(), waited());
    while begun.elapsed().saturating_sub(waited() - before) < long {
        std::hint::spin_loop();
    }
}

#[test]
fn task_that_spins_is_named() {
    let sim = sim();
    let mut line = 0;
    let text = panic_text(|| {
        sim.block_on(async {
            sim.sleep(Duration::from_secs(5)).await;
            line = line!() + 1;
            Builder::new().name("spinner").spawn(async { spin(TOO_LONG) }).unwrap().await.unwrap();
        });
    });
    let place = format!("\n  #2 \"spinner\", a task, spawned at {}:{line}:", file!());
    assert_says(&text, &["anyrt: a poll took ", "ms of real time, and may take 100ms. Seed 7, ", &place]);
    assert_says(
        &text,
        &["virtual time 5", "on host \"main\"\n", "Await `anyrt::time::sleep` ", "`anyrt::spawn_blocking`"],
    );
    let longest = sim.longest_poll().unwrap();
    let LongPoll { took, task, name, spawned_at, host, at, .. } = &longest;
    assert!(*took > LIMIT && *at >= Duration::from_secs(5) && *at < Duration::from_secs(6));
    assert_eq!((*task, name.as_deref(), &**host), (2, Some("spinner"), "main"));
    assert_eq!((spawned_at.file(), spawned_at.line()), (file!(), line));
    assert_says(&longest.to_string(), &["#2 \"spinner\", a task, spawned at tests/sim_polls.rs:", "ms"]);
    // It was told; the program goes on.
    sim.block_on(sim.sleep(Duration::from_secs(1)));
}

/// On an overloaded machine Linux may count a sleep as a wait for a CPU.
#[test]
fn task_that_sleeps_is_found() {
    let finds = |_| {
        let sim = sim();
        let task = sim.spawn(async { thread::sleep(TOO_LONG) });
        let Err(payload) = catch_unwind(AssertUnwindSafe(|| sim.block_on(task))) else { return false };
        assert_says(payload.downcast_ref::<String>().unwrap(), &["a poll took ", "#1, a task, spawned at"]);
        true
    };
    assert!((0..20).any(finds));
}

#[test]
fn quick_polls_are_not_found_and_the_longest_is_known() {
    let sim = Sim::builder().seed(7).max_poll(ms(5_000)).build().unwrap();
    let spinner = sim.spawn(async { spin(TOO_LONG) });
    let others = [(); 100].map(|()| {
        sim.spawn(async {
            for _ in 0..50 {
                anyrt::yield_now().await;
            }
        })
    });
    sim.block_on(async {
        spinner.await.unwrap();
        for other in others {
            other.await.unwrap();
        }
    });
    let longest = sim.longest_poll().unwrap();
    assert!(longest.task == 1 && longest.took > LIMIT, "{longest}");
    let unmeasured = Sim::builder().seed(7).build().unwrap();
    unmeasured.block_on(unmeasured.spawn(async { spin(LIMIT) })).unwrap();
    assert!(unmeasured.longest_poll().is_none());
}

#[test]
fn future_of_a_block_on_is_named() {
    let slow = sim();
    let text = panic_text(|| slow.block_on(async { spin(TOO_LONG) }));
    assert_says(&text, &["a poll took ", "#1, `block_on`, called at tests/sim_polls.rs:"]);
    let text = panic_text(|| {
        slow.block_on(async {
            slow.yield_now().await;
            spin(TOO_LONG);
            pending::<()>().await;
        })
    });
    assert_says(&text, &["a poll took ", "#2, `block_on`, called at"]);
    let text = panic_text(|| {
        let captured = Slow;
        slow.block_on(async move { drop(captured) });
    });
    assert_says(&text, &["a poll took ", "#3, `block_on`, called at"]);
}

#[test]
fn destructor_of_an_aborted_task_is_found() {
    let sim = sim();
    let text = panic_text(|| {
        sim.block_on(async {
            let slow = Slow;
            let task = sim.spawn(async move {
                let _slow = slow;
                pending::<()>().await;
            });
            sim.yield_now().await;
            task.abort();
            let _ = task.await;
        });
    });
    assert_says(&text, &["anyrt: a poll took ", "\n  #2, a task, spawned at tests/sim_polls.rs:"]);
}

/// The task that crashes the host takes as long, and is not the one to look at.
#[test]
fn destructor_of_a_task_whose_host_crashes_is_found() {
    let sim = sim();
    let db = sim.host("db", [10, 0, 0, 2]).unwrap();
    db.boot(|_| async {
        let _slow = Slow;
        pending::<()>().await;
    });
    sim.block_on(sim.yield_now());
    let crashes = db.clone();
    let task = sim.spawn(async move { crashes.crash() });
    let text = panic_text(|| sim.block_on(task).unwrap());
    assert_says(&text, &["anyrt: a destructor took ", "\n  #1, a task, spawned at", "on host \"db\""]);
    assert_eq!(sim.longest_poll().unwrap().host, "db");
    // Outside of all tasks the next step says so.
    db.restart();
    sim.block_on(sim.yield_now());
    db.crash();
    let text = panic_text(|| sim.advance(ms(1)));
    assert_says(&text, &["anyrt: a destructor took ", "on host \"db\""]);
}

#[test]
fn blocking_closure_may_block() {
    let sim = sim();
    let inner = sim.clone();
    let closure = sim.spawn_blocking(move || {
        spin(TOO_LONG);
        let slow = panic_text(|| inner.block_on(async { spin(TOO_LONG) }));
        assert_says(&slow, &["#3, `block_on`, called at"]);
        spin(TOO_LONG);
    });
    sim.block_on(closure).unwrap();
    assert_eq!(sim.longest_poll().unwrap().task, 3);
}

/// Whoever prints a backtrace takes long.
#[test]
fn panic_of_a_task_is_no_long_poll() {
    let sim = sim();
    let task = sim.spawn(async {
        spin(TOO_LONG);
        panic!("it fails");
    });
    assert!(sim.block_on(task).unwrap_err().is_panic());
    let text = panic_text(|| {
        sim.block_on(async {
            spin(TOO_LONG);
            panic!("it fails as well");
        })
    });
    assert_eq!(text, "it fails as well");
    assert!(sim.longest_poll().unwrap().took < LIMIT);
    // What comes after it is measured.
    let slow = sim.spawn(async { spin(TOO_LONG) });
    assert_says(&panic_text(|| sim.block_on(slow)), &["a poll took "]);
}

/// Something of everything, and a poll that takes long.
fn program(sim: &Sim) -> (u64, String) {
    let db = sim.host("db", [10, 0, 0, 2]).unwrap();
    db.boot(|db| async move {
        let _listener = db.tcp_bind("0.0.0.0:7").await.unwrap();
        pending::<()>().await;
    });
    sim.block_on(async {
        let tasks = [(); 10].map(|()| {
            sim.spawn(async {
                for millis in 0..5 {
                    anyrt::time::sleep(ms(millis)).await;
                    anyrt::yield_now().await;
                }
            })
        });
        sim.spawn(async { spin(ms(20)) }).await.unwrap();
        sim.spawn_blocking(|| anyrt::sim::note("in a closure")).await.unwrap();
        db.crash();
        db.restart();
        for task in tasks {
            task.await.unwrap();
        }
    });
    (sim.trace_hash(), sim.log().to_string())
}

#[test]
fn run_is_the_same_if_it_is_measured() {
    for seed in 0..8 {
        let builder = || Sim::builder().seed(seed).log(true).spurious_wakes(10);
        let without = program(&builder().build().unwrap());
        for limit in [Duration::MAX, ms(5_000)] {
            let measured = builder().max_poll(limit).build().unwrap();
            assert_eq!(program(&measured), without);
            assert!(measured.longest_poll().is_some());
        }
    }
}

const CHILD: &str = "ANYRT_TEST_SIM_POLLS_CHILD";

/// Runs one test of this file with a seed.
fn replayed(test: &str, seed: &str) -> String {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture"]).env(CHILD, "1").env("ANYRT_SIM_SEED", seed);
    let output = child.output().unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn explore_fails_on_a_long_poll_and_runs_it_once() {
    let runs = AtomicU32::new(0);
    let search = || {
        Sim::builder().policy(Policy::Random).threads(2).max_poll(LIMIT).explore(0..12, |sim| {
            runs.fetch_add(1, Ordering::Relaxed);
            let is_slow = sim.seed() >= 5;
            let yields = sim.spawn(async { anyrt::yield_now().await });
            let slow = sim.spawn(async move {
                if is_slow {
                    spin(TOO_LONG);
                }
            });
            sim.block_on(async {
                yields.await.unwrap();
                slow.await.unwrap();
            });
        });
    };
    if env::var_os(CHILD).is_some() {
        return search();
    }
    let text = panic_text(search);
    assert_says(
        &text,
        &[
            "anyrt: seed 5 fails, after 5 runs that passed:\n  panicked at tests/sim_polls.rs:",
            "\n  anyrt: a poll took ",
            "\n    #2, a task, spawned at tests/sim_polls.rs:",
            "Needed to reproduce: all ",
            "\nFewer may be enough: how long a poll takes differs from run to run, so nothing was tried.\n",
            "\n  ANYRT_SIM_SEED=5 ",
        ],
    );
    assert!(runs.into_inner() <= 7, "a thread has had one more");
    let replayed = replayed("explore_fails_on_a_long_poll_and_runs_it_once", "5");
    assert_says(&replayed, &["anyrt: a poll took ", "#2, a task, spawned at"]);
}

/// No step is left to say so.
#[test]
fn last_poll_of_a_block_on_is_run_once_as_well() {
    let runs = AtomicU32::new(0);
    let text = panic_text(|| {
        Sim::builder().threads(1).max_poll(LIMIT).explore(0..5, |sim| {
            runs.fetch_add(1, Ordering::Relaxed);
            sim.block_on(async { spin(TOO_LONG) });
        });
    });
    assert_says(&text, &["anyrt: seed 0 fails, the first of all:", "#1, `block_on`, called at"]);
    assert_eq!(runs.into_inner(), 1);
}

#[test]
fn explore_fails_on_a_destructor_after_the_program() {
    let search = || {
        Sim::builder().threads(1).max_poll(LIMIT).explore(3..8, |sim| {
            let slow = Slow;
            drop(sim.spawn(async move {
                let _slow = slow;
                pending::<()>().await;
            }));
            sim.block_on(sim.yield_now());
        });
    };
    if env::var_os(CHILD).is_some() {
        return search();
    }
    let text = panic_text(search);
    let words = "anyrt: seed 3 fails, the first of all:\n  ended, and then\n  anyrt: a destructor took ";
    assert_says(&text, &[words, "#1, a task, spawned at tests/sim_polls.rs:", "ANYRT_SIM_SEED=3 "]);
    let replayed = replayed("explore_fails_on_a_destructor_after_the_program", "3");
    assert_says(&replayed, &["anyrt: a destructor took ", "#1, a task, spawned at"]);
}

/// With fewer choices, a poll takes long that did not when the failure was found.
#[test]
fn other_failures_are_reduced_as_ever() {
    fn order(sim: &Sim) -> Vec<u32> {
        let order = Arc::new(Mutex::new(Vec::new()));
        let tasks = [1, 2, 3].map(|n| {
            let order = order.clone();
            sim.spawn(async move {
                let order = {
                    let mut order = order.lock().unwrap();
                    order.push(n);
                    order.clone()
                };
                if order == [3, 1] {
                    spin(TOO_LONG);
                }
            })
        });
        sim.block_on(async {
            for task in tasks {
                task.await.unwrap();
            }
        });
        let order = order.lock().unwrap();
        order.clone()
    }

    let builder = || Sim::builder().policy(Policy::Random).threads(1);
    let is_one = |seed: &u64| order(&builder().seed(*seed).build().unwrap()) == [3, 2, 1];
    let seed = (0..1_000).find(is_one).unwrap();
    let fails = |sim: &Sim| assert_ne!(order(sim)[0], 3, "the third is first");
    let without = panic_text(|| builder().explore(seed..seed + 1, fails));
    assert_says(&without, &["the third is first", "Needed to reproduce: 1 of "]);
    assert_eq!(panic_text(|| builder().max_poll(LIMIT).explore(seed..seed + 1, fails)), without);
}

#[cfg(target_os = "linux")]
#[test]
fn time_without_a_cpu_is_not_counted() {
    let stop = Arc::new(AtomicU32::new(0));
    let busy = 8 * thread::available_parallelism().unwrap().get();
    let threads: Vec<_> = (0..busy)
        .map(|_| {
            let stop = stop.clone();
            thread::spawn(move || {
                while stop.load(Ordering::Relaxed) == 0 {
                    std::hint::spin_loop();
                }
            })
        })
        .collect();
    let sim = Sim::builder().seed(7).max_poll(Duration::MAX).build().unwrap();
    let (elapsed, without_cpu) = sim.block_on(async {
        let (begun, before) = (Instant::now(), waited());
        while waited() - before < TOO_LONG {}
        // In this order: what is between the two is counted.
        let waited = waited() - before;
        (begun.elapsed(), waited)
    });
    stop.store(1, Ordering::Relaxed);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let longest = sim.longest_poll().unwrap();
    assert!(longest.took + without_cpu <= elapsed + ms(50), "{longest}, {without_cpu:?} of {elapsed:?}");
}
