//! Options of TCP sockets, resolvers, and several addresses at once.

use std::future::Future;
use std::io::{self, ErrorKind, Write};
use std::net::{Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join;
use futures::io::AsyncReadExt;
use socket2::SockRef;

use super::support::{Closed, LONG, LOOPBACK, Silent, ms};
use crate::net::{ConnectOptions, Keepalive, ListenOptions, Resolve};
use crate::runtime::{Runtime, TcpListener, TcpStream};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Whole seconds, and none of them a default.
fn keepalive() -> Keepalive {
    Keepalive::new().time(secs(61)).interval(secs(7)).retries(4)
}

/// What a stream says that it has been set to.
fn told(stream: &impl TcpStream) -> Option<Keepalive> {
    // A simulated one is the same on every system.
    if cfg!(windows) && stream.descriptor().is_some() {
        return Some(Keepalive::new().retries(4));
    }
    Some(keepalive())
}

/// A client with these options, and the other end.
async fn connected<R: Runtime>(
    rt: &R,
    listen: &ListenOptions,
    connect: &ConnectOptions,
) -> (R::TcpStream, R::TcpStream) {
    let listener = rt.tcp_bind_with(LOOPBACK, listen).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (client, server) = join(rt.tcp_connect_with(addr, connect), listener.accept()).await;
    (client.unwrap(), server.unwrap().0)
}

pub(super) async fn connect_with_nothing_set<R: Runtime>(rt: R) {
    let (client, _server) = connected(&rt, &ListenOptions::new(), &ConnectOptions::new()).await;
    assert!(!client.nodelay().unwrap());
    assert_eq!(client.keepalive().unwrap(), None);
    assert_eq!(client.linger().unwrap(), None);
}

pub(super) async fn connect_options_are_set<R: Runtime>(rt: R) {
    let options = ConnectOptions::new()
        .nodelay(true)
        .keepalive(keepalive().time(ms(60_500)))
        .linger(ms(1500))
        .recv_buffer_size(50_000)
        .send_buffer_size(60_000);
    let (client, _server) = connected(&rt, &ListenOptions::new(), &options).await;
    assert!(client.nodelay().unwrap());
    assert_eq!(client.keepalive().unwrap(), told(&client), "rounded up");
    assert_eq!(client.linger().unwrap(), Some(secs(2)), "rounded up");
    assert!(client.recv_buffer_size().unwrap() >= 50_000);
    assert!(client.send_buffer_size().unwrap() >= 60_000);
    let (other, _server) = connected(&rt, &ListenOptions::new(), &ConnectOptions::new()).await;
    assert_ne!(client.recv_buffer_size().unwrap(), other.recv_buffer_size().unwrap());
    assert_ne!(client.send_buffer_size().unwrap(), other.send_buffer_size().unwrap());
}

pub(super) async fn connect_from_a_local_address<R: Runtime>(rt: R) {
    // All of 127.0.0.0/8 is ours on Linux; elsewhere it has to be the usual one.
    let ours = if cfg!(target_os = "linux") { [127, 0, 0, 2] } else { [127, 0, 0, 1] };
    let options = ConnectOptions::new().local_addr((ours, 0));
    let (client, server) = connected(&rt, &ListenOptions::new(), &options).await;
    assert_eq!(client.local_addr().unwrap().ip(), SocketAddr::from((ours, 0)).ip());
    assert_eq!(client.local_addr().unwrap(), server.peer_addr().unwrap());
}

pub(super) async fn connect_from_the_other_family_is_invalid_input<R: Runtime>(rt: R) {
    let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
    let v4 = listener.local_addr().unwrap();
    let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, 1));
    let error = rt.tcp_connect_with(v6, &ConnectOptions::new().local_addr(v4)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains(&v4.to_string()) && error.to_string().contains("[::1]:1"), "{error}");
    // It is passed over where there is another.
    let options = ConnectOptions::new().local_addr(([127, 0, 0, 1], 0));
    assert_eq!(rt.tcp_connect_with([v6, v4], &options).await.unwrap().peer_addr().unwrap(), v4);
}

pub(super) async fn connect_timeout_passes_a_silent_address<R: Runtime>(rt: R) {
    let Some(silent) = Silent::new("connect_timeout_passes_a_silent_address") else { return };
    let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
    let open = listener.local_addr().unwrap();
    // Long enough for the one that answers, on a busy machine as well.
    let options = ConnectOptions::new().timeout(ms(500));
    let connect = rt.tcp_connect_with([silent.addr(), open], &options);
    let client = rt.timeout(LONG, connect).await.expect("it goes on").unwrap();
    assert_eq!(client.peer_addr().unwrap(), open);
}

pub(super) async fn connect_timeout_names_the_address<R: Runtime>(rt: R) {
    let Some(silent) = Silent::new("connect_timeout_names_the_address") else { return };
    let options = ConnectOptions::new().timeout(ms(50));
    let error = rt.timeout(LONG, rt.tcp_connect_with(silent.addr(), &options)).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(error.to_string().contains(&silent.addr().to_string()), "{error}");
}

pub(super) async fn happy_eyeballs_pass_a_silent_address<R: Runtime>(rt: R) {
    let Some(silent) = Silent::new("happy_eyeballs_pass_a_silent_address") else { return };
    let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
    let open = listener.local_addr().unwrap();
    let options = ConnectOptions::new().happy_eyeballs(ms(20));
    let connect = rt.tcp_connect_with([silent.addr(), silent.addr(), open], &options);
    let client = rt.timeout(LONG, connect).await.expect("it does not wait").unwrap();
    assert_eq!(client.peer_addr().unwrap(), open);
    // One that answers in time has no rival.
    let other = rt.tcp_bind(LOOPBACK).await.unwrap();
    let both = [open, other.local_addr().unwrap()];
    let options = ConnectOptions::new().happy_eyeballs(LONG);
    assert_eq!(rt.tcp_connect_with(both, &options).await.unwrap().peer_addr().unwrap(), open);
}

pub(super) async fn happy_eyeballs_go_on_after_a_refusal<R: Runtime>(rt: R) {
    let (closed, listener) = (Closed::new(), rt.tcp_bind(LOOPBACK).await.unwrap());
    let open = listener.local_addr().unwrap();
    let options = ConnectOptions::new().happy_eyeballs(LONG);
    let connect = rt.tcp_connect_with([closed.addr(), closed.addr(), open], &options);
    let client = rt.timeout(LONG, connect).await.expect("nobody waits for what has failed").unwrap();
    assert_eq!(client.peer_addr().unwrap(), open);
}

pub(super) async fn happy_eyeballs_report_the_last_error<R: Runtime>(rt: R) {
    let closed = [Closed::new(), Closed::new()];
    let options = ConnectOptions::new().happy_eyeballs(ConnectOptions::ATTEMPT_DELAY);
    let error = rt.tcp_connect_with([closed[0].addr(), closed[1].addr()], &options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert!(error.to_string().contains(&closed[1].addr().to_string()), "{error}");
    let error = rt.tcp_connect_with(Vec::new(), &options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

/// It knows two names: one has these addresses, and the other has none.
struct Names(Vec<SocketAddr>);

impl Resolve for Names {
    fn resolve<'life0, 'life1, 'async_trait>(
        &'life0 self,
        host: &'life1 str,
        _port: u16,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            match host {
                "open.test" => Ok(self.0.clone()),
                "empty.test" => Ok(Vec::new()),
                _ => Err(io::Error::new(ErrorKind::PermissionDenied, "I do not tell")),
            }
        })
    }
}

pub(super) async fn connect_asks_its_resolver<R: Runtime>(rt: R) {
    let (closed, listener) = (Closed::new(), rt.tcp_bind(LOOPBACK).await.unwrap());
    let open = listener.local_addr().unwrap();
    let options = ConnectOptions::new().resolver(Names(vec![closed.addr(), open]));
    // In its order, and with its port.
    let client = rt.tcp_connect_with("open.test:1", &options).await.unwrap();
    assert_eq!(client.peer_addr().unwrap(), open);
    let client = rt.tcp_connect_with(("open.test", 2), &options).await.unwrap();
    assert_eq!(client.peer_addr().unwrap(), open);
    // It is not asked for addresses.
    assert_eq!(rt.tcp_connect_with(open, &options).await.unwrap().peer_addr().unwrap(), open);
    for (name, kind) in [("empty.test:1", ErrorKind::NotFound), ("other:1", ErrorKind::PermissionDenied)] {
        let error = rt.tcp_connect_with(name, &options).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(name), "{error}");
    }
}

pub(super) async fn connect_options_that_make_no_sense<R: Runtime>(rt: R) {
    let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let unset = ConnectOptions::new;
    for (options, field) in [
        (unset().timeout(Duration::ZERO), "timeout"),
        (unset().happy_eyeballs(ms(9)), "happy_eyeballs"),
        (unset().recv_buffer_size(0), "recv_buffer_size"),
        (unset().send_buffer_size(usize::MAX), "send_buffer_size"),
        (unset().keepalive(Keepalive::new().time(Duration::ZERO)), "keepalive: time"),
        (unset().keepalive(Keepalive::new().interval(Duration::ZERO)), "keepalive: interval"),
        (unset().keepalive(Keepalive::new().retries(0)), "keepalive: retries"),
    ] {
        let error = rt.tcp_connect_with(addr, &options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(field), "{error}");
    }
    // An address that is not ours: RFC 5737.
    let error = rt.tcp_connect_with(addr, &unset().local_addr(([192, 0, 2, 1], 0))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
    assert!(error.to_string().contains("192.0.2.1"), "{error}");
}

pub(super) async fn listen_with_nothing_set<R: Runtime>(rt: R) {
    let listener = rt.tcp_bind_with(LOOPBACK, &ListenOptions::new()).await.unwrap();
    let descriptor = listener.descriptor().unwrap();
    let socket = SockRef::from(&descriptor);
    assert_eq!(socket.reuse_address().unwrap(), cfg!(unix));
    #[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))))]
    assert!(!socket.reuse_port().unwrap());
}

pub(super) async fn listen_options_are_set<R: Runtime>(rt: R) {
    let options = ListenOptions::new()
        .reuse_address(false)
        .nodelay(true)
        .keepalive(keepalive())
        .linger(secs(3))
        .recv_buffer_size(50_000)
        .send_buffer_size(60_000);
    let listener = rt.tcp_bind_with(LOOPBACK, &options).await.unwrap();
    let descriptor = listener.descriptor().unwrap();
    let socket = SockRef::from(&descriptor);
    assert!(!socket.reuse_address().unwrap());
    assert!(socket.tcp_nodelay().unwrap());
    assert!(socket.keepalive().unwrap());
    assert_eq!(socket.linger().unwrap(), Some(secs(3)));
    assert!(socket.recv_buffer_size().unwrap() >= 50_000);
    assert!(socket.send_buffer_size().unwrap() >= 60_000);
}

pub(super) async fn accepted_streams_inherit_options<R: Runtime>(rt: R) {
    let options = ListenOptions::new().nodelay(true).keepalive(keepalive()).linger(secs(3));
    let (_client, server) = connected(&rt, &options, &ConnectOptions::new()).await;
    assert!(server.nodelay().unwrap());
    assert_eq!(server.keepalive().unwrap(), told(&server));
    assert_eq!(server.linger().unwrap(), Some(secs(3)));
}

pub(super) async fn backlog_limits_the_queue<R: Runtime>(rt: R) {
    if cfg!(not(target_os = "linux")) {
        let _ = writeln!(io::stderr(), "skipped backlog_limits_the_queue: this system may answer for us");
        return;
    }
    let listener = rt.tcp_bind_with(LOOPBACK, &ListenOptions::new().backlog(2)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    // Nobody accepts.
    let mut clients = Vec::new();
    for _ in 0..2 {
        clients.push(rt.timeout(LONG, rt.tcp_connect(addr)).await.expect("there is room").unwrap());
    }
    // Linux takes one more than it was asked for.
    while let Ok(client) = rt.timeout(ms(300), rt.tcp_connect(addr)).await {
        clients.push(client.unwrap());
        assert!(clients.len() <= 3);
    }
}

pub(super) async fn only_v6_leaves_v4_alone<R: Runtime>(rt: R) {
    for on in [true, false] {
        let Ok(listener) = rt.tcp_bind_with("[::]:0", &ListenOptions::new().only_v6(on)).await else {
            let _ = writeln!(io::stderr(), "skipped only_v6_leaves_v4_alone: this machine has no IPv6");
            return;
        };
        assert_eq!(SockRef::from(&listener.descriptor().unwrap()).only_v6().unwrap(), on);
        if !on {
            let v4 = SocketAddr::from(([127, 0, 0, 1], listener.local_addr().unwrap().port()));
            let (client, server) = join(rt.tcp_connect(v4), listener.accept()).await;
            assert_eq!(client.unwrap().local_addr().unwrap().port(), server.unwrap().1.port());
        }
    }
}

pub(super) async fn reuse_port_shares_a_port<R: Runtime>(rt: R) {
    let options = ListenOptions::new().reuse_port(true);
    let first = rt.tcp_bind_with(LOOPBACK, &options).await;
    let first = match first {
        Err(error) if cfg!(windows) => {
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains("reuse_port"), "{error}");
            return;
        }
        first => first.unwrap(),
    };
    assert!(cfg!(unix) || first.descriptor().is_none(), "only a simulated one is the same on every system");
    let addr = first.local_addr().unwrap();
    let second = rt.tcp_bind_with(addr, &options).await.unwrap();
    assert_eq!(second.local_addr().unwrap(), addr);
    assert_eq!(rt.tcp_bind(addr).await.unwrap_err().kind(), ErrorKind::AddrInUse);
}

pub(super) async fn listen_options_that_make_no_sense<R: Runtime>(rt: R) {
    let unset = ListenOptions::new;
    for (options, field) in [
        (unset().backlog(0), "backlog"),
        (unset().only_v6(true), "only_v6"),
        (unset().recv_buffer_size(0), "recv_buffer_size"),
        (unset().keepalive(Keepalive::new().retries(0)), "keepalive: retries"),
    ] {
        let error = rt.tcp_bind_with(LOOPBACK, &options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(field), "{error}");
    }
}

pub(super) async fn linger_can_be_set<R: Runtime>(rt: R) {
    let (mut client, server) = connected(&rt, &ListenOptions::new(), &ConnectOptions::new()).await;
    server.set_linger(Some(ms(2500))).unwrap();
    assert_eq!(server.linger().unwrap(), Some(secs(3)), "rounded up");
    server.set_linger(None).unwrap();
    assert_eq!(server.linger().unwrap(), None);
    server.set_linger(Some(Duration::ZERO)).unwrap();
    drop(server);
    assert_eq!(client.read(&mut [0; 8]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

pub(super) async fn keepalive_can_be_set<R: Runtime>(rt: R) {
    let (client, server) = connected(&rt, &ListenOptions::new(), &ConnectOptions::new()).await;
    for stream in [client, server] {
        stream.set_keepalive(Some(keepalive().time(ms(60_500)))).unwrap();
        assert_eq!(stream.keepalive().unwrap(), told(&stream), "rounded up");
        let error = stream.set_keepalive(Some(Keepalive::new().retries(0))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        stream.set_keepalive(None).unwrap();
        assert_eq!(stream.keepalive().unwrap(), None);
    }
}

pub(super) async fn connect_hook_sees_the_socket<R: Runtime>(rt: R) {
    let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
    let (closed, addr) = (Closed::new(), listener.local_addr().unwrap());
    let calls = Arc::new(AtomicUsize::new(0));
    let called = calls.clone();
    let options = ConnectOptions::new().nodelay(true).before_connect(move |socket| {
        called.fetch_add(1, Ordering::SeqCst);
        let socket = SockRef::from(&socket);
        assert!(socket.peer_addr().is_err(), "it is connected already");
        assert!(socket.tcp_nodelay().unwrap(), "what is set comes first");
        socket.set_ttl_v4(42)
    });
    let client = rt.tcp_connect_with(&[closed.addr(), addr][..], &options).await.unwrap();
    if client.descriptor().is_none() {
        assert_eq!(calls.load(Ordering::SeqCst), 0, "there is no socket to be called with");
        return;
    }
    assert_eq!((client.ttl().unwrap(), calls.load(Ordering::SeqCst)), (42, 2));
    let refuses = ConnectOptions::new().before_connect(|_| Err(ErrorKind::PermissionDenied.into()));
    let error = rt.tcp_connect_with(addr, &refuses).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    let text = error.to_string();
    assert!(text.contains("before_connect") && text.contains(&addr.to_string()), "{text}");
    // It has gone nowhere: the first that comes is the one that was not refused.
    let (_accepted, from) = listener.accept().await.unwrap();
    assert_eq!(from, client.local_addr().unwrap());
    assert!(rt.timeout(ms(20), listener.accept()).await.is_err());
}

pub(super) async fn listen_hook_sees_the_socket<R: Runtime>(rt: R) {
    let calls = Arc::new(AtomicUsize::new(0));
    let called = calls.clone();
    let options = ListenOptions::new().before_listen(move |socket| {
        called.fetch_add(1, Ordering::SeqCst);
        let socket = SockRef::from(&socket);
        let port = socket.local_addr().ok().and_then(|addr| addr.as_socket()).map_or(0, |addr| addr.port());
        assert_eq!(port, 0, "it is bound already");
        socket.set_ttl_v4(42)
    });
    let listener = rt.tcp_bind_with(LOOPBACK, &options).await.unwrap();
    if listener.descriptor().is_none() {
        assert_eq!(calls.load(Ordering::SeqCst), 0, "there is no socket to be called with");
        return;
    }
    assert_eq!((listener.ttl().unwrap(), calls.load(Ordering::SeqCst)), (42, 1));
    let refuses = ListenOptions::new().before_listen(|_| Err(ErrorKind::PermissionDenied.into()));
    let error = rt.tcp_bind_with(LOOPBACK, &refuses).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.to_string().contains("before_listen"), "{error}");
}
