//! The cost of a library through anyrt's adapters, and natively on a runtime.
//!
//! ```sh
//! adapters anyrt/smol upload
//! ```
//!
//! runs it once, with client and server in one process, and prints the cost as JSON; `app` serves until it is killed.

mod app;
mod http;
mod messages;
mod quic;
mod stream;
mod way;

use std::io;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde::Serialize;

use self::way::Way;

/// Does something through a library.
#[derive(Parser)]
struct Args {
    /// On which runtime, and whose adapters
    #[arg(value_enum)]
    way: Way,
    #[arg(value_enum)]
    what: What,
    /// How many bytes, or how many messages
    n: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// Bytes of a body of HTTP/1 to the server; 64 MiB
    Upload,
    /// Bytes of a body of HTTP/1 from the server; 64 MiB
    Download,
    /// Messages of 64 bytes, there and back, on TCP; 20,000
    Messages,
    /// Bytes on a QUIC stream; 64 MiB
    Quic,
    /// An app of axum, which prints its address and is killed
    App,
}

/// Wall and CPU time of the transfer, without connecting.
#[derive(Serialize)]
struct Report {
    wall_nanos: u64,
    cpu_nanos: u64,
}

/// Time at which a measurement began.
struct Start {
    wall: Instant,
    cpu: u64,
}

impl Start {
    fn now() -> io::Result<Self> {
        Ok(Self { wall: Instant::now(), cpu: cpu_nanos()? })
    }

    fn report(self) -> io::Result<Report> {
        let wall_nanos = self.wall.elapsed().as_nanos() as u64;
        Ok(Report { wall_nanos, cpu_nanos: cpu_nanos()? - self.cpu })
    }
}

fn cpu_nanos() -> io::Result<u64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(micros.unsigned_abs() * 1_000)
}

fn main() -> io::Result<()> {
    let Args { way, what, n } = Args::parse();
    let n = |default| n.unwrap_or(default);
    let report = way.block_on(async {
        match what {
            What::Upload => http::run(way, http::From::Client, n(64 << 20)).await,
            What::Download => http::run(way, http::From::Server, n(64 << 20)).await,
            What::Messages => messages::run(way, n(20_000)).await,
            What::Quic => quic::run(way, n(64 << 20)).await,
            What::App => app::run(way).await.map(|never| match never {}),
        }
    })?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}
