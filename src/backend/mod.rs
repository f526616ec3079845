//! The registry of backends. It names their features, as its other parts do: `runtime/task/native`, `any/convert`,
//! `named` and `macros`.
//!
//! # What a backend folder holds
//!
//! - `mod.rs`: the runtime, a handle that is cheap to clone, and its [`Spawn`](crate::Spawn),
//!   [`BlockOn`](crate::BlockOn), [`Time`](crate::Time) and [`Net`](crate::Net), each method one call to the
//!   runtime's own; at its foot the [`conformance!`](crate::conformance!) line that holds it to the contract.
//! - `time.rs`: its [`Sleep`](crate::runtime::Sleep).
//! - `context.rs`, where the runtime itself knows which threads are its own: how to ask.
//! - `net/`: its [`TcpStream`](crate::runtime::TcpStream), [`TcpListener`](crate::runtime::TcpListener)
//!   and [`UdpSocket`](crate::runtime::UdpSocket), and its Unix sockets.
//!
//! smol and async-std use the same reactor and blocking pool: `async_io` has the shared code. The conversion of a
//! runtime's native handle into a [`JoinHandle`](crate::task::JoinHandle) is in `runtime/task/native`, because that is
//! an enum over all of them.
//!
//! # How to add one
//!
//! Add a folder like the others and an entry here; `ARCHITECTURE.md` lists the other steps, from the bottom up. If its
//! feature is off, `disabled` replaces it.

use cfg_if::cfg_if;

use crate::thread::RuntimeKind;

cfg_if! {
    if #[cfg(feature = "tokio")] {
        mod tokio;
        pub use self::tokio::Tokio;
        pub(crate) use self::tokio::{Tokio as MaybeTokio, context as tokio_context};
    } else {
        pub(crate) use self::disabled::{self as tokio_context, Disabled as MaybeTokio};
    }
}

cfg_if! {
    if #[cfg(feature = "smol")] {
        mod smol;
        pub use self::smol::Smol;
        pub(crate) use self::smol::Smol as MaybeSmol;
    } else {
        pub(crate) use self::disabled::Disabled as MaybeSmol;
    }
}

cfg_if! {
    if #[cfg(feature = "async-std")] {
        mod async_std;
        pub use self::async_std::AsyncStd;
        pub(crate) use self::async_std::{AsyncStd as MaybeAsyncStd, context as async_std_context};
    } else {
        pub(crate) use self::disabled::{self as async_std_context, Disabled as MaybeAsyncStd};
    }
}

cfg_if! {
    if #[cfg(feature = "sim")] {
        pub mod sim;
        pub use self::sim::Sim;
        pub(crate) use self::sim::{Host as MaybeSimHost, Sim as MaybeSim};
    } else {
        pub(crate) use self::disabled::{Disabled as MaybeSim, Disabled as MaybeSimHost};
    }
}

cfg_if! {
    if #[cfg(any(feature = "smol", feature = "async-std"))] {
        mod async_io;
        pub(crate) use self::async_io::net::{TcpListener as AsyncIoListener, TcpStream as AsyncIoStream};
        pub(crate) use self::async_io::net::{AsyncIo, UdpSocket as AsyncIoUdpSocket};
        #[cfg(unix)]
        pub(crate) use self::async_io::net::{
            UnixDatagram as AsyncIoUnixDatagram, UnixListener as AsyncIoUnixListener,
            UnixStream as AsyncIoUnixStream,
        };
        pub(crate) use self::async_io::time::Sleep as AsyncIoSleep;
    } else {
        pub(crate) use self::disabled::{Disabled as AsyncIoListener, Disabled as AsyncIoSleep, Disabled as AsyncIoStream};
        pub(crate) use self::disabled::Disabled as AsyncIoUdpSocket;
        #[cfg(unix)]
        pub(crate) use self::disabled::{
            Disabled as AsyncIoUnixDatagram, Disabled as AsyncIoUnixListener, Disabled as AsyncIoUnixStream,
        };
    }
}

// What `buggify!` and `sometimes!` are.
#[cfg(feature = "sim")]
mod rare;
#[cfg(not(feature = "sim"))]
#[path = "rare/off.rs"]
mod rare;

#[cfg(not(all(feature = "tokio", feature = "smol", feature = "async-std", feature = "sim")))]
#[allow(dead_code, reason = "which parts of it are needed depends on which backend is absent")]
pub(crate) mod disabled;

/// A runtime that can be found from its threads.
pub(crate) trait FindCurrent: Sized {
    /// The one whose code this thread is running: a handle that keeps nothing alive.
    fn find_current(kind: RuntimeKind) -> Option<Self>;
}
