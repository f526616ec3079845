//! async_executors: traits over executors.

use std::future::Future;
use std::time::Duration;

use async_executors::{
    SpawnBlocking as _, SpawnHandleExt as _, Timer as _, TimerExt as _, TokioTp, YieldNow as _,
};
use futures::task::SpawnExt as _;
use harness::{Absent, Operation, Way};

/// It has no sockets and no intervals.
const LACKS: &[Operation] = &[
    Operation::Current,
    Operation::TcpPingPong,
    Operation::TcpThroughput,
    Operation::Tcp256,
    Operation::Interval,
];

#[derive(Clone)]
pub(crate) struct Tokio(TokioTp, &'static tokio::runtime::Runtime);

#[derive(Clone)]
pub(crate) struct AsyncStd(async_executors::AsyncStd);

impl Way for Tokio {
    const LACKS: &'static [Operation] = LACKS;

    type Stream = Absent;
    type Listener = Absent;

    fn start() -> Self {
        let runtime = crate::tokio();
        Self(TokioTp::try_from(runtime.handle().clone()).expect("it has workers"), runtime)
    }

    crate::in_tokio!(self => self.1);

    fn spawn<F>(&self, future: F) -> impl Future<Output: Send> + Send + 'static
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.0.spawn_handle(future).expect("it runs")
    }

    fn detach<F>(&self, future: F)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let task = async move { drop(future.await) };
        self.0.spawn(task).expect("it runs");
    }

    fn spawn_blocking<F, T>(&self, job: F) -> impl Future<Output: Send> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.0.spawn_blocking(job)
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output: Send> + Send + 'static {
        self.0.sleep(duration)
    }

    fn timeout<F>(&self, duration: Duration, future: F) -> impl Future<Output: Send> + Send
    where
        F: Future + Send,
        F::Output: Send,
    {
        self.0.timeout(duration, future)
    }

    fn yield_now(&self) -> impl Future<Output: Send> + Send {
        self.0.yield_now()
    }
}

impl Way for AsyncStd {
    const LACKS: &'static [Operation] = LACKS;

    type Stream = Absent;
    type Listener = Absent;

    fn start() -> Self {
        Self(async_executors::AsyncStd::new())
    }

    fn spawn<F>(&self, future: F) -> impl Future<Output: Send> + Send + 'static
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.0.spawn_handle(future).expect("it runs")
    }

    fn detach<F>(&self, future: F)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let task = async move { drop(future.await) };
        self.0.spawn(task).expect("it runs");
    }

    fn spawn_blocking<F, T>(&self, job: F) -> impl Future<Output: Send> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.0.spawn_blocking(job)
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output: Send> + Send + 'static {
        self.0.sleep(duration)
    }

    fn timeout<F>(&self, duration: Duration, future: F) -> impl Future<Output: Send> + Send
    where
        F: Future + Send,
        F::Output: Send,
    {
        self.0.timeout(duration, future)
    }

    fn yield_now(&self) -> impl Future<Output: Send> + Send {
        self.0.yield_now()
    }
}
