//! Tests of the suite: a suite that passes a broken backend is broken.
//!
//! Each mutant of the [table] is anyrt with one mistake. All of them are built at once, into a copy of the crate in
//! which an environment variable turns one on, and each must be caught by the scenarios in its row.
#![allow(clippy::unwrap_used)]

#[path = "../cargo/mod.rs"]
mod cargo;
#[path = "../cargo/copy.rs"]
mod copy;
mod table;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, thread};

use copy::copy_folder;
use table::{MUTANTS, Mutant};

/// The variable that turns a mutant on.
const SWITCH: &str = "ANYRT_MUTANT";

/// Code that is appended to `lib.rs` of the copy.
const MUTANT: &str = r#"
pub(crate) fn mutant(name: &str) -> bool {
    static NAME: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    NAME.get_or_init(|| std::env::var("ANYRT_MUTANT").ok()).as_deref() == Some(name)
}
"#;

/// Most mutants hang where they are caught, which need not take 90 seconds.
const LIMIT: (&str, &str) = ("ANYRT_CONFORMANCE_LIMIT", "10");

/// These mutants race with a thread of the runtime, or with the next millisecond, which may be first; so they are tried
/// again.
const RACES: &[&str] = &[
    "idle thread is taken for a task",
    "read of a gone tokio waits for ever",
    "sleep of tokio leaves it to its timer whether it is due",
    // The task may not have been polled yet when it is aborted.
    "waiter of a set is dropped under its lock",
    // The scenario may be over before the process has written its last backtrace.
    "destructor of an output aborts the process",
];

#[test]
fn suite_catches_every_mutant() {
    let tests = Tests::build();
    let runs: Vec<(Option<&str>, &str)> = MUTANTS
        .iter()
        .flat_map(|mutant| mutant.caught_by.iter().map(|test| [(None, *test), (Some(mutant.name), *test)]))
        .flatten()
        .collect();

    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        // More threads than cores, because a mutant that hangs takes no processor time.
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some(&(mutant, test)) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let tries = if mutant.is_some_and(|mutant| RACES.contains(&mutant)) { 5 } else { 1 };
                    let mut tried = (0..tries).map(|_| tests.run(test, mutant));
                    let ran = tried.find(|ran| !matches!(ran, Ran::Passed)).unwrap_or(Ran::Passed);
                    let complaint = match (ran, mutant) {
                        (Ran::Nothing, _) => format!("there is no scenario {test}"),
                        (Ran::Passed, Some(mutant)) => format!("{test} does not catch `{mutant}`"),
                        (Ran::Failed(how), None) => format!("{test} fails without a mutant: {how}"),
                        (Ran::Passed, None) | (Ran::Failed(_), Some(_)) => continue,
                    };
                    wrong.lock().unwrap().push(complaint);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_are_unique() {
    let mut names: Vec<_> = MUTANTS.iter().map(|mutant| mutant.name).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}

/// The suites, built with every mutant.
struct Tests {
    lib: PathBuf,
    required_methods: PathBuf,
}

impl Tests {
    fn build() -> Self {
        let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants");
        write_copy(&copy);
        // The same target folder, where the dependencies are built already; outside of CARGO_TARGET_DIR, too.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let mut build = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        build
            .args(["test", "--no-run", "--offline", "--all-features", "--lib", "--test", "required_methods"])
            .arg("--target-dir")
            .arg(target)
            .current_dir(&copy)
            .env("CARGO_TERM_COLOR", "never");
        let build = cargo::as_from_a_shell(&mut build).output().unwrap();
        let text = String::from_utf8_lossy(&build.stderr);
        assert!(build.status.success(), "the mutants do not compile:\n{text}");
        // `Executable tests/required_methods.rs (/…/required_methods-0123456789abcdef)`
        let executable = |of: &str| {
            let line = text.lines().find(|line| line.contains("Executable") && line.contains(of));
            let (_, path) =
                line.and_then(|line| line.split_once('(')).unwrap_or_else(|| panic!("{of}: {text}"));
            copy.join(path.trim_end_matches(')'))
        };
        Self { lib: executable("src/lib.rs"), required_methods: executable("required_methods.rs") }
    }

    /// Runs one scenario in a process of its own, because some mutants abort the process.
    fn run(&self, test: &str, mutant: Option<&str>) -> Ran {
        let program = if is_in_lib(test) { &self.lib } else { &self.required_methods };
        let mut command = Command::new(program);
        command.args(["--exact", test]).env_remove(SWITCH).env(LIMIT.0, LIMIT.1);
        if let Some(mutant) = mutant {
            command.env(SWITCH, mutant);
        }
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        match (text.contains("running 1 test"), output.status.success()) {
            (false, _) => Ran::Nothing,
            (true, true) => Ran::Passed,
            (true, false) => Ran::Failed(text),
        }
    }
}

/// Whether a row names a unit test of the library.
fn is_in_lib(test: &str) -> bool {
    test.starts_with("backend::") || test.contains("::tests::")
}

/// The outcome of a scenario.
enum Ran {
    Nothing,
    Passed,
    Failed(String),
}

/// Copies the crate to `copy`, and inserts the mutants.
fn write_copy(copy: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Files of an earlier version would be compiled, too.
    let _ = fs::remove_dir_all(copy);
    for folder in ["src", "tests", "benches"] {
        copy_folder(&root.join(folder), &copy.join(folder));
    }
    for file in ["Cargo.toml", "Cargo.lock", "README.md"] {
        fs::copy(root.join(file), copy.join(file)).unwrap();
    }
    rewrite(&copy.join("Cargo.toml"), |text| {
        // Another name: cargo would otherwise use these builds for the tests of the crate itself.
        let text =
            replace("the name of the package", &text, "name = \"anyrt\"\n", "name = \"anyrt-mutants\"\n");
        let text = replace(
            "the members",
            &text,
            "members = [\"crates/*\", \"examples\", \"examples/recipes\", \"macros\"]\n",
            "",
        );
        // The attributes have no mutants and are not copied. Literal strings, in which a backslash needs no escape.
        let macros = format!("path = '{}'", root.join("macros").display());
        let text = replace("the attributes", &text, "path = \"macros\"", &macros);
        format!("{text}\n[lib]\nname = \"anyrt\"\n")
    });
    rewrite(&copy.join("src/lib.rs"), |text| format!("{text}{MUTANT}"));
    // Scenarios that no row names are left out, because they take time to compile: separate lists for the library's own
    // tests and for the others.
    let list = fs::read_to_string(root.join("src/conformance/mod.rs")).unwrap();
    fs::write(copy.join("src/conformance/mod.rs"), named(&list, is_in_lib)).unwrap();
    fs::write(copy.join("src/conformance/outside.rs"), named(&list, |test| !is_in_lib(test))).unwrap();
    rewrite(&copy.join("src/lib.rs"), |text| {
        let outside = "#[cfg_attr(not(test), path = \"conformance/outside.rs\")]\npub mod conformance;";
        replace("the suite", &text, "pub mod conformance;", outside)
    });
    for &Mutant { name, file, right, wrong, .. } in MUTANTS {
        let wrong = wrong.replace("mutant!()", &format!("crate::mutant({name:?})"));
        rewrite(&copy.join("src").join(file), |text| replace(name, &text, right, &wrong));
    }
}

/// Returns the list of scenarios, reduced to those that a row names among the tests of `which`.
fn named(list: &str, which: impl Fn(&str) -> bool) -> String {
    let tests = MUTANTS.iter().flat_map(|mutant| mutant.caught_by).filter(|test| which(test));
    let names: HashSet<&str> = tests.map(|test| last(test)).collect();
    let kept = list.lines().filter(|line| {
        let is_scenario = ["async(", "sync("].iter().any(|kind| line.trim_start().starts_with(kind));
        !is_scenario || names.contains(last(line))
    });
    let list: String = kept.flat_map(|line| [line, "\n"]).collect();
    replace("the lints of the suite", &list, "#![allow(", "#![allow(dead_code, unused_imports, ")
}

/// Returns the last segment of a path of a test.
fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap().trim_end_matches(';')
}

fn replace(name: &str, text: &str, right: &str, wrong: &str) -> String {
    // `git` on Windows may have changed the line endings.
    let text = text.replace("\r\n", "\n");
    match text.matches(right).count() {
        1 => text.replacen(right, wrong, 1),
        count => panic!("mutant `{name}`: its code is there {count} times and not once: {right}"),
    }
}

fn rewrite(file: &Path, change: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    fs::write(file, change(text)).unwrap();
}
