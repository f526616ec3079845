#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod client;
mod connector;
mod serve;
mod stream;

pub use client::{Client, client, client_builder};
pub use connector::{Connector, HttpInfo};
pub use serve::{Serve, serve, serve_with};
pub use stream::Stream;
