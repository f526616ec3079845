#![doc = include_str!("../README.md")]

pub mod provider;
mod resolver;

pub use hickory_resolver;
pub use provider::Provider;
pub use resolver::Resolver;
