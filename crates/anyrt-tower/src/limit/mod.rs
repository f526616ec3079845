//! A limit for how many requests there are in a time: what of `tower::limit` needs a clock.
//!
//! The other limits of tower need none, and work on every runtime.

pub mod rate;

pub use rate::{RateLimit, RateLimitLayer};
