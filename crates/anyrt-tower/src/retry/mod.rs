//! What of [`tower::retry`] needs a clock: the pauses between attempts.
//!
//! `Retry`, its policies and its layer need none, and work on every runtime.

pub mod backoff;
