//! Runtimes by name, and the choice of one for a program: a part of the registry. Their order is that of their tests,
//! as in `anyrt-macros`.

#![allow(unreachable_pub, reason = "`macros` has them in the API, where that feature is on")]

mod builder;
mod choose;

use std::fmt;
use std::io;

pub(crate) use self::choose::chosen;
use crate::AnyRuntime;
#[cfg(feature = "async-std")]
use crate::AsyncStd;
#[cfg(feature = "sim")]
use crate::Sim;
#[cfg(feature = "smol")]
use crate::Smol;
#[cfg(feature = "tokio")]
use crate::Tokio;
use crate::runtime::builder::Builder;

/// A runtime with its name.
pub struct Named {
    pub(crate) word: &'static str,
    // Of several that are one, the first is meant by the feature.
    feature: &'static str,
    pub(crate) start: fn(Builder<AnyRuntime>) -> io::Result<AnyRuntime>,
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word)
    }
}

/// One of its own, with worker threads.
#[cfg(feature = "tokio")]
pub static TOKIO: Named =
    Named { word: "tokio", feature: "tokio", start: |builder| Ok(builder.of::<Tokio>().build()?.into()) };

/// One of its own, whose tasks run on the thread of `block_on`.
#[cfg(feature = "tokio")]
pub static TOKIO_CURRENT_THREAD: Named =
    Named { word: "tokio_current_thread", feature: "tokio", start: |_| Ok(Tokio::current_thread()?.into()) };

/// One of its own.
#[cfg(feature = "smol")]
pub static SMOL: Named =
    Named { word: "smol", feature: "smol", start: |builder| Ok(builder.of::<Smol>().build()?.into()) };

/// That of the process.
#[cfg(feature = "smol")]
pub static SMOL_GLOBAL: Named =
    Named { word: "smol_global", feature: "smol", start: |builder| of_the_process(&builder, Smol::global()) };

/// That of the process.
#[cfg(feature = "async-std")]
pub static ASYNC_STD: Named = Named {
    word: "async_std",
    feature: "async-std",
    start: |builder| of_the_process(&builder, AsyncStd::global()),
};

/// A simulation.
#[cfg(feature = "sim")]
pub static SIM: Named = Named { word: "sim", feature: "sim", start: |_| Ok(Sim::new()?.into()) };

/// A runtime of the process, whose threads are not for a builder to say; but one thread is a promise.
#[allow(dead_code, reason = "not every runtime is of the process")]
fn of_the_process(builder: &Builder<AnyRuntime>, runtime: impl Into<AnyRuntime>) -> io::Result<AnyRuntime> {
    if builder.is_single_threaded() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "anyrt: this runtime belongs to the process and has threads of its own; `single_threaded` needs tokio or an owned smol",
        ));
    }
    Ok(runtime.into())
}

/// Those that are compiled in. The simulation is the last.
pub(crate) static COMPILED_IN: &[&Named] = &[
    #[cfg(feature = "tokio")]
    &TOKIO,
    #[cfg(feature = "tokio")]
    &TOKIO_CURRENT_THREAD,
    #[cfg(feature = "smol")]
    &SMOL,
    #[cfg(feature = "smol")]
    &SMOL_GLOBAL,
    #[cfg(feature = "async-std")]
    &ASYNC_STD,
    #[cfg(feature = "sim")]
    &SIM,
];
