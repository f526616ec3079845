//! The scenarios, each written once, over what the simulators have in common.

mod bugs;
mod echo;
mod measure;
mod sleeps;

use std::future::Future;
use std::time::Duration;

pub use measure::{Args, Report, Scenario, main};

/// A simulator, as far as the scenarios need one.
pub trait Simulator: 'static {
    type Listener: Send + Sync + 'static;
    type Stream: Stream;

    /// Runs `server` on a host of its own, and each client on one of its own, until the clients are done. Returns how much
    /// virtual time has passed.
    fn run<S, C>(setup: Setup, server: impl Fn() -> S + Send + 'static, clients: Vec<C>) -> Duration
    where
        S: Future<Output = ()> + Send + 'static,
        C: Future<Output = ()> + Send + 'static;

    /// Runs `main` on the only host there is.
    fn run_alone(setup: Setup, main: impl Future<Output = ()> + Send + 'static) -> Duration;

    /// Starts a task, which runs on when what comes back is dropped.
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

/// What a simulation is made with.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub seed: u64,
    /// Links take 1 to 10 ms, with the mean of 5.5; here as turmoil distributes them, with one of 2.8.
    pub own_curve: bool,
    /// Exact or coarse: how far a simulator that ticks goes in one.
    pub tick: Duration,
    /// How long it may take at most, of virtual time.
    pub limit: Duration,
}

/// The server has time to listen before anybody connects.
async fn connect_late<S: Simulator>() -> S::Stream {
    S::sleep(Duration::from_millis(20)).await;
    S::connect().await
}
