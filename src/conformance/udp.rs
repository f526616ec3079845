//! UDP. Peers are sockets of the standard library where it does not matter.

use std::future::poll_fn;
use std::io::{self, ErrorKind, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket as StdSocket};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::join;
use futures::{FutureExt, StreamExt};

use super::support::{Boxed as _, LONG, bell, counted, ms, on_a_plain_thread, ready, waiting};
use crate::runtime::{Interest, Runtime, UdpSocket};
use crate::{AnyRuntime, net};

const LOOPBACK: &str = "127.0.0.1:0";

/// A socket and its address.
async fn bound<R: Runtime>(rt: &R) -> (R::UdpSocket, SocketAddr) {
    let socket = rt.udp_bind(LOOPBACK).await.unwrap();
    let addr = socket.local_addr().unwrap();
    (socket, addr)
}

fn std_bound() -> (StdSocket, SocketAddr) {
    let socket = StdSocket::bind(LOOPBACK).unwrap();
    let addr = socket.local_addr().unwrap();
    (socket, addr)
}

/// Windows has errors of its own. What is simulated there is as everywhere.
fn is_of_windows(socket: &impl UdpSocket) -> bool {
    cfg!(windows) && socket.descriptor().is_some()
}

/// Two sockets that are connected with each other.
async fn pair<R: Runtime>(rt: &R) -> (R::UdpSocket, R::UdpSocket) {
    let ((a, a_addr), (b, b_addr)) = (bound(rt).await, bound(rt).await);
    a.connect(b_addr).unwrap();
    b.connect(a_addr).unwrap();
    (a, b)
}

fn skip(scenario: &str, why: &str) {
    let _ = writeln!(io::stderr(), "skipped {scenario}: {why}");
}

pub(super) async fn udp_round_trip<R: Runtime>(rt: R) {
    let ((a, a_addr), (b, b_addr)) = (bound(&rt).await, bound(&rt).await);
    let mut buf = [0; 16];
    for message in [&b"hello"[..], b"again"] {
        assert_eq!(a.send_to(message, b_addr).await.unwrap(), 5);
        assert_eq!(b.recv_from(&mut buf).await.unwrap(), (5, a_addr));
        assert_eq!(&buf[..5], message);
    }
    assert_eq!(b.send_to(b"answer", a_addr).await.unwrap(), 6);
    assert_eq!(a.recv_from(&mut buf).await.unwrap(), (6, b_addr));
    assert_eq!(&buf[..6], b"answer");
}

pub(super) async fn udp_connected_round_trip<R: Runtime>(rt: R) {
    let (a, b) = pair(&rt).await;
    assert_eq!(a.peer_addr().unwrap(), b.local_addr().unwrap());
    let mut buf = [0; 16];
    assert_eq!(a.send(b"ping").await.unwrap(), 4);
    assert_eq!(b.recv(&mut buf).await.unwrap(), 4);
    assert_eq!(&buf[..4], b"ping");
    assert_eq!(b.send(b"pong").await.unwrap(), 4);
    assert_eq!(a.recv_from(&mut buf).await.unwrap(), (4, b.local_addr().unwrap()));
    assert_eq!(&buf[..4], b"pong");
}

pub(super) async fn udp_connected_ignores_strangers<R: Runtime>(rt: R) {
    let (ours, addr) = bound(&rt).await;
    let ((friend, friends), (stranger, _)) = (bound(&rt).await, bound(&rt).await);
    ours.connect(friends).unwrap();
    stranger.send_to(b"stranger", addr).await.unwrap();
    friend.send_to(b"friend", addr).await.unwrap();
    let mut buf = [0; 16];
    assert_eq!(ours.recv_from(&mut buf).await.unwrap(), (6, friends));
    stranger.send_to(b"stranger", addr).await.unwrap();
    friend.send_to(b"friend", addr).await.unwrap();
    assert_eq!(ours.recv(&mut buf).await.unwrap(), 6);
    assert_eq!(&buf[..6], b"friend");
}

pub(super) async fn udp_connects_again<R: Runtime>(rt: R) {
    let (ours, addr) = bound(&rt).await;
    let ((first, firsts), (second, seconds)) = (bound(&rt).await, bound(&rt).await);
    ours.connect(firsts).unwrap();
    ours.connect(seconds).unwrap();
    assert_eq!(ours.peer_addr().unwrap(), seconds);
    first.send_to(b"first", addr).await.unwrap();
    second.send_to(b"second", addr).await.unwrap();
    let mut buf = [0; 16];
    assert_eq!(ours.recv_from(&mut buf).await.unwrap(), (6, seconds));
    ours.send(b"answer").await.unwrap();
    assert_eq!(second.recv_from(&mut buf).await.unwrap(), (6, addr));
}

pub(super) async fn udp_truncates_and_loses_the_rest<R: Runtime>(rt: R) {
    let (ours, addr) = bound(&rt).await;
    let (peer, _) = bound(&rt).await;
    for message in [&b"0123456789"[..], b"abcdefghij", b"end"] {
        peer.send_to(message, addr).await.unwrap();
    }
    let mut buf = [0; 4];
    if is_of_windows(&ours) {
        assert!(ours.recv(&mut buf).await.is_err());
        assert!(ours.recv_from(&mut buf).await.is_err());
    } else {
        assert_eq!(ours.recv(&mut buf).await.unwrap(), 4);
        assert_eq!(&buf, b"0123");
        assert_eq!(ours.recv_from(&mut buf).await.unwrap().0, 4);
        assert_eq!(&buf, b"abcd");
    }
    assert_eq!(ours.recv(&mut buf).await.unwrap(), 3);
    assert_eq!(&buf[..3], b"end");
}

pub(super) async fn udp_empty_datagram_is_received<R: Runtime>(rt: R) {
    let (ours, addr) = bound(&rt).await;
    let (peer, peers) = bound(&rt).await;
    let mut buf = [0; 4];
    assert_eq!(peer.send_to(&[], addr).await.unwrap(), 0);
    assert_eq!(ours.recv_from(&mut buf).await.unwrap(), (0, peers));
    peer.connect(addr).unwrap();
    assert_eq!(peer.send(&[]).await.unwrap(), 0);
    peer.send(b"more").await.unwrap();
    assert_eq!(ours.recv(&mut buf).await.unwrap(), 0);
    // It was no end.
    assert_eq!(ours.recv(&mut buf).await.unwrap(), 4);
}

pub(super) async fn udp_empty_buffer_takes_a_datagram<R: Runtime>(rt: R) {
    let (ours, addr) = bound(&rt).await;
    let (peer, _) = bound(&rt).await;
    // Nothing is there, so it waits.
    assert!(ours.recv(&mut []).now_or_never().is_none());
    for message in [b"1", b"2", b"3"] {
        peer.send_to(message, addr).await.unwrap();
    }
    assert_eq!(ours.recv(&mut []).await.unwrap_or(0), 0);
    assert_eq!(poll_fn(|cx| ours.poll_recv(cx, &mut [])).await.unwrap_or(0), 0);
    let mut buf = [0; 4];
    assert_eq!(ours.recv(&mut buf).await.unwrap(), 1);
    assert_eq!(buf[0], b'3');
}

pub(super) async fn udp_peek_leaves_the_datagram<R: Runtime>(rt: R) {
    let (ours, addr) = bound(&rt).await;
    let (peer, peers) = bound(&rt).await;
    let mut buf = [0; 16];
    assert!(rt.timeout(ms(10), ours.peek(&mut buf)).await.is_err(), "nothing is there yet");
    assert!(rt.timeout(ms(10), ours.peek_from(&mut buf)).await.is_err(), "nothing is there yet");
    peer.send_to(b"first", addr).await.unwrap();
    peer.send_to(b"second!", addr).await.unwrap();
    for _ in 0..2 {
        assert_eq!(ours.peek(&mut buf).await.unwrap(), 5);
        assert_eq!(ours.peek_from(&mut buf).await.unwrap(), (5, peers));
        assert_eq!(&buf[..5], b"first");
    }
    assert_eq!(ours.recv(&mut buf).await.unwrap(), 5);
    assert_eq!(&buf[..5], b"first");
    assert_eq!(ours.peek_from(&mut buf).await.unwrap(), (7, peers));
    assert_eq!(ours.recv_from(&mut buf).await.unwrap(), (7, peers));
}

pub(super) async fn udp_poll_forms_round_trip<R: Runtime>(rt: R) {
    let ((a, a_addr), (b, b_addr)) = (bound(&rt).await, bound(&rt).await);
    let mut buf = [0; 16];
    assert_eq!(poll_fn(|cx| a.poll_send_to(cx, b"to and from", b_addr)).await.unwrap(), 11);
    assert_eq!(poll_fn(|cx| b.poll_peek_from(cx, &mut buf)).await.unwrap(), (11, a_addr));
    assert_eq!(poll_fn(|cx| b.poll_recv_from(cx, &mut buf)).await.unwrap(), (11, a_addr));
    assert_eq!(&buf[..11], b"to and from");
    a.connect(b_addr).unwrap();
    b.connect(a_addr).unwrap();
    assert_eq!(poll_fn(|cx| b.poll_send(cx, b"back")).await.unwrap(), 4);
    assert_eq!(poll_fn(|cx| a.poll_peek(cx, &mut buf)).await.unwrap(), 4);
    assert_eq!(poll_fn(|cx| a.poll_recv(cx, &mut buf)).await.unwrap(), 4);
    assert_eq!(&buf[..4], b"back");
    assert!(poll_fn(|cx| Poll::Ready(a.poll_recv(cx, &mut buf))).await.is_pending());
}

pub(super) async fn udp_receive_serves_every_waiter<R: Runtime>(rt: R) {
    const WAITERS: u8 = 3;
    let (ours, addr) = bound(&rt).await;
    let ours = Arc::new(ours);
    let (mut tasks, mut all_wait) = (Vec::new(), Vec::new());
    for _ in 0..WAITERS {
        let (waits, is_waiting) = oneshot::channel();
        let ours = ours.clone();
        tasks.push(rt.spawn_boxed(async move {
            let mut buf = [0];
            waiting(ours.recv_from(&mut buf), waits).await.unwrap();
            buf[0]
        }));
        all_wait.push(is_waiting);
    }
    for is_waiting in all_wait {
        is_waiting.await.unwrap();
    }
    let (peer, _) = bound(&rt).await;
    for n in 0..WAITERS {
        peer.send_to(&[n], addr).await.unwrap();
    }
    let mut received = Vec::new();
    for task in tasks {
        received.push(rt.timeout(LONG, task).await.expect("every waiter is served").unwrap());
    }
    received.sort_unstable();
    assert_eq!(received, [0, 1, 2]);
}

pub(super) async fn udp_poll_wakes_the_last_waker<R: Runtime>(rt: R) {
    let (ours, addr) = bound(&rt).await;
    let (peer, _) = bound(&rt).await;
    let mut buf = [0; 8];
    for round in 0..4 {
        // Each of them would wait for ever with a future that is made anew for each poll.
        let bells: Vec<_> = (0..5).map(|_| bell()).collect();
        for (waker, _) in bells.iter().chain(&bells[..1]) {
            let cx = &mut Context::from_waker(waker);
            match round {
                0 => assert!(ours.poll_recv_from(cx, &mut buf).is_pending()),
                1 => assert!(ours.poll_recv(cx, &mut buf).is_pending()),
                2 => assert!(ours.poll_peek_from(cx, &mut buf).is_pending()),
                _ => assert!(ours.poll_peek(cx, &mut buf).is_pending()),
            }
        }
        let mut bells = bells.into_iter();
        let (_, mut rings) = bells.next().unwrap();
        peer.send_to(&[round], addr).await.unwrap();
        rt.timeout(LONG, rings.next()).await.expect("it is woken").unwrap();
        assert_eq!(poll_fn(|cx| ours.poll_recv_from(cx, &mut buf)).await.unwrap().0, 1);
        assert_eq!(buf[0], round);
        // One whom somebody has taken the datagram away from does not spin.
        assert!(poll_fn(|cx| Poll::Ready(ours.poll_recv(cx, &mut buf))).await.is_pending());
    }
}

pub(super) async fn udp_displaced_poller_is_not_woken<R: Runtime>(rt: R) {
    let (ours, addr) = bound(&rt).await;
    let (peer, _) = bound(&rt).await;
    let ((displaced, mut first_rings), (last, mut last_rings)) = (bell(), bell());
    for waker in [&displaced, &last] {
        assert!(ours.poll_recv_from(&mut Context::from_waker(waker), &mut [0; 8]).is_pending());
    }
    peer.send_to(b"x", addr).await.unwrap();
    rt.timeout(LONG, last_rings.next()).await.expect("the last one is woken").unwrap();
    assert!(first_rings.next().now_or_never().is_none(), "the one before is woken as well");
}

pub(super) async fn udp_two_pollers_burn_no_polls<R: Runtime>(rt: R) {
    let (ours, _) = bound(&rt).await;
    let ours = Arc::new(ours);
    let (tasks, polls): (Vec<_>, Vec<_>) = (0..2)
        .map(|_| {
            let ours = ours.clone();
            counted(poll_fn(move |cx| ours.poll_recv(cx, &mut [0; 8]).map_ok(drop)))
        })
        .map(|(task, polls)| (rt.spawn_boxed(task), polls))
        .unzip();
    rt.sleep(ms(20)).await;
    let polls = || polls.iter().map(|polls| polls.load(Ordering::SeqCst)).sum::<usize>();
    let before = polls();
    rt.sleep(ms(100)).await;
    let after = polls();
    assert!(after - before <= FEW, "polled {before} and then {after} times");
    for task in tasks {
        assert!(!task.is_finished());
        let _ = task.cancel().await;
    }
}

pub(super) async fn udp_first_poll_finds_what_is_there<R: Runtime>(rt: R) {
    let cx = &mut Context::from_waker(Waker::noop());
    let mut buf = [0; 8];
    for form in 0..8 {
        let ((socket, addr), (peer, _)) = (std_bound(), std_bound());
        peer.send_to(b"x", addr).unwrap();
        // It blocks until the datagram is there.
        socket.peek(&mut buf).unwrap();
        let ours = rt.udp_socket_from_std(socket).unwrap();
        let received = match form {
            0 => ours.recv(&mut buf).now_or_never(),
            1 => ours.peek(&mut buf).now_or_never(),
            2 => ours.recv_from(&mut buf).now_or_never().map(|received| received.map(|(len, _)| len)),
            3 => ours.peek_from(&mut buf).now_or_never().map(|received| received.map(|(len, _)| len)),
            4 => ready(ours.poll_recv(cx, &mut buf)),
            5 => ready(ours.poll_peek(cx, &mut buf)),
            6 => ready(ours.poll_recv_from(cx, &mut buf).map_ok(|(len, _)| len)),
            _ => ready(ours.poll_peek_from(cx, &mut buf).map_ok(|(len, _)| len)),
        };
        assert_eq!(received.unwrap_or_else(|| panic!("form {form} waits")).unwrap(), 1);
    }
}

pub(super) async fn udp_first_send_waits_for_nothing<R: Runtime>(rt: R) {
    let (sink, to) = bound(&rt).await;
    let cx = &mut Context::from_waker(Waker::noop());
    for form in 0..4 {
        let (ours, _) = bound(&rt).await;
        ours.connect(to).unwrap();
        let sent = match form {
            0 => ours.send(b"x").now_or_never(),
            1 => ours.send_to(b"x", to).now_or_never(),
            2 => ready(ours.poll_send(cx, b"x")),
            _ => ready(ours.poll_send_to(cx, b"x", to)),
        };
        assert_eq!(sent.unwrap_or_else(|| panic!("form {form} waits")).unwrap(), 1);
        assert_eq!(sink.recv(&mut [0; 8]).await.unwrap(), 1);
    }
}

pub(super) async fn udp_poll_and_await_at_once<R: Runtime>(rt: R) {
    let (ours, addr) = bound(&rt).await;
    let ours = Arc::new(ours);
    let (waits, is_waiting) = oneshot::channel();
    let (polls, is_polling) = oneshot::channel();
    let awaits = ours.clone();
    let awaits = rt.spawn_boxed(async move {
        let mut buf = [0; 8];
        waiting(awaits.recv_from(&mut buf), waits).await.unwrap().0
    });
    let polled = rt.spawn_boxed(async move {
        let mut buf = [0; 8];
        waiting(poll_fn(|cx| ours.poll_recv_from(cx, &mut buf)), polls).await.unwrap().0
    });
    is_waiting.await.unwrap();
    is_polling.await.unwrap();
    let (peer, _) = bound(&rt).await;
    for _ in 0..2 {
        peer.send_to(b"x", addr).await.unwrap();
    }
    for task in [awaits, polled] {
        assert_eq!(rt.timeout(LONG, task).await.expect("both are served").unwrap(), 1);
    }
}

pub(super) async fn udp_idle_receiver_burns_no_polls<R: Runtime>(rt: R) {
    let (ours, _) = bound(&rt).await;
    let ours = Arc::new(ours);
    let (first, second, third) = (ours.clone(), ours.clone(), ours);
    let (first, firsts) = counted(Box::pin(async move { first.recv_from(&mut [0; 8]).await.map(drop) }));
    let (second, seconds) = counted(Box::pin(async move { second.peek(&mut [0; 8]).await.map(drop) }));
    let (third, thirds) = counted(poll_fn(move |cx| third.poll_recv_from(cx, &mut [0; 8]).map_ok(drop)));
    let tasks = [rt.spawn_boxed(first), rt.spawn_boxed(second), rt.spawn_boxed(third)];
    rt.sleep(ms(20)).await;
    let polls = || [&firsts, &seconds, &thirds].map(|polls| polls.load(Ordering::SeqCst));
    let before = polls();
    rt.sleep(ms(100)).await;
    let after = polls();
    assert!(before.iter().zip(after).all(|(before, after)| after - before <= FEW), "{before:?}, {after:?}");
    for task in tasks {
        assert!(!task.is_finished());
        let _ = task.cancel().await;
    }
}

pub(super) async fn udp_receive_is_cancel_safe<R: Runtime>(rt: R) {
    // Fewer than fit the queue of the socket, should we be late.
    const DATAGRAMS: u8 = 150;
    let (ours, addr) = bound(&rt).await;
    let (peer, _) = bound(&rt).await;
    let timer = rt.clone();
    let sender = rt.spawn_boxed(async move {
        for n in 0..DATAGRAMS {
            peer.send_to(&[n], addr).await.unwrap();
            timer.sleep(Duration::from_micros(300)).await;
        }
    });
    let (mut received, mut buf) = (Vec::new(), [0]);
    while received.len() < usize::from(DATAGRAMS) {
        if let Ok(result) = rt.timeout(Duration::from_micros(200), ours.recv_from(&mut buf)).await {
            result.unwrap();
            received.push(buf[0]);
        }
    }
    assert_eq!(received, Vec::from_iter(0..DATAGRAMS));
    sender.await.unwrap();
}

/// A socket may be ready in vain, a few times: its runtime has noticed a datagram, and not that it is gone.
async fn is_not_ready(socket: &impl UdpSocket) {
    let mut in_vain = 0;
    while poll_fn(|cx| Poll::Ready(socket.poll_recv_ready(cx))).await.is_ready() {
        assert!(poll_fn(|cx| Poll::Ready(socket.poll_recv(cx, &mut [0; 8]))).await.is_pending());
        in_vain += 1;
        assert!(in_vain <= FEW);
    }
}

pub(super) async fn udp_readable_waits_for_a_datagram<R: Runtime>(rt: R) {
    let ((ours, addr), (peer, _)) = (bound(&rt).await, bound(&rt).await);
    let mut buf = [0; 8];
    for message in [b"1", b"2"] {
        is_not_ready(&ours).await;
        let mut readable = pin!(ours.readable());
        assert!(readable.as_mut().now_or_never().is_none());
        assert_eq!(peer.send_to(message, addr).await.unwrap(), 1);
        rt.timeout(LONG, readable).await.expect("it is readable").unwrap();
        rt.timeout(LONG, poll_fn(|cx| ours.poll_recv_ready(cx))).await.expect("it still is").unwrap();
        assert_eq!(ready(poll_fn(|cx| Poll::Ready(ours.poll_recv(cx, &mut buf))).await).unwrap().unwrap(), 1);
        assert_eq!(&buf[..1], message);
    }
}

pub(super) async fn udp_readable_wakes_everybody<R: Runtime>(rt: R) {
    let (ours, addr) = bound(&rt).await;
    let ours = Arc::new(ours);
    is_not_ready(&*ours).await;
    let mut tasks = Vec::new();
    for _ in 0..3 {
        let (socket, (waits, is_waiting)) = (ours.clone(), oneshot::channel());
        tasks.push(rt.spawn_boxed(async move { waiting(socket.readable(), waits).await }));
        is_waiting.await.unwrap();
    }
    bound(&rt).await.0.send_to(b"x", addr).await.unwrap();
    for task in tasks {
        rt.timeout(LONG, task).await.expect("everybody is woken").unwrap().unwrap();
    }
}

pub(super) async fn udp_ready_polls_wake_the_last_waker<R: Runtime>(rt: R) {
    let ((ours, addr), (peer, _)) = (bound(&rt).await, bound(&rt).await);
    is_not_ready(&ours).await;
    let ((displaced, mut first_rings), (last, mut last_rings)) = (bell(), bell());
    let by_displaced = &mut Context::from_waker(&displaced);
    assert!(ours.poll_recv_ready(by_displaced).is_pending());
    assert!(ours.poll_recv(by_displaced, &mut [0; 8]).is_pending());
    assert!(ours.poll_recv_ready(&mut Context::from_waker(&last)).is_pending());
    peer.send_to(b"x", addr).await.unwrap();
    rt.timeout(LONG, last_rings.next()).await.expect("the last one is woken").unwrap();
    assert!(first_rings.next().now_or_never().is_none(), "the one before is woken as well");
}

pub(super) async fn udp_writable_where_there_is_room<R: Runtime>(rt: R) {
    let (ours, addr) = bound(&rt).await;
    for _ in 0..3 {
        rt.timeout(LONG, ours.writable()).await.expect("there is room").unwrap();
        rt.timeout(LONG, poll_fn(|cx| ours.poll_send_ready(cx))).await.expect("there is room").unwrap();
        assert_eq!(ours.send_to(b"x", addr).await.unwrap(), 1);
    }
}

/// A socket of ours, and another handle to it.
fn twins<R: Runtime>(rt: &R, socket: StdSocket) -> (R::UdpSocket, StdSocket) {
    let twin = socket.try_clone().unwrap();
    (rt.udp_socket_from_std(socket).unwrap(), twin)
}

pub(super) async fn udp_try_io_calls_where_it_is_ready<R: Runtime>(rt: R) {
    let ((socket, addr), (other, others)) = (std_bound(), std_bound());
    let (ours, twin) = twins(&rt, socket);
    // The first operation of a new socket waits for nothing.
    assert_eq!(ours.try_io(Interest::Writable, || twin.send_to(b"out", others)).unwrap(), 3);
    let mut buf = [0; 8];
    assert_eq!(other.recv_from(&mut buf).unwrap(), (3, addr));
    other.send_to(b"in", addr).unwrap();
    rt.timeout(LONG, ours.readable()).await.expect("it is readable").unwrap();
    assert_eq!(ours.try_io(Interest::Readable, || twin.recv_from(&mut buf)).unwrap(), (2, others));
    // Whatever the operation fails with is passed on.
    let error = ours.try_io(Interest::Writable, || Err::<(), _>(ErrorKind::Other.into())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other);
}

pub(super) async fn udp_try_io_would_block_and_then_waits<R: Runtime>(rt: R) {
    const DATAGRAMS: usize = 3;
    let ((socket, addr), (peer, _)) = (std_bound(), std_bound());
    let (ours, twin) = twins(&rt, socket);
    let (turns, counts) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (turn, count) = (turns.clone(), counts.clone());
    let task = rt.spawn_boxed(async move {
        loop {
            match ours.try_io(Interest::Readable, || twin.recv(&mut [0; 8])) {
                Ok(_) => drop(count.fetch_add(1, Ordering::SeqCst)),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    ours.readable().await.unwrap();
                }
            }
            turn.fetch_add(1, Ordering::SeqCst);
        }
    });
    for n in 1..=DATAGRAMS {
        peer.send_to(b"x", addr).unwrap();
        while counts.load(Ordering::SeqCst) < n {
            rt.sleep(ms(1)).await;
        }
    }
    let before = turns.load(Ordering::SeqCst);
    rt.sleep(ms(100)).await;
    let after = turns.load(Ordering::SeqCst);
    assert!(after - before <= FEW, "{before} and then {after} turns");
    assert!(!task.is_finished());
    let _ = task.cancel().await;
}

/// How often a task may be polled that has nothing to do, on a busy machine where it starts late; one that spins is
/// polled thousands of times.
const FEW: usize = 10;

/// How many operations of a busy socket a timer that is up has to win against.
const BUSY: usize = 20_000;

/// A socket that has more than one datagram, and a closure that brings the next.
async fn busy<R: Runtime>(rt: &R) -> (R::UdpSocket, impl Fn()) {
    let (ours, addr) = bound(rt).await;
    let (peer, _) = std_bound();
    let more = move || assert_eq!(peer.send_to(b"x", addr).unwrap(), 1);
    for _ in 0..10 {
        more();
    }
    ours.peek(&mut [0]).await.unwrap();
    (ours, more)
}

pub(super) async fn udp_busy_socket_starves_no_timer<R: Runtime>(rt: R) {
    let (ours, more) = busy(&rt).await;
    let busy = async {
        for _ in 0..BUSY {
            ours.recv_from(&mut [0]).await.unwrap();
            more();
        }
    };
    assert!(rt.timeout(Duration::ZERO, busy).await.is_err(), "the timer waited for the socket");
}

pub(super) async fn udp_busy_poll_starves_no_timer<R: Runtime>(rt: R) {
    let (ours, more) = busy(&rt).await;
    let busy = async {
        for _ in 0..BUSY {
            poll_fn(|cx| ours.poll_recv(cx, &mut [0])).await.unwrap();
            more();
        }
    };
    assert!(rt.timeout(Duration::ZERO, busy).await.is_err(), "the timer waited for the socket");
}

pub(super) async fn udp_busy_sender_starves_no_timer<R: Runtime>(rt: R) {
    let (ours, _) = bound(&rt).await;
    // Nobody reads what it has; the system throws the rest away.
    let (_sink, sink) = std_bound();
    ours.send_to(b"x", sink).await.unwrap();
    let busy = async {
        for _ in 0..BUSY {
            let _ = ours.send_to(b"x", sink).await;
        }
    };
    assert!(rt.timeout(Duration::ZERO, busy).await.is_err(), "the timer waited for the socket");
}

pub(super) async fn udp_errors_are_the_systems<R: Runtime>(rt: R) {
    fn same<T: std::fmt::Debug, U: std::fmt::Debug>(ours: io::Result<T>, theirs: io::Result<U>) {
        let (ours, theirs) = (ours.unwrap_err(), theirs.unwrap_err());
        assert_eq!((ours.kind(), ours.raw_os_error()), (theirs.kind(), theirs.raw_os_error()));
        assert!(ours.raw_os_error().is_some());
    }

    let (ours, addr) = bound(&rt).await;
    let (theirs, _) = std_bound();
    same(ours.send(b"to nobody").await, theirs.send(b"to nobody"));
    same(poll_fn(|cx| ours.poll_send(cx, b"to nobody")).await, theirs.send(b"to nobody"));
    let huge = vec![0; 70_000];
    same(ours.send_to(&huge, addr).await, theirs.send_to(&huge, addr));
    let six: SocketAddr = "[::1]:7".parse().unwrap();
    same(ours.send_to(b"six", six).await, theirs.send_to(b"six", six));
    same(ours.connect(six), theirs.connect(six));
    same(ours.peer_addr(), theirs.peer_addr());
    assert_eq!(ours.peer_addr().unwrap_err().kind(), ErrorKind::NotConnected);
    // The socket stays usable.
    ours.send_to(b"me", addr).await.unwrap();
    assert_eq!(ours.recv_from(&mut [0; 8]).await.unwrap(), (2, addr));
}

pub(super) async fn udp_refusal_is_reported_once<R: Runtime>(rt: R) {
    // It takes nothing from us, and its port stays its own.
    let ((closed, closeds), (_other, others)) = (std_bound(), std_bound());
    closed.connect(others).unwrap();
    let (ours, addr) = bound(&rt).await;
    ours.connect(closeds).unwrap();
    let mut buf = [0; 8];
    for _ in 0..2 {
        assert_eq!(ours.send(b"anybody there?").await.unwrap(), 14);
        let error = rt.timeout(LONG, ours.recv(&mut buf)).await.expect("the host says no").unwrap_err();
        let refused =
            if is_of_windows(&ours) { ErrorKind::ConnectionReset } else { ErrorKind::ConnectionRefused };
        assert_eq!(error.kind(), refused);
    }
    let (peer, peers) = bound(&rt).await;
    ours.connect(peers).unwrap();
    peer.send_to(b"here", addr).await.unwrap();
    assert_eq!(ours.recv(&mut buf).await.unwrap(), 4);
}

pub(super) async fn udp_refusal_wakes_who_awaits<R: Runtime>(rt: R) {
    let ((closed, closeds), (_other, others)) = (std_bound(), std_bound());
    closed.connect(others).unwrap();
    let (ours, _) = bound(&rt).await;
    ours.connect(closeds).unwrap();
    let refused =
        if is_of_windows(&ours) { ErrorKind::ConnectionReset } else { ErrorKind::ConnectionRefused };
    let mut buf = [0; 8];
    let (received, sent) = join(rt.timeout(LONG, ours.recv(&mut buf)), ours.send(b"anybody there?")).await;
    sent.unwrap();
    assert_eq!(received.expect("it is woken").unwrap_err().kind(), refused);
    let (peeked, sent) = join(rt.timeout(LONG, ours.peek_from(&mut buf)), ours.send(b"anybody there?")).await;
    sent.unwrap();
    assert_eq!(peeked.expect("it is woken").unwrap_err().kind(), refused);
    // Readiness that was noticed before is gone, where the runtime does not always say that it is ready.
    for _ in 0..10 {
        if rt.timeout(ms(20), ours.readable()).await.is_err() {
            break;
        }
        let _ = ours.try_recv(&mut buf);
    }
    let (ready, sent) = join(rt.timeout(LONG, ours.readable()), ours.send(b"anybody there?")).await;
    sent.unwrap();
    ready.expect("it is woken").unwrap();
    let tried = async {
        loop {
            match ours.try_recv(&mut buf) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => ours.readable().await.unwrap(),
                tried => return tried,
            }
        }
    };
    assert_eq!(rt.timeout(LONG, tried).await.expect("it is said").unwrap_err().kind(), refused);
}

pub(super) async fn udp_works_on_a_plain_thread<R: Runtime>(rt: R) {
    let (ours, addr) = bound(&rt).await;
    let (peer, peers) = bound(&rt).await;
    let echo = rt.spawn_boxed(async move {
        let mut buf = [0; 8];
        let (len, from) = peer.recv_from(&mut buf).await.unwrap();
        peer.send_to(&buf[..len], from).await.unwrap();
    });
    let answer = on_a_plain_thread(async move {
        ours.send_to(b"hello", peers).await.unwrap();
        let mut buf = [0; 8];
        let (len, _) = ours.recv_from(&mut buf).await.unwrap();
        assert_eq!(ours.local_addr().unwrap(), addr);
        buf[..len].to_vec()
    });
    assert_eq!(answer.await, b"hello");
    echo.await.unwrap();
}

pub(super) async fn udp_moves_between_tasks<R: Runtime>(rt: R) {
    let (ours, addr) = bound(&rt).await;
    let (peer, _) = bound(&rt).await;
    assert!(rt.timeout(ms(5), ours.recv_from(&mut [0; 8])).await.is_err());
    assert!(poll_fn(|cx| Poll::Ready(ours.poll_recv(cx, &mut [0; 8]))).await.is_pending());
    let (waits, is_waiting) = oneshot::channel();
    let receiver = rt.spawn_boxed(async move {
        let mut buf = [0; 8];
        waiting(poll_fn(|cx| ours.poll_recv(cx, &mut buf)), waits).await.unwrap()
    });
    is_waiting.await.unwrap();
    peer.send_to(b"moved", addr).await.unwrap();
    assert_eq!(receiver.await.unwrap(), 5);
}

pub(super) async fn udp_bind_picks_a_port<R: Runtime>(rt: R) {
    let ((_a, a), (_b, b)) = (bound(&rt).await, bound(&rt).await);
    assert!(a.port() != 0 && b.port() != 0 && a != b);
}

pub(super) async fn udp_bind_by_name<R: Runtime>(rt: R) {
    for socket in [rt.udp_bind(("localhost", 0)).await, rt.udp_bind("localhost:0").await] {
        assert!(socket.unwrap().local_addr().unwrap().ip().is_loopback());
    }
    assert_eq!(rt.udp_bind("no port").await.unwrap_err().kind(), ErrorKind::InvalidInput);
}

pub(super) async fn udp_bind_in_use_has_its_kind<R: Runtime>(rt: R) {
    let (_taken, addr) = bound(&rt).await;
    let error = rt.udp_bind(addr).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&addr.to_string()), "{error}");
}

pub(super) async fn udp_bind_tries_every_address<R: Runtime>(rt: R) {
    let (_taken, addr) = bound(&rt).await;
    let addrs = [addr, LOOPBACK.parse().unwrap()];
    assert_ne!(rt.udp_bind(&addrs[..]).await.unwrap().local_addr().unwrap(), addr);
    let twice = [addrs[1], addr];
    assert_eq!(rt.udp_bind(&[addr, addr][..]).await.unwrap_err().kind(), ErrorKind::AddrInUse);
    assert_ne!(rt.udp_bind(&twice[..]).await.unwrap().local_addr().unwrap(), addr);
}

pub(super) async fn udp_bind_to_no_address_is_invalid_input<R: Runtime>(rt: R) {
    assert_eq!(rt.udp_bind(Vec::new()).await.unwrap_err().kind(), ErrorKind::InvalidInput);
}

pub(super) async fn udp_bind_from_a_plain_thread<R: Runtime>(rt: R) {
    let there = rt.clone();
    let ours = on_a_plain_thread(async move { there.udp_bind(LOOPBACK).await.unwrap() }).await;
    std_bound().0.send_to(b"x", ours.local_addr().unwrap()).unwrap();
    assert_eq!(ours.recv(&mut [0; 8]).await.unwrap(), 1);
}

pub(super) async fn udp_addresses_match<R: Runtime>(rt: R) {
    let (ours, peer) = pair(&rt).await;
    assert_eq!(ours.local_addr().unwrap(), peer.peer_addr().unwrap());
    assert_eq!(ours.peer_addr().unwrap(), peer.local_addr().unwrap());
}

pub(super) async fn udp_broadcast_has_to_be_allowed<R: Runtime>(rt: R) {
    let (ours, _) = bound(&rt).await;
    let everybody: SocketAddr = "255.255.255.255:9".parse().unwrap();
    assert!(!ours.broadcast().unwrap());
    let error = ours.send_to(b"hello", everybody).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    ours.set_broadcast(true).unwrap();
    assert!(ours.broadcast().unwrap());
    // Whether there is a network to send it to is another question.
    if let Err(error) = ours.send_to(b"hello", everybody).await {
        assert_ne!(error.kind(), ErrorKind::PermissionDenied);
    }
    ours.set_broadcast(false).unwrap();
    assert!(!ours.broadcast().unwrap());
}

pub(super) async fn udp_ttl_can_be_set<R: Runtime>(rt: R) {
    let (ours, _) = bound(&rt).await;
    ours.set_ttl(42).unwrap();
    assert_eq!(ours.ttl().unwrap(), 42);
}

pub(super) async fn udp_multicast_options_can_be_set<R: Runtime>(rt: R) {
    let (ours, _) = bound(&rt).await;
    assert!(ours.multicast_loop_v4().unwrap());
    ours.set_multicast_loop_v4(false).unwrap();
    assert!(!ours.multicast_loop_v4().unwrap());
    assert_eq!(ours.multicast_ttl_v4().unwrap(), 1);
    ours.set_multicast_ttl_v4(3).unwrap();
    assert_eq!(ours.multicast_ttl_v4().unwrap(), 3);
    let Ok(six) = rt.udp_bind("[::1]:0").await else {
        return skip("half of udp_multicast_options_can_be_set", "this machine has no ::1");
    };
    assert!(six.multicast_loop_v6().unwrap());
    six.set_multicast_loop_v6(false).unwrap();
    assert!(!six.multicast_loop_v6().unwrap());
}

/// Whether a group reaches its members on this machine, by sockets of the standard library.
fn multicast_works(
    member: &str,
    sender: &str,
    group: impl Fn(u16) -> SocketAddr,
    join: impl Fn(&StdSocket, SocketAddr) -> io::Result<()>,
) -> io::Result<()> {
    let (member, sender) = (StdSocket::bind(member)?, StdSocket::bind(sender)?);
    let group = group(member.local_addr()?.port());
    join(&member, group)?;
    member.set_read_timeout(Some(Duration::from_secs(2)))?;
    sender.send_to(b"x", group)?;
    member.recv(&mut [0; 8]).map(drop)
}

pub(super) async fn udp_multicast_reaches_its_group<R: Runtime>(rt: R) {
    const LO: Ipv4Addr = Ipv4Addr::LOCALHOST;
    // A group of its own: Linux brings a socket those of other sockets, too (`IP_MULTICAST_ALL`).
    let group = |port: u16| Ipv4Addr::new(239, 255, (port >> 8) as u8, port as u8);
    let at = |port| SocketAddr::from((group(port), port));
    let works = multicast_works("0.0.0.0:0", LOOPBACK, at, |member, group| match group {
        SocketAddr::V4(group) => member.join_multicast_v4(group.ip(), &LO),
        SocketAddr::V6(_) => unreachable!(),
    });
    if let Err(error) = works {
        return skip("udp_multicast_reaches_its_group", &error.to_string());
    }
    let (member, (sender, _)) = (rt.udp_bind("0.0.0.0:0").await.unwrap(), bound(&rt).await);
    let port = member.local_addr().unwrap().port();
    member.join_multicast_v4(&group(port), &LO).unwrap();
    let mut buf = [0; 16];
    sender.send_to(b"to all", at(port)).await.unwrap();
    assert_eq!(rt.timeout(LONG, member.recv(&mut buf)).await.expect("it is in the group").unwrap(), 6);
    member.leave_multicast_v4(&group(port), &LO).unwrap();
    sender.send_to(b"to all", at(port)).await.unwrap();
    sender.send_to(b"to one", (LO, port).into()).await.unwrap();
    assert_eq!(member.recv(&mut buf).await.unwrap(), 6);
    assert_eq!(&buf[..6], b"to one");
    assert!(member.leave_multicast_v4(&group(port), &LO).is_err(), "it has left");
}

pub(super) async fn udp_multicast_v6_reaches_its_group<R: Runtime>(rt: R) {
    // It leaves no interface: RFC 4291, 2.7.
    let group = |port: u16| Ipv6Addr::new(0xff01, 0, 0, 0, 0, 0, 0xa1, port);
    let at = |port| SocketAddr::from((group(port), port));
    let works = multicast_works("[::]:0", "[::]:0", at, |member, group| match group {
        SocketAddr::V6(group) => member.join_multicast_v6(group.ip(), 0),
        SocketAddr::V4(_) => unreachable!(),
    });
    if let Err(error) = works {
        return skip("udp_multicast_v6_reaches_its_group", &error.to_string());
    }
    let member = rt.udp_bind("[::]:0").await.unwrap();
    let sender = rt.udp_bind("[::]:0").await.unwrap();
    let port = member.local_addr().unwrap().port();
    member.join_multicast_v6(&group(port), 0).unwrap();
    let mut buf = [0; 16];
    sender.send_to(b"to all", at(port)).await.unwrap();
    assert_eq!(rt.timeout(LONG, member.recv(&mut buf)).await.expect("it is in the group").unwrap(), 6);
    member.leave_multicast_v6(&group(port), 0).unwrap();
    assert!(member.leave_multicast_v6(&group(port), 0).is_err(), "it has left");
}

pub(super) async fn udp_ipv6_round_trip<R: Runtime>(rt: R) {
    let (Ok(a), Ok(b)) = (rt.udp_bind("[::1]:0").await, rt.udp_bind("[::1]:0").await) else {
        return skip("udp_ipv6_round_trip", "this machine has no ::1");
    };
    let (a_addr, b_addr) = (a.local_addr().unwrap(), b.local_addr().unwrap());
    assert!(a_addr.is_ipv6());
    let (sent, received) = join(a.send_to(b"six", b_addr), async {
        let mut buf = [0; 8];
        b.recv_from(&mut buf).await
    })
    .await;
    assert_eq!((sent.unwrap(), received.unwrap()), (3, (3, a_addr)));
}

pub(super) async fn udp_from_a_blocking_std_socket<R: Runtime>(rt: R) {
    let ((blocking, addr), (peer, _)) = (std_bound(), std_bound());
    let ours = rt.udp_socket_from_std(blocking).unwrap();
    assert_eq!(ours.local_addr().unwrap(), addr);
    // A blocking receive would stay in this poll.
    let (release, released) = mpsc::channel::<()>();
    let watchdog = thread::spawn(move || {
        let in_time = released.recv_timeout(LONG / 10).is_ok();
        peer.send_to(b"x", addr).unwrap();
        in_time
    });
    assert!(ours.recv_from(&mut [0; 8]).now_or_never().is_none());
    assert!(poll_fn(|cx| Poll::Ready(ours.poll_recv(cx, &mut [0; 8]))).await.is_pending());
    release.send(()).unwrap();
    assert_eq!(ours.recv(&mut [0; 8]).await.unwrap(), 1);
    assert!(watchdog.join().unwrap(), "the receive blocked its thread");
}

pub(super) async fn udp_from_std_on_a_plain_thread<R: Runtime>(rt: R) {
    let ((socket, addr), (peer, _)) = (std_bound(), std_bound());
    let there = rt.clone();
    let ours = on_a_plain_thread(async move { there.udp_socket_from_std(socket).unwrap() }).await;
    peer.send_to(b"x", addr).unwrap();
    assert_eq!(ours.recv(&mut [0; 8]).await.unwrap(), 1);
}

pub(super) async fn udp_into_std_blocks<R: Runtime>(rt: R) {
    let (ours, addr) = bound(&rt).await;
    let blocking = ours.into_std().unwrap();
    let sender = thread::spawn(move || {
        thread::sleep(ms(20));
        std_bound().0.send_to(b"x", addr).unwrap();
    });
    assert_eq!(blocking.recv(&mut [0; 8]).expect("a blocking receive waits"), 1);
    sender.join().unwrap();
    // And back again.
    assert_eq!(rt.udp_socket_from_std(blocking).unwrap().local_addr().unwrap(), addr);
}

pub(super) async fn udp_without_a_handle<R: Runtime>(rt: R) {
    assert!(AnyRuntime::known(&rt).is_some());
    let task = rt.spawn_boxed(async {
        let a = net::UdpSocket::bind(LOOPBACK).await.unwrap();
        let b = net::UdpSocket::from_std(StdSocket::bind(LOOPBACK).unwrap()).unwrap();
        a.send_to(b"free", b.local_addr().unwrap()).await.unwrap();
        let mut buf = [0; 8];
        assert_eq!(b.recv_from(&mut buf).await.unwrap(), (4, a.local_addr().unwrap()));
    });
    task.await.unwrap();
}

pub(super) async fn udp_tries_wait_for_nothing<R: Runtime>(rt: R) {
    let ((ours, addr), (peer, peers)) = (bound(&rt).await, bound(&rt).await);
    let mut buf = [0; 8];
    assert_eq!(ours.try_recv(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(ours.try_recv_from(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
    // The first send of a new socket.
    assert_eq!(ours.try_send_to(b"to", peers).unwrap(), 2);
    assert_eq!(peer.recv_from(&mut buf).await.unwrap(), (2, addr));
    peer.connect(addr).unwrap();
    assert_eq!(peer.try_send(b"back").unwrap(), 4);
    assert_eq!(ours.recv_from(&mut buf).await.unwrap(), (4, peers));
    assert_eq!(ours.try_send(b"to nobody").unwrap_err().kind(), ours.send(b"x").await.unwrap_err().kind());
}

pub(super) async fn udp_try_recv_takes_what_is_there<R: Runtime>(rt: R) {
    let ((ours, addr), (peer, peers)) = (bound(&rt).await, bound(&rt).await);
    let mut buf = [0; 8];
    for from in [true, false] {
        is_not_ready(&ours).await;
        peer.send_to(b"x", addr).await.unwrap();
        let received = async {
            loop {
                ours.readable().await.unwrap();
                let received = if from {
                    ours.try_recv_from(&mut buf)
                        .inspect(|(_, from)| assert_eq!(*from, peers))
                        .map(|(len, _)| len)
                } else {
                    ours.try_recv(&mut buf)
                };
                match received {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    received => return received.unwrap(),
                }
            }
        };
        assert_eq!(rt.timeout(LONG, received).await.expect("it is there"), 1);
    }
}

pub(super) async fn udp_connect_and_send_to_take_names<R: Runtime>(rt: R) {
    let task = rt.spawn_boxed(async {
        let (a, b) =
            (net::UdpSocket::bind(LOOPBACK).await.unwrap(), net::UdpSocket::bind(LOOPBACK).await.unwrap());
        let port = b.local_addr().unwrap().port();
        let mut buf = [0; 8];
        // Whichever of its addresses comes first: this socket is of IPv4.
        assert_eq!(a.send_to(b"name", ("localhost", port)).await.unwrap(), 4);
        assert_eq!(b.recv_from(&mut buf).await.unwrap(), (4, a.local_addr().unwrap()));
        assert_eq!(a.send_to(b"text", format!("127.0.0.1:{port}")).await.unwrap(), 4);
        assert_eq!(b.recv(&mut buf).await.unwrap(), 4);
        let six = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
        let both = [six, b.local_addr().unwrap()];
        assert_eq!(a.send_to(b"both", &both[..]).await.unwrap(), 4);
        assert_eq!(b.recv(&mut buf).await.unwrap(), 4);
        // One after the other, until one can be connected to.
        a.connect(&both[..]).await.unwrap();
        assert_eq!(a.peer_addr().unwrap(), both[1]);
        b.connect(("localhost", a.local_addr().unwrap().port())).await.unwrap();
        assert_eq!(a.send(b"peer").await.unwrap(), 4);
        assert_eq!(b.recv(&mut buf).await.unwrap(), 4);
        let error = a.connect(&[six, six][..]).await.unwrap_err();
        assert!(error.to_string().contains(&six.to_string()), "{error}");
        for error in [
            a.connect("no port").await.unwrap_err(),
            a.connect(Vec::new()).await.unwrap_err(),
            a.send_to(b"x", "no port").await.unwrap_err(),
            a.send_to(b"x", Vec::new()).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        }
    });
    task.await.unwrap();
}

pub(super) async fn udp_addresses_need_no_runtime<R: Runtime>(rt: R) {
    let (a, b) = rt
        .spawn_boxed(async {
            (net::UdpSocket::bind(LOOPBACK).await.unwrap(), net::UdpSocket::bind(LOOPBACK).await.unwrap())
        })
        .await
        .unwrap();
    let to = b.local_addr().unwrap();
    // On a thread without a runtime, and under no executor at all.
    let sender = thread::spawn(move || {
        assert_eq!(a.send_to(b"x", to).now_or_never().expect("nothing is looked up").unwrap(), 1);
        assert_eq!(a.send_to(b"x", &[to][..]).now_or_never().expect("nor here").unwrap(), 1);
        a.connect(to).now_or_never().expect("nor here").unwrap();
        a.connect(&[to][..]).now_or_never().expect("nor here").unwrap();
        assert_eq!(a.peer_addr().unwrap(), to);
        let error = a.connect("localhost:1").now_or_never().expect("nobody looks it up").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    });
    sender.join().unwrap();
    for _ in 0..2 {
        assert_eq!(b.recv(&mut [0; 8]).await.unwrap(), 1);
    }
}

pub(super) async fn udp_recv_msg_tells_of_a_truncated_datagram<R: Runtime>(rt: R) {
    let ((ours, addr), (peer, peers)) = (bound(&rt).await, bound(&rt).await);
    let mut buf = [0; 4];
    for (message, len, truncated) in
        [(&b"0123456789"[..], 4, true), (b"0123", 4, false), (b"", 0, false), (b"012", 3, false)]
    {
        peer.send_to(message, addr).await.unwrap();
        let message = ours.recv_msg(&mut buf).await.unwrap();
        assert_eq!((message.len, message.truncated, message.addr), (len, truncated, peers));
        assert_eq!(&buf[..len], &b"0123"[..len]);
    }
    peer.send_to(b"x", addr).await.unwrap();
    assert!(ours.recv_msg(&mut []).await.unwrap().truncated);
}
