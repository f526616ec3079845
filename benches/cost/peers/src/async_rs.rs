//! async-rs: a runtime with a type parameter.

use std::future::Future;
use std::time::Duration;

use async_rs::traits::{Executor as _, Reactor as _};
use async_rs::{Runtime, SmolRuntime, TokioRuntime};
use harness::{Absent, Operation, Way};

/// It has no listener, no timeout, and no yield; its intervals are streams that miss ticks in their own ways.
const LACKS: &[Operation] = &[
    Operation::TimeoutReady,
    Operation::TimeoutPending,
    Operation::Yield,
    Operation::Current,
    Operation::TcpPingPong,
    Operation::TcpThroughput,
    Operation::Tcp256,
    Operation::Interval,
];

#[derive(Clone)]
pub(crate) struct Tokio(TokioRuntime, &'static tokio::runtime::Runtime);

#[derive(Clone)]
pub(crate) struct Smol(SmolRuntime);

impl Way for Tokio {
    const LACKS: &'static [Operation] = LACKS;

    type Stream = Absent;
    type Listener = Absent;

    fn start() -> Self {
        let runtime = crate::tokio();
        Self(Runtime::tokio_with_handle(runtime.handle().clone()), runtime)
    }

    crate::in_tokio!(self => self.1);

    fn spawn<F>(&self, future: F) -> impl Future<Output: Send> + Send + 'static
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.0.spawn(future)
    }

    fn detach<F>(&self, future: F)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        drop(self.0.spawn(future));
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
}

impl Way for Smol {
    const LACKS: &'static [Operation] = LACKS;

    type Stream = Absent;
    type Listener = Absent;

    fn start() -> Self {
        Self(Runtime::smol())
    }

    fn spawn<F>(&self, future: F) -> impl Future<Output: Send> + Send + 'static
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.0.spawn(future)
    }

    fn detach<F>(&self, future: F)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        drop(self.0.spawn(future));
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
}
