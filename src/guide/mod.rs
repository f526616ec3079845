#![doc = include_str!("guide.md")]

#[doc = include_str!("library.md")]
pub mod library {}

#[doc = include_str!("application.md")]
pub mod application {}

#[doc = include_str!("testing.md")]
pub mod testing {}

#[doc = include_str!("simulation.md")]
pub mod simulation {}

#[doc = include_str!("other_crates.md")]
pub mod other_crates {}

#[doc = include_str!("own_runtime.md")]
pub mod own_runtime {}

#[doc = include_str!("cookbook.md")]
pub mod cookbook {}

#[doc = include_str!("coming_from_tokio.md")]
pub mod coming_from_tokio {}

#[doc = include_str!("coming_from_async_std.md")]
pub mod coming_from_async_std {}

#[doc = include_str!("coming_from_smol.md")]
pub mod coming_from_smol {}

#[doc = include_str!("differences.md")]
pub mod differences {}

#[doc = include_str!("faq.md")]
pub mod faq {}
