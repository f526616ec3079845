//! Unmodified libraries of crates.io, on every runtime of anyrt.
#![doc = include_str!("simulation.md")]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod axum;
pub mod codec;
pub mod compression;
pub mod postgres;
pub mod rayon;
pub mod redis;
pub mod reqwest;
pub mod rustls;
pub mod sqlx;
pub mod tonic;
pub mod tracing;
pub mod websocket;

#[cfg(test)]
mod loopback;
#[cfg(test)]
mod servers;
#[cfg(test)]
mod simulated;
