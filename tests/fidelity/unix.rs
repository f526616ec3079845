use std::time::Duration;

use anyrt::net::{UnixDatagram, UnixListener, UnixStream};
use futures::io::{AsyncReadExt, AsyncWriteExt};

use crate::{Seen, at_once, path, rest, soon};

crate::programs! {
    file_stays folders write_to_a_gone_peer peer_gone_with_unread_data half_close other_types queued_connection addresses
    datagram_peers readiness order_of_checks datagram_sizes datagram_queue abstract_names datagrams_of_a_gone_peer
    datagrams_to_itself reset_after_the_end small_writes
}

async fn file_stays(seen: &mut Seen) {
    let path = path("listener");
    seen.outcome("connect to no file", &UnixStream::connect(&path).await);
    let listener = UnixListener::bind(&path).unwrap();
    seen.outcome("bind twice", &UnixListener::bind(&path));
    seen.outcome("bind a datagram socket there", &UnixDatagram::bind(&path));
    drop(listener);
    seen.outcome("connect when the listener is gone", &UnixStream::connect(&path).await);
    seen.outcome("bind when the listener is gone", &UnixListener::bind(&path));
    seen.outcome("remove", &anyrt::net::remove_socket(&path));
    seen.outcome("remove again", &anyrt::net::remove_socket(&path));
    seen.outcome("connect when it is removed", &UnixStream::connect(&path).await);
    let listener = UnixListener::bind(&path);
    seen.outcome("bind when it is removed", &listener);
    // Without its name a listener serves those that are connected.
    let client = UnixStream::connect(&path).await.unwrap();
    anyrt::net::remove_socket(&path).unwrap();
    seen.outcome("accept when the name is gone", &listener.unwrap().accept().await);
    drop(client);
    let second = UnixListener::bind(&path);
    seen.outcome("bind beside a listener without a name", &second);
    anyrt::net::remove_socket(&path).unwrap();
    let datagram = UnixDatagram::bind(&path).unwrap();
    drop(datagram);
    seen.outcome("bind when a datagram socket is gone", &UnixDatagram::bind(&path));
    let sender = UnixDatagram::unbound().unwrap();
    seen.result("send when the datagram socket is gone", &sender.send_to(b"x", &path).await);
    seen.result("connect when the datagram socket is gone", &sender.connect(&path));
    anyrt::net::remove_socket(&path).unwrap();
    seen.result("send to no file", &sender.send_to(b"x", &path).await);
}

async fn folders(seen: &mut Seen) {
    let absent = path("absent").join("listener");
    seen.outcome("bind in a folder that does not exist", &UnixListener::bind(&absent));
    seen.outcome(
        "connect in a folder that does not exist",
        &UnixStream::connect(path("absent").join("x")).await,
    );
}

async fn write_to_a_gone_peer(seen: &mut Seen) {
    let (mut a, b) = UnixStream::pair().unwrap();
    drop(b);
    seen.result("first write", &a.write(b"x").await);
    seen.result("read", &a.read(&mut [0; 8]).await);
    seen.outcome("peer address", &a.peer_addr());
    seen.result("close", &a.close().await);
    let (mut a, mut b) = UnixStream::pair().unwrap();
    b.write_all(b"last").await.unwrap();
    drop(b);
    seen.result("read of what was sent", &a.read(&mut [0; 8]).await);
    seen.result("read of the end", &a.read(&mut [0; 8]).await);
}

async fn peer_gone_with_unread_data(seen: &mut Seen) {
    let (mut a, b) = UnixStream::pair().unwrap();
    a.write_all(b"unread").await.unwrap();
    drop(b);
    seen.result("first read", &a.read(&mut [0; 8]).await);
    seen.result("second read", &a.read(&mut [0; 8]).await);
    seen.result("write", &a.write(b"x").await);
    let (mut a, mut b) = UnixStream::pair().unwrap();
    a.write_all(b"unread").await.unwrap();
    b.write_all(b"last").await.unwrap();
    drop(b);
    seen.result("write to it", &a.write(b"x").await);
    seen.result("first read of what was sent", &a.read(&mut [0; 8]).await);
    seen.result("second read of what was sent", &a.read(&mut [0; 8]).await);
    seen.result("third read of what was sent", &a.read(&mut [0; 8]).await);
}

async fn half_close(seen: &mut Seen) {
    let (mut a, mut b) = UnixStream::pair().unwrap();
    a.close().await.unwrap();
    seen.result("write after close", &a.write(b"x").await);
    seen.result("read of the end", &b.read(&mut [0; 8]).await);
    b.write_all(b"answer").await.unwrap();
    seen.result("read of the answer", &a.read(&mut [0; 8]).await);
}

async fn reset_after_the_end(seen: &mut Seen) {
    let (mut a, mut b) = UnixStream::pair().unwrap();
    a.write_all(b"unread").await.unwrap();
    b.close().await.unwrap();
    drop(b);
    rest().await;
    seen.result("write", &a.write(b"x").await);
    seen.result("first read", &a.read(&mut [0; 8]).await);
    seen.result("second read", &a.read(&mut [0; 8]).await);
    let (mut a, mut b) = UnixStream::pair().unwrap();
    b.write_all(b"last").await.unwrap();
    a.write_all(b"unread").await.unwrap();
    b.close().await.unwrap();
    drop(b);
    rest().await;
    seen.result("read of what was sent", &a.read(&mut [0; 8]).await);
    seen.result("read after it", &a.read(&mut [0; 8]).await);
    seen.result("read of the end", &a.read(&mut [0; 8]).await);
    // Of an end that was read before.
    let (a, mut b) = UnixStream::pair().unwrap();
    let (read, write) = a.into_split();
    drop(write);
    seen.result("the end of a half", &b.read(&mut [0; 8]).await);
    b.write_all(b"unread").await.unwrap();
    drop(read);
    seen.result("after the end of a half", &b.read(&mut [0; 8]).await);
    seen.result("after that", &b.read(&mut [0; 8]).await);
    seen.result("write after that", &b.write(b"x").await);
}

/// Each write takes memory of its own, and the send buffer has so much.
async fn small_writes(seen: &mut Seen) {
    for (size, what) in [
        (1, "writes of a byte that fit"),
        (1_000, "writes of 1000 bytes that fit"),
        (5_000, "writes of 5000 bytes that fit"),
        (50_000, "writes of 50000 bytes that fit"),
    ] {
        let (a, _b) = UnixStream::pair().unwrap();
        let mut sent = 0_u32;
        while let Ok(len) = a.try_write(&vec![0; size]) {
            sent += len as u32;
        }
        // As a power of two: the exact number is another one in each version of Linux.
        seen.value(what, sent.ilog2());
    }
}

async fn other_types(seen: &mut Seen) {
    let (stream, datagram) = (path("stream"), path("datagram"));
    let listener = UnixListener::bind(&stream).unwrap();
    let socket = UnixDatagram::bind(&datagram).unwrap();
    seen.outcome("stream to a datagram socket", &UnixStream::connect(&datagram).await);
    let sender = UnixDatagram::unbound().unwrap();
    seen.result("datagram to a listener", &sender.send_to(b"x", &stream).await);
    seen.result("datagram socket connects to a listener", &sender.connect(&stream));
    drop((listener, socket));
    seen.outcome("stream to a file of a datagram socket", &UnixStream::connect(&datagram).await);
    anyrt::net::remove_socket(&stream).unwrap();
    anyrt::net::remove_socket(&datagram).unwrap();
}

async fn queued_connection(seen: &mut Seen) {
    let path = path("queued");
    let listener = UnixListener::bind(&path).unwrap();
    let mut client = UnixStream::connect(&path).await.unwrap();
    seen.result("write before accept", &client.write(b"early").await);
    drop(listener);
    rest().await;
    seen.result("first read", &client.read(&mut [0; 8]).await);
    seen.result("second read", &client.read(&mut [0; 8]).await);
    seen.result("write", &client.write(b"x").await);
    anyrt::net::remove_socket(&path).unwrap();
    // A connection whose client is gone is accepted nevertheless.
    let listener = UnixListener::bind(&path).unwrap();
    drop(UnixStream::connect(&path).await.unwrap());
    let accepted = soon(listener.accept()).await.unwrap();
    seen.outcome("accept when the client is gone", &accepted);
    seen.result("its first read", &accepted.unwrap().0.read(&mut [0; 8]).await);
    anyrt::net::remove_socket(&path).unwrap();
}

async fn addresses(seen: &mut Seen) {
    let path = path("addresses");
    let listener = UnixListener::bind(&path).unwrap();
    let client = UnixStream::connect(&path).await.unwrap();
    let (server, from) = listener.accept().await.unwrap();
    let is = |addr: &std::os::unix::net::SocketAddr| match addr.as_pathname() {
        Some(other) if other == path => "the path",
        Some(_) => "another path",
        None if addr.is_unnamed() => "no name",
        None => "an abstract name",
    };
    seen.value("listener", is(&listener.local_addr().unwrap()));
    seen.value("client", is(&client.local_addr().unwrap()));
    seen.value("client's peer", is(&client.peer_addr().unwrap()));
    seen.value("server", is(&server.local_addr().unwrap()));
    seen.value("server's peer", is(&server.peer_addr().unwrap()));
    seen.value("accepted from", is(&from));
    anyrt::net::remove_socket(&path).unwrap();
    let socket = UnixDatagram::bind(&path).unwrap();
    let sender = UnixDatagram::unbound().unwrap();
    seen.value("unbound", is(&sender.local_addr().unwrap()));
    sender.connect(&path).unwrap();
    seen.value("connected", is(&sender.peer_addr().unwrap()));
    sender.send(b"x").await.unwrap();
    seen.value("sender without a name", is(&socket.recv_from(&mut [0; 8]).await.unwrap().1));
    anyrt::net::remove_socket(&path).unwrap();
}

async fn datagram_peers(seen: &mut Seen) {
    let paths = [path("receiver"), path("friend")];
    let receiver = UnixDatagram::bind(&paths[0]).unwrap();
    let friend = UnixDatagram::bind(&paths[1]).unwrap();
    let stranger = UnixDatagram::unbound().unwrap();
    seen.result("send without a peer", &stranger.send(b"x").await);
    seen.outcome("peer address without a peer", &stranger.peer_addr());
    seen.result("a stranger before connect", &stranger.send_to(b"early", &paths[0]).await);
    stranger.connect(&paths[0]).unwrap();
    receiver.connect(&paths[1]).unwrap();
    seen.soon("received from before connect", &soon(receiver.recv(&mut [0; 8])).await);
    seen.result("a stranger sends to the path", &stranger.send_to(b"x", &paths[0]).await);
    seen.result("a stranger that is connected sends", &stranger.send(b"x").await);
    seen.outcome("a stranger connects", &UnixDatagram::unbound().unwrap().connect(&paths[0]));
    seen.result("the friend sends", &friend.send_to(b"friend", &paths[0]).await);
    seen.soon("received", &soon(receiver.recv(&mut [0; 8])).await);
    seen.result("the receiver sends elsewhere", &receiver.send_to(b"x", &paths[1]).await);
    for path in paths {
        anyrt::net::remove_socket(path).unwrap();
    }
}

async fn datagrams_of_a_gone_peer(seen: &mut Seen) {
    let path = path("gone");
    let (a, b) = UnixDatagram::pair().unwrap();
    b.send(b"last").await.unwrap();
    drop(b);
    seen.result("send to the gone one of a pair", &a.send(b"x").await);
    seen.result("send again", &a.send(b"x").await);
    seen.soon("received of what was sent", &soon(a.recv(&mut [0; 8])).await);
    let receiver = UnixDatagram::bind(&path).unwrap();
    let sender = UnixDatagram::unbound().unwrap();
    sender.connect(&path).unwrap();
    drop(receiver);
    seen.result("send to a gone peer", &sender.send(b"x").await);
    seen.result("send to a gone peer again", &sender.send(b"x").await);
    seen.outcome("peer address then", &sender.peer_addr());
    anyrt::net::remove_socket(&path).unwrap();
}

/// A queue that is full for others is not full for its own socket, which has no limit but its send buffer.
async fn datagrams_to_itself(seen: &mut Seen) {
    let paths = [path("itself"), path("connected")];
    let [socket, connected] = [&paths[0], &paths[1]].map(|path| UnixDatagram::bind(path).unwrap());
    let mut sent = 0_u32;
    while at_once(socket.send_to(b"x", &paths[0])).await == "()" {
        sent += 1;
    }
    // As a power of two: the exact number is another one in each version of Linux.
    seen.value("sent to its own path", sent.checked_ilog2().unwrap_or_default());
    let stranger = UnixDatagram::unbound().unwrap();
    seen.value("a stranger sends then", at_once(stranger.send_to(b"x", &paths[0])).await);
    connected.connect(&paths[1]).unwrap();
    let mut sent = 0_u32;
    while at_once(connected.send(b"x")).await == "()" {
        sent += 1;
    }
    seen.value("sent to itself as its peer", sent.checked_ilog2().unwrap_or_default());
    for path in paths {
        anyrt::net::remove_socket(path).unwrap();
    }
}

async fn datagram_sizes(seen: &mut Seen) {
    let (a, b) = UnixDatagram::pair().unwrap();
    seen.result("large", &a.send(&vec![0; 200_000]).await);
    seen.result("received", &b.recv(&mut vec![0; 300_000]).await);
    seen.result("larger than the send buffer", &a.send(&vec![0; 212_961]).await);
    seen.result("as large as the send buffer", &a.send(&vec![0; 212_960]).await);
    seen.result("a mebibyte", &a.send(&vec![0; 1 << 20]).await);
    seen.result("received, as large as the send buffer", &b.recv(&mut vec![0; 300_000]).await);
    a.send(b"").await.unwrap();
    seen.result("an empty one", &b.recv(&mut [0; 8]).await);
}

async fn datagram_queue(seen: &mut Seen) {
    let path = path("queue");
    let (a, b) = UnixDatagram::pair().unwrap();
    for (size, what) in [
        (1, "small ones that fit between two of a pair"),
        (1_000, "of 1000 bytes that fit between two of a pair"),
        (5_000, "of 5000 bytes that fit between two of a pair"),
        (50_000, "of 50000 bytes that fit between two of a pair"),
    ] {
        a.writable().await.unwrap();
        let mut sent = 0_u32;
        let full = loop {
            if let Err(error) = a.try_send(&vec![0; size]) {
                break error;
            }
            sent += 1;
        };
        // As a power of two: the exact number is another one in each version of Linux.
        seen.value(what, sent.checked_ilog2().unwrap_or_default());
        if size == 1 {
            seen.outcome::<()>("when it is full", &Err(full));
        }
        for _ in 0..sent {
            b.recv(&mut [0; 8]).await.unwrap();
        }
    }
    let receiver = UnixDatagram::bind(&path).unwrap();
    let sender = UnixDatagram::unbound().unwrap();
    sender.connect(&path).unwrap();
    sender.writable().await.unwrap();
    let sent = std::iter::from_fn(|| sender.try_send(b"x").ok()).count();
    seen.value("small ones that fit", sent);
    let other = UnixDatagram::unbound().unwrap();
    seen.value(
        "another sender waits",
        crate::timeout(Duration::from_millis(200), other.send_to(b"x", &path)).await.is_err(),
    );
    drop(receiver);
    anyrt::net::remove_socket(&path).unwrap();
}

async fn abstract_names(seen: &mut Seen) {
    let name = format!("\0anyrt-fidelity-{}-{:p}", std::process::id(), seen);
    seen.outcome("connect to a name of nobody", &UnixStream::connect(&name).await);
    let sender = UnixDatagram::unbound().unwrap();
    seen.result("send to a name of nobody", &sender.send_to(b"x", &name).await);
    let listener = UnixListener::bind(&name).unwrap();
    seen.outcome("bind twice", &UnixListener::bind(&name));
    seen.outcome("connect", &UnixStream::connect(&name).await);
    seen.result("a datagram to a listener", &sender.send_to(b"x", &name).await);
    drop(listener);
    seen.outcome("connect when it is gone", &UnixStream::connect(&name).await);
    seen.outcome("bind when it is gone", &UnixListener::bind(&name));
}

async fn readiness(seen: &mut Seen) {
    let (a, b) = UnixStream::pair().unwrap();
    seen.value("fresh: readable", at_once(a.readable()).await);
    seen.value("fresh: writable", at_once(a.writable()).await);
    b.try_write(b"x").unwrap();
    seen.value("with data: readable", at_once(a.readable()).await);
    seen.result("with data: try", &a.try_read(&mut [0; 8]));
    seen.result("without data: try", &a.try_read(&mut [0; 8]));
    drop(b);
    seen.value("peer gone: readable", at_once(a.readable()).await);
    seen.result("peer gone: try", &a.try_read(&mut [0; 8]));
    seen.value("peer gone: writable", at_once(a.writable()).await);
    seen.result("peer gone: try to write", &a.try_write(b"x"));
    let (a, b) = UnixDatagram::pair().unwrap();
    seen.value("datagrams: readable", at_once(a.readable()).await);
    seen.value("datagrams: writable", at_once(a.writable()).await);
    b.send(b"").await.unwrap();
    seen.value("with an empty one: readable", at_once(a.readable()).await);
    seen.result("with an empty one: try", &a.try_recv(&mut [0; 8]));
    drop(b);
    seen.value("datagrams, peer gone: writable", at_once(a.writable()).await);
    seen.result("datagrams, peer gone: try to send", &a.try_send(b"x"));
}

async fn order_of_checks(seen: &mut Seen) {
    let path = path("absent");
    let socket = UnixDatagram::unbound().unwrap();
    seen.result("too long and to no peer", &socket.send(&vec![0; 1 << 20]).await);
    seen.result("too long and to no file", &socket.send_to(&vec![0; 1 << 20], &path).await);
    let receiver = UnixDatagram::bind(&path).unwrap();
    drop(receiver);
    seen.result("too long and to a gone socket", &socket.send_to(&vec![0; 1 << 20], &path).await);
    anyrt::net::remove_socket(&path).unwrap();
    let own = crate::path("own");
    let both = UnixDatagram::bind(&own).unwrap();
    seen.result("to itself", &both.send_to(b"self", &own).await);
    seen.soon("from itself", &soon(both.recv(&mut [0; 8])).await);
    both.connect(&own).unwrap();
    seen.result("connected to itself", &both.send(b"self").await);
    anyrt::net::remove_socket(&own).unwrap();
}
