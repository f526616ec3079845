use std::fs;

use crate::{read, root};

/// A package, and the features with which its API is listed.
pub struct Set {
    pub name: String,
    pub package: String,
    /// Arguments of cargo.
    pub features: Vec<String>,
    /// Sets whose lines this set includes; its file leaves them out.
    pub contains: Vec<String>,
}

/// anyrt without features, with each backend, and with all features; and each crate beside it.
pub fn sets() -> Vec<Set> {
    let anyrt = |name: &str, features: &[&str], contains: &[&str]| Set {
        name: name.to_owned(),
        package: "anyrt".to_owned(),
        features: features.iter().map(|&word| word.to_owned()).collect(),
        contains: contains.iter().map(|&name| name.to_owned()).collect(),
    };
    let backends = backends();
    let backends: Vec<&str> = backends.iter().map(String::as_str).collect();

    let mut sets = vec![anyrt("none", &["--no-default-features"], &[])];
    sets.extend(
        backends
            .iter()
            .map(|backend| anyrt(backend, &["--no-default-features", "--features", backend], &["none"])),
    );
    sets.push(anyrt("all", &["--all-features"], &[&["none"], &backends[..]].concat()));
    sets.extend(crates().into_iter().map(|package| Set {
        name: package.clone(),
        package,
        features: vec!["--all-features".to_owned()],
        contains: Vec::new(),
    }));
    sets
}

/// `[package.metadata.anyrt]`, from which CI takes its matrix.
fn backends() -> Vec<String> {
    let manifest = read("Cargo.toml");
    let line = manifest.lines().find(|line| line.starts_with("backends = ")).unwrap();
    line.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn crates() -> Vec<String> {
    let folders = fs::read_dir(root().join("crates")).unwrap().map(Result::unwrap);
    let folders = folders.filter(|folder| folder.path().join("Cargo.toml").is_file());
    let mut crates: Vec<_> = folders.map(|folder| folder.file_name().into_string().unwrap()).collect();
    crates.sort_unstable();
    crates
}
