//! `buggify!` and `sometimes!` in simulations.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyrt::sim::{Faults, check_deterministic, explore};
use anyrt::{BlockOn, Sim, Spawn, Time, buggify, sometimes};

#[track_caller]
fn panic_text<T>(code: impl FnOnce() -> T) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(code)) else { panic!("no panic") };
    *payload.downcast::<String>().unwrap()
}

#[track_caller]
fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no {word:?} in {text}");
    }
}

const PLACE: u32 = line!() + 6;

/// Tasks that take turns, and evaluate two places. Returns how often each was true.
fn turns(sim: &Sim, evaluates: bool) -> [u32; 2] {
    let taken = Arc::new([const { AtomicU32::new(0) }; 2]);
    let turn = move |taken: &[AtomicU32; 2]| {
        let taken_here = [evaluates && buggify!(), evaluates && buggify!(0.5)];
        for (taken, here) in taken.iter().zip(taken_here) {
            taken.fetch_add(u32::from(here), Ordering::Relaxed);
        }
    };
    let tasks = [1, 2, 3].map(|n| {
        let taken = taken.clone();
        sim.spawn(async move {
            for round in 0..8 {
                turn(&taken);
                anyrt::time::sleep(Duration::from_millis(n * round)).await;
            }
        })
    });
    sim.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    [0, 1].map(|at| taken[at].load(Ordering::Relaxed))
}

fn logged(seed: u64, evaluates: bool) -> ([u32; 2], String) {
    let sim = Sim::builder().seed(seed).log(true).build().unwrap();
    (turns(&sim, evaluates), sim.log().to_string())
}

#[test]
fn place_is_true_in_some_simulations_and_often_there() {
    let runs: Vec<_> =
        (0..400).map(|seed| turns(&Sim::builder().seed(seed).build().unwrap(), true)).collect();
    for place in 0..2 {
        let on: Vec<_> = runs.iter().map(|taken| taken[place]).filter(|taken| *taken > 0).collect();
        assert!((60..140).contains(&on.len()), "{} of 400 simulations", on.len());
        let (taken, most) = (on.iter().sum::<u32>(), 24 * on.len() as u32);
        let part = f64::from(taken) / f64::from(most);
        let rate = [0.25, 0.5][place];
        assert!((part - rate).abs() < 0.05, "{taken} of {most}");
    }
    assert!(runs.iter().any(|taken| taken[0] > 0 && taken[1] == 0), "the places are on independently");
}

/// The order of tasks, the times and all else is what it is without the places.
#[test]
fn place_does_not_change_the_schedule() {
    let mut taken = 0;
    for seed in 0..40 {
        let (of_seed, with) = logged(seed, true);
        let (_, without) = logged(seed, false);
        taken += of_seed.iter().sum::<u32>();
        let rest = |log: &str| -> Vec<String> {
            log.lines().skip(1).filter(|line| !line.contains("buggified")).map(str::to_owned).collect()
        };
        assert_eq!(rest(&with), rest(&without), "seed {seed}");
        assert_eq!(with.lines().next() == without.lines().next(), of_seed == [0, 0], "it is in the hash");
    }
    assert!(taken > 20, "{taken}");
}

#[test]
fn rare_branch_is_in_the_log_with_its_place_and_task() {
    let seed = (0..).find(|seed| logged(*seed, true).0[0] > 0).unwrap();
    let sim = Sim::builder().seed(seed).log(true).build().unwrap();
    turns(&sim, true);
    let place = format!("buggified: tests/sim_rare.rs:{PLACE}:");
    assert_says(&sim.log().to_string(), &[&place, "main  #"]);
    let json: serde_json::Value = serde_json::from_str(&sim.log().to_json()).unwrap();
    let event = json["events"].as_array().unwrap().iter().find(|event| event["kind"] == "buggified").unwrap();
    assert!(event["text"].as_str().unwrap().starts_with(&format!("tests/sim_rare.rs:{PLACE}:")), "{event}");
    assert!(event["task"].as_u64().unwrap() > 0 && event["host"] == "main", "{event}");
    assert_says(&sim.log().to_html(), &["'buggified'", &place["buggified: ".len()..]]);
}

/// In every kind of code that runs in a simulation; and it is the host of that code that the log names.
#[test]
fn places_work_in_all_code_of_a_simulation() {
    struct Guard(Arc<Mutex<BTreeSet<&'static str>>>);
    impl Drop for Guard {
        fn drop(&mut self) {
            if buggify!(1.0) {
                self.0.lock().unwrap().insert("destructor");
            }
        }
    }

    let taken = Arc::new(Mutex::new(BTreeSet::new()));
    explore(0..100, |sim| {
        let add = |taken: &Mutex<BTreeSet<&'static str>>, what| {
            taken.lock().unwrap().insert(what);
        };
        if buggify!(1.0) {
            add(&taken, "program");
        }
        sometimes!(sim.seed() == 50, "program");
        let db = sim.host("db", [10, 0, 0, 2]).unwrap();
        let there = taken.clone();
        db.boot(move |_| {
            let taken = there.clone();
            async move {
                if buggify!(1.0) {
                    add(&taken, "boot");
                }
                sometimes!(true, "boot");
            }
        });
        let [there, closure] = [taken.clone(), taken.clone()];
        let task = db.spawn(async move {
            if buggify!(1.0) {
                add(&there, "host");
            }
            let closure = anyrt::spawn_blocking(move || {
                sometimes!(true, "closure");
                if buggify!(1.0) {
                    add(&closure, "closure");
                }
            });
            closure.await.unwrap();
            let _guard = Guard(there);
            std::future::pending::<()>().await;
        });
        sim.block_on(async {
            if buggify!(1.0) {
                add(&taken, "block_on");
            }
            sometimes!(true, "block_on");
            sim.sleep(Duration::from_secs(1)).await;
            db.crash();
            task.await.unwrap_err();
        });
    });
    let all = ["block_on", "boot", "closure", "destructor", "host", "program"];
    assert_eq!(*taken.lock().unwrap(), BTreeSet::from(all));
}

#[test]
fn program_with_places_is_deterministic() {
    let hashes: BTreeSet<_> =
        (0..20).map(|seed| check_deterministic(seed, |sim| assert!(turns(sim, true)[0] <= 24))).collect();
    assert_eq!(hashes.len(), 20);
    // What was never true is no matter of one run.
    check_deterministic(1, |_| sometimes!(false, "never"));
}

const BOOT: u32 = line!() + 8;

/// Fails in the end, where the host has been started again and without it.
fn fails_where_it_is_rare(sim: &Sim) {
    let db = sim.host("db", [10, 0, 0, 2]).unwrap();
    let boots = Arc::new(AtomicU32::new(0));
    let there = boots.clone();
    db.boot(move |_| {
        there.fetch_add(u32::from(buggify!(1.0)), Ordering::Relaxed);
        async {}
    });
    sim.inject(&Faults::new().crashes(2)).unwrap();
    let taken = turns(sim, true);
    sim.advance(Duration::from_secs(20));
    assert!(taken[0] < 5 || boots.load(Ordering::Relaxed) == 0, "too often");
}

/// The report says where, and the printed command fails in the same way in another process.
#[test]
fn failure_in_a_rare_branch_is_reduced_and_replayed() {
    const TEST: &str = "failure_in_a_rare_branch_is_reduced_and_replayed";
    const CHILD: &str = "ANYRT_TEST_SIM_RARE_CHILD";
    if env::var_os(CHILD).is_some() {
        return explore(0..1_000, fails_where_it_is_rare);
    }
    let text = panic_text(|| explore(0..1_000, fails_where_it_is_rare));
    let place = format!("`buggify!` was true at:\n  tests/sim_rare.rs:{PLACE}:");
    let boot = format!("\n  tests/sim_rare.rs:{BOOT}:35 (once)\n");
    assert_says(&text, &["too often", "none of 2 faults", &place, " times)\n", &boot]);
    let line = text.lines().find(|line| line.contains("ANYRT_SIM_SEED=")).unwrap().trim();
    let variables =
        line.split(' ').filter_map(|word| word.split_once('=')).filter(|(name, _)| name.starts_with("ANYRT"));
    let mut child = Command::new(env::current_exe().unwrap());
    let output =
        child.args(["--exact", TEST, "--nocapture"]).env(CHILD, "1").envs(variables).output().unwrap();
    assert!(!output.status.success());
    assert_says(&String::from_utf8_lossy(&output.stderr), &["too often"]);
}

const NEVER: u32 = line!() + 6;

/// Once in each run, and in runs of odd seeds twice; true where the seed is at least 90.
fn reaches(sim: &Sim, of: u64) {
    for _ in 0..1 + sim.seed() % 2 {
        sim.block_on(async {
            sometimes!(sim.seed() >= of, "a large seed");
            sometimes!(true, "always");
        });
    }
}

#[test]
fn condition_that_is_true_once_is_enough() {
    for threads in [1, 2, 7] {
        Sim::builder().threads(threads).explore(0..100, |sim| reaches(sim, 99));
    }
}

#[test]
fn condition_that_is_never_true_is_a_failure() {
    let text = panic_text(|| Sim::builder().threads(3).explore(0..100, |sim| reaches(sim, 100)));
    let place =
        format!("\"a large seed\" (tests/sim_rare.rs:{NEVER}:13) was reached 150 times and never true");
    assert_says(&text, &["true in none of 100 runs", &place, "Run more seeds", "`anyrt::buggify!()`"]);
    assert!(!text.contains("\"always\""), "{text}");
}

#[test]
fn names_that_are_expected_must_be_reached() {
    let search = |names: &'static [&'static str]| {
        move || {
            explore(0..100, |sim| {
                sim.expect_sometimes(names.iter().copied());
                reaches(sim, 50);
            });
        }
    };
    search(&["always", "a large seed"])();
    let text = panic_text(search(&["always", "a retry"]));
    let wrong = "\"a retry\" is expected, and no place of that name was reached";
    assert_says(&text, &[wrong, "(reached were \"a large seed\", \"always\")"]);
    assert!(!text.contains("\"always\" is expected"), "{text}");
}

/// The failure of a seed comes before what was never true.
#[test]
fn seed_that_fails_is_told_first() {
    let text = panic_text(|| {
        explore(0..100, |sim| {
            reaches(sim, 100);
            assert!(sim.seed() < 40, "forty");
        });
    });
    assert_says(&text, &["seed 40 fails", "forty"]);
    assert!(!text.contains("a large seed"), "{text}");
}

fn expects(sim: &Sim) {
    sim.expect_sometimes(["rare"]);
}

/// Attributes count, too.
#[anyrt::test(only(sim), sim(seeds = 200, with = expects))]
async fn rare_branch_of_a_test_is_taken() {
    sometimes!(buggify!(), "rare");
}

#[test]
fn counts_are_printed() {
    const TEST: &str = "counts_are_printed";
    const CHILD: &str = "ANYRT_TEST_SIM_RARE_CHILD";
    if env::var_os(CHILD).is_some() {
        return explore(0..100, |sim| reaches(sim, 90));
    }
    let mut child = Command::new(env::current_exe().unwrap());
    let output = child.args(["--exact", TEST, "--nocapture"]).env(CHILD, "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = format!(
        "\"a large seed\" (tests/sim_rare.rs:{NEVER}:13): reached 150 times, true 15 times, in 10 runs"
    );
    assert_says(&text, &["sometimes, in 100 runs:\n", &line]);
}
