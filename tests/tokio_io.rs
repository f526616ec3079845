//! tokio's I/O traits on the streams of every runtime.
#![allow(clippy::unwrap_used)]

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;

use anyrt::runtime::{Compat, TcpListener as _};
use anyrt::{AnyRuntime, Runtime};
use futures::future::join;
use tokio::io::{
    AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, ReadBuf,
    copy_bidirectional,
};

async fn pair<R: Runtime>(rt: &R) -> (R::TcpStream, R::TcpStream) {
    let listener = rt.tcp_bind("127.0.0.1:0").await.unwrap();
    let (client, server) = join(rt.tcp_connect(listener.local_addr().unwrap()), listener.accept()).await;
    (client.unwrap(), server.unwrap().0)
}

/// Reads lines until the end.
async fn lines(stream: impl AsyncRead + Unpin) -> Vec<String> {
    let (mut lines, mut all) = (BufReader::new(stream).lines(), Vec::new());
    while let Some(line) = lines.next_line().await.unwrap() {
        all.push(line);
    }
    all
}

#[anyrt::test]
async fn stream_is_read_and_written<R: Runtime>(rt: R)
where
    R::TcpStream: AsyncRead + AsyncWrite,
{
    let (mut client, mut server) = pair(&rt).await;
    client.write_all(b"one\ntwo\nthr").await.unwrap();
    client.write_all(b"ee").await.unwrap();
    client.flush().await.unwrap();
    AsyncWriteExt::shutdown(&mut client).await.unwrap();
    assert_eq!(lines(&mut server).await, ["one", "two", "three"]);
    // The opposite direction is open.
    server.write_all(b"answer").await.unwrap();
    drop(server);
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "answer");
}

/// Generic code, which does not know whether a stream has tokio's traits.
#[anyrt::test]
async fn any_stream_has_them_in_compat<R: Runtime>(rt: R) {
    let (client, server) = pair(&rt).await;
    let (mut client, mut server) = (Compat::new(client), Compat::new(server));
    assert!(client.is_write_vectored());
    let bufs = [b"one\n".as_slice(), b"", b"two\nthree"].map(io::IoSlice::new);
    assert_eq!(AsyncWriteExt::write_vectored(&mut client, &bufs).await.unwrap(), 13);
    client.shutdown().await.unwrap();
    assert_eq!(lines(&mut server).await, ["one", "two", "three"]);
    server.write_all(b"answer").await.unwrap();
    drop(server);
    let mut storage = [MaybeUninit::uninit(); 8];
    let mut buf = ReadBuf::uninit(&mut storage);
    poll_fn(|cx| Pin::new(&mut client).poll_read(cx, &mut buf)).await.unwrap();
    assert!(b"answer".starts_with(buf.filled()) && !buf.filled().is_empty());
    let mut rest = String::from_utf8(buf.filled().to_vec()).unwrap();
    client.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "answer");
}

#[anyrt::test]
async fn halves_have_the_traits_too(rt: AnyRuntime) {
    let (mut client, server) = pair(&rt).await;
    let (mut reads, mut writes) = server.into_split();
    let echo = rt.spawn(async move { tokio::io::copy(&mut reads, &mut writes).await });
    {
        let (mut reads, mut writes) = client.split_mut();
        let mut answer = [0; 5];
        let (written, read) = join(writes.write_all(b"hello"), reads.read_exact(&mut answer)).await;
        written.and(read.map(drop)).unwrap();
        assert_eq!(&answer, b"hello");
    }
    client.shutdown().await.unwrap();
    assert_eq!(echo.await.unwrap().unwrap(), 5);
}

#[anyrt::test]
async fn vectored_writes_are_one_call<R: Runtime>(rt: R)
where
    R::TcpStream: AsyncRead + AsyncWrite,
{
    let (mut client, mut server) = pair(&rt).await;
    assert!(client.is_write_vectored());
    let bufs = [b"one ".as_slice(), b"", b"two"].map(io::IoSlice::new);
    assert_eq!(AsyncWriteExt::write_vectored(&mut client, &bufs).await.unwrap(), 7);
    let mut read = [0; 7];
    server.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"one two");
}

#[anyrt::test]
async fn proxy_copies_both_ways(rt: AnyRuntime) {
    let ((mut client, mut left), (mut right, mut server)) = (pair(&rt).await, pair(&rt).await);
    let proxy = rt.spawn(async move { copy_bidirectional(&mut left, &mut right).await });
    client.write_all(b"there").await.unwrap();
    server.write_all(b"and back").await.unwrap();
    client.shutdown().await.unwrap();
    server.shutdown().await.unwrap();
    let (mut there, mut back) = (String::new(), String::new());
    server.read_to_string(&mut there).await.unwrap();
    client.read_to_string(&mut back).await.unwrap();
    assert_eq!((&*there, &*back), ("there", "and back"));
    assert_eq!(proxy.await.unwrap().unwrap(), (5, 8));
}

#[anyrt::test]
async fn buffer_keeps_what_is_in_it(rt: AnyRuntime) {
    let (mut client, mut server) = pair(&rt).await;
    client.write_all(b"abc").await.unwrap();
    let mut bytes = [MaybeUninit::uninit(); 8];
    let mut buf = ReadBuf::uninit(&mut bytes);
    buf.put_slice(b">");
    let polled = poll_fn(|cx| AsyncRead::poll_read(Pin::new(&mut server), cx, &mut buf));
    polled.await.unwrap();
    assert_eq!(buf.filled(), b">abc");
    // tokio itself reports how much of the buffer is initialized. Other runtimes initialize all of it, because there is
    // no `unsafe`.
    let as_tokio = format!("{rt:?}").starts_with("AnyRuntime(tokio");
    assert_eq!(buf.initialized().len(), if as_tokio { 4 } else { 8 });
}

#[anyrt::test]
async fn buffer_without_room_is_no_end(rt: AnyRuntime) {
    let (mut client, mut server) = pair(&rt).await;
    // An empty buffer does not wait for data.
    let mut buf = ReadBuf::new(&mut []);
    poll_fn(|cx| AsyncRead::poll_read(Pin::new(&mut server), cx, &mut buf)).await.unwrap();
    client.write_all(b"abc").await.unwrap();
    let mut read = [0; 3];
    server.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"abc");
}

#[cfg(unix)]
#[anyrt::test]
async fn unix_streams_have_the_traits(rt: AnyRuntime) {
    use anyrt::runtime::UnixNet;

    let (mut client, server) = rt.unix_pair().unwrap();
    client.write_all(b"one\ntwo\n").await.unwrap();
    client.shutdown().await.unwrap();
    // Data is there before the first poll of the new stream.
    assert_eq!(lines(server).await, ["one", "two"]);
}
