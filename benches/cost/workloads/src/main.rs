//! The operations, on a runtime itself and through anyrt, in one program.

use std::process::ExitCode;

use harness::pool::Pool;
use workloads::IMPLEMENTATIONS;

#[global_allocator]
static POOL: Pool = Pool::new();

fn main() -> ExitCode {
    harness::main(IMPLEMENTATIONS.iter().copied().flatten())
}
