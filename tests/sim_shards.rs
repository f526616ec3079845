//! Shares of the seeds of a search, and their results. The tests run searches in processes of their own, with other variables.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyrt::sim::explore;
use anyrt::{BlockOn, Sim, sometimes};

/// What the search of a child is: see `search`.
const CHILD: &str = "ANYRT_TEST_SIM_SHARDS_CHILD";

/// The searches. Not a test by itself.
#[test]
fn search() {
    let Ok(what) = env::var(CHILD) else { return };
    let program = |sim: &Sim| {
        println!("ran {}", sim.seed());
        match what.as_str() {
            "passes" => {}
            "once" => sim.block_on(async { sometimes!(sim.seed() == 107, "it is 107") }),
            "never" => sim.block_on(async { sometimes!(sim.seed() == 7, "it is 7") }),
            "expects" => sim.expect_sometimes(["nobody's name"]),
            "fails" => assert!(sim.seed() % 50 != 23, "{} is wrong", sim.seed()),
            what => panic!("{what}"),
        }
    };
    explore(100..200, program);
    // Another one of the same test, with the same seeds.
    explore(100..200, |_| {});
}

struct Ran {
    passed: bool,
    seeds: BTreeSet<u64>,
    said: String,
}

/// A folder of its own, and the searches that write to it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        Self(env::temp_dir().join(format!("anyrt-shards-{}-{name}", std::process::id())))
    }

    fn run(&self, what: &str, shard: &str) -> Ran {
        run(what, &[("ANYRT_SIM_SHARD", shard), ("ANYRT_SIM_RESULTS", self.0.to_str().unwrap())])
    }

    /// All shards; whether each has passed.
    fn run_all(&self, what: &str, of: u64) -> Vec<bool> {
        (1..=of).map(|number| self.run(what, &format!("{number}/{of}")).passed).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn run(what: &str, variables: &[(&str, &str)]) -> Ran {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "search", "--nocapture"]).env(CHILD, what).envs(variables.iter().copied());
    let output = child.output().unwrap();
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    let seeds = said.lines().filter_map(|line| line.split("ran ").nth(1)?.parse().ok()).collect();
    Ran { passed: output.status.success(), seeds, said }
}

#[track_caller]
fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no {word:?} in {text}");
    }
}

#[test]
fn shards_share_the_seeds_and_merging_runs_none() {
    let folder = Folder::new("share");
    let mut all = BTreeSet::new();
    for number in 1..=3 {
        let Ran { passed, seeds, said } = folder.run("passes", &format!("{number}/3"));
        assert!(passed, "{said}");
        assert!(seeds.iter().all(|seed| (seed - 100) % 3 == number - 1), "{seeds:?}");
        all.extend(seeds);
    }
    assert_eq!(all, (100..200).collect());
    let Ran { passed, seeds, said } = folder.run("passes", "merge");
    assert!(passed && seeds.is_empty(), "{said}");
    let files: BTreeSet<_> = fs::read_dir(&folder.0)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    let names = |name: &str| (1..=3).map(|number| format!("{name}.{number}-of-3.json")).collect::<Vec<_>>();
    let expected = [names("sim_shards.search.100-200"), names("sim_shards.search.100-200.2")].concat();
    assert_eq!(files, expected.into_iter().collect());
}

#[test]
fn what_is_true_in_one_shard_is_enough() {
    let folder = Folder::new("once");
    assert_eq!(folder.run_all("once", 4), [true; 4]);
    let Ran { passed, said, .. } = folder.run("once", "merge");
    assert!(passed, "{said}");
    assert_says(&said, &["sometimes, in 100 runs", "reached 100 times, true once, in 1 run"]);
    let file = fs::read_to_string(folder.0.join("sim_shards.search.100-200.4-of-4.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&file).unwrap();
    assert_eq!((&json["shard"], &json["passed"], &json["failed"]), (&"4/4".into(), &25.into(), &().into()));
    let place = &json["sometimes"][0];
    assert_eq!((&place["name"], &place["reached"]), (&"it is 107".into(), &25.into()));
    assert_eq!((&place["true"], &place["runs"]), (&1.into(), &1.into()));
}

#[test]
fn what_is_true_in_no_shard_is_a_failure_of_the_merge() {
    for (what, words) in [
        ("never", "\"it is 7\" (tests/sim_shards.rs:25:45) was reached 100 times and never true"),
        ("expects", "\"nobody's name\" is expected, and no place of that name was reached"),
    ] {
        let folder = Folder::new(what);
        assert_eq!(folder.run_all(what, 2), [true; 2]);
        let Ran { passed, said, .. } = folder.run(what, "merge");
        assert!(!passed);
        assert_says(&said, &["true in none of 100 runs", words]);
        // The only shard decides by itself, with results and without.
        assert!(!folder.run(what, "1/1").passed && !run(what, &[]).passed);
    }
    let Ran { passed, said, .. } = run("never", &[("ANYRT_SIM_SHARD", "1/2")]);
    assert!(passed);
    assert_says(&said, &["never true in this shard", "ANYRT_SIM_RESULTS", "ANYRT_SIM_SHARD=merge"]);
}

/// 123 is in the last of four shards, after 5 others, and 173 in the second.
#[test]
fn smallest_seed_that_fails_in_any_shard_is_reported() {
    let folder = Folder::new("fails");
    assert_eq!(folder.run_all("fails", 4), [true, false, true, false]);
    let Ran { said, .. } = folder.run("fails", "4/4");
    assert_says(&said, &["seed 123 fails, after 5 runs that passed", "123 is wrong", "ANYRT_SIM_SEED=123"]);
    // The second search of each process has not begun.
    fs::remove_file(folder.0.join("sim_shards.search.100-200.1-of-4.json")).unwrap();
    let Ran { passed, said, .. } = folder.run("fails", "merge");
    assert!(!passed);
    assert_says(&said, &["shard 1/4 are missing", "sim_shards.search.100-200 in ANYRT_SIM_RESULTS="]);
    folder.run("fails", "1/4");
    let Ran { passed, said, .. } = folder.run("fails", "merge");
    assert!(!passed);
    assert_says(&said, &["seed 123 fails, after 5 runs that passed", "123 is wrong", "ANYRT_SIM_SEED=123"]);
    assert!(!said.contains("173"), "{said}");
    // A seed that is asked for is run, whatever the shard is.
    let Ran { passed, seeds, .. } = run("fails", &[("ANYRT_SIM_SHARD", "1/4"), ("ANYRT_SIM_SEED", "123")]);
    assert!(!passed && seeds == BTreeSet::from([123]));
}

#[test]
fn bad_values_and_files_are_named() {
    let folder = Folder::new("bad");
    for shard in ["0/3", "4/3", "x"] {
        let Ran { passed, said, seeds } = folder.run("passes", shard);
        assert!(!passed && seeds.is_empty());
        let is = format!("ANYRT_SIM_SHARD is {shard:?}");
        assert_says(&said, &["panicked at tests/sim_shards.rs:", &is, "write one such as 3/16"]);
    }
    let Ran { passed, said, .. } = run("passes", &[("ANYRT_SIM_SHARD", "merge")]);
    assert!(!passed);
    assert_says(&said, &["ANYRT_SIM_SHARD=merge", "ANYRT_SIM_RESULTS", "set it to the folder"]);
    fs::create_dir_all(&folder.0).unwrap();
    let merge = || {
        let Ran { passed, said, .. } = folder.run("passes", "merge");
        assert!(!passed, "{said}");
        said
    };
    assert_says(&merge(), &["there are none", "ANYRT_SIM_SHARD=1/2"]);
    assert_eq!(folder.run_all("passes", 2), [true; 2]);
    fs::write(folder.0.join("sim_shards.search.100-200.2-of-2.json"), "{\"shard\": ").unwrap();
    assert_says(&merge(), &["2-of-2.json is no file of results"]);
    let [first, second, none, beyond, twice] = ["1-of-2", "2-of-2", "0-of-0", "3-of-2", "01-of-2"]
        .map(|shard| folder.0.join(format!("sim_shards.search.100-200.{shard}.json")));
    fs::copy(&first, &second).unwrap();
    assert_says(&merge(), &[second.to_str().unwrap(), "has the results of shard 1/2"]);
    for file in [none, beyond, twice] {
        fs::copy(&first, &file).unwrap();
        assert_says(&merge(), &[file.to_str().unwrap(), "has the name of no shard"]);
        fs::remove_file(file).unwrap();
    }
    fs::remove_file(&second).unwrap();
    assert_says(&merge(), &["those of shard 2/2 are missing", second.to_str().unwrap()]);
    assert!(folder.run("passes", "1/3").passed);
    assert_says(&merge(), &["some are of 2 shards and some of 3", "empty folder"]);
    // A file where the folder should be.
    let file = folder.0.join("file");
    fs::write(&file, "").unwrap();
    let Ran { passed, said, .. } = run("passes", &[("ANYRT_SIM_RESULTS", file.to_str().unwrap())]);
    assert!(!passed);
    assert_says(&said, &["shard 1/1 cannot be written to ANYRT_SIM_RESULTS"]);
}

/// More shards than seeds: some have nothing to do.
#[test]
fn shard_without_a_seed_passes() {
    let folder = Folder::new("empty");
    let Ran { passed, seeds, said } = folder.run("passes", "150/150");
    assert!(passed && seeds.is_empty(), "{said}");
}
