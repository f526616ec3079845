//! Compile time of a crate of tests: with `#[anyrt::test]`, and with `#[tokio::test]` over the same bodies.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use indicatif::ProgressBar;

use crate::measure::children;
use crate::programs::{cargo, output, root, target};
use crate::report::median;
use crate::table::{self, Table};

/// A crate of tests.
struct Tests {
    name: &'static str,
    /// The crate whose `spawn` and `sleep` the bodies call.
    of: &'static str,
    attribute: &'static str,
    each: usize,
}

/// The first is the baseline.
const CRATES: [Tests; 3] = [
    Tests { name: "on-tokio", of: "tokio", attribute: "#[tokio::test]", each: 1 },
    Tests {
        name: "on-four",
        of: "anyrt",
        attribute: "#[anyrt::test(only(tokio, smol, async_std, sim))]",
        each: 4,
    },
    Tests { name: "on-all", of: "anyrt", attribute: "#[anyrt::test]", each: 6 },
];

const FUNCTIONS: usize = 200;
const ROUNDS: usize = 5;

/// Cost of one compilation.
struct Took {
    wall: f64,
    /// CPU seconds; `None` if unknown.
    cpu: Option<f64>,
}

/// Fills the table of README.md.
pub(crate) fn report() -> Result<(), String> {
    let workspace = generate()?;
    let result = measure(&workspace)?;
    table::fill("attributes", &result)
}

/// Compiles the crates alternately, and compares each with the first one.
fn measure(workspace: &Path) -> Result<String, String> {
    let bar = ProgressBar::new(((1 + ROUNDS) * CRATES.len()) as u64);
    let mut took: Vec<Vec<Took>> = CRATES.iter().map(|_| Vec::new()).collect();
    // The first round compiles the dependencies and is not counted.
    for round in 0..=ROUNDS {
        for (tests, took) in CRATES.iter().zip(&mut took) {
            bar.set_message(tests.name);
            let once = tests.compile(workspace)?;
            took.extend((round > 0).then_some(once));
            bar.inc(1);
        }
    }
    bar.finish_and_clear();

    let functions = format!("{FUNCTIONS} functions with");
    let mut table = Table::new([&functions, "tests", "wall, s", "×", "CPU, s", "×"]);
    for (tests, ours) in CRATES.iter().zip(&took) {
        let mut row = vec![format!("`{}`", tests.attribute), (FUNCTIONS * tests.each).to_string()];
        row.extend(beside(ours, &took[0], |took| Some(took.wall)));
        row.extend(beside(ours, &took[0], |took| took.cpu));
        table.row(row);
    }
    Ok(table.to_markdown())
}

/// Returns seconds, and the ratio to the first crate: medians, for the ratio of pairs.
fn beside(ours: &[Took], first: &[Took], of: impl Fn(&Took) -> Option<f64>) -> [String; 2] {
    let seconds: Option<Vec<f64>> = ours.iter().map(&of).collect();
    let pairs = ours.iter().zip(first);
    let ratios: Option<Vec<f64>> = pairs.map(|(ours, first)| Some(of(ours)? / of(first)?)).collect();
    seconds.zip(ratios).map_or(["skipped: no /proc".to_owned(), String::new()], |(seconds, ratios)| {
        [format!("{:.2}", median(seconds)), format!("{:.2}", median(ratios))]
    })
}

impl Tests {
    /// Compiles the crate without its dependencies, with cargo's default profile.
    fn compile(&self, workspace: &Path) -> Result<Took, String> {
        let cargo = |command: &str| {
            let mut cargo: Command = cargo();
            cargo.args([command, "--quiet", "--package", self.name]);
            cargo.arg("--manifest-path").arg(workspace.join("Cargo.toml"));
            cargo.arg("--target-dir").arg(workspace.join("target")).env_remove("CARGO_INCREMENTAL");
            cargo
        };
        output(&mut cargo("clean"))?;
        let (start, before) = (Instant::now(), children());
        output(cargo("test").args(["--lib", "--no-run"]))?;
        let cpu = before.zip(children()).map(|(before, after)| after - before);
        Ok(Took { wall: start.elapsed().as_secs_f64(), cpu })
    }

    fn manifest(&self) -> String {
        let name = self.name;
        let dependency = match self.of {
            "tokio" => "tokio = { version = \"1.44\", features = [\"macros\", \"rt\", \"time\"] }".to_owned(),
            _ => {
                let path = root().join("../..");
                let features = "\"macros\", \"tokio\", \"smol\", \"async-std\", \"sim\"";
                format!("anyrt = {{ path = {path:?}, features = [{features}] }}")
            }
        };
        format!(
            "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dev-dependencies]\n{dependency}\n"
        )
    }

    /// Returns the source of a test function; half of them return a `Result`.
    fn function(&self, n: usize) -> String {
        let attribute = self.attribute;
        if n.is_multiple_of(2) {
            format!(
                "
{attribute}
async fn sum_{n}() {{
    let numbers: Vec<u64> = (0..{n}).collect();
    let task = spawn(async move {{
        sleep(Duration::from_millis(1)).await;
        numbers.iter().sum::<u64>()
    }});
    assert_eq!(task.await.unwrap(), {sum});
}}
",
                sum = (0..n).sum::<usize>()
            )
        } else {
            format!(
                "
{attribute}
async fn parsed_{n}() -> Result<(), Box<dyn Error>> {{
    let task = spawn(async {{
        sleep(Duration::from_millis(1)).await;
        \"{n}\".parse::<u64>()
    }});
    let number = task.await??;
    assert_eq!(number, {n}, \"it is another number\");
    Ok(())
}}
"
            )
        }
    }

    fn source(&self) -> String {
        let of = self.of;
        let head = format!(
            "#![cfg(test)]\n\nuse std::error::Error;\nuse std::time::Duration;\n\nuse {of}::{{spawn, time::sleep}};\n"
        );
        (0..FUNCTIONS).fold(head, |text, n| text + &self.function(n))
    }
}

/// Writes the crates as a workspace, with the locked versions of anyrt.
fn generate() -> Result<PathBuf, String> {
    let workspace = target().join("attributes");
    let write = |path: PathBuf, text: &str| {
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, text));
        written.map_err(|error| format!("{}: {error}", path.display()))
    };
    let lock = fs::read_to_string(root().join("../../Cargo.lock")).map_err(|error| error.to_string())?;
    write(workspace.join("Cargo.lock"), &lock)?;
    let members = CRATES.map(|tests| tests.name);
    let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = {members:?}\n");
    write(workspace.join("Cargo.toml"), &manifest)?;
    for tests in &CRATES {
        let folder = workspace.join(tests.name);
        write(folder.join("Cargo.toml"), &tests.manifest())?;
        write(folder.join("src/lib.rs"), &tests.source())?;
    }
    Ok(workspace)
}
