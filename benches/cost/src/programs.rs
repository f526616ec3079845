//! The measured programs: how they are built, and where they are.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program with the operations in it.
pub(crate) struct Program {
    pub(crate) path: PathBuf,
}

/// All backends, as cargo features.
pub(crate) const ALL: &str = "tokio,smol,async-std";

impl Program {
    /// Builds `workloads` with exactly these features.
    pub(crate) fn workloads(features: &str) -> Result<Self, String> {
        Self::build("workloads", features, features)
    }

    /// Builds the operations through other layers.
    pub(crate) fn peers() -> Result<Self, String> {
        Self::build("peers", "", "peers")
    }

    /// Builds the programs with libraries.
    pub(crate) fn adapters() -> Result<Self, String> {
        Self::build("adapters", "", "adapters")
    }

    fn build(package: &str, features: &str, name: &str) -> Result<Self, String> {
        let target = target();
        let mut cargo = cargo();
        cargo.args(["build", "--release", "--quiet", "--package", package, "--features", features]);
        output(cargo.arg("--target-dir").arg(&target))?;
        let (from, to) = (target.join("release").join(package), target.join("programs").join(name));
        // Renamed, because a running program cannot be overwritten.
        let new = to.with_extension(format!("new-{}", std::process::id()));
        let copied = fs::create_dir_all(target.join("programs"))
            .and_then(|()| fs::copy(&from, &new))
            .and_then(|_| fs::rename(&new, &to));
        copied.map_err(|error| format!("{}: {error}", to.display()))?;
        Ok(Self { path: to })
    }

    /// Limits every runtime to one worker.
    pub(crate) fn set_up(command: &mut Command) -> &mut Command {
        command
            .env("SMOL_THREADS", "1")
            .env("ASYNC_STD_THREAD_COUNT", "1")
            .env("ASYNC_GLOBAL_EXECUTOR_THREADS", "1")
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
