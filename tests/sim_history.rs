//! Histories of operations: what is linearizable and what is not, what errors say, and what is in the log.
//!
//! Beside these, `src/backend/sim/history/trials.rs` compares the checker with one that tries all orders.
#![allow(clippy::unwrap_used)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyrt::runtime::TcpListener;
use anyrt::sim::history::{
    Call, History, Lock, LockOp, Map, MapOp, MapOutput, Model, Queue, QueueOp, QueueOutput, Register,
    RegisterOp, RegisterOutput,
};
use anyrt::sim::{LinkOptions, explore};
use anyrt::{BlockOn, Net, Sim, Spawn, Time};
use fastrand::Rng;
use futures::io::{AsyncReadExt, AsyncWriteExt};
use serde_json::Value;

use self::RegisterOp::{CompareAndSwap, Read, Write};
use self::RegisterOutput::{Swapped, Value as Was, Written};

type Registers = History<Register<u32>>;

fn register() -> Registers {
    History::new(Register::new(0))
}

fn write(history: &Registers, value: u32) {
    history.invoke("writer", Write(value)).returned(Written);
}

fn read(history: &Registers, value: u32) {
    history.invoke("reader", Read).returned(Was(value));
}

/// Checks the names of the operations that contradict each other.
#[track_caller]
fn contradicts<M: Model>(history: &History<M>, core: &[&str]) {
    let error = history.check().unwrap_err();
    assert!(!error.is_unknown());
    let text = error.to_string();
    let rows = text.lines().skip(1).take_while(|line| line.starts_with("  "));
    let cells =
        |row: &'_ str| row.split("  ").filter(|cell| !cell.is_empty()).nth(1).unwrap().trim().to_owned();
    let rows: Vec<_> = rows.map(cells).collect();
    assert_eq!(rows, core, "{text}");
}

#[test]
fn operations_one_after_the_other_are_linearizable() {
    let history = register();
    assert!(history.is_empty());
    history.check().unwrap();
    for value in 1..100 {
        write(&history, value);
        read(&history, value);
        history.invoke(1, CompareAndSwap { old: value, new: 7 }).returned(Swapped(true));
        history.invoke(1, CompareAndSwap { old: 1_000, new: 8 }).returned(Swapped(false));
        read(&history, 7);
    }
    assert_eq!(history.len(), 99 * 5);
    history.check().unwrap();
}

#[test]
fn stale_read_is_a_contradiction() {
    let history = register();
    write(&history, 1);
    write(&history, 2);
    read(&history, 1);
    contradicts(&history, &["write(1) -> ok", "write(2) -> ok", "read -> 1"]);
}

#[test]
fn value_from_nowhere_is_a_contradiction_by_itself() {
    let history = register();
    write(&history, 1);
    write(&history, 2);
    read(&history, 2);
    read(&history, 3);
    write(&history, 3);
    contradicts(&history, &["read -> 3"]);
}

/// Of two reads during a write the later one may not see the older value.
#[test]
fn new_value_is_not_followed_by_the_old_one() {
    for (first, second, is_right) in [(0, 0, true), (0, 1, true), (1, 1, true), (1, 0, false)] {
        let history = register();
        let call = history.invoke("writer", Write(1));
        read(&history, first);
        read(&history, second);
        call.returned(Written);
        assert_eq!(history.check().is_ok(), is_right, "{first} {second}");
    }
    // Two that overlap may.
    let history = register();
    let call = history.invoke("writer", Write(1));
    let other = history.invoke("other", Read);
    read(&history, 1);
    other.returned(Was(0));
    call.returned(Written);
    history.check().unwrap();
}

#[test]
fn writes_at_once_have_one_order_for_all() {
    let play = |reads: [u32; 2]| {
        let history = register();
        let calls = [1, 2].map(|value| history.invoke(value, Write(value)));
        calls.into_iter().for_each(|call| call.returned(Written));
        reads.into_iter().for_each(|value| read(&history, value));
        history
    };
    play([1, 1]).check().unwrap();
    play([2, 2]).check().unwrap();
    contradicts(&play([1, 2]), &["write(2) -> ok", "read -> 1", "read -> 2"]);
}

#[test]
fn lost_update_is_a_contradiction() {
    let history = register();
    let calls = [1, 2].map(|client| history.invoke(client, CompareAndSwap { old: 0, new: client }));
    calls.into_iter().for_each(|call| call.returned(Swapped(true)));
    contradicts(&history, &["compare and swap(0, 1) -> true", "compare and swap(0, 2) -> true"]);
}

#[test]
fn result_of_another_operation_is_a_contradiction() {
    let history = register();
    history.invoke(1, Read).returned(Written);
    contradicts(&history, &["read -> ok"]);
}

#[test]
fn lost_call_may_have_taken_effect_or_not_at_any_later_time() {
    let play = |reads: &[u32]| {
        let history = register();
        read(&history, 0);
        drop(history.invoke("lost", Write(1)));
        reads.iter().for_each(|value| read(&history, *value));
        history
    };
    for right in [&[0, 0, 0, 0], &[0, 0, 1, 1], &[1, 1, 1, 1]] {
        play(right).check().unwrap();
    }
    // But once.
    contradicts(&play(&[0, 1, 0]), &["read -> 1", "read -> 0"]);
    // And not before it began.
    let history = register();
    read(&history, 1);
    drop(history.invoke("lost", Write(1)));
    contradicts(&history, &["read -> 1"]);
}

#[test]
fn lost_compare_and_swap_and_pop_are_explained_by_what_they_find() {
    let history = register();
    drop(history.invoke(1, CompareAndSwap { old: 5, new: 6 }));
    write(&history, 5);
    read(&history, 6);
    history.check().unwrap();

    let history = History::new(Queue::new());
    drop(history.invoke(1, QueueOp::Pop));
    history.invoke(2, QueueOp::Push('a')).returned(QueueOutput::Pushed);
    history.invoke(2, QueueOp::Pop).returned(QueueOutput::Popped(None));
    history.check().unwrap();
    history.invoke(2, QueueOp::Push('b')).returned(QueueOutput::Pushed);
    history.invoke(2, QueueOp::Pop).returned(QueueOutput::Popped(None));
    assert!(history.check().is_err(), "it pops once");
}

#[test]
fn call_without_effect_explains_nothing() {
    let history = register();
    history.invoke("refused", Write(1)).had_no_effect();
    read(&history, 0);
    history.check().unwrap();
    read(&history, 1);
    contradicts(&history, &["read -> 1"]);
}

/// What is seen before an operation returns counts: it was refused because of something.
#[test]
fn result_that_comes_later_is_part_of_the_contradiction() {
    let history = History::new(Lock::new());
    let refused = history.invoke("a", LockOp::Acquire("a"));
    history.invoke("b", LockOp::Acquire("b")).returned(false);
    refused.returned(false);
    contradicts(&history, &["acquire(\"b\") -> false", "acquire(\"a\") -> false"]);
}

/// After Herlihy and Wing, "Linearizability" (1990), figure 1.
#[test]
fn queues_of_the_literature() {
    let push = |history: &History<Queue<char>>, value| history.invoke(1, QueueOp::Push(value));
    let pop = |history: &History<Queue<char>>| history.invoke(2, QueueOp::Pop);
    let popped = |call: Call<Queue<char>>, value| call.returned(QueueOutput::Popped(Some(value)));

    let history = History::new(Queue::new());
    let (x, y) = (push(&history, 'x'), push(&history, 'y'));
    y.returned(QueueOutput::Pushed);
    x.returned(QueueOutput::Pushed);
    popped(pop(&history), 'x');
    popped(pop(&history), 'y');
    push(&history, 'z').returned(QueueOutput::Pushed);
    history.check().unwrap();

    // The first one is in the queue before the second one is pushed.
    let history = History::new(Queue::new());
    push(&history, 'x').returned(QueueOutput::Pushed);
    push(&history, 'y').returned(QueueOutput::Pushed);
    popped(pop(&history), 'y');
    contradicts(&history, &["push('x') -> ok", "pop -> 'y'"]);

    // A pop may see what is still being pushed.
    let history = History::new(Queue::new());
    let x = push(&history, 'x');
    popped(pop(&history), 'x');
    x.returned(QueueOutput::Pushed);
    history.check().unwrap();

    // Popped twice.
    let history = History::new(Queue::new());
    let (x, y) = (push(&history, 'x'), push(&history, 'y'));
    x.returned(QueueOutput::Pushed);
    y.returned(QueueOutput::Pushed);
    popped(pop(&history), 'y');
    popped(pop(&history), 'y');
    contradicts(&history, &["pop -> 'y'", "pop -> 'y'"]);
}

#[test]
fn lock_is_held_by_one_at_a_time() {
    let history = History::new(Lock::new());
    for owner in [1, 2, 1, 2] {
        history.invoke(owner, LockOp::Acquire(owner)).returned(true);
        history.invoke(3, LockOp::Acquire(3)).returned(false);
        history.invoke(3, LockOp::Release(3)).returned(false);
        history.invoke(owner, LockOp::Release(owner)).returned(true);
    }
    history.check().unwrap();
    history.invoke(1, LockOp::Acquire(1)).returned(true);
    history.check().unwrap();
    history.invoke(2, LockOp::Acquire(2)).returned(true);
    let text = history.check().unwrap_err().to_string();
    assert!(
        text.contains("After it the state is Some(1), and next could only be:\n  2  acquire(2) -> true"),
        "{text}"
    );

    // A release that was lost may let the next one in, or not.
    let history = History::new(Lock::new());
    history.invoke(1, LockOp::Acquire(1)).returned(true);
    drop(history.invoke(1, LockOp::Release(1)));
    history.invoke(2, LockOp::Acquire(2)).returned(false);
    history.invoke(2, LockOp::Acquire(2)).returned(true);
    history.check().unwrap();
    history.invoke(3, LockOp::Acquire(3)).returned(true);
    contradicts(&history, &["acquire(2) -> true", "acquire(3) -> true"]);
}

#[test]
fn keys_of_a_map_are_checked_alone_and_named() {
    let history = History::new(Map::new());
    let put = |key, value| history.invoke("a", MapOp::Put(key, value)).returned(MapOutput::Done);
    let get = |key, value| history.invoke("b", MapOp::Get(key)).returned(MapOutput::Value(value));
    put("x", 1);
    put("y", 2);
    get("x", Some(1));
    get("z", None);
    history.invoke("a", MapOp::Remove("y")).returned(MapOutput::Done);
    get("y", None);
    history.check().unwrap();
    get("y", Some(2));
    contradicts(&history, &["put(\"y\", 2) -> ok", "get(\"y\") -> none", "get(\"y\") -> 2"]);
    let text = history.check().unwrap_err().to_string();
    assert!(text.contains("these operations on key \"y\" ") && !text.contains("\"x\""), "{text}");
}

/// A history of clients that are always busy, with what a service would answer.
fn busy(seed: u64, clients: usize, operations: usize, lost: f64) -> History<Map<u32, usize>> {
    let mut random = Rng::with_seed(seed);
    let (history, mut values) = (History::new(Map::new()), [None; 4]);
    let mut calls: Vec<_> = (0..clients).map(|_| None).collect();
    let mut begun = 0;
    while begun < clients * operations || calls.iter().any(Option::is_some) {
        let client = random.usize(..clients);
        calls[client] = match calls[client].take() {
            None if begun == clients * operations => None,
            None => {
                begun += 1;
                let key = random.u32(..4);
                let value = random.bool().then_some(begun);
                let op = value.map_or(MapOp::Get(key), |value| MapOp::Put(key, value));
                Some((history.invoke(client, op), key, value, None))
            }
            Some((call, key, value, None)) => {
                let answer = match value {
                    Some(value) => {
                        values[key as usize] = Some(value);
                        MapOutput::Done
                    }
                    None => MapOutput::Value(values[key as usize]),
                };
                (random.f64() >= lost).then_some((call, key, value, Some(answer)))
            }
            Some((call, _, _, Some(answer))) => {
                call.returned(answer);
                None
            }
        };
    }
    history
}

#[test]
fn long_histories_take_few_steps() {
    for seed in 0..5 {
        // 5 clients with 200 operations each: 500 for each key.
        busy(seed, 5, 200, 0.0).check_within(10_000).unwrap();
        busy(seed, 5, 200, 0.02).check_within(50_000).unwrap();
        let history = busy(seed, 5, 200, 0.02);
        history.invoke("late", MapOp::Get(3)).returned(MapOutput::Value(Some(1_000_000)));
        let error = history.check_within(100_000).unwrap_err();
        assert!(!error.is_unknown(), "{error}");
        contradicts(&history, &["get(3) -> 1000000"]);
    }
}

/// Any subset of them may have taken effect.
#[test]
fn many_lost_calls_take_few_steps() {
    let history = register();
    for value in 1..=60 {
        drop(history.invoke(value, Write(value)));
    }
    for value in 1..=20 {
        write(&history, 100 + value);
        read(&history, 3 * value);
    }
    history.check_within(200_000).unwrap();
    read(&history, 3);
    let error = history.check_within(200_000).unwrap_err();
    assert!(!error.is_unknown(), "{error}");
}

#[test]
fn limit_makes_the_answer_unknown() {
    let history = busy(1, 5, 100, 0.0);
    let error = history.check_within(20).unwrap_err();
    assert!(error.is_unknown());
    let text = error.to_string();
    let begin = text.split_once(" operations on key ").unwrap().0;
    assert!(begin.starts_with("anyrt: whether the 1"), "{text}");
    assert!(text.contains("is unknown: the search has reached its limit of 20 steps. "), "{text}");
    assert_eq!(format!("{error:?}"), text);
    // Whatever it is, it ends.
    let history = History::new(Queue::new());
    for value in 0..14 {
        drop(history.invoke(value, QueueOp::Push(value)));
    }
    history.invoke(99, QueueOp::Pop).returned(QueueOutput::Popped(Some(13)));
    history.invoke(99, QueueOp::Pop).returned(QueueOutput::Popped(Some(99)));
    assert!(history.check_within(100_000).unwrap_err().is_unknown());
}

#[test]
fn text_fits_a_screen_whatever_is_in_it() {
    let history = History::new(Map::new());
    let long = "wide\n".repeat(100);
    for client in 0..50 {
        let client = format!("{client}{long}");
        history.invoke(&client, MapOp::Put(long.clone(), client.clone())).returned(MapOutput::Done);
    }
    // Any of these may be next, and none can.
    let calls: Vec<_> = (0..50).map(|client| history.invoke(client, MapOp::Get(long.clone()))).collect();
    calls.into_iter().for_each(|call| call.returned(MapOutput::Value(Some(long.clone()))));
    let text = history.check().unwrap_err().to_string();
    assert!(text.lines().count() <= 24 && text.lines().all(|line| line.chars().count() <= 200), "{text}");
    assert!(text.contains("(46 before these)"), "{text}");
}

/// Virtual times may be equal, so the text has the moments as well; outside of a simulation it is real time.
#[test]
fn order_is_that_of_the_calls_and_not_of_the_clock() {
    let history = register();
    let sim = Sim::new().unwrap();
    sim.block_on(async {
        write(&history, 1);
        sim.sleep(Duration::from_millis(5)).await;
        let call = history.invoke("slow", Write(2));
        sim.sleep(Duration::from_millis(5)).await;
        call.returned(Written);
        read(&history, 1);
    });
    let text = history.check().unwrap_err().to_string();
    for row in [
        "  writer  write(1) -> ok  0ns to 0ns, moments 0 and 1\n",
        "  slow    write(2) -> ok  5ms to 10ms, moments 2 and 3\n",
        "  reader  read -> 1       10ms to 10ms, moments 4 and 5\n",
    ] {
        assert!(text.contains(row), "{row}{text}");
    }
    let outside = register();
    write(&outside, 1);
    read(&outside, 1);
    outside.check().unwrap();
}

fn events<'a>(json: &'a Value, kind: &str) -> Vec<&'a Value> {
    json["events"].as_array().unwrap().iter().filter(|event| event["kind"] == kind).collect()
}

#[test]
fn operations_are_in_the_log_and_its_hash() {
    let run = |lost, seen, log| {
        let sim = Sim::builder().log(log).build().unwrap();
        let host = sim.host("client", [10, 0, 0, 2]).unwrap();
        let history = History::new(Register::new(0));
        let of_host = history.clone();
        let task = host.spawn(async move {
            write(&of_host, 1);
            drop(of_host.invoke("lost", Write(lost)));
            of_host.invoke("refused", Write(3)).had_no_effect();
            read(&of_host, seen);
        });
        sim.block_on(task).unwrap();
        let hash = sim.trace_hash();
        let text = history.check().unwrap_err().to_string();
        assert_eq!(sim.trace_hash(), hash, "it is checked after the run, or in it");
        (sim, text)
    };
    let (sim, text) = run(2, 4, true);
    let json: Value = serde_json::from_str(&sim.log().to_json()).unwrap();
    let [called, returned] = ["called", "returned"].map(|kind| events(&json, kind));
    let fields = |event: &Value| {
        let [client, text, host] =
            ["client", "text", "host"].map(|name| event[name].as_str().unwrap().to_owned());
        (event["operation"].as_u64().unwrap(), client, text, host)
    };
    let expected = |rows: &[(u64, &str, &str)]| -> Vec<_> {
        rows.iter().map(|(n, who, what)| (*n, (*who).into(), (*what).into(), "client".into())).collect()
    };
    assert_eq!(
        called.into_iter().map(fields).collect::<Vec<_>>(),
        expected(&[
            (1, "writer", "write(1)"),
            (2, "lost", "write(2)"),
            (3, "refused", "write(3)"),
            (4, "reader", "read")
        ])
    );
    assert_eq!(
        returned.into_iter().map(fields).collect::<Vec<_>>(),
        expected(&[
            (1, "writer", "write(1) -> ok"),
            (3, "refused", "write(3), without effect"),
            (4, "reader", "read -> 4")
        ])
    );
    let [contradiction] = events(&json, "contradiction")[..] else { panic!("{json}") };
    assert_eq!(
        (&contradiction["operations"], &contradiction["text"]),
        (&serde_json::json!([4]), &text.into())
    );
    assert!(sim.log().to_string().contains("called by reader: read ("), "{}", sim.log());
    assert_eq!(sim.trace_hash(), run(2, 4, false).0.trace_hash());
    assert_ne!(sim.trace_hash(), run(3, 4, false).0.trace_hash());
    assert_ne!(sim.trace_hash(), run(2, 5, false).0.trace_hash());
}

/// A crash drops the task, and so the call.
#[test]
fn operation_of_a_client_that_crashes_is_lost() {
    let sim = Sim::new().unwrap();
    let client = sim.host("client", [10, 0, 0, 2]).unwrap();
    let history = register();
    let (of_client, runtime) = (history.clone(), client.clone());
    let task = client.spawn(async move {
        let call = of_client.invoke("crashes", Write(1));
        runtime.sleep(Duration::from_secs(1)).await;
        call.returned(Written);
    });
    sim.block_on(async {
        sim.sleep(Duration::from_millis(1)).await;
        client.crash();
        assert!(task.await.is_err());
        read(&history, 0);
        sim.sleep(Duration::from_secs(9)).await;
        read(&history, 1);
    });
    history.check().unwrap();
    let call = history.invoke("gone", Read);
    drop(sim);
    call.returned(Was(1));
    history.check().unwrap();
}

/// A register on a server, which compares, waits, and swaps.
fn server_with_a_bug(sim: &Sim) {
    let server = sim.host("server", [10, 0, 0, 2]).unwrap();
    sim.links().set(&LinkOptions::new().jitter(Duration::from_millis(20))).unwrap();
    let value = Arc::new(AtomicU32::new(0));
    let runtime = server.clone();
    server.boot(move |_| {
        let (value, runtime) = (value.clone(), runtime.clone());
        async move {
            let listener = runtime.tcp_bind("0.0.0.0:1").await.unwrap();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (value, server) = (value.clone(), runtime.clone());
                drop(runtime.spawn(async move {
                    let mut request = [0; 2];
                    stream.read_exact(&mut request).await.unwrap();
                    let [old, new] = request.map(u32::from);
                    let swaps = value.load(Ordering::SeqCst) == old;
                    server.sleep(Duration::from_millis(1)).await;
                    if swaps {
                        value.store(new, Ordering::SeqCst);
                    }
                    stream.write_all(&[u8::from(swaps)]).await.unwrap();
                }));
            }
        }
    });
    let history = register();
    let clients = [1, 2, 3].map(|client: u32| {
        let (sim, history) = (sim.clone(), history.clone());
        sim.clone().spawn(async move {
            let call =
                history.invoke(format_args!("client {client}"), CompareAndSwap { old: 0, new: client });
            let mut stream = sim.tcp_connect("server:1").await.unwrap();
            stream.write_all(&[0, client as u8]).await.unwrap();
            let mut answer = [0];
            stream.read_exact(&mut answer).await.unwrap();
            call.returned(Swapped(answer[0] == 1));
        })
    });
    sim.block_on(async {
        for client in clients {
            client.await.unwrap();
        }
    });
    history.check().unwrap();
}

#[test]
fn explore_finds_a_contradiction_and_begins_its_report_with_it() {
    let text = catch_unwind(AssertUnwindSafe(|| explore(0..1_000, server_with_a_bug))).unwrap_err();
    let text = text.downcast_ref::<String>().unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert!(
        lines[0].starts_with("anyrt: seed ") && lines[1].starts_with("  panicked at tests/sim_history.rs:"),
        "{text}"
    );
    assert!(
        lines[2].contains("not linearizable: whatever others did, no order of these operations"),
        "{text}"
    );
    for row in &lines[3..5] {
        assert!(
            row.starts_with("    client ")
                && row.contains("  compare and swap(0, ")
                && row.contains(") -> true  "),
            "{text}"
        );
    }
    assert!(lines[5].starts_with("  The longest order that fits, "), "{text}");
}

/// On threads, the order is that in which they get to it.
#[test]
fn threads_have_one_history() {
    let history = register();
    let value = Mutex::new(0);
    std::thread::scope(|scope| {
        for thread in 1..=4 {
            let (history, value) = (history.clone(), &value);
            scope.spawn(move || {
                for n in 0..200 {
                    let call = history.invoke(thread, Write(n));
                    *value.lock().unwrap() = n;
                    call.returned(Written);
                    let call = history.invoke(thread, Read);
                    let seen = *value.lock().unwrap();
                    call.returned(Was(seen));
                }
            });
        }
    });
    history.check().unwrap();
}
