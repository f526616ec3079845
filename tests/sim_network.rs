//! The network of a simulation between hosts: what `fidelity` cannot compare on the loopback of a real machine.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyrt::net::{ConnectOptions, Keepalive, TcpListener, TcpStream, UdpSocket};
use anyrt::runtime::{TcpListener as _, UdpSocket as _};
use anyrt::sim::{Host, LinkOptions};
use anyrt::{BlockOn, Net, Sim, Spawn, Time};
use futures::io::{AsyncReadExt, AsyncWriteExt};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Host `main`, and host `b` exactly 1 ms away.
fn two(seed: u64) -> (Sim, Host) {
    let a = Sim::builder().seed(seed).build().unwrap();
    a.links().set(&LinkOptions::new().latency(ms(1)).jitter(Duration::ZERO)).unwrap();
    let b = a.host("b", [10, 0, 0, 2]).unwrap();
    (a, b)
}

/// A server that holds its clients.
fn holds(host: &Host) {
    host.boot(|_| async {
        let listener = TcpListener::bind("0.0.0.0:7").await.unwrap();
        let mut clients = Vec::new();
        loop {
            clients.push(listener.accept().await.unwrap());
        }
    });
}

async fn connect(options: &ConnectOptions) -> TcpStream {
    loop {
        // Its program may not listen yet.
        if let Ok(stream) = TcpStream::connect_with("b:7", options).await {
            return stream;
        }
    }
}

fn keepalive() -> ConnectOptions {
    ConnectOptions::new().keepalive(Keepalive::new().time(secs(60)).interval(secs(10)).retries(3))
}

#[test]
fn message_of_several_packets_comes_in_pieces() {
    let pieces = |seed, len: usize| {
        let (sim, b) = two(seed);
        sim.block_on(async {
            let listener = b.tcp_bind("0.0.0.0:7").await.unwrap();
            let mut client = TcpStream::connect("b:7").await.unwrap();
            let (mut server, _) = listener.accept().await.unwrap();
            let sends = async {
                client.write_all(&vec![1; len]).await.unwrap();
                client.close().await.unwrap();
            };
            let receives = async {
                let (mut pieces, mut buf) = (Vec::new(), vec![0; 1 << 20]);
                loop {
                    match server.read(&mut buf).await.unwrap() {
                        0 => return pieces,
                        piece => pieces.push(piece),
                    }
                }
            };
            futures::future::join(sends, receives).await.1
        })
    };
    let small: Vec<_> = (0..100).map(|seed| pieces(seed, 1460)).collect();
    assert!(small.iter().all(|pieces| pieces[..] == [1460]));
    let large: Vec<_> = (0..100).map(|seed| pieces(seed, 5000)).collect();
    assert!(large.iter().all(|pieces| pieces.iter().sum::<usize>() == 5000));
    let in_pieces = large.iter().filter(|pieces| pieces.len() > 1).count();
    assert!((50..100).contains(&in_pieces), "{in_pieces}");
    // They end where packets end.
    let ends = large.iter().flat_map(|pieces| {
        pieces.iter().scan(0, |end, piece| {
            *end += piece;
            Some(*end)
        })
    });
    assert_eq!(ends.collect::<BTreeSet<_>>(), [1460, 2920, 4380, 5000].into());
}

#[test]
fn large_write_may_be_taken_in_part() {
    let taken = |seed| {
        let (sim, b) = two(seed);
        sim.block_on(async {
            let listener = b.tcp_bind("0.0.0.0:7").await.unwrap();
            let mut client = TcpStream::connect("b:7").await.unwrap();
            let _server = listener.accept().await.unwrap();
            client.write(&[1; 5000]).await.unwrap()
        })
    };
    let taken: Vec<_> = (0..100).map(taken).collect();
    let parts = taken.iter().filter(|taken| **taken < 5000).count();
    assert!((1..50).contains(&parts), "{parts}");
    assert!(taken.iter().all(|taken| *taken == 5000 || taken % 1460 == 0));
}

#[test]
fn keepalive_finds_a_peer_that_is_cut_off() {
    let (sim, b) = two(0);
    holds(&b);
    sim.block_on(async {
        let mut stream = connect(&keepalive()).await;
        let heard = sim.elapsed();
        sim.sleep(secs(90)).await;
        sim.link("main", "b").unwrap().partition();
        // One probe had an answer after 60 s. The next is due after 120 s, and two more follow.
        let error = stream.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        let gone = sim.elapsed() - heard;
        assert!((secs(150)..secs(151)).contains(&gone), "{gone:?}");
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    });
}

#[test]
fn keepalive_survives_a_short_partition_and_ends_no_simulation() {
    let (sim, b) = two(0);
    holds(&b);
    let stuck = std::panic::catch_unwind(|| {
        sim.block_on(async {
            let mut stream = connect(&keepalive()).await;
            let link = sim.link("main", "b").unwrap();
            link.partition();
            sim.sleep(secs(75)).await;
            link.heal();
            sim.sleep(secs(3600)).await;
            assert!(stream.peer_addr().is_ok());
            // Nothing is wrong, so nothing will happen any more.
            stream.read(&mut [0]).await
        })
    });
    let text = *stuck.unwrap_err().downcast::<String>().unwrap();
    assert!(text.contains("the simulation is stuck"), "{text}");
}

/// As Linux has it, whether a probe is due or not (`tcp_sock_set_keepidle`).
#[test]
fn keepalive_that_is_changed_while_the_peer_is_cut_off_counts_at_once() {
    let (sim, b) = two(0);
    holds(&b);
    let times = |time| Keepalive::new().time(secs(time)).interval(secs(1)).retries(2);
    sim.block_on(async {
        for (before, after, gone_after) in [(7200, 60, 62), (60, 7200, 7202)] {
            let mut stream = connect(&ConnectOptions::new().keepalive(times(before))).await;
            let heard = sim.elapsed();
            sim.link("main", "b").unwrap().partition();
            sim.sleep(ms(100)).await;
            stream.set_keepalive(Some(times(after))).unwrap();
            let error = stream.read(&mut [0]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            let gone = sim.elapsed() - heard;
            assert!((secs(gone_after)..=secs(gone_after) + ms(10)).contains(&gone), "{gone:?}");
            sim.link("main", "b").unwrap().heal();
        }
        // Between two probes as well.
        let mut stream = connect(&ConnectOptions::new().keepalive(times(10).interval(secs(7200)))).await;
        let heard = sim.elapsed();
        sim.link("main", "b").unwrap().partition();
        sim.sleep(secs(15)).await;
        stream.set_keepalive(Some(times(10))).unwrap();
        stream.read(&mut [0]).await.unwrap_err();
        let gone = sim.elapsed() - heard;
        assert!((secs(15)..secs(17)).contains(&gone), "{gone:?}");
    });
}

#[test]
fn half_open_connection_is_found_by_keepalive_and_by_writing() {
    let (sim, b) = two(0);
    holds(&b);
    sim.block_on(async {
        let (mut probes, mut writes) = (connect(&keepalive()).await, connect(&ConnectOptions::new()).await);
        let mut silent = connect(&ConnectOptions::new()).await;
        b.crash();
        b.restart();
        let restarted = sim.elapsed();
        let error = probes.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        let took = sim.elapsed() - restarted;
        assert!((secs(59)..secs(61)).contains(&took), "{took:?}");
        writes.write_all(b"x").await.unwrap();
        let error = writes.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        // Nobody tells it.
        let read = sim.timeout(secs(10_000), silent.read(&mut [0])).await;
        assert!(read.is_err());
    });
}

#[test]
fn killed_process_closes_its_sockets() {
    let (sim, b) = two(0);
    holds(&b);
    sim.block_on(async {
        let (mut quiet, mut unread) =
            (connect(&ConnectOptions::new()).await, connect(&ConnectOptions::new()).await);
        unread.write_all(b"unread").await.unwrap();
        sim.sleep(ms(10)).await;
        b.kill();
        assert!(!b.is_up());
        assert_eq!(quiet.read(&mut [0]).await.unwrap(), 0);
        let error = unread.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        // The system of the host is up: it refuses, where a host without power would be silent.
        let asked = sim.elapsed();
        let error = TcpStream::connect("b:7").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert_eq!(sim.elapsed() - asked, ms(2));
        let error = b.udp_bind("0.0.0.0:0").await.unwrap_err();
        assert!(error.to_string().contains("the process of host \"b\" was killed; `restart`"), "{error}");
        assert!(b.spawn(async {}).await.unwrap_err().is_runtime_gone());
        b.kill();
        b.restart();
        assert!(b.is_up());
        connect(&ConnectOptions::new()).await;
    });
}

/// A destructor of a killed process does not run on a real host, so it has no socket to say goodbye with.
#[test]
fn destructors_of_a_killed_process_say_nothing() {
    struct Goodbye(TcpStream);

    impl Drop for Goodbye {
        fn drop(&mut self) {
            let _ = self.0.try_write(b"goodbye");
        }
    }

    let (sim, b) = two(0);
    b.boot(|_| async {
        let listener = TcpListener::bind("0.0.0.0:7").await.unwrap();
        let _client = Goodbye(listener.accept().await.unwrap().0);
        std::future::pending::<()>().await;
    });
    sim.block_on(async {
        let mut stream = connect(&ConnectOptions::new()).await;
        sim.sleep(ms(10)).await;
        b.kill();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).await.unwrap();
        assert!(said.is_empty(), "{said:?}");
    });
}

#[test]
fn ports_to_one_peer_run_out() {
    let (sim, b) = two(0);
    let third = sim.host("c", [10, 0, 0, 3]).unwrap();
    sim.block_on(async {
        let fast = LinkOptions::new().latency(Duration::ZERO).jitter(Duration::ZERO);
        sim.links().set(&fast).unwrap();
        let listener = b.tcp_bind("0.0.0.0:7").await.unwrap();
        let (mut clients, mut servers) = (Vec::new(), Vec::new());
        let error = loop {
            match TcpStream::connect("10.0.0.2:7").await {
                Ok(client) => clients.push(client),
                Err(error) => break error,
            }
            servers.push(listener.accept().await.unwrap());
        };
        assert_eq!(clients.len(), 28_232);
        assert_eq!(error.kind(), ErrorKind::AddrNotAvailable, "{error}");
        // Each peer has ports of its own.
        let other = third.tcp_bind("0.0.0.0:7").await.unwrap();
        TcpStream::connect("10.0.0.3:7").await.unwrap();
        other.accept().await.unwrap();
        // The side that closed first keeps the port for a minute.
        drop(clients.pop());
        drop(servers.pop());
        sim.sleep(secs(59)).await;
        TcpStream::connect("10.0.0.2:7").await.unwrap_err();
        sim.sleep(secs(2)).await;
        TcpStream::connect("10.0.0.2:7").await.unwrap();
    });
}

#[test]
fn sender_in_a_loop_lets_time_pass() {
    let (sim, _b) = two(0);
    let sent = sim.block_on(async {
        let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        let to: SocketAddr = "10.0.0.2:7".parse().unwrap();
        let mut sent = 0_u64;
        let sends = async {
            loop {
                socket.send_to(b"x", to).await.unwrap();
                sent += 1;
            }
        };
        let over: Result<(), _> = sim.timeout(ms(50), sends).await;
        over.unwrap_err();
        // When the buffer is full, a try says so, and there is room again later.
        while socket.try_send_to(b"x", to).is_ok() {}
        let full = socket.try_send_to(b"x", to).unwrap_err();
        assert_eq!(full.kind(), ErrorKind::WouldBlock);
        socket.writable().await.unwrap();
        socket.try_send_to(b"x", to).unwrap();
        sent
    });
    assert!((10_000..100_000).contains(&sent), "{sent}");
    assert!(sim.elapsed() < ms(51), "{:?}", sim.elapsed());
}

#[test]
fn large_datagrams_are_lost_with_any_of_their_fragments() {
    let arrived = |len: usize| {
        let (sim, b) = two(0);
        sim.links().set(&LinkOptions::new().loss(0.1)).unwrap();
        sim.block_on(async {
            let (a, b) = (sim.udp_bind("0.0.0.0:0").await.unwrap(), b.udp_bind("0.0.0.0:7").await.unwrap());
            let mut arrived = 0;
            for _ in 0..400 {
                a.send_to(&vec![0; len], ([10, 0, 0, 2], 7).into()).await.unwrap();
                if sim.timeout(ms(20), b.recv(&mut [0; 1 << 16])).await.is_ok() {
                    arrived += 1;
                }
            }
            arrived
        })
    };
    let (small, large) = (arrived(1_000), arrived(60_000));
    // 0.9, and 0.9 to the power of 41.
    assert!((320..400).contains(&small), "{small}");
    assert!(large < 30, "{large}");
}

#[test]
fn broadcast_and_multicast_reach_other_hosts() {
    let (sim, b) = two(0);
    let c = sim.host("c", [10, 0, 0, 3]).unwrap();
    let group = Ipv4Addr::new(239, 1, 2, 3);
    sim.block_on(async {
        let bind = async |host: &Host| host.udp_bind("0.0.0.0:7").await.unwrap();
        let (on_b, on_c, sender) = (bind(&b).await, bind(&c).await, sim.udp_bind("0.0.0.0:0").await.unwrap());
        on_b.join_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED).unwrap();
        let hears = async |socket: &<Sim as Net>::UdpSocket| {
            sim.timeout(ms(50), socket.recv_from(&mut [0; 8])).await.ok().map(|got| got.unwrap().1.ip())
        };
        let here = Some(sim.this_host().ip());
        sender.send_to(b"group", (group, 7).into()).await.unwrap();
        assert_eq!((hears(&on_b).await, hears(&on_c).await), (here, None));
        sender.set_broadcast(true).unwrap();
        sender.send_to(b"all", (Ipv4Addr::BROADCAST, 7).into()).await.unwrap();
        assert_eq!((hears(&on_b).await, hears(&on_c).await), (here, here));
        sim.link("main", "b").unwrap().partition();
        sender.send_to(b"all", (Ipv4Addr::BROADCAST, 7).into()).await.unwrap();
        assert_eq!((hears(&on_b).await, hears(&on_c).await), (None, here));
    });
}

#[test]
fn host_with_addresses_of_both_families_is_reached_by_both() {
    let (sim, b) = two(0);
    let six = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2);
    b.add_ip(six).unwrap();
    sim.this_host().add_ip(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1)).unwrap();
    assert_eq!(b.ips().len(), 2);
    let taken = b.add_ip([10, 0, 0, 1]).unwrap_err();
    assert!(taken.to_string().contains("host \"b\": 10.0.0.1 is the address of host \"main\""), "{taken}");
    sim.block_on(async {
        let listener = b.tcp_bind("[::]:7").await.unwrap();
        for to in [b.ip(), six.into()] {
            let client = TcpStream::connect((to, 7)).await.unwrap();
            let (server, from) = listener.accept().await.unwrap();
            assert_eq!(client.peer_addr().unwrap().ip(), to);
            assert_eq!(from.ip().to_canonical(), client.local_addr().unwrap().ip());
            drop(server);
        }
        let found = sim.lookup_host("b:7").await.unwrap();
        assert_eq!(found.iter().map(SocketAddr::ip).collect::<Vec<_>>(), b.ips());
        let c = sim.host("c", [10, 0, 0, 3]).unwrap();
        let error = c.tcp_connect((six, 7)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NetworkUnreachable);
        assert!(
            error.to_string().contains("host \"c\", which has 10.0.0.3 and no address of IPv6"),
            "{error}"
        );
    });
}

#[test]
fn name_server_can_be_slow_fail_and_be_cut_off() {
    let (sim, b) = two(0);
    sim.host("ns", [10, 0, 0, 53]).unwrap();
    let found = |name: &'static str| sim.block_on(async { sim.lookup_host((name, 7)).await });
    let timed = |name| {
        let start = sim.elapsed();
        let ips = found(name).map(|all| all.iter().map(SocketAddr::ip).collect::<Vec<_>>());
        (sim.elapsed() - start, ips.map_err(|error| error.to_string()))
    };
    let here = Ok(vec![b.ip()]);
    assert_eq!(timed("B."), (Duration::ZERO, here.clone()));
    sim.dns().served_by("ns").unwrap();
    assert_eq!(timed("b"), (ms(2), here.clone()), "there and back");
    assert_eq!(timed("10.0.0.9").0, Duration::ZERO);
    assert_eq!(timed("localhost").0, Duration::ZERO);
    sim.dns().fail("b");
    let (took, failed) = timed("b");
    assert_eq!(took, ms(2));
    assert!(failed.unwrap_err().contains("temporary failure in name resolution"));
    sim.dns().remove("b");
    assert!(timed("b").1.unwrap_err().contains("no host of this simulation has that name"));
    sim.dns().set("alias", [b.ip()]);
    assert_eq!(timed("Alias").1, here);
    sim.dns().reset("b");
    sim.path("ns", "main").unwrap().partition();
    let (took, failed) = timed("b");
    assert_eq!(took, secs(10));
    let failed = failed.unwrap_err();
    assert!(failed.contains("no answer from the name server, on host \"ns\""), "{failed}");
    sim.path("ns", "main").unwrap().heal();
    assert_eq!(timed("b"), (ms(2), here));
    let unknown = sim.dns().served_by("nobody").unwrap_err();
    assert!(unknown.to_string().contains("no host is named \"nobody\""), "{unknown}");
    sim.link("MAIN", "B.").unwrap();
    sim.dns().served_by("Ns.").unwrap();
}

#[test]
fn name_server_that_is_down_does_not_answer_and_a_killed_one_refuses() {
    let (sim, b) = two(0);
    let ns = sim.host("ns", [10, 0, 0, 53]).unwrap();
    sim.dns().served_by("ns").unwrap();
    let timed = || {
        let start = sim.elapsed();
        let found = sim.block_on(sim.lookup_host("b:7")).map(|all| all[0].ip());
        (sim.elapsed() - start, found.map_err(|error| error.to_string()))
    };
    let no_answer = "no answer from the name server, on host \"ns\"";
    ns.crash();
    let (took, failed) = timed();
    assert_eq!(took, secs(10));
    assert!(failed.unwrap_err().contains(no_answer));
    ns.restart();
    assert_eq!(timed(), (ms(2), Ok(b.ip())));
    // Its system is there, and says that the port is closed.
    ns.kill();
    let (took, failed) = timed();
    assert_eq!(took, ms(4), "asked twice");
    assert!(failed.unwrap_err().contains(no_answer));
    ns.restart();
    assert_eq!(timed(), (ms(2), Ok(b.ip())));
}

#[test]
fn added_address_names_a_network_interface() {
    let (sim, b) = two(0);
    b.add_ip(Ipv4Addr::new(10, 0, 0, 3)).unwrap();
    let c = sim.host("c", Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 4)).unwrap();
    c.add_ip(Ipv4Addr::new(10, 0, 0, 4)).unwrap();
    let group = Ipv4Addr::new(239, 0, 0, 1);
    sim.block_on(async {
        for (host, own) in [(&b, 2), (&b, 3), (&c, 4)] {
            let socket = host.udp_bind("0.0.0.0:0").await.unwrap();
            socket.join_multicast_v4(&group, &Ipv4Addr::new(10, 0, 0, own)).unwrap();
            socket.join_multicast_v4(&group, &Ipv4Addr::new(10, 0, 0, 5)).unwrap_err();
        }
    });
}

#[test]
fn address_of_ipv4_is_one_in_either_form() {
    let (sim, b) = two(0);
    let mapped = |last| Ipv4Addr::new(10, 0, 0, last).to_ipv6_mapped();
    let error = sim.host("c", mapped(2)).unwrap_err();
    assert!(error.to_string().contains("10.0.0.2 is the address of host \"b\""), "{error}");
    sim.host("c", Ipv4Addr::LOCALHOST.to_ipv6_mapped()).unwrap_err();
    b.add_ip(mapped(3)).unwrap();
    assert_eq!(b.ips(), [Ipv4Addr::new(10, 0, 0, 2), Ipv4Addr::new(10, 0, 0, 3)]);
    let c = sim.host("c", mapped(4)).unwrap();
    assert_eq!(c.ip(), Ipv4Addr::new(10, 0, 0, 4));
    sim.block_on(async {
        for host in [&b, &c] {
            let _listener = host.tcp_bind("0.0.0.0:7").await.unwrap();
            let last = host.ips()[host.ips().len() - 1];
            TcpStream::connect((last, 7)).await.unwrap();
        }
    });
}

#[test]
fn host_has_a_name_that_can_be_looked_up() {
    let (sim, _b) = two(0);
    for name in ["LOCALHOST", "localhost.", "1", "0x7f.1", "10.0.0.9", "a:7", "a\0b", "", "."] {
        let error = sim.host(name, [10, 0, 0, 9]).unwrap_err();
        assert!(error.to_string().contains("is not a valid host name"), "{error}");
    }
    let error = sim.host("B.", [10, 0, 0, 9]).unwrap_err();
    assert!(error.to_string().contains("there is a host of that name, at 10.0.0.2"), "{error}");
    let long = "x".repeat(300);
    for (last, name) in ["a.b.c.", "d.e", "ü", &long].into_iter().enumerate() {
        let host = sim.host(name, [10, 0, 1, last as u8]).unwrap();
        for asked in [name.to_owned(), name.trim_end_matches('.').to_owned()] {
            let found = sim.block_on(sim.lookup_host((asked.as_str(), 7))).unwrap();
            assert_eq!(found[0].ip(), host.ip(), "{asked}");
        }
    }
}

#[test]
fn name_may_take_for_ever() {
    for latency in [Duration::MAX, Duration::from_nanos(u64::MAX), Duration::from_nanos(u64::MAX / 4)] {
        let (sim, _b) = two(0);
        sim.dns().latency(latency);
        sim.block_on(async {
            sim.timeout(secs(3600), sim.lookup_host("b:7")).await.unwrap_err();
        });
    }
}

mod all_names {
    #[allow(unused_imports, reason = "a glob with the same name would be ambiguous below")]
    use anyrt::{net::*, runtime::Net as _, sim::*, time::*};

    #[test]
    fn names_of_a_simulation_are_not_those_of_sockets_and_timers() {
        fn is_any<T: 'static>(name: &str) {
            assert_eq!(std::any::type_name::<T>().rsplit("::").next(), Some(name));
        }
        is_any::<TcpListener>("TcpListener");
        is_any::<TcpStream>("TcpStream");
        is_any::<UdpSocket>("UdpSocket");
        is_any::<Sleep>("Sleep");
    }
}
