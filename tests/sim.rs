//! Promises of the simulation beyond the contract: one seed is one run, virtual time costs nothing, and errors name the
//! cause.
#![allow(clippy::unwrap_used)]

use std::env;
use std::future::{Future, pending};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use anyrt::net::{ConnectOptions, ListenOptions};
use anyrt::runtime::{TcpListener, TcpStream, UdpSocket};
use anyrt::sim::{Host, Policy, check_deterministic};
use anyrt::task::{Builder, LocalSet, spawn_local};
use anyrt::{AnyRuntime, BlockOn, Net, Sim, Spawn, Time};
use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::{join, poll_fn};
use futures::io::{AsyncReadExt, AsyncWriteExt};

fn seeded(seed: u64) -> Sim {
    Sim::builder().seed(seed).build().unwrap()
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

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
        assert!(text.contains(word), "no {word:?} in {text:?}");
    }
}

/// A program with all kinds of operations: a server that echoes, three clients on another host, and timers.
fn program(sim: &Sim) -> Vec<usize> {
    let server = sim.host("server", [10, 0, 0, 2]).unwrap();
    let order = sim.block_on(async {
        let listener = server.tcp_bind("0.0.0.0:7").await.unwrap();
        let there = server.clone();
        drop(server.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                drop(there.spawn(async move {
                    let (read, mut write) = stream.into_split();
                    futures::io::copy(read, &mut write).await
                }));
            }
        }));
        let (done, mut dones) = futures::channel::mpsc::unbounded();
        for n in 0..3 {
            let (here, done) = (sim.clone(), done.clone());
            drop(sim.spawn(async move {
                let mut stream = here.tcp_connect("server:7").await.unwrap();
                for _ in 0..5 {
                    let mut answer = [0; 4];
                    stream.write_all(b"ping").await.unwrap();
                    stream.read_exact(&mut answer).await.unwrap();
                    here.sleep(Duration::from_micros(100)).await;
                }
                done.unbounded_send(n).unwrap();
            }));
        }
        drop(done);
        let mut order = Vec::new();
        while let Some(n) = futures::StreamExt::next(&mut dones).await {
            order.push(n);
        }
        order
    });
    assert_eq!(order.len(), 3);
    order
}

fn hash(seed: u64) -> u64 {
    let sim = seeded(seed);
    program(&sim);
    sim.trace_hash()
}

#[test]
fn one_seed_is_one_run() {
    assert_eq!(hash(1), hash(1));
    assert_ne!(hash(1), hash(2));
    // Earlier and concurrent simulations have no influence.
    let beside = [(); 4].map(|()| thread::spawn(|| hash(1)));
    assert!(beside.into_iter().all(|thread| thread.join().unwrap() == hash(1)));
}

/// The hash is the same on every machine, and changes only with the meaning of seeds.
#[test]
fn hash_of_a_program_is_pinned() {
    assert_eq!(format!("{:016x}", hash(42)), "01dd36597194482c");
}

#[test]
fn another_process_has_the_same_run() {
    const CHILD: &str = "ANYRT_TEST_SIM_CHILD";
    if env::var_os(CHILD).is_some() {
        println!("hash {:016x}", hash(7));
        return;
    }
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "another_process_has_the_same_run", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8(child.stdout).unwrap();
    assert_says(&text, &[&format!("hash {:016x}", hash(7))]);
}

#[test]
fn seed_comes_from_the_environment() {
    const CHILD: &str = "ANYRT_TEST_SIM_SEED_CHILD";
    if env::var_os(CHILD).is_some() {
        match Sim::new() {
            Ok(sim) => println!("seed {}", sim.seed()),
            Err(error) => println!("{:?}: {error}", error.kind()),
        }
        return;
    }
    let with = |seed: Option<&str>| {
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", "seed_comes_from_the_environment", "--nocapture"]).env(CHILD, "1");
        match seed {
            Some(seed) => child.env("ANYRT_SIM_SEED", seed),
            None => child.env_remove("ANYRT_SIM_SEED"),
        };
        String::from_utf8(child.output().unwrap().stdout).unwrap()
    };
    assert_says(&with(None), &["seed 0\n"]);
    assert_says(&with(Some("12")), &["seed 12\n"]);
    for bad in ["twelve", "-1", "", "0x12"] {
        assert_says(&with(Some(bad)), &["InvalidInput", "ANYRT_SIM_SEED", &format!("{bad:?}")]);
    }
}

#[test]
fn check_deterministic_agrees_and_disagrees() {
    let checked = check_deterministic(3, |sim| drop(program(sim)));
    assert_eq!(checked, hash(3));
    let runs = AtomicU32::new(0);
    let text = panic_text(|| {
        check_deterministic(3, |sim| {
            let millis = u64::from(runs.fetch_add(1, Ordering::Relaxed)) + 1;
            sim.block_on(sim.sleep(ms(millis)));
        })
    });
    assert_says(
        &text,
        &[
            "seed 3",
            "first #1 sleeps until 1ms (tests/sim.rs:",
            "on host \"main\" at 0ns, then #1 sleeps until 2ms",
        ],
    );
}

#[test]
fn hours_take_no_time() {
    let (sim, wall) = (seeded(0), Instant::now());
    let start = sim.now();
    sim.block_on(async {
        let tasks = (1..=60).map(|minutes| {
            let timer = sim.clone();
            sim.spawn(async move { timer.sleep(Duration::from_secs(60 * minutes)).await })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
    });
    assert_eq!(sim.now() - start, Duration::from_secs(3600));
    assert_eq!(sim.elapsed(), Duration::from_secs(3600));
    assert!(wall.elapsed() < Duration::from_secs(5), "{:?}", wall.elapsed());
}

#[test]
fn time_passes_for_whoever_polls_in_a_loop() {
    let sim = seeded(0);
    sim.block_on(async {
        let timer = sim.clone();
        let done = sim.spawn(async move {
            timer.sleep(Duration::from_secs(3600)).await;
            timer.elapsed()
        });
        while !done.is_finished() {
            sim.yield_now().await;
        }
        assert_eq!(done.await.unwrap(), Duration::from_secs(3600), "it fires in time");
    });
    // One yield takes at most a microsecond.
    sim.block_on(async {
        let (before, _timer) = (sim.elapsed(), Box::pin(sim.sleep(ms(1))));
        sim.yield_now().await;
        assert!(sim.elapsed() - before <= Duration::from_micros(1));
    });
}

#[test]
fn stuck_simulation_names_its_tasks() {
    let sim = seeded(99);
    let line = line!() + 5;
    let text =
        panic_text(|| {
            sim.block_on(async {
                let never = sim.clone();
                let task = sim.spawn(pending::<()>());
                drop(sim.spawn(async move { never.sleep(Duration::MAX).await }));
                let host = sim.host("db", [10, 0, 0, 5]).unwrap();
                drop(host.clone().spawn(async move {
                    host.tcp_bind("0.0.0.0:5432").await.unwrap().accept().await.map(drop)
                }));
                sim.sleep(ms(1500)).await;
                task.await
            })
        });
    assert_says(
        &text,
        &[
            "stuck",
            "Seed 99, virtual time 1.5s",
            &format!("a task, spawned at tests/sim.rs:{line}:"),
            "`block_on`, called at tests/sim.rs:",
            "sleeps for ever",
            "on host \"db\", waits to accept at 0.0.0.0:5432",
            "a handle, a channel, a lock",
        ],
    );
    // The simulation can be used again.
    assert_eq!(sim.block_on(async { 7 }), 7);
}

#[test]
fn stuck_on_any_runtime_names_the_caller_as_well() {
    let sim = AnyRuntime::from(seeded(5));
    let line = line!() + 1;
    let text = panic_text(|| sim.block_on(async { sim.spawn(pending::<()>()).await }));
    assert_says(&text, &["Seed 5", &format!("a task, spawned at tests/sim.rs:{line}:")]);
}

#[test]
fn stuck_simulation_says_the_names_of_tasks() {
    let sim = seeded(5);
    let reader = Builder::new().name("reader");
    let line = line!() + 3;
    let text = panic_text(|| {
        sim.block_on(async {
            let task = reader.spawn(pending::<()>()).unwrap();
            reader.spawn_on(pending::<()>(), &sim).unwrap().detach();
            assert_eq!(task.id().to_string(), "2");
            task.await
        })
    });
    let report =
        [2, 3].map(|n| format!("#{n} \"reader\", a task, spawned at tests/sim.rs:{}:", line + n - 2));
    assert_says(&text, &report.each_ref().map(String::as_str));
}

#[test]
fn stuck_simulation_names_its_local_tasks() {
    let (sim, set) = (seeded(6), LocalSet::new());
    let line = line!() + 4;
    let text = panic_text(|| {
        sim.block_on(set.run_until(async {
            spawn_local(async {}).detach();
            spawn_local(pending::<()>()).await
        }))
    });
    let local = format!("\n  a local task of this thread, spawned at tests/sim.rs:{line}:");
    assert_says(&text, &["`block_on`, called at tests/sim.rs:", &local]);
    assert_eq!(text.matches("a local task").count(), 1, "{text}");
}

#[test]
fn wake_by_a_stranger_is_an_error() {
    let sim = seeded(17);
    let line = line!() + 4;
    let text = panic_text(|| {
        let (waker, wakers) = mpsc::channel::<Waker>();
        let (woken, is_woken) = mpsc::channel();
        let task = sim.spawn(poll_fn(move |cx| {
            waker.send(cx.waker().clone()).unwrap();
            Poll::<()>::Pending
        }));
        thread::spawn(move || {
            wakers.recv().unwrap().wake();
            woken.send(()).unwrap();
        });
        sim.block_on(async {
            sim.sleep(ms(1)).await;
            is_woken.recv().unwrap();
            task.await
        })
    });
    assert_says(
        &text,
        &["another thread has woken", "Seed 17", &format!("a task, spawned at tests/sim.rs:{line}:")],
    );
    // While no thread drives the simulation, any thread may wake its tasks.
    let (send, receive) = oneshot::channel();
    let task = sim.spawn(async move { receive.await.unwrap() });
    sim.block_on(async { sim.yield_now().await });
    thread::spawn(move || send.send(8).unwrap()).join().unwrap();
    assert_eq!(sim.block_on(task).unwrap(), 8);
}

/// Virtual time would be over before the thread has begun: five seconds take some microseconds.
#[test]
fn wake_by_a_stranger_is_an_error_where_time_would_pass() {
    // The answer comes from a thread that starts only when its future is polled.
    let answer = || {
        let (send, mut receive) = oneshot::channel();
        let (wait, waits) = mpsc::channel();
        thread::spawn(move || waits.recv().map(|()| send.send(8)));
        poll_fn(move |cx| {
            let polled = receive.poll_unpin(cx);
            let _ = wait.send(());
            polled
        })
    };
    let says = |text: &str, line: u32, kind: &str| {
        assert_says(text, &["another thread has woken", "`anyrt::spawn_blocking`"]);
        assert_says(text, &[&format!("{kind} at tests/sim.rs:{line}:")]);
    };
    // Several simulations in one process, each with several waits.
    for seed in 0..3 {
        let (sim, line) = (seeded(seed), line!() + 2);
        let text = panic_text(|| {
            sim.block_on(async { anyrt::time::timeout(ms(5_000), answer()).await.unwrap().unwrap() });
        });
        says(&text, line, "`block_on`, called");

        let (sim, line) = (seeded(seed), line!() + 2);
        let text = panic_text(|| {
            let task = sim.spawn(async move {
                anyrt::time::sleep(ms(1)).await;
                anyrt::time::timeout(ms(5_000), answer()).await.unwrap().unwrap()
            });
            sim.block_on(task).unwrap();
        });
        says(&text, line, "a task, spawned");

        let (sim, line) = (seeded(seed), line!() + 1);
        let text = panic_text(|| sim.block_on(async { answer().await.unwrap() }));
        says(&text, line, "`block_on`, called");
    }
}

/// Waiting for a channel of the program itself takes real time now and then, and does not change the run.
#[test]
fn channel_and_timer_of_a_program_are_no_error() {
    let run = || {
        let sim = seeded(3);
        sim.block_on(async {
            for n in (1..=20).filter(|n| *n != 10) {
                let (send, receive) = oneshot::channel();
                let task = sim.spawn(async move {
                    anyrt::time::sleep(ms(n)).await;
                    let _ = send.send(n);
                });
                let answer = anyrt::time::timeout(ms(10), receive).await;
                assert_eq!(answer.is_ok(), n < 10, "{n}");
                task.await.unwrap();
            }
        });
        (sim.trace_hash(), sim.elapsed())
    };
    let first = run();
    for _ in 0..10 {
        assert_eq!(run(), first);
    }
}

/// Nor does it take long, whatever the number of threads in the process.
#[test]
fn threads_of_others_cost_no_time() {
    let (release, released) = mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let threads = [(); 64].map(|()| {
        let released = released.clone();
        thread::spawn(move || drop(released.lock().map(|released| released.recv())))
    });
    let (sim, wall) = (seeded(5), Instant::now());
    sim.block_on(async {
        for _ in 0..5_000 {
            let (_send, receive) = oneshot::channel::<()>();
            assert!(anyrt::time::timeout(ms(10), receive).await.is_err());
        }
    });
    assert!(wall.elapsed() < Duration::from_secs(5), "{:?}", wall.elapsed());
    drop(release);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn stuck_program_with_a_thread_is_told_of_threads() {
    let (release, released) = mpsc::channel::<()>();
    let thread = thread::spawn(move || released.recv());
    let sim = seeded(1);
    let text = panic_text(|| sim.block_on(pending::<()>()));
    assert_says(&text, &["the simulation is stuck", "no simulation waits for it", "`anyrt::spawn_blocking`"]);
    drop(release);
    let _ = thread.join();
}

#[test]
fn second_driver_is_an_error() {
    let sim = seeded(0);
    let other = sim.clone();
    let text = sim
        .block_on(async { thread::spawn(move || panic_text(|| other.block_on(async {}))).join().unwrap() });
    assert_says(&text, &["another thread is driving"]);
}

#[test]
fn endless_loop_is_named() {
    let sim = seeded(4);
    let line = line!() + 2;
    let text = panic_text(|| {
        let task = sim.spawn(poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        }));
        sim.block_on(task)
    });
    assert_says(&text, &["1000000 polls", "Seed 4", &format!("a task, spawned at tests/sim.rs:{line}:")]);
}

/// Two tasks that read, yield and write: an update is lost if one task runs in between.
fn lost_update(sim: &Sim) -> bool {
    let count = Arc::new(AtomicU32::new(0));
    let add = || {
        let (rt, count) = (sim.clone(), count.clone());
        sim.spawn(async move {
            rt.yield_now().await;
            let read = count.load(Ordering::Relaxed);
            rt.yield_now().await;
            count.store(read + 1, Ordering::Relaxed);
        })
    };
    let (a, b) = (add(), add());
    let (a, b) = sim.block_on(join(a, b));
    a.and(b).unwrap();
    count.load(Ordering::Relaxed) != 2
}

/// A channel that preserves the order of messages hides this bug.
fn lost_order(sim: &Sim) -> bool {
    let log = Arc::new(Mutex::new(Vec::new()));
    let tasks = [1, 2, 3].map(|n| {
        let log = log.clone();
        sim.spawn(async move { log.lock().unwrap().push(n) })
    });
    sim.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    let log = log.lock().unwrap();
    *log != [1, 2, 3]
}

#[test]
fn random_order_finds_what_depends_on_it_and_the_seed_replays_it() {
    for bug in [lost_update, lost_order] {
        let seed = (0..20).find(|seed| bug(&seeded(*seed))).expect("one of twenty seeds finds it");
        for _ in 0..3 {
            assert!(bug(&seeded(seed)), "seed {seed} finds it again");
        }
    }
    let with = |policy| lost_order(&Sim::builder().policy(policy).seed(0).build().unwrap());
    assert!(!with(Policy::Fifo) && with(Policy::Lifo));
}

#[test]
fn blocking_closure_takes_its_turn() {
    let sim = seeded(0);
    let inner = sim.clone();
    let slept = sim.block_on(sim.spawn_blocking(move || {
        inner.block_on(inner.sleep(ms(5)));
        inner.block_on(inner.spawn_blocking(|| AnyRuntime::current() == AnyRuntime::current())).unwrap()
    }));
    assert!(slept.unwrap());
    assert_eq!(sim.elapsed(), ms(5));
}

#[test]
fn hosts_have_names_addresses_and_a_loopback_of_their_own() {
    let a = seeded(0);
    let b = a.host("b", [10, 0, 0, 2]).unwrap();
    assert_eq!((a.this_host().ip(), b.ip()), (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2])));
    assert_ne!(a.this_host(), b);
    a.block_on(async {
        let listener = b.tcp_bind("localhost:80").await.unwrap();
        b.tcp_connect("127.0.0.1:80").await.unwrap();
        assert_eq!(a.tcp_connect("127.0.0.1:80").await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        assert_eq!(
            a.tcp_connect("b:80").await.unwrap_err().kind(),
            ErrorKind::ConnectionRefused,
            "only on loopback"
        );
        drop(listener);
        let listener = b.tcp_bind("b:80").await.unwrap();
        let (client, server) = join(a.tcp_connect("b:80"), listener.accept()).await;
        assert_eq!(server.unwrap().1, client.unwrap().local_addr().unwrap());
        assert_eq!(a.lookup_host("b:1").await.unwrap(), [SocketAddr::from(([10, 0, 0, 2], 1))]);
        assert_eq!(a.lookup_host("c:1").await.unwrap_err().kind(), ErrorKind::NotFound);
        // Tasks run on the host of their handle, and so do tasks that they spawn.
        let found =
            b.spawn(async { anyrt::spawn(async { AnyRuntime::current() }).await.unwrap() }).await.unwrap();
        assert_eq!(found, AnyRuntime::from(b.clone()));
    });
    for (name, ip, words) in [
        ("c", [10, 0, 0, 2], ["10.0.0.2", "\"b\""]),
        ("b", [10, 0, 0, 3], ["\"b\"", "10.0.0.2"]),
        ("c", [127, 0, 0, 1], ["\"c\"", "127.0.0.1"]),
        ("localhost", [10, 0, 0, 3], ["\"localhost\"", "not a valid host name"]),
    ] {
        let error = a.host(name, ip).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_says(&error.to_string(), &words);
    }
    let error = a.block_on(a.tcp_bind("10.0.0.2:0")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
    assert_says(&error.to_string(), &["10.0.0.2", "\"main\"", "10.0.0.1"]);
}

#[test]
fn links_have_a_latency() {
    let a = seeded(0);
    let b = a.host("b", [10, 0, 0, 2]).unwrap();
    let round_trip = |server: Host, addr: &'static str| {
        a.block_on(async {
            let listener = server.tcp_bind("0.0.0.0:9").await.unwrap();
            let (client, accepted) = join(a.tcp_connect(addr), listener.accept()).await;
            let (mut client, mut server) = (client.unwrap(), accepted.unwrap().0);
            let start = a.elapsed();
            client.write_all(b"x").await.unwrap();
            server.read_exact(&mut [0]).await.unwrap();
            server.write_all(b"y").await.unwrap();
            client.read_exact(&mut [0]).await.unwrap();
            a.elapsed() - start
        })
    };
    let between = round_trip(b, "b:9");
    assert!(between >= ms(2) && between <= Duration::from_micros(2200), "{between:?}");
    let loopback = round_trip(a.this_host(), "localhost:9");
    assert!(loopback >= Duration::from_micros(100) && loopback <= Duration::from_micros(110), "{loopback:?}");
}

#[test]
fn nobody_at_an_address_is_silent_and_then_unreachable() {
    let sim = seeded(0);
    sim.block_on(async {
        let options = ConnectOptions::new().timeout(ms(50));
        let error = sim.tcp_connect_with("10.9.9.9:80", &options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(sim.elapsed(), ms(50), "exactly");
        let error = sim.tcp_connect("10.9.9.9:80").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::HostUnreachable);
        assert_says(&error.to_string(), &["10.9.9.9"]);
    });
}

#[test]
fn full_queue_is_asked_again() {
    let sim = seeded(0);
    sim.block_on(async {
        let listener = sim.tcp_bind_with("127.0.0.1:1", &ListenOptions::new().backlog(1)).await.unwrap();
        // One more than the backlog, as on Linux.
        let _first = sim.tcp_connect("127.0.0.1:1").await.unwrap();
        let _second = sim.tcp_connect("127.0.0.1:1").await.unwrap();
        let third = sim.tcp_connect("127.0.0.1:1");
        let accept = async {
            sim.sleep(ms(500)).await;
            listener.accept().await.map(drop)
        };
        let (third, accepted) = join(third, accept).await;
        accepted.unwrap();
        third.unwrap();
    });
    assert!(sim.elapsed() > Duration::from_secs(1) && sim.elapsed() < ms(1001), "{:?}", sim.elapsed());
}

#[test]
fn writer_waits_for_its_reader() {
    let sim = seeded(0);
    sim.block_on(async {
        let listener = sim.tcp_bind("127.0.0.1:1").await.unwrap();
        let (client, accepted) = join(sim.tcp_connect("127.0.0.1:1"), listener.accept()).await;
        let (mut client, mut server) = (client.unwrap(), accepted.unwrap().0);
        let mut written = 0;
        while let Ok(more) = sim.timeout(ms(10), client.write(&[0; 1000])).await {
            written += more.unwrap();
        }
        assert!(written <= 1 << 16 && written > (1 << 16) - 1000, "{written}");
        let mut read = 0;
        while read < written {
            read += server.read(&mut [0; 1 << 14]).await.unwrap();
        }
        sim.timeout(ms(10), client.write(&[0; 1000])).await.expect("there is room").unwrap();
    });
}

#[test]
fn datagrams_are_lost_where_too_many_wait() {
    let sim = seeded(0);
    let received = sim.block_on(async {
        let (a, b) = (sim.udp_bind("127.0.0.1:0").await.unwrap(), sim.udp_bind("127.0.0.1:0").await.unwrap());
        for _ in 0..5_000 {
            a.send_to(&[0; 100], b.local_addr().unwrap()).await.unwrap();
        }
        sim.sleep(ms(1)).await;
        let mut received = 0;
        while sim.timeout(ms(1), b.recv(&mut [0; 100])).await.is_ok() {
            received += 1;
        }
        received
    });
    assert!(received > 100 && received < 5_000, "{received}");
}

#[test]
fn sockets_of_the_system_are_unsupported() {
    let sim = seeded(0);
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let error = sim.udp_socket_from_std(socket).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_says(&error.to_string(), &["in memory"]);
    sim.block_on(async {
        let error = sim.tcp_bind("127.0.0.1:0").await.unwrap().into_std().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    });
}

#[test]
fn runtime_is_found_from_its_code() -> io::Result<()> {
    let sim = seeded(0);
    fn is_send<F: Future + Send>(future: F) -> F {
        future
    }
    sim.block_on(is_send(async {
        assert_eq!(AnyRuntime::current(), AnyRuntime::from(sim.clone()));
        let listener = anyrt::net::TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let (client, server) = join(anyrt::net::TcpStream::connect(addr), listener.accept()).await;
        client?.write_all(b"x").await?;
        server?.0.read_exact(&mut [0]).await
    }))?;
    assert_eq!(Sim::try_from(AnyRuntime::from(sim.clone())).unwrap(), sim);
    Ok(())
}

/// Spawns a thread that waits for the future, and returns when it has polled it once.
fn on_a_thread<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> thread::JoinHandle<T> {
    let (waits, is_waiting) = mpsc::channel();
    let thread = thread::spawn(move || {
        let mut future = std::pin::pin!(future);
        futures::executor::block_on(poll_fn(|cx| {
            let polled = future.as_mut().poll(cx);
            let _ = waits.send(());
            polled
        }))
    });
    is_waiting.recv().unwrap();
    thread
}

#[test]
fn what_outlives_its_simulation_says_so() {
    let sim = seeded(1);
    let (listener, mut client, _server) = sim.block_on(async {
        let listener = sim.tcp_bind("0.0.0.0:7").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (client, server) = join(sim.tcp_connect(addr), listener.accept()).await;
        (listener, client.unwrap(), server.unwrap().0)
    });
    let socket = sim.block_on(sim.udp_bind("0.0.0.0:7")).unwrap();
    let late = sim.tcp_connect("10.0.0.1:7");
    let waiting = [
        on_a_thread(async move { client.read(&mut [0]).await.map(drop) }),
        on_a_thread(async move { listener.accept().await.map(drop) }),
        on_a_thread(async move { socket.recv_from(&mut [0]).await.map(drop) }),
    ];
    let sleep = sim.sleep(ms(1));
    let sleeping = on_a_thread(sleep);
    assert!(sim.shutdown_timeout(ms(1)).unwrap().is_empty());
    for thread in waiting {
        let error = thread.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Other);
        assert_says(&error.to_string(), &["the runtime is gone"]);
    }
    let error = futures::executor::block_on(late).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other);
    assert_says(&error.to_string(), &["10.0.0.1:7", "the runtime is gone"]);
    let payload = sleeping.join().unwrap_err();
    assert_says(payload.downcast_ref::<String>().unwrap(), &["the runtime is gone"]);
}

struct PanicsWhenWoken;

impl Wake for PanicsWhenWoken {
    fn wake(self: Arc<Self>) {
        panic!("a waker panics");
    }
}

#[test]
fn panicking_waker_of_a_timer_or_a_socket_harms_nobody() {
    let waker = Waker::from(Arc::new(PanicsWhenWoken));
    let cx = &mut Context::from_waker(&waker);
    let sim = Sim::builder().build().unwrap();
    sim.block_on(async {
        let mut sleeps = [(); 3].map(|()| Box::pin(sim.sleep(Duration::from_secs(1))));
        assert!(sleeps.iter_mut().all(|sleep| sleep.as_mut().poll(cx).is_pending()));
        sim.sleep(Duration::from_secs(2)).await;
        let [receiver, sender] =
            [sim.udp_bind("127.0.0.1:0").await.unwrap(), sim.udp_bind("127.0.0.1:0").await.unwrap()];
        assert!(receiver.poll_recv(cx, &mut [0; 8]).is_pending());
        sender.send_to(b"x", receiver.local_addr().unwrap()).await.unwrap();
        sim.sleep(Duration::from_secs(1)).await;
        assert_eq!(receiver.recv(&mut [0; 8]).await.unwrap(), 1);
        assert_eq!(sim.spawn(async { 7 }).await.unwrap(), 7);
    });
}
