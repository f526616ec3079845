//! Signals of the process: Ctrl-C on every system, others on Unix; with feature `signal`.

#[cfg(unix)]
pub mod unix;
#[cfg(windows)]
mod windows;

use std::future::{Future, poll_fn};
use std::io;

#[cfg(unix)]
use self::unix::interrupted;
#[cfg(windows)]
use self::windows::interrupted;
use super::find;
use crate::AnyRuntime;
use crate::backend::MaybeSim;
use crate::runtime::Driver;

/// Waits until the user presses Ctrl-C.
///
/// It listens from this call on: a Ctrl-C between the call and the first poll is not missed. Several calls may wait at
/// the same time, and all complete. From the first call on, **Ctrl-C no longer ends the process** by itself, even if
/// nothing waits for it any more.
///
/// In a simulation it waits for ever. A simulation that is stuck names the tasks that wait for a signal.
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
#[track_caller]
pub fn ctrl_c() -> impl Future<Output = io::Result<()>> + Send + 'static {
    let waiting = place().map(|place| match place {
        Place::System(runtime) => Ok(interrupted(runtime)),
        Place::Simulation(sim) => Err(sim),
    });
    async {
        match waiting? {
            Ok(interrupted) => interrupted?.await,
            Err(sim) => poll_fn(|cx| sim.poll_signal(cx)).await,
        }
    }
}

/// Where the caller is.
enum Place {
    /// On a runtime whose process gets signals.
    System(AnyRuntime),
    /// In a simulation, which has no signals.
    Simulation(MaybeSim),
}

#[track_caller]
fn place() -> io::Result<Place> {
    Ok(find(Driver::Io)?.into_sim().map_or_else(Place::System, Place::Simulation))
}
