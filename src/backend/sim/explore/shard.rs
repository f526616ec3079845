//! A share of the seeds, and the results of all shares.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use super::json::Value;
use super::tally::{Place, Tally, Total};
use crate::backend::sim::replay::parse;
use crate::backend::sim::sorted::SortedMap;
use crate::thread::lock;

const SHARD: &str = "ANYRT_SIM_SHARD";
const RESULTS: &str = "ANYRT_SIM_RESULTS";

/// What a search is to do.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shard {
    pub(super) task: Task,
    pub(super) results: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Task {
    /// Share `number` of `of`; the first is 1.
    Run { number: u64, of: u64 },
    /// No seed is run: the results of all shares are read.
    Merge,
}

/// The seeds of a share: each `step`-th.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Seeds {
    first: u64,
    step: u64,
    pub(super) count: u64,
}

impl Seeds {
    pub(super) fn get(self, index: u64) -> u64 {
        self.first + index * self.step
    }
}

impl Shard {
    pub(super) fn of_the_environment() -> io::Result<Self> {
        Self::read(|name| env::var_os(name))
    }

    fn read(variable: impl Fn(&str) -> Option<OsString>) -> io::Result<Self> {
        let what = "a share of the seeds: write one such as 3/16, from 1/16 to 16/16, or `merge`";
        let task = parse(&variable, SHARD, what, task)?;
        let results = variable(RESULTS).filter(|folder| !folder.is_empty()).map(PathBuf::from);
        if task == Some(Task::Merge) && results.is_none() {
            let text = format!(
                "anyrt: {SHARD}=merge reads the results of all shards, and {RESULTS} does not say where: set it to the folder \
                 that they were written to"
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        Ok(Self { task: task.unwrap_or(Task::Run { number: 1, of: 1 }), results })
    }
}

fn task(text: &str) -> Option<Task> {
    if text == "merge" {
        return Some(Task::Merge);
    }
    let (number, of) = text.split_once('/')?;
    let (number, of) = (number.trim().parse().ok()?, of.trim().parse().ok()?);
    (1..=of).contains(&number).then_some(Task::Run { number, of })
}

/// The seeds of a share of `all`. Neighbours are in different shares, so that all take the same time.
pub(super) fn share(all: &Range<u64>, number: u64, of: u64) -> Seeds {
    let many = all.end - all.start;
    let before = number - 1;
    let count = if before < many { (many - before).div_ceil(of) } else { 0 };
    Seeds { first: all.start.saturating_add(before), step: of, count }
}

/// The name of a search, which is the same in all shards: of the program, the test and the seeds. Several of one test are counted.
pub(super) fn name_of_a_search(seeds: &Range<u64>) -> String {
    static KNOWN: Mutex<SortedMap<String, u64>> = Mutex::new(SortedMap::new());
    let exe = env::current_exe().unwrap_or_default();
    let stem = exe.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    // `target/release/deps/kv-0123456789abcdef`
    let is_hashed = exe.parent().is_some_and(|folder| folder.ends_with("deps"));
    let program = stem.rsplit_once('-').filter(|_| is_hashed).map_or(stem.as_str(), |(program, _)| program);
    let thread = thread::current();
    let name = format!("{program}.{}.{}-{}", thread.name().unwrap_or("main"), seeds.start, seeds.end);
    let plain = |letter: char| if letter.is_alphanumeric() || "._-".contains(letter) { letter } else { '_' };
    let name: String = name.replace("::", ".").chars().map(plain).collect();
    let mut known = lock(&KNOWN);
    let times = known.get_or_insert_with(name.clone(), || 0);
    *times += 1;
    match *times {
        1 => name,
        times => format!("{name}.{times}"),
    }
}

/// What a share, or all of them, came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Results {
    pub(super) tally: Tally,
    /// A seed that fails, and its report.
    pub(super) failed: Option<(u64, String)>,
}

impl Results {
    fn to_json(&self, number: u64, of: u64) -> Value {
        let Tally { runs, places, expected, .. } = &self.tally;
        let place = |(Place { name, at }, total): (&Place, &Total)| {
            Value::object([
                ("name", Value::text(name)),
                ("at", Value::text(at)),
                ("reached", Value::Number(total.reached)),
                ("true", Value::Number(total.held)),
                ("runs", Value::Number(total.runs)),
            ])
        };
        let failed = self.failed.as_ref().map_or(Value::Null, |(seed, report)| {
            // A text: many readers of JSON would round a number.
            Value::object([("seed", Value::Text(seed.to_string())), ("report", Value::text(report))])
        });
        Value::object([
            ("shard", Value::Text(format!("{number}/{of}"))),
            ("passed", Value::Number(*runs)),
            ("failed", failed),
            ("sometimes", Value::List(places.iter().map(place).collect())),
            ("expected", Value::List(expected.iter().map(|name| Value::text(name)).collect())),
        ])
    }

    /// With the shard that they are of.
    fn of_json(value: &Value) -> Option<(String, Self)> {
        let shard = value.get("shard")?.as_text()?.to_owned();
        let mut tally = Tally { runs: value.get("passed")?.as_number()?, ..Tally::default() };
        for place in value.get("sometimes")?.as_list()? {
            let text = |name| Some(place.get(name)?.as_text()?.to_owned());
            let number = |name| place.get(name)?.as_number();
            let total = Total { reached: number("reached")?, held: number("true")?, runs: number("runs")? };
            tally.places.insert(Place { name: text("name")?, at: text("at")? }, total);
        }
        for name in value.get("expected")?.as_list()? {
            tally.expected.insert(name.as_text()?.to_owned());
        }
        let failed = match value.get("failed")? {
            Value::Null => None,
            failed => {
                let seed = failed.get("seed")?.as_text()?.parse().ok()?;
                Some((seed, failed.get("report")?.as_text()?.to_owned()))
            }
        };
        Some((shard, Self { tally, failed }))
    }

    fn add(&mut self, mut other: Self) {
        let Tally { runs, places, expected, .. } = std::mem::take(&mut other.tally);
        self.tally.runs += runs;
        for (place, total) in places {
            self.tally.places.get_or_insert_with(place, Total::default).add(total);
        }
        self.tally.expected.extend(expected);
        let seed = |results: &Self| results.failed.as_ref().map_or(u64::MAX, |(seed, _)| *seed);
        if seed(&other) < seed(self) {
            self.failed = other.failed;
        }
    }

    /// Writes them to a file of their own.
    pub(super) fn save(&self, folder: &Path, name: &str, number: u64, of: u64) -> Result<(), String> {
        let file = folder.join(file_name(name, number, of));
        let text = format!("{}\n", self.to_json(number, of));
        fs::create_dir_all(folder).and_then(|()| fs::write(&file, text)).map_err(|error| {
            format!(
                "anyrt: the results of shard {number}/{of} cannot be written to {RESULTS}, {}: {error}",
                file.display()
            )
        })
    }

    /// Reads those of all shares.
    pub(super) fn merge(folder: &Path, name: &str) -> Result<Self, String> {
        let whose = format!("anyrt: the results of {name} in {RESULTS}={}", folder.display());
        let cannot = |error: io::Error| format!("{whose} cannot be read: {error}");
        let mut counts = Vec::new();
        for entry in fs::read_dir(folder).map_err(cannot)? {
            let file = entry.map_err(cannot)?.file_name();
            let Some((number, of)) = file.to_str().and_then(|file| shard_of(file, name)) else { continue };
            if !(1..=of).contains(&number) || *file != *file_name(name, number, of) {
                let file = folder.join(file);
                return Err(format!(
                    "{whose}: {} has the name of no shard: write them as 1-of-2 and 2-of-2",
                    file.display()
                ));
            }
            counts.push(of);
        }
        counts.sort_unstable();
        counts.dedup();
        let of = match counts[..] {
            [of] => of,
            [] => {
                return Err(format!(
                    "{whose}: there are none. Run each shard with that variable first, such as {SHARD}=1/2 and {SHARD}=2/2"
                ));
            }
            [one, other, ..] => {
                return Err(format!(
                    "{whose}: some are of {one} shards and some of {other}. Begin with an empty folder"
                ));
            }
        };
        let mut merged = Self::default();
        for number in 1..=of {
            let file = folder.join(file_name(name, number, of));
            let file_is = |what: &str| format!("{whose}: {} {what}", file.display());
            let text = fs::read_to_string(&file).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => format!(
                    "{whose}: those of shard {number}/{of} are missing, there is no {}. The shard has not ended, or has \
                     ended in a crash",
                    file.display()
                ),
                _ => file_is(&format!("cannot be read: {error}")),
            })?;
            let (shard, results) = Value::parse(&text)
                .and_then(|value| Self::of_json(&value))
                .ok_or_else(|| file_is("is no file of results"))?;
            if shard != format!("{number}/{of}") {
                return Err(file_is(&format!("has the results of shard {shard}")));
            }
            merged.add(results);
        }
        Ok(merged)
    }
}

fn file_name(name: &str, number: u64, of: u64) -> String {
    format!("{name}.{number}-of-{of}.json")
}

/// The numbers in the name of a file of this search.
fn shard_of(file: &str, name: &str) -> Option<(u64, u64)> {
    let shard = file.strip_prefix(name)?.strip_prefix('.')?.strip_suffix(".json")?;
    let (number, of) = shard.split_once("-of-")?;
    Some((number.parse().ok()?, of.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn read(variables: &[(&str, &str)]) -> io::Result<Shard> {
        Shard::read(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
    }

    #[test]
    fn share_is_read_and_what_is_none_is_named() {
        let run = |number, of| Task::Run { number, of };
        assert_eq!(read(&[]).unwrap(), Shard { task: run(1, 1), results: None });
        for (text, expected) in [("3/16", run(3, 16)), (" 16 / 16 ", run(16, 16)), ("1/1", run(1, 1))] {
            assert_eq!(read(&[(SHARD, text)]).unwrap().task, expected);
        }
        let merge = read(&[(SHARD, "merge"), (RESULTS, "out")]).unwrap();
        assert_eq!(merge, Shard { task: Task::Merge, results: Some("out".into()) });
        for text in ["0/16", "17/16", "3", "3/0", "a/b", "3/16/2", "", "-1/2", "merged"] {
            let error = read(&[(SHARD, text)]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            let words = [SHARD, &format!("{text:?}"), "3/16", "1/16 to 16/16"];
            assert!(words.iter().all(|word| error.to_string().contains(word)), "{error}");
        }
        let error = read(&[(SHARD, "merge"), (RESULTS, "")]).unwrap_err().to_string();
        assert!(error.contains(RESULTS) && error.contains("the folder"), "{error}");
    }

    #[test]
    fn shares_are_all_seeds_and_about_alike() {
        for (all, of) in [(0..1_000, 16), (7..10, 16), (5..6, 1), (0..17, 17), (u64::MAX - 5..u64::MAX, 3)] {
            let shares: Vec<Seeds> = (1..=of).map(|number| share(&all, number, of)).collect();
            let seeds: Vec<u64> =
                shares.iter().flat_map(|share| (0..share.count).map(|index| share.get(index))).collect();
            assert_eq!(seeds.len() as u64, all.end - all.start);
            assert_eq!(seeds.into_iter().collect::<BTreeSet<_>>(), all.clone().collect());
            let counts: BTreeSet<_> = shares.iter().map(|share| share.count).collect();
            assert!(counts.len() <= 2 && counts.last().unwrap() - counts.first().unwrap() <= 1);
        }
    }

    #[test]
    fn results_are_what_was_written() {
        let place = Place { name: "a \"name\"".to_owned(), at: "src/a.rs:1:2".to_owned() };
        let mut tally = Tally { runs: 63, expected: ["b".to_owned()].into(), ..Tally::default() };
        tally.places.insert(place, Total { reached: 9, held: 2, runs: 1 });
        for failed in [None, Some((u64::MAX, "two\nlines".to_owned()))] {
            let results = Results { tally: tally.clone(), failed };
            let text = results.to_json(3, 16).to_string();
            let read = Results::of_json(&Value::parse(&text).unwrap());
            assert_eq!(read, Some(("3/16".to_owned(), results)), "{text}");
        }
    }
}
