//! The scenarios, written once over the common operations of the simulators.

mod bugs;
mod echo;
mod measure;
mod sleeps;

use std::future::Future;
use std::time::Duration;

pub use measure::{Args, Report, Scenario, main};

/// The operations of a simulator that the scenarios need.
pub trait Simulator: 'static {
    type Listener: Send + Sync + 'static;
    type Stream: Stream;

    /// Runs `server` on a host of its own, and each client on a host of its own, until the clients are done. Returns
    /// the virtual time that has passed.
    fn run<S, C>(setup: Setup, server: impl Fn() -> S + Send + 'static, clients: Vec<C>) -> Duration
    where
        S: Future<Output = ()> + Send + 'static,
        C: Future<Output = ()> + Send + 'static;

    /// Runs `main` on the only host there is.
    fn run_alone(setup: Setup, main: impl Future<Output = ()> + Send + 'static) -> Duration;

    /// Starts a task, which continues if its handle is dropped.
    fn spawn(task: impl Future<Output = ()> + Send + 'static) -> impl Future<Output = ()> + Send + 'static;

    fn sleep(duration: Duration) -> impl Future<Output = ()> + Send;

    fn yield_now() -> impl Future<Output = ()> + Send;

    /// Listens, on the host of the server.
    fn listen() -> impl Future<Output = Self::Listener> + Send;

    fn accept(listener: &Self::Listener) -> impl Future<Output = Self::Stream> + Send;

    /// Connects to the server.
    fn connect() -> impl Future<Output = Self::Stream> + Send;
}

/// A connection.
pub trait Stream: Send + 'static {
    /// Writes a message, and flushes it.
    fn send(&mut self, message: &[u8]) -> impl Future<Output = ()> + Send;

    /// Reads a message of this length, or sees the end.
    fn receive(&mut self, message: &mut [u8]) -> impl Future<Output = bool> + Send;
}

/// Set-up of a simulation.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub seed: u64,
    /// Latencies of links are 1 to 10 ms with a mean of 5.5 ms; with this, as turmoil distributes them, with a mean of
    /// 2.8 ms.
    pub own_curve: bool,
    /// Step of a simulator that advances in ticks: exact or coarse.
    pub tick: Duration,
    /// Limit of virtual time.
    pub limit: Duration,
}

/// Connects after a pause, in which the server begins to listen.
async fn connect_late<S: Simulator>() -> S::Stream {
    S::sleep(Duration::from_millis(20)).await;
    S::connect().await
}
