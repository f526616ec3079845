//! Libraries as they are on crates.io, on every runtime of anyrt.

pub mod axum;
pub mod reqwest;
pub mod tonic;
