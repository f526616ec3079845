//! The registry: every backend there is, and the only place that names their features.
//!
//! # What a backend folder holds
//!
//! - `mod.rs`: the runtime, a handle that is cheap to clone, and its [`Spawn`](crate::Spawn),
//!   [`BlockOn`](crate::BlockOn), [`Time`](crate::Time) and [`Net`](crate::Net), each method one call to the
//!   runtime's own; at its foot the [`conformance!`](crate::conformance!) line that holds it to the contract.
//! - `task.rs`: what its own join handle needs to become a [`JoinHandle`](crate::task::JoinHandle).
//! - `time.rs`: its [`Sleep`](crate::runtime::Sleep).
//! - `net.rs`: its [`TcpStream`](crate::runtime::TcpStream) and [`TcpListener`](crate::runtime::TcpListener).
//!
//! smol and async-std stand on one reactor, one task type and one blocking pool: what they share is `async_io`.
//!
//! # How to add one
//!
//! A folder like the others, an entry here, a feature in Cargo.toml. A native join handle is a variant of
//! `JoinHandle`, which is there in every build; without its feature, `absent` stands in for it.

use cfg_if::cfg_if;

cfg_if! {
    if #[cfg(feature = "tokio")] {
        mod tokio;
        pub use self::tokio::Tokio;
        pub(crate) use self::tokio::task as tokio_task;
    } else {
        pub(crate) use absent as tokio_task;
    }
}

cfg_if! {
    if #[cfg(feature = "smol")] {
        mod smol;
        pub use self::smol::Smol;
    }
}

cfg_if! {
    if #[cfg(feature = "async-std")] {
        mod async_std;
        pub use self::async_std::AsyncStd;
    }
}

cfg_if! {
    if #[cfg(any(feature = "smol", feature = "async-std"))] {
        mod async_io;
        pub(crate) use async_io::task as async_task;
    } else {
        pub(crate) use absent as async_task;
    }
}

#[cfg(not(all(feature = "tokio", any(feature = "smol", feature = "async-std"))))]
pub(crate) mod absent;
