//! The operations, by a runtime itself and by anyrt on it, in one program.

#[macro_use]
mod through_anyrt;
#[cfg(feature = "async-std")]
mod async_std;
#[cfg(feature = "smol")]
mod smol;
#[cfg(feature = "tokio")]
mod tokio;

use std::process::ExitCode;

use harness::Implementation;
use harness::pool::Pool;

#[global_allocator]
static POOL: Pool = Pool::new();

fn main() -> ExitCode {
    let implementations: &[&[Implementation]] = &[
        #[cfg(feature = "tokio")]
        self::tokio::CURRENT_THREAD,
        #[cfg(all(feature = "tokio", feature = "report"))]
        self::tokio::MULTI_THREAD,
        #[cfg(feature = "smol")]
        self::smol::GLOBAL,
        #[cfg(all(feature = "smol", feature = "report"))]
        self::smol::OWNED,
        #[cfg(feature = "async-std")]
        self::async_std::GLOBAL,
    ];
    harness::main(implementations.iter().copied().flatten())
}
