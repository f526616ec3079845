//! any_spawner: one executor for the process, which only spawns tasks.

use std::future::Future;
use std::time::Duration;

use any_spawner::Executor;
use futures::channel::oneshot;
use harness::{Absent, Operation, Way};

#[derive(Clone)]
pub(crate) struct Tokio(&'static tokio::runtime::Runtime);

const LACKS: &[Operation] = &[
    Operation::SpawnBlocking,
    Operation::SleepCreate,
    Operation::SleepDrop,
    Operation::SleepZero,
    Operation::TimeoutReady,
    Operation::TimeoutPending,
    Operation::Yield,
    Operation::Current,
    Operation::TcpPingPong,
    Operation::TcpThroughput,
    Operation::Tcp256,
    Operation::Interval,
];

impl Way for Tokio {
    const LACKS: &'static [Operation] = LACKS;

    type Stream = Absent;
    type Listener = Absent;

    fn start() -> Self {
        Executor::init_tokio().expect("it is the first");
        Self(crate::tokio())
    }

    crate::in_tokio!(self => self.0);

    /// It has no handles: users send the output through a channel.
    fn spawn<F>(&self, future: F) -> impl Future<Output: Send> + Send + 'static
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (done, wait) = oneshot::channel();
        Executor::spawn(async move {
            // The receiver may be dropped.
            let _ = done.send(future.await);
        });
        wait
    }

    fn detach<F>(&self, future: F)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Executor::spawn(async move { drop(future.await) });
    }

    fn sleep(&self, _: Duration) -> impl Future<Output: Send> + Send + 'static {
        {
            unreachable!("it has none");
            #[allow(unreachable_code, reason = "it says what type the future would have")]
            std::future::ready(())
        }
    }
}
