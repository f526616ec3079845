//! `#[anyrt::test]` together with other attributes that create tests, on all compiled-in runtimes.
#![allow(clippy::unwrap_used)]

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use std::{env, thread};

use anyrt::task::{LocalSet, spawn_local};
use anyrt::{AnyRuntime, Runtime, Time};
use proptest::prelude::*;
use rstest::{fixture, rstest};

/// Sends a value through a task; the tests only need some work.
async fn doubled(rt: &AnyRuntime, number: u32) -> u32 {
    rt.spawn(async move { number * 2 }).await.unwrap()
}

#[fixture]
fn seven() -> u32 {
    7
}

// Each case is a function of its own, so its tests are called `cases_and_fixtures::case_1::tokio`, ….
#[rstest]
#[case(0, 0)]
#[case(1, 2)]
#[anyrt::test]
async fn cases_and_fixtures(#[case] number: u32, #[case] expected: u32, seven: u32) {
    let rt = AnyRuntime::current();
    assert_eq!(doubled(&rt, number).await, expected);
    assert_eq!(doubled(&rt, seven).await, 14);
}

// A property is checked by a closure that cannot be async, so it runs in a blocking closure, where `block_on` is not
// nested.
#[anyrt::test]
async fn property(rt: AnyRuntime) {
    let checks = rt.clone();
    let checked = rt.spawn_blocking(move || {
        proptest!(ProptestConfig::with_cases(16), |(number in 0..1_000_u32)| {
            prop_assert_eq!(checks.block_on(doubled(&checks, number)), number + number);
        });
    });
    checked.await.unwrap();
}

// The body of a test need not be `Send`.
#[anyrt::test]
async fn local_tasks(rt: AnyRuntime) {
    let numbers = Rc::new(Cell::new(0));
    let count = numbers.clone();
    let set = LocalSet::new();
    let task = set.run_until(async move {
        spawn_local(async move { count.set(doubled(&rt, 7).await) }).await.unwrap();
    });
    task.await;
    assert_eq!(numbers.get(), 14);
}

#[anyrt::test]
async fn thread_is_called_as_the_test() {
    let name = thread::current().name().unwrap().to_owned();
    assert!(name.starts_with("thread_is_called_as_the_test::"), "{name}");
}

#[anyrt::test(
    workers = 1,
    skip(smol_global = "it has as many as it has", async_std = "it has as many as it has")
)]
async fn one_worker_runs_every_task<R: Runtime>(rt: R) {
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let task = rt.clone();
            rt.spawn(async move {
                task.yield_now().await;
                thread::current().id()
            })
        })
        .collect();
    let mut threads = Vec::new();
    for task in tasks {
        threads.push(task.await.unwrap());
    }
    threads.dedup();
    assert_eq!(threads.len(), 1);
}

#[anyrt::test]
async fn body_may_keep_what_stays_on_its_thread() {
    let shared = Rc::new(7);
    anyrt::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(*shared, 7);
}

#[anyrt::test(timeout = "1ms")]
#[should_panic(expected = "has not ended")]
async fn limit_ends_what_does_not_end() {
    // Without this yield, the simulation is stuck and says so.
    loop {
        anyrt::time::sleep(Duration::from_millis(1)).await;
    }
}

#[anyrt::test(timeout = "1s", only(sim), sim(seeds = 3))]
#[should_panic(expected = "after 1s: it blocks its thread")]
async fn limit_is_for_each_seed() {
    loop {
        thread::park();
    }
}

#[cfg(feature = "sim")]
fn host_that_panics(sim: &anyrt::Sim) {
    sim.host("db", [10, 0, 0, 2]).unwrap().boot(|_| async { panic!("the disk is full") });
}

#[anyrt::test(only(sim), sim(with = host_that_panics))]
#[should_panic(expected = "anyrt: the program of host \"db\" panicked")]
async fn panic_of_a_host_fails_the_test() {
    anyrt::time::sleep(Duration::from_secs(1)).await;
}

#[anyrt::test(only(sim), sim(seeds = 3, with = host_that_panics))]
#[should_panic(expected = "  the program of host \"db\" panicked")]
async fn panic_of_a_host_fails_a_search() {
    anyrt::time::sleep(Duration::from_secs(1)).await;
}

#[anyrt::test(only(sim), sim(seeds = 3, max_poll = "100ms"))]
#[should_panic(expected = "ms of real time, and may take 100ms. Seed 0")]
async fn poll_that_takes_long_is_found_with_a_seed() {
    compute(Duration::from_millis(250));
}

#[anyrt::test(only(sim), sim(max_poll = "100ms"))]
#[should_panic(expected = "anyrt: a destructor took ")]
async fn destructor_that_takes_long_is_found_after_the_test() {
    struct Slow;

    impl Drop for Slow {
        fn drop(&mut self) {
            compute(Duration::from_millis(250));
        }
    }

    let slow = Slow;
    drop(anyrt::spawn(async move {
        let _slow = slow;
        std::future::pending::<()>().await;
    }));
}

/// Waits for a CPU do not count. And it is no sleep, some of which Linux takes for such a wait on an overloaded machine.
fn compute(long: Duration) {
    let waited = || {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        let nanos = text.split_whitespace().nth(1).map_or(0, |nanos| nanos.parse().unwrap());
        Duration::from_nanos(nanos)
    };
    let (begun, before) = (std::time::Instant::now(), waited());
    while begun.elapsed().saturating_sub(waited() - before) < long {
        std::hint::spin_loop();
    }
}

#[anyrt::test(timeout = "10ms", only(tokio, smol))]
#[should_panic(expected = ", and may take 10ms")]
async fn limit_is_for_what_blocks_too() {
    thread::sleep(Duration::from_millis(100));
}

#[anyrt::test]
async fn runtime_is_current_and_owned(rt: AnyRuntime) {
    assert!(env::var_os("ANYRT_TEST_TIMEOUT").is_none());
    assert_eq!(rt, AnyRuntime::current());
    rt.sleep(Duration::from_millis(1)).await;
}

// The names in the expansion must not collide with names of the macro that creates the tests.
macro_rules! tests {
    ($($name:ident: $runtime:ty;)*) => {
        $(
            #[anyrt::test(sim(with = set_up))]
            async fn $name(rt: $runtime) {
                rt.sleep(Duration::from_millis(1)).await;
            }
        )*

        #[anyrt::test]
        async fn of_a_macro(rt: AnyRuntime) -> std::io::Result<()> {
            rt.sleep(Duration::from_millis(1)).await;
            Ok(())
        }

        #[anyrt::test]
        async fn generic_of_a_macro<R: Runtime>(rt: R) {
            rt.sleep(Duration::from_millis(1)).await;
        }
    };
}

#[cfg(feature = "sim")]
fn set_up(sim: &anyrt::Sim) {
    sim.host("server", [10, 0, 0, 2]).unwrap();
}

tests! {
    of_a_macro_with_a_handle: AnyRuntime;
    of_a_macro_with_a_type: impl Runtime;
}

#[anyrt::test]
async fn r#match() {}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("it is dropped");
    }
}

// In a simulation, this used to be a panic during another panic.
#[anyrt::test(timeout = "1s")]
#[should_panic(expected = "n")]
async fn destructor_that_panics_ends_no_process() {
    let _panics = PanicsWhenDropped;
    std::future::pending::<()>().await;
}

mod what_a_caller_has {
    #![allow(non_upper_case_globals, dead_code)]

    const rt: u32 = 1;
    const sim: u32 = 1;
    const body: u32 = 1;

    trait Check {
        fn check(self)
        where
            Self: Sized,
        {
        }
        fn run(&self) {}
        fn seeds(&self, _: u64) {}
    }

    impl<T> Check for T {}

    #[anyrt::test(sim(seeds = 3))]
    async fn names_are_no_names_of_a_test<R: anyrt::Runtime>(_rt: R) -> Result<(), String> {
        Ok(())
    }

    #[anyrt::test(sim(seeds = 3))]
    async fn nor_with_a_handle(_rt: anyrt::AnyRuntime) {}
}

mod body {
    #[anyrt::test(sim(seeds = 3))]
    async fn body() {}
}

mod pedantic {
    #![deny(clippy::pedantic, clippy::nursery, missing_docs, unreachable_pub, unused_qualifications)]

    #[anyrt::test]
    async fn lints_find_nothing_in_what_is_expanded() {
        anyrt::yield_now().await;
    }

    #[anyrt::test(only(sim), sim(seeds = 2))]
    async fn lints_find_nothing_in_a_simulation() -> std::io::Result<()> {
        anyrt::yield_now().await;
        Ok(())
    }

    #[anyrt::test]
    async fn lints_find_nothing_beside_a_type(rt: impl anyrt::Runtime) {
        anyrt::Spawn::yield_now(&rt).await;
    }
}
