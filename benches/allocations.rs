//! Allocations of an operation: of the runtime itself, and of anyrt in each of its three ways.
//!
//! ```sh
//! cargo bench --bench allocations --features tokio
//! ```
//!
//! It fails when anyrt allocates more than the runtime. Counted are those of the whole process, per operation, in the
//! best of some rounds: queues grow now and then, in ours and in theirs.
#![allow(missing_docs, reason = "a bench has no readers but its table")]
#![cfg_attr(
    not(any(feature = "tokio", feature = "smol", feature = "async-std")),
    allow(dead_code, reason = "without a runtime there is nothing to count")
)]

use std::alloc::System;
use std::process::ExitCode;
use std::time::Duration;

use anyrt::{AnyRuntime, Runtime, Spawn, Time};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const OPERATIONS: u32 = 1_000;
const ROUNDS: u32 = 20;

/// What a few queues that grow may cost, per operation.
const NOISE: f64 = 0.05;

/// Allocations of `operation`, which runs inside `block_on`.
fn count<R: Runtime>(runtime: &R, operation: impl AsyncFn()) -> f64 {
    let rounds = (0..ROUNDS).map(|_| {
        runtime.block_on(async {
            let region = Region::new(ALLOCATOR);
            for _ in 0..OPERATIONS {
                operation().await;
            }
            region.change().allocations
        })
    });
    f64::from(rounds.min().unwrap_or_default() as u32) / f64::from(OPERATIONS)
}

/// The runtime's own calls.
trait Native {
    async fn spawn();
    async fn spawn_blocking();
    async fn sleep();
}

/// One line of the table: the runtime's own, traits, `AnyRuntime`, free functions.
struct Row {
    runtime: &'static str,
    operation: &'static str,
    counts: [f64; 4],
}

fn rows<N: Native, R: Runtime + Into<AnyRuntime>>(name: &'static str, runtime: R) -> Vec<Row> {
    let any: AnyRuntime = runtime.clone().into();
    let row = |operation, counts| Row { runtime: name, operation, counts };
    let soon = Duration::from_secs(60);
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
                count(&runtime, async || drop(runtime.sleep(soon))),
                count(&runtime, async || drop(any.sleep(soon))),
                count(&runtime, async || drop(anyrt::time::sleep(soon))),
            ],
        ),
    ]
}

#[cfg(feature = "tokio")]
mod tokio_native {
    pub(super) struct Tokio;

    impl super::Native for Tokio {
        async fn spawn() {
            tokio::spawn(async {}).await.unwrap_or_default();
        }

        async fn spawn_blocking() {
            tokio::task::spawn_blocking(|| ()).await.unwrap_or_default();
        }

        async fn sleep() {
            drop(tokio::time::sleep(std::time::Duration::from_secs(60)));
        }
    }
}

#[cfg(feature = "smol")]
mod smol_native {
    pub(super) struct Smol;

    impl super::Native for Smol {
        async fn spawn() {
            smol::spawn(async {}).await;
        }

        async fn spawn_blocking() {
            smol::unblock(|| ()).await;
        }

        async fn sleep() {
            drop(smol::Timer::after(std::time::Duration::from_secs(60)));
        }
    }
}

#[cfg(feature = "async-std")]
mod async_std_native {
    pub(super) struct AsyncStd;

    impl super::Native for AsyncStd {
        async fn spawn() {
            async_std::task::spawn(async {}).await;
        }

        async fn spawn_blocking() {
            async_std::task::spawn_blocking(|| ()).await;
        }

        async fn sleep() {
            drop(async_std::task::sleep(std::time::Duration::from_secs(60)));
        }
    }
}

fn main() -> ExitCode {
    #[allow(unused_mut, reason = "it stays empty when no runtime is compiled in")]
    let mut table = Vec::<Row>::new();
    #[cfg(feature = "tokio")]
    match anyrt::Tokio::new() {
        Ok(runtime) => table.extend(rows::<tokio_native::Tokio, _>("tokio", runtime)),
        Err(error) => {
            eprintln!("error: no runtime of tokio: {error}");
            return ExitCode::FAILURE;
        }
    }
    #[cfg(feature = "smol")]
    table.extend(rows::<smol_native::Smol, _>("smol", anyrt::Smol::global()));
    #[cfg(feature = "async-std")]
    table.extend(rows::<async_std_native::AsyncStd, _>("async-std", anyrt::AsyncStd::global()));

    let head = ["runtime", "traits", "AnyRuntime", "free function"];
    println!(
        "{:<10} {:<25} {:>8} {:>8} {:>11} {:>14}",
        "", "allocations", head[0], head[1], head[2], head[3]
    );
    if cfg!(feature = "sim") {
        println!("{:<10} skipped: it has no calls of its own to compare with", "sim");
    }
    let mut more = 0;
    for Row { runtime, operation, counts: [native, traits, any, free] } in table {
        println!("{runtime:<10} {operation:<25} {native:>8.2} {traits:>8.2} {any:>11.2} {free:>14.2}");
        more += [traits, any, free].iter().filter(|count| **count > native + NOISE).count();
    }
    if more > 0 {
        println!("\n{more} of them are more than the runtime's own");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
