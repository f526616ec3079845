//! Connecting, listening and names.

use std::error::Error as _;
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::task::Context;
use std::time::Duration;

use futures::future::join;
use futures::io::{AsyncReadExt, AsyncWriteExt};
use futures::{FutureExt, StreamExt};

use super::support::{Closed, LONG, LOOPBACK, bell, fill_pool, on_a_plain_thread};
use crate::net::ConnectOptions;
use crate::runtime::{Runtime, TcpListener, TcpStream};

pub(super) async fn connect_by_name<R: Runtime>(rt: R) {
    // `localhost` may be ::1 first; the listener is on 127.0.0.1 only.
    let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for round in 0..2 {
        let connect = async {
            match round {
                0 => rt.tcp_connect(("localhost", port)).await,
                _ => rt.tcp_connect(format!("localhost:{port}")).await,
            }
        };
        let (client, server) = join(connect, listener.accept()).await;
        assert_eq!(client.unwrap().local_addr().unwrap(), server.unwrap().1);
    }
}

pub(super) async fn connect_tries_every_address<R: Runtime>(rt: R) {
    let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
    let open = listener.local_addr().unwrap();
    let closed = [Closed::new(), Closed::new()];
    let client = rt.tcp_connect([closed[0].addr(), closed[1].addr(), open]).await.unwrap();
    assert_eq!(client.peer_addr().unwrap(), open);
}

pub(super) async fn connect_reports_the_last_error<R: Runtime>(rt: R) {
    let closed = [Closed::new(), Closed::new()];
    let error = rt.tcp_connect(&closed.each_ref().map(Closed::addr)[..]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

pub(super) async fn connect_to_no_address_is_invalid_input<R: Runtime>(rt: R) {
    let error = rt.tcp_connect(Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("no address"), "{error}");
}

pub(super) async fn connect_refused_has_its_kind<R: Runtime>(rt: R) {
    let closed = Closed::new();
    let error = rt.tcp_connect(closed.addr()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert!(error.to_string().contains(&closed.addr().to_string()), "{error}");
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>()).unwrap();
    let of_the_system = rt.tcp_bind(LOOPBACK).await.unwrap().descriptor().is_some();
    assert!(source.raw_os_error().is_some() || !of_the_system, "the system's own number is kept");
}

pub(super) async fn happy_eyeballs_max_waits_for_a_refusal<R: Runtime>(rt: R) {
    let (closed, listener) = (Closed::new(), rt.tcp_bind(LOOPBACK).await.unwrap());
    let addrs = [closed.addr(), listener.local_addr().unwrap()];
    let options = ConnectOptions::new().happy_eyeballs(Duration::MAX);
    assert_eq!(rt.tcp_connect_with(addrs, &options).await.unwrap().peer_addr().unwrap(), addrs[1]);
    let refused = rt.tcp_connect_with(&addrs[..1], &options).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}

pub(super) async fn connect_can_be_cancelled<R: Runtime>(rt: R) {
    let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
    let addr = listener.local_addr().unwrap();
    for _ in 0..20 {
        // Polled once; a connection over loopback may be there at once.
        drop(rt.tcp_connect(addr).now_or_never());
    }
    let client = rt.tcp_connect(addr).await.unwrap();
    let ours = client.local_addr().unwrap();
    while listener.accept().await.unwrap().1 != ours {}
}

pub(super) async fn connect_from_a_plain_thread<R: Runtime>(rt: R) {
    let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let there = rt.clone();
    let connect = on_a_plain_thread(async move { there.tcp_connect(addr).await.unwrap().local_addr() });
    let (ours, accepted) = join(connect, listener.accept()).await;
    assert_eq!(ours.unwrap(), accepted.unwrap().1);
}

pub(super) async fn connect_to_an_address_needs_no_blocking_thread<R: Runtime>(rt: R) {
    let full = fill_pool(&rt);
    let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
    let addr = listener.local_addr().unwrap();
    rt.tcp_connect(addr).await.unwrap();
    rt.tcp_connect(addr.to_string()).await.unwrap();
    rt.tcp_connect(("127.0.0.1", addr.port())).await.unwrap();
    drop(full);
}

pub(super) async fn bind_port_zero_picks_a_port<R: Runtime>(rt: R) {
    let one = rt.tcp_bind(LOOPBACK).await.unwrap().local_addr().unwrap();
    assert_ne!(one.port(), 0);
}

pub(super) async fn bind_in_use_has_its_kind<R: Runtime>(rt: R) {
    let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
    let taken = listener.local_addr().unwrap();
    let error = rt.tcp_bind(taken).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&taken.to_string()), "{error}");
}

pub(super) async fn bind_tries_every_address<R: Runtime>(rt: R) {
    let taken = rt.tcp_bind(LOOPBACK).await.unwrap();
    let addrs = [taken.local_addr().unwrap(), LOOPBACK.parse().unwrap()];
    let listener = rt.tcp_bind(&addrs[..]).await.unwrap();
    assert_ne!(listener.local_addr().unwrap(), addrs[0]);
}

pub(super) async fn bind_to_no_address_is_invalid_input<R: Runtime>(rt: R) {
    let error = rt.tcp_bind(Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

pub(super) async fn bind_again_at_once<R: Runtime>(rt: R) {
    let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (client, server) = join(rt.tcp_connect(addr), listener.accept()).await;
    let (mut client, mut server) = (client.unwrap(), server.unwrap().0);
    // The end that closes first is the one that lingers.
    server.close().await.unwrap();
    assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0);
    client.close().await.unwrap();
    assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0);
    drop((client, server, listener));
    rt.tcp_bind(addr).await.unwrap();
}

pub(super) async fn bind_queues_a_burst<R: Runtime>(rt: R) {
    let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
    let addr = listener.local_addr().unwrap();
    // Nobody accepts. Linux takes more than the 128 of the standard library (since 5.4; `net.core.somaxconn`),
    // macOS no more than that (`kern.ipc.somaxconn`), Windows 200.
    let burst = if cfg!(target_os = "linux") { 200 } else { 100 };
    let mut clients = Vec::new();
    for _ in 0..burst {
        clients
            .push(rt.timeout(LONG, rt.tcp_connect(addr)).await.expect("there is room in the queue").unwrap());
    }
    for _ in 0..burst {
        listener.accept().await.unwrap();
    }
}

pub(super) async fn bind_from_a_plain_thread<R: Runtime>(rt: R) {
    let there = rt.clone();
    let listener = on_a_plain_thread(async move { there.tcp_bind(LOOPBACK).await.unwrap() }).await;
    let addr = listener.local_addr().unwrap();
    let accept = on_a_plain_thread(async move { listener.accept().await.unwrap().1 });
    let (client, peer) = join(rt.tcp_connect(addr), accept).await;
    assert_eq!(client.unwrap().local_addr().unwrap(), peer);
}

pub(super) async fn displaced_poll_accept_is_not_woken<R: Runtime>(rt: R) {
    let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
    let ((displaced, mut first_rings), (last, mut last_rings)) = (bell(), bell());
    for waker in [&displaced, &last] {
        assert!(listener.poll_accept(&mut Context::from_waker(waker)).is_pending());
    }
    let _client = rt.tcp_connect(listener.local_addr().unwrap()).await.unwrap();
    rt.timeout(LONG, last_rings.next()).await.expect("the last one is woken").unwrap();
    assert!(first_rings.next().now_or_never().is_none(), "the one before is woken as well");
}

pub(super) async fn ipv6_round_trip<R: Runtime>(rt: R) {
    let Ok(listener) = rt.tcp_bind("[::1]:0").await else {
        let _ = writeln!(io::stderr(), "skipped ipv6_round_trip: this machine has no ::1");
        return;
    };
    let addr = listener.local_addr().unwrap();
    assert!(addr.is_ipv6());
    let (client, server) = join(rt.tcp_connect(("::1", addr.port())), listener.accept()).await;
    let (mut client, mut server) = (client.unwrap(), server.unwrap().0);
    client.write_all(b"six").await.unwrap();
    let mut buf = [0; 3];
    server.read_exact(&mut buf).await.unwrap();
    assert_eq!(&buf, b"six");
}

pub(super) async fn lookup_resolves_localhost<R: Runtime>(rt: R) {
    for addrs in [rt.lookup_host("localhost:80").await, rt.lookup_host(("localhost", 80)).await] {
        let addrs = addrs.unwrap();
        assert!(!addrs.is_empty());
        assert!(addrs.iter().all(|addr| addr.ip().is_loopback() && addr.port() == 80));
    }
    let literal: SocketAddr = "192.0.2.7:81".parse().unwrap();
    assert_eq!(rt.lookup_host("192.0.2.7:81").await.unwrap(), [literal]);
    assert_eq!(rt.lookup_host(&[literal, literal][..]).await.unwrap(), [literal, literal]);
}

pub(super) async fn lookup_takes_an_address_in_brackets<R: Runtime>(rt: R) {
    let literal: SocketAddr = "[2001:db8::7]:81".parse().unwrap();
    assert_eq!(rt.lookup_host("[2001:db8::7]:81").await.unwrap(), [literal]);
    assert_eq!(rt.lookup_host(("[2001:db8::7]", 81)).await.unwrap(), [literal]);
    assert_eq!(rt.lookup_host(("[2001:db8::7]".to_owned(), 81)).await.unwrap(), [literal]);
    // Around anything else they are a mistake.
    for bad in ["[localhost]", "[::1", "[]"] {
        assert!(rt.lookup_host((bad, 81)).await.is_err(), "{bad}");
    }
}

pub(super) async fn lookup_of_a_bad_address_is_invalid_input<R: Runtime>(rt: R) {
    for bad in ["nocolon", "host:x", "", "127.0.0.1:99999", "localhost:", "nul\0:80"] {
        let error = rt.lookup_host(bad).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{bad:?}: {error}");
        assert!(error.to_string().contains(&format!("{bad:?}")), "{error}");
        assert_eq!(rt.tcp_connect(bad).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}

pub(super) async fn lookup_of_an_unknown_host_fails<R: Runtime>(rt: R) {
    // A label of more than 63 characters is no name (RFC 1035, 2.3.4): no resolver asks the network for it.
    let unknown = format!("{}:80", "x".repeat(70));
    let error = rt.lookup_host(unknown.as_str()).await.unwrap_err();
    assert_ne!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains(&unknown), "{error}");
    // It says what was asked for.
    let (host, _) = unknown.split_once(':').unwrap();
    let error = rt.lookup_host((host, 0)).await.unwrap_err();
    assert!(error.to_string().contains(&format!("{host:?}")), "{error}");
    assert_eq!(rt.tcp_connect(unknown).await.unwrap_err().kind(), error.kind());
}
