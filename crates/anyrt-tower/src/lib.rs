#![doc = include_str!("../README.md")]

pub mod buffer;
mod latch;
pub mod limit;
pub mod retry;
pub mod spawn_ready;
pub mod timeout;

pub use tower::BoxError;
