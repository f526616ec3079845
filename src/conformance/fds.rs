//! File descriptors over Unix streams.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream as StdStream;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures::io::{AsyncReadExt, AsyncWriteExt};

use super::stream::pattern;
use super::support::{Boxed as _, LONG, ms, poll_once};
use crate::runtime::{RecvFds, Runtime, UnixStream};

/// A descriptor, and a socket that reads an end when the last copy of it is closed.
fn descriptor() -> (OwnedFd, StdStream) {
    let (passed, other) = StdStream::pair().unwrap();
    other.set_nonblocking(true).unwrap();
    (passed.into(), other)
}

/// Waits until no copy is open any more.
async fn all_closed<R: Runtime>(rt: &R, mut other: StdStream) {
    let closed = async {
        loop {
            match other.read(&mut [0]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => rt.sleep(ms(1)).await,
                read => return read.unwrap(),
            }
        }
    };
    assert_eq!(rt.timeout(LONG, closed).await.expect("no copy stays open"), 0);
}

/// Receives something, be it the end.
async fn receive<R: Runtime>(rt: &R, stream: &R::UnixStream, buf: &mut [u8], room: usize) -> RecvFds {
    rt.timeout(LONG, stream.recv_with_fds(buf, room)).await.expect("something comes").unwrap()
}

/// Linux says what it knows of a descriptor.
fn is_close_on_exec(fd: &OwnedFd) -> bool {
    const O_CLOEXEC: u32 = 0o2_000_000;
    let Ok(info) = fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_raw_fd())) else { return true };
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
    u32::from_str_radix(flags.trim(), 8).unwrap() & O_CLOEXEC != 0
}

pub(super) async fn unix_fds_work_on_the_other_side<R: Runtime>(rt: R) {
    let (a, b) = rt.unix_pair().unwrap();
    for (from, to) in [(&a, &b), (&b, &a)] {
        let ((first, other_of_first), (second, other_of_second)) = (descriptor(), descriptor());
        assert_eq!(from.send_with_fds(b"two", &[first.as_fd(), second.as_fd()]).await.unwrap(), 3);
        // They are copies.
        drop((first, second));
        let mut buf = [0; 8];
        let received = receive(&rt, to, &mut buf, 8).await;
        assert_eq!((received.len, &buf[..3], received.truncated), (3, &b"two"[..], false));
        assert!(received.fds.iter().all(is_close_on_exec));
        let [first, second] = received.fds.try_into().unwrap();
        for (fd, mut other, byte) in [(first, other_of_first, 1), (second, other_of_second, 2)] {
            let mut passed = StdStream::from(fd);
            passed.write_all(&[byte]).unwrap();
            let mut read = [0];
            other.read_exact(&mut read).unwrap();
            assert_eq!(read, [byte]);
            drop(passed);
            all_closed(&rt, other).await;
        }
    }
    // Without any, it is plain writing and reading.
    assert_eq!(a.send_with_fds(b"none", &[]).await.unwrap(), 4);
    let received = receive(&rt, &b, &mut [0; 8], 8).await;
    assert_eq!((received.len, received.fds.len(), received.truncated), (4, 0, false));
    drop(a);
    assert_eq!(receive(&rt, &b, &mut [0; 8], 8).await.len, 0);
}

pub(super) async fn unix_fds_keep_their_place<R: Runtime>(rt: R) {
    let (fd, _other) = descriptor();
    for most in [64, 1] {
        let (mut a, b) = rt.unix_pair().unwrap();
        a.write_all(b"01").await.unwrap();
        assert_eq!(a.send_with_fds(b"234", &[fd.as_fd()]).await.unwrap(), 3);
        a.write_all(b"56").await.unwrap();
        for two in [b"78", b"9a"] {
            assert_eq!(a.send_with_fds(two, &[fd.as_fd(); 2]).await.unwrap(), 2);
        }
        drop(a);
        let mut all = Vec::new();
        // Where bytes begin that have descriptors, and end, and how many those are.
        let mut expected = vec![(2, 5, 1), (7, 9, 2), (9, 11, 2)].into_iter().peekable();
        loop {
            let mut buf = vec![0; most];
            let received = receive(&rt, &b, &mut buf, 8).await;
            if received.len == 0 {
                break;
            }
            let from = all.len();
            all.extend_from_slice(&buf[..received.len]);
            assert!(!received.truncated);
            match expected.next_if(|(first, ..)| *first < all.len()) {
                Some((first, end, many)) => {
                    assert!(
                        (from..all.len()).contains(&first) && all.len() <= end,
                        "{from} to {}",
                        all.len()
                    );
                    assert_eq!(received.fds.len(), many, "at {first}");
                }
                None => assert!(received.fds.is_empty(), "at {from}"),
            }
        }
        assert_eq!((&*all, expected.next()), (&b"0123456789a"[..], None));
    }
}

pub(super) async fn unix_fds_without_room_are_closed<R: Runtime>(rt: R) {
    let (a, mut b) = rt.unix_pair().unwrap();
    for room in 0..3 {
        let (fds, others): (Vec<_>, Vec<_>) = [(); 3].map(|()| descriptor()).into_iter().unzip();
        let borrowed: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
        a.send_with_fds(b"x", &borrowed).await.unwrap();
        drop(fds);
        let received = receive(&rt, &b, &mut [0; 8], room).await;
        assert_eq!((received.len, received.fds.len(), received.truncated), (1, room, true));
        let mut others = others.into_iter();
        let kept: Vec<_> = others.by_ref().take(room).collect();
        for other in others {
            all_closed(&rt, other).await;
        }
        for (fd, mut other) in received.fds.into_iter().zip(kept) {
            StdStream::from(fd).write_all(b"x").unwrap();
            assert_eq!(other.read(&mut [0; 8]).unwrap(), 1);
            all_closed(&rt, other).await;
        }
    }
    // A plain read has no room.
    let (fd, other) = descriptor();
    a.send_with_fds(b"x", &[fd.as_fd()]).await.unwrap();
    drop(fd);
    assert_eq!(b.read(&mut [0; 8]).await.unwrap(), 1);
    all_closed(&rt, other).await;
    // Nor has nobody.
    let (fd, other) = descriptor();
    a.send_with_fds(b"x", &[fd.as_fd()]).await.unwrap();
    drop((fd, b));
    all_closed(&rt, other).await;
}

pub(super) async fn unix_fds_are_sent_once<R: Runtime>(rt: R) {
    const LEN: usize = 4 << 20;
    let (mut a, b) = rt.unix_pair().unwrap();
    let (fd, other) = descriptor();
    let sender = rt.spawn_boxed(async move {
        let data = pattern(LEN);
        let sent = a.send_with_fds(&data, &[fd.as_fd()]).await.unwrap();
        assert!(sent < LEN, "there was room for all of it");
        drop(fd);
        a.write_all(&data[sent..]).await.unwrap();
    });
    let (mut all, mut fds) = (Vec::new(), Vec::new());
    loop {
        let mut buf = [0; 1 << 12];
        let received = receive(&rt, &b, &mut buf, 8).await;
        if received.len == 0 {
            break;
        }
        assert_eq!(received.fds.len(), usize::from(all.is_empty()), "after {} bytes", all.len());
        fds.extend(received.fds);
        all.extend_from_slice(&buf[..received.len]);
    }
    assert!(all == pattern(LEN));
    sender.await.unwrap();
    drop(fds);
    all_closed(&rt, other).await;
}

pub(super) async fn unix_fds_of_a_cancelled_send_stay<R: Runtime>(rt: R) {
    let (a, b) = rt.unix_pair().unwrap();
    let (fd, other) = descriptor();
    rt.timeout(LONG, a.writable()).await.expect("there is room").unwrap();
    let (mut bytes, mut fds) = (0, 0);
    // Until there is no room for a single byte any more.
    for len in [1 << 16, 1] {
        while let Ok(sent) = a.try_send_with_fds(&vec![0; len], &[fd.as_fd()]) {
            (bytes, fds) = (bytes + sent, fds + 1);
        }
    }
    assert!(poll_once(&mut pin!(a.send_with_fds(b"x", &[fd.as_fd()]))).is_pending());
    // It may be writable in vain for a while, until its runtime is told.
    for turn in 0.. {
        // With a new budget.
        rt.yield_now().await;
        if poll_once(&mut pin!(a.writable())).is_pending() {
            break;
        }
        assert!(turn < 10, "it is writable for ever, and there is no room");
        assert_eq!(a.try_send_with_fds(b"x", &[fd.as_fd()]).unwrap_err().kind(), ErrorKind::WouldBlock);
    }
    drop((fd, a));
    loop {
        let received = receive(&rt, &b, &mut [0; 1 << 16], 8).await;
        if received.len == 0 {
            break;
        }
        (bytes, fds) = (bytes - received.len, fds - received.fds.len());
    }
    assert_eq!((bytes, fds), (0, 0));
    all_closed(&rt, other).await;
}

pub(super) async fn unix_fds_outlive_a_cancelled_receive<R: Runtime>(rt: R) {
    const MESSAGES: usize = 50;
    let (a, b) = rt.unix_pair().unwrap();
    assert!(poll_once(&mut pin!(b.recv_with_fds(&mut [0; 8], 8))).is_pending());
    let timer = rt.clone();
    let sender = rt.spawn_boxed(async move {
        for n in 0..MESSAGES {
            let (fd, mut other) = descriptor();
            a.send_with_fds(b"x", &[fd.as_fd()]).await.unwrap();
            other.write_all(&[n as u8]).unwrap();
            timer.sleep(Duration::from_micros(300)).await;
        }
    });
    let mut numbers = Vec::new();
    for turn in 0.. {
        if numbers.len() == MESSAGES {
            break;
        }
        // Dropped after the poll that finds a message, and by a timeout while a message may come.
        let received = if turn % 2 == 0 {
            rt.timeout(LONG, b.readable()).await.expect("a message comes").unwrap();
            poll_once(&mut pin!(b.recv_with_fds(&mut [0; 8], 8)))
        } else {
            let received = rt.timeout(Duration::from_micros(200), b.recv_with_fds(&mut [0; 8], 8)).await;
            received.map_or(Poll::Pending, Poll::Ready)
        };
        let Poll::Ready(received) = received.map(Result::unwrap) else { continue };
        assert_ne!(received.len, 0, "some were lost: {numbers:?}");
        for fd in received.fds {
            let mut number = [0];
            StdStream::from(fd).read_exact(&mut number).unwrap();
            numbers.push(usize::from(number[0]));
        }
    }
    assert!(numbers.into_iter().eq(0..MESSAGES));
    sender.await.unwrap();
}

pub(super) async fn unix_fds_without_a_byte_are_invalid_input<R: Runtime>(rt: R) {
    let (a, b) = rt.unix_pair().unwrap();
    let (fd, other) = descriptor();
    let many = [fd.as_fd(); 254];
    for (buf, fds) in [(&b""[..], &many[..1]), (b"x", &many)] {
        assert_eq!(a.send_with_fds(buf, fds).await.unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(a.try_send_with_fds(buf, fds).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    assert_eq!(a.send_with_fds(b"", &[]).await.unwrap(), 0);
    a.send_with_fds(b"x", &[fd.as_fd()]).await.unwrap();
    // Into nothing it receives nothing.
    let received = receive(&rt, &b, &mut [], 8).await;
    assert_eq!((received.len, received.fds.len(), received.truncated), (0, 0, false));
    let received = receive(&rt, &b, &mut [0; 8], 8).await;
    assert_eq!((received.len, received.fds.len()), (1, 1));
    drop((fd, received));
    all_closed(&rt, other).await;
    // Nothing is sent without an error, as by plain writing, though the peer is gone.
    drop(b);
    assert_eq!(a.send_with_fds(b"", &[]).await.unwrap(), 0);
}

pub(super) async fn unix_fds_try_waits_for_nothing<R: Runtime>(rt: R) {
    let (a, b) = rt.unix_pair().unwrap();
    let (fd, _other) = descriptor();
    assert_eq!(b.try_recv_with_fds(&mut [0; 8], 1).unwrap_err().kind(), ErrorKind::WouldBlock);
    // The first try of a new stream.
    assert_eq!(a.try_send_with_fds(b"x", &[fd.as_fd()]).unwrap(), 1);
    assert_eq!(a.try_send_with_fds(b"y", &[]).unwrap(), 1);
    let mut came = (0, 0);
    while came.0 < 2 {
        rt.timeout(LONG, b.readable()).await.expect("it becomes readable").unwrap();
        match b.try_recv_with_fds(&mut [0; 8], 1) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            received => {
                let received = received.unwrap();
                came = (came.0 + received.len, came.1 + received.fds.len());
            }
        }
    }
    assert_eq!(came, (2, 1));
    // It may be readable in vain for a while, until its runtime is told.
    for turn in 0.. {
        assert_eq!(b.try_recv_with_fds(&mut [0; 8], 1).unwrap_err().kind(), ErrorKind::WouldBlock);
        if poll_once(&mut pin!(b.readable())).is_pending() {
            break;
        }
        assert!(turn < 10, "it is readable for ever, and nothing is there");
    }
    // A receive that waits is woken.
    let mut receive = Box::pin(async move { b.recv_with_fds(&mut [0; 8], 1).await });
    assert!(poll_once(&mut receive).is_pending());
    a.send_with_fds(b"x", &[fd.as_fd()]).await.unwrap();
    assert_eq!(rt.timeout(LONG, receive).await.expect("it is woken").unwrap().fds.len(), 1);
}

pub(super) async fn unix_fds_starve_no_timer<R: Runtime>(rt: R) {
    const BYTES: usize = 20_000;
    let (mut a, b) = rt.unix_pair().unwrap();
    a.write_all(&[0; BYTES + 1]).await.unwrap();
    assert_eq!(receive(&rt, &b, &mut [0], 0).await.len, 1);
    let busy = async {
        for _ in 0..BYTES {
            b.recv_with_fds(&mut [0], 0).await.unwrap();
        }
    };
    assert!(rt.timeout(Duration::ZERO, busy).await.is_err(), "the timer waited for the stream");
}

pub(super) async fn unix_fds_hide_no_bytes<R: Runtime>(rt: R) {
    let (a, mut b) = rt.unix_pair().unwrap();
    let (fd, _other) = descriptor();
    // tokio is told of a new socket only in its second turn.
    for _ in 0..5 {
        let mut all = Vec::new();
        for message in [b"ab", b"cd"] {
            assert_eq!(a.send_with_fds(message, &[fd.as_fd()]).await.unwrap(), 2);
        }
        assert_eq!(a.send_with_fds(b"ef", &[]).await.unwrap(), 2);
        while all.len() < 4 {
            let mut buf = [0; 8];
            let read = rt.timeout(LONG, b.read(&mut buf)).await.expect("bytes are there").unwrap();
            all.extend_from_slice(&buf[..read]);
        }
        while all.len() < 6 {
            let mut buf = [0; 8];
            rt.timeout(LONG, b.readable()).await.expect("it is readable").unwrap();
            let received = receive(&rt, &b, &mut buf, 1).await;
            all.extend_from_slice(&buf[..received.len]);
        }
        assert_eq!(all, b"abcdef");
    }
}

pub(super) async fn unix_fds_come_with_credentials<R: Runtime>(rt: R) {
    let (a, b) = rt.unix_pair().unwrap();
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(socket) = b.descriptor() {
        rustix::net::sockopt::set_socket_passcred(socket, true).unwrap();
    }
    let (fd, other) = descriptor();
    for (sent, room, truncated) in [(1, 1, false), (1, 4, false), (2, 1, true), (0, 0, false)] {
        a.send_with_fds(b"x", &vec![fd.as_fd(); sent]).await.unwrap();
        let received = receive(&rt, &b, &mut [0; 8], room).await;
        assert_eq!((received.fds.len(), received.truncated), (sent.min(room), truncated), "{sent} to {room}");
    }
    drop(fd);
    all_closed(&rt, other).await;
}
