//! A search that goes on from runs that did something new.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use anyrt::sim::Faults;
use anyrt::{BlockOn, Sim, Spawn, sometimes};

/// The search of a child.
const CHILD: &str = "ANYRT_TEST_SIM_GUIDED_CHILD";

fn child(test: &str, variables: &[(&str, &str)]) -> Output {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture"]).env(CHILD, "1").envs(variables.iter().copied());
    child.output().unwrap()
}

fn said(Output { stdout, stderr, .. }: &Output) -> String {
    [stdout, stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

fn report(search: impl FnOnce()) -> Option<String> {
    catch_unwind(AssertUnwindSafe(search)).err().map(|report| *report.downcast::<String>().unwrap())
}

#[track_caller]
fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no {word:?} in {text}");
    }
}

/// Candidates in each of some terms. Whoever is first leads; the bug is where the last one leads in all of them.
fn election(sim: &Sim, candidates: usize, terms: usize) {
    sim.block_on(async {
        for _ in 0..terms {
            let leader = Arc::new(AtomicUsize::new(candidates));
            let tasks: Vec<_> = (0..candidates)
                .map(|candidate| {
                    let leader = leader.clone();
                    sim.spawn(async move {
                        anyrt::yield_now().await;
                        let before = Ordering::Relaxed;
                        let _ = leader.compare_exchange(candidates, candidate, before, before);
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            if leader.load(Ordering::Relaxed) != candidates - 1 {
                return;
            }
        }
        panic!("the last candidate has led for {terms} terms");
    });
}

fn passed(report: &str) -> u64 {
    let (_, rest) = report.split_once(" fails, after ").unwrap();
    rest.split_once(" runs that passed").unwrap().0.replace(',', "").parse().unwrap()
}

/// Five orders in a row, each one in eight. The example `sim_guided` has medians over many starts.
#[test]
fn bug_of_depth_five_is_found_that_plain_seeds_miss_in_ten_times_the_runs() {
    const START: u64 = 0;
    let program = |sim: &Sim| election(sim, 8, 5);
    let guided = |threads| {
        let builder = Sim::builder().guided(true).threads(threads);
        report(|| builder.explore(START..START + 100_000, program)).unwrap()
    };
    let found = guided(1);
    assert_says(&found, &["the last candidate has led for 5 terms", " to another seed, after step"]);
    assert_eq!(found, guided(2), "it does not depend on threads");
    assert_eq!(found, guided(5), "it does not depend on threads");
    Sim::builder().explore(START..START + 10 * passed(&found), program);
}

#[test]
fn what_is_printed_fails_in_the_same_way() {
    const TEST: &str = "what_is_printed_fails_in_the_same_way";
    let search = || Sim::builder().guided(true).explore(0..100_000, |sim| election(sim, 8, 4));
    if env::var_os(CHILD).is_some() {
        return search();
    }
    let report = report(search).unwrap();
    let command = report.lines().find(|line| line.trim().starts_with("ANYRT_SIM_SEED=")).unwrap();
    let variables: Vec<_> = command.split_whitespace().filter_map(|word| word.split_once('=')).collect();
    let seed = variables[0].1;
    assert!(seed.contains('@'), "{report}");
    assert_says(&report, &[&format!("anyrt: seed {seed} fails, after "), " switches to another seed"]);
    let log = env::temp_dir().join(format!("anyrt-guided-{}.txt", std::process::id()));
    let again = child(TEST, &[&variables[..], &[("ANYRT_SIM_LOG", log.to_str().unwrap())]].concat());
    assert!(!again.status.success());
    assert_says(
        &said(&again),
        &["the last candidate has led for 4 terms", &format!(": ANYRT_SIM_SEED={seed}")],
    );
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::remove_file(&log).unwrap();
    assert!(text.starts_with(&format!("seed {seed}, policy ")), "{text}");
    // Without its switches it passes, and that is said.
    let (first, _) = seed.split_once('@').unwrap();
    let plain = child(TEST, &[("ANYRT_SIM_SEED", first)]);
    assert_says(&said(&plain), &[&format!("seed {first} does not fail")]);
    let bad = child(TEST, &[("ANYRT_SIM_SEED", "812@37")]);
    assert_says(&said(&bad), &["ANYRT_SIM_SEED is \"812@37\"", "such as 812@37,9113"]);
}

/// The first seed of a run, and its first number.
fn runs(search: impl FnOnce(&(dyn Fn(&Sim) + Sync))) -> Vec<(u64, u64)> {
    let runs = Mutex::new(Vec::new());
    search(&|sim| {
        let first = sim.block_on(async {
            let task = sim.spawn(async { anyrt::yield_now().await });
            task.await.unwrap();
            anyrt::random_seed()
        });
        runs.lock().unwrap().push((sim.seed(), first));
    });
    runs.into_inner().unwrap()
}

#[test]
fn half_of_the_runs_are_seeds_and_the_others_are_from_earlier_ones() {
    let made = runs(|program| Sim::builder().guided(true).threads(2).explore(100..1_100, program));
    assert_eq!(made.len(), 1_000);
    let numbers: BTreeSet<_> = made.iter().collect();
    let seeds: BTreeSet<_> = made.iter().map(|(seed, _)| *seed).collect();
    // The first generation has nothing to go on from.
    assert_eq!(seeds, (100..100 + seeds.len() as u64).collect());
    assert!((500..=540).contains(&seeds.len()), "{}", seeds.len());
    assert!(numbers.len() > 600, "{}: others have other numbers", numbers.len());
    let plain = runs(|program| Sim::builder().explore(100..1_100, program));
    assert_eq!(plain.iter().map(|(seed, _)| *seed).collect::<BTreeSet<_>>(), (100..1_100).collect());
}

#[test]
fn searches_of_a_few_seeds_end() {
    for count in [1, 2, 63, 64, 65, 128] {
        for threads in [1, 3] {
            let program = |program: &(dyn Fn(&Sim) + Sync)| {
                Sim::builder().guided(true).threads(threads).explore(0..count, program);
            };
            assert_eq!(runs(program).len() as u64, count);
        }
    }
}

#[test]
fn environment_guides_and_a_shard_guides_itself() {
    const TEST: &str = "environment_guides_and_a_shard_guides_itself";
    if env::var_os(CHILD).is_some() {
        let made = runs(|program| Sim::builder().explore(0..2_000, program));
        let seeds: BTreeSet<_> = made.iter().map(|(seed, _)| seed % 4).collect();
        let count = made.iter().map(|(seed, _)| seed).collect::<BTreeSet<_>>().len();
        println!("made {} runs of {count} seeds, modulo four {seeds:?};", made.len());
        return;
    }
    let shard = ("ANYRT_SIM_SHARD", "2/4");
    let guided = said(&child(TEST, &[("ANYRT_SIM_GUIDED", "1"), shard]));
    assert_says(&guided, &["made 500 runs of 282 seeds, modulo four {1};"]);
    let plain = said(&child(TEST, &[("ANYRT_SIM_GUIDED", "0"), shard]));
    assert_says(&plain, &["made 500 runs of 500 seeds, modulo four {1};"]);
    let bad = said(&child(TEST, &[("ANYRT_SIM_GUIDED", "yes")]));
    assert_says(
        &bad,
        &["panicked at tests/sim_guided.rs:", "ANYRT_SIM_GUIDED is \"yes\"", "write 1 for a guided search"],
    );
}

/// What a program says of itself, where events do not tell: whatever it draws, it does the same.
#[test]
fn what_is_sometimes_true_guides() {
    let program = |sim: &Sim, says: bool| {
        sim.block_on(async {
            let mut right = 0;
            for _ in 0..24 {
                right = if anyrt::random_seed() % 16 == 0 { right + 1 } else { 0 };
                sometimes!(right == 1 && says, "one");
                sometimes!(right == 2 && says, "two");
                sometimes!(right == 3 && says, "three");
                sometimes!(right == 4 && says, "four");
                assert!(right < 5, "five");
                anyrt::yield_now().await;
            }
        });
    };
    let search =
        |says| report(|| Sim::builder().guided(true).explore(0..5_000, |sim| program(sim, says))).unwrap();
    assert_says(&search(true), &["\n  five\n"]);
    assert_says(&search(false), &["what `sometimes!` asserts was true in none"]);
}

#[test]
fn switches_that_are_not_needed_are_dropped() {
    let program = |sim: &Sim| {
        election(sim, 4, 3);
    };
    let later = AtomicU64::new(0);
    let always = |sim: &Sim| {
        let _ = catch_unwind(AssertUnwindSafe(|| program(sim)));
        // The first that fails is a run that goes on from another, and it is nothing that its numbers decide.
        let index = later.fetch_add(1, Ordering::Relaxed);
        assert!(index < 65, "late");
    };
    let report = report(|| Sim::builder().guided(true).threads(1).explore(0..1_000, always)).unwrap();
    assert_says(&report, &["fails, after 65 runs that passed", "; none of 1 switches to another seed.\n"]);
    let (_, command) = report.split_once("ANYRT_SIM_SEED=").unwrap();
    assert!(!command.split(' ').next().unwrap().contains('@'), "{report}");
}

/// The plan of a kept run stays: its first half is drawn before the first step.
#[test]
fn faults_are_those_of_the_run_that_is_gone_on_from() {
    let plans = Mutex::new(BTreeSet::new());
    Sim::builder().guided(true).threads(1).explore(0..300, |sim| {
        for last in 2..4 {
            sim.host(&format!("host {last}"), [10, 0, 0, last]).unwrap().boot(|_| async {});
        }
        let faults = sim.inject(&Faults::swarm()).unwrap();
        plans.lock().unwrap().insert((sim.seed(), format!("{faults:?}")));
        sim.block_on(async { anyrt::time::sleep(std::time::Duration::from_secs(60)).await });
    });
    let plans = plans.into_inner().unwrap();
    let seeds: BTreeSet<_> = plans.iter().map(|(seed, _)| seed).collect();
    assert_eq!(plans.len(), seeds.len(), "one for each seed");
    assert!(seeds.len() < 200, "{}", seeds.len());
}

#[anyrt::test(only(sim), sim(seeds = 200, guided))]
async fn attribute_takes_it() {
    anyrt::yield_now().await;
}
