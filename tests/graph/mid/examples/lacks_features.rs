//! Does not compile: `mid` enables no feature, and rustc names the missing ones.

fn main() -> std::io::Result<()> {
    let _tokio = anyrt::Tokio::new()?;
    let _smol = anyrt::Smol::global();
    let _async_std = anyrt::AsyncStd::global();
    let _sim = anyrt::Sim::new()?;
    anyrt::sim::note("in a simulation");
    let _options = anyrt::watch::WatchOptions::new();
    Ok(())
}
