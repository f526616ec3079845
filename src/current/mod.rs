//! The current runtime, and the free functions that use it.

mod builder;
mod instant;
mod join_set;
pub(crate) mod net;
mod random;
#[cfg(all(feature = "signal", any(unix, windows)))]
pub mod signal;
mod spawn;
pub(crate) mod time;
#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub use self::unix::remove_socket;
pub use random::{RandomState, random_seed};
pub use spawn::{
    block_on, spawn, spawn_blocking, try_block_on, try_spawn, try_spawn_blocking, try_yield_now, yield_now,
};

use std::fmt;
use std::io;
use std::sync::OnceLock;

use crate::AnyRuntime;
use crate::any::{Ownership, innermost, native_context};
use crate::runtime::{Driver, NoRuntime};

static DEFAULT: OnceLock<AnyRuntime> = OnceLock::new();

impl AnyRuntime {
    /// Returns the current runtime: the one that this code runs on, or the default of the process.
    ///
    /// [Which runtime is current](crate::guide::differences#which-runtime-is-current) has the order. The handle is weak:
    /// it does not keep the runtime alive.
    ///
    /// All code that runs as part of a task finds the task's runtime: its polls, its destructor, and the destructor of
    /// an output or a panic that nobody awaits. The same holds for a blocking closure, even if it is dropped in the
    /// queue. A value that the holder of a task handle drops finds the holder's current runtime, and so does a future
    /// that is dropped at once because its runtime is gone. Wakers have no promised runtime: a waker runs wherever it
    /// is woken, for example on the thread of a reactor, which belongs to no runtime.
    ///
    /// # Panics
    ///
    /// If no runtime is current; the message says what to write. See [`try_current`](Self::try_current).
    ///
    /// <details><summary>Scenarios</summary>
    ///
    /// `current_in_a_task_is_its_runtime`, `current_in_block_on_is_its_runtime`,
    /// `current_in_a_blocking_closure_is_its_runtime`, `current_in_a_destructor_is_its_runtime`,
    /// `current_in_the_destructor_of_an_output`, `current_in_the_destructor_of_a_queued_closure`,
    /// `current_in_a_destructor_at_shutdown_is_its_runtime`,
    /// `current_in_the_destructor_of_a_closure_at_shutdown`, `current_keeps_nothing_alive`,
    /// `future_on_a_gone_runtime_is_dropped_by_its_caller`.</details>
    #[track_caller]
    pub fn current() -> Self {
        match Self::try_current() {
            Ok(runtime) => runtime,
            Err(error) => error.panic(),
        }
    }

    /// Returns the current runtime, or an error if no runtime is current.
    ///
    /// # Errors
    ///
    /// [`NoRuntime`], whose text says which backends are compiled in, what was found, and the line to write.
    #[track_caller]
    pub fn try_current() -> Result<Self, NoRuntime> {
        find(Driver::None)
    }

    /// Makes this the default runtime of the process: the current one wherever there is no other. Works once.
    ///
    /// For applications: call it at the beginning of `main`. The runtime stays alive until the process ends.
    ///
    /// # Errors
    ///
    /// If there is a default already; the error contains the runtime and drops it.
    ///
    /// # Examples
    ///
    /// ```
    /// fn start(runtime: anyrt::AnyRuntime) -> std::io::Result<()> {
    ///     runtime.set_default()?;
    ///     anyrt::block_on(async { println!("on the default runtime") });
    ///     Ok(())
    /// }
    /// ```
    pub fn set_default(self) -> Result<(), SetDefaultError> {
        DEFAULT.set(self).map_err(|runtime| SetDefaultError { runtime })
    }
}

/// The current runtime, for something that needs `driver`: a handle that keeps nothing alive.
#[inline(never)]
#[track_caller]
pub(crate) fn find(driver: Driver) -> Result<AnyRuntime, NoRuntime> {
    look_up(driver, Ownership::Weak)
}

/// The current runtime, as an owned handle if it was made current with one.
#[track_caller]
pub(crate) fn find_kept(driver: Driver) -> Result<AnyRuntime, NoRuntime> {
    look_up(driver, Ownership::AsFound)
}

/// The order is a promise: the table in `src/guide/differences.md`, row by row.
#[inline]
#[track_caller]
fn look_up(driver: Driver, ownership: Ownership) -> Result<AnyRuntime, NoRuntime> {
    // A guard, or what anyrt itself is running on this thread.
    let innermost = innermost(ownership);
    let is_innermost = innermost.is_some();
    // A context that the runtime knows of by itself.
    match innermost.or_else(native_context) {
        Some(runtime) if runtime.has(driver) => Ok(runtime),
        Some(_) if is_innermost => Err(NoRuntime::driver_is_off(driver)),
        native => default(driver, ownership, native.is_some()),
    }
}

/// The runtime of the process; `is_off` where there is a native one that lacks the driver.
#[track_caller]
fn default(driver: Driver, ownership: Ownership, is_off: bool) -> Result<AnyRuntime, NoRuntime> {
    match DEFAULT.get() {
        Some(runtime) if runtime.has(driver) => Ok(ownership.handle_to(runtime)),
        None if !is_off => Err(NoRuntime::nowhere()),
        _ => Err(NoRuntime::driver_is_off(driver)),
    }
}

/// Error of [`AnyRuntime::set_default`]: the process has a default runtime already.
///
/// It converts into an [`io::Error`] of kind `AlreadyExists`.
pub struct SetDefaultError {
    runtime: AnyRuntime,
}

impl SetDefaultError {
    /// Returns the runtime that did not become the default.
    pub fn into_runtime(self) -> AnyRuntime {
        self.runtime
    }
}

/// The text of its `Display`, which a `main` prints that returns it.
impl fmt::Debug for SetDefaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for SetDefaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the process has a default runtime already: `set_default` is for the beginning of `main`, once. Use \
             `AnyRuntime::enter` for a part of the program.",
        )
    }
}

impl std::error::Error for SetDefaultError {}

impl From<SetDefaultError> for io::Error {
    fn from(error: SetDefaultError) -> Self {
        io::Error::new(io::ErrorKind::AlreadyExists, error)
    }
}
