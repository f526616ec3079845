//! An application with tokio and smol side by side, in which each service stays on its runtime.

use std::io;
use std::sync::Arc;

use anyrt::task::JoinSet;
use anyrt::{AnyRuntime, Smol, Tokio};
use mid::{Report, Service, Threads};
use tokio::runtime::{Builder, Handle};

const TOKIO: &[&str] = &["both-tokio"];
const OWNED_SMOL: &[&str] = &["anyrt-smol-"];
const GLOBAL_SMOL: &[&str] = &["smol-"];

/// A runtime, and the names of its threads.
#[derive(Clone)]
struct Home {
    runtime: AnyRuntime,
    threads: Threads,
}

/// The executor that polls a visit.
#[derive(Clone)]
enum Driver {
    Anyrt(Home),
    /// Tasks of `tokio::spawn` and `smol::spawn`, which anyrt does not know.
    Tokio(Handle),
    Smol,
}

fn main() -> io::Result<()> {
    let tokio =
        Builder::new_multi_thread().worker_threads(2).thread_name("both-tokio").enable_all().build()?;
    let on_tokio = Home {
        runtime: Tokio::from(tokio.handle().clone()).into(),
        threads: Threads { tasks: TOKIO, jobs: TOKIO, wakers: TOKIO },
    };
    let on_smol = Home {
        runtime: Smol::with_threads(2)?.into(),
        // One reactor serves both executors of smol.
        threads: Threads {
            tasks: OWNED_SMOL,
            jobs: &["anyrt-smol-blocking-"],
            wakers: &["anyrt-smol-", "smol-", "async-io"],
        },
    };
    // This thread only waits: it drives no reactor.
    tokio.block_on(run(on_tokio, on_smol))
}

async fn run(on_tokio: Home, on_smol: Home) -> io::Result<()> {
    let drivers = [
        Driver::Anyrt(on_tokio.clone()),
        Driver::Anyrt(on_smol.clone()),
        Driver::Tokio(Handle::current()),
        Driver::Smol,
    ];
    let mut stays = JoinSet::new();
    for (home, other) in [(&on_tokio, &on_smol), (&on_smol, &on_tokio)] {
        let at_home = home.runtime.spawn(Service::start()).await??;
        let from_afar = other.runtime.spawn(Service::start_on(home.runtime.clone())).await??;
        for service in [at_home, from_afar] {
            stays.spawn_on(stay(service, home.clone(), drivers.clone()), &home.runtime);
        }
    }
    let mut visits = 0;
    while let Some(stay) = stays.join_next().await {
        visits += stay??;
    }
    left::tour().await?.assert_done_by(&on_tokio.runtime, on_tokio.threads);
    println!("both-app: everything stayed where it belongs, in {visits} visits");
    Ok(())
}

/// Visits a service in every way at the same time; all of the work must be done on its own runtime.
async fn stay(service: Service, home: Home, drivers: [Driver; 4]) -> io::Result<usize> {
    let service = Arc::new(service);
    let mut visits = JoinSet::new();
    for driver in drivers {
        visits.spawn_on(visit(service.clone(), driver), &home.runtime);
    }
    let (mut all, mut count) = (Report::default(), 0);
    while let Some(report) = visits.join_next().await {
        let report = report??;
        report.assert_done_by(&home.runtime, home.threads);
        all.add(report);
        count += 1;
    }
    let service = Arc::into_inner(service).expect("a task that has ended holds nothing");
    all.add(service.close().await?);
    all.assert_done_by(&home.runtime, home.threads);
    Ok(count)
}

async fn visit(service: Arc<Service>, driver: Driver) -> io::Result<Report> {
    let visit = async move { service.visit().await };
    let (report, threads) = match driver {
        Driver::Anyrt(home) => (home.runtime.spawn(visit).await??, home.threads.tasks),
        Driver::Tokio(handle) => (handle.spawn(visit).await??, TOKIO),
        Driver::Smol => (smol::spawn(visit).await?, GLOBAL_SMOL),
    };
    report.assert_called_from(threads);
    Ok(report)
}
