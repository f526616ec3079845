//! The operations, on a runtime itself and through anyrt, in one program.

use std::process::ExitCode;

use workloads::IMPLEMENTATIONS;

#[cfg(not(feature = "system-allocator"))]
#[global_allocator]
static POOL: harness::pool::Pool = harness::pool::Pool::new();

fn main() -> ExitCode {
    harness::main(IMPLEMENTATIONS.iter().copied().flatten())
}
