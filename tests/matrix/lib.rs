//! A library that names no runtime.

/// Returns the output of one of its tasks.
pub async fn answer() -> u32 {
    anyrt::spawn(async { 42 }).await.unwrap_or_default()
}
