//! The expansions of `#[anyrt::test]` and `#[anyrt::main]` in a package with no runtime, one, two and all of them.
#![allow(clippy::unwrap_used)]

#[path = "cargo/workspace.rs"]
mod workspace;

use std::collections::BTreeSet;
use std::process::Output;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use workspace::Workspace;

/// One cargo at a time.
fn matrix() -> MutexGuard<'static, Workspace> {
    static MATRIX: LazyLock<Mutex<Workspace>> = LazyLock::new(|| Mutex::new(Workspace::copy("matrix")));

    MATRIX.lock().unwrap_or_else(PoisonError::into_inner)
}

const SMOL: [&str; 2] = ["smol", "smol_global"];
const TOKIO: [&str; 2] = ["tokio", "tokio_current_thread"];
const OTHERS: [&str; 2] = ["async_std", "sim"];

/// The tests of `tests.rs` that run on every runtime.
const EVERYWHERE: [&str; 11] = [
    "finds_its_runtime",
    "is_given_its_runtime",
    "is_given_the_type_of_its_runtime",
    "may_say_how_it_ends",
    "is_skipped_on_some",
    "fails_on_one",
    "hangs_on_one",
    "panics_as_it_should",
    "returns_an_error",
    "is_ignored",
    "further_in::finds_what_is_around_it",
];

/// The tests of `tests.rs` on these runtimes, and those that name their runtimes, which always exist.
fn names(runtimes: &[&str]) -> BTreeSet<String> {
    let each = |test: &'static str| runtimes.iter().map(move |runtime| format!("{test}::{runtime}"));
    let chosen = ["is_for_some::tokio", "is_for_some::smol", "blocks::smol"].map(str::to_owned);
    EVERYWHERE.iter().flat_map(|test| each(test)).chain(chosen).collect()
}

/// Returns the tests that the harness lists.
fn listed(package: &str) -> BTreeSet<String> {
    let test = format!("{package}-tests");
    let listed = matrix().cargo(&["test", "-q", "-p", package, "--test", &test, "--", "--list"]);
    listed.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

#[test]
fn each_runtime_that_is_compiled_in_has_its_test() {
    assert_eq!(listed("one"), names(&SMOL));
    assert_eq!(listed("two"), names(&[SMOL, TOKIO].concat()));
    assert_eq!(listed("all"), names(&[SMOL, TOKIO, OTHERS].concat()));
}

#[test]
fn without_a_runtime_there_is_a_test_that_fails() {
    let mut expected = names(&["no_backend"]);
    expected.extend(["is_for_some", "blocks"].map(|test| format!("{test}::no_backend")));
    assert_eq!(listed("none"), expected);

    let tests =
        matrix().run_cargo(&["test", "-q", "-p", "none", "--test", "none-tests", "finds_its_runtime"]);
    assert!(!tests.status.success());
    let text = text(&tests);
    assert!(text.contains("under `[dev-dependencies]` in Cargo.toml, such as `anyrt = {"), "{text}");
}

/// Returns how each test that matches `filter` ended.
fn outcomes(package: &str, arguments: &[&str]) -> (BTreeSet<(String, String)>, String) {
    let output = matrix().run_cargo(&[&["test", "-p", package], arguments].concat());
    let text = text(&output);
    let ended = text.lines().filter_map(|line| {
        let (test, outcome) = line.strip_prefix("test ")?.split_once(" ... ")?;
        // A test with an expected panic is printed with the expectation.
        let test = test.split(" - ").next().unwrap();
        Some((test.to_owned(), outcome.to_owned()))
    });
    (ended.collect(), text)
}

#[test]
fn each_test_ends_as_it_says_on_each_runtime() {
    let (outcomes, text) = outcomes("all", &["--test", "all-tests"]);
    let all = names(&[SMOL, TOKIO, OTHERS].concat());
    assert_eq!(outcomes.len(), all.len(), "{text}");
    for (test, outcome) in &outcomes {
        let (name, runtime) = test.rsplit_once("::").unwrap();
        let is_on_smol = SMOL.contains(&runtime);
        let expected = match name {
            "is_skipped_on_some" if runtime == "smol" => "ignored, it is too slow",
            "is_skipped_on_some" if runtime == "sim" => "ignored, it takes real time",
            "is_skipped_on_some" | "returns_an_error" | "blocks" => "FAILED",
            "fails_on_one" | "hangs_on_one" if is_on_smol => "FAILED",
            "is_ignored" => "ignored, it takes hours",
            _ => "ok",
        };
        assert_eq!(outcome, expected, "{test}: {text}");
    }
    for said in [
        "smol cannot do that",
        "`hangs_on_one` has not ended on smol after 3s\n",
        "`hangs_on_one` has not ended on smol_global after 3s\n",
        "`blocks` has not ended on smol after 3s: it blocks its thread\n",
        "the test returned an error: Custom { kind: Other, error: \"the disk is full\" }",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    // The location of each panic is in its test.
    let panics = text.lines().filter(|line| line.contains("panicked at"));
    assert!(panics.clone().all(|line| line.contains("tests.rs:")), "{text}");
}

#[test]
fn variable_says_how_long_tests_may_take() {
    let run = |seconds: &str| {
        let matrix = matrix();
        let mut cargo = matrix.command(&[
            "test",
            "-p",
            "all",
            "--test",
            "all-tests",
            "hangs_on_one::smol",
            "--",
            "--exact",
        ]);
        text(&cargo.env("ANYRT_TEST_TIMEOUT", seconds).output().unwrap())
    };
    let said = run("1");
    assert!(said.contains("`hangs_on_one` has not ended on smol after 1s\n"), "{said}");
    let said = run("1s");
    assert!(said.contains("ANYRT_TEST_TIMEOUT is \"1s\": write a number of seconds, 1 or more"), "{said}");
}

#[test]
fn filter_chooses_a_runtime_or_a_test() {
    let (outcomes, text) = outcomes("all", &["--test", "all-tests", "smol"]);
    assert_eq!(outcomes.len(), names(&SMOL).len() - 1, "{text}");
    assert!(outcomes.iter().all(|(test, _)| test.contains("::smol")), "{text}");
}

#[test]
fn what_is_skipped_for_want_of_a_feature_says_so() {
    let (outcomes, text) = outcomes("one", &["--test", "one-tests", "is_for_some"]);
    let ended = |test: &str, outcome: &str| (test.to_owned(), outcome.to_owned());
    let expected = [
        ended("is_for_some::smol", "ok"),
        ended("is_for_some::tokio", "ignored, feature `tokio` of anyrt is off"),
    ];
    assert_eq!(outcomes, expected.into(), "{text}");
}

#[test]
fn seed_that_fails_is_run_again_with_the_line_that_is_printed() {
    let tests = ["test", "-p", "all", "--test", "simulated"];
    let matrix = matrix();
    let found = text(&matrix.run_cargo(&tests));
    assert!(found.contains("simulated.rs") && found.contains("an update is lost"), "{found}");
    let (_, line) = found.split_once("To run it again:\n  ").unwrap();
    let words: Vec<_> = line.lines().next().unwrap().split(' ').collect();
    let first = words.iter().position(|word| *word == "cargo").unwrap();
    assert_eq!(words[first + 1..first + 6], tests, "{found}");
    assert_eq!(words[first + 6..], ["loses_an_update_with_some_seed::sim", "--", "--exact"], "{found}");

    let mut again = matrix.command(&words[first + 1..]);
    again.envs(words[..first].iter().map(|word| word.split_once('=').unwrap()));
    let again = text(&again.output().unwrap());
    assert!(again.contains("an update is lost") && again.contains("1 failed"), "{again}");
    assert!(!again.contains("To run it again"), "{again}");
}

/// Returns the code blocks of a page without hidden lines, and the output of cargo that it quotes.
fn blocks(page: &str) -> (Vec<String>, Vec<String>) {
    let page = page.replace("\r\n", "\n");
    let is_shown = |line: &&str| *line != "#" && !line.starts_with("# ");
    let blocks = |kind: &str| {
        let begin = format!("\n```{kind}\n");
        let blocks = page.split(&begin).skip(1).map(|text| text.split("\n```").next().unwrap());
        blocks.map(|block| block.lines().filter(is_shown).map(|line| format!("{line}\n")).collect()).collect()
    };
    (blocks("rust"), blocks("text"))
}

#[test]
fn first_screen_of_the_readme_is_a_library_and_its_test() {
    let (code, said) = blocks(include_str!("../README.md"));
    let matrix = matrix();
    matrix.write("all/tests/greeting.rs", &[code[0].as_str(), &code[1]].concat());
    let printed = text(&matrix.run_cargo(&["test", "-p", "all", "--test", "greeting"]));
    let lines: Vec<_> = said[0].lines().filter(|line| line.starts_with("test ")).collect();
    assert!(lines.len() == 3 && lines.iter().all(|line| printed.contains(line)), "{printed}");
    assert!(printed.contains("6 passed; 0 failed"), "{printed}");
}

#[test]
fn page_about_the_simulation_says_what_happens() {
    let (code, said) = blocks(include_str!("../src/backend/sim/testing.md"));
    let matrix = matrix();
    let manifest = matrix.read("Cargo.toml").replace("members = [", "members = [\"numbers\", ");
    matrix.write("Cargo.toml", &manifest);
    matrix.write("numbers/src/lib.rs", &code[0]);
    matrix.write("numbers/tests/numbers.rs", &code[1]);
    matrix.write("numbers/tests/clients.rs", &code[2]);
    matrix.write(
        "numbers/Cargo.toml",
        r#"
            [package]
            name = "numbers"
            edition.workspace = true

            [dependencies]
            anyrt.workspace = true
            futures = "0.3.31"

            [dev-dependencies]
            anyrt = { workspace = true, features = ["sim"] }
        "#,
    );
    let printed = text(&matrix.run_cargo(&["test", "-p", "numbers", "--no-fail-fast"]));
    // On the page, the package is the root of the workspace.
    let printed = printed.replace("at numbers/tests/", "at tests/");
    for expected in &said[..2] {
        assert!(printed.contains(expected.as_str()), "{expected}: {printed}");
    }
}

/// Returns the output of a program that is built with these arguments, and whether it succeeded.
fn program(package: &str, arguments: &[&str], runtime: Option<&str>) -> (String, bool) {
    let matrix = matrix();
    let mut cargo = matrix.command(&[&["run", "-q", "-p", package], arguments].concat());
    cargo.env_remove("ANYRT_RUNTIME").envs(runtime.map(|runtime| ("ANYRT_RUNTIME", runtime)));
    let output = cargo.output().unwrap();
    (text(&output), output.status.success())
}

#[test]
fn program_runs_on_the_only_runtime_or_asks() {
    let chosen = |package: &str, runtime, arguments: &[&str]| {
        let example = format!("{package}-program");
        program(package, &[&["--example", &example], arguments].concat(), runtime)
    };
    let (said, is_fine) = chosen("one", None, &[]);
    assert!(is_fine && said.starts_with("on AnyRuntime(smol)"), "{said}");
    let (said, is_fine) = chosen("one", None, &["--", "the disk is full"]);
    assert!(!is_fine && said.contains("the disk is full"), "{said}");
    let (said, is_fine) = chosen("none", None, &[]);
    assert!(
        !is_fine && said.contains("no runtime is compiled in: enable one in Cargo.toml, such as"),
        "{said}"
    );
    let (said, is_fine) = chosen("all", None, &[]);
    assert!(!is_fine && said.lines().count() == 1, "{said}");
    assert!(said.contains("`#[anyrt::main(tokio)]`, or set ANYRT_RUNTIME to one of tokio, "), "{said}");
    for (word, kind) in [
        ("tokio", "tokio"),
        ("tokio_current_thread", "tokio"),
        ("smol", "smol"),
        ("smol_global", "smol"),
        ("async-std", "async-std"),
        ("sim", "sim"),
    ] {
        let (said, is_fine) = chosen("all", Some(word), &[]);
        assert!(is_fine && said.starts_with(&format!("on AnyRuntime({kind})")), "{word}: {said}");
    }
}

#[test]
fn program_that_is_watched_says_what_blocks() {
    let watched = |package: &str, program: &[&str], watch: Option<&str>| {
        let matrix = matrix();
        let mut cargo = matrix.command(&[&["run", "-q", "-p", package], program].concat());
        cargo
            .env_remove("ANYRT_RUNTIME")
            .env_remove("ANYRT_WATCH")
            .envs(watch.map(|text| ("ANYRT_WATCH", text)));
        let output = cargo.output().unwrap();
        (text(&output), output.status.success())
    };
    let blocks = |watch| watched("named", &["--features", "all", "--bin", "watched"], watch);
    for watch in [None, Some("50ms")] {
        let (said, is_fine) = blocks(watch);
        assert!(is_fine && said.contains("watched.rs:8:5, blocks thread \"anyrt-smol-"), "{said}");
        assert!(said.contains("blocking code with `anyrt::spawn_blocking`"), "{said}");
    }
    assert_eq!(blocks(Some("off")), (String::new(), true));
    let (said, is_fine) = blocks(Some("50"));
    assert!(!is_fine && said.lines().count() == 1, "{said}");
    assert!(said.contains("ANYRT_WATCH is \"50\": set it to a whole number of ms, s, m or h, "), "{said}");

    let (said, is_fine) = watched("one", &["--example", "one-program"], Some("50ms"));
    let line = "feature `watch` of anyrt is off, so nothing is watched: add it to the others in Cargo.toml, as in \
                `anyrt = { version = \"0.1\", features = [\"macros\", \"smol\", \"watch\"] }`\n";
    assert!(is_fine && said.contains(line) && said.contains("on AnyRuntime(smol)"), "{said}");
}

#[test]
fn test_that_is_watched_says_what_blocks() {
    let matrix = matrix();
    let mut cargo = matrix.command(&["test", "-p", "named", "--features", "all", "--test", "blocks"]);
    let said = text(&cargo.env("ANYRT_WATCH", "20ms").output().unwrap());
    for runtime in ["tokio", "tokio_current_thread", "smol", "smol_global", "async_std"] {
        let line = format!("tests/blocks.rs:5:10 blocks thread \"blocks_its_thread::{runtime}\"");
        assert!(said.contains(&line), "{line}: {said}");
    }
}

#[test]
fn program_runs_on_the_runtime_that_it_names() {
    for (name, kind) in [
        ("tokio", "tokio"),
        ("one_thread", "tokio"),
        ("smol", "smol"),
        ("async_std", "async-std"),
        ("sim", "sim"),
    ] {
        let (said, is_fine) = program("named", &["--features", "all", "--bin", &format!("on_{name}")], None);
        assert!(is_fine && said.starts_with(&format!("on AnyRuntime({kind})")), "{name}: {said}");
        let left = "what has not ended after 100ms: 0 tasks, 1 blocking closures\n";
        assert_eq!(said.contains(left), name == "smol", "{name}: {said}");
    }
}

#[test]
fn runtime_that_is_off_is_an_error_with_the_line_to_write() {
    let check = matrix().run_cargo(&["check", "-p", "named", "--bins", "--keep-going"]);
    assert!(!check.status.success());
    let text = text(&check);
    for (feature, also) in
        [("tokio", ""), ("smol", ""), ("async-std", ""), ("sim", ""), ("watch", "\"smol\", ")]
    {
        let line = format!(
            "feature `{feature}` of anyrt is off: write `anyrt = {{ version = \"0.1\", features = [\"macros\", \
             {also}\"{feature}\"] }}` in Cargo.toml"
        );
        assert!(text.contains(&line), "{line}: {text}");
    }
}

#[test]
fn macro_whose_feature_is_off_says_so() {
    let check = matrix().run_cargo(&["check", "-p", "plain"]);
    assert!(!check.status.success());
    let text = text(&check);
    for name in ["select", "join", "try_join"] {
        let line = format!(
            "feature `macros` of anyrt is off, and {name}! needs it: write `anyrt = {{ version = \"0.1\", features = \
             [\"macros\"] }}` in Cargo.toml"
        );
        assert!(text.contains(&line), "{line}: {text}");
    }
    // For attributes rustc names the feature.
    assert_eq!(text.matches("the item is gated behind the `macros` feature").count(), 2, "{text}");
}

#[test]
fn wrong_types_are_found_where_they_are() {
    let check = matrix().run_cargo(&["check", "-p", "named", "--lib", "--tests", "--features", "all"]);
    assert!(!check.status.success());
    let text = text(&check);
    for place in [
        "async fn takes_one_runtime(rt: Tokio)",
        "async fn takes_a_fast_runtime<R: Fast>(rt: R)",
        "with = set_up",
    ] {
        assert!(text.contains(place), "{place}: {text}");
    }
}

fn text(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat()
}
