//! The operations, on a runtime itself and through anyrt.

#[macro_use]
mod through_anyrt;
#[cfg(feature = "async-std")]
mod async_std;
#[cfg(feature = "smol")]
mod smol;
#[cfg(feature = "tokio")]
mod tokio;

use harness::Implementation;

/// By runtime; the first of each is the runtime itself.
pub const IMPLEMENTATIONS: &[&[Implementation]] = &[
    #[cfg(feature = "tokio")]
    self::tokio::CURRENT_THREAD,
    #[cfg(feature = "tokio")]
    self::tokio::MULTI_THREAD,
    #[cfg(feature = "smol")]
    self::smol::GLOBAL,
    #[cfg(feature = "smol")]
    self::smol::OWNED,
    #[cfg(feature = "async-std")]
    self::async_std::GLOBAL,
];
