//! A library that names no runtime.

/// What a task of it comes to.
pub async fn answer() -> u32 {
    anyrt::spawn(async { 42 }).await.unwrap_or_default()
}
