//! The allocations that anyrt adds to an operation, and the sizes of its types. Instructions are in `benches/cost`.
//!
//! Allocations are counted for the whole process, per operation, as the median of some rounds: queues grow now and
//! then, and reactors wake more or less often, natively too. Pending timers are left out: async-io 2.6 wakes its
//! reactor for each of them, on another thread, which allocates for the timers that it finds (`reactor.rs`, `react`).
#![cfg_attr(
    not(any(feature = "tokio", feature = "smol", feature = "async-std")),
    allow(dead_code, reason = "without a runtime there is nothing to count")
)]
#![allow(clippy::unwrap_used)]

use std::alloc::System;
use std::future::{Ready, ready};
use std::mem::size_of;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

#[cfg(feature = "tokio")]
use anyrt::Net;
#[cfg(feature = "tokio")]
use anyrt::Spawn;
use anyrt::task::{AbortHandle, JoinHandle};
use anyrt::{AnyRuntime, Runtime, Time};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const OPERATIONS: u32 = 1_000;
const ROUNDS: u32 = 9;
/// A sleep takes a millisecond on tokio.
const SLEEPS: u32 = 100;

/// Allowance for queues that grow, in allocations per operation.
const NOISE: f64 = 0.05;

/// Allocations are counted for the whole process, so one test runs at a time.
static COUNTING: Mutex<()> = Mutex::new(());

const LATER: Duration = Duration::from_secs(60);

/// Allocations of `operation`, which runs inside `block_on`.
fn count<R: Runtime>(runtime: &R, operation: impl AsyncFn()) -> f64 {
    count_of(OPERATIONS, runtime, operation)
}

fn count_of<R: Runtime>(operations: u32, runtime: &R, operation: impl AsyncFn()) -> f64 {
    let rounds = (0..ROUNDS).map(|_| {
        runtime.block_on(async {
            let region = Region::new(ALLOCATOR);
            for _ in 0..operations {
                operation().await;
            }
            region.change().allocations
        })
    });
    let mut rounds: Vec<_> = rounds.collect();
    rounds.sort_unstable();
    rounds[rounds.len() / 2] as f64 / f64::from(operations)
}

/// The runtime's own calls.
trait Native {
    async fn spawn();
    async fn detach();
    async fn spawn_blocking();
    async fn sleep();
    async fn sleep_fired();
    async fn timeout();
}

/// A row of the table: native, through traits, through `AnyRuntime`, and with free functions.
struct Row {
    runtime: &'static str,
    operation: &'static str,
    counts: [f64; 4],
}

fn rows<N: Native, R: Runtime + Into<AnyRuntime>>(name: &'static str, runtime: R) -> Vec<Row> {
    let any: AnyRuntime = runtime.clone().into();
    let row = |operation, counts| Row { runtime: name, operation, counts };
    vec![
        row(
            "spawn and await",
            [
                count(&runtime, N::spawn),
                count(&runtime, async || runtime.spawn(async {}).await.unwrap_or_default()),
                count(&runtime, async || any.spawn(async {}).await.unwrap_or_default()),
                count(&runtime, async || anyrt::spawn(async {}).await.unwrap_or_default()),
            ],
        ),
        row(
            "spawn_blocking and await",
            [
                count(&runtime, N::spawn_blocking),
                count(&runtime, async || runtime.spawn_blocking(|| ()).await.unwrap_or_default()),
                count(&runtime, async || any.spawn_blocking(|| ()).await.unwrap_or_default()),
                count(&runtime, async || anyrt::spawn_blocking(|| ()).await.unwrap_or_default()),
            ],
        ),
        row(
            "sleep, made and dropped",
            [
                count(&runtime, N::sleep),
                count(&runtime, async || drop(runtime.sleep(LATER))),
                count(&runtime, async || drop(any.sleep(LATER))),
                count(&runtime, async || drop(anyrt::time::sleep(LATER))),
            ],
        ),
        row(
            "spawn and drop",
            [
                count(&runtime, N::detach),
                count(&runtime, async || detach(&runtime).await),
                count(&runtime, async || detach(&any).await),
                count(&runtime, async || {
                    drop(anyrt::spawn(async {}));
                    anyrt::yield_now().await;
                }),
            ],
        ),
        row(
            "sleep of nothing, awaited",
            [
                count_of(SLEEPS, &runtime, N::sleep_fired),
                count_of(SLEEPS, &runtime, async || runtime.sleep(Duration::ZERO).await),
                count_of(SLEEPS, &runtime, async || any.sleep(Duration::ZERO).await),
                count_of(SLEEPS, &runtime, async || anyrt::time::sleep(Duration::ZERO).await),
            ],
        ),
        row(
            "timeout, ready",
            [
                count(&runtime, N::timeout),
                count(&runtime, async || runtime.timeout(LATER, ready(())).await.unwrap_or_default()),
                count(&runtime, async || any.timeout(LATER, ready(())).await.unwrap_or_default()),
                count(&runtime, async || {
                    anyrt::time::timeout(LATER, ready(())).await.unwrap_or_default();
                }),
            ],
        ),
    ]
}

async fn detach<R: Runtime>(runtime: &R) {
    drop(runtime.spawn(async {}));
    runtime.yield_now().await;
}

#[cfg(feature = "tokio")]
mod tokio_native {
    use std::future::ready;
    use std::time::Duration;

    use super::LATER;

    pub(super) struct Tokio;

    impl super::Native for Tokio {
        async fn spawn() {
            tokio::spawn(async {}).await.unwrap_or_default();
        }

        async fn detach() {
            drop(tokio::spawn(async {}));
            tokio::task::yield_now().await;
        }

        async fn sleep_fired() {
            tokio::time::sleep(Duration::ZERO).await;
        }

        async fn timeout() {
            tokio::time::timeout(LATER, ready(())).await.unwrap_or_default();
        }

        async fn spawn_blocking() {
            tokio::task::spawn_blocking(|| ()).await.unwrap_or_default();
        }

        async fn sleep() {
            drop(tokio::time::sleep(LATER));
        }
    }
}

#[cfg(feature = "smol")]
mod smol_native {
    use std::future::ready;
    use std::time::Duration;

    use super::LATER;

    pub(super) struct Smol;

    impl super::Native for Smol {
        async fn spawn() {
            smol::spawn(async {}).await;
        }

        async fn detach() {
            smol::spawn(async {}).detach();
            smol::future::yield_now().await;
        }

        async fn sleep_fired() {
            smol::Timer::after(Duration::ZERO).await;
        }

        async fn timeout() {
            let later = async {
                smol::Timer::after(LATER).await;
            };
            smol::future::or(ready(()), later).await;
        }

        async fn spawn_blocking() {
            smol::unblock(|| ()).await;
        }

        async fn sleep() {
            drop(smol::Timer::after(LATER));
        }
    }
}

#[cfg(feature = "async-std")]
mod async_std_native {
    use std::future::ready;
    use std::time::Duration;

    use super::LATER;

    pub(super) struct AsyncStd;

    impl super::Native for AsyncStd {
        async fn spawn() {
            async_std::task::spawn(async {}).await;
        }

        async fn detach() {
            drop(async_std::task::spawn(async {}));
            async_std::task::yield_now().await;
        }

        async fn sleep_fired() {
            async_std::task::sleep(Duration::ZERO).await;
        }

        async fn timeout() {
            async_std::future::timeout(LATER, ready(())).await.unwrap_or_default();
        }

        async fn spawn_blocking() {
            async_std::task::spawn_blocking(|| ()).await;
        }

        async fn sleep() {
            drop(async_std::task::sleep(LATER));
        }
    }
}

#[test]
fn nothing_allocates_more_than_the_runtime() {
    let _alone = COUNTING.lock().unwrap_or_else(PoisonError::into_inner);
    #[allow(unused_mut, reason = "it stays empty when no runtime is compiled in")]
    let mut table = Vec::<Row>::new();
    #[cfg(feature = "tokio")]
    table.extend(rows::<tokio_native::Tokio, _>("tokio", anyrt::Tokio::new().unwrap()));
    #[cfg(feature = "smol")]
    table.extend(rows::<smol_native::Smol, _>("smol", anyrt::Smol::global()));
    #[cfg(feature = "async-std")]
    table.extend(rows::<async_std_native::AsyncStd, _>("async-std", anyrt::AsyncStd::global()));

    let mut more = 0;
    for Row { runtime, operation, counts: [native, traits, any, free] } in table {
        println!("{operation} on {runtime}: {native:.2}, traits {traits:.2}, any {any:.2}, free {free:.2}");
        // A debug build boxes spawned futures where the type of the runtime is unknown.
        let boxed = if cfg!(debug_assertions) && operation.starts_with("spawn") { 1.0 } else { 0.0 };
        let more_than = |count: f64, boxed: f64| usize::from(count > native + boxed + NOISE);
        more += more_than(traits, 0.0) + more_than(any, boxed) + more_than(free, boxed);
    }
    assert_eq!(more, 0, "of the lines above have more than the runtime's own, which is the first number");
}

/// tokio copies a future some eight times, and a box has fewer bytes.
#[cfg(feature = "tokio")]
#[test]
fn large_future_takes_a_box_on_tokio() {
    async fn hold<const BYTES: usize>() {
        let held = [0_u8; BYTES];
        anyrt::yield_now().await;
        std::hint::black_box(&held);
    }

    let _alone = COUNTING.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = anyrt::Tokio::new().unwrap();
    let small = count(&runtime, async || runtime.spawn(hold::<128>()).await.unwrap_or_default());
    let large = count(&runtime, async || runtime.spawn(hold::<1024>()).await.unwrap_or_default());
    assert!((small - 1.0).abs() < NOISE && (large - 2.0).abs() < NOISE, "{small} and {large} allocations");
}

/// Sizes with every backend compiled in; with fewer backends they are smaller.
#[test]
fn nothing_is_larger_than_it_was() {
    let mut larger = 0;
    let mut at_most = |name: &str, size: usize, limit: usize| {
        println!("{name}: {size} bytes, and {limit} are allowed");
        larger += usize::from(size > limit);
    };
    at_most("JoinHandle<()>", size_of::<JoinHandle<()>>(), 40);
    at_most("JoinHandle<[u8; 64]>", size_of::<JoinHandle<[u8; 64]>>(), 40);
    at_most("AbortHandle", size_of::<AbortHandle>(), 24);
    at_most("AnyRuntime", size_of::<AnyRuntime>(), 32);
    // 16 bytes less in builds in which tokio's clock cannot be paused.
    at_most("Sleep", size_of::<anyrt::time::Sleep>(), 136);
    at_most("Interval", size_of::<anyrt::time::Interval>(), 80);
    at_most("Timeout of nothing", size_of::<anyrt::time::Timeout<Ready<()>>>(), 192);
    at_most("TcpStream", size_of::<anyrt::net::TcpStream>(), if cfg!(feature = "sim") { 48 } else { 40 });
    at_most("TcpListener", size_of::<anyrt::net::TcpListener>(), 56);
    at_most("UdpSocket", size_of::<anyrt::net::UdpSocket>(), 40);
    #[cfg(feature = "tokio")]
    {
        use tokio::net::TcpStream;

        at_most("a handle to tokio", size_of::<anyrt::Tokio>(), 24);
        at_most(
            "a sleep of tokio",
            size_of::<<anyrt::Tokio as Time>::Sleep>(),
            // Its state, and its runtime, whose clock may be paused in tests.
            size_of::<tokio::time::Sleep>() + 8 + size_of::<tokio::runtime::Handle>(),
        );
        at_most("a stream of tokio", size_of::<<anyrt::Tokio as Net>::TcpStream>(), size_of::<TcpStream>());
    }
    #[cfg(feature = "smol")]
    {
        at_most("a handle to smol", size_of::<anyrt::Smol>(), 16);
        at_most("a sleep of smol", size_of::<<anyrt::Smol as Time>::Sleep>(), size_of::<smol::Timer>() + 24);
    }
    assert_eq!(larger, 0, "of the lines above are larger");
}
