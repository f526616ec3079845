//! File descriptors of the user: here those of sockets that anyrt does not know.

use std::future::poll_fn;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream as Std;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::channel::oneshot;
use futures::{FutureExt, StreamExt};

use super::support::{Boxed as _, LONG, bell, counted, ms, on_a_plain_thread, waiting};
use super::unix::Folder;
use crate::AnyRuntime;
use crate::net::unix::AsyncFd;
use crate::runtime::{Interest, Runtime};

/// How often it may be ready in vain.
const FEW: usize = 10;

/// One that is watched, and its peer. Neither blocks.
fn pair<R: Runtime>(rt: &R) -> (AsyncFd<Std>, Std) {
    let (ours, peer) = Std::pair().unwrap();
    for socket in [&ours, &peer] {
        socket.set_nonblocking(true).unwrap();
    }
    (rt.async_fd(ours).unwrap(), peer)
}

/// Nothing is there to be read, and it is known.
fn is_not_readable(fd: &AsyncFd<Std>) {
    for _ in 0..FEW {
        let Some(guard) = fd.readable().now_or_never() else { return };
        guard.unwrap().try_io(|fd| fd.get_ref().read(&mut [0; 8])).unwrap_err();
    }
    panic!("it is readable for ever, and nothing is there");
}

/// As one who comes from tokio writes it.
async fn read(fd: &AsyncFd<Std>, buf: &mut [u8]) -> io::Result<usize> {
    loop {
        let mut guard = fd.readable().await?;
        match guard.try_io(|fd| fd.get_ref().read(buf)) {
            Ok(read) => return read,
            Err(_would_block) => continue,
        }
    }
}

pub(super) async fn fd_readable_waits_for_bytes<R: Runtime>(rt: R) {
    let (ours, mut peer) = pair(&rt);
    let mut buf = [0; 8];
    for message in [b"1", b"2"] {
        is_not_readable(&ours);
        let mut readable = pin!(ours.readable());
        assert!(readable.as_mut().now_or_never().is_none());
        peer.write_all(message).unwrap();
        rt.timeout(LONG, readable).await.expect("it is readable").unwrap().retain_ready();
        assert_eq!(rt.timeout(LONG, read(&ours, &mut buf)).await.expect("it still is").unwrap(), 1);
        assert_eq!(&buf[..1], message);
    }
    // What was said to be over is waited for anew, and found if it was not.
    peer.write_all(b"3").unwrap();
    rt.timeout(LONG, ours.readable()).await.expect("it is readable").unwrap().clear_ready();
    drop(peer);
    assert_eq!(rt.timeout(LONG, read(&ours, &mut buf)).await.expect("it is").unwrap(), 1);
    assert_eq!(rt.timeout(LONG, read(&ours, &mut buf)).await.expect("the end is readable").unwrap(), 0);
}

pub(super) async fn fd_writable_waits_for_room<R: Runtime>(rt: R) {
    let (ours, mut peer) = pair(&rt);
    let fill = async {
        while rt.timeout(ms(50), ours.writable()).await.is_ok() {
            while ours.try_io(Interest::Writable, |mut fd| fd.write(&[0; 1 << 12])).is_ok() {}
        }
    };
    fill.await;
    let mut writable = pin!(ours.writable());
    assert!(writable.as_mut().now_or_never().is_none());
    let mut buf = vec![0; 1 << 16];
    while peer.read(&mut buf).is_ok() {}
    rt.timeout(LONG, writable).await.expect("there is room").unwrap().clear_ready();
}

pub(super) async fn fd_async_io_reads_and_writes<R: Runtime>(rt: R) {
    const BYTES: usize = 1 << 20;
    let (ours, peer) = pair(&rt);
    let peer = rt.async_fd(peer).unwrap();
    let writer = rt.spawn_boxed(async move {
        let (data, mut written) = (vec![7; BYTES], 0);
        while written < BYTES {
            let write = |mut fd: &Std| fd.write(&data[written..]);
            written += peer.async_io(Interest::Writable, write).await.unwrap();
        }
    });
    let (mut all, mut buf) = (0, vec![0; 1 << 15]);
    loop {
        match ours.async_io(Interest::Readable, |mut fd| fd.read(&mut buf)).await.unwrap() {
            0 => break,
            read => all += read,
        }
        assert!(buf.starts_with(&[7]));
    }
    assert_eq!(all, BYTES);
    writer.await.unwrap();
    // Whatever the operation fails with is passed on.
    let error = ours.async_io(Interest::Writable, |_| Err::<(), _>(ErrorKind::Other.into())).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Other);
}

pub(super) async fn fd_idle_waiters_burn_no_polls<R: Runtime>(rt: R) {
    let (ours, _peer) = pair(&rt);
    let ours = Arc::new(ours);
    let (first, second) = (ours.clone(), ours);
    let (first, firsts) = counted(Box::pin(async move { read(&first, &mut [0; 8]).await }));
    let (second, seconds) =
        counted(Box::pin(
            async move { second.async_io(Interest::Readable, |mut fd| fd.read(&mut [0; 8])).await },
        ));
    let tasks = [rt.spawn_boxed(first), rt.spawn_boxed(second)];
    rt.sleep(ms(20)).await;
    let polls = || [&firsts, &seconds].map(|polls| polls.load(Ordering::SeqCst));
    let before = polls();
    rt.sleep(ms(100)).await;
    let after = polls();
    assert!(before.iter().zip(after).all(|(before, after)| after - before <= FEW), "{before:?}, {after:?}");
    for task in tasks {
        assert!(!task.is_finished());
        let _ = task.cancel().await;
    }
}

pub(super) async fn fd_wakes_everybody<R: Runtime>(rt: R) {
    let (ours, mut peer) = pair(&rt);
    is_not_readable(&ours);
    let ours = Arc::new(ours);
    let (mut tasks, mut all_wait) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let (ours, (waits, is_waiting)) = (ours.clone(), oneshot::channel());
        tasks.push(rt.spawn_boxed(async move { waiting(ours.readable(), waits).await.map(drop) }));
        all_wait.push(is_waiting);
    }
    for is_waiting in all_wait {
        is_waiting.await.unwrap();
    }
    peer.write_all(b"x").unwrap();
    for task in tasks {
        rt.timeout(LONG, task).await.expect("everybody is woken").unwrap().unwrap();
    }
}

pub(super) async fn fd_poll_wakes_the_last_waker<R: Runtime>(rt: R) {
    let (ours, mut peer) = pair(&rt);
    let ((first, mut first_rings), (last, mut rings)) = (bell(), bell());
    let mut in_vain = 0;
    for waker in [&first, &last] {
        while let Poll::Ready(guard) = ours.poll_read_ready(&mut Context::from_waker(waker)) {
            guard.unwrap().clear_ready();
            in_vain += 1;
            assert!(in_vain <= FEW);
        }
    }
    peer.write_all(b"x").unwrap();
    rt.timeout(LONG, rings.next()).await.expect("it is woken").unwrap();
    assert!(first_rings.next().now_or_never().is_none(), "the one before is woken as well");
    let ready = poll_fn(|cx| ours.poll_read_ready(cx).map_ok(drop));
    rt.timeout(LONG, ready).await.expect("it is readable").unwrap();
    let ready = poll_fn(|cx| ours.poll_write_ready(cx).map_ok(drop));
    rt.timeout(LONG, ready).await.expect("there is room").unwrap();
}

pub(super) async fn fd_busy_starves_no_timer<R: Runtime>(rt: R) {
    const TIMES: usize = 20_000;
    let (ours, _peer) = pair(&rt);
    ours.async_io(Interest::Writable, |_| Ok(())).await.unwrap();
    let busy = async {
        for _ in 0..TIMES {
            ours.async_io(Interest::Writable, |_| Ok(())).await.unwrap();
        }
    };
    assert!(rt.timeout(Duration::ZERO, busy).await.is_err(), "the timer waited for the descriptor");
    let busy = async {
        for _ in 0..TIMES {
            ours.writable().await.unwrap().retain_ready();
        }
    };
    assert!(rt.timeout(Duration::ZERO, busy).await.is_err(), "the timer waited for the descriptor");
}

pub(super) async fn fd_comes_back<R: Runtime>(rt: R) {
    let (mut ours, mut peer) = pair(&rt);
    assert!(ours.as_fd().try_clone_to_owned().is_ok() && ours.get_mut().peer_addr().is_ok());
    peer.write_all(b"x").unwrap();
    let again = rt.async_fd(ours.into_inner()).unwrap();
    assert_eq!(rt.timeout(LONG, read(&again, &mut [0; 8])).await.expect("it is watched anew").unwrap(), 1);
    // Watched twice, and no longer by one of them.
    let other = rt.async_fd(again.get_ref().try_clone().unwrap()).unwrap();
    drop(again);
    peer.write_all(b"y").unwrap();
    assert_eq!(rt.timeout(LONG, read(&other, &mut [0; 8])).await.expect("it is watched still").unwrap(), 1);
    drop(other);
    assert_eq!(peer.read(&mut [0; 8]).unwrap(), 0, "nobody has it any more");
}

pub(super) async fn fd_works_on_a_plain_thread<R: Runtime>(rt: R) {
    let ((ours, mut peer), there) = (Std::pair().unwrap(), rt.clone());
    ours.set_nonblocking(true).unwrap();
    let made = on_a_plain_thread(async move { there.async_fd(ours).unwrap() }).await;
    let reading = on_a_plain_thread(async move { read(&made, &mut [0; 8]).await.unwrap() });
    peer.write_all(b"x").unwrap();
    assert_eq!(reading.await, 1);
}

pub(super) async fn fd_without_a_handle<R: Runtime>(rt: R) {
    assert!(AnyRuntime::known(&rt).is_some());
    let task = rt.spawn_boxed(async {
        let (ours, mut peer) = Std::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        peer.write_all(b"x").unwrap();
        read(&AsyncFd::new(ours).unwrap(), &mut [0; 8]).await.unwrap()
    });
    assert_eq!(task.await.unwrap(), 1);
}

pub(super) async fn fd_of_a_file_is_an_error<R: Runtime>(rt: R) {
    if cfg!(not(any(target_os = "linux", target_os = "android"))) {
        let _ = writeln!(io::stderr(), "skipped fd_of_a_file_is_an_error: kqueue watches files");
        return;
    }
    let folder = Folder::new();
    let file = std::fs::File::create(folder.path("file")).unwrap();
    let error = rt.async_fd(file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.to_string().contains("regular files"), "{error}");
}
