//! The functions that a pool needs of its runtime: an enum of the known runtimes, one of which its user has to pass.

use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Runtime {
    #[cfg(feature = "tokio")]
    Tokio1,
    #[cfg(feature = "async-std")]
    AsyncStd1,
    #[cfg(feature = "smol")]
    Smol2,
}

#[allow(unused_variables, reason = "when no runtime is compiled in there is nothing to do")]
impl Runtime {
    /// The time limits of a pool need timers.
    pub(crate) fn of_pool(named: Option<Self>) -> io::Result<Self> {
        named.ok_or_else(|| io::Error::new(io::ErrorKind::Unsupported, "No runtime specified"))
    }

    /// Returns `None` when the time is up.
    pub(crate) async fn timeout<F: Future>(&self, limit: Duration, future: F) -> Option<F::Output> {
        match *self {
            #[cfg(feature = "tokio")]
            Self::Tokio1 => tokio::time::timeout(limit, future).await.ok(),
            #[cfg(feature = "async-std")]
            Self::AsyncStd1 => async_std::future::timeout(limit, future).await.ok(),
            #[cfg(feature = "smol")]
            Self::Smol2 => {
                let elapsed = async {
                    smol::Timer::after(limit).await;
                    None
                };
                smol::future::or(async { Some(future.await) }, elapsed).await
            }
        }
    }

    /// A panic of `job` is an error.
    pub(crate) async fn spawn_blocking<F, T>(&self, job: F) -> io::Result<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let job =
            || catch_unwind(AssertUnwindSafe(job)).map_err(|_| io::Error::other("the closure panicked"));
        match *self {
            #[cfg(feature = "tokio")]
            Self::Tokio1 => tokio::task::spawn_blocking(job).await?,
            #[cfg(feature = "async-std")]
            Self::AsyncStd1 => async_std::task::spawn_blocking(job).await,
            #[cfg(feature = "smol")]
            Self::Smol2 => smol::unblock(job).await,
        }
    }

    /// Runs `job` in the background.
    pub(crate) fn spawn_blocking_background<F>(&self, job: F)
    where
        F: FnOnce() + Send + 'static,
    {
        match *self {
            #[cfg(feature = "tokio")]
            Self::Tokio1 => drop(tokio::task::spawn_blocking(job)),
            #[cfg(feature = "async-std")]
            Self::AsyncStd1 => drop(async_std::task::spawn_blocking(job)),
            // Dropping the handle would cancel the closure.
            #[cfg(feature = "smol")]
            Self::Smol2 => smol::unblock(job).detach(),
        }
    }
}
