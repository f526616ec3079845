//! The part of [`tower::retry`] that needs a clock: the pauses between attempts.
//!
//! `Retry`, its policies and its layer need no clock, and work on every runtime.

pub mod backoff;
