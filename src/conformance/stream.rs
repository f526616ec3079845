//! Byte streams: what those of TCP and Unix promise alike, each scenario once and run on both.

use std::fmt;
use std::future::Future;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::join;
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use futures::{FutureExt, Stream, StreamExt};

use super::support::{
    Boxed as _, LONG, bell, counted, ms, on_a_plain_thread, poll_once, poll_with, read_all, waiting,
};
use crate::runtime::{Interest, ReadHalf, Runtime, WriteHalf};

/// TCP or Unix.
pub(super) trait Family<R: Runtime>: 'static {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync + 'static;
    type Listener: Send + Sync + 'static;
    type Addr: Clone + Send + Sync + 'static;
    type SocketAddr: fmt::Debug;

    /// Somewhere that is free.
    fn bind(rt: &R) -> impl Future<Output = (Self::Listener, Self::Addr)> + Send;

    fn connect(rt: &R, addr: &Self::Addr) -> impl Future<Output = Self::Stream> + Send;

    fn accept(listener: &Self::Listener) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    fn incoming(listener: &mut Self::Listener)
    -> impl Stream<Item = io::Result<Self::Stream>> + Unpin + Send;

    fn split_mut(
        stream: &mut Self::Stream,
    ) -> (impl ReadHalf<Addr = Self::SocketAddr>, impl WriteHalf<Addr = Self::SocketAddr>);

    fn into_split(
        stream: Self::Stream,
    ) -> (impl ReadHalf<Addr = Self::SocketAddr> + 'static, impl WriteHalf<Addr = Self::SocketAddr> + 'static);

    /// The same stream, after it was two halves.
    fn split_and_reunite(stream: Self::Stream) -> Self::Stream;

    /// The same streams, after halves of both were put together.
    fn reunite_crosswise(a: Self::Stream, b: Self::Stream) -> [Self::Stream; 2];

    fn readable(stream: &Self::Stream) -> impl Future<Output = io::Result<()>> + Send;
    fn writable(stream: &Self::Stream) -> impl Future<Output = io::Result<()>> + Send;
    fn try_io<T>(
        stream: &Self::Stream,
        interest: Interest,
        operation: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T>;
    fn try_read(stream: &Self::Stream, buf: &mut [u8]) -> io::Result<usize>;
    fn try_read_vectored(stream: &Self::Stream, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize>;
    fn try_write(stream: &Self::Stream, buf: &[u8]) -> io::Result<usize>;
    fn try_write_vectored(stream: &Self::Stream, bufs: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Its own address and that of its peer.
    fn addrs(stream: &Self::Stream) -> [Self::SocketAddr; 2];

    /// Whether it has an address.
    fn is_open(stream: &Self::Stream) -> bool;
}

/// The methods of a [`Family`] that its stream has as they are.
macro_rules! tries_of {
    ($stream:ident) => {
        fn split_and_reunite(stream: R::$stream) -> R::$stream {
            let (read, write) = stream.into_split();
            <R::$stream>::reunite(read, write).unwrap()
        }

        fn reunite_crosswise(a: R::$stream, b: R::$stream) -> [R::$stream; 2] {
            let ((a_read, a_write), (b_read, b_write)) = (a.into_split(), b.into_split());
            let error = <R::$stream>::reunite(a_read, b_write).unwrap_err();
            assert_eq!(error.to_string(), "the halves are not of one stream");
            let $crate::runtime::ReuniteError(a_read, b_write) = error;
            [(a_read, a_write), (b_read, b_write)]
                .map(|(read, write)| <R::$stream>::reunite(read, write).unwrap())
        }

        fn split_mut(
            stream: &mut R::$stream,
        ) -> (
            impl $crate::runtime::ReadHalf<Addr = Self::SocketAddr>,
            impl $crate::runtime::WriteHalf<Addr = Self::SocketAddr>,
        ) {
            stream.split_mut()
        }

        fn into_split(
            stream: R::$stream,
        ) -> (
            impl $crate::runtime::ReadHalf<Addr = Self::SocketAddr> + 'static,
            impl $crate::runtime::WriteHalf<Addr = Self::SocketAddr> + 'static,
        ) {
            stream.into_split()
        }

        fn addrs(stream: &R::$stream) -> [Self::SocketAddr; 2] {
            [stream.local_addr().unwrap(), stream.peer_addr().unwrap()]
        }

        fn is_open(stream: &R::$stream) -> bool {
            stream.local_addr().is_ok()
        }

        fn readable(stream: &R::$stream) -> impl Future<Output = io::Result<()>> + Send {
            stream.readable()
        }

        fn writable(stream: &R::$stream) -> impl Future<Output = io::Result<()>> + Send {
            stream.writable()
        }

        fn try_io<T>(
            stream: &R::$stream,
            interest: Interest,
            operation: impl FnOnce() -> io::Result<T>,
        ) -> io::Result<T> {
            stream.try_io(interest, operation)
        }

        fn try_read(stream: &R::$stream, buf: &mut [u8]) -> io::Result<usize> {
            stream.try_read(buf)
        }

        fn try_read_vectored(stream: &R::$stream, bufs: &mut [io::IoSliceMut<'_>]) -> io::Result<usize> {
            stream.try_read_vectored(bufs)
        }

        fn try_write(stream: &R::$stream, buf: &[u8]) -> io::Result<usize> {
            stream.try_write(buf)
        }

        fn try_write_vectored(stream: &R::$stream, bufs: &[io::IoSlice<'_>]) -> io::Result<usize> {
            stream.try_write_vectored(bufs)
        }
    };
}
pub(super) use tries_of;

/// Names scenarios of this file as those of a family.
macro_rules! scenarios_of {
    ($family:ident: $($name:ident = $scenario:ident),+ $(,)?) => {
        $(
            pub(super) fn $name<R: Runtime>(rt: R) -> impl Future<Output = ()> {
                super::stream::$scenario::<R, $family>(rt)
            }
        )+
    };
}
pub(super) use scenarios_of;

/// Both ends of a connection.
pub(super) async fn pair<R: Runtime, F: Family<R>>(rt: &R) -> (F::Stream, F::Stream) {
    let (listener, addr) = F::bind(rt).await;
    let (client, server) = join(F::connect(rt, &addr), F::accept(&listener)).await;
    (client, server.unwrap())
}

/// Some bytes that are not all alike.
pub(super) fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n.wrapping_mul(31) >> 3) as u8).collect()
}

pub(super) async fn round_trip<R: Runtime, F: Family<R>>(rt: R) {
    let (mut client, mut server) = pair::<R, F>(&rt).await;
    let mut buf = [0; 5];
    client.write_all(b"hello").await.unwrap();
    server.read_exact(&mut buf).await.unwrap();
    assert_eq!(&buf, b"hello");
    server.write_all(b"world").await.unwrap();
    server.flush().await.unwrap();
    client.read_exact(&mut buf).await.unwrap();
    assert_eq!(&buf, b"world");
}

pub(super) async fn close_sends_eof<R: Runtime, F: Family<R>>(rt: R) {
    let (mut client, mut server) = pair::<R, F>(&rt).await;
    client.write_all(b"the end").await.unwrap();
    client.close().await.unwrap();
    let mut all = Vec::new();
    rt.timeout(LONG, server.read_to_end(&mut all)).await.expect("the peer sees the end").unwrap();
    assert_eq!(all, b"the end");
    // Still open here: only the write side was closed.
    drop(client);
}

pub(super) async fn close_leaves_the_read_side_open<R: Runtime, F: Family<R>>(rt: R) {
    let (mut client, mut server) = pair::<R, F>(&rt).await;
    client.close().await.unwrap();
    assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0);
    server.write_all(b"answer").await.unwrap();
    drop(server);
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "answer");
}

pub(super) async fn write_after_close_is_broken_pipe<R: Runtime, F: Family<R>>(rt: R) {
    let (mut client, _server) = pair::<R, F>(&rt).await;
    client.close().await.unwrap();
    assert_eq!(client.write(b"more").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
}

pub(super) async fn close_twice_is_ok<R: Runtime, F: Family<R>>(rt: R) {
    let (mut client, mut server) = pair::<R, F>(&rt).await;
    client.close().await.unwrap();
    client.close().await.unwrap();
    assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0);
    client.close().await.unwrap();
    server.close().await.unwrap();
    drop(server);
    client.close().await.expect("after the peer is gone");
}

pub(super) async fn dropped_stream_delivers_what_was_written<R: Runtime, F: Family<R>>(rt: R) {
    let (mut client, mut server) = pair::<R, F>(&rt).await;
    let data = pattern(1 << 20);
    let send = async {
        client.write_all(&data).await.unwrap();
        drop(client);
    };
    let mut received = Vec::new();
    let (_, result) = join(send, server.read_to_end(&mut received)).await;
    result.unwrap();
    assert!(received == data);
}

pub(super) async fn read_into_nothing_is_zero<R: Runtime, F: Family<R>>(rt: R) {
    let (mut client, mut server) = pair::<R, F>(&rt).await;
    assert_eq!(poll_once(&mut client.read(&mut [])).map(Result::unwrap), Poll::Ready(0));
    server.write_all(b"x").await.unwrap();
    assert_eq!(client.read(&mut []).await.unwrap(), 0);
    assert_eq!(client.read(&mut [0; 2]).await.unwrap(), 1);
}

pub(super) async fn write_of_nothing_is_zero<R: Runtime, F: Family<R>>(rt: R) {
    let (mut client, _server) = pair::<R, F>(&rt).await;
    assert_eq!(client.write(&[]).await.unwrap(), 0);
    client.flush().await.unwrap();
}

pub(super) async fn split_mut_reads_and_writes_at_once<R: Runtime, F: Family<R>>(rt: R) {
    let (mut client, server) = pair::<R, F>(&rt).await;
    let echo = rt.spawn_boxed(async move {
        let (read, mut write) = F::into_split(server);
        futures::io::copy(read, &mut write).await.unwrap();
        write.close().await.unwrap();
    });
    let data = pattern(1 << 20);
    let (mut read, mut write) = F::split_mut(&mut client);
    let send = async {
        write.write_all(&data).await.unwrap();
        write.close().await.unwrap();
    };
    let mut received = Vec::new();
    let ((), result) = join(send, read.read_to_end(&mut received)).await;
    result.unwrap();
    assert!(received == data);
    drop((read, write));
    assert!(F::is_open(&client), "the stream is whole again");
    echo.await.unwrap();
}

pub(super) async fn into_split_serves_two_tasks<R: Runtime, F: Family<R>>(rt: R) {
    const LEN: usize = 4 << 20;
    let (client, server) = pair::<R, F>(&rt).await;
    let tasks: Vec<_> = [client, server]
        .into_iter()
        .flat_map(|end| {
            let (mut read, mut write) = F::into_split(end);
            [
                rt.spawn_boxed(async move {
                    write.write_all(&pattern(LEN)).await.unwrap();
                    write.close().await.unwrap();
                    // The other half is still in use.
                    std::mem::forget(write);
                }),
                rt.spawn_boxed(async move {
                    assert!(read_all(&mut read).await == pattern(LEN));
                }),
            ]
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

pub(super) async fn dropping_the_write_half_sends_eof<R: Runtime, F: Family<R>>(rt: R) {
    let (client, mut server) = pair::<R, F>(&rt).await;
    let (mut read, mut write) = F::into_split(client);
    write.write_all(b"bye").await.unwrap();
    drop(write);
    let mut all = Vec::new();
    rt.timeout(LONG, server.read_to_end(&mut all)).await.expect("the peer sees the end").unwrap();
    assert_eq!(all, b"bye");
    server.write_all(b"answer").await.unwrap();
    let mut answer = [0; 6];
    read.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"answer");
}

pub(super) async fn idle_reader_burns_no_polls<R: Runtime, F: Family<R>>(rt: R) {
    let (client, server) = pair::<R, F>(&rt).await;
    let (mut read, mut write) = F::into_split(client);
    let (reading, reads) = counted(Box::pin(async move { read.read(&mut [0; 8]).await }));
    // A writer whose peer does not read, for as long as the reader waits.
    let (writing, writes) = counted(Box::pin(async move {
        let data = vec![0; 1 << 20];
        while write.write_all(&data).await.is_ok() {}
    }));
    let reading = rt.spawn_boxed(reading);
    let writing = rt.spawn_boxed(writing);
    // Both wait once the buffers are full.
    let settled = async {
        let mut last = usize::MAX;
        while std::mem::replace(&mut last, writes.load(Ordering::SeqCst)) != last {
            rt.sleep(ms(50)).await;
        }
    };
    settled.await;
    let before = (reads.load(Ordering::SeqCst), writes.load(Ordering::SeqCst));
    rt.sleep(ms(250)).await;
    let after = (reads.load(Ordering::SeqCst), writes.load(Ordering::SeqCst));
    assert!(after.0 - before.0 <= 2 && after.1 - before.1 <= 2, "polled {before:?} and then {after:?} times");
    assert!(!reading.is_finished() && !writing.is_finished());
    let _ = reading.cancel().await;
    let _ = writing.cancel().await;
    drop(server);
}

pub(super) async fn works_on_a_plain_thread<R: Runtime, F: Family<R>>(rt: R) {
    let (mut client, mut server) = pair::<R, F>(&rt).await;
    let echo = rt.spawn_boxed(async move {
        let mut buf = [0; 5];
        server.read_exact(&mut buf).await.unwrap();
        server.write_all(&buf).await.unwrap();
    });
    let answer = on_a_plain_thread(async move {
        client.write_all(b"hello").await.unwrap();
        let mut buf = [0; 5];
        client.read_exact(&mut buf).await.unwrap();
        buf
    });
    assert_eq!(&answer.await, b"hello");
    echo.await.unwrap();
}

pub(super) async fn read_wakes_the_last_waker<R: Runtime, F: Family<R>>(rt: R) {
    let (mut client, mut server) = pair::<R, F>(&rt).await;
    let ((first, _rings), (last, mut rings)) = (bell(), bell());
    let mut buf = [0; 8];
    assert!(poll_with(&mut client.read(&mut buf), &first).is_pending());
    assert!(poll_with(&mut client.read(&mut buf), &last).is_pending());
    server.write_all(b"x").await.unwrap();
    rt.timeout(LONG, rings.next()).await.expect("it is woken").unwrap();
    assert_eq!(client.read(&mut buf).await.unwrap(), 1);
}

pub(super) async fn read_is_cancel_safe<R: Runtime, F: Family<R>>(rt: R) {
    let (mut client, mut server) = pair::<R, F>(&rt).await;
    let data = pattern(8_000);
    let (timer, sent) = (rt.clone(), data.clone());
    let sender = rt.spawn_boxed(async move {
        for chunk in sent.chunks(100) {
            server.write_all(chunk).await.unwrap();
            timer.sleep(Duration::from_micros(300)).await;
        }
    });
    let mut received = Vec::new();
    let mut buf = [0; 64];
    loop {
        match rt.timeout(Duration::from_micros(200), client.read(&mut buf)).await {
            Ok(Ok(0)) => break,
            Ok(read) => received.extend_from_slice(&buf[..read.unwrap()]),
            Err(_) => {}
        }
    }
    assert!(received == data);
    sender.await.unwrap();
}

pub(super) async fn big_transfer_is_intact<R: Runtime, F: Family<R>>(rt: R) {
    const LEN: usize = 16 << 20;
    let (mut client, mut server) = pair::<R, F>(&rt).await;
    let sender = rt.spawn_boxed(async move {
        client.write_all(&pattern(LEN)).await.unwrap();
        client.close().await.unwrap();
        // Kept until the peer has everything.
        let _ = client.read(&mut [0]).await;
    });
    assert!(read_all(&mut server).await == pattern(LEN));
    drop(server);
    sender.await.unwrap();
}

pub(super) async fn accept_is_cancel_safe<R: Runtime, F: Family<R>>(rt: R) {
    const CONNECTIONS: usize = 50;
    let (listener, addr) = F::bind(&rt).await;
    for _ in 0..3 {
        assert!(rt.timeout(ms(5), F::accept(&listener)).await.is_err());
    }
    let there = rt.clone();
    let clients = rt.spawn_boxed(async move {
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            clients.push(F::connect(&there, &addr).await);
            there.sleep(Duration::from_micros(200)).await;
        }
        clients
    });
    let mut accepted = 0;
    while accepted < CONNECTIONS {
        if let Ok(result) = rt.timeout(Duration::from_micros(300), F::accept(&listener)).await {
            result.unwrap();
            accepted += 1;
        }
    }
    clients.await.unwrap();
}

pub(super) async fn accept_serves_every_waiter<R: Runtime, F: Family<R>>(rt: R) {
    let (listener, addr) = F::bind(&rt).await;
    let listener = Arc::new(listener);
    let (mut tasks, mut all_wait) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        let (waits, is_waiting) = oneshot::channel();
        let listener = listener.clone();
        tasks.push(rt.spawn_boxed(async move { waiting(F::accept(&listener), waits).await.map(drop) }));
        all_wait.push(is_waiting);
    }
    for is_waiting in all_wait {
        is_waiting.await.unwrap();
    }
    for _ in 0..4 {
        F::connect(&rt, &addr).await;
    }
    for task in tasks {
        rt.timeout(LONG, task).await.expect("every waiter is served").unwrap().unwrap();
    }
}

pub(super) async fn incoming_yields_every_connection<R: Runtime, F: Family<R>>(rt: R) {
    let (mut listener, addr) = F::bind(&rt).await;
    let there = rt.clone();
    let clients = rt.spawn_boxed(async move {
        for n in 0..5_u8 {
            F::connect(&there, &addr).await.write_all(&[n]).await.unwrap();
        }
    });
    let mut numbers = Vec::new();
    {
        let mut incoming = F::incoming(&mut listener).take(3);
        while let Some(stream) = incoming.next().await {
            let mut buf = [0];
            stream.unwrap().read_exact(&mut buf).await.unwrap();
            numbers.push(buf[0]);
        }
    }
    // Another stream takes up where that one ended.
    for _ in 0..2 {
        let mut buf = [0];
        F::incoming(&mut listener).next().await.unwrap().unwrap().read_exact(&mut buf).await.unwrap();
        numbers.push(buf[0]);
    }
    assert_eq!(numbers, [0, 1, 2, 3, 4]);
    clients.await.unwrap();
}

/// How often a stream may be ready in vain: its runtime has noticed something, and not that it is gone.
const FEW: usize = 10;

fn would_block<T>(result: &io::Result<T>) -> bool {
    result.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

/// Nothing is there to be read.
fn is_not_readable<R: Runtime, F: Family<R>>(stream: &F::Stream) {
    for _ in 0..FEW {
        if F::readable(stream).now_or_never().is_none() {
            return;
        }
        assert!(would_block(&F::try_read(stream, &mut [0; 8])));
    }
    panic!("it is readable for ever, and nothing is there");
}

/// Waits until something is there, and reads it.
async fn read_when_ready<R: Runtime, F: Family<R>>(rt: &R, stream: &F::Stream, buf: &mut [u8]) -> usize {
    for _ in 0..FEW {
        rt.timeout(LONG, F::readable(stream)).await.expect("it becomes readable").unwrap();
        let read = F::try_read(stream, buf);
        if !would_block(&read) {
            return read.unwrap();
        }
    }
    panic!("it is readable for ever, and nothing is there");
}

pub(super) async fn readable_waits_for_bytes<R: Runtime, F: Family<R>>(rt: R) {
    let (client, mut server) = pair::<R, F>(&rt).await;
    let mut buf = [0; 8];
    for message in [b"1", b"2"] {
        is_not_readable::<R, F>(&client);
        let mut readable = pin!(F::readable(&client));
        assert!(readable.as_mut().now_or_never().is_none());
        server.write_all(message).await.unwrap();
        rt.timeout(LONG, readable).await.expect("it is readable").unwrap();
        assert_eq!(read_when_ready::<R, F>(&rt, &client, &mut buf).await, 1);
        assert_eq!(&buf[..1], message);
    }
}

pub(super) async fn readable_wakes_everybody<R: Runtime, F: Family<R>>(rt: R) {
    let (client, mut server) = pair::<R, F>(&rt).await;
    is_not_readable::<R, F>(&client);
    let client = Arc::new(client);
    let (mut tasks, mut all_wait) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let (client, (waits, is_waiting)) = (client.clone(), oneshot::channel());
        tasks.push(rt.spawn_boxed(async move { waiting(F::readable(&client), waits).await }));
        all_wait.push(is_waiting);
    }
    for is_waiting in all_wait {
        is_waiting.await.unwrap();
    }
    server.write_all(b"x").await.unwrap();
    for task in tasks {
        rt.timeout(LONG, task).await.expect("everybody is woken").unwrap().unwrap();
    }
    assert_eq!(read_when_ready::<R, F>(&rt, &client, &mut [0; 8]).await, 1);
}

pub(super) async fn readable_sees_the_end<R: Runtime, F: Family<R>>(rt: R) {
    let (client, server) = pair::<R, F>(&rt).await;
    is_not_readable::<R, F>(&client);
    drop(server);
    for _ in 0..2 {
        assert_eq!(read_when_ready::<R, F>(&rt, &client, &mut [0; 8]).await, 0);
    }
}

pub(super) async fn readable_starves_no_timer<R: Runtime, F: Family<R>>(rt: R) {
    const BYTES: usize = 20_000;
    let (client, mut server) = pair::<R, F>(&rt).await;
    server.write_all(&vec![0; BYTES + 1]).await.unwrap();
    assert_eq!(read_when_ready::<R, F>(&rt, &client, &mut [0]).await, 1);
    let busy = async {
        for _ in 0..BYTES {
            F::readable(&client).await.unwrap();
            let _ = F::try_read(&client, &mut [0]);
        }
    };
    assert!(rt.timeout(Duration::ZERO, busy).await.is_err(), "the timer waited for the stream");
}

pub(super) async fn writable_waits_for_room<R: Runtime, F: Family<R>>(rt: R) {
    let (client, mut server) = pair::<R, F>(&rt).await;
    let mut sent = 0;
    // Until there is no room any more: the system may make some for a while.
    while rt.timeout(ms(100), F::writable(&client)).await.is_ok() {
        while let Ok(written) = F::try_write(&client, &[0; 1 << 16]) {
            sent += written;
        }
    }
    let mut writable = Box::pin(F::writable(&client));
    assert!(writable.as_mut().now_or_never().is_none());
    let reader = rt.spawn_boxed(async move { read_all(&mut server).await.len() });
    rt.timeout(LONG, writable).await.expect("it has been read").unwrap();
    let more = async {
        loop {
            match F::try_write(&client, b"more") {
                Err(error) if error.kind() == ErrorKind::WouldBlock => F::writable(&client).await.unwrap(),
                written => return written.unwrap(),
            }
        }
    };
    sent += rt.timeout(LONG, more).await.expect("there is room");
    drop(client);
    assert_eq!(reader.await.unwrap(), sent);
}

pub(super) async fn try_read_takes_what_is_there<R: Runtime, F: Family<R>>(rt: R) {
    let (client, mut server) = pair::<R, F>(&rt).await;
    let mut buf = [0; 8];
    assert!(would_block(&F::try_read(&client, &mut buf)));
    assert_eq!(F::try_read(&client, &mut []).unwrap(), 0);
    server.write_all(b"hello").await.unwrap();
    assert_eq!(read_when_ready::<R, F>(&rt, &client, &mut buf[..2]).await, 2);
    assert_eq!(&buf[..2], b"he");
    assert_eq!(F::try_read(&client, &mut buf).unwrap(), 3);
    assert_eq!(&buf[..3], b"llo");
    assert!(would_block(&F::try_read(&client, &mut buf)));
}

pub(super) async fn try_write_finds_room<R: Runtime, F: Family<R>>(rt: R) {
    let (mut client, mut server) = pair::<R, F>(&rt).await;
    assert_eq!(F::try_write(&client, &[]).unwrap(), 0);
    assert_eq!(F::try_write_vectored(&client, &[]).unwrap(), 0);
    rt.timeout(LONG, F::writable(&client)).await.expect("there is room").unwrap();
    assert_eq!(F::try_write(&client, b"hello").unwrap(), 5);
    let mut buf = [0; 5];
    server.read_exact(&mut buf).await.unwrap();
    assert_eq!(&buf, b"hello");
    client.close().await.unwrap();
    assert_eq!(F::try_write(&client, b"more").unwrap_err().kind(), ErrorKind::BrokenPipe);
}

pub(super) async fn try_takes_several_buffers<R: Runtime, F: Family<R>>(rt: R) {
    let (client, server) = pair::<R, F>(&rt).await;
    let parts = [IoSlice::new(b"two"), IoSlice::new(b"parts")];
    assert_eq!(F::try_write_vectored(&client, &parts).unwrap(), 8);
    let (mut first, mut second) = ([0; 2], [0; 8]);
    rt.timeout(LONG, F::readable(&server)).await.expect("it is readable").unwrap();
    let read = loop {
        let mut bufs = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut []), IoSliceMut::new(&mut second)];
        match F::try_read_vectored(&server, &mut bufs) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => F::readable(&server).await.unwrap(),
            read => break read.unwrap(),
        }
    };
    assert_eq!((read, &first, &second[..6]), (8, b"tw", &b"oparts"[..]));
    assert_eq!(F::try_read_vectored(&server, &mut []).unwrap(), 0);

    // More than the system takes at once.
    let parts = [(); 2_000].map(|()| IoSlice::new(b"x"));
    assert!((1..=2_000).contains(&F::try_write_vectored(&client, &parts).unwrap()));
    rt.timeout(LONG, F::readable(&server)).await.expect("it is readable again").unwrap();
    let mut bytes = [0; 2_000];
    let mut bufs: Vec<_> = bytes.chunks_mut(1).map(IoSliceMut::new).collect();
    let read = loop {
        match F::try_read_vectored(&server, &mut bufs) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => F::readable(&server).await.unwrap(),
            read => break read.unwrap(),
        }
    };
    assert!((1..=2_000).contains(&read));
}

pub(super) async fn first_try_waits_for_nothing<R: Runtime, F: Family<R>>(rt: R) {
    let (mut client, mut server) = pair::<R, F>(&rt).await;
    assert_eq!(F::try_write(&client, b"x").unwrap(), 1);
    assert_eq!(F::try_write(&server, b"x").unwrap(), 1);
    for end in [&mut client, &mut server] {
        assert_eq!(end.read(&mut [0; 8]).await.unwrap(), 1);
    }
}

pub(super) async fn try_io_would_block_and_then_waits<R: Runtime, F: Family<R>>(rt: R) {
    let (client, mut server) = pair::<R, F>(&rt).await;
    let error = F::try_io(&client, Interest::Writable, || Err::<(), _>(ErrorKind::Other.into())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other);
    assert_eq!(F::try_io(&client, Interest::Writable, || Ok(7)).unwrap(), 7);
    // It has been ready, and is not any more.
    server.write_all(b"-").await.unwrap();
    assert_eq!(read_when_ready::<R, F>(&rt, &client, &mut [0; 8]).await, 1);
    let turns = Arc::new(AtomicUsize::new(0));
    let counted = turns.clone();
    let task = rt.spawn_boxed(async move {
        loop {
            let tried = F::try_io(&client, Interest::Readable, || {
                // As a system call of its own would.
                Err::<(), _>(ErrorKind::WouldBlock.into())
            });
            assert!(would_block(&tried));
            counted.fetch_add(1, Ordering::SeqCst);
            F::readable(&client).await.unwrap();
            let mut buf = [0; 8];
            if F::try_read(&client, &mut buf).is_ok_and(|read| read == 1) {
                return buf[0];
            }
        }
    });
    rt.sleep(ms(20)).await;
    let before = turns.load(Ordering::SeqCst);
    rt.sleep(ms(100)).await;
    let after = turns.load(Ordering::SeqCst);
    assert!(after - before <= FEW, "{before} and then {after} turns");
    server.write_all(b"x").await.unwrap();
    assert_eq!(rt.timeout(LONG, task).await.expect("it is woken").unwrap(), b'x');
}

pub(super) async fn halves_reunite<R: Runtime, F: Family<R>>(rt: R) {
    let ((client, mut server), (other, _others)) = (pair::<R, F>(&rt).await, pair::<R, F>(&rt).await);
    let client = F::split_and_reunite(client);
    let [mut client, _other] = F::reunite_crosswise(client, other);
    // Nothing was sent: no half of it was closed.
    assert!(rt.timeout(ms(20), server.read(&mut [0; 8])).await.is_err(), "the peer sees an end");
    let mut buf = [0; 5];
    client.write_all(b"hello").await.unwrap();
    server.read_exact(&mut buf).await.unwrap();
    assert_eq!(&buf, b"hello");
    server.write_all(b"world").await.unwrap();
    client.read_exact(&mut buf).await.unwrap();
    assert_eq!(&buf, b"world");
    drop(client);
    assert_eq!(server.read(&mut buf).await.unwrap(), 0);
}

pub(super) async fn halves_have_the_addresses<R: Runtime, F: Family<R>>(rt: R) {
    fn tell<A: fmt::Debug>(read: &impl ReadHalf<Addr = A>, write: &impl WriteHalf<Addr = A>) -> [String; 2] {
        let read = [read.local_addr().unwrap(), read.peer_addr().unwrap()];
        let write = [write.local_addr().unwrap(), write.peer_addr().unwrap()];
        [read, write].map(|addrs| format!("{addrs:?}"))
    }

    let (client, server) = pair::<R, F>(&rt).await;
    for mut end in [client, server] {
        let addrs = format!("{:?}", F::addrs(&end));
        {
            let (read, write) = F::split_mut(&mut end);
            assert_eq!(tell(&read, &write), [(); 2].map(|()| addrs.clone()));
        }
        let (read, write) = F::into_split(end);
        assert_eq!(tell(&read, &write), [addrs.clone(), addrs]);
    }
}

/// What may be readable for a while, and has nothing: `in_vain` finds that out.
fn is_pending<H: ReadHalf>(half: &H, mut in_vain: impl FnMut(&H) -> io::Result<()>) {
    for _ in 0..FEW {
        if half.readable().now_or_never().is_none() {
            return;
        }
        assert!(would_block(&in_vain(half)));
    }
    panic!("it is readable for ever, and nothing is there");
}

/// As `read_when_ready`.
async fn half_reads_when_ready<R: Runtime>(rt: &R, half: &impl ReadHalf, buf: &mut [u8]) -> usize {
    for _ in 0..FEW {
        rt.timeout(LONG, half.readable()).await.expect("it becomes readable").unwrap();
        let read = half.try_read(buf);
        if !would_block(&read) {
            return read.unwrap();
        }
    }
    panic!("it is readable for ever, and nothing is there");
}

pub(super) async fn halves_readable_waits_for_bytes<R: Runtime, F: Family<R>>(rt: R) {
    async fn waits<R: Runtime>(rt: &R, half: &impl ReadHalf, peer: &mut (impl AsyncWrite + Unpin)) {
        let mut buf = [0; 8];
        for message in [b"1", b"2"] {
            is_pending(half, |half| half.try_read(&mut [0; 8]).map(drop));
            let mut readable = pin!(half.readable());
            assert!(readable.as_mut().now_or_never().is_none());
            peer.write_all(message).await.unwrap();
            rt.timeout(LONG, readable).await.expect("it is readable").unwrap();
            assert_eq!(half_reads_when_ready(rt, half, &mut buf).await, 1);
            assert_eq!(&buf[..1], message);
        }
    }

    let (mut client, mut server) = pair::<R, F>(&rt).await;
    waits(&rt, &F::split_mut(&mut client).0, &mut server).await;
    let (read, _write) = F::into_split(client);
    waits(&rt, &read, &mut server).await;
    drop(server);
    assert_eq!(half_reads_when_ready(&rt, &read, &mut [0; 8]).await, 0);
}

pub(super) async fn halves_writable_waits_for_room<R: Runtime, F: Family<R>>(rt: R) {
    async fn waits<R: Runtime>(
        rt: &R,
        half: &impl WriteHalf,
        mut peer: impl AsyncRead + Unpin + Send + 'static,
    ) {
        let (mut sent, mut in_vain) = (0, 0);
        // Until it waits: the system may make some room for a while.
        let writable = loop {
            in_vain += 1;
            while let Ok(written) = half.try_write(&[0; 1 << 16]) {
                (sent, in_vain) = (sent + written, 0);
            }
            assert!(in_vain < FEW, "it is writable for ever, and there is no room");
            let mut writable = Box::pin(half.writable());
            if rt.timeout(ms(100), &mut writable).await.is_err() {
                break writable;
            }
        };
        let reader = rt.spawn_boxed(async move {
            peer.read_exact(&mut vec![0; sent]).await.unwrap();
            peer
        });
        rt.timeout(LONG, writable).await.expect("it has been read").unwrap();
        let mut peer = reader.await.unwrap();
        let more = async {
            loop {
                match half.try_write(b"more") {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => half.writable().await.unwrap(),
                    written => return written.unwrap(),
                }
            }
        };
        assert_eq!(rt.timeout(LONG, more).await.expect("there is room"), 4);
        peer.read_exact(&mut [0; 4]).await.unwrap();
    }

    let (mut client, server) = pair::<R, F>(&rt).await;
    waits(&rt, &F::split_mut(&mut client).1, server).await;
    let (client, server) = pair::<R, F>(&rt).await;
    let (_read, write) = F::into_split(client);
    waits(&rt, &write, server).await;
}

pub(super) async fn halves_try_what_is_there<R: Runtime, F: Family<R>>(rt: R) {
    async fn check<R: Runtime>(
        rt: &R,
        (read, write): (&impl ReadHalf, &impl WriteHalf),
        peer: &mut (impl AsyncRead + AsyncWrite + Unpin),
    ) {
        // The first try waits for nothing.
        assert_eq!(write.try_write(b"he").unwrap(), 2);
        assert_eq!(write.try_write_vectored(&[IoSlice::new(b"l"), IoSlice::new(b"lo")]).unwrap(), 3);
        assert_eq!(write.try_write(&[]).unwrap(), 0);
        assert_eq!(write.try_write_vectored(&[]).unwrap(), 0);
        let mut buf = [0; 5];
        peer.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"hello");

        assert!(would_block(&read.try_read(&mut buf)));
        assert_eq!(read.try_read(&mut []).unwrap(), 0);
        assert_eq!(read.try_read_vectored(&mut []).unwrap(), 0);
        peer.write_all(b"world").await.unwrap();
        assert_eq!(half_reads_when_ready(rt, read, &mut buf[..2]).await, 2);
        assert_eq!(&buf[..2], b"wo");
        let (mut first, mut second) = ([0; 1], [0; 8]);
        let mut bufs = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
        assert_eq!(read.try_read_vectored(&mut bufs).unwrap(), 3);
        assert_eq!((&first, &second[..2]), (b"r", &b"ld"[..]));
        assert!(would_block(&read.try_read(&mut buf)));
    }

    let (mut client, mut server) = pair::<R, F>(&rt).await;
    {
        let (read, write) = F::split_mut(&mut client);
        check(&rt, (&read, &write), &mut server).await;
    }
    let (read, mut write) = F::into_split(client);
    check(&rt, (&read, &write), &mut server).await;
    write.close().await.unwrap();
    assert_eq!(write.try_write(b"more").unwrap_err().kind(), ErrorKind::BrokenPipe);
}

pub(super) async fn halves_try_io_tells_the_runtime<R: Runtime, F: Family<R>>(rt: R) {
    async fn check<R: Runtime>(
        rt: &R,
        (read, write): (&impl ReadHalf, &impl WriteHalf),
        peer: &mut (impl AsyncWrite + Unpin),
    ) {
        assert_eq!(write.try_io(|| Ok(7)).unwrap(), 7);
        let error = write.try_io(|| Err::<(), _>(ErrorKind::Other.into())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Other);
        peer.write_all(b"-").await.unwrap();
        assert_eq!(half_reads_when_ready(rt, read, &mut [0; 8]).await, 1);
        // It has been ready, and is not any more: a system call of its own would find that out.
        is_pending(read, |half| half.try_io(|| Err(ErrorKind::WouldBlock.into())));
        peer.write_all(b"-").await.unwrap();
        rt.timeout(LONG, read.readable()).await.expect("it becomes readable").unwrap();
        assert_eq!(read.try_io(|| Ok(7)).unwrap(), 7);
        assert_eq!(half_reads_when_ready(rt, read, &mut [0; 8]).await, 1);
        is_pending(read, |half| half.try_read(&mut [0; 8]).map(drop));
    }

    let (mut client, mut server) = pair::<R, F>(&rt).await;
    {
        let (read, write) = F::split_mut(&mut client);
        check(&rt, (&read, &write), &mut server).await;
    }
    let (read, write) = F::into_split(client);
    check(&rt, (&read, &write), &mut server).await;
}
