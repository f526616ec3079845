//! Signals of the process: Ctrl-C on every system, others on Unix; with feature `signal`.

#[cfg(unix)]
pub mod unix;
#[cfg(windows)]
mod windows;

use std::future::{Future, pending};
use std::io;

#[cfg(unix)]
use self::unix::interrupted;
#[cfg(windows)]
use self::windows::interrupted;
use super::find;
use crate::AnyRuntime;
use crate::runtime::Driver;

/// Waits until the user presses Ctrl-C.
///
/// It listens from this call on: a Ctrl-C between the call and the first poll is not missed. Several calls may wait at
/// the same time, and all complete. From the first call on, **Ctrl-C no longer ends the process** by itself, even if
/// nothing waits for it any more.
///
/// In a simulation it waits for ever.
///
/// # Cancel safety
///
/// Dropping the future unregisters it. A loop that calls this in each turn misses a Ctrl-C between two turns: keep one
/// future, or keep a
#[cfg_attr(unix, doc = "[`Signal`](unix::Signal).")]
#[cfg_attr(not(unix), doc = "`Signal` on Unix.")]
///
/// # Errors
///
/// If no runtime with sockets [is current](crate::guide::differences#which-runtime-is-current), or if the system has no
/// descriptors left.
///
/// # Examples
///
/// ```no_run
/// use std::io;
///
/// async fn serve() -> io::Result<()> {
///     loop { /* accept and answer */ }
/// }
///
/// async fn run() -> io::Result<()> {
///     anyrt::select! {
///         ended = serve() => ended,
///         pressed = anyrt::signal::ctrl_c() => pressed,
///     }
/// }
/// ```
pub fn ctrl_c() -> impl Future<Output = io::Result<()>> + Send + 'static {
    let waiting = runtime().map(|runtime| runtime.map(interrupted));
    async {
        match waiting? {
            Some(interrupted) => interrupted?.await,
            None => pending().await,
        }
    }
}

/// The current runtime; `None` in a simulation, which has no signals.
fn runtime() -> io::Result<Option<AnyRuntime>> {
    Ok(find(Driver::Io)?.into_sim().err())
}
