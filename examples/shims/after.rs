//! The driver and the pool on anyrt.

#[path = "driver/mod.rs"]
mod driver;
#[path = "pool/mod.rs"]
mod pool;
#[path = "driver/after.rs"]
mod rt;
#[path = "pool/after.rs"]
mod runtime;
#[path = "workload.rs"]
pub(crate) mod workload;

use runtime::Runtime;

/// The runtime that the application passes to the pool: none, so that the pool uses the current one.
fn told() -> Option<Runtime> {
    None
}
