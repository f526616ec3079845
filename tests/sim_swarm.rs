//! Faults of clocks, slow hosts and slow links; swarms of faults, and their victims.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use anyrt::runtime::UdpSocket as _;
use anyrt::sim::{Fault, Faults, Host, LinkOptions, explore};
use anyrt::{BlockOn, Net, Sim, Spawn, Time};
use futures::future::join_all;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Host `main`, and host `b` exactly 1 ms away.
fn two(seed: u64) -> (Sim, Host) {
    let a = Sim::builder().seed(seed).log(true).build().unwrap();
    a.links().set(&LinkOptions::new().latency(ms(1)).jitter(Duration::ZERO)).unwrap();
    let b = a.host("b", [10, 0, 0, 2]).unwrap();
    (a, b)
}

#[track_caller]
fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no {word:?} in {text}");
    }
}

/// One fault of `b`, from its beginning to its end.
fn one(a: &Sim, faults: &Faults) -> Fault {
    let drawn = a.inject(&faults.clone().victims([("b", 1)]).lasting(secs(4))).unwrap();
    let [fault] = &drawn[..] else { panic!("{drawn:?}") };
    assert!(fault.end() - fault.start() > ms(100), "{fault}");
    fault.clone()
}

fn since(instant: Instant, begun: Instant) -> Duration {
    instant.duration_since(begun)
}

#[test]
fn timers_and_time_of_day_follow_the_clock_of_their_host() {
    let (a, b) = two(0);
    let (begun, today) = (a.now(), a.system_time());
    b.set_clock_speed(1.25).unwrap();
    a.block_on(async {
        b.sleep(secs(10)).await;
        assert_eq!((a.elapsed(), since(a.now(), begun), since(b.now(), begun)), (secs(8), secs(8), secs(10)));
        assert_eq!(b.system_time().duration_since(today).unwrap(), secs(10));
        assert_eq!(a.system_time().duration_since(today).unwrap(), secs(8));
        b.set_clock_speed(0.5).unwrap();
        b.timeout(secs(1), std::future::pending::<()>()).await.unwrap_err();
        assert_eq!((a.elapsed(), since(b.now(), begun)), (secs(10), secs(11)));
        // The network does not: 1 ms there and 1 ms back.
        let listener = b.tcp_bind("0.0.0.0:7").await.unwrap();
        let (stream, _) = (a.tcp_connect("b:7").await.unwrap(), listener);
        assert_eq!(a.elapsed(), secs(10) + ms(2));
        drop(stream);
        b.set_clock_speed(1.0).unwrap();
        b.sleep(secs(1)).await;
        assert_eq!(a.elapsed(), secs(11) + ms(2));
    });
    let log = a.log().to_string();
    assert_says(
        &log,
        &["b          clock drift began: 25 % fast", "clock drift began: 50 % slow", "clock drift ended"],
    );
    assert_eq!(log.matches("clock drift began").count(), log.matches("clock drift ended").count());
}

/// Those that are set already, in either direction, and reset.
#[test]
fn timers_that_are_set_follow_a_change_of_the_clock() {
    let (a, b) = two(0);
    a.block_on(async {
        for (first, second, expected) in [(1.0, 2.0, 750), (2.0, 0.5, 1_000 + 250), (0.5, 1.0, 1_250 + 500)] {
            let begun = a.elapsed();
            b.set_clock_speed(first).unwrap();
            let there = b.clone();
            let task = b.spawn(async move { there.sleep(secs(1)).await });
            let short = b.clone();
            let short = b.spawn(async move { short.sleep(ms(1)).await });
            let at = if first > 1.0 { ms(250) } else { ms(500) };
            a.sleep(at).await;
            assert!(short.is_finished() && !task.is_finished());
            b.set_clock_speed(second).unwrap();
            task.await.unwrap();
            let left = (1.0 - at.as_secs_f64() * first) / second;
            assert_eq!(a.elapsed() - begun, at + Duration::from_secs_f64(left), "{expected}");
        }
        // A timer that was reset follows it as well.
        b.set_clock_speed(1.0).unwrap();
        let begun = a.elapsed();
        let mut sleep = Box::pin(b.sleep(secs(50)));
        let deadline = b.now() + secs(2);
        a.timeout(ms(500), &mut sleep).await.unwrap_err();
        anyrt::runtime::Sleep::reset(sleep.as_mut(), deadline);
        b.set_clock_speed(3.0).unwrap();
        sleep.await;
        assert_eq!(a.elapsed() - begun, secs(1));
    });
}

#[test]
fn clock_that_drifts_is_right_in_its_speed_afterwards() {
    for seed in 0..20 {
        let (a, b) = two(seed);
        let fault = one(&a, &Faults::new().clock_drifts(1, 0.5));
        let begun = a.now();
        a.block_on(async {
            let mut before = begun;
            while a.elapsed() < secs(15) {
                a.sleep(ms(100)).await;
                assert!(b.now() > before, "it never goes back");
                before = b.now();
                let during = a.elapsed().min(fault.end()).saturating_sub(fault.start());
                let difference = since(b.now(), begun).abs_diff(since(a.now(), begun));
                assert!(
                    difference.abs_diff(during / 2) < Duration::from_micros(1),
                    "{fault}: {difference:?}"
                );
            }
            let (there, here) = (b.now(), a.now());
            b.sleep(secs(1)).await;
            assert_eq!((b.now() - there, a.now() - here), (secs(1), secs(1)));
        });
        let way = if since(b.now(), begun) > since(a.now(), begun) { "fast" } else { "slow" };
        assert_says(&fault.to_string(), &[&format!("clocks of \"b\" 50 % {way} from ")]);
    }
}

#[test]
fn time_of_day_jumps_and_timers_do_not() {
    let mut ways = BTreeSet::new();
    for seed in 0..20 {
        let (a, b) = two(seed);
        let fault = one(&a, &Faults::new().clock_jumps(1, secs(3600)));
        let offset = || match b.system_time().duration_since(a.system_time()) {
            Ok(ahead) => i64::try_from(ahead.as_secs()).unwrap(),
            Err(behind) => -i64::try_from(behind.duration().as_secs()).unwrap(),
        };
        a.block_on(async {
            assert_eq!(offset(), 0);
            a.sleep(fault.start()).await;
            let begun = a.elapsed();
            b.sleep(ms(50)).await;
            assert_eq!((a.elapsed() - begun, offset().abs()), (ms(50), 3600));
            ways.insert(offset());
            let way = if offset() > 0 { "ahead" } else { "behind" };
            assert_says(&fault.to_string(), &[&format!("time of day of \"b\" 3600s {way} from ")]);
            assert_says(&a.log().to_string(), &[&format!("clock jump began: 3600s {way}")]);
            a.sleep(fault.end() - a.elapsed()).await;
            assert_eq!(offset(), 0);
            assert_says(&a.log().to_string(), &["clock jump ended"]);
        });
    }
    assert_eq!(ways.len(), 2);
}

/// A time of day that the program sets while it has jumped stays.
#[test]
fn time_of_day_that_is_set_is_not_corrected() {
    let (a, b) = two(3);
    let fault = one(&a, &Faults::new().clock_jumps(1, secs(3600)));
    a.advance(fault.start() + ms(1));
    b.set_system_time(a.system_time());
    assert_eq!(b.system_time(), a.system_time());
    a.advance(secs(20));
    assert_eq!(b.system_time(), a.system_time());
    assert!(a.system_time() > SystemTime::UNIX_EPOCH);
}

#[test]
fn polls_of_a_slow_host_take_time_one_after_the_other() {
    let (a, b) = two(0);
    b.set_poll_delay(ms(5));
    let tasks = |host: &Host, count: usize| (0..count).map(|_| host.spawn(async {})).collect::<Vec<_>>();
    a.block_on(async {
        join_all(tasks(&b, 10)).await;
        assert_eq!(a.elapsed(), ms(50));
        // Each poll, closures and timers too.
        let there = b.clone();
        let timer = b.spawn(async move {
            there.sleep(ms(100)).await;
            anyrt::yield_now().await;
            there.spawn_blocking(|| {}).await.unwrap();
        });
        timer.await.unwrap();
        // Begun, fired, yielded, the closure, and its end.
        assert_eq!(a.elapsed(), ms(50 + 5 + 100 + 5 + 5 + 5 + 5));
        // `block_on` is not slow, and nobody waits for it.
        let main = a.this_host();
        main.set_poll_delay(ms(5));
        for _ in 0..10 {
            anyrt::yield_now().await;
        }
        let begun = a.elapsed();
        main.spawn(async {}).await.unwrap();
        assert_eq!(a.elapsed() - begun, ms(5));
        main.set_poll_delay(Duration::ZERO);
        // Other hosts are as fast as ever, and `block_on` is on none.
        let begun = a.elapsed();
        join_all(tasks(&main, 10)).await;
        assert_eq!(a.elapsed(), begun);
        b.set_poll_delay(Duration::ZERO);
        join_all(tasks(&b, 10)).await;
        assert_eq!(a.elapsed(), begun);
    });
    assert_says(&a.log().to_string(), &["b          slow host began: 5ms a poll", "slow host ended"]);
}

#[test]
fn task_of_a_host_that_never_polls_is_told_to_wait_for_its_turn() {
    let stuck = |still_slow: bool| {
        let (a, b) = two(0);
        b.set_poll_delay(Duration::MAX);
        let task = b.spawn(async {});
        if !still_slow {
            b.set_poll_delay(Duration::ZERO);
        }
        let stuck = catch_unwind(AssertUnwindSafe(|| a.block_on(task).unwrap())).unwrap_err();
        let text = *stuck.downcast::<String>().unwrap();
        assert_says(&text, &["the simulation is stuck", "on host \"b\", waits for its turn"]);
        assert!(!text.contains(", is ready"), "{text}");
        text
    };
    assert_says(&stuck(true), &["its turn: each poll of that host takes 18446744073.709551615s"]);
    assert_says(&stuck(false), &["its turn, on a host that was slow"]);
}

#[test]
fn tasks_that_wait_for_a_slow_host_go_with_it() {
    for crash in [true, false] {
        let (a, b) = two(0);
        b.set_poll_delay(secs(1));
        let polled = Arc::new(AtomicU32::new(0));
        let dropped = Arc::new(());
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let (polled, dropped) = (polled.clone(), dropped.clone());
                b.spawn(async move {
                    polled.fetch_add(1, Ordering::Relaxed);
                    drop(dropped);
                })
            })
            .collect();
        a.advance(ms(2_500));
        assert_eq!((polled.load(Ordering::Relaxed), Arc::strong_count(&dropped)), (2, 3));
        if crash {
            b.crash();
            assert_eq!(Arc::strong_count(&dropped), 1);
            let outcomes = a.block_on(join_all(tasks));
            assert_eq!(outcomes.iter().filter(|outcome| outcome.is_err()).count(), 2);
            b.restart();
            a.block_on(b.spawn(async {})).unwrap();
        } else {
            drop((a, b, tasks));
            assert_eq!(Arc::strong_count(&dropped), 1);
        }
        assert_eq!(polled.load(Ordering::Relaxed), 2);
    }
}

#[test]
fn host_is_slow_for_as_long_as_the_fault_lasts() {
    let (a, b) = two(1);
    let fault = one(&a, &Faults::new().slow_hosts(1, ms(7)));
    assert_says(&fault.to_string(), &["slow host \"b\", 7ms a poll, from "]);
    let took = || {
        let begun = a.elapsed();
        a.block_on(b.spawn(async {})).unwrap();
        a.elapsed() - begun
    };
    assert_eq!(took(), Duration::ZERO);
    a.advance(fault.start());
    assert_eq!(took(), ms(7));
    a.advance(fault.end() - a.elapsed());
    assert_eq!(took(), Duration::ZERO);
}

/// How long a datagram takes from one host to another.
async fn latency(from: &Host, to: &Host) -> Duration {
    let (sender, receiver) =
        (from.udp_bind("0.0.0.0:0").await.unwrap(), to.udp_bind("0.0.0.0:9").await.unwrap());
    let begun = from.sim().elapsed();
    sender.send_to(b"x", (to.ip(), 9).into()).await.unwrap();
    receiver.recv_from(&mut [0; 1]).await.unwrap();
    from.sim().elapsed() - begun
}

#[test]
fn link_is_slow_for_as_long_as_the_fault_lasts() {
    for one_way in [false, true] {
        let (a, b) = two(2);
        let faults = Faults::new();
        let faults =
            if one_way { faults.one_way_slow_links(1, ms(40)) } else { faults.slow_links(1, ms(40)) };
        let fault = one(&a, &faults);
        let words =
            if one_way { "one-way slow link of 40ms from \"" } else { "slow link of 40ms between \"" };
        assert_says(&fault.to_string(), &[words]);
        let main = a.this_host();
        let is_back = fault.to_string().contains("from \"b\" to \"main\"");
        a.block_on(async {
            assert_eq!(latency(&main, &b).await, ms(1));
            a.sleep(fault.start() - a.elapsed()).await;
            let [there, back] = [latency(&main, &b).await, latency(&b, &main).await];
            let is_slow = |took: Duration| took >= ms(40) && took < ms(80);
            match (one_way, is_back) {
                (false, _) => assert!(is_slow(there) && is_slow(back), "{there:?}, {back:?}"),
                (true, false) => assert!(is_slow(there) && back == ms(1), "{there:?}, {back:?}"),
                (true, true) => assert!(there == ms(1) && is_slow(back), "{there:?}, {back:?}"),
            }
            // What is set meanwhile counts afterwards.
            a.link("main", "b")
                .unwrap()
                .set(&LinkOptions::new().latency(ms(3)).jitter(Duration::ZERO))
                .unwrap();
            let [there, back] = [latency(&main, &b).await, latency(&b, &main).await];
            assert!(is_slow(there) || is_slow(back), "{there:?}, {back:?}");
            a.sleep(fault.end() - a.elapsed()).await;
            assert_eq!([latency(&main, &b).await, latency(&b, &main).await], [ms(3), ms(3)]);
        });
        let log = a.log().to_string();
        let count = if one_way { 1 } else { 2 };
        assert_eq!(
            ["slow link began, to", "slow link ended, to"].map(|text| log.matches(text).count()),
            [count; 2]
        );
    }
}

#[test]
fn slow_link_leaves_what_was_set_of_all_links() {
    let (a, b) = two(2);
    a.link("main", "b").unwrap().set(&LinkOptions::new().latency(ms(9))).unwrap();
    let fault = one(&a, &Faults::new().slow_links(1, ms(40)));
    let c = a.host("c", [10, 0, 0, 3]).unwrap();
    a.advance(fault.start());
    a.block_on(async {
        assert_eq!(latency(&b, &c).await, ms(1));
        a.links().set(&LinkOptions::new().latency(ms(2)).jitter(Duration::ZERO)).unwrap();
        assert_eq!(latency(&b, &c).await, ms(2));
        assert!(latency(&a.this_host(), &b).await >= ms(40));
        a.sleep(fault.end() - a.elapsed()).await;
        assert_eq!(latency(&a.this_host(), &b).await, ms(2));
        let d = a.host("d", [10, 0, 0, 4]).unwrap();
        assert_eq!(latency(&a.this_host(), &d).await, ms(2));
    });
}

/// The words with which the faults of each kind begin.
const KINDS: [&str; 11] = [
    "partition",
    "one-way partition",
    "hold",
    "reset",
    "crash",
    "loss",
    "slow link",
    "one-way slow link",
    "slow host",
    "clocks",
    "time of day",
];

fn kinds(drawn: &[Fault]) -> BTreeMap<&'static str, usize> {
    let mut kinds = BTreeMap::new();
    for fault in drawn {
        let kind = KINDS.into_iter().find(|kind| fault.to_string().starts_with(kind)).unwrap();
        *kinds.entry(kind).or_default() += 1;
    }
    kinds
}

fn swarm(seed: u64, faults: &Faults) -> Vec<Fault> {
    let (a, b) = two(seed);
    b.boot(|_| async {});
    a.inject(faults).unwrap()
}

#[test]
fn each_seed_of_a_swarm_has_other_kinds_of_faults() {
    let runs: Vec<_> = (0..400).map(|seed| swarm(seed, &Faults::swarm())).collect();
    let combinations: BTreeSet<Vec<_>> = runs.iter().map(|run| kinds(run).into_keys().collect()).collect();
    assert!(combinations.len() > 300, "{}", combinations.len());
    for kind in KINDS {
        let counts: Vec<_> = runs.iter().filter_map(|run| kinds(run).remove(kind)).collect();
        assert!((150..250).contains(&counts.len()), "{kind} in {} of 400", counts.len());
        assert_eq!(counts.iter().collect::<BTreeSet<_>>(), BTreeSet::from([&1, &2, &3]), "{kind}");
    }
    let all: Vec<_> = runs.concat();
    assert!(all.iter().all(|it| it.start() < secs(10) && it.end() - it.start() < secs(5)));
    let lasts =
        |least, most| all.iter().filter(|it| (least..most).contains(&(it.end() - it.start()))).count();
    assert!(lasts(ms(1), ms(100)) > all.len() / 10 && lasts(secs(1), secs(5)) > all.len() / 10);
    // How bad it is differs, too.
    let delays: BTreeSet<_> = all
        .iter()
        .filter(|it| it.to_string().starts_with("slow host"))
        .map(|it| it.to_string().split(' ').nth(3).unwrap().to_owned())
        .collect();
    assert!(delays.len() > 100, "{delays:?}");
    assert_eq!(swarm(7, &Faults::swarm()), runs[7]);
}

#[test]
fn swarm_has_what_it_is_allowed_and_what_there_is_a_place_for() {
    let none =
        Faults::swarm().crashes(0).clock_jumps(0, Duration::ZERO).resets(1).within(secs(1)).lasting(ms(10));
    let mut some = 0;
    for seed in 0..200 {
        let drawn = swarm(seed, &none);
        let kinds = kinds(&drawn);
        assert!(!kinds.contains_key("crash") && !kinds.contains_key("time of day"));
        assert!(kinds.get("reset").is_none_or(|count| *count == 1));
        assert!(drawn.iter().all(|it| it.start() < secs(1) && it.end() - it.start() < ms(10)));
        some += drawn.len();
        // One host, which has no program.
        let alone = Sim::builder().seed(seed).build().unwrap().inject(&Faults::swarm()).unwrap();
        let alone = self::kinds(&alone);
        assert!(alone.keys().all(|kind| ["slow host", "clocks", "time of day"].contains(kind)), "{alone:?}");
    }
    assert!(some > 1_000, "{some}");
}

/// A program that goes on under all of it, and recovers.
#[test]
fn program_recovers_from_every_swarm() {
    explore(0..60, |sim| {
        let db = sim.host("db", [10, 0, 0, 2]).unwrap();
        db.boot(|db| async move {
            let socket = db.udp_bind("0.0.0.0:9").await.unwrap();
            let mut byte = [0; 1];
            while let Ok((_, from)) = socket.recv_from(&mut byte).await {
                let _ = socket.send_to(&byte, from).await;
            }
        });
        let drawn = sim.inject(&Faults::swarm()).unwrap();
        let over = drawn.iter().map(Fault::end).max().unwrap_or_default();
        sim.block_on(async {
            let socket = sim.udp_bind("0.0.0.0:0").await.unwrap();
            let ask = async || {
                socket.send_to(b"x", "10.0.0.2:9".parse().unwrap()).await?;
                socket.recv_from(&mut [0; 1]).await.map(drop)
            };
            while sim.elapsed() < over + secs(1) {
                let _ = sim.timeout(ms(500), ask()).await;
                sim.sleep(ms(50)).await;
            }
            assert!(sim.timeout(secs(1), ask()).await.is_ok_and(|answer| answer.is_ok()));
        });
    });
}

#[test]
fn faults_hit_whom_they_are_told_to() {
    let drawn = |seed, faults: &Faults| {
        let sim = Sim::builder().seed(seed).build().unwrap();
        for (name, last) in [("db", 2), ("cache", 3), ("web", 4)] {
            sim.host(name, [10, 0, 0, last]).unwrap().boot(|_| async {});
        }
        sim.inject(faults).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let faults =
        Faults::new().crashes(400).slow_hosts(400, ms(1)).victims([("db", 3), ("cache", 1), ("web", 0)]);
    let drawn_of = |kind: &str, all: &[String]| -> [usize; 4] {
        ["db", "cache", "web", "main"].map(|name| {
            all.iter().filter(|it| it.starts_with(kind) && it.contains(&format!("{name:?}"))).count()
        })
    };
    let all = drawn(1, &faults);
    for kind in ["crash", "slow host"] {
        let [db, cache, web, main] = drawn_of(kind, &all);
        assert!(db.abs_diff(300) < 40 && db + cache == 400 && web + main == 0, "{kind}: {db}, {cache}");
    }
    // One end of each link, in either direction.
    let all = drawn(1, &Faults::new().one_way_partitions(400).victims([("db", 1)]));
    assert_eq!(drawn_of("one-way", &all)[0], 400);
    let from = all.iter().filter(|it| it.contains("from \"db\" to")).count();
    assert!(from.abs_diff(200) < 50, "{from}");
    assert!(drawn_of("one-way", &all)[1..].iter().all(|other| other.abs_diff(133) < 40), "{all:?}");
}

#[test]
fn bad_input_is_named() {
    let (a, b) = two(0);
    for (faults, words) in [
        (Faults::new().victims([("db", 1)]), ["\"db\"", "\"main\", \"b\""]),
        (Faults::swarm().victims([("b", 0)]), ["victims", "1 is the least"]),
        (Faults::new().clock_drifts(1, 1.0), ["clock_drifts", "from 0 to 0.9"]),
        (Faults::new().clock_drifts(1, f64::NAN), ["clock_drifts", "NaN"]),
        (Faults::swarm().losses(1, 2.0), ["losses", "from 0 to 1"]),
    ] {
        let error = a.inject(&faults).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_says(&error.to_string(), &words);
    }
    b.boot(|_| async {});
    let error = a.inject(&Faults::new().crashes(1).victims([("main", 1)])).unwrap_err();
    assert_says(&error.to_string(), &["crashes", "none of the victims", "`sim::Host::boot`"]);
    let alone = Sim::builder().seed(0).build().unwrap();
    assert_says(&alone.inject(&Faults::new().slow_links(1, ms(1))).unwrap_err().to_string(), &["one host"]);
    for speed in [0.0, 0.09, 1_001.0, f64::NAN] {
        let error = b.set_clock_speed(speed).unwrap_err();
        assert_says(&error.to_string(), &["set_clock_speed", &speed.to_string(), "from 0.1 to 1000"]);
    }
}

/// A lease that two hosts measure, each with its own clock.
fn lease(sim: &Sim) {
    let holder = sim.host("holder", [10, 0, 0, 2]).unwrap();
    let waiter = sim.host("waiter", [10, 0, 0, 3]).unwrap();
    sim.inject(&Faults::swarm().lasting(secs(10))).unwrap();
    let holds = Arc::new(Mutex::new(true));
    let (there, host) = (holds.clone(), holder.clone());
    let task = holder.spawn(async move {
        host.sleep(secs(10)).await;
        *there.lock().unwrap() = false;
    });
    sim.block_on(async {
        let there = waiter.clone();
        waiter.spawn(async move { there.sleep(ms(10_500)).await }).await.unwrap();
        assert!(!*holds.lock().unwrap(), "two hold the lease");
        task.await.unwrap();
    });
}

#[test]
fn faults_of_a_swarm_are_reduced() {
    let found = catch_unwind(AssertUnwindSafe(|| explore(0..1_000, lease))).unwrap_err();
    let text = found.downcast_ref::<String>().unwrap();
    assert_says(text, &["two hold the lease", "; 1 of ", " faults:\n  clocks of \""]);
}
