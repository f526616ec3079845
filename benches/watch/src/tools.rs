//! The tools: how their programs are built and run.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use programs::{Outcome, Polled, Program, WORKERS};

/// A tool on a runtime.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    package: Package,
    arguments: &'static [&'static str],
}

/// A package with an adapter, and whether it is built with `--cfg tokio_unstable`.
type Package = (&'static str, bool);

const ANYRT: Package = ("on-anyrt", false);
const TOKIO: Package = ("on-tokio", false);
const UNSTABLE_TOKIO: Package = ("on-tokio", true);
const TOKIO_BLOCKED: Package = ("on-tokio-blocked", true);

/// Which are shown bad programs.
pub(crate) static TOOLS: [Tool; 6] = [
    Tool { name: "anyrt on tokio", package: ANYRT, arguments: &["--runtime", "tokio"] },
    Tool { name: "anyrt on smol", package: ANYRT, arguments: &["--runtime", "smol"] },
    Tool { name: "anyrt on async-std", package: ANYRT, arguments: &["--runtime", "async-std"] },
    Tool { name: "tokio-blocked", package: TOKIO_BLOCKED, arguments: &[] },
    Tool { name: "TaskMonitor", package: TOKIO, arguments: &["--tool", "task-monitor"] },
    Tool { name: "RuntimeMonitor", package: UNSTABLE_TOKIO, arguments: &["--tool", "runtime-monitor"] },
];

/// The cost of a poll without a tool, and with each that is compared to it.
pub(crate) static COSTS: [(Tool, &[Tool]); 3] = [
    (
        Tool { name: "tokio alone", package: TOKIO, arguments: &["--tool", "nothing"] },
        &[
            Tool {
                name: "anyrt, not watched",
                package: ANYRT,
                arguments: &["--runtime", "tokio", "--unwatched"],
            },
            Tool { name: "anyrt, watched", package: ANYRT, arguments: &["--runtime", "tokio"] },
            Tool {
                name: "`tokio_unstable` and `tracing`, no subscriber",
                package: TOKIO_BLOCKED,
                arguments: &["--unwatched"],
            },
            Tool { name: "tokio-blocked", package: TOKIO_BLOCKED, arguments: &[] },
            Tool { name: "TaskMonitor", package: TOKIO, arguments: &["--tool", "task-monitor"] },
            Tool {
                name: "RuntimeMonitor",
                package: UNSTABLE_TOKIO,
                arguments: &["--tool", "runtime-monitor"],
            },
        ],
    ),
    (
        Tool {
            name: "anyrt on smol, not watched",
            package: ANYRT,
            arguments: &["--runtime", "smol", "--unwatched"],
        },
        &[Tool { name: "watched", package: ANYRT, arguments: &["--runtime", "smol"] }],
    ),
    (
        Tool {
            name: "anyrt on async-std, not watched",
            package: ANYRT,
            arguments: &["--runtime", "async-std", "--unwatched"],
        },
        &[Tool { name: "watched", package: ANYRT, arguments: &["--runtime", "async-std"] }],
    ),
];

/// Builds each of them alone, so that nobody's features are in another's.
pub(crate) fn build(progress: impl Fn(String)) -> Result<(), String> {
    for package in [ANYRT, TOKIO, UNSTABLE_TOKIO, TOKIO_BLOCKED] {
        let (name, unstable) = package;
        progress(format!("building {name}{}", if unstable { " with tokio_unstable" } else { "" }));
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
        cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args([
            "build",
            "--release",
            "--quiet",
            "--package",
            name,
        ]);
        if unstable {
            let flags = env::var("RUSTFLAGS").unwrap_or_default();
            cargo.env("RUSTFLAGS", format!("{flags} --cfg tokio_unstable"));
        }
        output(cargo.arg("--target-dir").arg(folder(unstable)))?;
    }
    Ok(())
}

fn folder(unstable: bool) -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target");
    let target = env::var_os("CARGO_TARGET_DIR").map_or(here, PathBuf::from);
    if unstable { target.join("unstable") } else { target }
}

impl Tool {
    fn path(&self) -> PathBuf {
        let (name, unstable) = self.package;
        folder(unstable).join("release").join(name)
    }

    fn with(&self, mut command: Command, threads: usize) -> Command {
        command.args(self.arguments).env("ASYNC_STD_THREAD_COUNT", threads.to_string());
        command
    }

    /// What it sees of a bad program.
    pub(crate) fn watch(
        &self,
        program: Program,
        network: Option<&PrivateNetwork>,
    ) -> Result<Outcome, String> {
        let command = match network.filter(|_| program == Program::Dns) {
            Some(network) => network.command(&self.path()),
            None => Command::new(self.path()),
        };
        let mut command = self.with(command, WORKERS);
        json(command.args(["--program", &word(program)]))
    }

    /// Nanoseconds a poll.
    pub(crate) fn nanoseconds(&self, each: u64) -> Result<f64, String> {
        let mut command = self.with(Command::new(self.path()), 1);
        let polled: Polled = json(command.args(["--polls", &each.to_string()]))?;
        Ok(polled.seconds * 1e9 / polled.polls as f64)
    }

    /// Instructions a poll: of two sizes of a run, the difference.
    pub(crate) fn instructions(&self, each: u64) -> Result<f64, String> {
        let ((few, small), (many, large)) = (self.count(each / 10)?, self.count(each)?);
        Ok((many - few) / (large.polls - small.polls) as f64)
    }

    fn count(&self, each: u64) -> Result<(f64, Polled), String> {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(self.path());
        let mut valgrind = self.with(valgrind, 1);
        let output = valgrind.args(["--polls", &each.to_string()]).output();
        let output = output.map_err(|error| format!("{valgrind:?}: {error}"))?;
        let text = String::from_utf8_lossy(&output.stderr);
        let counted = text.lines().find_map(|line| line.split_once("Collected :"));
        let count = counted.and_then(|(_, count)| count.trim().parse().ok());
        let polled = serde_json::from_slice(&output.stdout).ok();
        count.zip(polled).ok_or_else(|| format!("{valgrind:?} has counted nothing: {text}"))
    }
}

/// A network in which port 53 is free, and a `resolv.conf` that says to ask there.
pub(crate) struct PrivateNetwork {
    resolv_conf: PathBuf,
}

const IN_IT: &str = "mount --bind \"$0\" /etc/resolv.conf && ip link set lo up && exec \"$@\"";

impl PrivateNetwork {
    /// Nothing where the system does not let us have one.
    pub(crate) fn try_new() -> Option<Self> {
        let resolv_conf = folder(false).join("resolv.conf");
        fs::write(&resolv_conf, "nameserver 127.0.0.1\n").ok()?;
        let network = Self { resolv_conf };
        let mut command = network.command(Path::new("true"));
        command.stderr(Stdio::null()).status().is_ok_and(|status| status.success()).then_some(network)
    }

    /// This program in it.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "--net", "sh", "-c", IN_IT]);
        command.arg(&self.resolv_conf).arg(program).env("ANYRT_BENCH_PRIVATE_NETWORK", "1");
        command
    }
}

pub(crate) fn has_valgrind() -> bool {
    Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_ok()
}

/// As its process is told.
fn word(program: Program) -> String {
    clap::ValueEnum::to_possible_value(&program).map_or_else(String::new, |value| value.get_name().to_owned())
}

fn json<T: for<'a> serde::Deserialize<'a>>(command: &mut Command) -> Result<T, String> {
    let text = output(command)?;
    serde_json::from_str(&text).map_err(|error| format!("{command:?} printed {text:?}: {error}"))
}

fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?}: {}: {said}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
