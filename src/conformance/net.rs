//! TCP streams. Peers that must misbehave are sockets of the standard library.

use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{SocketAddr, TcpListener as StdListener, TcpStream as StdStream};
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use futures::future::{BoxFuture, join, join_all};
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use futures::{FutureExt, Stream};
use socket2::SockRef;

use super::stream::{self, Family, pattern, scenarios_of, tries_of};
use super::support::{Boxed as _, LONG, counted, ms, on_a_plain_thread, poll_once};
use crate::runtime::{Interest, Runtime, TcpListener, TcpStream, UdpSocket};

const LOOPBACK: &str = "127.0.0.1:0";

pub(super) struct Tcp;

impl<R: Runtime> Family<R> for Tcp {
    type Stream = R::TcpStream;
    type Listener = R::TcpListener;
    type Addr = SocketAddr;
    type SocketAddr = SocketAddr;

    async fn bind(rt: &R) -> (R::TcpListener, SocketAddr) {
        let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
        let addr = listener.local_addr().unwrap();
        (listener, addr)
    }

    async fn connect(rt: &R, addr: &SocketAddr) -> R::TcpStream {
        rt.tcp_connect(*addr).await.unwrap()
    }

    async fn accept(listener: &R::TcpListener) -> io::Result<R::TcpStream> {
        listener.accept().await.map(|(stream, _)| stream)
    }

    fn incoming(
        listener: &mut R::TcpListener,
    ) -> impl Stream<Item = io::Result<R::TcpStream>> + Unpin + Send {
        listener.incoming()
    }

    tries_of!(TcpStream);
}

scenarios_of! {
    Tcp:
    stream_halves_reunite = halves_reunite,
    stream_halves_have_the_addresses = halves_have_the_addresses,
    stream_halves_readable_waits_for_bytes = halves_readable_waits_for_bytes,
    stream_halves_writable_waits_for_room = halves_writable_waits_for_room,
    stream_halves_try_what_is_there = halves_try_what_is_there,
    stream_halves_try_io_tells_the_runtime = halves_try_io_tells_the_runtime,
    stream_readable_waits_for_bytes = readable_waits_for_bytes,
    stream_readable_wakes_everybody = readable_wakes_everybody,
    stream_readable_sees_the_end = readable_sees_the_end,
    stream_readable_starves_no_timer = readable_starves_no_timer,
    stream_writable_waits_for_room = writable_waits_for_room,
    stream_try_read_takes_what_is_there = try_read_takes_what_is_there,
    stream_try_write_finds_room = try_write_finds_room,
    stream_try_takes_several_buffers = try_takes_several_buffers,
    stream_first_try_waits_for_nothing = first_try_waits_for_nothing,
    stream_try_io_would_block_and_then_waits = try_io_would_block_and_then_waits,
    stream_round_trip = round_trip,
    stream_works_on_a_plain_thread = works_on_a_plain_thread,
    close_sends_eof = close_sends_eof,
    close_leaves_the_read_side_open = close_leaves_the_read_side_open,
    close_twice_is_ok = close_twice_is_ok,
    write_after_close_is_broken_pipe = write_after_close_is_broken_pipe,
    dropped_stream_delivers_what_was_written = dropped_stream_delivers_what_was_written,
    write_of_nothing_is_zero = write_of_nothing_is_zero,
    idle_reader_burns_no_polls = idle_reader_burns_no_polls,
    split_mut_reads_and_writes_at_once = split_mut_reads_and_writes_at_once,
    into_split_serves_two_tasks = into_split_serves_two_tasks,
    dropping_the_write_half_sends_eof = dropping_the_write_half_sends_eof,
    read_wakes_the_last_waker = read_wakes_the_last_waker,
    read_is_cancel_safe = read_is_cancel_safe,
    big_transfer_is_intact = big_transfer_is_intact,
    accept_is_cancel_safe = accept_is_cancel_safe,
    accept_serves_every_waiter = accept_serves_every_waiter,
    incoming_yields_every_connection = incoming_yields_every_connection,
}

/// Both ends of a connection.
async fn pair<R: Runtime>(rt: &R) -> (R::TcpStream, R::TcpStream) {
    stream::pair::<R, Tcp>(rt).await
}

/// A connection whose other end is a blocking socket of the standard library.
async fn with_std<R: Runtime>(rt: &R) -> (R::TcpStream, StdStream) {
    let listener = StdListener::bind(LOOPBACK).unwrap();
    let ours = rt.tcp_connect(listener.local_addr().unwrap()).await.unwrap();
    (ours, listener.accept().unwrap().0)
}

/// Closes with a reset instead of an end: received data is left unread.
async fn reset_by_peer<R: Runtime>(rt: &R) -> R::TcpStream {
    let (mut ours, mut peer) = pair(rt).await;
    ours.write_all(b"never read").await.unwrap();
    assert_eq!(peer.peek(&mut [0]).await.unwrap(), 1);
    drop(peer);
    ours
}

pub(super) async fn close_after_the_peer_is_gone_is_ok<R: Runtime>(rt: R) {
    let mut reset = reset_by_peer(&rt).await;
    assert!(reset.read(&mut [0; 8]).await.is_err());
    reset.close().await.expect("after a reset");
    // After both ends have been closed in order.
    let (mut client, mut server) = pair(&rt).await;
    client.close().await.unwrap();
    assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0);
    server.close().await.unwrap();
    drop(server);
    assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0);
    client.close().await.expect("after both ends");
}

pub(super) async fn end_of_stream_stays<R: Runtime>(rt: R) {
    let (mut client, server) = pair(&rt).await;
    drop(server);
    for _ in 0..3 {
        assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0);
    }
}

pub(super) async fn reset_reads_as_connection_reset<R: Runtime>(rt: R) {
    let mut reset = reset_by_peer(&rt).await;
    assert_eq!(reset.read(&mut [0; 8]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

pub(super) async fn write_to_a_gone_peer_fails<R: Runtime>(rt: R) {
    let (mut client, server) = pair(&rt).await;
    drop(server);
    let error = loop {
        if let Err(error) = client.write(b"is anybody there?").await {
            break error;
        }
        rt.sleep(ms(1)).await;
    };
    assert!(matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{error}");
}

pub(super) async fn read_into_nothing_is_zero<R: Runtime>(rt: R) {
    stream::read_into_nothing_is_zero::<R, Tcp>(rt.clone()).await;
    let (mut client, mut server) = pair(&rt).await;
    server.write_all(b"x").await.unwrap();
    assert_eq!(client.peek(&mut []).await.unwrap(), 0);
    assert_eq!(client.peek(&mut [0]).await.unwrap(), 1);
    assert_eq!(client.read(&mut []).await.unwrap(), 0);
    assert_eq!(client.read(&mut [0; 2]).await.unwrap(), 1);
}

pub(super) async fn vectored_write_goes_out_at_once<R: Runtime>(rt: R) {
    let (mut client, mut server) = pair(&rt).await;
    let parts = [IoSlice::new(b"two"), IoSlice::new(b"parts")];
    assert_eq!(client.write_vectored(&parts).await.unwrap(), 8);
    let mut buf = [0; 8];
    server.read_exact(&mut buf).await.unwrap();
    assert_eq!(&buf, b"twoparts");
}

pub(super) async fn stream_behind_a_lock_burns_no_polls<R: Runtime>(rt: R) {
    let (client, _server) = pair(&rt).await;
    let client = Arc::new(Mutex::new(client));
    let reader = || {
        let client = client.clone();
        let read = move |cx: &mut Context<'_>| {
            Pin::new(&mut *client.lock().unwrap()).poll_read(cx, &mut [0; 8]).map_ok(drop)
        };
        counted(Box::pin(poll_fn(read)) as BoxFuture<'static, io::Result<()>>)
    };
    let writer = || {
        let client = client.clone();
        let write = move |cx: &mut Context<'_>| {
            // Until there is no room any more.
            while Pin::new(&mut *client.lock().unwrap()).poll_write(cx, &[0; 1 << 16])?.is_ready() {}
            Poll::Pending
        };
        counted(Box::pin(poll_fn(write)) as BoxFuture<'static, io::Result<()>>)
    };
    let (tasks, polls): (Vec<_>, Vec<_>) = [reader(), reader(), writer(), writer()]
        .map(|(task, polls)| (rt.spawn_boxed(task), polls))
        .into_iter()
        .unzip();
    let polls = || polls.iter().map(|polls| polls.load(Ordering::SeqCst)).collect::<Vec<_>>();
    // They wait once the buffers are full.
    let mut before = Vec::new();
    for _ in 0..100 {
        let now = polls();
        if now == before {
            break;
        }
        before = now;
        rt.sleep(ms(50)).await;
    }
    let before = polls();
    rt.sleep(ms(250)).await;
    let after = polls();
    assert!(
        before.iter().zip(&after).all(|(before, after)| after - before <= 10),
        "{before:?}, then {after:?}"
    );
    for task in tasks {
        assert!(!task.is_finished());
        let _ = task.cancel().await;
    }
}

/// For how long a peer keeps a socket busy: a timer that waits for its end has been starved.
const BUSY: Duration = Duration::from_secs(4);

/// A timer beside `busy`, which keeps its task busy until its peer gives up.
async fn timer_fires_beside<R: Runtime>(rt: &R, busy: impl Future<Output = ()>) {
    let start = rt.now();
    let result = rt.timeout(ms(50), busy).await;
    let took = rt.now() - start;
    assert!(result.is_err() && took < BUSY / 2, "the timer fired after {took:?}");
}

pub(super) async fn busy_socket_starves_no_timer<R: Runtime>(rt: R) {
    let (mut ours, mut peer) = with_std(&rt).await;
    thread::spawn(move || {
        let (start, data) = (std::time::Instant::now(), [0; 1 << 16]);
        while start.elapsed() < BUSY && peer.write_all(&data).is_ok() {}
    });
    // Let it fill the buffers.
    rt.sleep(ms(20)).await;
    timer_fires_beside(&rt, async {
        // A byte at a time, so that there always is one more.
        while ours.read(&mut [0]).await.unwrap() > 0 {}
    })
    .await;
}

pub(super) async fn busy_writer_starves_no_timer<R: Runtime>(rt: R) {
    let (mut ours, mut peer) = with_std(&rt).await;
    thread::spawn(move || {
        let (start, mut buf) = (std::time::Instant::now(), vec![0; 1 << 20]);
        while start.elapsed() < BUSY && peer.read(&mut buf).is_ok_and(|read| read > 0) {}
    });
    timer_fires_beside(&rt, async { while ours.write(&[0]).await.is_ok() {} }).await;
}

pub(super) async fn busy_listener_starves_no_timer<R: Runtime>(rt: R) {
    let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let mut next = StdStream::connect(addr).unwrap();
    let busy = async {
        // There is always one more in the queue. It ends, because every connection costs the system a port.
        for _ in 0..2_000 {
            listener.accept().await.unwrap();
            next = StdStream::connect(addr).unwrap();
        }
    };
    assert!(rt.timeout(Duration::ZERO, busy).await.is_err(), "the timer waited for the listener");
}

pub(super) async fn dropping_the_read_half_does_not_close<R: Runtime>(rt: R) {
    let (client, mut server) = pair(&rt).await;
    let (read, mut write) = client.into_split();
    drop(read);
    assert!(rt.timeout(ms(10), server.read(&mut [0; 8])).await.is_err());
    write.write_all(b"x").await.unwrap();
    assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 1);
}

pub(super) async fn closed_write_half_can_be_dropped<R: Runtime>(rt: R) {
    let (client, mut server) = pair(&rt).await;
    let (mut read, mut write) = client.into_split();
    write.close().await.unwrap();
    drop(write);
    assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0);
    server.write_all(b"x").await.unwrap();
    assert_eq!(read.read(&mut [0; 8]).await.unwrap(), 1);
}

pub(super) async fn peek_leaves_the_data<R: Runtime>(rt: R) {
    let (mut client, mut server) = pair(&rt).await;
    let mut buf = [0; 8];
    assert!(rt.timeout(ms(10), client.peek(&mut buf)).await.is_err(), "nothing is there yet");
    server.write_all(b"data").await.unwrap();
    for _ in 0..2 {
        assert_eq!(client.peek(&mut buf[..2]).await.unwrap(), 2);
        assert_eq!(&buf[..2], b"da");
    }
    client.read_exact(&mut buf[..4]).await.unwrap();
    assert_eq!(&buf[..4], b"data");
}

pub(super) async fn peek_at_the_end_is_zero<R: Runtime>(rt: R) {
    let (mut client, server) = pair(&rt).await;
    drop(server);
    assert_eq!(client.peek(&mut [0; 8]).await.unwrap(), 0);
    assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0);
}

pub(super) async fn addresses_match<R: Runtime>(rt: R) {
    let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (client, accepted) = join(rt.tcp_connect(addr), listener.accept()).await;
    let (client, (server, peer)) = (client.unwrap(), accepted.unwrap());
    assert_eq!(client.peer_addr().unwrap(), addr);
    assert_eq!(server.local_addr().unwrap(), addr);
    assert_eq!(client.local_addr().unwrap(), peer);
    assert_eq!(server.peer_addr().unwrap(), peer);
}

pub(super) async fn nodelay_can_be_set<R: Runtime>(rt: R) {
    let (client, server) = pair(&rt).await;
    for stream in [client, server] {
        assert!(!stream.nodelay().unwrap());
        stream.set_nodelay(true).unwrap();
        assert!(stream.nodelay().unwrap());
        stream.set_nodelay(false).unwrap();
        assert!(!stream.nodelay().unwrap());
    }
}

pub(super) async fn ttl_can_be_set<R: Runtime>(rt: R) {
    let (client, _server) = pair(&rt).await;
    client.set_ttl(42).unwrap();
    assert_eq!(client.ttl().unwrap(), 42);
}

pub(super) async fn listener_ttl_can_be_set<R: Runtime>(rt: R) {
    let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
    listener.set_ttl(42).unwrap();
    assert_eq!(listener.ttl().unwrap(), 42);
}

pub(super) async fn stream_from_a_blocking_std_stream<R: Runtime>(rt: R) {
    let listener = StdListener::bind(LOOPBACK).unwrap();
    let blocking = StdStream::connect(listener.local_addr().unwrap()).unwrap();
    let mut peer = listener.accept().unwrap().0;
    let mut ours = rt.tcp_stream_from_std(blocking).unwrap();
    // A blocking read would stay in this poll.
    let (release, released) = mpsc::channel::<()>();
    let watchdog = thread::spawn(move || {
        let in_time = released.recv_timeout(LONG / 10).is_ok();
        peer.write_all(b"x").unwrap();
        in_time
    });
    assert!(poll_once(&mut ours.read(&mut [0; 8])).is_pending());
    release.send(()).unwrap();
    assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 1);
    assert!(watchdog.join().unwrap(), "the read blocked its thread");
}

pub(super) async fn stream_from_std_on_a_plain_thread<R: Runtime>(rt: R) {
    let listener = StdListener::bind(LOOPBACK).unwrap();
    let stream = StdStream::connect(listener.local_addr().unwrap()).unwrap();
    let there = rt.clone();
    let mut ours = on_a_plain_thread(async move { there.tcp_stream_from_std(stream).unwrap() }).await;
    listener.accept().unwrap().0.write_all(b"x").unwrap();
    assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 1);
}

pub(super) async fn stream_into_std_blocks<R: Runtime>(rt: R) {
    let (ours, mut peer) = with_std(&rt).await;
    let mut blocking = ours.into_std().unwrap();
    let writer = thread::spawn(move || {
        thread::sleep(ms(20));
        peer.write_all(b"x").unwrap();
    });
    assert_eq!(blocking.read(&mut [0; 8]).expect("a blocking read waits"), 1);
    writer.join().unwrap();
    // And back again.
    let ours = rt.tcp_stream_from_std(blocking).unwrap();
    assert!(ours.peer_addr().is_ok());
}

pub(super) async fn listener_from_a_blocking_std_listener<R: Runtime>(rt: R) {
    let blocking = StdListener::bind(LOOPBACK).unwrap();
    let addr = blocking.local_addr().unwrap();
    let listener = rt.tcp_listener_from_std(blocking).unwrap();
    assert_eq!(listener.local_addr().unwrap(), addr);
    let (release, released) = mpsc::channel::<()>();
    let watchdog = thread::spawn(move || {
        let in_time = released.recv_timeout(LONG / 10).is_ok();
        (in_time, StdStream::connect(addr).unwrap())
    });
    assert!(listener.accept().now_or_never().is_none());
    release.send(()).unwrap();
    listener.accept().await.unwrap();
    assert!(watchdog.join().unwrap().0, "the accept blocked its thread");
}

pub(super) async fn listener_into_std_blocks<R: Runtime>(rt: R) {
    let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
    let blocking = listener.into_std().unwrap();
    let addr = blocking.local_addr().unwrap();
    let peer = thread::spawn(move || {
        thread::sleep(ms(20));
        StdStream::connect(addr).unwrap()
    });
    blocking.accept().expect("a blocking accept waits");
    drop(peer.join().unwrap());
}

pub(super) async fn stream_moves_between_tasks<R: Runtime>(rt: R) {
    let (mut client, mut server) = pair(&rt).await;
    assert!(rt.timeout(ms(5), client.read(&mut [0; 8])).await.is_err());
    let reader = rt.spawn_boxed(async move { client.read(&mut [0; 8]).await.unwrap() });
    rt.sleep(ms(5)).await;
    server.write_all(b"moved").await.unwrap();
    assert_eq!(reader.await.unwrap(), 5);
}

async fn echo<S: TcpStream>(stream: S) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    futures::io::copy(read, &mut write).await.map(drop)
}

pub(super) async fn many_connections<R: Runtime>(rt: R) {
    const CONNECTIONS: usize = 200;
    let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let there = rt.clone();
    let server = rt.spawn_boxed(async move {
        for _ in 0..CONNECTIONS {
            drop(there.spawn_boxed(echo(listener.accept().await.unwrap().0)));
        }
    });
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|n| {
            let there = rt.clone();
            rt.spawn_boxed(async move {
                let mut stream = there.tcp_connect(addr).await.unwrap();
                let data = pattern(100 + n);
                stream.write_all(&data).await.unwrap();
                stream.close().await.unwrap();
                let mut received = Vec::new();
                stream.read_to_end(&mut received).await.unwrap();
                received == data
            })
        })
        .collect();
    assert!(join_all(clients).await.into_iter().all(Result::unwrap));
    server.await.unwrap();
}

pub(super) async fn sockets_lend_their_descriptors<R: Runtime>(rt: R) {
    let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (client, _server) = join(rt.tcp_connect(addr), listener.accept()).await;
    let (client, udp) = (client.unwrap(), rt.udp_bind(LOOPBACK).await.unwrap());
    let lent = (listener.descriptor(), client.descriptor(), udp.descriptor());
    let (Some(listens), Some(connected), Some(datagrams)) = lent else {
        let _ =
            writeln!(io::stderr(), "skipped sockets_lend_their_descriptors: it has no sockets of the system");
        return;
    };
    assert_eq!(SockRef::from(&listens).local_addr().unwrap().as_socket(), Some(addr));
    let [connected, datagrams] = [SockRef::from(&connected), SockRef::from(&datagrams)];
    connected.set_tcp_nodelay(true).unwrap();
    assert!(client.nodelay().unwrap());
    datagrams.set_broadcast(true).unwrap();
    assert!(udp.broadcast().unwrap());
}
