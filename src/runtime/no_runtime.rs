use std::fmt;
use std::io;
use std::panic::Location;

use super::task::native::COMPILED_IN;

/// Error: no runtime is current. Its text says which call needed one, which backends are compiled in, what was found on
/// this thread, and what to write.
///
/// It converts into an [`io::Error`] of kind `Unsupported`.
///
/// tokio 1.54 has no way to ask whether a runtime has timers and IO. anyrt therefore catches tokio's own panic, once
/// for each thread and runtime. A program built with `panic = "abort"` ends there, with tokio's message, in every call
/// that needs a driver: `try_sleep`, connecting, binding. [`AnyRuntime::try_current`](crate::AnyRuntime::try_current),
/// `try_spawn` and `try_spawn_blocking` need neither.
#[derive(Clone)]
pub struct NoRuntime {
    why: Why,
    // The call that needs a runtime; None in an `async fn`, to which rustc 1.95 passes no caller.
    place: Option<&'static Location<'static>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    Nowhere,
    DriverIsOff(Driver),
}

impl NoRuntime {
    #[track_caller]
    pub(crate) fn nowhere() -> Self {
        Self { why: Why::Nowhere, place: Some(Location::caller()) }
    }

    #[track_caller]
    pub(crate) fn driver_is_off(driver: Driver) -> Self {
        Self { why: Why::DriverIsOff(driver), place: Some(Location::caller()) }
    }

    pub(crate) fn without_place(self) -> Self {
        Self { place: None, ..self }
    }

    #[cold]
    #[track_caller]
    pub(crate) fn panic(self) -> ! {
        // The place is that of the panic.
        panic!("anyrt: {}", self.without_place())
    }
}

/// Whether both have the same cause, wherever the calls are.
impl PartialEq for NoRuntime {
    fn eq(&self, other: &Self) -> bool {
        self.why == other.why
    }
}

impl Eq for NoRuntime {}

/// The text of its `Display`: what `unwrap` prints is to be read, and a line in it to be copied.
impl fmt::Debug for NoRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `tests/messages.rs` compiles what it says to write.
impl fmt::Display for NoRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = self.place {
            write!(f, "anyrt, called at {place}: ")?;
        }
        // A simulation is no candidate: a program runs on it because somebody has made one.
        let (runtimes, sim) = match COMPILED_IN {
            [runtimes @ .., "sim"] => (runtimes, true),
            runtimes => (runtimes, false),
        };
        match (&self.why, runtimes) {
            (Why::DriverIsOff(Driver::Io), _) => f.write_str(
                "the tokio runtime of this thread was built without IO. Call `.enable_io()` or `.enable_all()` on its \
                 `tokio::runtime::Builder`.",
            ),
            (Why::DriverIsOff(Driver::Time | Driver::None), _) => f.write_str(
                "the tokio runtime of this thread was built without timers. Call `.enable_time()` or `.enable_all()` \
                 on its `tokio::runtime::Builder`.",
            ),
            (Why::Nowhere, []) if sim => f.write_str(
                "this thread is in no runtime; only the simulation is compiled in, and a program has to create one \
                 itself. Call it inside its `block_on` or a task, or enable a runtime in the Cargo.toml of the \
                 application, such as `anyrt = { version = \"0.1\", features = [\"tokio\"] }`.",
            ),
            (Why::Nowhere, []) => f.write_str(
                "no runtime is compiled in. Enable one in the Cargo.toml of the application, such as `anyrt = { version \
                 = \"0.1\", features = [\"tokio\"] }`, or hand over your own: \
                 `anyrt::AnyRuntime::custom(my_runtime).set_default()?;`.",
            ),
            (Why::Nowhere, [only]) => {
                let inside = match *only {
                    "tokio" => "`#[tokio::main]` or a task",
                    "smol" => "a task of anyrt, because those of smol are not known to it",
                    _ => "a task",
                };
                write!(
                    f,
                    "this thread is in no runtime; {only} is compiled in. Call it inside {inside}, or {}, or write {} at \
                     the beginning of `fn main() -> std::io::Result<()>`.",
                    attribute(only),
                    Lines(runtimes),
                )
            }
            (Why::Nowhere, [others @ .., last]) => write!(
                f,
                "this thread is in no runtime; {} and {last} are compiled in, and anyrt does not guess between them. \
                 Call it inside a task, or {}, or write {} at the beginning of `fn main() -> std::io::Result<()>`.",
                others.join(", "),
                attribute(others[0]),
                Lines(runtimes),
            ),
        }
    }
}

/// The attribute that runs an `async fn main` on this runtime.
fn attribute(runtime: &str) -> &'static str {
    match runtime {
        "tokio" => "inside an `async fn main` under `#[anyrt::main(tokio)]` (feature `macros`)",
        "smol" => "inside an `async fn main` under `#[anyrt::main(smol)]` (feature `macros`)",
        _ => "inside an `async fn main` under `#[anyrt::main(async_std)]` (feature `macros`)",
    }
}

/// The lines to write, one for each of these runtimes.
struct Lines(&'static [&'static str]);

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, name) in self.0.iter().enumerate() {
            let or = if n == 0 { "" } else { " or " };
            let line = match *name {
                "tokio" => "`anyrt::AnyRuntime::from(anyrt::Tokio::new()?).set_default()?;`",
                "smol" => "`anyrt::AnyRuntime::from(anyrt::Smol::global()).set_default()?;`",
                _ => "`anyrt::AnyRuntime::from(anyrt::AsyncStd::global()).set_default()?;`",
            };
            write!(f, "{or}{line}")?;
        }
        Ok(())
    }
}

impl std::error::Error for NoRuntime {}

impl From<NoRuntime> for io::Error {
    fn from(error: NoRuntime) -> Self {
        io::Error::new(io::ErrorKind::Unsupported, error)
    }
}

/// The driver that an operation needs, besides running tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driver {
    None,
    Time,
    Io,
}
