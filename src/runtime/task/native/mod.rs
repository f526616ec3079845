//! The tasks of the runtimes that are compiled in: their own join handles, and the budget of the task that a thread polls.
//!
//! One of the parts of the registry, with `backend`, `any/convert` and `macros`: a handle is an enum over these, in every build.

use cfg_if::cfg_if;

cfg_if! {
    if #[cfg(feature = "tokio")] {
        pub(crate) mod tokio;
    } else {
        pub(crate) use self::disabled as tokio;
    }
}

cfg_if! {
    if #[cfg(any(feature = "smol", feature = "async-std", feature = "sim"))] {
        pub(crate) mod async_task;
    } else {
        pub(crate) use self::disabled as async_task;
    }
}

#[cfg(not(all(feature = "tokio", any(feature = "smol", feature = "async-std", feature = "sim"))))]
#[allow(dead_code, reason = "which parts of it are needed depends on which runtime is absent")]
pub(crate) mod disabled;

pub(crate) use self::tokio::{Task, is_budget_spent, poll_budget, spend_budget, task};

/// The names of the backends that are compiled in. The simulation is the last: `NoRuntime` offers those before it.
pub(crate) const COMPILED_IN: &[&str] = &[
    #[cfg(feature = "tokio")]
    "tokio",
    #[cfg(feature = "smol")]
    "smol",
    #[cfg(feature = "async-std")]
    "async-std",
    #[cfg(feature = "sim")]
    "sim",
];
