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

/// What the application tells the pool: nothing, so that it takes the runtime that it is made on.
fn told() -> Option<Runtime> {
    None
}
