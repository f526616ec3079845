use std::collections::BTreeSet;
use std::io::IoSlice;
use std::net::{Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyrt::net::{ConnectOptions, Keepalive, ListenOptions, TcpListener, TcpStream};
use futures::io::{AsyncReadExt, AsyncWriteExt};

use crate::{Seen, at_once, rest, soon};

crate::programs! {
    write_to_a_closed_peer reset_with_unread_data reset_after_the_end half_close bind_rules time_wait ports_of_connects
    addresses v6_takes_v4 v6_only shared_ports connect_to_itself backlog queued_connection_is_reset linger_of_zero
    big_write buffers readiness both_close options_of_a_reset_stream halves listeners_that_are_gone options first_errors ends_of_a_stream reset_before_accept port_numbers
    unspecified_target targets_of_datagrams_only families_of_ends many_buffers
    nothing_on_a_reset_stream keepalive_times
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (client, listener.accept().await.unwrap().0)
}

/// A port of this machine that nobody uses.
async fn unused() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

async fn write_to_a_closed_peer(seen: &mut Seen) {
    let (mut client, server) = pair().await;
    drop(server);
    rest().await;
    seen.result("first write", &client.write(b"x").await);
    rest().await;
    seen.result("second write", &client.write(b"x").await);
    seen.result("read", &client.read(&mut [0; 8]).await);
    seen.outcome("peer address", &client.peer_addr());
    seen.outcome("local address", &client.local_addr());
    seen.result("close", &client.close().await);
}

async fn reset_with_unread_data(seen: &mut Seen) {
    let (mut client, server) = pair().await;
    client.write_all(b"unread").await.unwrap();
    rest().await;
    drop(server);
    rest().await;
    seen.result("first read", &client.read(&mut [0; 8]).await);
    seen.result("second read", &client.read(&mut [0; 8]).await);
    seen.result("write", &client.write(b"x").await);
    seen.outcome("peer address", &client.peer_addr());
    seen.result("close", &client.close().await);
}

async fn reset_after_the_end(seen: &mut Seen) {
    let (mut client, mut server) = pair().await;
    server.write_all(b"last").await.unwrap();
    server.close().await.unwrap();
    client.write_all(b"unread").await.unwrap();
    rest().await;
    drop(server);
    rest().await;
    seen.result("read of what was sent", &client.read(&mut [0; 8]).await);
    seen.result("read of the end", &client.read(&mut [0; 8]).await);
    seen.result("first write", &client.write(b"x").await);
    seen.result("second write", &client.write(b"x").await);
}

async fn half_close(seen: &mut Seen) {
    let (mut client, mut server) = pair().await;
    client.close().await.unwrap();
    seen.result("write after close", &client.write(b"x").await);
    seen.result("empty write after close", &client.write(b"").await);
    seen.result("read of the end", &server.read(&mut [0; 8]).await);
    seen.result("second read of the end", &server.read(&mut [0; 8]).await);
    server.write_all(b"answer").await.unwrap();
    seen.result("read of the answer", &client.read(&mut [0; 8]).await);
    seen.outcome("peer address", &client.peer_addr());
    server.close().await.unwrap();
    seen.result("read after both closed", &client.read(&mut [0; 8]).await);
    rest().await;
    seen.outcome("peer address after both closed", &client.peer_addr());
    seen.result("close again", &client.close().await);
}

async fn bind_rules(seen: &mut Seen) {
    let no_reuse = ListenOptions::new().reuse_address(false);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    seen.outcome("bound twice", &TcpListener::bind(addr).await);
    seen.outcome("all addresses", &TcpListener::bind(("0.0.0.0", addr.port())).await);
    seen.outcome("another address", &TcpListener::bind(("127.0.0.2", addr.port())).await);
    let client = TcpStream::connect(addr).await.unwrap();
    let server = listener.accept().await.unwrap().0;
    drop(listener);
    seen.outcome("with an open connection", &TcpListener::bind(addr).await);
    seen.outcome("with an open connection, no reuse", &TcpListener::bind_with(addr, &no_reuse).await);
    let clients = client.local_addr().unwrap();
    seen.outcome("at the port of a client", &TcpListener::bind(clients).await);
    seen.outcome("at the port of a client, no reuse", &TcpListener::bind_with(clients, &no_reuse).await);
    drop((client, server));
    seen.outcome("at an address of nobody", &TcpListener::bind("192.0.2.1:0").await);
    seen.outcome("at a multicast address", &TcpListener::bind("224.0.0.1:0").await);
}

async fn time_wait(seen: &mut Seen) {
    let no_reuse = ListenOptions::new().reuse_address(false);
    for (closed_first, reuse, no_reuse_name) in [
        ("server", "server closed first", "server closed first, no reuse"),
        ("client", "client closed first", "client closed first, no reuse"),
    ] {
        let listener = TcpListener::bind_with("127.0.0.1:0", &no_reuse).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let client = TcpStream::connect(addr).await.unwrap();
        let server = listener.accept().await.unwrap().0;
        drop(listener);
        let (first, second) = if closed_first == "server" { (server, client) } else { (client, server) };
        drop(first);
        rest().await;
        drop(second);
        rest().await;
        seen.outcome(no_reuse_name, &TcpListener::bind_with(addr, &no_reuse).await);
        seen.outcome(reuse, &TcpListener::bind(addr).await);
    }
    // A reset leaves nothing.
    let listener = TcpListener::bind_with("127.0.0.1:0", &no_reuse).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let client = TcpStream::connect(addr).await.unwrap();
    let server = listener.accept().await.unwrap().0;
    server.set_linger(Some(Duration::ZERO)).unwrap();
    drop((listener, server));
    rest().await;
    drop(client);
    seen.outcome("reset, no reuse", &TcpListener::bind_with(addr, &no_reuse).await);
}

async fn ports_of_connects(seen: &mut Seen) {
    let listeners =
        [TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap()];
    let [one, other] = [0, 1].map(|n| listeners[n].local_addr().unwrap());
    let from = unused().await;
    let options = ConnectOptions::new().local_addr(from);
    let first = TcpStream::connect_with(one, &options).await;
    seen.outcome("from a port", &first);
    seen.outcome("from the same port to the same peer", &TcpStream::connect_with(one, &options).await);
    seen.outcome("from the same port to another peer", &TcpStream::connect_with(other, &options).await);
    seen.outcome(
        "from the port of a listener",
        &TcpStream::connect_with(one, &ConnectOptions::new().local_addr(other)).await,
    );
    let third = ConnectOptions::new().local_addr(([127, 0, 0, 3], 0));
    let client = TcpStream::connect_with(one, &third).await.unwrap();
    seen.value("from another loopback address", client.local_addr().unwrap().ip());
    let strange = ConnectOptions::new().local_addr(([192, 0, 2, 1], 0));
    seen.outcome("from an address of nobody", &TcpStream::connect_with(one, &strange).await);
}

async fn addresses(seen: &mut Seen) {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    seen.value("local address of the listener", listener.local_addr().unwrap().ip());
    for (to, local, peer) in [
        ("0.0.0.0", "local address to 0.0.0.0", "peer address of 0.0.0.0"),
        ("127.0.0.1", "local address to 127.0.0.1", "peer address of 127.0.0.1"),
        ("127.0.0.2", "local address to 127.0.0.2", "peer address of 127.0.0.2"),
    ] {
        let client = TcpStream::connect((to, port)).await.unwrap();
        let (server, from) = listener.accept().await.unwrap();
        assert_eq!(client.local_addr().unwrap(), from);
        assert_eq!(server.local_addr().unwrap(), client.peer_addr().unwrap());
        seen.value(local, client.local_addr().unwrap().ip());
        seen.value(peer, client.peer_addr().unwrap().ip());
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    seen.outcome("an address that it does not listen on", &TcpStream::connect(("127.0.0.2", port)).await);
}

async fn v6_takes_v4(seen: &mut Seen) {
    let listener = TcpListener::bind("[::]:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    seen.value("local address of the listener", listener.local_addr().unwrap().ip());
    let client = TcpStream::connect(("127.0.0.1", port)).await;
    seen.outcome("connect from IPv4", &client);
    if let Ok(client) = client {
        let (server, from) = listener.accept().await.unwrap();
        seen.value("the client's local address", client.local_addr().unwrap().ip());
        seen.value("the client's address, at the server", from.ip());
        seen.value("the server's local address", server.local_addr().unwrap().ip());
    }
    let client = TcpStream::connect(("::1", port)).await.unwrap();
    let (server, from) = listener.accept().await.unwrap();
    seen.value("the client's local address, IPv6", client.local_addr().unwrap().ip());
    seen.value("the client's address, at the server, IPv6", from.ip());
    seen.value("the server's local address, IPv6", server.local_addr().unwrap().ip());
    seen.outcome("bind to IPv4 at the port", &TcpListener::bind(("0.0.0.0", port)).await);
    seen.outcome("bind to 127.0.0.1 at the port", &TcpListener::bind(("127.0.0.1", port)).await);
    let mapped = "::ffff:127.0.0.1".parse::<Ipv6Addr>().unwrap();
    let client = TcpStream::connect((mapped, port)).await;
    seen.outcome("connect to a mapped address", &client);
    if let Ok(client) = client {
        let (_, from) = listener.accept().await.unwrap();
        seen.value("local address to a mapped address", client.local_addr().unwrap().ip());
        seen.value("peer address of a mapped address", client.peer_addr().unwrap().ip());
        seen.value("at the server, from a mapped address", from.ip());
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = TcpStream::connect((mapped, port)).await;
    seen.outcome("a mapped address of a listener on IPv4", &client);
    if client.is_ok() {
        seen.value("at a listener on IPv4, from a mapped address", listener.accept().await.unwrap().1.ip());
    }
    let client = TcpStream::connect(("::1", port)).await;
    seen.outcome("IPv6 to a listener on IPv4", &client);
    seen.outcome("bind to a mapped address at the port", &TcpListener::bind((mapped, port)).await);
    let listener = TcpListener::bind((mapped, 0)).await;
    seen.outcome("bind to a mapped address", &listener);
    if let Ok(listener) = listener {
        let port = listener.local_addr().unwrap().port();
        seen.value("local address of a listener on a mapped address", listener.local_addr().unwrap().ip());
        seen.outcome(
            "IPv4 to a listener on a mapped address",
            &TcpStream::connect(("127.0.0.1", port)).await,
        );
    }
}

async fn v6_only(seen: &mut Seen) {
    let only = ListenOptions::new().only_v6(true);
    let listener = TcpListener::bind_with("[::]:0", &only).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    seen.outcome("connect from IPv4", &TcpStream::connect(("127.0.0.1", port)).await);
    seen.outcome("connect from IPv6", &TcpStream::connect(("::1", port)).await);
    seen.outcome("bind to IPv4 at the port", &TcpListener::bind(("0.0.0.0", port)).await);
    seen.outcome("at a mapped address", &TcpListener::bind_with("[::ffff:127.0.0.1]:0", &only).await);
}

async fn shared_ports(seen: &mut Seen) {
    let shared = ListenOptions::new().reuse_port(true);
    let first = TcpListener::bind_with("127.0.0.1:0", &shared).await.unwrap();
    let addr = first.local_addr().unwrap();
    seen.outcome("bound without the option", &TcpListener::bind(addr).await);
    let second = TcpListener::bind_with(addr, &shared).await.unwrap();
    let mut clients = Vec::new();
    for _ in 0..40 {
        clients.push(TcpStream::connect(addr).await.unwrap());
    }
    let mut taken = [0, 0];
    for (taken, listener) in taken.iter_mut().zip([&first, &second]) {
        while crate::timeout(Duration::from_millis(60), listener.accept()).await.is_ok() {
            *taken += 1;
        }
    }
    seen.value("connections of both", taken[0] + taken[1]);
    seen.value("each has some", taken[0] > 0 && taken[1] > 0);
    drop(first);
    seen.outcome("connect when one is gone", &TcpStream::connect(addr).await);
}

async fn connect_to_itself(seen: &mut Seen) {
    let addr = unused().await;
    let stream = TcpStream::connect_with(addr, &ConnectOptions::new().local_addr(addr)).await;
    seen.outcome("connect", &stream);
    let Ok(mut stream) = stream else { return };
    seen.value("both addresses are the same", stream.local_addr().unwrap() == stream.peer_addr().unwrap());
    stream.write_all(b"echo").await.unwrap();
    let mut buf = [0; 8];
    seen.soon("read", &soon(stream.read(&mut buf)).await);
    stream.close().await.unwrap();
    seen.soon("read after close", &soon(stream.read(&mut buf)).await);
}

async fn backlog(seen: &mut Seen) {
    let listener = TcpListener::bind_with("127.0.0.1:0", &ListenOptions::new().backlog(2)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let mut clients = Vec::new();
    while clients.len() < 10 {
        match crate::timeout(Duration::from_millis(300), TcpStream::connect(addr)).await {
            Ok(client) => clients.push(client.unwrap()),
            Err(_) => break,
        }
    }
    seen.value("connections with a backlog of 2", clients.len());
    drop(listener.accept().await.unwrap());
    // The answer to the last request was lost; it is sent again after a second.
    let next = crate::timeout(Duration::from_secs(5), TcpStream::connect(addr)).await;
    seen.value("one more after an accept", next.is_ok());
}

async fn queued_connection_is_reset(seen: &mut Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    rest().await;
    drop(listener);
    rest().await;
    seen.result("first read", &client.read(&mut [0; 8]).await);
    seen.result("second read", &client.read(&mut [0; 8]).await);
    seen.result("write", &client.write(b"x").await);
}

async fn linger_of_zero(seen: &mut Seen) {
    let (mut client, server) = pair().await;
    server.set_linger(Some(Duration::ZERO)).unwrap();
    drop(server);
    rest().await;
    seen.result("write", &client.write(b"x").await);
    seen.result("read", &client.read(&mut [0; 8]).await);
    // Data that has arrived before a reset is gone with it.
    let (mut client, mut server) = pair().await;
    server.write_all(b"before").await.unwrap();
    rest().await;
    server.set_linger(Some(Duration::ZERO)).unwrap();
    drop(server);
    rest().await;
    seen.result("read of what was sent before", &client.read(&mut [0; 8]).await);
    seen.result("read after that", &client.read(&mut [0; 8]).await);
}

async fn big_write(seen: &mut Seen) {
    let (client, mut server) = pair().await;
    let big = vec![1; 64 << 20];
    let mut sent = 0;
    client.writable().await.unwrap();
    loop {
        match client.try_write(&big) {
            Ok(len) => sent += len,
            Err(error) => {
                seen.outcome::<()>("when the buffers are full", &Err(error));
                break;
            }
        }
    }
    seen.value("is not all sent at once", sent < big.len());
    drop(client);
    let mut received = Vec::new();
    server.read_to_end(&mut received).await.unwrap();
    seen.value("all that was sent arrives", received.len() == sent);
}

async fn buffers(seen: &mut Seen) {
    let (client, _server) = pair().await;
    seen.value("receive buffer of 64 KiB", client.recv_buffer_size().unwrap() == 1 << 16);
    seen.outcome("conversion into a stream of std", &client.into_std());
}

async fn readiness(seen: &mut Seen) {
    let (client, server) = pair().await;
    seen.value("fresh: readable", at_once(client.readable()).await);
    seen.value("fresh: writable", at_once(client.writable()).await);
    server.try_write(b"x").unwrap();
    seen.value("with data: readable", at_once(client.readable()).await);
    seen.result("with data: try", &client.try_read(&mut [0; 8]));
    seen.result("without data: try", &client.try_read(&mut [0; 8]));
    seen.value("without data: readable", at_once(client.readable()).await);
    seen.result("without data: try into nothing", &client.try_read(&mut []));
    drop(server);
    rest().await;
    seen.value("at the end: readable", at_once(client.readable()).await);
    seen.result("at the end: try", &client.try_read(&mut [0; 8]));
    seen.result("at the end: try again", &client.try_read(&mut [0; 8]));
    seen.value("at the end: writable", at_once(client.writable()).await);
    seen.result("at the end: try to write", &client.try_write(b"x"));
    rest().await;
    seen.value("after a reset: writable", at_once(client.writable()).await);
    seen.result("after a reset: try to write", &client.try_write(b"x"));
    seen.value("after a reset: readable", at_once(client.readable()).await);
    seen.result("after a reset: try", &client.try_read(&mut [0; 8]));

    let (client, server) = pair().await;
    server.set_linger(Some(Duration::ZERO)).unwrap();
    drop(server);
    rest().await;
    seen.value("reset: readable", at_once(client.readable()).await);
    seen.value("reset: writable", at_once(client.writable()).await);
    seen.result("reset: try", &client.try_read(&mut [0; 8]));
    seen.result("reset: try again", &client.try_read(&mut [0; 8]));
    seen.value("reset, reported: readable", at_once(client.readable()).await);
    seen.result("reset, reported: try to write", &client.try_write(b"x"));

    let (mut client, _server) = pair().await;
    client.close().await.unwrap();
    seen.value("closed: writable", at_once(client.writable()).await);
    seen.result("closed: try to write", &client.try_write(b"x"));
    seen.value("closed: readable", at_once(client.readable()).await);
}

async fn both_close(seen: &mut Seen) {
    let (mut client, mut server) = pair().await;
    client.write_all(b"client").await.unwrap();
    server.write_all(b"server").await.unwrap();
    client.close().await.unwrap();
    server.close().await.unwrap();
    rest().await;
    let mut buf = [0; 16];
    seen.result("client reads", &client.read(&mut buf).await);
    seen.result("client reads the end", &client.read(&mut buf).await);
    seen.result("server reads", &server.read(&mut buf).await);
    seen.result("server reads the end", &server.read(&mut buf).await);
    seen.result("client writes", &client.write(b"x").await);
    seen.result("server writes", &server.write(b"x").await);
    seen.outcome("client's peer", &client.peer_addr());
    seen.outcome("server's peer", &server.peer_addr());
    seen.outcome("client's own", &client.local_addr());
    let closed = client.local_addr().unwrap();
    drop((client, server));
    seen.outcome("bind to the port of the client", &TcpListener::bind(closed).await);
}

async fn options_of_a_reset_stream(seen: &mut Seen) {
    let (mut client, server) = pair().await;
    server.set_linger(Some(Duration::ZERO)).unwrap();
    drop(server);
    rest().await;
    seen.result("nodelay", &client.set_nodelay(true));
    seen.result("ttl", &client.set_ttl(9));
    seen.result("ttl set", &client.ttl());
    seen.outcome("keepalive", &client.set_keepalive(Some(Keepalive::new().time(Duration::from_secs(60)))));
    seen.result("linger", &client.set_linger(None));
    seen.outcome("local address", &client.local_addr());
    let mut buf = [0; 8];
    seen.result("peek", &client.peek(&mut buf).await);
    seen.result("peek again", &client.peek(&mut buf).await);
    seen.result("vectored write of nothing", &client.write_vectored(&[]).await);
    seen.result("flush", &client.flush().await);
}

async fn halves(seen: &mut Seen) {
    let (client, mut server) = pair().await;
    let (mut read, write) = client.into_split();
    drop(write);
    seen.result("end when the write half is gone", &soon_ok(server.read(&mut [0; 8])).await);
    server.write_all(b"still").await.unwrap();
    seen.result("the read half still reads", &read.read(&mut [0; 8]).await);
    server.write_all(b"unread").await.unwrap();
    rest().await;
    drop(read);
    rest().await;
    seen.result("server when both are gone, with unread data", &server.read(&mut [0; 8]).await);
    let (client, mut server) = pair().await;
    let (read, mut write) = client.into_split();
    drop(read);
    seen.result("the write half still writes", &write.write(b"x").await);
    seen.result("it arrives", &soon_ok(server.read(&mut [0; 8])).await);
    seen.result("to a half that is gone", &server.write(b"x").await);
    rest().await;
    drop(write);
    rest().await;
    seen.result("server when both are gone, with data that nobody read", &server.read(&mut [0; 8]).await);
}

async fn soon_ok(future: impl Future<Output = std::io::Result<usize>>) -> std::io::Result<usize> {
    soon(future).await.unwrap_or(Err(std::io::ErrorKind::TimedOut.into()))
}

async fn listeners_that_are_gone(seen: &mut Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let client = TcpStream::connect(addr).await.unwrap();
    let server = listener.accept().await.unwrap().0;
    drop(listener);
    seen.outcome("connect", &TcpStream::connect(addr).await);
    seen.outcome("the server's own address", &server.local_addr());
    let second = TcpListener::bind(addr).await;
    seen.outcome("listen again beside a connection", &second);
    seen.outcome("connect to the second", &TcpStream::connect(addr).await);
    drop((client, server));
}

async fn options(seen: &mut Seen) {
    let (client, server) = pair().await;
    seen.result("nodelay", &client.nodelay());
    seen.result("ttl", &client.ttl());
    seen.result("linger", &client.linger());
    seen.value("keepalive", client.keepalive().unwrap().is_some());
    seen.result("ttl of 0", &client.set_ttl(0));
    seen.result("ttl of 256", &client.set_ttl(256));
    seen.result("ttl of 255", &client.set_ttl(255));
    client.set_linger(Some(Duration::from_millis(1500))).unwrap();
    seen.result("linger of a second and a half", &client.linger());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.set_ttl(7).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let accepted = listener.accept().await.unwrap().0;
    seen.result("ttl of an accepted stream", &accepted.ttl());
    seen.result("ttl of its client", &client.ttl());
    drop(server);
}

async fn first_errors(seen: &mut Seen) {
    seen.outcome("nobody listens", &TcpStream::connect(unused().await).await);
    seen.outcome("port 0", &TcpStream::connect("127.0.0.1:0").await);
    seen.outcome("IPv6, nobody listens", &TcpStream::connect(("::1", unused().await.port())).await);
    let from_v4 = ConnectOptions::new().local_addr(([127, 0, 0, 1], 0));
    seen.outcome("from IPv4 to IPv6", &TcpStream::connect_with("[::1]:7", &from_v4).await);
}

async fn ends_of_a_stream(seen: &mut Seen) {
    let (mut client, mut server) = pair().await;
    client.write_all(b"abcdef").await.unwrap();
    let mut buf = [0; 4];
    seen.result("peek", &server.peek(&mut buf).await);
    seen.result("read", &server.read(&mut buf).await);
    seen.result("empty read", &server.read(&mut []).await);
    seen.result("the rest", &server.read(&mut buf).await);
    seen.outcome("try to read nothing", &server.try_read(&mut buf));
    let parts = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cd")];
    seen.result("vectored write", &client.write_vectored(&parts).await);
    seen.result("read of that", &server.read(&mut [0; 8]).await);
    drop(client);
    seen.result("peek at the end", &server.peek(&mut buf).await);
    seen.result("try to read at the end", &server.try_read(&mut buf));
}

async fn reset_before_accept(seen: &mut Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    client.set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
    rest().await;
    let accepted = soon(listener.accept()).await.unwrap();
    seen.outcome("accept", &accepted);
    let (mut server, _) = accepted.unwrap();
    seen.outcome("peer address", &server.peer_addr());
    seen.result("read", &server.read(&mut [0; 8]).await);
}

async fn port_numbers(seen: &mut Seen) {
    let mut listeners = Vec::new();
    for _ in 0..16 {
        listeners.push(TcpListener::bind("127.0.0.1:0").await.unwrap());
    }
    let ports: Vec<_> = listeners.iter().map(|it| it.local_addr().unwrap().port()).collect();
    seen.value("are of the range of Linux", ports.iter().all(|port| (32_768..61_000).contains(port)));
    seen.value("are all different", ports.iter().collect::<BTreeSet<_>>().len());
    seen.value("are in order", ports.is_sorted());
}

/// A connection to no address is one to the address that it comes from.
async fn unspecified_target(seen: &mut Seen) {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let plain = TcpStream::connect(("0.0.0.0", port)).await.unwrap();
    seen.value("its peer", plain.peer_addr().unwrap().ip());
    let options = ConnectOptions::new().local_addr("127.0.0.2:0".parse::<SocketAddr>().unwrap());
    let bound = TcpStream::connect_with(("0.0.0.0", port), &options).await.unwrap();
    seen.value("peer of one from 127.0.0.2", bound.peer_addr().unwrap().ip());
    let dual = TcpListener::bind("[::]:0").await.unwrap();
    let mapped = TcpStream::connect(("::ffff:0.0.0.0", dual.local_addr().unwrap().port())).await.unwrap();
    seen.value("peer of a mapped one", mapped.peer_addr().unwrap().ip());
    seen.value("address of a mapped one", mapped.local_addr().unwrap().ip());
}

/// Nobody can connect to a group, or to everybody.
async fn targets_of_datagrams_only(seen: &mut Seen) {
    for (what, to) in [
        ("a group", "224.0.0.1:7"),
        ("a mapped group", "[::ffff:224.0.0.1]:7"),
        ("a group of IPv6", "[ff01::1]:7"),
        ("everybody", "255.255.255.255:7"),
        ("everybody here", "127.255.255.255:7"),
    ] {
        let connected = soon(TcpStream::connect(to)).await;
        seen.soon(what, &connected.map(|it| it.map(drop)));
    }
}

async fn families_of_ends(seen: &mut Seen) {
    let listener = TcpListener::bind("[::]:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for (what, from, to) in [
        ("from ::1 to a mapped address", "[::1]:0", "::ffff:127.0.0.1"),
        ("from a mapped address to ::1", "[::ffff:127.0.0.1]:0", "::1"),
        ("from a mapped address to a mapped address", "[::ffff:127.0.0.2]:0", "::ffff:127.0.0.1"),
        ("from :: to a mapped address", "[::]:0", "::ffff:127.0.0.1"),
        ("from :: to ::1", "[::]:0", "::1"),
    ] {
        let options = ConnectOptions::new().local_addr(from.parse::<SocketAddr>().unwrap());
        let stream = TcpStream::connect_with((to, port), &options).await;
        seen.result(what, &stream.and_then(|it| Ok(it.local_addr()?.ip())));
    }
}

/// What is not set is that of the system, or was set before; and there is a most.
async fn keepalive_times(seen: &mut Seen) {
    let (client, _server) = pair().await;
    let second = Duration::from_secs(1);
    client.set_keepalive(Some(Keepalive::new().time(10 * second))).unwrap();
    let times =
        |client: &TcpStream| client.keepalive().map(|it| it.map(|it| (it.time, it.interval, it.retries)));
    seen.result("of the system", &times(&client));
    client.set_keepalive(Some(Keepalive::new().interval(second).retries(3))).unwrap();
    seen.result("set before", &times(&client));
    for (what, keepalive) in [
        ("longest time", Keepalive::new().time(32_767 * second)),
        ("longer", Keepalive::new().time(32_768 * second)),
        ("longest interval", Keepalive::new().interval(32_767 * second)),
        ("longer interval", Keepalive::new().interval(Duration::MAX)),
        ("most retries", Keepalive::new().retries(127)),
        ("more retries", Keepalive::new().retries(128)),
    ] {
        seen.result(what, &client.set_keepalive(Some(keepalive)));
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = ConnectOptions::new().keepalive(Keepalive::new().retries(128));
    seen.outcome(
        "connect with more",
        &TcpStream::connect_with(listener.local_addr().unwrap(), &options).await,
    );
    let options = ListenOptions::new().keepalive(Keepalive::new().retries(128));
    seen.outcome("listen with more", &TcpListener::bind_with("127.0.0.1:0", &options).await);
}

/// A call takes so many buffers at most (`UIO_MAXIOV`).
async fn many_buffers(seen: &mut Seen) {
    let (mut client, _server) = pair().await;
    let parts = [(); 1100].map(|()| IoSlice::new(b"x"));
    seen.result("vectored write", &client.write_vectored(&parts).await);
    seen.result("try", &client.try_write_vectored(&parts));
}

/// What does not reach the socket does not take its error.
async fn nothing_on_a_reset_stream(seen: &mut Seen) {
    let (mut client, server) = pair().await;
    server.set_linger(Some(Duration::ZERO)).unwrap();
    drop(server);
    rest().await;
    seen.result("try to write nothing", &client.try_write(&[]));
    seen.result("try to write no buffer", &client.try_write_vectored(&[]));
    seen.result("try to read nothing", &client.try_read(&mut []));
    seen.result("peek into nothing", &client.peek(&mut []).await);
    seen.result("write of nothing", &client.write(&[]).await);
    seen.result("write of nothing again", &client.write(&[]).await);
}
