//! The operations through other layers over several runtimes, beside anyrt and the runtimes themselves.

mod agnostic;
mod any_spawner;
mod async_executors;
mod async_rs;
mod tor_rtcompat;

use std::process::ExitCode;

use harness::Implementation;
use harness::pool::Pool;
use tokio::runtime::{Builder, Runtime};
use workloads::IMPLEMENTATIONS;

#[global_allocator]
static POOL: Pool = Pool::new();

const PEERS: &[Implementation] = &[
    Implementation::of::<agnostic::Tokio>("tokio-mt/agnostic"),
    Implementation::of::<async_rs::Tokio>("tokio-mt/async-rs"),
    Implementation::of::<tor_rtcompat::Tokio>("tokio-mt/tor-rtcompat"),
    Implementation::of::<async_executors::Tokio>("tokio-mt/async_executors"),
    Implementation::of::<any_spawner::Tokio>("tokio-mt/any_spawner"),
    Implementation::of::<agnostic::Smol>("smol/agnostic"),
    Implementation::of::<async_rs::Smol>("smol/async-rs"),
    Implementation::of::<tor_rtcompat::AsyncStd>("async-std/tor-rtcompat"),
    Implementation::of::<async_executors::AsyncStd>("async-std/async_executors"),
];

fn main() -> ExitCode {
    harness::main(IMPLEMENTATIONS.iter().copied().flatten().chain(PEERS))
}

/// Returns a runtime as natively; it is also never dropped.
fn tokio() -> &'static Runtime {
    let runtime = Builder::new_multi_thread().enable_all().build();
    Box::leak(Box::new(runtime.expect("there are descriptors and threads")))
}

/// The native `block_on`: tokio's own, of a task.
#[macro_export]
macro_rules! in_tokio {
    ($self:ident => $runtime:expr) => {
        fn block_on<F>(&$self, main: F) -> F::Output
        where
            F: ::std::future::Future + Send + 'static,
            F::Output: Send + 'static,
        {
            $runtime.block_on(async { ::tokio::spawn(main).await.expect("it does not panic") })
        }
    };
}
