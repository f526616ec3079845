//! Runtime support for the expansions of `#[anyrt::test]`, `#[anyrt::main]` and `select!`. It is not part of the public
//! API: the crate `anyrt-macros` has exactly the same version.

mod anywhere;
mod ended;
mod program;
mod select;
#[cfg(feature = "sim")]
mod simulated;
mod test;
mod watched;

pub use anyrt_macros::{join, select, try_join};

pub use self::anywhere::{counted, from_anywhere};
pub use self::ended::{EndOfResult, EndOfTest, Ended};
pub use self::program::Program;
#[cfg(feature = "sim")]
pub use self::simulated::Simulated;
pub use self::test::{Body, Test, known, no_backend, skipped};

#[cfg(feature = "async-std")]
pub use crate::named::ASYNC_STD;
pub use crate::named::Named;
#[cfg(feature = "sim")]
pub use crate::named::SIM;
#[cfg(feature = "smol")]
pub use crate::named::{SMOL, SMOL_GLOBAL};
#[cfg(feature = "tokio")]
pub use crate::named::{TOKIO, TOKIO_CURRENT_THREAD};

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
#[cfg(not(feature = "watch"))]
pub use crate::__if_off as if_watch;
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
#[cfg(feature = "watch")]
pub use crate::__if_on as if_watch;
