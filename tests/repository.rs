//! Rules of the repository.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every Rust file below `folder`.
fn rust_files(folder: &str) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![root().join(folder)], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    assert!(!files.is_empty(), "{folder}");
    files
}

/// The words between backticks.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The rooms of `src/`, from the bottom up: each uses itself and the rooms below it.
const ROOMS: &[&str] = &[
    "thread",
    "runtime",
    "io",
    "socket",
    "backend",
    "watch",
    "any",
    "current",
    "named",
    "conformance",
    "macros",
];

#[test]
fn rooms_use_what_is_below_them() {
    let root = read("src/lib.rs");
    // `watch` where its feature is off.
    let room_of = |name: &str| match ROOMS
        .iter()
        .position(|room| *room == name || name == "unwatched" && *room == "watch")
    {
        Some(place) => place,
        // A name that the root re-exports from a room.
        None => {
            let from = |line: &&str| {
                let names = line.split_once("::").map_or("", |(_, names)| names);
                line.starts_with("pub use ")
                    && names.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name)
            };
            let line = root.lines().find(from).unwrap_or_else(|| panic!("`{name}` is in no room"));
            let room = line.trim_start_matches("pub use ").split(':').next().unwrap();
            ROOMS.iter().position(|known| *known == room).unwrap_or_else(|| panic!("{room} is no room"))
        }
    };
    for (place, room) in ROOMS.iter().enumerate().filter(|(_, room)| **room != "conformance") {
        for file in rust_files(&format!("src/{room}")) {
            let text = fs::read_to_string(&file).unwrap().replace("\r\n", "\n");
            // The suite is above all rooms, and unit tests may use everything.
            let mut lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            while let Some(line) = lines.next() {
                if line == "#[cfg(test)]" || line.starts_with("#[cfg(all(test, ") {
                    let is_end = |line: &str, item: &str| {
                        line == "}" || item.contains("const ") && line.ends_with(';')
                    };
                    let item = lines.next().unwrap();
                    if !is_end(item, item) {
                        lines.find(|line| is_end(line, item));
                    }
                    continue;
                }
                for path in line.split("crate::").skip(1) {
                    let names: Vec<&str> = match path.strip_prefix('{') {
                        Some(several) => several.split(['}', ',']).map(str::trim).collect(),
                        None => vec![path],
                    };
                    for name in names {
                        // tokio's name for it, in tokio's place.
                        if line == "pub use crate::AnyRuntime as Handle;" {
                            continue;
                        }
                        let name = name.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
                        // Macros are exported in the root, wherever they are defined.
                        if !name.is_empty() && !name.starts_with("__") {
                            assert!(room_of(name) <= place, "{} goes up: {line}", file.display());
                        }
                    }
                }
            }
        }
    }
}

/// Adding to an `Instant` panics at the end of its clock; `time::deadline_after` does not.
#[test]
fn nothing_is_added_to_an_instant_but_in_one_place() {
    let sums = ["now() + ", "now + ", "now().checked_add(", "deadline + "];
    for file in rust_files("src") {
        if file.ends_with("time/deadline.rs")
            || file.components().any(|part| part.as_os_str() == "conformance")
        {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let (code, _tests) = text.split_once("#[cfg(test)]\nmod tests").unwrap_or((&text, ""));
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            assert!(!sums.iter().any(|sum| line.contains(sum)), "{}: {line}", file.display());
        }
    }
}

#[test]
fn every_scenario_is_cited_and_every_citation_exists() {
    let list = read("src/conformance/mod.rs");
    let scenarios: BTreeSet<String> = list
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("async(") || line.starts_with("sync("))
        .map(|line| line.rsplit_once("::").unwrap().1.trim_end_matches(';').to_owned())
        .collect();
    assert!(scenarios.len() >= 110, "{}", scenarios.len());

    let mut cited = BTreeSet::new();
    for file in rust_files("src") {
        // Citations are in a folded block.
        let mut citing = false;
        for line in fs::read_to_string(file).unwrap().lines() {
            let text = line.trim().trim_start_matches("///").trim();
            citing |= line.trim().starts_with("///") && text.starts_with("<details><summary>Scenarios");
            if citing {
                cited.extend(quoted(text).map(str::to_owned));
                citing = !text.ends_with("</details>");
            }
        }
    }
    let missing: Vec<_> = scenarios.difference(&cited).collect();
    assert!(missing.is_empty(), "no sentence of the docs cites {missing:?}");
    let unknown: Vec<_> = cited.difference(&scenarios).collect();
    assert!(unknown.is_empty(), "the docs cite what is no scenario: {unknown:?}");
}

#[test]
fn tests_that_pin_a_difference_exist() {
    let tests = read("tests/differences.rs");
    let page = read("src/guide/differences.md");
    let (_, table) = page.split_once("\n# What cannot be made equal").unwrap();
    let (table, _) = table.split_once("\n# ").unwrap();
    let pinned: Vec<_> = table
        .lines()
        .flat_map(quoted)
        .filter(|word| word.matches('_').count() >= 3 && word.chars().all(|c| c.is_lowercase() || c == '_'))
        .collect();
    assert!(pinned.len() >= 5, "{pinned:?}");
    for test in pinned {
        assert!(tests.contains(&format!("fn {test}()")), "the guide says that `{test}` pins a row");
    }
}

#[test]
fn tests_that_hold_the_policy_of_versions_exist() {
    let tests: String = rust_files("tests").iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let policy = read("docs/policy.md");
    let is_test = |word: &&str| word.contains('_') && word.chars().all(|c| c.is_lowercase() || c == '_');
    let held_by: Vec<_> = policy.lines().flat_map(quoted).filter(is_test).collect();
    assert!(held_by.len() >= 5, "{held_by:?}");
    for test in held_by {
        assert!(tests.contains(&format!("fn {test}()")), "`{test}`, which holds docs/policy.md, is no test");
    }
}

#[test]
fn tests_that_hold_which_runtime_is_current_exist() {
    let tests = ["tests/current.rs", "tests/set_default.rs", "src/conformance/current.rs"].map(read).concat();
    let page = read("src/guide/differences.md");
    let (_, table) = page.split_once("\n# Which runtime is current").unwrap();
    let (table, _) = table.split_once("\n# ").unwrap();
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert_eq!(rows.len(), 6, "{rows:?}");
    for row in rows {
        let (_, held_by) = row.trim_end_matches('|').rsplit_once('|').unwrap();
        assert!(quoted(held_by).count() > 0, "nothing holds {row}");
        for test in quoted(held_by) {
            let found = tests.contains(&format!("fn {test}()")) || tests.contains(&format!("fn {test}<R"));
            assert!(found, "`{test}`, which holds a row of the guide, is no test");
        }
    }
}

/// Returns the tests of a package, with their attributes.
fn tests_with_attributes(package: &str) -> Vec<(String, String)> {
    let folder = match package {
        "anyrt" => "tests".to_owned(),
        "recipes" => "examples/recipes".to_owned(),
        package => format!("crates/{package}"),
    };
    let mut tests = Vec::new();
    for file in rust_files(&folder) {
        let mut attributes = String::new();
        for line in fs::read_to_string(file).unwrap().lines().map(str::trim) {
            match line.trim_start_matches("async ").strip_prefix("fn ") {
                Some(name) => {
                    let name = name.split(['(', '<']).next().unwrap();
                    tests.push((std::mem::take(&mut attributes), name.to_owned()));
                }
                None if line.starts_with("#[") => attributes.push_str(line),
                None if line.starts_with("//") => {}
                None => attributes.clear(),
            }
        }
    }
    tests
}

/// Each cell of the table of libraries is a test on that runtime, or a dash.
#[test]
fn libraries_of_the_guide_are_tested_on_each_runtime() {
    let runs_on = |package: &str, test: &str, runtime: &str| {
        let tests = tests_with_attributes(package);
        let mut found = tests.iter().filter(|(_, name)| name == test).map(|(attributes, _)| attributes);
        found.any(|attributes| {
            let options = |option: &str| {
                let (_, options) = attributes.split_once(&format!("{option}("))?;
                options.split_once(')').map(|(options, _)| options.contains(runtime))
            };
            attributes.contains("#[anyrt::test")
                && options("only").unwrap_or(true)
                && !options("skip").unwrap_or(false)
        })
    };
    let page = read("src/guide/other_crates.md");
    let (_, table) = page.split_once("| to | package | test |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let rows: Vec<Vec<&str>> =
        table.lines().skip(2).map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect();
    assert!(rows.len() >= 19, "{rows:?}");
    for row in rows {
        let [to, package, test, cells @ ..] = &row[..] else { panic!("{row:?}") };
        assert_eq!(cells.len(), 4, "{to}");
        for (cell, runtime) in cells.iter().zip(["tokio", "smol", "async_std", "sim"]) {
            // If a simulation has a test of its own, it is the second one.
            let test = if runtime == "sim" { quoted(test).last() } else { quoted(test).next() }.unwrap();
            assert_eq!(*cell != "–", runs_on(package, test, runtime), "{to}: {test} on {runtime}");
        }
    }
}

/// rustdoc checks neither fragments nor links to docs.rs.
#[test]
fn links_into_the_guide_lead_to_its_headings() {
    let pages = rust_files("src").into_iter().filter_map(|file| fs::read_to_string(file).ok());
    let guide = read("src/guide/mod.rs");
    let names: Vec<&str> =
        guide.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(" {}")).collect();
    let texts = names.iter().map(|name| read(format!("src/guide/{name}.md")));
    let index = read("src/guide/guide.md");
    let texts: Vec<String> = texts.chain(pages).chain([index.clone(), read("README.md")]).collect();
    // The anchor that rustdoc makes of a heading.
    let anchor = |heading: &str| -> String {
        let heading = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
    };
    let mut found = 0;
    for text in &texts {
        for begin in ["crate::guide::", "docs.rs/anyrt/latest/anyrt/guide/"] {
            for link in text.split(begin).skip(1) {
                let link = link.split([')', '\n', ']', ' ', '"']).next().unwrap().replace("/index.html", "");
                let (page, part) = link.split_once('#').unwrap_or((&link, ""));
                let page = page.trim_end_matches('`');
                if page == "index.html" {
                    continue;
                }
                assert!(names.contains(&page), "the guide has no page {link}");
                let page = read(format!("src/guide/{page}.md"));
                let mut headings = page.lines().filter(|line| line.starts_with('#')).map(anchor);
                assert!(
                    part.is_empty() || headings.any(|heading| heading == part),
                    "no heading of the guide is {link}"
                );
                found += 1;
            }
        }
    }
    assert!(found > 30, "{found}");
    for name in names {
        assert!(
            index.contains(&format!("(crate::guide::{name})")),
            "the guide's first page does not name {name}"
        );
    }
}

#[test]
fn only_the_registry_names_the_features_of_backends() {
    for file in rust_files("src") {
        // The registry has a part in each room that knows the backends.
        if ["task/native/mod.rs", "backend/mod.rs", "any/convert/mod.rs", "named/mod.rs", "macros/mod.rs"]
            .iter()
            .any(|part| file.ends_with(part))
        {
            continue;
        }
        // The root re-exports the names of the registry.
        let text = fs::read_to_string(&file).unwrap().replace("\r\n", "\n");
        let text = backends().iter().fold(text, |text, feature| {
            text.replace(&format!("#[cfg(feature = \"{feature}\")]\npub use backend::"), "")
        });
        for line in text.lines() {
            // Hidden lines of examples name the backends that they need.
            let code = line.split("//").next().unwrap();
            for feature in backends() {
                assert!(!code.contains(&format!("feature = \"{feature}\"")), "{}: {line}", file.display());
            }
        }
    }
}

#[test]
fn backends_have_the_same_files() {
    let names = |folder: &str| -> BTreeSet<String> {
        let (folder, files) = (root().join("src").join(folder), rust_files(&format!("src/{folder}")));
        let name = |file: &PathBuf| file.strip_prefix(&folder).unwrap().to_str().unwrap().replace('\\', "/");
        files.iter().map(name).collect()
    };
    let everywhere: BTreeSet<String> =
        ["mod.rs", "time.rs", "net/mod.rs", "net/udp.rs", "net/unix.rs"].map(str::to_owned).into();
    for own in ["backend/tokio", "backend/async_io", "backend/sim", "any/custom"] {
        assert!(names(own).is_superset(&everywhere), "{own}");
    }
    for backend in backends() {
        assert!(names(&format!("backend/{}", backend.replace('-', "_"))).contains("mod.rs"), "{backend}");
    }
}

/// `[package.metadata.anyrt]`, from which CI takes its matrix.
fn backends() -> Vec<String> {
    let manifest = read("Cargo.toml");
    let line = manifest.lines().find(|line| line.starts_with("backends = ")).unwrap();
    let backends: Vec<_> = line.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    for backend in &backends {
        let feature = format!("\n{backend} = [");
        assert!(manifest.contains(&feature), "`{backend}` is no feature");
    }
    backends
}

#[test]
fn features_are_explained_in_the_readme() {
    let (manifest, readme) = (read("Cargo.toml"), read("README.md"));
    let section = |text: &str, begin: &str, end: &str| -> Vec<String> {
        let (_, text) = text.split_once(begin).unwrap();
        text.split_once(end).unwrap().0.lines().map(str::to_owned).collect()
    };
    let features = section(&manifest, "\n[features]\n", "\n[");
    let features: BTreeSet<_> = features
        .iter()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(" = ").map(|(name, _)| name).filter(|name| *name != "default"))
        .collect();
    let rows = section(&readme, "\n## Features\n", "\n## ");
    let explained: BTreeSet<_> =
        rows.iter().filter_map(|row| row.split('|').nth(1)).flat_map(quoted).collect();
    assert_eq!(explained, features);
}

#[test]
fn nothing_is_ignored_without_its_reason() {
    for folder in ["src", "tests", "examples", "benches"] {
        for file in rust_files(folder) {
            for line in fs::read_to_string(&file).unwrap().lines() {
                assert!(!line.trim().starts_with("#[ignore]"), "{}: {line}", file.display());
            }
        }
    }
}
