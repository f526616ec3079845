//! Rate limits: the part of `tower::limit` that needs a clock.
//!
//! The other limits of tower need no clock, and work on every runtime.

pub mod rate;

pub use rate::{RateLimit, RateLimitLayer};
