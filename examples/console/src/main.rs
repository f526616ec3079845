//! tokio-console, connected to a program on any runtime:
//!
//! ```sh
//! cargo install tokio-console
//! cd examples/console
//! cargo run -- async-std
//! tokio-console    # in another terminal
//! ```
//!
//! The folder matters: the compiler's flag for console-subscriber is in its `.cargo/config.toml`.
//!
//! The console shows the tasks `ticks`, `computes` and `blocks`. `blocks` sleeps with `std::thread::sleep`, and the program
//! logs who does.

use std::hint::black_box;
use std::io;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyrt::task::Builder;
use anyrt::time::sleep;
use anyrt::watch::WatchOptions;
use anyrt::{AnyRuntime, AsyncStd, Smol, Tokio};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::prelude::*;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn runtime(name: &str) -> io::Result<Option<AnyRuntime>> {
    Ok(Some(match name {
        "async-std" => AsyncStd::global().into(),
        "smol" => Smol::new()?.into(),
        "tokio" => Tokio::new()?.into(),
        _ => return Ok(None),
    }))
}

/// Has little to do.
async fn ticks() {
    loop {
        sleep(ms(100)).await;
    }
}

/// Has much to do, and lets others run.
async fn computes() {
    loop {
        let begun = Instant::now();
        while begun.elapsed() < ms(2) {
            black_box(begun);
        }
        sleep(ms(6)).await;
    }
}

/// The mistake.
async fn blocks() {
    loop {
        sleep(ms(700)).await;
        thread::sleep(ms(300));
    }
}

async fn run() -> io::Result<()> {
    Builder::new().name("ticks").spawn(ticks())?.detach();
    Builder::new().name("computes").spawn(computes())?.detach();
    Builder::new().name("blocks").spawn(blocks())?.await?;
    Ok(())
}

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_else(|| "async-std".into());
    // Reports of the watch are events of level WARN.
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let log = tracing_subscriber::fmt::layer().with_filter(filter);
    let console = console_subscriber::ConsoleLayer::builder().with_default_env().spawn();
    tracing_subscriber::registry().with(console).with(log).init();

    let result = runtime(&name).and_then(|runtime| {
        let Some(runtime) = runtime else {
            return Err(io::Error::other(format!("{name}: say async-std, smol or tokio")));
        };
        let runtime = runtime.watch(WatchOptions::new().warn_after(ms(50)))?;
        runtime.block_on(run())
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
