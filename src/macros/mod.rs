//! What `#[anyrt::test]`, `#[anyrt::main]` and `select!` expand to. It is no part of the API: the crate `anyrt-macros` is of the very
//! same version.
//!
//! Here are the runtimes that are called by a word, in the order of their tests, as `anyrt-macros` has them: a part of the registry.

mod anywhere;
mod ended;
mod program;
mod select;
#[cfg(feature = "sim")]
mod simulated;
mod test;

use std::fmt;
use std::io;

pub use anyrt_macros::{join, select, try_join};

pub use self::anywhere::from_anywhere;
pub use self::ended::{EndOfResult, EndOfTest, Ended};
pub use self::program::Program;
#[cfg(feature = "sim")]
pub use self::simulated::Simulated;
pub use self::test::{Body, Test, known, no_backend, skipped};
#[cfg(feature = "async-std")]
use crate::AsyncStd;
#[cfg(feature = "sim")]
use crate::Sim;
#[cfg(feature = "smol")]
use crate::Smol;
#[cfg(feature = "tokio")]
use crate::Tokio;
use crate::{AnyRuntime, Builder};

/// A runtime that is called by a word.
pub struct Named {
    word: &'static str,
    // Of several that are one, the first is meant by the feature.
    feature: &'static str,
    start: fn(workers: Option<usize>) -> io::Result<AnyRuntime>,
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word)
    }
}

/// One of its own, with worker threads.
#[cfg(feature = "tokio")]
pub static TOKIO: Named = Named {
    word: "tokio",
    feature: "tokio",
    start: |workers| Ok(with(workers, Tokio::builder()).build()?.into()),
};

/// One of its own, whose tasks run on the thread of `block_on`.
#[cfg(feature = "tokio")]
pub static TOKIO_CURRENT_THREAD: Named =
    Named { word: "tokio_current_thread", feature: "tokio", start: |_| Ok(Tokio::current_thread()?.into()) };

/// One of its own.
#[cfg(feature = "smol")]
pub static SMOL: Named = Named {
    word: "smol",
    feature: "smol",
    start: |workers| Ok(with(workers, Smol::builder()).build()?.into()),
};

/// That of the process.
#[cfg(feature = "smol")]
pub static SMOL_GLOBAL: Named =
    Named { word: "smol_global", feature: "smol", start: |_| Ok(Smol::global().into()) };

/// That of the process.
#[cfg(feature = "async-std")]
pub static ASYNC_STD: Named =
    Named { word: "async_std", feature: "async-std", start: |_| Ok(AsyncStd::global().into()) };

/// A simulation.
#[cfg(feature = "sim")]
pub static SIM: Named = Named { word: "sim", feature: "sim", start: |_| Ok(Sim::new()?.into()) };

/// With so many workers, if somebody has said how many.
#[allow(dead_code, reason = "without a runtime of its own there is no builder")]
fn with<R>(workers: Option<usize>, builder: Builder<R>) -> Builder<R> {
    match workers {
        Some(workers) => builder.worker_threads(workers),
        None => builder,
    }
}

/// Those that are compiled in. The simulation is the last.
static COMPILED_IN: &[&Named] = &[
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

/// What its first argument is.
#[doc(hidden)]
#[macro_export]
macro_rules! __if_on {
    ({ $($on:tt)* } { $($off:tt)* }) => { $($on)* };
}

/// What its second argument is.
#[doc(hidden)]
#[macro_export]
macro_rules! __if_off {
    ({ $($on:tt)* } { $($off:tt)* }) => { $($off)* };
}

// Which of the two it is follows from the features of anyrt. A `cfg` in what an attribute expands to would ask for those of
// the caller.
#[cfg(not(feature = "async-std"))]
pub use crate::__if_off as if_async_std;
#[cfg(any(feature = "tokio", feature = "smol", feature = "async-std", feature = "sim"))]
pub use crate::__if_off as if_no_backend;
#[cfg(not(feature = "sim"))]
pub use crate::__if_off as if_sim;
#[cfg(not(feature = "smol"))]
pub use crate::__if_off as if_smol;
#[cfg(not(feature = "tokio"))]
pub use crate::__if_off as if_tokio;
#[cfg(feature = "async-std")]
pub use crate::__if_on as if_async_std;
#[cfg(not(any(feature = "tokio", feature = "smol", feature = "async-std", feature = "sim")))]
pub use crate::__if_on as if_no_backend;
#[cfg(feature = "sim")]
pub use crate::__if_on as if_sim;
#[cfg(feature = "smol")]
pub use crate::__if_on as if_smol;
#[cfg(feature = "tokio")]
pub use crate::__if_on as if_tokio;
