//! What outlives its runtime: a socket, a timer, a handle that somebody keeps.
//!
//! Nothing of it hangs. What a scenario cannot say, because one runtime goes on where another fails, is in
//! the table of differences.

use std::future::{Future, pending, poll_fn, ready};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener as StdListener, TcpStream as StdStream, UdpSocket as StdSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::channel::oneshot;
use futures::executor::block_on;
use futures::io::{AsyncReadExt, AsyncWriteExt};

use super::elsewhere::elsewhere;
use super::support::{Boxed as _, LONG, LOOPBACK, canary, message, ms};
use crate::AnyRuntime;
use crate::runtime::{Runtime, TcpListener, TcpStream, UdpSocket};
use crate::task::{JoinError, JoinSet};

/// How a runtime ends.
type End<R> = fn(R);

/// With its last handle.
fn by_drop<R: Runtime>(rt: R) {
    let (canary, mut watch) = canary();
    let (started, is_started) = oneshot::channel();
    drop(rt.spawn_boxed(async move {
        let _canary = canary;
        started.send(()).unwrap();
        pending::<()>().await
    }));
    rt.block_on(is_started).unwrap();
    drop(rt);
    block_on(watch.dropped());
}

/// Somebody stops it.
fn by_shutdown<R: Runtime>(rt: R) {
    assert!(rt.shutdown_timeout(LONG).unwrap().is_empty());
}

/// What is awaited on a plain thread, and was seen pending.
struct Waiting<T> {
    what: &'static str,
    output: mpsc::Receiver<T>,
}

fn waiting<T: Send + 'static>(
    what: &'static str,
    future: impl Future<Output = T> + Send + 'static,
) -> Waiting<T> {
    let (is_pending, waiting) = polled(what, future);
    assert!(is_pending, "{what} has nothing to wait for");
    waiting
}

/// Whether it was pending in its first poll, and its end; `None` if it panicked.
fn polled<T: Send + 'static>(
    what: &'static str,
    future: impl Future<Output = T> + Send + 'static,
) -> (bool, Waiting<T>) {
    let (waits, is_waiting) = mpsc::channel();
    let (done, output) = mpsc::channel();
    thread::spawn(move || {
        let mut future = pin!(future);
        let output = block_on(poll_fn(|cx| {
            let polled = future.as_mut().poll(cx);
            // It is told once; later nobody listens.
            let _ = waits.send(polled.is_pending());
            polled
        }));
        // Nobody waits for it any more in a scenario that has failed.
        let _ = done.send(output);
    });
    (is_waiting.recv().unwrap_or(false), Waiting { what, output })
}

impl<T> Waiting<io::Result<T>> {
    /// It has gone on, or failed as it should.
    fn ends(self) {
        match self.output.recv_timeout(LONG) {
            Ok(result) => goes_on_or_fails(self.what, result),
            Err(error) => panic!("{} that waited does not end: {error}", self.what),
        }
    }
}

fn goes_on_or_fails<T>(what: &str, result: io::Result<T>) {
    if let Err(error) = result {
        assert_eq!(error.kind(), ErrorKind::Other, "{what}: {error}");
    }
}

/// A connection whose other end is a blocking socket of the standard library.
fn with_std<R: Runtime>(rt: &R) -> (R::TcpStream, StdStream) {
    let listener = StdListener::bind(LOOPBACK).unwrap();
    let ours = rt.block_on(rt.tcp_connect(listener.local_addr().unwrap())).unwrap();
    (ours, listener.accept().unwrap().0)
}

fn listening<R: Runtime>(rt: &R) -> (R::TcpListener, SocketAddr) {
    let listener = rt.block_on(rt.tcp_bind(LOOPBACK)).unwrap();
    let addr = listener.local_addr().unwrap();
    (listener, addr)
}

fn bound<R: Runtime>(rt: &R) -> (R::UdpSocket, SocketAddr) {
    let socket = rt.block_on(rt.udp_bind(LOOPBACK)).unwrap();
    let addr = socket.local_addr().unwrap();
    (socket, addr)
}

fn sockets_that_wait<R: Runtime>(rt: R, end: End<R>) {
    let [(mut reader, mut to_reader), (mut peeker, mut to_peeker), (mut writer, mut from_writer)] =
        [(); 3].map(|()| with_std(&rt));
    let [(accepts, accepts_at), (polls, polls_at)] = [(); 2].map(|()| listening(&rt));
    let [(receives, receives_at), (peeks, peeks_at), (poll_receives, poll_receives_at)] =
        [(); 3].map(|()| bound(&rt));
    let all = [
        waiting("read", async move { reader.read(&mut [0]).await.map(drop) }),
        waiting("peek", async move { peeker.peek(&mut [0]).await.map(drop) }),
        // More than the buffers of both ends.
        waiting("write", async move { writer.write_all(&vec![0; 64 << 20]).await }),
        waiting("accept", async move { accepts.accept().await.map(drop) }),
        waiting("poll_accept", async move { poll_fn(|cx| polls.poll_accept(cx)).await.map(drop) }),
        waiting("recv_from", async move { receives.recv_from(&mut [0]).await.map(drop) }),
        waiting("peek_from", async move { peeks.peek_from(&mut [0]).await.map(drop) }),
        waiting("poll_recv", async move {
            let mut buf = [0];
            poll_fn(|cx| poll_receives.poll_recv(cx, &mut buf)).await.map(drop)
        }),
    ];
    end(rt);
    // Peers act. An error means that our end is closed already.
    let _ = to_reader.write_all(b"x");
    let _ = to_peeker.write_all(b"x");
    let reads = thread::spawn(move || io::copy(&mut from_writer, &mut io::sink()));
    let _clients = [accepts_at, polls_at].map(StdStream::connect);
    let sender = StdSocket::bind(LOOPBACK).unwrap();
    for addr in [receives_at, peeks_at, poll_receives_at] {
        let _ = sender.send_to(b"x", addr);
    }
    all.into_iter().for_each(Waiting::ends);
    let _ = reads.join().unwrap();
}

pub(super) fn sockets_that_wait_outlive_their_runtime<R: Runtime>(rt: R) {
    sockets_that_wait(rt, by_drop);
}

pub(super) fn sockets_that_wait_outlive_a_shutdown<R: Runtime>(rt: R) {
    sockets_that_wait(rt, by_shutdown);
}

fn sockets_that_are_idle<R: Runtime>(rt: R, end: End<R>) {
    let (mut stream, mut peer) = with_std(&rt);
    let (listener, listens_at) = listening(&rt);
    let (socket, socket_at) = bound(&rt);
    let sender = StdSocket::bind(LOOPBACK).unwrap();
    let sender_at = sender.local_addr().unwrap();
    socket.connect(sender_at).unwrap();
    end(rt);
    peer.write_all(b"hello").unwrap();
    let _clients = [(); 3].map(|()| StdStream::connect(listens_at).unwrap());
    for _ in 0..6 {
        sender.send_to(b"x", socket_at).unwrap();
    }
    block_on(async {
        let mut buf = [0];
        goes_on_or_fails("peek", stream.peek(&mut buf).await);
        goes_on_or_fails("write", stream.write(b"x").await);
        goes_on_or_fails("flush", stream.flush().await);
        goes_on_or_fails("accept", listener.accept().await);
        goes_on_or_fails("poll_accept", poll_fn(|cx| listener.poll_accept(cx)).await);
        goes_on_or_fails("peek", socket.peek(&mut buf).await);
        goes_on_or_fails("poll_peek", poll_fn(|cx| socket.poll_peek(cx, &mut buf)).await);
        goes_on_or_fails("recv", socket.recv(&mut buf).await);
        goes_on_or_fails("recv_from", socket.recv_from(&mut buf).await);
        goes_on_or_fails("poll_recv", poll_fn(|cx| socket.poll_recv(cx, &mut buf)).await);
        goes_on_or_fails("poll_recv_from", poll_fn(|cx| socket.poll_recv_from(cx, &mut buf)).await);
        goes_on_or_fails("send", socket.send(b"x").await);
        goes_on_or_fails("poll_send", poll_fn(|cx| socket.poll_send(cx, b"x")).await);
        stream.close().await.unwrap();
    });
    // The system has them still, with all that was not taken.
    let mut stream = stream.into_std().unwrap();
    let mut buf = [0; 5];
    stream.read_exact(&mut buf).unwrap();
    assert_eq!(&buf, b"hello");
    listener.into_std().unwrap().accept().unwrap();
    socket.into_std().unwrap().recv(&mut buf).unwrap();
}

pub(super) fn sockets_outlive_their_runtime<R: Runtime>(rt: R) {
    sockets_that_are_idle(rt, by_drop);
}

pub(super) fn sockets_outlive_a_shutdown<R: Runtime>(rt: R) {
    sockets_that_are_idle(rt, by_shutdown);
}

pub(super) fn sockets_made_after_a_shutdown_work_or_fail<R: Runtime>(rt: R) {
    by_shutdown(rt.clone());
    let listener = StdListener::bind(LOOPBACK).unwrap();
    let addr = listener.local_addr().unwrap();
    block_on(async {
        goes_on_or_fails("tcp_connect", rt.tcp_connect(addr).await);
        goes_on_or_fails("tcp_bind", rt.tcp_bind(LOOPBACK).await);
        goes_on_or_fails("udp_bind", rt.udp_bind(LOOPBACK).await);
    });
    let stream = StdStream::connect(addr).unwrap();
    goes_on_or_fails("tcp_stream_from_std", rt.tcp_stream_from_std(stream));
    goes_on_or_fails("tcp_listener_from_std", rt.tcp_listener_from_std(listener));
    goes_on_or_fails("udp_socket_from_std", rt.udp_socket_from_std(StdSocket::bind(LOOPBACK).unwrap()));
}

pub(super) fn names_after_a_shutdown_are_an_error<R: Runtime>(rt: R) {
    by_shutdown(rt.clone());
    block_on(async {
        let connected = rt.tcp_connect(("localhost", 1)).await.map(drop);
        let bound = [rt.tcp_bind("localhost:0").await.map(drop), rt.udp_bind("localhost:0").await.map(drop)];
        let looked_up = rt.lookup_host("localhost:0").await.map(drop);
        for result in [connected, looked_up].into_iter().chain(bound) {
            let error = result.unwrap_err();
            let text = error.to_string();
            assert_eq!(error.kind(), ErrorKind::Other, "{text}");
            assert!(text.contains("localhost") && text.contains("runtime is gone"), "{text}");
        }
    });
}

/// Later than a runtime ends on a busy machine.
const SOON: Duration = ms(1_500);

/// Each completes, not before it should, or panics.
fn timers_end<T>(start: Instant, timers: impl IntoIterator<Item = Waiting<T>>) {
    for Waiting { what, output } in timers {
        match output.recv_timeout(LONG) {
            Ok(_) => assert!(start.elapsed() >= SOON, "{what} is early"),
            // tokio's: a sleep has no errors.
            Err(RecvTimeoutError::Disconnected) => {}
            Err(RecvTimeoutError::Timeout) => panic!("{what} does not end"),
        }
    }
}

pub(super) fn sleeps_outlive_their_runtime<R: Runtime>(rt: R) {
    let start = Instant::now();
    let waits = waiting("sleep", rt.sleep(SOON));
    let unpolled = rt.sleep(SOON);
    by_drop(rt);
    timers_end(start, [waits, polled("sleep that was not polled", unpolled).1]);
}

pub(super) fn timers_outlive_a_shutdown<R: Runtime>(rt: R) {
    let start = Instant::now();
    let timeout = rt.timeout(SOON, pending::<()>());
    let ready = rt.timeout(Duration::ZERO, ready(7));
    let mut ticks = rt.interval(SOON);
    let waits = [
        waiting("sleep", rt.sleep(SOON)),
        waiting("timeout", timeout.map(drop)),
        waiting("interval", async move {
            ticks.tick().await;
            ticks.tick().await;
        }),
    ];
    by_shutdown(rt.clone());
    let late = polled("sleep that was made later", rt.sleep(SOON)).1;
    timers_end(start, waits.into_iter().chain([late]));
    assert_eq!(block_on(ready), Ok(7), "it needs no timer");
}

pub(super) fn timeouts_and_intervals_keep_their_runtime<R: Runtime>(rt: R) {
    let timeout = rt.timeout(ms(20), pending::<()>());
    let mut ticks = rt.interval(ms(20));
    let task = rt.spawn_boxed(pending::<()>());
    drop(rt);
    assert!(block_on(timeout).is_err());
    block_on(async { [ticks.tick().await, ticks.tick().await] });
    assert!(!task.is_finished());
    drop(ticks);
    assert_gone(block_on(task));
}

fn assert_gone<T: std::fmt::Debug>(result: Result<T, JoinError>) {
    let error = result.unwrap_err();
    assert!(error.is_runtime_gone() && !error.is_cancelled(), "{error}");
}

pub(super) fn abort_handle_hides_no_gone_runtime<R: Runtime>(rt: R) {
    let handle = rt.spawn_boxed(pending::<()>());
    let abort = handle.abort_handle();
    by_drop(rt);
    assert_gone(block_on(handle));
    assert!(abort.is_finished());
    abort.abort();
}

pub(super) fn future_on_a_gone_runtime_is_dropped_by_its_caller<R: Runtime>(rt: R) {
    /// Looks where it is dropped, and blocks there.
    struct Blocks(AnyRuntime, mpsc::Sender<(AnyRuntime, String)>);

    impl Drop for Blocks {
        fn drop(&mut self) {
            let blocked = catch_unwind(AssertUnwindSafe(|| self.0.block_on(async {})));
            let says = message(&*blocked.unwrap_err()).to_owned();
            self.1.send((AnyRuntime::current(), says)).unwrap();
        }
    }

    let latched = rt.block_on(rt.spawn_boxed(async { AnyRuntime::current() })).unwrap();
    by_drop(rt);
    let caller = elsewhere();
    let (found, founds) = mpsc::channel();
    let blocks = Blocks(caller.clone(), found);
    let guard = caller.enter();
    let handle = latched.spawn_boxed(async move { drop(blocks) });
    drop(guard);
    assert_gone(block_on(handle));
    assert_eq!(founds.recv().unwrap(), (caller, "this is the wrong runtime".to_owned()));
}

pub(super) fn shutdown_is_no_abort<R: Runtime>(rt: R) {
    let [aborted, shared, dropped] = [(); 3].map(|()| rt.spawn_boxed(pending::<()>()));
    let (abort, dropped) = (shared.abort_handle(), dropped.abort_on_drop());
    by_shutdown(rt.clone());
    let late = [rt.spawn_boxed(async {}), rt.spawn_blocking_boxed(|| ())];
    assert!(aborted.is_finished() && abort.is_finished() && dropped.is_finished());
    // What is over cannot be aborted.
    abort.abort();
    aborted.abort();
    for handle in late.into_iter().chain([aborted, shared, dropped.detach()]) {
        assert_gone(block_on(handle));
    }
}

pub(super) fn join_set_outlives_a_shutdown<R: Runtime>(rt: R) {
    let mut set = JoinSet::new();
    set.spawn_on(pending::<()>().boxed(), &rt);
    let (started, is_started) = oneshot::channel();
    let waiter = thread::spawn(move || {
        let mut started = Some(started);
        let first = block_on(poll_fn(|cx| {
            let polled = set.poll_join_next(cx);
            // The first time only.
            let _ = started.take().map(|started| started.send(polled.is_pending()));
            polled
        }));
        assert_gone(first.unwrap());
        set
    });
    assert!(block_on(is_started).unwrap());
    by_shutdown(rt.clone());
    let mut set = waiter.join().unwrap();
    set.spawn_on(async {}.boxed(), &rt);
    set.spawn_blocking_on(|| (), &rt);
    for _ in 0..2 {
        assert_gone(block_on(set.join_next()).unwrap());
    }
    assert!(block_on(set.join_next()).is_none());
}

#[cfg(unix)]
pub(super) use unix::*;

#[cfg(unix)]
mod unix {
    use std::os::unix::net::{UnixDatagram as StdDatagram, UnixStream as StdStream};

    use super::super::unix::Folder;
    use super::*;
    use crate::runtime::{UnixDatagram, UnixListener, UnixStream};

    fn sockets_that_wait<R: Runtime>(rt: R, end: End<R>) {
        let folder = Folder::new();
        let stream = || {
            let (ours, theirs) = StdStream::pair().unwrap();
            (rt.unix_stream_from_std(ours).unwrap(), theirs)
        };
        let [(mut reader, mut to_reader), (mut writer, mut from_writer)] = [(); 2].map(|()| stream());
        let [(accepts, accepts_at), (polls, polls_at)] =
            ["a", "b"].map(|name| (rt.unix_bind(folder.path(name)).unwrap(), folder.path(name)));
        let [(receives, receives_at), (poll_receives, poll_receives_at)] =
            ["c", "d"].map(|name| (rt.unix_datagram_bind(folder.path(name)).unwrap(), folder.path(name)));
        // No room is left at this one, until somebody takes what is there.
        let full = StdDatagram::bind(folder.path("e")).unwrap();
        let (sends, sends_to) = (rt.unix_datagram_unbound().unwrap(), folder.path("e"));
        let filler = StdDatagram::unbound().unwrap();
        filler.set_nonblocking(true).unwrap();
        while filler.send_to(b"x", &sends_to).is_ok() {}
        let mut all = vec![
            waiting("read", async move { reader.read(&mut [0]).await.map(drop) }),
            waiting("write", async move { writer.write_all(&vec![0; 64 << 20]).await }),
            waiting("accept", async move { accepts.accept().await.map(drop) }),
            waiting("poll_accept", async move { poll_fn(|cx| polls.poll_accept(cx)).await.map(drop) }),
            waiting("recv_from", async move { receives.recv_from(&mut [0]).await.map(drop) }),
            waiting("poll_recv", async move {
                let mut buf = [0];
                poll_fn(|cx| poll_receives.poll_recv(cx, &mut buf)).await.map(drop)
            }),
        ];
        // Elsewhere it is an error.
        if cfg!(target_os = "linux") {
            all.push(waiting("send_to", async move { sends.send_to(b"x", sends_to).await.map(drop) }));
        }
        end(rt);
        let _ = to_reader.write_all(b"x");
        let reads = thread::spawn(move || io::copy(&mut from_writer, &mut io::sink()));
        let _clients = [accepts_at, polls_at].map(StdStream::connect);
        for path in [receives_at, poll_receives_at] {
            let _ = filler.send_to(b"x", path);
        }
        full.recv(&mut [0]).unwrap();
        all.into_iter().for_each(Waiting::ends);
        let _ = reads.join().unwrap();
    }

    pub(in super::super) fn unix_sockets_that_wait_outlive_their_runtime<R: Runtime>(rt: R) {
        sockets_that_wait(rt, by_drop);
    }

    pub(in super::super) fn unix_sockets_that_wait_outlive_a_shutdown<R: Runtime>(rt: R) {
        sockets_that_wait(rt, by_shutdown);
    }

    pub(in super::super) fn unix_sockets_outlive_a_shutdown<R: Runtime>(rt: R) {
        let folder = Folder::new();
        let (ours, mut peer) = StdStream::pair().unwrap();
        let mut stream = rt.unix_stream_from_std(ours).unwrap();
        let listener = rt.unix_bind(folder.path("l")).unwrap();
        let socket = rt.unix_datagram_bind(folder.path("d")).unwrap();
        let sender = StdDatagram::bind(folder.path("s")).unwrap();
        socket.connect(folder.path("s")).unwrap();
        by_shutdown(rt.clone());
        peer.write_all(b"hello").unwrap();
        let _clients = [(); 3].map(|()| StdStream::connect(folder.path("l")).unwrap());
        for _ in 0..5 {
            sender.send_to(b"x", folder.path("d")).unwrap();
        }
        block_on(async {
            let (mut buf, to) = ([0], folder.path("s"));
            goes_on_or_fails("write", stream.write(b"x").await);
            goes_on_or_fails("accept", listener.accept().await);
            goes_on_or_fails("poll_accept", poll_fn(|cx| listener.poll_accept(cx)).await);
            goes_on_or_fails("recv", socket.recv(&mut buf).await);
            goes_on_or_fails("recv_from", socket.recv_from(&mut buf).await);
            goes_on_or_fails("poll_recv", poll_fn(|cx| socket.poll_recv(cx, &mut buf)).await);
            goes_on_or_fails("poll_recv_from", poll_fn(|cx| socket.poll_recv_from(cx, &mut buf)).await);
            goes_on_or_fails("send", socket.send(b"x").await);
            goes_on_or_fails("send_to", socket.send_to(b"x", &to).await);
            goes_on_or_fails("poll_send", poll_fn(|cx| socket.poll_send(cx, b"x")).await);
            goes_on_or_fails("poll_send_to", poll_fn(|cx| socket.poll_send_to(cx, b"x", &to)).await);
            stream.close().await.unwrap();
            goes_on_or_fails("unix_connect", rt.unix_connect(folder.path("l")).await);
        });
        goes_on_or_fails("unix_bind", rt.unix_bind(folder.path("m")));
        goes_on_or_fails("unix_pair", rt.unix_pair());
        goes_on_or_fails("unix_datagram_bind", rt.unix_datagram_bind(folder.path("e")));
        goes_on_or_fails("unix_datagram_pair", rt.unix_datagram_pair());
        let mut buf = [0; 5];
        stream.into_std().unwrap().read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"hello");
        listener.into_std().unwrap().accept().unwrap();
        socket.into_std().unwrap().recv(&mut buf).unwrap();
    }
}
