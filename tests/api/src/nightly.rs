#[path = "../../cargo/mod.rs"]
mod cargo;

use std::path::{Path, PathBuf};
use std::process::Command;

use rustdoc_types::{Crate, FORMAT_VERSION};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Set, root};

/// A nightly toolchain, the only one whose rustdoc writes JSON.
pub struct Nightly {
    /// `rustup run <toolchain> cargo`, or only `cargo`.
    cargo: Vec<String>,
    target: PathBuf,
}

impl Nightly {
    /// Finds the toolchain that `Cargo.toml` names, or another nightly; the error says what is missing.
    pub fn find(target: &Path) -> Result<Self, String> {
        let named = named();
        let installed = said("rustup", &["toolchain", "list"]).unwrap_or_default();
        let installed: Vec<_> = installed.lines().filter_map(|line| line.split(' ').next()).collect();
        let find = |prefix: &str| installed.iter().find(|name| name.starts_with(prefix));

        let cargo = match find(named).or_else(|| find("nightly")) {
            Some(toolchain) => ["rustup", "run", toolchain, "cargo"].map(str::to_owned).to_vec(),
            None if said("cargo", &["--version"]).is_some_and(|said| said.contains("nightly")) => {
                vec!["cargo".to_owned()]
            }
            None => return Err(format!("there is no nightly toolchain: rustup toolchain install {named}")),
        };
        Ok(Self { cargo, target: target.to_owned() })
    }

    /// Returns the rustdoc JSON of a set, and its file; or an error if its format is another.
    pub fn document(&self, set: &Set) -> Result<(PathBuf, Crate), String> {
        let mut command = Command::new(&self.cargo[0]);
        command
            .args(&self.cargo[1..])
            .args(["rustdoc", "--quiet", "--locked", "--lib", "--package", &set.package])
            .args(&set.features)
            .arg("--target-dir")
            .arg(&self.target)
            .args(["--", "-Zunstable-options", "--output-format=json", "--cap-lints=allow"])
            .current_dir(root())
            .env_remove("RUSTDOCFLAGS");
        let output = cargo::as_from_a_shell(&mut command).output().expect("it was there before");
        assert!(output.status.success(), "{}: {}", set.name, String::from_utf8_lossy(&output.stderr));

        let file = self.target.join("doc").join(set.package.replace('-', "_")).with_extension("json");
        let text = std::fs::read_to_string(&file).expect("rustdoc writes it");
        let version = &parse::<Value>(&text)["format_version"];
        if *version != FORMAT_VERSION {
            return Err(format!(
                "rustdoc of {} writes format {version}, and public-api reads {FORMAT_VERSION}: \
                 rustup toolchain install {}",
                self.cargo.join(" "),
                named()
            ));
        }
        Ok((file, parse(&text)))
    }
}

/// Returns the toolchain that `Cargo.toml` names.
fn named() -> &'static str {
    let (_, named) = include_str!("../Cargo.toml").split_once("\nnightly = \"").expect("it names one");
    named.split('"').next().unwrap_or_default()
}

fn parse<T: DeserializeOwned>(text: &str) -> T {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    // Types may be nested deeply.
    deserializer.disable_recursion_limit();
    T::deserialize(&mut deserializer).expect("rustdoc writes JSON, and of the format that it says")
}

/// Returns the output of a program, if it exists.
fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).current_dir(root()).output().ok()?;
    String::from_utf8(output.stdout).ok().filter(|_| output.status.success())
}
