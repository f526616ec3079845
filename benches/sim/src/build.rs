//! The cost of building a simulator from scratch.

use std::collections::BTreeSet;
use std::fs;

use indicatif::ProgressBar;
use serde::Serialize;

use crate::programs::{Simulator, cargo, output, target};

/// The library alone, in release mode.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Cost {
    /// Number of its crates, including itself.
    pub(crate) crates: usize,
    /// CPU time; `None` if unknown.
    pub(crate) seconds: Option<f64>,
    /// Number of those crates that a library on anyrt has anyway, and their time.
    pub(crate) without: Option<(usize, Option<f64>)>,
}

pub(crate) fn cost(simulator: &Simulator, bar: &ProgressBar) -> Result<Cost, String> {
    bar.set_message(format!("building {} from nothing", simulator.library));
    let anyrt = ["--manifest-path", "../../Cargo.toml", "--no-default-features"];
    if simulator.library == "anyrt" {
        let (crates, seconds) = build("anyrt", &[&anyrt[..], &["--features", "sim"]].concat())?;
        let without = build("anyrt", &anyrt)?;
        return Ok(Cost { crates, seconds, without: Some(without) });
    }
    let (crates, seconds) = build(simulator.library, &[])?;
    Ok(Cost { crates, seconds, without: None })
}

fn build(library: &str, arguments: &[&str]) -> Result<(usize, Option<f64>), String> {
    let mut tree = cargo();
    let tree =
        output(tree.args(["tree", "-e", "normal,build", "--prefix", "none", "-p", library]).args(arguments))?;
    let crates: BTreeSet<_> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();

    let folder = target().join("from-nothing");
    let _ = fs::remove_dir_all(&folder);
    let before = children();
    let mut build = cargo();
    build.args(["build", "--release", "--quiet", "-p", library]).args(arguments);
    output(build.arg("--target-dir").arg(&folder))?;
    let seconds = before.zip(children()).map(|(before, after)| after - before);
    let _ = fs::remove_dir_all(&folder);
    Ok((crates.len(), seconds))
}

/// CPU seconds of child processes in user mode (proc(5), cutime), in hundredths.
fn children() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    Some(fields.split_whitespace().nth(13)?.parse::<f64>().ok()? / 100.0)
}
