//! The lints that the docs hand out find what they name.
#![allow(clippy::unwrap_used)]

use std::process::Command;
use std::{env, fs};

#[test]
fn lints_of_the_docs_find_what_leaks() {
    let clippy = Command::new(env!("CARGO")).args(["clippy", "--version"]).output();
    if !clippy.is_ok_and(|clippy| clippy.status.success()) {
        return eprintln!("skipped: clippy is not installed");
    }
    let page = include_str!("../src/backend/sim/testing.md");
    let lints = page.split("```toml\n").find(|block| block.starts_with("disallowed-methods")).unwrap();
    let lints = lints.split("```").next().unwrap();
    let folder = env::temp_dir().join(format!("anyrt-lints-{}", std::process::id()));
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("clippy.toml"), lints).unwrap();
    fs::write(folder.join("Cargo.toml"), "[package]\nname = \"leaks\"\nedition = \"2024\"\n[workspace]\n")
        .unwrap();
    let leaks = [
        "std::time::Instant::now()",
        "std::time::SystemTime::now()",
        "std::collections::HashMap::new() as std::collections::HashMap<u8, u8>",
        "std::collections::HashSet::new() as std::collections::HashSet<u8>",
        "std::thread::spawn(|| {})",
        "std::thread::sleep(std::time::Duration::ZERO)",
        "std::fs::remove_file(\"socket\")",
    ];
    let body = leaks.map(|leak| format!("    drop({leak});\n")).concat();
    fs::write(folder.join("src/lib.rs"), format!("pub fn leaks() {{\n{body}}}\n")).unwrap();
    let mut clippy = Command::new(env!("CARGO"));
    let clippy = clippy.args(["clippy", "--offline", "-q"]).current_dir(&folder);
    let said =
        clippy.env_remove("RUSTFLAGS").env("CARGO_TARGET_DIR", folder.join("target")).output().unwrap();
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    for leak in leaks {
        let name = leak.split('(').next().unwrap();
        assert!(
            said.contains(&format!("use of a disallowed method `{name}`")),
            "{name} is not found:\n{said}"
        );
    }
    // It names what does not exist, such as a method that was renamed.
    assert!(!said.contains("does not refer"), "{said}");
    fs::remove_dir_all(folder).unwrap();
}
