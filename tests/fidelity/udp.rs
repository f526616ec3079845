use std::net::{Ipv4Addr, Ipv6Addr};

use anyrt::net::UdpSocket;

use crate::{Seen, at_once, rest, soon};

crate::programs! {
    refusals sizes addresses families bind_rules strangers truncation queue options groups send_to_itself other_ports readiness same_port
    unspecified_targets families_of_peers refused_before_connect
}

async fn bound() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").await.unwrap()
}

async fn refusals(seen: &mut Seen) {
    let socket = bound().await;
    seen.result("send without a peer", &socket.send(b"x").await);
    seen.outcome("peer address without a peer", &socket.peer_addr());
    let gone = bound().await.local_addr().unwrap();
    seen.result("send to nobody", &socket.send_to(b"x", gone).await);
    rest().await;
    seen.outcome("then receive", &socket.try_recv(&mut [0; 8]));
    socket.connect(gone).await.unwrap();
    seen.result("connected: first send", &socket.send(b"x").await);
    rest().await;
    seen.result("connected: second send", &socket.send(b"x").await);
    seen.result("connected: third send", &socket.send(b"x").await);
    rest().await;
    seen.soon("connected: receive", &soon(socket.recv(&mut [0; 8])).await);
    seen.outcome("connected: receive again", &socket.try_recv(&mut [0; 8]));
}

async fn sizes(seen: &mut Seen) {
    let (a, b) = (bound().await, bound().await);
    let to = b.local_addr().unwrap();
    seen.result("as large as possible", &a.send_to(&[0; 65_507], to).await);
    seen.soon("received", &soon(b.recv(&mut [0; 65_536])).await);
    seen.result("larger", &a.send_to(&[0; 65_508], to).await);
    let (a, b) = (UdpSocket::bind("[::1]:0").await.unwrap(), UdpSocket::bind("[::1]:0").await.unwrap());
    let to = b.local_addr().unwrap();
    seen.result("IPv6, as large as possible", &a.send_to(&[0; 65_527], to).await);
    seen.result("IPv6, larger", &a.send_to(&[0; 65_528], to).await);
}

async fn addresses(seen: &mut Seen) {
    let server = UdpSocket::bind("0.0.0.0:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    let client = UdpSocket::bind("0.0.0.0:0").await.unwrap();
    client.connect(("127.0.0.1", port)).await.unwrap();
    seen.value("local address once connected", client.local_addr().unwrap().ip());
    seen.value("peer address", client.peer_addr().unwrap().ip());
    let client = UdpSocket::bind("0.0.0.0:0").await.unwrap();
    seen.result("send to 0.0.0.0", &client.send_to(b"x", ("0.0.0.0", port)).await);
    let received = soon(server.recv_from(&mut [0; 8])).await;
    seen.value("from", received.map_or("nobody".to_owned(), |it| it.unwrap().1.ip().to_string()));
    client.send_to(b"x", ("127.0.0.2", port)).await.unwrap();
    let received = soon(server.recv_from(&mut [0; 8])).await;
    seen.value(
        "from, to 127.0.0.2",
        received.map_or("nobody".to_owned(), |it| it.unwrap().1.ip().to_string()),
    );
}

async fn families(seen: &mut Seen) {
    let (v4, v6) = (bound().await, UdpSocket::bind("[::1]:0").await.unwrap());
    seen.result("IPv4 to IPv6", &v4.send_to(b"x", v6.local_addr().unwrap()).await);
    seen.result("IPv6 to IPv4", &v6.send_to(b"x", v4.local_addr().unwrap()).await);
    seen.result("IPv4 connects to IPv6", &v4.connect(v6.local_addr().unwrap()).await);
    seen.result("IPv6 connects to IPv4", &v6.connect(v4.local_addr().unwrap()).await);
    let any = UdpSocket::bind("[::]:0").await.unwrap();
    let port = any.local_addr().unwrap().port();
    seen.result("IPv4 to a socket on [::]", &v4.send_to(b"x", ("127.0.0.1", port)).await);
    let received = soon(any.recv_from(&mut [0; 8])).await;
    seen.value("its sender", received.map_or("nobody".to_owned(), |it| it.unwrap().1.ip().to_string()));
    let mapped = "::ffff:127.0.0.1".parse::<Ipv6Addr>().unwrap();
    let port = v4.local_addr().unwrap().port();
    seen.result("a socket on [::] to a mapped address", &any.send_to(b"x", (mapped, port)).await);
    let received = soon(v4.recv_from(&mut [0; 8])).await;
    seen.value(
        "its sender, mapped",
        received.map_or("nobody".to_owned(), |it| it.unwrap().1.ip().to_string()),
    );
    seen.result("a socket on [::] to IPv4", &any.send_to(b"x", ("127.0.0.1", port)).await);
}

async fn bind_rules(seen: &mut Seen) {
    let socket = bound().await;
    let port = socket.local_addr().unwrap().port();
    seen.outcome("bound twice", &UdpSocket::bind(("127.0.0.1", port)).await);
    seen.outcome("all addresses", &UdpSocket::bind(("0.0.0.0", port)).await);
    seen.outcome("another address", &UdpSocket::bind(("127.0.0.2", port)).await);
    seen.outcome("at an address of nobody", &UdpSocket::bind("192.0.2.1:0").await);
    seen.outcome("IPv6", &UdpSocket::bind(("::1", port)).await);
    seen.outcome("all addresses of IPv6", &UdpSocket::bind(("::", port)).await);
    drop(socket);
    seen.outcome("when it is gone", &UdpSocket::bind(("127.0.0.1", port)).await);
}

async fn strangers(seen: &mut Seen) {
    let (a, b, stranger) = (bound().await, bound().await, bound().await);
    a.connect(b.local_addr().unwrap()).await.unwrap();
    seen.result("a stranger sends", &stranger.send_to(b"stranger", a.local_addr().unwrap()).await);
    seen.result("the peer sends", &b.send_to(b"peer", a.local_addr().unwrap()).await);
    seen.soon("received", &soon(a.recv(&mut [0; 16])).await);
    // A datagram that was in the queue when the socket was connected stays in it.
    let c = bound().await;
    stranger.send_to(b"stranger", c.local_addr().unwrap()).await.unwrap();
    rest().await;
    c.connect(b.local_addr().unwrap()).await.unwrap();
    seen.outcome("received before connect", &c.try_recv(&mut [0; 16]));
}

async fn truncation(seen: &mut Seen) {
    let (a, b) = (bound().await, bound().await);
    let to = b.local_addr().unwrap();
    for bytes in [&b"abcdef"[..], b"", b"xyz", b"next"] {
        a.send_to(bytes, to).await.unwrap();
    }
    rest().await;
    seen.result("into a small buffer", &b.recv(&mut [0; 4]).await);
    seen.result("an empty one", &b.recv(&mut [0; 4]).await);
    seen.result("into no buffer", &b.recv(&mut []).await);
    seen.result("the next", &b.peek(&mut [0; 8]).await);
    seen.value("truncated", b.recv_msg(&mut [0; 2]).await.unwrap().truncated);
}

async fn queue(seen: &mut Seen) {
    let (a, b) = (bound().await, bound().await);
    let to = b.local_addr().unwrap();
    for (size, what) in
        [(1, "small ones that fit"), (1000, "of 1000 bytes that fit"), (20_000, "of 20000 bytes that fit")]
    {
        for _ in 0..1000 {
            a.send_to(&vec![0; size], to).await.unwrap();
        }
        rest().await;
        let mut received = 0_u32;
        while b.try_recv(&mut [0; 65_536]).is_ok() {
            received += 1;
        }
        // As a power of two: the exact number is another one in each version of Linux.
        seen.value(what, received.checked_ilog2().unwrap_or_default());
    }
}

async fn options(seen: &mut Seen) {
    let socket = bound().await;
    seen.result("broadcast", &socket.broadcast());
    seen.result("send to everybody", &socket.send_to(b"x", ("255.255.255.255", 7)).await);
    seen.result("connect to everybody", &socket.connect(("255.255.255.255", 7)).await);
    seen.result("send to everybody here", &socket.send_to(b"x", ("127.255.255.255", 7)).await);
    seen.result("connect to everybody here", &socket.connect(("127.255.255.255", 7)).await);
    seen.result("ttl", &socket.ttl());
    seen.result("ttl of 0", &socket.set_ttl(0));
    seen.result("ttl of 256", &socket.set_ttl(256));
    seen.result("multicast loop", &socket.multicast_loop_v4());
    seen.result("multicast ttl", &socket.multicast_ttl_v4());
    seen.result("multicast ttl of 0", &socket.set_multicast_ttl_v4(0));
    seen.result("multicast ttl of 256", &socket.set_multicast_ttl_v4(256));
    seen.outcome("multicast loop of IPv6, on IPv4", &socket.multicast_loop_v6());
    let v6 = UdpSocket::bind("[::1]:0").await.unwrap();
    seen.outcome("multicast loop of IPv6", &v6.multicast_loop_v6());
    seen.outcome("multicast loop of IPv4, on IPv6", &v6.multicast_loop_v4());
}

async fn groups(seen: &mut Seen) {
    let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
    let (group, here) = (Ipv4Addr::new(239, 255, 7, 7), Ipv4Addr::LOCALHOST);
    seen.result("leave a group of others", &socket.leave_multicast_v4(&group, &here));
    seen.result("join", &socket.join_multicast_v4(&group, &here));
    seen.result("join again", &socket.join_multicast_v4(&group, &here));
    seen.result("join what is no group", &socket.join_multicast_v4(&here, &here));
    seen.result(
        "join at an address of nobody",
        &socket.join_multicast_v4(&group, &Ipv4Addr::new(192, 0, 2, 1)),
    );
    seen.result("leave", &socket.leave_multicast_v4(&group, &here));
    seen.result("leave again", &socket.leave_multicast_v4(&group, &here));
    let v6 = UdpSocket::bind("[::]:0").await.unwrap();
    let group: Ipv6Addr = "ff01::7:7".parse().unwrap();
    seen.result("join, IPv6", &v6.join_multicast_v6(&group, 1));
    seen.result("join again, IPv6", &v6.join_multicast_v6(&group, 1));
    seen.result("join what is no group, IPv6", &v6.join_multicast_v6(&Ipv6Addr::LOCALHOST, 1));
    seen.result("leave, IPv6", &v6.leave_multicast_v6(&group, 1));
    seen.result("leave again, IPv6", &v6.leave_multicast_v6(&group, 1));
}

async fn send_to_itself(seen: &mut Seen) {
    let socket = bound().await;
    socket.send_to(b"self", socket.local_addr().unwrap()).await.unwrap();
    seen.soon("received", &soon(socket.recv(&mut [0; 8])).await);
    socket.connect(socket.local_addr().unwrap()).await.unwrap();
    seen.result("connected: send", &socket.send(b"self").await);
    seen.soon("connected: received", &soon(socket.recv(&mut [0; 8])).await);
}

async fn other_ports(seen: &mut Seen) {
    let (a, b, c) = (bound().await, bound().await, bound().await);
    seen.result("send to port 0", &a.send_to(b"x", ("127.0.0.1", 0)).await);
    seen.result("connect to port 0", &c.connect(("127.0.0.1", 0)).await);
    seen.result("send then", &c.send(b"x").await);
    seen.outcome("peer address then", &c.peer_addr());
    a.connect(b.local_addr().unwrap()).await.unwrap();
    let d = bound().await;
    seen.result("connected, to another address", &a.send_to(b"other", d.local_addr().unwrap()).await);
    seen.soon("received there", &soon(d.recv(&mut [0; 8])).await);
    a.connect(d.local_addr().unwrap()).await.unwrap();
    seen.value("connected again", a.peer_addr().unwrap() == d.local_addr().unwrap());
    seen.result("send to nobody", &a.send_to(b"x", ("192.0.2.1", 7)).await.map(|_| ()));
}

async fn readiness(seen: &mut Seen) {
    let (a, b) = (bound().await, bound().await);
    seen.value("fresh: readable", at_once(a.readable()).await);
    seen.value("fresh: writable", at_once(a.writable()).await);
    b.send_to(b"x", a.local_addr().unwrap()).await.unwrap();
    seen.value("with a datagram: readable", at_once(a.readable()).await);
    seen.result("with a datagram: try", &a.try_recv(&mut [0; 8]));
    seen.result("without: try", &a.try_recv(&mut [0; 8]));
    seen.value("without: readable", at_once(a.readable()).await);
    let gone = bound().await.local_addr().unwrap();
    a.connect(gone).await.unwrap();
    seen.result("try to send to nobody", &a.try_send(b"x"));
    seen.value("refused: readable", at_once(a.readable()).await);
    seen.result("refused: try", &a.try_recv(&mut [0; 8]));
    seen.result("refused, reported: try", &a.try_recv(&mut [0; 8]));
    seen.result("try to send again", &a.try_send(b"x"));
    rest().await;
    seen.result("try to send after a refusal", &a.try_send(b"x"));
}

async fn same_port(seen: &mut Seen) {
    // Of two sockets at one port, the one with the address gets what is sent there.
    let exact = bound().await;
    let port = exact.local_addr().unwrap().port();
    let other = UdpSocket::bind(("127.0.0.2", port)).await.unwrap();
    let sender = bound().await;
    sender.send_to(b"one", ("127.0.0.1", port)).await.unwrap();
    sender.send_to(b"other", ("127.0.0.2", port)).await.unwrap();
    sender.send_to(b"nobody", ("127.0.0.3", port)).await.unwrap();
    seen.soon("first", &soon(exact.recv(&mut [0; 8])).await);
    seen.soon("second", &soon(other.recv(&mut [0; 8])).await);
    rest().await;
    seen.result("nothing more", &exact.try_recv(&mut [0; 8]));
    // A name, a family and a port of 0 are checked in the order of the system.
    seen.result("too long and to port 0", &sender.send_to(&[0; 70_000], ("127.0.0.1", 0)).await);
    seen.result("too long and of the other family", &sender.send_to(&[0; 70_000], "[::1]:7").await);
    seen.result("too long and to everybody", &sender.send_to(&[0; 70_000], ("255.255.255.255", 7)).await);
    let unconnected = bound().await;
    seen.result("too long and to no peer", &unconnected.send(&[0; 70_000]).await);
}

/// Where packets to no address go, depending on the address of the socket.
async fn unspecified_targets(seen: &mut Seen) {
    let other = UdpSocket::bind("127.0.0.2:0").await.unwrap();
    let port = other.local_addr().unwrap().port();
    let here = UdpSocket::bind(("127.0.0.1", port)).await.unwrap();
    seen.result("from 127.0.0.2 to 0.0.0.0", &other.send_to(b"x", ("0.0.0.0", port)).await);
    seen.soon("it comes to 127.0.0.2", &soon(other.recv(&mut [0; 8])).await);
    other.connect(("0.0.0.0", port)).await.unwrap();
    seen.value("its peer", other.peer_addr().unwrap().ip());
    let dual = UdpSocket::bind("[::]:0").await.unwrap();
    dual.connect(("127.0.0.1", port)).await.unwrap();
    seen.result("from a mapped address to ::", &dual.send_to(b"xy", ("::", port)).await);
    seen.soon("it comes to 127.0.0.1", &soon(here.recv(&mut [0; 8])).await);
    seen.result("from a mapped address to ::1", &dual.send_to(b"xy", ("::1", port)).await);
    seen.result("from 127.0.0.1 to ::", &here.send_to(b"x", ("::", port)).await);
    let dual = UdpSocket::bind("[::]:0").await.unwrap();
    seen.result("from :: to a mapped 0.0.0.0", &dual.send_to(b"mapped", ("::ffff:0.0.0.0", port)).await);
    seen.soon("it comes to 127.0.0.1 as well", &soon(here.recv(&mut [0; 8])).await);
}

async fn families_of_peers(seen: &mut Seen) {
    let dual = UdpSocket::bind("[::]:0").await.unwrap();
    let one = UdpSocket::bind("[::1]:0").await.unwrap();
    let v4 = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = v4.local_addr().unwrap().port();
    seen.result("from 127.0.0.1 to ::1 without a port", &v4.send_to(b"x", "[::1]:0").await);
    seen.result("from ::1 to 127.0.0.1 without a port", &one.send_to(b"x", "127.0.0.1:0").await);
    dual.connect(one.local_addr().unwrap()).await.unwrap();
    seen.result("from a peer of ::1 to 127.0.0.1", &dual.send_to(b"xyz", ("127.0.0.1", port)).await);
    seen.soon("it comes there", &soon(v4.recv(&mut [0; 8])).await);
    let port = dual.local_addr().unwrap().port();
    seen.outcome("bind to all of IPv4 at its port", &UdpSocket::bind(("0.0.0.0", port)).await);
    seen.outcome("bind to one of IPv4 at its port", &UdpSocket::bind(("127.0.0.1", port)).await);
    let dual = UdpSocket::bind("[::]:0").await.unwrap();
    dual.connect(v4.local_addr().unwrap()).await.unwrap();
    seen.outcome("a peer of 127.0.0.1 connects to ::1", &dual.connect(one.local_addr().unwrap()).await);
}

/// What was refused is known after `connect` as well, and is told after what is wrong with a send itself.
async fn refused_before_connect(seen: &mut Seen) {
    let gone = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let there = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(gone.local_addr().unwrap()).await.unwrap();
    drop(gone);
    socket.send(b"x").await.unwrap();
    rest().await;
    socket.connect(there.local_addr().unwrap()).await.unwrap();
    seen.result("send to another family", &socket.send_to(b"x", "[::1]:7").await);
    seen.result("send without a port", &socket.send_to(b"x", "127.0.0.1:0").await);
    seen.result("send of too much", &socket.send(&vec![0; 65_508]).await);
    seen.result("send", &socket.send(b"x").await);
    seen.result("send again", &socket.send(b"x").await);
}
