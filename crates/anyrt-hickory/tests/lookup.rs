//! Look-ups of hickory on every runtime.
#![allow(clippy::unwrap_used)]

mod server;

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use anyrt::net::{ConnectOptions, Resolve, TcpListener, TcpStream, UdpSocket};
use anyrt::{AnyRuntime, Sim, Spawn, sim};
use anyrt_hickory::Resolver;
use anyrt_hickory::hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use futures::channel::oneshot;
use futures::future::join_all;
use hickory_proto::rr::RecordType;

use server::{LARGE, Over, Questions, Server, answer_all};

const V4: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const V6: IpAddr = IpAddr::V6(std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

/// One that asks `server`, up to `attempts` times more, each within `timeout`.
fn patient(runtime: AnyRuntime, server: SocketAddr, timeout: Duration, attempts: usize) -> Resolver {
    let (mut udp, mut tcp) = (ConnectionConfig::udp(), ConnectionConfig::tcp());
    (udp.port, tcp.port) = (server.port(), server.port());
    let server = NameServerConfig::new(server.ip(), true, vec![udp, tcp]);
    let mut options = ResolverOpts::default();
    options.use_hosts_file = ResolveHosts::Never;
    (options.timeout, options.attempts) = (timeout, attempts);
    Resolver::on(runtime, ResolverConfig::from_name_servers(vec![server]), options).unwrap()
}

#[anyrt::test]
async fn finds_addresses_of_both_families() -> io::Result<()> {
    let server = Server::start().await;
    let resolver = Resolver::from_name_servers([server.address])?;
    assert_eq!(resolver.lookup_ip("both.test").await?, [V6, V4]);
    assert_eq!(resolver.lookup_ip("four.test").await?, [V4]);
    assert_eq!(resolver.lookup_ip("six.test.").await?, [V6]);
    assert_eq!(resolver.resolve("both.test", 80).await?, [(V6, 80).into(), (V4, 80).into()]);
    Ok(())
}

/// As of a connect on another runtime, whose resolver this was.
#[test]
fn lookup_on_a_runtime_that_is_gone_is_an_error() {
    let owned: [AnyRuntime; 2] = [anyrt::Tokio::new().unwrap().into(), anyrt::Smol::new().unwrap().into()];
    for runtime in owned {
        let resolver = patient(runtime.clone(), ([127, 0, 0, 1], 9).into(), Duration::from_secs(5), 1);
        anyrt::BlockOn::shutdown_timeout(&runtime, Duration::from_secs(5)).unwrap();
        let error = futures::executor::block_on(resolver.lookup_ip("both.test")).unwrap_err();
        assert!(error.to_string().contains("its runtime is gone"), "{error}");
    }
}

#[anyrt::test]
async fn missing_name_is_not_found() {
    let server = Server::start().await;
    let resolver = Resolver::from_name_servers([server.address]).unwrap();
    for (host, why) in [("missing.test", "no such name"), ("empty.test", "no address")] {
        let error = resolver.lookup_ip(host).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert!(error.to_string().contains(host) && error.to_string().contains(why), "{error}");
    }
}

#[anyrt::test]
async fn other_failures_have_their_kind_and_the_name() {
    let server = Server::start().await;
    let resolver = Resolver::from_name_servers([server.address]).unwrap();
    let long = "x".repeat(300);
    for (host, kind) in [("broken.test", ErrorKind::Other), (long.as_str(), ErrorKind::InvalidInput)] {
        let error = resolver.lookup_ip(host).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(host), "{error}");
    }
    let error = Resolver::from_name_servers([]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
}

#[anyrt::test]
async fn truncated_answer_is_asked_for_over_tcp() {
    let server = Server::start().await;
    let resolver = Resolver::from_name_servers([server.address]).unwrap();
    assert_eq!(resolver.lookup_ip("large.test").await.unwrap().len(), LARGE.into());
    assert!(server.asked(Over::Udp) >= 2);
    assert_eq!(server.asked(Over::Tcp), 2);
}

#[anyrt::test]
async fn second_lookup_asks_nobody() {
    let server = Server::start().await;
    let resolver = Resolver::from_name_servers([server.address]).unwrap();
    let first = resolver.lookup_ip("both.test").await.unwrap();
    let asked = server.asked(Over::Udp);
    assert!(asked >= 2);
    // A clone has the same cache.
    assert_eq!(resolver.clone().lookup_ip("both.test").await.unwrap(), first);
    assert_eq!(server.asked(Over::Udp), asked);
}

#[anyrt::test]
async fn lookups_run_beside_each_other() {
    let server = Server::start().await;
    let resolver = patient(AnyRuntime::current(), server.address, Duration::from_secs(10), 2);
    let lookups = (0..100_u8).map(|n| {
        let resolver = resolver.clone();
        anyrt::spawn(async move { resolver.lookup_ip(&format!("n{n}.test")).await.unwrap() })
    });
    for (n, found) in join_all(lookups.collect::<Vec<_>>()).await.into_iter().enumerate() {
        assert_eq!(found.unwrap(), [IpAddr::from([10, 0, 0, n as u8])]);
    }
}

/// One of them waits for an answer that never comes, and the other goes on.
#[anyrt::test]
async fn silent_server_is_a_timeout(rt: AnyRuntime) {
    let server = Server::start().await;
    let resolver = patient(rt, server.address, Duration::from_millis(200), 0);
    let begun = anyrt::time::now();
    let error = resolver.lookup_ip("silent.test").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    assert!(error.to_string().contains("silent.test"), "{error}");
    assert!(anyrt::time::now() - begun >= Duration::from_millis(200));
}

#[anyrt::test(only(sim))]
async fn silent_server_is_given_up_to_the_nanosecond(rt: AnyRuntime) {
    let nobody = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap();
    for attempts in [0, 1, 4] {
        let resolver = patient(rt.clone(), address, Duration::from_secs(3), attempts);
        let begun = anyrt::time::now();
        let error = resolver.lookup_ip("silent.test").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
        assert_eq!(anyrt::time::now() - begun, Duration::from_secs(3) * (attempts as u32 + 1));
    }
    // What `from_name_servers` says of itself.
    let resolver = Resolver::from_name_servers([address]).unwrap();
    let begun = anyrt::time::now();
    resolver.lookup_ip("silent.test").await.unwrap_err();
    assert_eq!(anyrt::time::now() - begun, Duration::from_secs(15));
}

/// hickory reports what has become of one of two questions.
#[anyrt::test]
async fn silence_about_one_family_is_no_missing_name(rt: AnyRuntime) {
    let server = Server::start().await;
    let resolver = patient(rt, server.address, Duration::from_millis(200), 0);
    let error = resolver.lookup_ip("half.test").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
}

#[anyrt::test]
async fn server_over_tcp_that_never_answers_is_a_timeout(rt: AnyRuntime) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tcp = ConnectionConfig::tcp();
    tcp.port = address.port();
    let config =
        ResolverConfig::from_name_servers(vec![NameServerConfig::new(address.ip(), true, vec![tcp])]);
    let mut options = ResolverOpts::default();
    (options.timeout, options.attempts) = (Duration::from_millis(200), 0);
    let resolver = Resolver::on(rt, config, options).unwrap();
    let error = resolver.lookup_ip("four.test").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
}

#[anyrt::test]
async fn dropped_lookup_harms_no_other(rt: AnyRuntime) {
    let server = Server::start().await;
    let resolver = patient(rt, server.address, Duration::from_secs(30), 2);
    for host in ["silent.test", "both.test", "large.test"] {
        // It has asked, and waits.
        let lookup = resolver.lookup_ip(host);
        let waited = anyrt::time::timeout(Duration::from_millis(1), lookup).await;
        assert!(host != "silent.test" || waited.is_err());
    }
    assert_eq!(resolver.lookup_ip("both.test").await.unwrap(), [V6, V4]);
    assert_eq!(resolver.lookup_ip("large.test").await.unwrap().len(), LARGE.into());
}

/// Look-ups of one name share a question; whoever asked first may go.
#[anyrt::test]
async fn shared_lookup_survives_the_one_that_began_it(rt: AnyRuntime) {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let resolver = patient(rt, server.local_addr().unwrap(), Duration::from_secs(30), 0);
    let first = {
        let resolver = resolver.clone();
        anyrt::spawn(async move { resolver.lookup_ip("both.test").await })
    };
    let mut question = [0; 512];
    server.peek_from(&mut question).await.unwrap();
    let second = anyrt::spawn(async move { resolver.lookup_ip("both.test").await });
    anyrt::yield_now().await;
    assert!(first.cancel().await.unwrap_err().is_cancelled());
    // Its sockets may be gone, so that only one who asks again is answered.
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let _answers = anyrt::spawn(answer_all(server, tcp, Questions::default())).abort_on_drop();
    assert_eq!(second.await.unwrap().unwrap(), [V6, V4]);
}

// A thread of its own has no place in a simulation.
#[anyrt::test(skip(sim = "real threads"))]
async fn lookup_works_under_another_executor(rt: AnyRuntime) {
    let server = Server::start().await;
    let resolver = patient(rt, server.address, Duration::from_millis(200), 0);
    let (done, found) = oneshot::channel();
    let thread = std::thread::spawn(move || {
        assert!(AnyRuntime::try_current().is_err());
        let found = ["both.test", "large.test", "silent.test"]
            .map(|host| futures::executor::block_on(resolver.lookup_ip(host)));
        assert!(AnyRuntime::try_current().is_err());
        done.send(found).unwrap();
    });
    let [both, large, silent] = found.await.unwrap();
    assert_eq!(both.unwrap(), [V6, V4]);
    assert_eq!(large.unwrap().len(), LARGE.into());
    assert_eq!(silent.unwrap_err().kind(), ErrorKind::TimedOut);
    thread.join().unwrap();
}

#[anyrt::test]
async fn connects_by_name() -> io::Result<()> {
    let server = Server::start().await;
    let resolver = Resolver::from_name_servers([server.address])?;
    let options = ConnectOptions::new().resolver(resolver);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let stream = TcpStream::connect_with(("here.test", address.port()), &options).await?;
    assert_eq!(stream.peer_addr()?, address);
    let error = TcpStream::connect_with("missing.test:80", &options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.to_string(), r#"cannot resolve "missing.test:80": there is no such name"#);
    Ok(())
}

#[anyrt::test]
async fn this_machine_needs_no_server() {
    let nobody = Resolver::from_name_servers([([127, 0, 0, 1], 1).into()]).unwrap();
    let found = nobody.lookup_ip("localhost").await.unwrap();
    assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback), "{found:?}");
}

#[anyrt::test]
async fn other_records_are_asked_of_hickory() {
    let server = Server::start().await;
    let resolver = Resolver::from_name_servers([server.address]).unwrap();
    let error = resolver.hickory().mx_lookup("both.test.").await.unwrap_err();
    assert!(error.is_no_records_found(), "{error}");
    assert_eq!(server.questions.lock().unwrap()[..], [(Over::Udp, "both.test.".to_owned(), RecordType::MX)]);
}

/// Name servers on a host of their own.
fn dns(sim: &Sim) {
    sim.host("dns", [10, 0, 0, 2]).unwrap().boot(|_| async {
        let udp = UdpSocket::bind("0.0.0.0:53").await.unwrap();
        let tcp = TcpListener::bind("0.0.0.0:53").await.unwrap();
        answer_all(udp, tcp, Questions::default()).await;
    });
}

/// hickory sends again each 333 ms, and a datagram takes a millisecond or little more each way.
#[anyrt::test(only(sim), sim(with = dns))]
async fn lost_datagram_is_sent_again_after_a_third_of_a_second(rt: AnyRuntime) {
    let sim = Sim::try_from(rt.clone()).unwrap();
    let resolver = patient(rt, ([10, 0, 0, 2], 53).into(), Duration::from_secs(5), 0);
    let link = sim.link("main", "dns").unwrap();
    link.partition();
    let begun = anyrt::time::now();
    let lookup = sim.spawn(async move { resolver.lookup_ip("both.test").await });
    anyrt::time::sleep(Duration::from_millis(500)).await;
    link.heal();
    assert_eq!(lookup.await.unwrap().unwrap(), [V6, V4]);
    let took = (anyrt::time::now() - begun).as_millis();
    assert!((666..672).contains(&took), "{took} ms");
}

/// Of a hundred datagrams forty are lost, on the way there and on the way back.
#[anyrt::test(only(sim), sim(seeds = 20, with = dns))]
async fn lost_datagrams_are_sent_again(rt: AnyRuntime) {
    Sim::try_from(rt.clone()).unwrap().links().set(&sim::LinkOptions::new().loss(0.4)).unwrap();
    let resolver = patient(rt, ([10, 0, 0, 2], 53).into(), Duration::from_secs(5), 10);
    let begun = anyrt::time::now();
    for n in 0..10 {
        let found = resolver.lookup_ip(&format!("n{n}.test")).await.unwrap();
        assert_eq!(found, [IpAddr::from([10, 0, 0, n])]);
    }
    assert_eq!(resolver.lookup_ip("large.test").await.unwrap().len(), LARGE.into());
    // The interval of hickory.
    assert!(anyrt::time::now() - begun >= Duration::from_millis(333));
}

#[anyrt::test(only(sim), sim(with = dns))]
async fn lookup_goes_on_when_its_server_comes_back(rt: AnyRuntime) {
    let sim = Sim::try_from(rt.clone()).unwrap();
    let resolver = patient(rt, ([10, 0, 0, 2], 53).into(), Duration::from_secs(5), 10);
    let link = sim.link("main", "dns").unwrap();
    link.partition();
    let lookup = sim.spawn(async move { resolver.lookup_ip("both.test").await });
    anyrt::time::sleep(Duration::from_secs(12)).await;
    link.heal();
    assert_eq!(lookup.await.unwrap().unwrap(), [V6, V4]);
}
