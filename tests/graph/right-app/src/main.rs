//! An application on smol that sets its default runtime: being compiled in makes no runtime current.

use std::io;

use anyrt::{AnyRuntime, Smol};
use mid::{Service, Threads};

/// The reactor is driven by an idle thread in `block_on`, or else by a thread of its own.
const THREADS: Threads =
    Threads { tasks: &["smol-"], jobs: &["blocking-"], wakers: &["smol-", "main", "async-io"] };

fn main() -> io::Result<()> {
    match AnyRuntime::try_current() {
        Ok(runtime) => println!("right-app: it is {runtime:?}"),
        Err(error) => println!("right-app: {error}"),
    }
    AnyRuntime::from(Smol::global()).set_default()?;
    anyrt::block_on(run())?;
    println!("right-app: everything ran on smol");
    Ok(())
}

async fn run() -> io::Result<()> {
    let service = Service::start().await?;
    let mut report = service.visit().await?;
    report.add(service.close().await?);
    report.assert_done_by(&Smol::global().into(), THREADS);
    report.assert_called_from(&["main"]);
    Ok(())
}
