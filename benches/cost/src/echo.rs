//! The size of a minimal echo server: on a runtime itself, and through anyrt on it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use indicatif::ProgressBar;

use crate::measure::children;
use crate::programs::{cargo, output, target};
use crate::table::{self, Table};
use crate::text::Text;

struct Server {
    runtime: &'static str,
    way: &'static str,
    package: &'static str,
    features: &'static str,
}

impl Server {
    const fn native(runtime: &'static str, package: &'static str) -> Self {
        Self { runtime, way: "native", package, features: "" }
    }

    const fn anyrt(runtime: &'static str, way: &'static str, features: &'static str) -> Self {
        Self { runtime, way, package: "echo-on-anyrt", features }
    }
}

/// The baseline of each runtime comes first. smol and async-std depend on futures-lite anyway.
const SERVERS: [Server; 7] = [
    Server::native("tokio", "echo-on-tokio"),
    Server::anyrt("tokio", "anyrt", "tokio"),
    Server::anyrt("tokio", "anyrt, futures-lite", "tokio,futures-lite"),
    Server::native("smol", "echo-on-smol"),
    Server::anyrt("smol", "anyrt", "smol"),
    Server::native("async-std", "echo-on-async-std"),
    Server::anyrt("async-std", "anyrt", "async-std"),
];

const ROUNDS: usize = 3;

struct Size {
    crates: usize,
    /// CPU time; `None` if unknown.
    seconds: Option<f64>,
    text: Text,
}

/// Fills the tables of README.md.
pub(crate) fn report() -> Result<(), String> {
    let sizes = measure()?;
    table::fill("echo", &servers(&sizes)?)?;
    table::fill("text", &parts(&sizes))
}

/// Builds each server from scratch, alternately, and returns the median.
fn measure() -> Result<Vec<Size>, String> {
    let bar = ProgressBar::new((ROUNDS * SERVERS.len()) as u64);
    let mut rounds: Vec<Vec<Size>> = SERVERS.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for (server, sizes) in SERVERS.iter().zip(&mut rounds) {
            bar.set_message(format!("{} {}", server.runtime, server.way));
            sizes.push(server.build()?);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();

    let medians = rounds.into_iter().map(|mut sizes| {
        sizes.sort_by(|a, b| a.seconds.partial_cmp(&b.seconds).expect("seconds are numbers"));
        sizes.swap_remove(ROUNDS / 2)
    });
    Ok(medians.collect())
}

fn servers(sizes: &[Size]) -> Result<String, String> {
    let mut table = Table::new(["echo server", "", "crates", "more", "build, CPU s", "×", ".text", "×"]);
    let mut native = None;
    for (server, size) in SERVERS.iter().zip(sizes) {
        if server.way == "native" {
            native = Some(size);
        }
        let native = native.ok_or("the native server comes first")?;
        let seconds = size.seconds.zip(native.seconds);
        table.row(vec![
            server.runtime.to_owned(),
            server.way.to_owned(),
            size.crates.to_string(),
            (size.crates as i64 - native.crates as i64).to_string(),
            size.seconds.map_or("skipped: no /proc".to_owned(), |seconds| format!("{seconds:.1}")),
            seconds.map_or(String::new(), |(ours, native)| format!("{:.2}", ours / native)),
            size.text.size.to_string(),
            format!("{:.3}", size.text.size as f64 / native.text.size as f64),
        ]);
    }
    Ok(table.to_markdown())
}

/// Parts of fewer bytes than this, on each runtime, share one row.
const FEW: i64 = 1_000;

/// Bytes of code that a server has more through anyrt, by what they are.
fn parts(sizes: &[Size]) -> String {
    const RUNTIMES: [&str; 3] = ["tokio", "smol", "async-std"];
    let mut parts: BTreeMap<&str, [i64; 3]> = BTreeMap::new();
    for (server, size) in SERVERS.iter().zip(sizes) {
        let sign = match server.way {
            "native" => -1,
            "anyrt" => 1,
            _ => continue,
        };
        for (name, bytes) in &size.text.parts {
            let at = RUNTIMES.iter().position(|runtime| *runtime == server.runtime);
            parts.entry(name).or_default()[at.expect("each runtime is one of these")] += sign * *bytes as i64;
        }
    }
    let (mut rows, few): (Vec<_>, Vec<_>) =
        parts.into_iter().partition(|(_, more)| more.iter().any(|more| more.abs() >= FEW));
    rows.sort_by_key(|(_, more)| -more.iter().sum::<i64>());
    let rest = few.iter().fold([0; 3], |sum, (_, more)| [0, 1, 2].map(|at| sum[at] + more[at]));
    rows.push(("others", rest));

    let mut table = Table::new(["code of", RUNTIMES[0], RUNTIMES[1], RUNTIMES[2]]);
    for (name, more) in rows {
        let mut row = vec![name.to_owned()];
        row.extend(more.map(|more| format!("{more:+}")));
        table.row(row);
    }
    table.to_markdown()
}

impl Server {
    fn build(&self) -> Result<Size, String> {
        let select = ["--package", self.package, "--features", self.features];
        let tree = output(cargo().args(["tree", "-e", "normal", "--prefix", "none"]).args(select))?;
        let crates: BTreeSet<_> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();

        let folder = target().join("from-nothing");
        let _ = fs::remove_dir_all(&folder);
        let before = children();
        let mut build: Command = cargo();
        build.args(["build", "--quiet", "--profile", "plain", "-j2"]).args(select);
        output(build.arg("--target-dir").arg(&folder).env("CARGO_INCREMENTAL", "0"))?;
        let seconds = before.zip(children()).map(|(before, after)| after - before);
        let text = Text::of(&fs::read(folder.join("plain").join(self.package)).map_err(|e| e.to_string())?)?;
        let _ = fs::remove_dir_all(&folder);
        // The server itself is not one of its dependencies.
        Ok(Size { crates: crates.len() - 1, seconds, text })
    }
}
