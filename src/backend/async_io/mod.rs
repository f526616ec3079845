//! What smol and async-std share: the reactor of async-io and the pool of blocking.
//!
//! Their own sockets and timers are not used: `async_std::net` closes without a FIN and burns CPU when two
//! tasks wait, and the sleeps of the two count from different moments.

pub(crate) mod blocking;
pub(crate) mod net;
mod runtime;
pub(crate) mod time;

pub(crate) use runtime::on_async_io;
