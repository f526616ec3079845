//! The driver and the pool on their own shims.

#[path = "driver/mod.rs"]
mod driver;
#[path = "pool/mod.rs"]
mod pool;
#[path = "driver/before.rs"]
mod rt;
#[path = "pool/before.rs"]
mod runtime;
#[path = "workload.rs"]
pub(crate) mod workload;

use anyrt::AnyRuntime;

use runtime::Runtime;

/// The runtime that the application passes to the pool, which has no way to find it. A real application knows the
/// runtime that it has started; this one has to look for it.
#[allow(unused_variables, reason = "when no runtime is compiled in it is none of them")]
fn told() -> Option<Runtime> {
    let started = AnyRuntime::current();
    #[cfg(feature = "tokio")]
    if anyrt::Tokio::try_from(started.clone()).is_ok() {
        return Some(Runtime::Tokio1);
    }
    #[cfg(feature = "async-std")]
    if anyrt::AsyncStd::try_from(started.clone()).is_ok() {
        return Some(Runtime::AsyncStd1);
    }
    #[cfg(feature = "smol")]
    if anyrt::Smol::try_from(started).is_ok() {
        return Some(Runtime::Smol2);
    }
    None
}
