//! Libraries and applications that meet in one graph: each of them runs on its own runtime.
//!
//! `graph/` is a workspace. Library `mid` enables no feature of anyrt, `left` enables tokio, and of the
//! applications one is on tokio, one on smol and one on both. It is built in a copy, because cargo writes
//! beside the manifest.
#![allow(clippy::unwrap_used)]

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// How the workspace finds anyrt.
const HERE: &str = r#"anyrt = { path = "../..", default-features = false }"#;

/// An application ends in a fraction of a second, or hangs.
const LIMIT: Duration = Duration::from_secs(120);

#[test]
fn each_runs_on_its_own_runtime_in_one_graph() {
    let applications = Graph::lock().build(&["--workspace"]);
    let said = |name: &str| {
        let application = applications.iter().find(|path| path.file_stem().unwrap() == name);
        run(application.unwrap_or_else(|| panic!("{name} is not in {applications:?}")))
    };
    assert_eq!(said("left-app"), ["left-app: everything ran on tokio"]);
    assert_eq!(said("both-app"), ["both-app: everything stayed where it belongs, in 16 visits"]);
    let right = said("right-app");
    // Its own manifest does not enable tokio.
    assert!(right[0].contains("tokio and smol are compiled in"), "{right:?}");
    assert_eq!(right[1..], ["right-app: everything ran on smol"]);
}

#[test]
fn each_runs_by_itself() {
    let graph = Graph::lock();
    let said = |package| match &graph.build(&["--package", package])[..] {
        [application] => run(application),
        other => panic!("{other:?}"),
    };
    assert_eq!(said("left-app"), ["left-app: everything ran on tokio"]);
    let right = said("right-app");
    // It is an error nevertheless: the application would be another one when somebody adds tokio.
    assert!(right[0].contains("smol is compiled in"), "{right:?}");
    assert_eq!(right[1..], ["right-app: everything ran on smol"]);
}

#[test]
fn nobody_pulls_the_runtime_of_another() {
    let graph = Graph::lock();
    let pulls = |package| {
        let tree = graph.cargo(&["tree", "--edges", "normal", "--prefix", "none", "--package", package]);
        let names: Vec<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
        assert!(names.contains(&"anyrt"), "{tree}");
        ["tokio", "smol", "async-std"].map(|runtime| names.contains(&runtime))
    };
    assert_eq!(pulls("mid"), [false, false, false]);
    assert_eq!(pulls("left"), [true, false, false]);
    assert_eq!(pulls("left-app"), [true, false, false]);
    assert_eq!(pulls("right-app"), [false, true, false]);
    assert_eq!(pulls("both-app"), [true, true, false]);
}

#[test]
fn mid_names_no_runtime() {
    let mid = source().join("mid");
    let files: Vec<_> = fs::read_dir(mid.join("src")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty());
    for file in files {
        let text = fs::read_to_string(&file).unwrap().to_lowercase();
        for word in ["cfg", "tokio", "smol", "async-std", "async_std", "asyncstd"] {
            assert!(!text.contains(word), "{}: {word}", file.display());
        }
    }
    let manifest = fs::read_to_string(mid.join("Cargo.toml")).unwrap();
    let (_, dependencies) = manifest.split_once("[dependencies]").unwrap();
    assert_eq!(dependencies.trim(), "anyrt.workspace = true");
    assert_eq!(fs::read_to_string(source().join("Cargo.toml")).unwrap().matches(HERE).count(), 1);
}

#[test]
fn runtime_that_is_off_is_an_error_that_names_its_feature() {
    let check = Graph::lock().run_cargo(&["check", "--package", "mid", "--example", "lacks_features"]);
    assert!(!check.status.success());
    let errors = String::from_utf8_lossy(&check.stderr);
    for feature in ["tokio", "smol", "async-std", "sim"] {
        assert!(errors.contains(&format!("gated behind the `{feature}` feature")), "{feature}: {errors}");
    }
}

fn source() -> PathBuf {
    Path::new(ROOT).join("tests/graph")
}

/// A copy of the workspace.
struct Graph {
    folder: PathBuf,
}

impl Graph {
    /// For one cargo at a time: an application has the same file, whatever it is built with.
    fn lock() -> MutexGuard<'static, Self> {
        static GRAPH: LazyLock<Mutex<Graph>> = LazyLock::new(|| Mutex::new(Graph::copy()));

        GRAPH.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn copy() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("graph");
        let _ = fs::remove_dir_all(&folder);
        copy_folder(&source(), &folder);
        fs::copy(Path::new(ROOT).join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        let manifest = folder.join("Cargo.toml");
        let text = fs::read_to_string(&manifest).unwrap();
        // In quotes that leave a backslash alone.
        fs::write(&manifest, text.replace("\"../..\"", &format!("'{ROOT}'"))).unwrap();
        Self { folder }
    }

    /// The executables.
    fn build(&self, packages: &[&str]) -> Vec<PathBuf> {
        let messages =
            self.cargo(&[&["build", "--message-format", "json-render-diagnostics"], packages].concat());
        let executable = |line: &str| {
            let (_, path) = line.split_once(r#""executable":""#)?;
            Some(PathBuf::from(path.split_once('"')?.0.replace(r"\\", r"\")))
        };
        messages.lines().filter_map(executable).collect()
    }

    /// What cargo prints.
    fn cargo(&self, arguments: &[&str]) -> String {
        let cargo = self.run_cargo(arguments);
        let errors = String::from_utf8_lossy(&cargo.stderr);
        assert!(cargo.status.success(), "cargo {arguments:?}: {errors}");
        String::from_utf8(cargo.stdout).unwrap()
    }

    fn run_cargo(&self, arguments: &[&str]) -> Output {
        Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(arguments)
            .arg("--offline")
            .current_dir(&self.folder)
            // Of its own, or cargo takes the anyrt that it finds there for this one, and the other way round.
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("graph-target"))
            .env("CARGO_TERM_COLOR", "never")
            .output()
            .unwrap()
    }
}

/// The lines that an application prints when all is well.
fn run(application: &Path) -> Vec<String> {
    let mut child = Command::new(application).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let end = Instant::now() + LIMIT;
    let texts = [read(child.stdout.take().unwrap()), read(child.stderr.take().unwrap())];
    let texts = texts.map(|text| text.recv_timeout(end.saturating_duration_since(Instant::now())));
    let [Ok(output), Ok(errors)] = texts else {
        child.kill().unwrap();
        panic!("{} hangs", application.display());
    };
    let status = child.wait().unwrap();
    assert!(status.success(), "{}: {status}: {output}{errors}", application.display());
    output.lines().map(str::to_owned).collect()
}

/// All of it, when its other end is closed.
fn read(mut pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, text) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    text
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = {
            let entry = entry.unwrap();
            (entry.path(), to.join(entry.file_name()))
        };
        // What cargo leaves behind where somebody has run it by hand.
        if from.ends_with("graph/target") {
            continue;
        }
        if from.is_dir() {
            copy_folder(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}
