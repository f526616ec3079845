//! The programs of the simulators: how they are built and run.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use indicatif::ProgressBar;
use scenarios::Report;

/// A measured simulator.
pub(crate) struct Simulator {
    pub(crate) name: &'static str,
    /// The package with its adapter.
    pub(crate) package: &'static str,
    /// The crate that its users depend on.
    pub(crate) library: &'static str,
    arguments: &'static [&'static str],
    pub(crate) only_echo: bool,
}

/// In the order of their turns. turmoil comes twice: with the mean latency of the others, and, in A, with its own
/// distribution.
pub(crate) static SIMULATORS: [Simulator; 5] = [
    Simulator { name: "anyrt", package: "on-anyrt", library: "anyrt", arguments: &[], only_echo: false },
    Simulator {
        name: "turmoil",
        package: "on-turmoil",
        library: "turmoil",
        arguments: &[],
        only_echo: false,
    },
    Simulator {
        name: "turmoil, its own curve",
        package: "on-turmoil",
        library: "turmoil",
        arguments: &["--own-curve"],
        only_echo: true,
    },
    Simulator {
        name: "madsim",
        package: "on-madsim",
        library: "madsim-tokio",
        arguments: &[],
        only_echo: false,
    },
    Simulator {
        name: "tokio, paused",
        package: "on-tokio",
        library: "tokio",
        arguments: &[],
        only_echo: false,
    },
];

/// anyrt.
pub(crate) const ANYRT: &Simulator = &SIMULATORS[0];

/// The folder with the programs.
pub(crate) struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Builds each of them separately, so that their features do not mix, and once more with allocations counted.
    pub(crate) fn build(simulators: &[Simulator], bar: &ProgressBar) -> Result<Self, String> {
        let target = target();
        let folder = target.join("programs");
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for (suffix, features) in [("-counted", "count"), ("", "")] {
            for Simulator { package, .. } in simulators {
                bar.set_message(format!("building {package}{suffix}"));
                let mut cargo = cargo();
                cargo.args(["build", "--release", "--quiet", "--package", package, "--features", features]);
                output(cargo.arg("--target-dir").arg(&target))?;
                let (from, to) =
                    (target.join("release").join(package), folder.join(format!("{package}{suffix}")));
                fs::copy(&from, &to).map_err(|error| format!("{}: {error}", from.display()))?;
            }
        }
        Ok(Self { folder })
    }

    pub(crate) fn run(&self, simulator: &Simulator, arguments: &[&str]) -> Result<Report, String> {
        let program = self.folder.join(simulator.package);
        report(Command::new(program).args(arguments).args(simulator.arguments))
    }

    /// Allocations per message of A: the cost of the second half of twice as many messages.
    pub(crate) fn allocations(&self, simulator: &Simulator) -> Result<f64, String> {
        let program = self.folder.join(format!("{}-counted", simulator.package));
        let run = |requests: &str| {
            let run = ["a", "--seeds", "20", "--requests", requests];
            report(Command::new(&program).args(run).args(simulator.arguments))
        };
        let (half, whole) = (run("100")?, run("200")?);
        slope([&half, &whole].map(|report| report.allocations as f64), [half.messages, whole.messages])
    }

    /// Instructions per message, as counted by valgrind; `None` without valgrind.
    pub(crate) fn instructions(&self, simulator: &Simulator) -> Result<Option<f64>, String> {
        if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
            return Ok(None);
        }
        let run = |requests| {
            self.callgrind(simulator, &["a", "--seeds", "2", "--requests", requests], Path::new("/dev/null"))
        };
        let ((few, half), (many, whole)) = (run("100")?, run("200")?);
        slope([few, many], [half.messages, whole.messages]).map(Some)
    }

    /// Runs a scenario. Returns all instructions; how many there are of each function is in `file` then.
    pub(crate) fn callgrind(
        &self,
        simulator: &Simulator,
        arguments: &[&str],
        file: &Path,
    ) -> Result<(f64, Report), String> {
        let mut valgrind = Command::new("valgrind");
        valgrind.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", file.display()));
        valgrind.arg(self.folder.join(simulator.package));
        valgrind.args(arguments).args(simulator.arguments);
        let output = valgrind.output().map_err(|error| format!("{valgrind:?}: {error}"))?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let counted = text.lines().find_map(|line| line.split_once("Collected :"));
        let count = counted.and_then(|(_, count)| count.trim().parse::<f64>().ok());
        let report = serde_json::from_slice::<Report>(&output.stdout).ok();
        count.zip(report).ok_or_else(|| format!("{valgrind:?} has counted nothing: {text}"))
    }
}

/// Returns the target folder of this program.
pub(crate) fn target() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    env::var_os("CARGO_TARGET_DIR").map_or(here.join("target"), PathBuf::from)
}

/// Returns a cargo command in the folder with the configuration that madsim needs.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo
}

/// Returns the cost of one more of what there is this many of in two runs.
pub(crate) fn slope([few, many]: [f64; 2], [half, whole]: [u64; 2]) -> Result<f64, String> {
    if half >= whole {
        return Err(format!("{half} and {whole} are no two sizes of one run"));
    }
    Ok((many - few) / (whole - half) as f64)
}

fn report(command: &mut Command) -> Result<Report, String> {
    let text = output(command)?;
    serde_json::from_str(&text).map_err(|error| format!("{command:?} printed {text:?}: {error}"))
}

pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?}: {}: {said}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
