//! The public API is the reviewed one.
//!
//! `listings/none.txt` is the API of anyrt without features. The file of a backend has the lines that its feature adds,
//! and `all.txt` those that the other features add. Each crate beside anyrt has a file of its own. `BLESS=1 cargo test
//! --manifest-path tests/api/Cargo.toml` writes them. The listed API is that on Linux.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::{env, fs};

use api::{Listing, Nightly, Set, below_one, foreign, sets};

/// Every set with its listing, or the reason why there are none.
type Listings = Result<Vec<(Set, Listing)>, String>;

static LISTINGS: LazyLock<Listings> = LazyLock::new(|| {
    if !cfg!(target_os = "linux") {
        return Err("the API that is listed is that on Linux".to_owned());
    }
    let nightly = Nightly::find(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("rustdoc"))?;
    let listing = |set: Set| {
        let (file, document) = nightly.document(&set)?;
        Ok((set, Listing::new(&file, &document)))
    };
    sets().into_iter().map(listing).collect()
});

/// Returns the listings. Without them a test is skipped, and reports that although it passes.
fn listings(test: &str) -> Option<&'static [(Set, Listing)]> {
    match &*LISTINGS {
        Ok(listings) => Some(listings),
        Err(why) => {
            assert!(!is_blessing(), "nothing can be written: {why}");
            let _ = writeln!(io::stderr(), "skipped {test}: {why}");
            None
        }
    }
}

fn is_blessing() -> bool {
    env::var_os("BLESS").is_some_and(|value| value != "0")
}

fn listing<'a>(all: &'a [(Set, Listing)], name: &str) -> &'a Listing {
    &all.iter().find(|(set, _)| set.name == name).expect("a set that is contained in another is one").1
}

#[test]
fn api_is_as_it_was_reviewed() {
    let Some(all) = listings("api_is_as_it_was_reviewed") else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("listings");
    let texts: BTreeMap<PathBuf, String> = all
        .iter()
        .map(|(set, own)| (folder.join(&set.name).with_extension("txt"), text(set, own, all)))
        .collect();
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let files: BTreeMap<PathBuf, String> = files
        .map(|file| {
            let text = fs::read_to_string(&file).unwrap().replace("\r\n", "\n");
            (file, text)
        })
        .collect();
    if is_blessing() {
        for file in files.keys().filter(|file| !texts.contains_key(*file)) {
            fs::remove_file(file).unwrap();
        }
        for (file, text) in &texts {
            fs::write(file, text).unwrap();
        }
        return;
    }

    let paths: BTreeSet<_> = texts.keys().chain(files.keys()).collect();
    let changes: String = paths
        .into_iter()
        .map(|path| {
            let [new, old] = [texts.get(path), files.get(path)].map(|text| text.map_or("", String::as_str));
            changes(&path.file_name().unwrap().to_string_lossy(), old, new)
        })
        .collect();
    let bless = "If that is meant: BLESS=1 cargo test --manifest-path tests/api/Cargo.toml";
    assert!(changes.is_empty(), "the public API has changed:\n\n{changes}{bless}");
}

/// Returns the contents of the file of a set.
fn text(set: &Set, own: &Listing, all: &[(Set, Listing)]) -> String {
    let others: Vec<_> = set.contains.iter().map(|name| listing(all, name)).collect();
    let files: Vec<_> = set.contains.iter().map(|name| format!("{name}.txt")).collect();
    let contained = if files.is_empty() { String::new() } else { format!(", without {}", files.join(", ")) };
    let features = set.features.join(" ");
    let lines: String = own.without(&others).iter().map(|line| format!("{line}\n")).collect();
    format!("# {} {features}{contained}\n{lines}", set.package)
}

/// Returns the removed lines and the added ones.
fn changes(name: &str, old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    let [old, new] = [old, new].map(|text| text.lines().collect::<Vec<_>>());
    let gone = old.iter().filter(|line| !new.contains(line)).map(|line| format!("- {line}\n"));
    let added = new.iter().filter(|line| !old.contains(line)).map(|line| format!("+ {line}\n"));
    let lines: String = gone.chain(added).collect();
    format!("{name}:\n{}\n", if lines.is_empty() { "its lines are in another order\n" } else { &lines })
}

/// A feature removes nothing: another dependency may enable it.
#[test]
fn features_only_add() {
    let Some(all) = listings("features_only_add") else { return };
    let mut lost = String::new();
    for (set, own) in all {
        for name in &set.contains {
            for line in listing(all, name).without(&[own]) {
                lost += &format!("{line}\n  is in {name}, and not in {}\n", set.name);
            }
        }
    }
    assert!(lost.is_empty(), "{lost}");
}

#[test]
fn types_of_other_crates_are_allowed() {
    assert_eq!(below_one(), [""; 0], "these are of version 0: say in BELOW_ONE why they are in the API");
    let Some(all) = listings("types_of_other_crates_are_allowed") else { return };
    let found: String = all
        .iter()
        .flat_map(|(set, own)| foreign(&set.name, own).into_iter().map(move |found| (&set.name, found)))
        .map(|(set, (path, line))| format!("{path}\n  is in the API of {set}: {line}\n"))
        .collect();
    assert!(found.is_empty(), "{found}");
}
