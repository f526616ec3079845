//! The scheduler of a simulation, its clock, and its random numbers.
#![allow(clippy::unwrap_used)]

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::future::pending;
use std::hash::BuildHasher;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use anyrt::sim::{Builder, Policy};
use anyrt::task::{AbortOnDropHandle, LocalSet};
use anyrt::{BlockOn, RandomState, Sim, Spawn, Time, random_seed};
use futures::future::{join_all, poll_fn};

const YEAR: u64 = 365 * 86_400;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Whether an update of one task is lost because another task has had all of its turns in between.
fn starves(builder: Builder, seed: u64) -> bool {
    const TURNS: u32 = 21;
    let sim = builder.seed(seed).build().unwrap();
    let turns = Arc::new(AtomicU32::new(0));
    let (counted, count) = (turns.clone(), turns);
    let long = sim.spawn(async move {
        for _ in 0..TURNS {
            counted.fetch_add(1, Ordering::Relaxed);
            anyrt::yield_now().await;
        }
    });
    let short = sim.spawn(async move {
        let before = count.load(Ordering::Relaxed);
        anyrt::yield_now().await;
        count.load(Ordering::Relaxed) - before == TURNS
    });
    let (_, starved) = sim.block_on(async { (long.await.unwrap(), short.await.unwrap()) });
    starved
}

fn found(policy: Policy, seeds: u64) -> usize {
    (0..seeds).filter(|seed| starves(Sim::builder().policy(policy), *seed)).count()
}

#[test]
fn pct_lets_a_task_stand_still() {
    // A coin would have to fall on one side 21 times, twice.
    assert_eq!(found(Policy::Random, 2_000), 0);
    assert_eq!(found(Policy::Fifo, 1), 0);
    let pct = found(Policy::Pct(3), 2_000);
    let mixed = found(Policy::Mixed, 2_000);
    assert!(pct > 20 && mixed > 10 && mixed < pct, "{pct} by priorities, {mixed} when mixed");
}

#[test]
fn default_policy_is_mixed() {
    let hash = |builder: Builder| {
        let sim = builder.seed(3).build().unwrap();
        sim.block_on(join_all((0..9).map(|_| sim.spawn(async { anyrt::yield_now().await }))));
        sim.trace_hash()
    };
    assert_eq!(hash(Sim::builder()), hash(Sim::builder().policy(Policy::Mixed)));
    let policies = [Policy::Random, Policy::Fifo, Policy::Lifo, Policy::Pct(3)];
    let hashes: BTreeSet<_> = policies.map(|policy| hash(Sim::builder().policy(policy))).into();
    assert_eq!(hashes.len(), 4);
}

/// A loop that yields must not starve the task that it waits for, whatever the priorities are.
#[test]
fn yielding_loop_waits_for_no_one_for_ever() {
    for policy in [Policy::Random, Policy::Fifo, Policy::Lifo, Policy::Pct(0), Policy::Pct(3)] {
        for seed in 0..50 {
            let sim = Sim::builder().policy(policy).seed(seed).build().unwrap();
            let done = Arc::new(AtomicBool::new(false));
            let (set, get) = (done.clone(), done);
            let spins = sim.spawn(async move {
                while !get.load(Ordering::Relaxed) {
                    anyrt::yield_now().await;
                }
            });
            let sets = sim.spawn(async move {
                for _ in 0..10 {
                    anyrt::yield_now().await;
                }
                set.store(true, Ordering::Relaxed);
            });
            sim.block_on(async { (spins.await.unwrap(), sets.await.unwrap()) });
        }
    }
}

#[test]
fn seed_decides_which_local_task_is_next() {
    let order = |builder: Builder, seed| {
        let (sim, set) = (builder.seed(seed).build().unwrap(), LocalSet::new());
        let order = Rc::new(RefCell::new(Vec::new()));
        for n in 0..6 {
            let order = order.clone();
            set.spawn_local(async move {
                anyrt::yield_now().await;
                order.borrow_mut().push(n);
            })
            .detach();
        }
        sim.block_on(set);
        order.take()
    };
    let orders: BTreeSet<_> = (0..100).map(|seed| order(Sim::builder(), seed)).collect();
    assert!(orders.len() > 50, "{} orders with 100 seeds", orders.len());
    assert!((0..10).all(|seed| order(Sim::builder(), seed) == order(Sim::builder(), seed)));
    assert_eq!(order(Sim::builder().policy(Policy::Fifo), 7), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn spurious_wakes_poll_what_nobody_has_woken() {
    let polls = |builder: Builder| {
        let sim = builder.seed(1).build().unwrap();
        let polls = Arc::new(AtomicU32::new(0));
        let count = polls.clone();
        let _waits = sim.spawn(poll_fn(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            Poll::<()>::Pending
        }));
        let busy = sim.spawn(async {
            for _ in 0..100 {
                anyrt::yield_now().await;
            }
        });
        sim.block_on(busy).unwrap();
        polls.load(Ordering::Relaxed)
    };
    assert_eq!(polls(Sim::builder()), 1);
    assert_eq!(polls(Sim::builder().spurious_wakes(0)), 1);
    let spurious = polls(Sim::builder().spurious_wakes(4));
    assert!((10..60).contains(&spurious), "{spurious}");
}

#[test]
fn task_is_cancelled_at_each_of_its_polls() {
    // It moves money, with a pause during which the money is on neither account.
    let transfer = |builder: Builder| {
        let sim = builder.build().unwrap();
        let accounts = Arc::new(Mutex::new([100, 0]));
        let (there, theirs) = (sim.clone(), accounts.clone());
        let task = sim.spawn(async move {
            anyrt::yield_now().await;
            theirs.lock().unwrap()[0] -= 30;
            there.sleep(ms(1)).await;
            theirs.lock().unwrap()[1] += 30;
        });
        let result = sim.block_on(task);
        let accounts = *accounts.lock().unwrap();
        (sim.polls(), result, accounts)
    };
    let (polls, done, accounts) = transfer(Sim::builder());
    assert_eq!((polls, done.is_ok(), accounts), (3, true, [70, 30]));
    let left = (1..=3).map(|poll| {
        let (polls, result, accounts) = transfer(Sim::builder().cancel_at_poll(poll));
        assert!(result.unwrap_err().is_cancelled());
        assert_eq!(polls, poll);
        accounts
    });
    assert_eq!(left.collect::<Vec<_>>(), [[100, 0], [100, 0], [70, 0]]);
    assert!(transfer(Sim::builder().cancel_at_poll(4)).1.is_ok());
}

#[test]
fn advance_stops_exactly_then() {
    let sim = Sim::new().unwrap();
    let fired = Arc::new(AtomicU64::new(0));
    let (there, count) = (sim.clone(), fired.clone());
    let ticks = sim.spawn(async move {
        loop {
            there.sleep(ms(10)).await;
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    for (step, total, ticks) in
        [(9, 9, 0), (1, 10, 1), (0, 10, 1), (25, 35, 3), (3_600_000, 3_600_035, 360_003)]
    {
        sim.advance(ms(step));
        assert_eq!((sim.elapsed(), fired.load(Ordering::Relaxed)), (ms(total), ticks));
    }
    ticks.abort();
    sim.advance_until_stalled();
    assert_eq!(sim.elapsed(), ms(3_600_035));
}

#[test]
fn advance_passes_those_who_poll_in_a_loop() {
    let sim = Sim::new().unwrap();
    let _spins = sim.spawn(async {
        loop {
            anyrt::yield_now().await;
        }
    });
    sim.advance(ms(500));
    assert_eq!(sim.elapsed(), ms(500));
}

#[test]
fn advance_many_times_beside_a_loop_that_yields() {
    let sim = Sim::new().unwrap();
    let _spins = spin(&sim);
    for n in 1..=200 {
        sim.advance(Duration::from_secs(1));
        assert_eq!(sim.elapsed(), Duration::from_secs(n));
    }
    // A loop of many years does not make the next yield long.
    sim.advance(Duration::from_secs(YEAR));
    let before = sim.elapsed();
    sim.block_on(async { sim.yield_now().await });
    assert!(sim.elapsed() - before <= Duration::from_micros(1), "{:?}", sim.elapsed() - before);
}

/// The clock ends after 584 years; a simulation that has been advanced to the end still runs.
#[test]
fn clock_stands_still_at_its_end() {
    let sim = Sim::new().unwrap();
    for _ in 0..8 {
        sim.advance(Duration::from_secs(100 * YEAR));
        sim.block_on(async {
            for _ in 0..100 {
                sim.yield_now().await;
            }
        });
    }
    let end = sim.elapsed();
    assert!(end > Duration::from_secs(200 * YEAR));
    sim.advance(Duration::MAX);
    assert_eq!(sim.elapsed(), end);
}

/// Yields until the clock has reached `end`.
async fn wait_until(sim: Sim, end: Instant) {
    while sim.now() < end {
        anyrt::yield_now().await;
    }
}

fn spin(sim: &Sim) -> AbortOnDropHandle<()> {
    let spins = sim.spawn(async {
        loop {
            anyrt::yield_now().await;
        }
    });
    spins.abort_on_drop()
}

#[test]
fn time_passes_for_whoever_looks_at_the_clock_in_a_loop() {
    let hour = Duration::from_secs(3600);
    for policy in [Policy::Random, Policy::Fifo, Policy::Lifo, Policy::Pct(3)] {
        let sim = Sim::builder().policy(policy).seed(1).build().unwrap();
        // Without other events, and with a task that waits for ever.
        sim.block_on(wait_until(sim.clone(), sim.now() + hour));
        let waits = sim.spawn(pending::<()>()).abort_on_drop();
        sim.block_on(wait_until(sim.clone(), sim.now() + hour));
        // Beside an endless loop, and beside timers, one of which is far away.
        let spins = spin(&sim);
        sim.block_on(wait_until(sim.clone(), sim.now() + hour));
        let _timers = [hour / 2, 2 * hour, Duration::MAX].map(|time| {
            let there = sim.clone();
            sim.spawn(async move { there.sleep(time).await }).abort_on_drop()
        });
        sim.block_on(wait_until(sim.clone(), sim.now() + hour));
        // While the clock is advanced from outside.
        let end = sim.now() + hour;
        let loops = sim.spawn(wait_until(sim.clone(), end));
        sim.advance(hour - ms(1));
        assert!(!loops.is_finished());
        sim.advance(ms(1));
        assert!(loops.is_finished());
        drop((spins, waits));
        let loops = sim.spawn(wait_until(sim.clone(), sim.now() + hour));
        sim.advance_until_stalled();
        assert!(loops.is_finished());
    }
    let sim = Sim::new().unwrap();
    sim.block_on(wait_until(sim.clone(), sim.now() + Duration::from_secs(YEAR)));
}

/// A loop that computes and yields has as much time as on another runtime.
#[test]
fn a_thousand_yields_are_no_age() {
    let sim = Sim::new().unwrap();
    let done = sim.block_on(sim.timeout(Duration::from_secs(10), async {
        for _ in 0..1_000 {
            anyrt::yield_now().await;
        }
    }));
    assert!(done.is_ok(), "{:?}", sim.elapsed());
}

/// More polls than a loop that wakes itself may have.
#[test]
fn many_tasks_are_no_loop() {
    let sim = Sim::builder().policy(Policy::Fifo).build().unwrap();
    // Each task has a few turns before the first one ends.
    let tasks: Vec<_> = (0..70_000)
        .map(|_| {
            sim.spawn(async {
                for _ in 0..14 {
                    anyrt::yield_now().await;
                }
            })
        })
        .collect();
    sim.block_on(join_all(tasks));
    assert!(sim.polls() > 1_000_000, "{}", sim.polls());
}

#[test]
fn stalled_is_when_nothing_will_happen() {
    let sim = Sim::new().unwrap();
    let there = sim.clone();
    let sleeps = sim.spawn(async move { there.sleep(ms(70)).await });
    let waits = sim.spawn(pending::<()>());
    sim.advance_until_stalled();
    assert_eq!(sim.elapsed(), ms(70));
    assert!(sleeps.is_finished() && !waits.is_finished());
}

#[test]
fn each_host_has_its_time_of_day() {
    let sim = Sim::new().unwrap();
    let other = sim.host("other", [10, 0, 0, 2]).unwrap();
    let begin = SystemTime::UNIX_EPOCH + Duration::from_secs(946_684_800);
    assert_eq!((sim.system_time(), other.system_time()), (begin, begin));
    sim.advance(ms(1_500));
    other.set_system_time(begin - ms(500));
    sim.advance(ms(1_000));
    assert_eq!((sim.system_time(), other.system_time()), (begin + ms(2_500), begin + ms(500)));
    let of_a_task = other.block_on(async { anyrt::time::system_time() });
    assert_eq!(of_a_task, begin + ms(500));
}

#[test]
fn random_numbers_follow_from_the_seed() {
    let numbers = |seed| {
        let sim = Sim::builder().seed(seed).build().unwrap();
        sim.block_on(async { [random_seed(), sim.random_seed(), random_seed()] })
    };
    assert_eq!(numbers(1), numbers(1));
    assert_ne!(numbers(1), numbers(2));
    let [a, b, c] = numbers(1);
    assert!(a != b && b != c && a != c);
}

/// Random numbers that a program draws change neither the schedule nor the latency of packets.
#[test]
fn random_numbers_of_the_program_are_a_stream_of_their_own() {
    let hash = |draws| {
        let sim = Sim::builder().seed(5).build().unwrap();
        sim.block_on(async {
            for _ in 0..draws {
                random_seed();
            }
            join_all((0..9).map(|_| sim.spawn(async { anyrt::yield_now().await }))).await;
        });
        sim.trace_hash()
    };
    assert_eq!(hash(0), hash(7));
}

#[test]
fn random_state_outside_of_a_simulation_is_random() {
    let (one, other) = (RandomState::new(), RandomState::new());
    assert_ne!(one.hash_one(7), other.hash_one(7));
    assert_eq!(one.hash_one(7), one.clone().hash_one(7));
}

type Map = HashMap<u32, (), RandomState>;

fn fill(map: &mut Map) {
    map.extend((0..100).map(|n| (n, ())));
}

#[test]
fn order_of_a_hash_map_follows_from_the_seed() {
    let order = |seed| {
        let sim = Sim::builder().seed(seed).build().unwrap();
        // Created outside and filled inside; and created inside and filled outside.
        let mut before = Map::default();
        let mut inside = sim.block_on(async {
            fill(&mut before);
            Map::default()
        });
        fill(&mut inside);
        [before, inside].map(|map| map.into_keys().collect::<Vec<_>>())
    };
    assert_eq!(order(1), order(1));
    let ([before, inside], [others_before, others_inside]) = (order(1), order(2));
    assert!(before != others_before && inside != others_inside && before != inside);
}

/// A state that has hashed once keeps its seed, and its clones have the same.
#[test]
fn seed_of_a_hash_map_never_changes() {
    let mut map = Map::default();
    fill(&mut map);
    let state = RandomState::new();
    let clone = state.clone();
    Sim::builder().seed(1).build().unwrap().block_on(async {
        assert!((0..100).all(|n| map.contains_key(&n)));
        assert_eq!(state.hash_one(7), clone.hash_one(7));
        assert_eq!(clone.hash_one(7), clone.clone().hash_one(7));
    });
}
