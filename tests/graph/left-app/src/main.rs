//! An application on tokio.

use std::io;

use anyrt::{AnyRuntime, Tokio};
use mid::{Service, Threads};
use tokio::runtime::Builder;

const TOKIO: &[&str] = &["left-tokio"];
const THREADS: Threads = Threads { tasks: TOKIO, jobs: TOKIO, wakers: TOKIO };

fn main() -> io::Result<()> {
    let tokio = Builder::new_multi_thread().thread_name("left-tokio").enable_all().build()?;
    tokio.block_on(run())
}

async fn run() -> io::Result<()> {
    let here = AnyRuntime::from(Tokio::current());
    let service = Service::start().await?;
    let mut report = service.visit().await?;
    report.add(service.close().await?);
    report.assert_done_by(&here, THREADS);
    report.assert_called_from(&["main"]);

    let report = left::tour().await?;
    report.assert_done_by(&here, THREADS);
    report.assert_called_from(TOKIO);

    println!("left-app: everything ran on tokio");
    Ok(())
}
