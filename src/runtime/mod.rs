//! The contract: one trait for each capability of a runtime.
//!
//! A library bounds its generics by the traits it uses ([`Spawn`], [`Time`], [`Net`]); [`Runtime`] is all of them.
//! Every sentence below holds on every backend and is tested by a scenario of the conformance suite; what cannot be
//! made equal is in the [table of differences](crate::guide::differences#what-cannot-be-made-equal).
//!
//! # Bringing a runtime
//!
//! A backend implements the traits of [`backend`], which programs do not call, and [`Time`]: a way to run a boxed unit
//! future, a way to run a closure, a way to drive a future on this thread, a sleep and sockets. The handles, their abort
//! and panic rules, timeouts, intervals, name resolution and address iteration are written once on top of those.

pub mod backend;
mod block_on;
pub(crate) mod builder;
pub(crate) mod net;
pub(crate) mod no_runtime;
mod spawn;
pub(crate) mod task;
pub(crate) mod time;

pub(crate) use block_on::not_owned;
pub use block_on::{BlockOn, ShutdownReport};
pub use builder::Builder;
#[cfg(feature = "tokio-io")]
pub use net::Compat;
#[cfg(all(unix, feature = "fds"))]
pub use net::RecvFds;
pub(crate) use net::family::{read_tries, stream_tries, write_tries};
pub use net::{
    Descriptor, Interest, Net, ReadHalf, RecvMsg, ReuniteError, TcpListener, TcpStream, UdpSocket, WriteHalf,
};
#[cfg(unix)]
pub use net::{UCred, UnixDatagram, UnixListener, UnixNet, UnixStream};
#[cfg(unix)]
pub(crate) use net::{fd_tries, unix_calls, unix_tries};
pub(crate) use net::{tcp_options, tcp_required, udp_calls, udp_groups, udp_options, udp_send_to, udp_tries};
pub(crate) use no_runtime::{Driver, NoRuntime};
pub use spawn::Spawn;
pub(crate) use spawn::random_seed_of_the_system;
pub use task::coop::poll_budget;
pub use time::{Interval, Sleep, Time, Timeout};

// One name from above: what tokio calls a handle is any runtime here.
pub use crate::AnyRuntime as Handle;

/// All capabilities together: [`Spawn`], [`BlockOn`], [`Time`], [`Net`], and [`UnixNet`] on Unix.
///
/// # Examples
///
/// ```
/// use anyrt::Runtime;
///
/// struct Client<R: Runtime> {
///     runtime: R,
/// }
/// ```
// It exists everywhere.
#[cfg_attr(docsrs, doc(auto_cfg = false))]
#[cfg(unix)]
pub trait Runtime: Spawn + BlockOn + Time + Net + UnixNet {}

/// All capabilities together: [`Spawn`], [`BlockOn`], [`Time`] and [`Net`].
#[cfg(not(unix))]
pub trait Runtime: Spawn + BlockOn + Time + Net {}

#[cfg_attr(docsrs, doc(auto_cfg = false))]
#[cfg(unix)]
impl<R: Spawn + BlockOn + Time + Net + UnixNet> Runtime for R {}

#[cfg(not(unix))]
impl<R: Spawn + BlockOn + Time + Net> Runtime for R {}
