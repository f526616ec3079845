use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::Duration;

use crate::{Called, Operation};

/// A way to use a runtime: by itself, through anyrt, or through another layer.
///
/// Each method is exactly the call that a user of that way would write.
pub trait Way: Clone + Send + Sync + 'static {
    /// Operations that it does not have; their methods are never called.
    const LACKS: &'static [Operation] = &[Operation::Current];

    type Stream: Send + 'static;
    type Listener: Send + Sync + 'static;

    /// Starts with as many workers as the environment says.
    fn start() -> Self;

    /// Runs `main` as a task, and waits for it without driving other tasks.
    fn block_on<F>(&self, main: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (done, wait) = mpsc::channel();
        self.detach(Called::new(async move {
            // The receiver exists until it gets the result.
            let _ = done.send(main.await);
        }));
        wait.recv().expect("the task does not panic")
    }

    fn spawn<F>(&self, future: F) -> impl Future<Output: Send> + Send + 'static
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static;

    /// Spawns a task, and drops its handle.
    fn detach<F>(&self, future: F)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static;

    fn spawn_blocking<F, T>(&self, _: F) -> impl Future<Output: Send> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        lacks::<std::future::Ready<()>>()
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output: Send> + Send + 'static;

    fn timeout<F>(&self, _: Duration, _: F) -> impl Future<Output: Send> + Send
    where
        F: Future + Send,
        F::Output: Send,
    {
        lacks::<std::future::Ready<()>>()
    }

    fn yield_now(&self) -> impl Future<Output: Send> + Send {
        lacks::<std::future::Ready<()>>()
    }

    /// Finds the runtime of the task that asks.
    fn current() -> impl Sized {
        lacks::<()>()
    }

    /// Waits for this number of ticks.
    fn interval(&self, _: Duration, _: u64) -> impl Future<Output = ()> + Send {
        lacks::<std::future::Ready<()>>()
    }

    fn listen(&self, _: SocketAddr) -> impl Future<Output = io::Result<(Self::Listener, SocketAddr)>> + Send {
        lacks::<std::future::Ready<_>>()
    }

    fn accept(_: &Self::Listener) -> impl Future<Output = io::Result<Self::Stream>> + Send {
        lacks::<std::future::Ready<_>>()
    }

    fn connect(&self, _: SocketAddr) -> impl Future<Output = io::Result<Self::Stream>> + Send {
        lacks::<std::future::Ready<_>>()
    }

    fn read(_: &mut Self::Stream, _: &mut [u8]) -> impl Future<Output = io::Result<usize>> + Send {
        lacks::<std::future::Ready<_>>()
    }

    fn write_all(_: &mut Self::Stream, _: &[u8]) -> impl Future<Output = io::Result<()>> + Send {
        lacks::<std::future::Ready<_>>()
    }
}

/// The streams and listeners of a way without sockets.
pub enum Absent {}

fn lacks<T>() -> T {
    unreachable!("a way that lacks an operation is not asked for it")
}
