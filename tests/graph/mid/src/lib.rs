//! A typical library on anyrt: it names no runtime and enables no feature.
//!
//! Unlike others, it reports on which threads it worked, so that applications can check whose threads they are.

mod report;
mod wire;
mod woken;

use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyrt::net::TcpListener;
use anyrt::task::{AbortOnDropHandle, JoinHandle};
use anyrt::{AnyRuntime, Net, Time};

pub use report::{Report, Threads};
use woken::{Woken, waited};

const SOON: Duration = Duration::from_millis(2);

/// Only a hang takes this long.
const NEVER: Duration = Duration::from_secs(60);

/// A service that greets clients and has a heartbeat.
#[derive(Debug)]
pub struct Service {
    runtime: AnyRuntime,
    addr: SocketAddr,
    closing: Arc<AtomicBool>,
    heart: JoinHandle<Report>,
    _server: AbortOnDropHandle<io::Result<()>>,
}

impl Service {
    /// Starts on the current runtime.
    pub async fn start() -> io::Result<Self> {
        Self::start_on(AnyRuntime::current()).await
    }

    /// Starts on the given runtime.
    pub async fn start_on(runtime: impl Into<AnyRuntime>) -> io::Result<Self> {
        let runtime = runtime.into();
        let closing = Arc::new(AtomicBool::new(false));
        let listener = runtime.tcp_bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let server = runtime.spawn(serve(listener)).abort_on_drop();
        let heart = runtime.spawn(beat(runtime.clone(), closing.clone()));
        Ok(Self { runtime, addr, closing, heart, _server: server })
    }

    /// Uses every operation once, wherever the caller polls the future.
    pub async fn visit(&self) -> io::Result<Report> {
        let mut report = Report::default();
        report.called();

        // Repeats only if the socket had yielded for the budget and found the answer afterwards.
        while report.sockets.is_empty() {
            let stream = self.runtime.timeout(NEVER, self.runtime.tcp_connect(self.addr)).await??;
            let (greeter, wakers) = self.runtime.timeout(NEVER, wire::ask(stream)).await??;
            report.tasks.insert(greeter);
            report.sockets.extend(wakers);
            report.called();
        }

        let (elapsed, wakers) = waited(|| self.runtime.timeout(SOON, pending::<()>())).await;
        elapsed.expect_err("nothing happens");
        report.timers.extend(wakers);
        report.called();

        report.add(self.runtime.spawn_blocking(job).await?);
        report.add(self.runtime.spawn(task()).await??);
        report.called();
        Ok(report)
    }

    /// Ends the heartbeat, and returns where it ran.
    pub async fn close(self) -> io::Result<Report> {
        self.closing.store(true, Ordering::Release);
        Ok(self.heart.await?)
    }
}

async fn serve(listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        drop(anyrt::spawn(wire::answer(stream)));
    }
}

async fn beat(runtime: AnyRuntime, closing: Arc<AtomicBool>) -> Report {
    let mut report = Report::default();
    let mut interval = runtime.interval(SOON);
    while !closing.load(Ordering::Acquire) || report.timers.is_empty() {
        let (_, wakers) = Woken::new(interval.tick()).await;
        report.timers.extend(wakers);
        report.ran_a_task();
    }
    report
}

/// Nothing here has a handle: all calls use the current runtime.
async fn task() -> io::Result<Report> {
    let mut report = Report::default();
    report.ran_a_task();
    let (_, wakers) = waited(|| anyrt::time::sleep(SOON)).await;
    report.timers.extend(wakers);
    report.add(anyrt::spawn_blocking(job).await?);
    let nested = anyrt::spawn(async {
        let mut report = Report::default();
        report.ran_a_task();
        report
    });
    report.add(nested.await?);
    Ok(report)
}

fn job() -> Report {
    let mut report = Report::default();
    report.ran_a_job();
    report
}
