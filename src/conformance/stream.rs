//! Byte streams: what those of TCP and Unix promise alike, each scenario once and run on both.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::join;
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use futures::{Stream, StreamExt};

use super::support::{
    Boxed as _, LONG, bell, counted, ms, on_a_plain_thread, poll_once, poll_with, read_all, waiting,
};
use crate::runtime::Runtime;

/// TCP or Unix.
pub(super) trait Family<R: Runtime>: 'static {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    type Listener: Send + Sync + 'static;
    type Addr: Clone + Send + Sync + 'static;

    /// Somewhere that is free.
    fn bind(rt: &R) -> impl Future<Output = (Self::Listener, Self::Addr)> + Send;

    fn connect(rt: &R, addr: &Self::Addr) -> impl Future<Output = Self::Stream> + Send;

    fn accept(listener: &Self::Listener) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    fn incoming(listener: &mut Self::Listener)
    -> impl Stream<Item = io::Result<Self::Stream>> + Unpin + Send;

    fn split_mut(
        stream: &mut Self::Stream,
    ) -> (impl AsyncRead + Unpin + Send, impl AsyncWrite + Unpin + Send);

    fn into_split(
        stream: Self::Stream,
    ) -> (impl AsyncRead + Unpin + Send + 'static, impl AsyncWrite + Unpin + Send + 'static);

    /// Whether it has an address.
    fn is_open(stream: &Self::Stream) -> bool;
}

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
