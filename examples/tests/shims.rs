//! The shims before and after, as a user runs them.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::process::{Command, Output};

/// The compiled-in runtimes, by their names on the command line.
const RUNTIMES: &[&str] = &[
    #[cfg(feature = "tokio")]
    "tokio",
    #[cfg(feature = "async-std")]
    "async-std",
    #[cfg(feature = "smol")]
    "smol",
];

/// Runs the example. Cargo builds it before this test, next to it.
fn run(arguments: &[&str]) -> Output {
    let test = std::env::current_exe().unwrap();
    let profile = test.ancestors().nth(2).unwrap();
    let path: PathBuf = profile.join("examples").join(format!("shims{}", std::env::consts::EXE_SUFFIX));
    let output = Command::new(&path).args(arguments).env("RUST_BACKTRACE", "1").output();
    output.unwrap_or_else(|error| {
        panic!("{}: {error}; `cargo test` without `--test` builds it", path.display());
    })
}

/// Returns the output of a run that succeeds.
fn prints(arguments: &[&str]) -> String {
    let output = run(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {}: {errors}", output.status);
    assert!(errors.is_empty(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Checks that the example ends with status 2 and one line that contains `word`.
fn refuses(arguments: &[&str], word: &str) {
    let output = run(arguments);
    let errors = String::from_utf8(output.stderr).unwrap();
    let said = format!("{arguments:?} said {errors:?}");
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(errors.lines().count(), 1, "{said}");
    assert!(errors.starts_with("error: ") && errors.contains(word), "{said}, and not {word:?}");
    assert!(output.stdout.is_empty(), "{said}, and something on the standard output");
}

/// Returns the printed numbers of lines, `cfg`s and runtimes of a shim.
fn counts(text: &str, shim: &str) -> [u32; 3] {
    let row = text.lines().find(|line| line.starts_with(shim)).unwrap_or_else(|| panic!("{shim}: {text}"));
    let numbers: Vec<_> = row.split_whitespace().skip(1).map(|number| number.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

/// Returns the eight answers, which are the same on every runtime.
fn answers(text: &str) -> Vec<&str> {
    let (_, answers) =
        text.split_once("the same answers before and after").unwrap_or_else(|| panic!("{text}"));
    answers.lines().skip(1).collect()
}

#[test]
fn answers_agree_on_each_runtime_and_on_all() {
    let reports: Vec<_> = RUNTIMES.iter().map(|runtime| prints(&["--runtime", runtime])).collect();
    for (runtime, report) in RUNTIMES.iter().zip(&reports) {
        assert!(report.contains(&format!("the same answers before and after, on {runtime}:")), "{report}");
        assert_eq!(answers(report).len(), 8, "{report}");
        assert_eq!(answers(report), answers(&reports[0]), "{runtime}");
    }
    if let Some(report) = reports.first() {
        let all = prints(&[]);
        assert!(all.contains(&format!("on {}:", RUNTIMES.join(", "))), "{all}");
        assert_eq!(answers(&all), answers(report));
    }
}

#[test]
fn clients_share_the_connections() {
    for runtime in RUNTIMES {
        let one = prints(&["--runtime", runtime, "--clients", "1"]);
        assert!(one.contains("1 clients on 1 connections, the sum of squares is 0"), "{one}");
        let many = prints(&["--runtime", runtime, "--clients", "200"]);
        assert!(many.contains("200 clients on 4 connections, the sum of squares is 2646700"), "{many}");
    }
}

#[test]
fn shims_after_have_no_cfg_and_fewer_lines() {
    let Some(runtime) = RUNTIMES.first() else { return };
    let text = prints(&["--runtime", runtime]);
    for shim in ["driver", "pool"] {
        let [lines_before, cfgs_before, runtimes_before] = counts(&text, &format!("{shim}/before.rs"));
        let [lines_after, cfgs_after, runtimes_after] = counts(&text, &format!("{shim}/after.rs"));
        assert!(lines_after * 2 <= lines_before, "{text}");
        assert!(cfgs_before >= 10, "{text}");
        assert_eq!((cfgs_after, runtimes_before, runtimes_after), (0, 3, 0), "{text}");
    }
}

/// Checked here without the count of the example.
#[test]
fn shims_after_name_nothing() {
    let driver = include_str!("../shims/driver/after.rs");
    let pool = include_str!("../shims/pool/after.rs");
    for word in ["cfg", "feature", "tokio", "smol", "async_std", "async-std"] {
        assert!(!driver.contains(word) && !pool.contains(word), "{word}");
    }
}

/// Rows such as "| `driver/before.rs` | 150 | 25 | 3 |", and their sums in the README.
#[test]
fn guide_and_readme_say_what_the_example_counts() {
    let Some(runtime) = RUNTIMES.first() else { return };
    let text = prints(&["--runtime", runtime]);
    let mut rows = 0;
    for row in include_str!("../../src/guide/library.md").lines() {
        let cells: Vec<_> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        if let ["", shim, lines, cfgs, runtimes, ""] = cells[..] {
            if shim.ends_with("/before.rs") || shim.ends_with("/after.rs") {
                let said = [lines, cfgs, runtimes].map(|cell| cell.parse::<u32>().unwrap());
                assert_eq!(said, counts(&text, shim), "{row}");
                rows += 1;
            }
        }
    }
    assert_eq!(rows, 4);

    let sum = |when: &str| {
        let [driver, pool] = ["driver", "pool"].map(|shim| counts(&text, &format!("{shim}/{when}.rs")));
        (driver[0] + pool[0], driver[1] + pool[1])
    };
    let ((before, cfgs), (after, none)) = (sum("before"), sum("after"));
    let said = format!("two shims of {before} lines and {cfgs} `cfg`s become {after} lines and none");
    assert!(none == 0 && include_str!("../../README.md").contains(&said), "{said}");
}

#[test]
fn bad_input_is_refused() {
    refuses(&["--clients", "0"], "'0'");
    refuses(&["--clients", "10001"], "'10001'");
    refuses(&["--clients", "many"], "'many'");
    refuses(&["--runtime", "glommio"], "'glommio'");
    refuses(&["pool"], "'pool'");
}

#[test]
fn runtime_that_is_not_compiled_in_is_refused() {
    for runtime in ["tokio", "async-std", "smol"] {
        if !RUNTIMES.contains(&runtime) {
            refuses(&["--runtime", runtime], &format!("--features {runtime}"));
        }
    }
    if RUNTIMES.is_empty() {
        refuses(&[], "--all-features");
    }
}
