//! The utilities of `anyrt::io`: in-memory streams, and copying in both directions.
#![allow(clippy::unwrap_used)]

use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use anyrt::io::{DuplexStream, copy_bidirectional, duplex};
use anyrt::net::{TcpListener, TcpStream};
use anyrt::time::timeout;
use anyrt::{join, spawn};
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use futures::poll;

#[anyrt::test]
async fn duplex_carries_more_than_its_buffer_both_ways() -> io::Result<()> {
    let (a, b) = duplex(7);
    let echo = spawn(async move {
        let (mut read, mut write) = b.split();
        futures::io::copy(&mut read, &mut write).await?;
        write.close().await
    });
    let (mut read, mut write) = a.split();
    let sent: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    let mut received = Vec::new();
    let (all, ()) = join!(read.read_to_end(&mut received), async {
        write.write_all(&sent).await.unwrap();
        write.close().await.unwrap();
    });
    assert_eq!((all?, &received), (10_000, &sent));
    echo.await?
}

#[anyrt::test]
async fn duplex_write_waits_for_room_and_is_woken() {
    let (mut a, mut b) = duplex(2);
    assert_eq!(a.write(b"abc").await.unwrap(), 2);
    assert!(timeout(Duration::from_millis(5), a.write(b"c")).await.is_err());
    let writer = spawn(async move { a.write(b"c").await });
    let mut buf = [0; 8];
    assert_eq!(b.read(&mut buf).await.unwrap(), 2);
    assert_eq!(writer.await.unwrap().unwrap(), 1);
    // The task has dropped `a`; the bytes that it wrote come first.
    assert_eq!((b.read(&mut buf).await.unwrap(), buf[0]), (1, b'c'));
    assert_eq!(b.read(&mut buf).await.unwrap(), 0);
    assert_eq!(b.write(b"x").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}

#[anyrt::test]
async fn duplex_reader_and_writer_are_woken_by_a_drop() {
    let (mut a, b) = duplex(1);
    let mut buf = [0];
    let mut read = pin!(a.read(&mut buf));
    assert!(poll!(read.as_mut()).is_pending());
    let dropped = spawn(async move { drop(b) });
    assert_eq!(read.await.unwrap(), 0);
    dropped.await.unwrap();

    let (mut a, b) = duplex(1);
    a.write_all(b"x").await.unwrap();
    let mut write = pin!(a.write(b"y"));
    assert!(poll!(write.as_mut()).is_pending());
    let dropped = spawn(async move { drop(b) });
    assert_eq!(write.await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    dropped.await.unwrap();
}

#[anyrt::test]
async fn duplex_closes_one_direction() {
    let (mut a, mut b) = duplex(8);
    a.close().await.unwrap();
    assert_eq!(b.read(&mut [0]).await.unwrap(), 0);
    assert_eq!(a.write(b"x").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    b.write_all(b"answer").await.unwrap();
    drop(b);
    let mut text = String::new();
    a.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "answer");
}

#[anyrt::test]
async fn duplex_gathers_and_takes_nothing_at_once() {
    let (mut a, mut b) = duplex(4);
    let bufs = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")];
    assert_eq!(a.write_vectored(&bufs).await.unwrap(), 4);
    assert_eq!(a.write(b"").await.unwrap(), 0);
    assert_eq!(b.read(&mut []).await.unwrap(), 0);
    let mut buf = [0; 4];
    b.read_exact(&mut buf).await.unwrap();
    assert_eq!(&buf, b"abcd");
}

/// Both ends in one task that is never pending: its own timeout must fire.
#[anyrt::test]
async fn duplex_lets_others_run() {
    let (mut a, mut b) = duplex(64);
    let endless = async move {
        loop {
            a.write_all(b"x").await.unwrap();
            b.read_exact(&mut [0]).await.unwrap();
        }
    };
    assert!(timeout(Duration::from_millis(5), endless).await.is_err());
}

#[cfg(feature = "tokio-io")]
#[anyrt::test]
async fn duplex_has_the_traits_of_tokio() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let (mut a, mut b) = duplex(64);
    AsyncWriteExt::write_u32(&mut a, 7).await.unwrap();
    AsyncWriteExt::shutdown(&mut a).await.unwrap();
    assert_eq!(AsyncReadExt::read_u32(&mut b).await.unwrap(), 7);
    assert!(AsyncReadExt::read_u8(&mut b).await.is_err());
}

#[anyrt::test]
async fn proxy_copies_both_ways_and_hands_on_the_ends() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (mut client, behind) = duplex(64);
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        stream.write_all(text.to_uppercase().as_bytes()).await.unwrap();
        stream.close().await.unwrap();
    };
    let proxy = async {
        let (mut behind, mut to_server) = (behind, TcpStream::connect(address).await.unwrap());
        copy_bidirectional(&mut behind, &mut to_server).await.unwrap()
    };
    let user = async {
        client.write_all("hello ".repeat(100).as_bytes()).await.unwrap();
        client.close().await.unwrap();
        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();
        text
    };
    let ((), copied, text) = join!(server, proxy, user);
    assert_eq!((copied, text), ((600, 600), "HELLO ".repeat(100)));
    Ok(())
}

/// Buffers written data until a flush, as TLS does.
struct Kept(DuplexStream, Vec<u8>);

impl AsyncRead for Kept {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Kept {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.1.extend(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let kept = std::mem::take(&mut self.1);
        pin!(self.0.write_all(&kept)).poll(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

#[anyrt::test]
async fn proxy_flushes_where_it_waits() {
    let (mut client, mut behind) = duplex(64);
    let (to_server, mut server) = duplex(64);
    let mut to_server = Kept(to_server, Vec::new());
    let mut proxy = pin!(copy_bidirectional(&mut behind, &mut to_server));
    let talk = async {
        client.write_all(b"ping").await.unwrap();
        let mut buf = [0; 4];
        server.read_exact(&mut buf).await.unwrap();
        buf
    };
    let mut talk = pin!(talk);
    let heard = poll_fn(|cx| {
        assert!(proxy.as_mut().poll(cx).is_pending());
        talk.as_mut().poll(cx)
    });
    assert_eq!(&heard.await, b"ping");
}

/// The writer into which an end is formatted is the other end.
#[anyrt::test]
async fn duplex_is_formatted_into_itself() {
    struct Into(DuplexStream);

    impl std::fmt::Write for Into {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            let written = futures::FutureExt::now_or_never(self.0.write_all(text.as_bytes()));
            written.and_then(Result::ok).ok_or(std::fmt::Error)
        }
    }

    let (a, b) = duplex(1 << 10);
    let mut b = Into(b);
    std::fmt::Write::write_fmt(&mut b, format_args!("{a:?}")).unwrap();
}

#[anyrt::test]
async fn many_idle_proxies_cost_nothing() {
    let mut pairs: Vec<_> = (0..200).map(|_| (duplex(8), duplex(8))).collect();
    let mut proxies: Vec<_> =
        pairs.iter_mut().map(|((_, near), (far, _))| Box::pin(copy_bidirectional(near, far))).collect();
    let mut polls = 0;
    let all = poll_fn(|cx| {
        polls += 1;
        for proxy in &mut proxies {
            assert!(proxy.as_mut().poll(cx).is_pending());
        }
        Poll::<()>::Pending
    });
    assert!(timeout(Duration::from_millis(20), all).await.is_err());
    assert!(polls <= 2, "{polls}");
}
