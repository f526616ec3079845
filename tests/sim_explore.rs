//! The search through seeds: what it finds, and its report.
#![allow(clippy::unwrap_used)]

#[cfg(target_os = "linux")]
mod cargo;

use std::env;
use std::future::pending;
use std::io;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use anyrt::sim::{Faults, Policy, explore};
use anyrt::{BlockOn, Net, Sim, Spawn, Time};
use futures::future::poll_fn;

/// Returns the message of a panic.
#[track_caller]
fn panic_text<T>(code: impl FnOnce() -> T) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(code)) else { panic!("no panic") };
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast_ref::<&str>().unwrap().to_string(),
    }
}

#[track_caller]
fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no {word:?} in {text}");
    }
}

/// Set in the process that a test starts.
const CHILD: &str = "ANYRT_TEST_SIM_EXPLORE_CHILD";

fn is_child() -> bool {
    env::var_os(CHILD).is_some()
}

/// Runs one test of this file in another process, with these variables, as the report of `explore` says.
fn child(test: &str, variables: &[(&str, &str)]) -> Output {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture"]).env(CHILD, "1").envs(variables.iter().copied());
    child.output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Four tasks that add to a number: read, yield, write. They take turns, unless one is delayed.
fn count(sim: &Sim) -> u32 {
    async fn yields(times: u32) {
        for _ in 0..times {
            anyrt::yield_now().await;
        }
    }

    let count = Arc::new(AtomicU32::new(0));
    let tasks = [0, 1, 2, 3].map(|n| {
        let count = count.clone();
        sim.spawn(async move {
            yields(4 * n).await;
            let read = count.load(Ordering::Relaxed);
            yields(1).await;
            count.store(read + 1, Ordering::Relaxed);
            yields(20).await;
        })
    });
    sim.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    count.load(Ordering::Relaxed)
}

const LOST: u32 = line!() + 3;
fn loses_no_update(sim: &Sim) {
    let count = count(sim);
    assert!(count == 4, "{} of 4 updates are lost", 4 - count);
}

/// Every seed from 700 on fails, after different times.
#[test]
fn smallest_seed_is_found_by_any_number_of_threads() {
    for (threads, shift) in [(0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (7, 0), (7, 1), (100, 0)] {
        let runs = AtomicU64::new(0);
        let text = panic_text(|| {
            Sim::builder().threads(threads).explore(600..1_600, |sim| {
                runs.fetch_add(1, Ordering::Relaxed);
                thread::sleep(Duration::from_millis((sim.seed() + shift) % 3));
                assert!(sim.seed() < 700, "it is {}", sim.seed());
            });
        });
        assert_says(&text, &["seed 700 fails, after 100 runs that passed:", "\n  it is 700\n"]);
        // Each thread may have run one more seed, and the failing seed is run again.
        assert!(runs.into_inner() <= 102 + threads as u64, "it stops there");
    }
}

#[test]
fn each_seed_is_run_once() {
    let (seeds, sum) = (AtomicU64::new(0), AtomicU64::new(0));
    explore(10..1_010, |sim| {
        seeds.fetch_add(1, Ordering::Relaxed);
        sum.fetch_add(sim.seed(), Ordering::Relaxed);
    });
    assert_eq!((seeds.into_inner(), sum.into_inner()), (1_000, (10..1_010).sum()));
}

#[test]
fn largest_seeds_are_no_end() {
    let seeds = AtomicU64::new(0);
    Sim::builder().threads(3).explore(u64::MAX - 5..u64::MAX, |_| {
        seeds.fetch_add(1, Ordering::Relaxed);
    });
    assert_eq!(seeds.into_inner(), 5);
}

/// A failure is found and reduced, and the printed command fails in the same way in another process.
#[test]
fn found_failure_can_be_replayed_from_its_report() {
    const TEST: &str = "found_failure_can_be_replayed_from_its_report";
    let search = || Sim::builder().policy(Policy::Random).explore(0..10_000, loses_no_update);
    if is_child() {
        return search();
    }
    let text = panic_text(search);
    assert_eq!(text, panic_text(search), "it says the same each time");
    let message = text.lines().nth(2).unwrap().trim();
    assert_says(&text, &[" updates are lost\n", &format!("panicked at tests/sim_explore.rs:{}:", LOST)]);
    let (needed, all) = text.split_once("Needed to reproduce: ").unwrap().1.split_once(" of ").unwrap();
    let (needed, all): (u64, u64) =
        (needed.parse().unwrap(), all.split_once(" scheduling choices").unwrap().0.parse().unwrap());
    assert!(needed > 0 && needed * 2 < all, "{text}");

    let mut variables = variables_of(&text);
    let output = child(TEST, &variables);
    assert!(!output.status.success());
    assert_says(&stderr(&output), &[&format!("tests/sim_explore.rs:{LOST}:"), message, "only seed"]);
    assert!(!stderr(&output).contains("To run it again"), "it is run once");

    // With one choice less it does not fail.
    let fewer = (needed - 1).to_string();
    assert_eq!(variables[1], ("ANYRT_SIM_CHOICES", &*needed.to_string()));
    variables[1].1 = &fewer;
    assert_passes(&child(TEST, &variables));
}

/// Returns the variables that a report says to set.
fn variables_of(report: &str) -> Vec<(&str, &str)> {
    command_of(report).split(' ').map_while(|word| word.split_once('=')).collect()
}

fn command_of(report: &str) -> &str {
    report.split_once("To run it again:\n  ").unwrap().1.lines().next().unwrap()
}

/// Runs a replay whose seed passes.
#[track_caller]
fn assert_passes(output: &Output) {
    assert!(!output.status.success(), "it is not silent");
    assert_says(&stderr(output), &["does not fail in this build (same features and profile?)"]);
}

/// The command is pasted into a shell in the user's folder, and must run the same build of this program. Only Linux
/// tells which features cargo was given.
#[cfg(target_os = "linux")]
#[test]
fn line_of_a_report_is_a_command_that_runs_this_program_again() {
    const TEST: &str = "line_of_a_report_is_a_command_that_runs_this_program_again";
    let search = || {
        Sim::builder().threads(1).explore(0..10, |sim| {
            if is_child() {
                eprintln!("this is {}", env::current_exe().unwrap().display());
            }
            assert!(sim.seed() < 3, "from three on");
        });
    };
    if is_child() {
        return search();
    }
    let text = panic_text(search);
    let command = command_of(&text);
    let place = env::var_os("PWD").map_or_else(|| env::current_dir().unwrap(), std::path::PathBuf::from);
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(place).env(CHILD, "1");
    let output = cargo::as_from_a_shell(&mut shell).output().unwrap();
    assert!(!output.status.success());
    let said = stderr(&output) + &String::from_utf8_lossy(&output.stdout);
    let exe = env::current_exe().unwrap();
    assert_says(&said, &["from three on", "only seed 3", &format!("this is {}", exe.display())]);
    assert!(!said.contains("Compiling"), "it was built already: {said}");
    if env::var_os("CARGO_PKG_NAME").is_some() {
        let profile = if cfg!(debug_assertions) { "" } else { " --release" };
        let packages = [" -p anyrt", " --workspace"].iter().find(|packages| command.contains(*packages));
        let packages = packages.unwrap_or_else(|| panic!("no package in {command}"));
        assert_says(command, &[&format!(" cargo test{packages} --test sim_explore{profile} "), TEST]);
    }
}

/// The variables have the same effect on a simulation that is built without `explore`.
#[test]
fn built_simulation_is_replayed_as_well() {
    const TEST: &str = "built_simulation_is_replayed_as_well";
    let random = || Sim::builder().policy(Policy::Random);
    let hash = |sim: Sim| {
        count(&sim);
        format!("hash {:016x}", sim.trace_hash())
    };
    if is_child() {
        println!("{}", hash(random().build().unwrap()));
        println!("set: {}", hash(random().seed(6).build().unwrap()));
        return;
    }
    let whole = |seed| hash(random().seed(seed).build().unwrap());
    let says = |variables: &[_]| String::from_utf8(child(TEST, variables).stdout).unwrap();
    let text = says(&[("ANYRT_SIM_SEED", "5")]);
    assert_says(&text, &[&whole(5), &format!("set: {}", whole(6))]);
    let text = says(&[("ANYRT_SIM_SEED", "5"), ("ANYRT_SIM_CHOICES", "2")]);
    assert!(!text.contains(&whole(5)), "{text}");
    assert_says(&text, &[&format!("set: {}", whole(6))]);
    let text = says(&[("ANYRT_SIM_SEED", "5"), ("ANYRT_SIM_CHOICES", "100000")]);
    assert_says(&text, &[&whole(5)]);
}

#[test]
fn panic_of_the_program_of_a_host_is_replayed() {
    const TEST: &str = "panic_of_the_program_of_a_host_is_replayed";
    if is_child() {
        explore(0..10, |sim| {
            sim.host("db", [10, 0, 0, 2]).unwrap().boot(|_| async { panic!("the disk is full") });
            sim.advance(Duration::from_secs(1));
        });
        return;
    }
    let output = child(TEST, &[("ANYRT_SIM_SEED", "4")]);
    assert!(!output.status.success());
    assert_says(
        &stderr(&output),
        &["anyrt: with seed 4 the program of host \"db\" panicked", "the disk is full"],
    );
}

#[test]
fn seed_outside_of_the_range_is_run_and_said() {
    if is_child() {
        return explore(0..10, |sim| println!("ran {}", sim.seed()));
    }
    let output = child("seed_outside_of_the_range_is_run_and_said", &[("ANYRT_SIM_SEED", "4711")]);
    assert_passes(&output);
    assert_says(&stderr(&output), &["of 0..10, only seed 4711 runs, which is outside of it"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.matches("ran ").count(), 1, "{text}");
    assert_says(&text, &["ran 4711"]);
}

#[test]
fn variable_that_is_no_number_is_named() {
    if is_child() {
        println!("{}", panic_text(|| explore(0..10, |_| ())));
        println!("{}", Sim::new().unwrap_err());
        return;
    }
    for (variables, words) in [
        (vec![("ANYRT_SIM_SEED", "many")], ["ANYRT_SIM_SEED is \"many\"", "a whole number"]),
        (
            vec![("ANYRT_SIM_SEED", "1"), ("ANYRT_SIM_CHOICES", "x")],
            ["ANYRT_SIM_CHOICES is \"x\"", "a number of choices"],
        ),
        (
            vec![("ANYRT_SIM_SEED", "1"), ("ANYRT_SIM_FAULTS", "1;2")],
            ["ANYRT_SIM_FAULTS is \"1;2\"", "with commas between"],
        ),
        (vec![("ANYRT_SIM_CHOICES", "1")], ["ANYRT_SIM_CHOICES is set", "ANYRT_SIM_SEED is not"]),
    ] {
        let output = child("variable_that_is_no_number_is_named", &variables);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{variables:?}: {text} {}", stderr(&output));
        for word in words {
            assert_eq!(text.matches(word).count(), 2, "{word}: {text}");
        }
    }
}

#[test]
fn range_without_seeds_is_an_error() {
    assert_says(&panic_text(|| explore(5..5, |_| ())), &["5..5", "no seed", "0..1000"]);
}

#[test]
fn error_is_a_failure() {
    let program = |sim: &Sim| -> io::Result<()> {
        let host = sim.host("db", [10, 0, 0, 2])?;
        if sim.seed() == 3 {
            sim.block_on(host.tcp_connect("db:1"))?;
        }
        Ok(())
    };
    assert_says(
        &panic_text(|| explore(0..10, program)),
        &["seed 3 fails", "returned an error:", "ConnectionRefused"],
    );
    explore(4..10, program);
    // The same for a panic of a task, in the result of its handle.
    let nested =
        |sim: &Sim| sim.block_on(sim.spawn(async { io::Result::<()>::Err(io::Error::other("inner")) }));
    assert_says(&panic_text(|| explore(0..10, nested)), &["seed 0 fails, the first of all:", "inner"]);
}

#[test]
fn stuck_simulation_is_a_failure_and_names_its_tasks() {
    let line = line!() + 3;
    let text = panic_text(|| {
        explore(0..10, |sim| {
            let waits = sim.spawn(pending::<()>());
            if sim.seed() == 2 {
                sim.block_on(waits).unwrap()
            }
        });
    });
    assert_says(
        &text,
        &[
            "seed 2 fails, after 2 runs that passed:",
            "  anyrt: the simulation is stuck",
            &format!("a task, spawned at tests/sim_explore.rs:{line}:"),
            "none of ",
        ],
    );
}

/// The report begins with the first cause.
#[test]
fn panic_of_a_task_is_told_before_what_it_led_to() {
    let line = line!() + 3;
    let text = panic_text(|| {
        explore(0..10, |sim| {
            let server = async { panic!("the server is down") };
            let done = sim.spawn(server);
            sim.block_on(done).unwrap();
        });
    });
    let (root, last) = text.split_once("In the end, the program:\n").unwrap();
    assert_says(
        root,
        &[&format!("of all:\n  panicked at tests/sim_explore.rs:{line}:"), "  the server is down\n"],
    );
    assert_says(last, &["task panicked with message \"the server is down\""]);
}

/// Nobody has a handle to the program of a host, so nobody else would hear of it.
#[test]
fn panic_of_the_program_of_a_host_is_a_failure() {
    let line = line!() + 5;
    let program = |sim: &Sim| {
        let db = sim.host("db", [10, 0, 0, 2]).unwrap();
        let fails = sim.seed() == 3;
        db.boot(move |_| async move {
            assert!(!fails, "the disk is full");
        });
        sim.advance(Duration::from_secs(1));
    };
    let text = panic_text(|| explore(0..10, program));
    let leads = format!(
        "seed 3 fails, after 3 runs that passed:\n  the program of host \"db\" panicked at \
         tests/sim_explore.rs:{line}:"
    );
    assert_says(&text, &[&leads, "\n  the disk is full\nNeeded to reproduce: none of "]);

    // What the test itself finds comes first, as before.
    let text = panic_text(|| {
        explore(0..10, |sim| {
            program(sim);
            assert!(sim.seed() != 3, "the client has failed");
        });
    });
    assert_says(&text, &["In the end, the program:\n  panicked at ", "  the client has failed\n"]);

    // A panic that is expected is caught.
    explore(0..10, |sim| {
        let db = sim.host("db", [10, 0, 0, 2]).unwrap();
        db.boot(|_| async {
            let fails = async { panic!("as it should be") };
            anyrt::spawn(fails).await.unwrap_err();
        });
        sim.advance(Duration::from_secs(1));
    });
}

/// The panic that notices the failure does not quote its cause.
#[test]
fn first_panic_is_told_first_if_nothing_quotes_another() {
    let text = panic_text(|| {
        explore(0..10, |sim| {
            drop(sim.spawn(async { panic!("the server is down") }));
            let client = async { panic!("no answer") };
            assert!(sim.block_on(sim.spawn(client)).is_ok(), "the client has failed");
        });
    });
    let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("no {what:?} in {text}"));
    let order =
        ["  the server is down\n", "After that", "  no answer\n", "In the end", "  the client has failed\n"];
    assert!(order.map(at).is_sorted(), "{text}");
}

/// The reported panic is the one that ended the program, not the last one.
#[test]
fn panic_that_is_resumed_is_the_one_that_is_told() {
    let line = line!() + 3;
    let text = panic_text(|| {
        explore(0..10, |sim| {
            let fails = async { panic!("the first") };
            let first = sim.block_on(sim.spawn(fails)).unwrap_err();
            let second = sim.block_on(sim.spawn(async { panic!("the second") }));
            second.unwrap_err();
            if sim.seed() < 10 {
                panic::resume_unwind(first.into_panic());
            }
        });
    });
    assert_says(&text, &[&format!("\n  panicked at tests/sim_explore.rs:{line}:"), "\n  the first\n"]);
    assert!(!text.contains("the second") && !text.contains("that, in the same run"), "{text}");
}

/// Returns the order in which four tasks run that were spawned at once.
fn order(sim: &Sim) -> Vec<u32> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let tasks = [0, 1, 2, 3].map(|n| {
        let seen = seen.clone();
        sim.spawn(async move { seen.lock().unwrap().push(n) })
    });
    sim.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    let seen = seen.lock().unwrap();
    seen.clone()
}

fn explore_backwards(program: impl Fn(&Sim) + Sync) -> String {
    panic_text(|| Sim::builder().policy(Policy::Lifo).explore(0..10, program))
}

/// Without any choice it also fails, but differently.
#[test]
fn reduced_failure_is_the_one_that_was_found() {
    let text = explore_backwards(|sim| {
        let order = order(sim);
        assert!(order != [0, 1, 2, 3], "not that one");
        assert!(order == [0, 1, 2, 3], "order is {order:?}");
    });
    assert_says(&text, &["  order is ["]);
    assert!(!text.contains("none of"), "{text}");
}

/// The same, if both failures are panics of one `unwrap`.
#[test]
fn reduced_panic_of_a_task_is_the_one_that_was_found() {
    let text = explore_backwards(|sim| {
        let order = order(sim);
        let task = sim.spawn(async move {
            assert!(order != [0, 1, 2, 3], "not that one");
            assert!(order == [0, 1, 2, 3], "order is {order:?}");
        });
        sim.block_on(task).unwrap();
    });
    assert_says(&text, &["task panicked with message \"order is ["]);
    assert!(!text.contains("none of"), "{text}");
}

/// The same, if both failures are panics of the simulation in one `block_on`.
#[test]
fn reduced_panic_of_the_simulation_is_the_one_that_was_found() {
    let text = explore_backwards(|sim| {
        let is_in_order = order(sim) == [0, 1, 2, 3];
        let task = sim.spawn(poll_fn(move |cx| {
            if is_in_order {
                cx.waker().wake_by_ref();
            }
            Poll::<()>::Pending
        }));
        sim.block_on(task).unwrap();
    });
    assert_says(&text, &["  anyrt: the simulation is stuck"]);
    assert!(!text.contains("none of"), "{text}");
}

#[test]
fn reduction_ends_where_another_order_never_does() {
    let text = explore_backwards(|sim| {
        if order(sim) == [0, 1, 2, 3] {
            sim.block_on(async {
                loop {
                    sim.sleep(Duration::from_secs(1)).await;
                }
            });
        }
        panic!("it ends");
    });
    assert_says(&text, &["  it ends\n"]);
}

#[test]
fn program_that_is_not_deterministic_is_said_to_be_so() {
    // The program depends on the number of earlier runs.
    let runs = AtomicU32::new(0);
    let text = panic_text(|| {
        Sim::builder().threads(1).explore(0..10, |sim| {
            let run = runs.fetch_add(1, Ordering::Relaxed);
            sim.block_on(sim.sleep(Duration::from_millis(run.into())));
            assert!(sim.seed() != 3, "seed 3");
        });
    });
    // The second run of that seed is run 4; runs 5 and 6 are compared.
    assert_says(
        &text,
        &[
            "  seed 3\n",
            "not deterministic",
            "first #1 sleeps until 5ms",
            "then #1 sleeps until 6ms",
            "HashMap",
        ],
    );
    assert_says(&text, &["  ANYRT_SIM_SEED=3 "]);
    // The program fails once, and never again.
    let runs = AtomicU32::new(0);
    let text = panic_text(|| {
        explore(3..4, |_| assert!(runs.fetch_add(1, Ordering::Relaxed) > 0, "the first run"));
    });
    assert_says(&text, &["  the first run\n", "not deterministic", "two more runs had the same events"]);
}

#[test]
fn simulation_is_gone_before_the_next_seed() {
    struct Alive<'a>(&'a AtomicU32);

    impl Drop for Alive<'_> {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }

    static ALIVE: AtomicU32 = AtomicU32::new(0);
    Sim::builder().threads(1).explore(0..100, |sim| {
        assert_eq!(ALIVE.fetch_add(1, Ordering::Relaxed), 0);
        let (alive, there) = (Alive(&ALIVE), sim.clone());
        // The task owns the simulation in which it runs.
        let task = sim.spawn(async move {
            let _alive = alive;
            there.sleep(Duration::MAX).await;
        });
        sim.advance(Duration::from_secs(1));
        assert!(!task.is_finished());
    });
    assert_eq!(ALIVE.load(Ordering::Relaxed), 0);
}

#[test]
fn hook_that_was_there_is_told_of_other_panics() {
    const TEST: &str = "hook_that_was_there_is_told_of_other_panics";
    if is_child() {
        panic::set_hook(Box::new(|info| println!("told: {info}")));
        let text = panic_text(|| {
            Sim::builder().threads(1).explore(0..2, |sim| {
                thread::spawn(|| panic!("another thread")).join().unwrap_err();
                let caught = sim.block_on(sim.spawn(async { panic!("a task") }));
                caught.unwrap_err();
                assert!(sim.seed() > 1, "the program");
            });
        });
        println!("report: {}", text.replace('\n', " "));
        panic_text(|| panic!("this thread"));
        return;
    }
    let output = child(TEST, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let told: Vec<_> = text.split("told: ").skip(1).map(|told| told.split_once(":\n").unwrap().1).collect();
    let (threads, others) = told.split_at(told.len() - 2);
    assert!(!threads.is_empty() && threads.iter().all(|it| it.starts_with("another thread\n")), "{text}");
    assert!(others[0].starts_with("anyrt: seed 0 fails") && others[1].starts_with("this thread\n"), "{text}");
}

#[test]
fn end_of_the_process_is_not_silent() {
    struct Explosive;

    impl Drop for Explosive {
        fn drop(&mut self) {
            panic!("a destructor");
        }
    }

    if is_child() {
        return explore(5..6, |sim| {
            let _explosive = Explosive;
            assert!(sim.seed() > 5, "the program");
        });
    }
    let output = child("end_of_the_process_is_not_silent", &[]);
    assert!(!output.status.success());
    assert_says(&stderr(&output), &["seed 5 ends the process", "  the program\n", "  a destructor\n"]);
}

#[test]
fn nothing_is_drawn_where_no_terminal_is() {
    if is_child() {
        return explore(0..1, |_| thread::sleep(Duration::from_millis(700)));
    }
    let output = child("nothing_is_drawn_where_no_terminal_is", &[]);
    assert!(output.status.success());
    assert_eq!(stderr(&output), "");
}

/// The drawn faults are reduced to those that the failure needs; without them the seed passes.
#[test]
fn faults_are_reduced_to_those_that_it_takes() {
    const TEST: &str = "faults_are_reduced_to_those_that_it_takes";
    let starts_once = |sim: &Sim| {
        let db = sim.host("db", [10, 0, 0, 2]).unwrap();
        sim.host("bystander", [10, 0, 0, 3]).unwrap();
        let starts = Arc::new(AtomicU32::new(0));
        let count = starts.clone();
        db.boot(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            async {}
        });
        let faults = Faults::new().partitions(4).holds(2).crashes(1);
        sim.inject(&faults).unwrap();
        sim.advance(Duration::from_secs(11));
        assert_eq!(starts.load(Ordering::Relaxed), 1, "starts");
    };
    let search = || explore(7..10, starts_once);
    if is_child() {
        return search();
    }
    let text = panic_text(search);
    let (faults, _) =
        text.split_once("; 1 of 7 faults:\n").unwrap().1.split_once("To run it again:\n").unwrap();
    assert_eq!(faults.lines().count(), 1, "{text}");
    assert_says(faults, &["  crash of \"db\" from "]);
    let mut variables = variables_of(&text);
    let (name, needed) = *variables.last().unwrap();
    assert_eq!((name, needed.contains(',')), ("ANYRT_SIM_FAULTS", false), "{text}");
    assert_says(&stderr(&child(TEST, &variables)), &["starts"]);
    variables.last_mut().unwrap().1 = "none";
    assert_passes(&child(TEST, &variables));
}

#[test]
fn panics_of_tasks_in_runs_that_pass_are_told_at_the_end() {
    const TEST: &str = "panics_of_tasks_in_runs_that_pass_are_told_at_the_end";
    if is_child() {
        return explore(0..100, |sim| {
            sim.spawn(async move {}).detach();
            if sim.seed() % 10 == 7 {
                sim.spawn(async { panic!("the handler is broken") }).detach();
            }
            sim.advance(Duration::from_secs(1));
        });
    }
    let output = child(TEST, &[]);
    assert!(output.status.success());
    assert_says(
        &stderr(&output),
        &[
            "anyrt: in 10 of 100 runs something panicked, and the run passed. Seed 7 is the first:\n  panicked at tests/sim_explore.rs:",
            ":\n  the handler is broken\nA panic of a task is an error of its handle: await that, and the run fails.",
        ],
    );
}
