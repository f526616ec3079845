//! The command that starts this program again.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

/// The command that builds and runs this program as it was built and run, as far as it can know. `source` is the file that asks
/// for it.
pub(super) fn command(source: &'static str) -> String {
    let path = |name| env::var_os(name).map(PathBuf::from);
    let started = Started {
        exe: env::current_exe().unwrap_or_default(),
        args: env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
        // The thread of a test has its name.
        test: thread::current().name().filter(|name| *name != "main").map(str::to_owned),
        cargo: env::var("CARGO_PKG_NAME").ok().zip(path("CARGO_MANIFEST_DIR")),
        shell: path("PWD"),
        parent: arguments_of_the_parent(),
        source,
    };
    let words: Vec<_> = started.words().iter().map(|word| quoted(word)).collect();
    words.join(" ")
}

/// How this process was started.
struct Started {
    exe: PathBuf,
    args: Vec<String>,
    test: Option<String>,
    /// The name of its package, and the folder that it is in, if cargo has started it.
    cargo: Option<(String, PathBuf)>,
    /// Where the user is: cargo runs tests in the folder of their package, and leaves the variable of the shell as it is.
    shell: Option<PathBuf>,
    parent: Vec<String>,
    /// The file that asks for the command.
    source: &'static str,
}

impl Started {
    fn words(&self) -> Vec<String> {
        // `target/release/deps/kv-0123456789abcdef`
        let deps = self.exe.parent().filter(|folder| folder.ends_with("deps"));
        match (deps.and_then(Path::parent), &self.cargo) {
            (Some(profile), Some((package, folder))) => self.cargo_test(profile, package, folder),
            (Some(_), None) => self.args.iter().take(1).cloned().chain(self.filter(false)).collect(),
            (None, _) => self.args.clone(),
        }
    }

    fn cargo_test(&self, profile: &Path, package: &str, folder: &Path) -> Vec<String> {
        // Of the folders of cargo, the one for everything has a mark, and below it may be one for a target.
        let is_root = |folder: &&Path| folder.join("CACHEDIR.TAG").is_file();
        let above = profile.parent();
        let (root, target) = match above.filter(|folder| !is_root(folder)) {
            Some(target) => match target.parent().filter(is_root) {
                Some(root) => (Some(root), name(target)),
                None => (None, None),
            },
            None => (above, None),
        };
        let mut words = words(&["cargo", "test"]);
        let is_within = self.is_within(root.and_then(Path::parent));
        if !is_within {
            let manifest = folder.join("Cargo.toml");
            words.extend(["--manifest-path".to_owned(), manifest.to_string_lossy().into_owned()]);
        }
        // One package alone may have other features of what it depends on than all together.
        if self.parent.iter().any(|word| word == "--workspace" || word == "--all") {
            words.push("--workspace".to_owned());
        } else if is_within {
            words.extend(["-p".to_owned(), package.to_owned()]);
        }
        words.extend(self.kind(package, folder).into_iter().flatten());
        match name(profile).as_deref() {
            None | Some("debug") => {}
            Some("release") => words.push("--release".to_owned()),
            Some(profile) => words.extend(["--profile".to_owned(), profile.to_owned()]),
        }
        words.extend(target.into_iter().flat_map(|target| ["--target".to_owned(), target]));
        words.extend(choices(&self.parent));
        words.extend(self.filter(true));
        words
    }

    /// The filter that chooses the test: its name, or the filters of this run on the thread of `main`, where it is not known.
    fn filter(&self, of_cargo: bool) -> Vec<String> {
        let dashes = if of_cargo { &["--"][..] } else { &[] };
        match &self.test {
            Some(test) => {
                let is_ignored = |word: &String| word == "--ignored" || word == "--include-ignored";
                let ignored = if self.args.iter().any(is_ignored) { &["--include-ignored"][..] } else { &[] };
                [words(&[test]), words(dashes), words(&["--exact"]), words(ignored)].concat()
            }
            None if self.args.len() > 1 => [&words(dashes), &self.args[1..]].concat(),
            None => Vec::new(),
        }
    }

    /// Whether cargo finds the workspace from where the user is.
    fn is_within(&self, workspace: Option<&Path>) -> bool {
        let Some(shell) = &self.shell else { return true };
        let is_package = |folder: &&Path| folder.join("Cargo.toml").is_file();
        let nearest = shell.ancestors().find(is_package);
        match workspace.filter(is_package) {
            Some(workspace) => nearest.is_some_and(|nearest| nearest.starts_with(workspace)),
            // What is built is elsewhere, and does not say.
            None => nearest.is_some(),
        }
    }

    /// `--test`, `--lib` and so on, if the layout of the package leaves no doubt.
    fn kind(&self, package: &str, folder: &Path) -> Option<Vec<String>> {
        let file = self.exe.file_stem()?.to_str()?;
        let (program, _hash) = file.rsplit_once('-')?;
        let is_program = |name: &&str| name.replace('-', "_") == program;
        // With the folder of their sources.
        let mut kinds = Vec::new();
        for (flag, under) in
            [("--test", "tests"), ("--bin", "src/bin"), ("--example", "examples"), ("--bench", "benches")]
        {
            for entry in fs::read_dir(folder.join(under)).into_iter().flatten().flatten() {
                let path = entry.path();
                let is_one = path.extension().is_some_and(|it| it == "rs") || path.join("main.rs").is_file();
                let name = path.file_stem().and_then(|name| name.to_str()).filter(|_| is_one);
                kinds.extend(name.filter(is_program).map(|name| (under, words(&[flag, name]))));
            }
        }
        if is_program(&package) {
            let has = |file: &str| folder.join(file).is_file();
            kinds.extend(has("src/lib.rs").then(|| ("src", words(&["--lib"]))));
            kinds.extend(has("src/main.rs").then(|| ("src", words(&["--bin", package]))));
        }
        if kinds.len() > 1 {
            let source = self.source.replace('\\', "/");
            kinds.retain(|(under, _)| format!("/{source}").contains(&format!("/{under}/")));
        }
        kinds.pop().filter(|_| kinds.is_empty()).map(|(_, words)| words)
    }
}

/// Those of cargo's arguments that choose features, or where things are built: nothing else tells at run time.
fn choices(cargo: &[String]) -> Vec<String> {
    let Some((program, words)) = cargo.split_first() else { return Vec::new() };
    if !name(Path::new(program)).is_some_and(|program| program.starts_with("cargo")) {
        return Vec::new();
    }
    let mut choices = Vec::new();
    let mut words = words.iter().take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        let flag = word.split('=').next().unwrap_or_default();
        match flag {
            "--all-features" | "--no-default-features" => choices.push(word.clone()),
            "--features" | "-F" | "--config" | "--target-dir" => {
                choices.push(word.clone());
                if flag == word {
                    choices.extend(words.next().cloned());
                }
            }
            _ if flag.starts_with("-F") => choices.push(word.clone()),
            _ => {}
        }
    }
    choices
}

/// Only Linux tells.
fn arguments_of_the_parent() -> Vec<String> {
    #[cfg(unix)]
    let words =
        fs::read(format!("/proc/{}/cmdline", std::os::unix::process::parent_id())).unwrap_or_default();
    #[cfg(not(unix))]
    let words = Vec::new();
    let words = words.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
    words.collect()
}

fn name(path: &Path) -> Option<String> {
    path.file_name().map(|name| name.to_string_lossy().into_owned())
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c);
    match word {
        "" => "''".to_owned(),
        word if word.chars().all(is_plain) => word.to_owned(),
        word => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace in a folder of its own: a package `key-value` with a library, a test `sim-kv` and a binary `tool`.
    struct Workspace(PathBuf);

    impl Workspace {
        fn new(name: &str) -> Self {
            let root = env::temp_dir().join(format!("anyrt-command-{}-{name}", std::process::id()));
            for file in [
                "Cargo.toml",
                "target/CACHEDIR.TAG",
                "kv/Cargo.toml",
                "kv/src/lib.rs",
                "kv/src/bin/tool.rs",
                "kv/tests/sim-kv.rs",
                "kv/tests/shared.txt",
                "kv/tests/folder/main.rs",
                "alone/Cargo.toml",
            ] {
                let path = root.join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, "").unwrap();
            }
            Self(root)
        }

        fn started(&self, exe: &str) -> Started {
            Started {
                exe: self.0.join(exe),
                args: words(&["exe", "--nocapture"]),
                test: Some("it::works".to_owned()),
                cargo: Some(("key-value".to_owned(), self.0.join("kv"))),
                shell: Some(self.0.clone()),
                parent: Vec::new(),
                source: "kv/src/lib.rs",
            }
        }
    }

    impl Drop for Workspace {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn command_has_all_packages_if_they_were_built_together() {
        let workspace = Workspace::new("all");
        let mut started = workspace.started("target/debug/deps/sim_kv-0a1b");
        started.parent = words(&["cargo", "test", "--workspace", "--all-features"]);
        let command = "cargo test --workspace --test sim-kv --all-features it::works -- --exact";
        assert_eq!(started.words().join(" "), command);
    }

    #[test]
    fn command_runs_a_test_that_is_ignored() {
        let workspace = Workspace::new("ignored");
        let mut started = workspace.started("target/debug/deps/sim_kv-0a1b");
        started.args = words(&["exe", "--ignored"]);
        let command = "cargo test -p key-value --test sim-kv it::works -- --exact --include-ignored";
        assert_eq!(started.words().join(" "), command);
    }

    #[test]
    fn command_has_package_target_and_profile() {
        let workspace = Workspace::new("layout");
        for (exe, expected) in [
            ("target/debug/deps/sim_kv-0a1b", "--test sim-kv it::works -- --exact"),
            ("target/release/deps/sim_kv-0a1b", "--test sim-kv --release it::works -- --exact"),
            ("target/release/deps/sim_kv-0a1b.exe", "--test sim-kv --release it::works -- --exact"),
            ("target/debug/deps/folder-0a1b", "--test folder it::works -- --exact"),
            ("target/debug/deps/tool-0a1b", "--bin tool it::works -- --exact"),
            ("target/slow/deps/key_value-0a1b", "--lib --profile slow it::works -- --exact"),
            (
                "target/riscv64gc-unknown-linux-gnu/release/deps/key_value-0a1b",
                "--lib --release --target riscv64gc-unknown-linux-gnu it::works -- --exact",
            ),
            // A target with a name and a path of its own: cargo tries all of them.
            ("target/debug/deps/elsewhere-0a1b", "it::works -- --exact"),
        ] {
            let words = workspace.started(exe).words().join(" ");
            assert_eq!(words, format!("cargo test -p key-value {expected}"), "{exe}");
        }
        fs::write(workspace.0.join("kv/src/main.rs"), "").unwrap();
        let words = workspace.started("target/debug/deps/key_value-0a1b").words().join(" ");
        assert_eq!(words, "cargo test -p key-value it::works -- --exact", "a library or a binary");
        fs::write(workspace.0.join("kv/tests/key_value.rs"), "").unwrap();
        let started = workspace.started("target/debug/deps/key_value-0a1b");
        let words = Started { source: "kv/tests/key_value.rs", ..started }.words().join(" ");
        assert_eq!(words, "cargo test -p key-value --test key_value it::works -- --exact");
    }

    #[test]
    fn command_is_for_where_the_user_is() {
        let workspace = Workspace::new("place");
        let Workspace(root) = &workspace;
        for (shell, exe, package) in [
            ("kv/src", "target/debug/deps/key_value-0a1b", "-p"),
            ("..", "target/debug/deps/key_value-0a1b", "--manifest-path"),
            // Another workspace below, and one that this is below.
            ("", "kv/target/debug/deps/key_value-0a1b", "--manifest-path"),
            ("alone", "kv/target/debug/deps/key_value-0a1b", "--manifest-path"),
            ("kv", "built/debug/deps/key_value-0a1b", "-p"),
        ] {
            fs::create_dir_all(root.join("kv/target")).unwrap();
            fs::write(root.join("kv/target/CACHEDIR.TAG"), "").unwrap();
            // Not canonical: on Windows that is a path of another kind, which nobody's shell is in.
            let shell = if shell == ".." { root.parent().unwrap().to_owned() } else { root.join(shell) };
            let words = Started { shell: Some(shell), ..workspace.started(exe) }.words();
            assert_eq!(words[2], package, "{exe}: {words:?}");
            if package == "--manifest-path" {
                assert_eq!(Path::new(&words[3]), root.join("kv/Cargo.toml"));
            }
        }
    }

    #[test]
    fn command_has_the_features_that_cargo_was_given() {
        let workspace = Workspace::new("features");
        let exe = "target/debug/deps/sim_kv-0a1b";
        let with = |parent: &str| {
            let parent = parent.split(' ').map(str::to_owned).collect();
            Started { parent, ..workspace.started(exe) }.words().join(" ")
        };
        let [begin, end] = ["cargo test -p key-value --test sim-kv", "it::works -- --exact"];
        assert_eq!(
            with(
                "/bin/cargo test -F a,b --release --features=c --no-default-features --features d -Fe -- --all-features"
            ),
            format!("{begin} -F a,b --features=c --no-default-features --features d -Fe {end}")
        );
        assert_eq!(with("cargo-nextest nextest run --all-features"), format!("{begin} --all-features {end}"));
        assert_eq!(
            with("cargo t --config=a --target-dir b -q"),
            format!("{begin} --config=a --target-dir b {end}")
        );
        assert_eq!(with("sh -c --all-features"), format!("{begin} {end}"));
    }

    #[test]
    fn command_without_a_test_or_without_cargo_is_that_of_the_start() {
        let workspace = Workspace::new("start");
        let exe = "target/debug/deps/sim_kv-0a1b";
        let words = |started: Started| started.words().join(" ");
        let on_main = || Started { test: None, ..workspace.started(exe) };
        assert_eq!(words(on_main()), "cargo test -p key-value --test sim-kv -- --nocapture");
        assert_eq!(
            words(Started { args: vec!["exe".to_owned()], ..on_main() }),
            "cargo test -p key-value --test sim-kv"
        );
        assert_eq!(words(Started { cargo: None, ..on_main() }), "exe --nocapture");
        assert_eq!(
            words(Started { cargo: None, ..workspace.started(exe) }),
            "exe it::works --exact",
            "one test alone"
        );
        assert_eq!(words(workspace.started("target/debug/kv")), "exe --nocapture");
    }

    #[test]
    fn words_of_a_command_stay_words() {
        let words = ["target/debug/kv", "--name=x", "two words", "it's", ""].map(quoted);
        assert_eq!(words, ["target/debug/kv", "--name=x", "'two words'", r"'it'\''s'", "''"]);
    }
}
