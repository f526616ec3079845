//! The measured programs: how they are built, and where they are.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use harness::Operation;

/// A program with the operations in it.
pub(crate) struct Program {
    pub(crate) path: PathBuf,
}

/// All backends, as cargo features.
pub(crate) const ALL: &str = "tokio,smol,async-std";

/// Cargo profile of `workloads`; the other programs are compiled with one codegen unit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Profile {
    /// One codegen unit and thin LTO: `release` of this workspace.
    One,
    /// Cargo's own defaults of `--release`: `plain` of this workspace.
    Default,
}

impl Profile {
    /// In the order of budgets.toml and of the tables.
    pub(crate) const BOTH: [Self; 2] = [Self::One, Self::Default];

    fn name(self) -> &'static str {
        match self {
            Self::One => "release",
            Self::Default => "plain",
        }
    }
}

impl Program {
    /// Builds `workloads` with exactly these features.
    pub(crate) fn workloads(features: &str, profile: Profile) -> Result<Self, String> {
        Self::build("workloads", features, profile, &format!("{features}-{}", profile.name()))
    }

    /// Builds it with all backends in both profiles, at once.
    pub(crate) fn both() -> Result<[Self; 2], String> {
        let [one, default] = thread::scope(|scope| {
            let builds = Profile::BOTH.map(|profile| scope.spawn(move || Self::workloads(ALL, profile)));
            builds.map(|build| build.join().expect("it does not panic"))
        });
        Ok([one?, default?])
    }

    /// Builds the operations through other layers.
    pub(crate) fn peers() -> Result<Self, String> {
        Self::build("peers", "", Profile::One, "peers")
    }

    /// Builds the programs with libraries.
    pub(crate) fn adapters() -> Result<Self, String> {
        Self::build("adapters", "", Profile::One, "adapters")
    }

    fn build(package: &str, features: &str, profile: Profile, name: &str) -> Result<Self, String> {
        let (target, profile) = (target(), profile.name());
        let mut cargo = cargo();
        cargo.args(["build", "--quiet", "--profile", profile, "--package", package, "--features", features]);
        output(cargo.arg("--target-dir").arg(&target))?;
        let (from, to) = (target.join(profile).join(package), target.join("programs").join(name));
        // Renamed, because a running program cannot be overwritten.
        let new = to.with_extension(format!("new-{}", std::process::id()));
        let copied = fs::create_dir_all(target.join("programs"))
            .and_then(|()| fs::copy(&from, &new))
            .and_then(|_| fs::rename(&new, &to));
        copied.map_err(|error| format!("{}: {error}", to.display()))?;
        Ok(Self { path: to })
    }

    /// Whether an implementation reports that it does not have an operation.
    pub(crate) fn lacks(&self, implementation: &str, operation: Operation) -> Result<bool, String> {
        let mut program = Command::new(&self.path);
        program.args([implementation, &operation.to_string(), "0"]);
        let output = Program::set_up(&mut program).output();
        let output = output.map_err(|error| format!("{program:?}: {error}"))?;
        Ok(output.status.code() == Some(harness::LACKS.into()))
    }

    /// Limits every runtime to one worker.
    pub(crate) fn set_up(command: &mut Command) -> &mut Command {
        Self::with_workers(command, 1)
    }

    /// Sets the number of workers of every runtime.
    pub(crate) fn with_workers(command: &mut Command, workers: usize) -> &mut Command {
        let workers = workers.to_string();
        let variables = [
            "TOKIO_WORKER_THREADS",
            "SMOL_THREADS",
            "ASYNC_STD_THREAD_COUNT",
            "ASYNC_GLOBAL_EXECUTOR_THREADS",
        ];
        command.envs(variables.map(|variable| (variable, &workers)))
    }
}

/// The folder of this workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns a cargo command in the folder of this workspace.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.current_dir(root());
    cargo
}

pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or(root().join("target"), PathBuf::from)
}

/// Returns the output of a command that succeeds.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?}: {}: {said}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
