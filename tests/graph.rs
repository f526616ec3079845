//! Libraries and applications in one dependency graph, each of which runs on its own runtime.
//!
//! `graph/` is a workspace. Library `mid` enables no feature of anyrt, `left` enables tokio; of the applications, one
//! is on tokio, one on smol and one on both.
#![allow(clippy::unwrap_used)]

#[path = "cargo/workspace.rs"]
mod workspace;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};
use std::{fs, thread};

use workspace::Workspace;

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
    // It is an error even so: otherwise the application would change when a dependency enables tokio.
    assert!(right[0].contains("smol is compiled in"), "{right:?}");
    assert_eq!(right[1..], ["right-app: everything ran on smol"]);
}

#[test]
fn nobody_pulls_the_runtime_of_another() {
    let graph = Graph::lock();
    let pulls = |package| {
        let tree = graph.0.cargo(&["tree", "--edges", "normal", "--prefix", "none", "--package", package]);
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
    let mid = Workspace::source("graph").join("mid");
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
    assert_eq!(
        fs::read_to_string(Workspace::source("graph").join("Cargo.toml")).unwrap().matches(HERE).count(),
        1
    );
}

#[test]
fn runtime_that_is_off_is_an_error_that_names_its_feature() {
    let check = Graph::lock().0.run_cargo(&["check", "--package", "mid", "--example", "lacks_features"]);
    assert!(!check.status.success());
    let errors = String::from_utf8_lossy(&check.stderr);
    for feature in ["tokio", "smol", "async-std", "sim", "watch"] {
        assert!(errors.contains(&format!("gated behind the `{feature}` feature")), "{feature}: {errors}");
    }
}

struct Graph(Workspace);

impl Graph {
    /// One cargo at a time: all builds of an application write the same file.
    fn lock() -> MutexGuard<'static, Self> {
        static GRAPH: LazyLock<Mutex<Graph>> = LazyLock::new(|| Mutex::new(Graph(Workspace::copy("graph"))));

        GRAPH.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The executables.
    fn build(&self, packages: &[&str]) -> Vec<PathBuf> {
        let messages =
            self.0.cargo(&[&["build", "--message-format", "json-render-diagnostics"], packages].concat());
        let executable = |line: &str| {
            let (_, path) = line.split_once(r#""executable":""#)?;
            Some(PathBuf::from(path.split_once('"')?.0.replace(r"\\", r"\")))
        };
        messages.lines().filter_map(executable).collect()
    }
}

/// Returns the lines that an application prints; it must succeed.
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

/// Reads everything until the other end is closed.
fn read(mut pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, text) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    text
}
