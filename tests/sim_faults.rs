//! Faults of a simulation: links that lose, cut and hold packets, hosts that crash, and their effects on a program.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::future::{Future, pending};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyrt::runtime::{TcpListener as _, UdpSocket as _};
use anyrt::sim::{Faults, Host, LinkOptions};
use anyrt::{BlockOn, Net, Sim, Spawn, Time};
use futures::future::join;
use futures::io::{AsyncReadExt, AsyncWriteExt};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Time after which a sender gives up.
const GIVES_UP: Duration = ms(924_600);

fn exact(latency: Duration) -> LinkOptions {
    LinkOptions::new().latency(latency).jitter(Duration::ZERO)
}

/// Host `main`, and host `b` exactly 1 ms away.
fn two(seed: u64) -> (Sim, Host) {
    let a = Sim::builder().seed(seed).build().unwrap();
    a.links().set(&exact(ms(1))).unwrap();
    let b = a.host("b", [10, 0, 0, 2]).unwrap();
    (a, b)
}

type TcpStream = <Sim as Net>::TcpStream;

async fn connected(a: &impl Net<TcpStream = TcpStream>, b: &Host) -> (TcpStream, TcpStream) {
    let listener = b.tcp_bind("0.0.0.0:7").await.unwrap();
    let (client, server) = join(a.tcp_connect("b:7"), listener.accept()).await;
    (client.unwrap(), server.unwrap().0)
}

async fn timed<T>(sim: &Sim, future: impl Future<Output = T>) -> (Duration, T) {
    let start = sim.elapsed();
    let output = future.await;
    (sim.elapsed() - start, output)
}

#[track_caller]
fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no {word:?} in {text:?}");
    }
}

#[test]
fn latency_is_exact_and_changes_while_running() {
    let (a, b) = two(0);
    a.block_on(async {
        let (mut client, mut server) = connected(&a, &b).await;
        for latency in [1, 80, 5] {
            a.path("main", "b").unwrap().set(&exact(ms(latency))).unwrap();
            client.write_all(b"x").await.unwrap();
            let (took, read) = timed(&a, server.read_exact(&mut [0])).await;
            read.unwrap();
            assert_eq!(took, ms(latency));
        }
        // The opposite direction still works.
        server.write_all(b"y").await.unwrap();
        let (took, read) = timed(&a, client.read_exact(&mut [0])).await;
        read.unwrap();
        assert_eq!(took, ms(1));
    });
}

#[test]
fn hosts_to_come_have_what_all_links_have() {
    let a = Sim::builder().seed(0).build().unwrap();
    a.links().set(&exact(ms(70))).unwrap();
    a.links().partition();
    let b = a.host("b", [10, 0, 0, 2]).unwrap();
    a.block_on(async {
        let _listener = b.tcp_bind("0.0.0.0:7").await.unwrap();
        let connect = a.tcp_connect("b:7");
        a.timeout(ms(500), connect).await.unwrap_err();
        a.links().heal();
        let (took, stream) = timed(&a, a.tcp_connect("b:7")).await;
        stream.unwrap();
        assert_eq!(took, ms(140));
    });
}

#[test]
fn bandwidth_is_shared_by_all_sockets_of_a_path() {
    let (a, b) = two(0);
    a.block_on(async {
        let (mut client, mut server) = connected(&a, &b).await;
        a.path("main", "b").unwrap().set(&exact(ms(1)).bandwidth(1_000)).unwrap();
        client.write_all(&[0; 500]).await.unwrap();
        let (from, to) = (a.udp_bind("0.0.0.0:1").await.unwrap(), b.udp_bind("0.0.0.0:1").await.unwrap());
        from.send_to(&[0; 250], "10.0.0.2:1".parse().unwrap()).await.unwrap();
        let (took, read) = timed(&a, server.read_exact(&mut [0; 500])).await;
        read.unwrap();
        assert_eq!(took, ms(501));
        let (took, received) = timed(&a, to.recv(&mut [0; 250])).await;
        assert_eq!((took, received.unwrap()), (ms(250), 250));
    });
}

#[test]
fn segments_arrive_one_by_one() {
    let (a, b) = two(0);
    a.block_on(async {
        let (mut client, mut server) = connected(&a, &b).await;
        // The link is so slow that each segment is read before the next one arrives.
        a.links().set(&exact(ms(1)).segment(10).bandwidth(1_000)).unwrap();
        client.write_all(&[1; 1000]).await.unwrap();
        let mut lens = BTreeSet::new();
        let mut read = 0;
        while read < 1000 {
            let len = server.read(&mut [0; 1000]).await.unwrap();
            lens.insert(len);
            read += len;
        }
        assert_eq!(lens, (1..=10).collect());
    });
}

#[test]
fn buffer_of_a_link_is_what_a_writer_fills() {
    let (a, b) = two(0);
    a.block_on(async {
        let (mut client, _server) = connected(&a, &b).await;
        a.links().set(&exact(ms(1)).buffer(100)).unwrap();
        assert_eq!(client.write(&[0; 1000]).await.unwrap(), 100);
        a.timeout(ms(10), client.write(&[0; 1000])).await.unwrap_err();
        // A larger buffer wakes a waiting writer.
        let link = a.link("main", "b").unwrap();
        let widen = async {
            a.sleep(ms(5)).await;
            link.set(&exact(ms(1)).buffer(150)).unwrap();
        };
        let (took, (written, ())) = timed(&a, join(client.write(&[0; 1000]), widen)).await;
        assert_eq!((took, written.unwrap()), (ms(5), 50));
    });
}

/// Sends 100 kB and an acknowledgement over links with all kinds of faults.
fn transfer(seed: u64) -> u64 {
    let (a, b) = two(seed);
    let options = LinkOptions::new().jitter(ms(3)).loss(0.3).segment(1000).buffer(5000);
    a.links().set(&options).unwrap();
    let faults = Faults::new().partitions(5).one_way_partitions(5).holds(5).losses(2, 0.5).within(secs(60));
    a.inject(&faults).unwrap();
    let bytes: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
    let sent = bytes.clone();
    a.block_on(async {
        let (mut client, mut server) = connected(&a, &b).await;
        let write = a.spawn(async move {
            client.write_all(&sent).await.unwrap();
            client.close().await.unwrap();
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).await.unwrap();
            answer
        });
        let mut received = Vec::new();
        server.read_to_end(&mut received).await.unwrap();
        assert!(received == bytes, "seed {seed}");
        server.write_all(b"thanks").await.unwrap();
        drop(server);
        assert_eq!(write.await.unwrap(), b"thanks", "seed {seed}");
    });
    a.trace_hash()
}

#[test]
fn stream_is_intact_under_loss_jitter_segments_holds_and_partitions() {
    for seed in 0..6 {
        transfer(seed);
    }
}

#[test]
fn same_seed_has_the_same_faults() {
    assert_eq!(transfer(1), transfer(1));
    assert_ne!(transfer(1), transfer(2));
}

#[test]
fn lost_data_is_sent_again_until_one_gives_up() {
    let (a, b) = two(0);
    a.block_on(async {
        let (mut client, mut server) = connected(&a, &b).await;
        a.path("main", "b").unwrap().set(&exact(ms(1)).loss(1.0)).unwrap();
        client.write_all(b"x").await.unwrap();
        let (took, read) = timed(&a, client.read(&mut [0])).await;
        assert_eq!((took, read.unwrap_err().kind()), (GIVES_UP + ms(1), ErrorKind::TimedOut));
        assert_eq!(client.write(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe, "reported once");
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
        // The other end does not notice until it writes.
        a.timeout(secs(1), server.read(&mut [0])).await.unwrap_err();
    });
}

#[test]
fn partition_delays_a_stream_until_it_is_sent_again() {
    let (a, b) = two(0);
    a.block_on(async {
        let (mut client, mut server) = connected(&a, &b).await;
        let link = a.link("main", "b").unwrap();
        link.partition();
        client.write_all(b"x").await.unwrap();
        client.write_all(b"y").await.unwrap();
        // Attempts at 1, 201, 601 and 1401 ms.
        a.sleep(ms(700)).await;
        link.heal();
        let mut read = [0; 2];
        let (took, result) = timed(&a, server.read_exact(&mut read)).await;
        result.unwrap();
        assert_eq!((took, &read), (ms(701), b"xy"));
    });
}

#[test]
fn partition_that_does_not_heal_times_out() {
    let (a, b) = two(0);
    a.block_on(async {
        let (mut client, _server) = connected(&a, &b).await;
        a.link("main", "b").unwrap().partition();
        client.write_all(b"x").await.unwrap();
        let (took, read) = timed(&a, client.read(&mut [0])).await;
        assert_eq!((took, read.unwrap_err().kind()), (GIVES_UP + ms(1), ErrorKind::TimedOut));
    });
}

#[test]
fn one_way_partition_leaves_the_way_back_open() {
    let (a, b) = two(0);
    a.block_on(async {
        let (mut client, mut server) = connected(&a, &b).await;
        a.path("main", "b").unwrap().partition();
        server.write_all(b"x").await.unwrap();
        let (took, read) = timed(&a, client.read_exact(&mut [0])).await;
        read.unwrap();
        assert_eq!(took, ms(1));
        client.write_all(b"y").await.unwrap();
        a.timeout(secs(5), server.read(&mut [0])).await.unwrap_err();
    });
}

#[test]
fn connection_over_a_cut_link_times_out_in_either_direction() {
    for (from, to) in [("main", "b"), ("b", "main")] {
        let (a, b) = two(0);
        a.block_on(async {
            let listener = b.tcp_bind("0.0.0.0:7").await.unwrap();
            let path = a.path(from, to).unwrap();
            path.partition();
            let (took, connected) = timed(&a, a.tcp_connect("b:7")).await;
            assert_eq!((took, connected.unwrap_err().kind()), (secs(127), ErrorKind::TimedOut));
            let accept = a.timeout(secs(1), listener.accept()).await;
            accept.expect_err("nobody is in the queue who cannot be answered");
            // Attempts after one second, three and seven.
            let heal = async {
                a.sleep(secs(2)).await;
                path.heal();
            };
            let (took, (connected, ())) = timed(&a, join(a.tcp_connect("b:7"), heal)).await;
            connected.unwrap();
            assert_eq!(took, ms(3002));
        });
    }
}

#[test]
fn refusal_obeys_the_way_back() {
    let (a, _b) = two(0);
    a.block_on(async {
        let (took, refused) = timed(&a, a.tcp_connect("b:7")).await;
        assert_eq!((took, refused.unwrap_err().kind()), (ms(2), ErrorKind::ConnectionRefused));
        // The path is cut while the answer is in flight.
        let path = a.path("b", "main").unwrap();
        let cut = async {
            a.sleep(Duration::from_micros(1500)).await;
            path.partition();
        };
        let (took, (connected, ())) = timed(&a, join(a.tcp_connect("b:7"), cut)).await;
        assert_eq!((took, connected.unwrap_err().kind()), (secs(127), ErrorKind::TimedOut));
    });
}

#[test]
fn answer_that_is_cut_leaves_the_client_without_a_connection() {
    let (a, b) = two(0);
    a.block_on(async {
        let listener = b.tcp_bind("0.0.0.0:7").await.unwrap();
        let path = a.path("b", "main").unwrap();
        let cut = async {
            a.sleep(Duration::from_micros(1500)).await;
            path.partition();
        };
        let (took, (connected, ())) = timed(&a, join(a.tcp_connect("b:7"), cut)).await;
        assert_eq!((took, connected.unwrap_err().kind()), (secs(127), ErrorKind::TimedOut));
        path.heal();
        // The listener accepts the connection, and learns that its client is gone.
        let (mut server, _) = listener.accept().await.unwrap();
        assert_eq!(server.read(&mut [0]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn what_is_held_arrives_when_it_is_released_in_order() {
    let (a, b) = two(0);
    a.block_on(async {
        let (mut client, mut server) = connected(&a, &b).await;
        let (from, to) = (a.udp_bind("0.0.0.0:1").await.unwrap(), b.udp_bind("0.0.0.0:1").await.unwrap());
        let link = a.link("main", "b").unwrap();
        link.hold();
        for n in 0..5 {
            client.write_all(&[n]).await.unwrap();
            from.send_to(&[n], "10.0.0.2:1".parse().unwrap()).await.unwrap();
            a.sleep(secs(2000)).await;
        }
        link.release();
        let (took, ()) = timed(&a, async {
            let mut read = [0; 5];
            server.read_exact(&mut read).await.unwrap();
            assert_eq!(read, [0, 1, 2, 3, 4]);
            for n in 0..5 {
                to.recv(&mut read).await.unwrap();
                assert_eq!(read[0], n);
            }
        })
        .await;
        assert_eq!(took, Duration::ZERO);
    });
}

#[test]
fn reset_of_a_link_breaks_off_its_connections_alone() {
    let (a, b) = two(0);
    let c = a.host("c", [10, 0, 0, 3]).unwrap();
    a.block_on(async {
        let (mut client, mut server) = connected(&a, &b).await;
        let (mut other, mut other_server) = connected(&c, &b).await;
        a.path("b", "main").unwrap().reset();
        for end in [&mut client, &mut server] {
            assert_eq!(end.read(&mut [0]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
            assert_eq!(end.write(&[0]).await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        }
        other.write_all(b"x").await.unwrap();
        other_server.read_exact(&mut [0]).await.unwrap();
    });
}

/// Returns how many of 1,000 datagrams arrive, and how many of them out of order.
fn datagrams(options: &LinkOptions) -> (usize, usize) {
    let (a, b) = two(3);
    a.links().set(options).unwrap();
    a.block_on(async {
        let (from, to) = (a.udp_bind("0.0.0.0:1").await.unwrap(), b.udp_bind("0.0.0.0:1").await.unwrap());
        let (mut received, mut late, mut last) = (0, 0, 0);
        for n in 0..1000_u32 {
            from.send_to(&n.to_le_bytes(), "10.0.0.2:1".parse().unwrap()).await.unwrap();
            if n % 100 == 99 {
                let mut bytes = [0; 4];
                while a.timeout(ms(50), to.recv(&mut bytes)).await.is_ok() {
                    let n = u32::from_le_bytes(bytes);
                    received += 1;
                    late += usize::from(n < last);
                    last = last.max(n);
                }
            }
        }
        (received, late)
    })
}

#[test]
fn datagrams_are_lost_doubled_and_overtaken_as_often_as_the_link_says() {
    assert_eq!(datagrams(&LinkOptions::new()), (1000, 0));
    assert_eq!(datagrams(&LinkOptions::new().loss(1.0)), (0, 0));
    let (received, late) = datagrams(&LinkOptions::new().loss(0.25));
    assert!((700..800).contains(&received) && late == 0, "{received}, {late} late");
    let (received, late) = datagrams(&LinkOptions::new().duplication(0.1));
    assert!((1070..1130).contains(&received) && late == 0, "{received}, {late} late");
    let (received, late) = datagrams(&exact(ms(1)).reordering(0.1));
    assert!(received == 1000 && (70..130).contains(&late), "{received}, {late} late");
}

#[test]
fn datagrams_and_their_refusals_do_not_pass_a_partition() {
    let (a, b) = two(0);
    a.block_on(async {
        let socket = a.udp_bind("0.0.0.0:1").await.unwrap();
        socket.connect("10.0.0.2:1".parse().unwrap()).unwrap();
        let back = a.path("b", "main").unwrap();
        back.partition();
        socket.send(b"x").await.unwrap();
        a.timeout(ms(10), socket.recv(&mut [0])).await.expect_err("silence");
        back.heal();
        socket.send(b"x").await.unwrap();
        let (took, refused) = timed(&a, socket.recv(&mut [0])).await;
        assert_eq!((took, refused.unwrap_err().kind()), (ms(2), ErrorKind::ConnectionRefused));
        let to = b.udp_bind("0.0.0.0:1").await.unwrap();
        a.path("main", "b").unwrap().partition();
        socket.send(b"x").await.unwrap();
        a.timeout(ms(10), to.recv(&mut [0])).await.expect_err("silence");
    });
}

#[test]
fn crash_is_silence_for_whoever_reads_and_drops_tasks() {
    let (a, b) = two(0);
    struct Dropped(Arc<AtomicU32>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let dropped = Arc::new(AtomicU32::new(0));
    a.block_on(async {
        let (mut client, server) = connected(&a, &b).await;
        let guard = Dropped(dropped.clone());
        let task = b.spawn(async move {
            let _held = (server, guard);
            pending::<()>().await
        });
        let timer = a.clone();
        let sleeps = b.spawn(async move { timer.sleep(secs(3600)).await });
        a.sleep(ms(1)).await;
        // A closure that has not started.
        let (guard, closure) = (Dropped(dropped.clone()), Dropped(dropped.clone()));
        let new = b.spawn(async move { drop(guard) });
        let job = b.spawn_blocking(move || drop(closure));
        b.crash();
        assert!(!b.is_up());
        assert_eq!(dropped.load(Ordering::Relaxed), 3);
        for error in [task.await.unwrap_err(), sleeps.await.unwrap_err(), new.await.unwrap_err()] {
            assert!(error.is_runtime_gone(), "{error}");
        }
        assert!(job.await.unwrap_err().is_runtime_gone());
        assert!(b.spawn(async {}).await.unwrap_err().is_runtime_gone());
        a.timeout(secs(10_000), client.read(&mut [0])).await.expect_err("silence");
        b.restart();
        a.timeout(secs(10_000), client.read(&mut [0])).await.expect_err("silence");
        assert_eq!(b.spawn(async { 7 }).await.unwrap(), 7);
    });
}

#[test]
fn crash_makes_a_writer_send_again_and_a_restart_resets_it() {
    let (a, b) = two(0);
    a.block_on(async {
        let (mut client, _server) = connected(&a, &b).await;
        b.crash();
        client.write_all(b"x").await.unwrap();
        // Attempts at 1, 201 and 601 ms; the answer takes another millisecond.
        a.sleep(ms(300)).await;
        b.restart();
        let (took, read) = timed(&a, client.read(&mut [0])).await;
        assert_eq!((took, read.unwrap_err().kind()), (ms(302), ErrorKind::ConnectionReset));
        let (mut client, _server) = connected(&a, &b).await;
        b.crash();
        client.write_all(b"x").await.unwrap();
        let (took, read) = timed(&a, client.read(&mut [0])).await;
        assert_eq!((took, read.unwrap_err().kind()), (GIVES_UP + ms(1), ErrorKind::TimedOut));
    });
}

#[test]
fn writer_without_room_is_not_left_waiting_by_a_crash() {
    let (a, b) = two(0);
    a.block_on(async {
        let (mut client, _server) = connected(&a, &b).await;
        let crash = async {
            a.sleep(ms(50)).await;
            b.crash();
        };
        let (took, (error, ())) =
            timed(&a, join(async { client.write_all(&[0; 1 << 20]).await.unwrap_err() }, crash)).await;
        assert_eq!((took, error.kind()), (ms(50) + GIVES_UP + ms(1), ErrorKind::TimedOut));
    });
}

#[test]
fn connection_to_a_crashed_host_times_out_and_then_is_refused() {
    let (a, b) = two(0);
    a.block_on(async {
        let _listener = b.tcp_bind("0.0.0.0:7").await.unwrap();
        b.crash();
        let (took, connected) = timed(&a, a.tcp_connect("b:7")).await;
        assert_eq!((took, connected.unwrap_err().kind()), (secs(127), ErrorKind::TimedOut));
        b.restart();
        let (took, connected) = timed(&a, a.tcp_connect("b:7")).await;
        assert_eq!((took, connected.unwrap_err().kind()), (ms(2), ErrorKind::ConnectionRefused));
        // The port is free again.
        b.tcp_bind("0.0.0.0:7").await.unwrap();
    });
}

#[test]
fn sockets_of_a_crashed_host_say_so() {
    let (a, b) = two(0);
    a.block_on(async {
        let (_client, mut server) = connected(&a, &b).await;
        let listener = b.tcp_bind("0.0.0.0:8").await.unwrap();
        let socket = b.udp_bind("0.0.0.0:8").await.unwrap();
        let crash = async {
            a.sleep(ms(1)).await;
            b.crash();
        };
        // Pending and later operations return an error.
        let accept = async { listener.accept().await.map(drop).unwrap_err() };
        let receive = async { socket.recv(&mut [0]).await.unwrap_err() };
        let read = async { server.read(&mut [0]).await.unwrap_err() };
        let ((accept, receive), (read, ())) = join(join(accept, receive), join(read, crash)).await;
        let write = server.write(b"x").await.unwrap_err();
        let again = [accept, receive, read, write, listener.accept().await.map(drop).unwrap_err()];
        for error in again {
            assert_eq!(error.kind(), ErrorKind::NotConnected);
            assert_says(&error.to_string(), &["its host has crashed"]);
        }
        let new = [
            b.tcp_bind("0.0.0.0:9").await.map(drop).unwrap_err(),
            b.udp_bind("0.0.0.0:9").await.map(drop).unwrap_err(),
            b.tcp_connect("main:9").await.map(drop).unwrap_err(),
        ];
        for error in new {
            assert_says(&error.to_string(), &["host \"b\" has crashed", "restart"]);
        }
        b.restart();
        assert_eq!(socket.send(b"x").await.unwrap_err().kind(), ErrorKind::NotConnected);
        b.udp_bind("0.0.0.0:8").await.unwrap();
    });
}

#[test]
fn task_that_crashes_its_own_host_is_dropped_after_its_poll() {
    let (a, b) = two(0);
    let steps = Arc::new(AtomicU32::new(0));
    for yields in [0, 1] {
        let (host, counted) = (b.clone(), steps.clone());
        let task = b.spawn(async move {
            for _ in 0..yields {
                host.yield_now().await;
            }
            host.crash();
            counted.fetch_add(1, Ordering::Relaxed);
            host.yield_now().await;
            counted.fetch_add(100, Ordering::Relaxed);
        });
        assert!(a.block_on(task).unwrap_err().is_runtime_gone());
        b.restart();
    }
    assert_eq!(steps.load(Ordering::Relaxed), 2);
}

#[test]
fn task_that_restarts_its_own_host_is_of_the_life_before() {
    let (a, b) = two(0);
    for yields in [0, 1] {
        let host = b.clone();
        let task = b.spawn(async move {
            for _ in 0..yields {
                host.yield_now().await;
            }
            host.restart();
            pending::<()>().await
        });
        assert!(a.block_on(a.timeout(secs(1), task)).unwrap().unwrap_err().is_runtime_gone());
        assert!(b.is_up());
    }
}

#[test]
fn boot_program_runs_again_after_each_restart() {
    let (a, b) = two(0);
    let (boots, ends) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (booted, ended) = (boots.clone(), ends.clone());
    b.boot(move |sim| {
        let (booted, ended) = (booted.clone(), ended.clone());
        async move {
            booted.fetch_add(1, Ordering::Relaxed);
            sim.sleep(secs(1)).await;
            ended.fetch_add(1, Ordering::Relaxed);
        }
    });
    a.block_on(async {
        a.sleep(ms(500)).await;
        b.crash();
        b.crash();
        a.sleep(secs(5)).await;
        assert_eq!(boots.load(Ordering::Relaxed), 1);
        b.restart();
        a.sleep(ms(500)).await;
        b.restart();
        a.sleep(secs(5)).await;
    });
    assert_eq!((boots.load(Ordering::Relaxed), ends.load(Ordering::Relaxed)), (3, 1));
}

#[test]
fn boot_program_goes_with_its_simulation() {
    let (a, b) = two(0);
    let kept = Arc::new(());
    let theirs = kept.clone();
    b.boot(move |_| {
        let theirs = theirs.clone();
        async move {
            let _theirs = theirs;
            pending::<()>().await
        }
    });
    a.block_on(a.sleep(ms(1)));
    assert!(Arc::strong_count(&kept) > 1);
    let _link = a.links();
    drop((a, b));
    assert_eq!(Arc::strong_count(&kept), 1);
}

#[test]
fn faults_are_drawn_from_the_seed_and_all_of_them_end() {
    let run = |seed| {
        let (a, b) = two(seed);
        b.boot(|sim| async move {
            let listener = sim.tcp_bind("0.0.0.0:7").await.unwrap();
            while listener.accept().await.is_ok() {}
        });
        let faults = Faults::new()
            .partitions(3)
            .one_way_partitions(3)
            .holds(3)
            .resets(2)
            .losses(2, 0.5)
            .crashes(3)
            .within(secs(5))
            .lasting(secs(2));
        let drawn = a.inject(&faults).unwrap();
        assert_eq!(drawn.iter().map(|fault| fault.index()).collect::<Vec<_>>(), (0..16).collect::<Vec<_>>());
        assert!(drawn.iter().all(|it| it.start() < secs(5) && it.end() - it.start() < secs(2)));
        let mut was_down = false;
        a.block_on(async {
            while a.elapsed() < secs(7) {
                was_down |= !b.is_up();
                a.sleep(ms(10)).await;
            }
            // All faults have ended.
            assert!(b.is_up());
            let (took, stream) = timed(&a, a.tcp_connect("b:7")).await;
            stream.unwrap();
            assert_eq!(took, ms(2));
        });
        assert!(was_down, "{drawn:?}");
        (drawn.iter().map(ToString::to_string).collect::<Vec<_>>(), a.trace_hash())
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1).0, run(2).0);
    let text = run(1).0.join("\n");
    assert_says(
        &text,
        &["partition between \"", "one-way partition from \"", "hold between \"", " from ", " to "],
    );
    assert_says(&text, &["crash of \"b\" from ", "loss of 50 % between \"", "reset between \"", " at "]);
}

#[test]
fn stuck_simulation_says_what_is_down_cut_and_held() {
    let (a, b) = two(0);
    b.crash();
    a.path("main", "b").unwrap().partition();
    a.path("b", "main").unwrap().hold();
    let payload = catch_unwind(AssertUnwindSafe(|| a.block_on(pending::<()>()))).unwrap_err();
    let words = [
        "host \"b\" is down",
        "the link from \"main\" to \"b\" is cut",
        "the link from \"b\" to \"main\" is held",
    ];
    let text = payload.downcast_ref::<String>().unwrap();
    assert_says(text, &words);
    assert!(!text.contains("\"main\" is down") && text.matches("the link").count() == 2, "{text}");
}

#[test]
fn bad_input_is_named() {
    let (a, _b) = two(0);
    for (options, words) in [
        (LinkOptions::new().loss(1.5), ["loss", "1.5", "from 0 to 1"]),
        (LinkOptions::new().loss(f64::NAN), ["loss", "NaN", "from 0 to 1"]),
        (LinkOptions::new().duplication(-0.1), ["duplication", "-0.1", "from 0 to 1"]),
        (LinkOptions::new().reordering(f64::INFINITY), ["reordering", "inf", "from 0 to 1"]),
        (LinkOptions::new().bandwidth(0), ["bandwidth", "0 bytes", "partition"]),
        (LinkOptions::new().segment(0), ["segment", "0 bytes", "1 is the least"]),
        (LinkOptions::new().buffer(0), ["buffer", "0 bytes", "1 is the least"]),
    ] {
        let error = a.links().set(&options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_says(&error.to_string(), &words);
    }
    for (link, words) in [
        (a.link("main", "c"), ["\"c\"", "\"main\", \"b\""]),
        (a.path("c", "b"), ["\"c\"", "\"main\", \"b\""]),
        (a.link("b", "b"), ["\"b\"", "name two hosts"]),
    ] {
        let error = link.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_says(&error.to_string(), &words);
    }
    let alone = Sim::builder().seed(0).build().unwrap();
    for (error, words) in [
        (alone.inject(&Faults::new().holds(1)).unwrap_err(), ["one host", "Sim::host"]),
        (a.inject(&Faults::new().crashes(1)).unwrap_err(), ["crashes", "Host::boot"]),
        (a.inject(&Faults::new().losses(1, 2.0)).unwrap_err(), ["losses", "from 0 to 1"]),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_says(&error.to_string(), &words);
    }
    assert!(a.inject(&Faults::new().resets(1).within(Duration::ZERO).lasting(Duration::ZERO)).is_ok());
}
