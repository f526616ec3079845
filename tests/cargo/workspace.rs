#[path = "copy.rs"]
mod copy;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use copy::copy_folder;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A copy of a workspace of `tests/`: cargo writes beside the manifest.
pub(crate) struct Workspace {
    name: &'static str,
    folder: PathBuf,
}

impl Workspace {
    pub(crate) fn copy(name: &'static str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        copy_folder(&Self::source(name), &folder);
        fs::copy(Path::new(ROOT).join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        let manifest = folder.join("Cargo.toml");
        let text = fs::read_to_string(&manifest).unwrap();
        // Literal strings, in which a backslash needs no escape.
        fs::write(&manifest, text.replace("\"../..\"", &format!("'{ROOT}'"))).unwrap();
        Self { name, folder }
    }

    /// Writes a file of the copy.
    #[allow(dead_code, reason = "not every test adds something")]
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Reads a file of the copy.
    #[allow(dead_code, reason = "not every test changes something")]
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.join(path)).unwrap()
    }

    pub(crate) fn source(name: &str) -> PathBuf {
        Path::new(ROOT).join("tests").join(name)
    }

    /// Returns what cargo prints.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> String {
        let cargo = self.run_cargo(arguments);
        let errors = String::from_utf8_lossy(&cargo.stderr);
        assert!(cargo.status.success(), "cargo {arguments:?}: {errors}");
        String::from_utf8(cargo.stdout).unwrap()
    }

    pub(crate) fn run_cargo(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Returns a cargo command with these arguments.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .args(arguments)
            .current_dir(&self.folder)
            .env("CARGO_NET_OFFLINE", "true")
            // A target folder of its own: cargo would confuse this anyrt with the one under test.
            .env("CARGO_TARGET_DIR", self.target_folder())
            .env("CARGO_TERM_COLOR", "never")
            .env("RUST_BACKTRACE", "0");
        cargo
    }

    fn target_folder(&self) -> PathBuf {
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-target", self.name))
    }
}
