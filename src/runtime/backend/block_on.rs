use std::future::Future;
use std::io;
use std::time::Duration;

use crate::runtime::{ShutdownReport, not_owned};

/// Drives a future on a thread, and stops; what [`BlockOn`](crate::BlockOn) stands on. Programs call the methods of
/// `BlockOn`.
pub trait BlockOnBackend {
    /// Drives `future` on this thread until it completes.
    ///
    /// Programs call [`block_on`](crate::BlockOn::block_on), which makes nesting an error.
    fn run_until<F: Future>(&self, future: F) -> F::Output;

    /// Stops the runtime and waits for at most `timeout`; called by
    /// [`shutdown_timeout`](crate::BlockOn::shutdown_timeout).
    ///
    /// A backend that can be owned replaces it.
    ///
    /// # Errors
    ///
    /// `Unsupported`, unless this handle owns its runtime.
    fn stop(&self, timeout: Duration) -> io::Result<ShutdownReport> {
        let _ = timeout;
        Err(not_owned("a runtime of this kind cannot be stopped"))
    }
}
