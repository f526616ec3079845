//! Peers that reset a connection, that do not read, and one that sends very much data.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyrt::Runtime;
use anyrt::runtime::TcpStream as _;
use fastrand::Rng;
use futures::future::try_join_all;
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use socket2::SockRef;

use crate::support::{ms, watched};

/// Creates a connection: our end, and the peer's, which is a blocking socket of the standard library.
async fn connection<R: Runtime>(rt: &R) -> (R::TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let ours = rt.tcp_connect(listener.local_addr().unwrap()).await.unwrap();
    // The connection is in the queue already.
    let peer = listener.accept().unwrap().0;
    (ours, peer)
}

/// Closes a connection with a RST, which discards data in flight.
fn reset(peer: TcpStream) {
    SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
}

const GONE: [ErrorKind; 2] = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];

/// Later operations on a reset connection end as well.
async fn is_over(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    for _ in 0..2 {
        let read = stream.read(&mut [0; 8]).await;
        assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
        let error = stream.write(b"is anybody there?").await.unwrap_err();
        assert!(GONE.contains(&error.kind()), "{error}");
    }
    stream.close().await.unwrap();
}

pub(crate) fn reset_ends_a_read<R: Runtime>(rt: R) {
    const SENT: usize = 4 << 20;
    rt.block_on(async {
        let (mut ours, mut peer) = connection(&rt).await;
        let peer = rt.spawn_blocking(move || {
            peer.write_all(&vec![7; SENT]).unwrap();
            reset(peer);
        });
        let (mut buf, mut received) = (vec![0; 10_000], 0);
        let error = loop {
            match ours.read(&mut buf).await {
                Ok(0) => panic!("a stream that was reset after {received} bytes has an orderly end"),
                Ok(read) => received += read,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
        assert!(received <= SENT);
        peer.await.unwrap();
        is_over(ours).await;
    });
}

pub(crate) fn reset_ends_a_write<R: Runtime>(rt: R) {
    rt.block_on(async {
        let (mut ours, mut peer) = connection(&rt).await;
        let peer = rt.spawn_blocking(move || {
            peer.read_exact(&mut vec![0; 4 << 20]).unwrap();
            reset(peer);
        });
        let data = vec![7; 100_000];
        let error = loop {
            if let Err(error) = ours.write_all(&data).await {
                break error;
            }
        };
        assert!(GONE.contains(&error.kind()), "{error}");
        peer.await.unwrap();
        is_over(ours).await;
    });
}

pub(crate) fn reset_wakes_both_halves<R: Runtime>(rt: R) {
    rt.block_on(async {
        let (ours, peer) = connection(&rt).await;
        let (mut read, mut write) = ours.into_split();
        fill(&rt, &mut write).await;
        let (reading, reads, _) = watched(async move { read.read(&mut [0; 8]).await });
        let (writing, writes, _) = watched(async move { write.write(&[0; 8]).await });
        let (reading, writing) = (rt.spawn(reading), rt.spawn(writing));
        reads.await.unwrap();
        writes.await.unwrap();
        reset(peer);
        let (read, write) = (reading.await.unwrap(), writing.await.unwrap());
        // The system reports the reset only once, to the first operation.
        let told = |kind: Option<ErrorKind>| kind == Some(ErrorKind::ConnectionReset);
        let first = [read.as_ref().err(), write.as_ref().err()].map(|error| error.map(|error| error.kind()));
        assert!(first.into_iter().any(told), "{read:?}, {write:?}");
        assert!(told(first[0]) || matches!(read, Ok(0)), "{read:?}");
        assert!(first[1].is_some_and(|kind| GONE.contains(&kind)), "{write:?}");
    });
}

/// The byte at `n` equals the bytes at `n + PERIOD`, `n + 2 * PERIOD`, …; the buffer has the period twice, so that a
/// whole period begins at each offset.
const PERIOD: usize = 65_521;

fn pattern() -> Vec<u8> {
    let mut period = vec![0; PERIOD.next_multiple_of(8)];
    Rng::with_seed(1).fill(&mut period);
    period.truncate(PERIOD);
    period.repeat(2)
}

/// Writes the pattern until the buffers are full, and returns the number of bytes.
async fn fill<R: Runtime>(rt: &R, stream: &mut (impl AsyncWrite + Unpin)) -> usize {
    let pattern = pattern();
    let mut written = 0;
    while let Ok(wrote) = rt.timeout(ms(200), stream.write(&pattern[written % PERIOD..])).await {
        written += wrote.unwrap();
    }
    written
}

pub(crate) fn unread_stream_waits_and_loses_nothing<R: Runtime>(rt: R) {
    rt.block_on(async {
        let (mut ours, mut peer) = connection(&rt).await;
        // It ends with an elapsed timeout.
        let mut written = fill(&rt, &mut ours).await;

        let pattern = pattern();
        let next = pattern[written % PERIOD..].to_vec();
        let (writing, waits, polls) = watched(async move {
            let wrote = ours.write(&next).await.unwrap();
            (ours, wrote)
        });
        let writing = rt.spawn(writing);
        waits.await.unwrap();
        let polled = polls.load(Ordering::SeqCst);
        // A timer of another task.
        let sleep = rt.sleep(ms(300));
        rt.spawn(sleep).await.unwrap();
        let polled = polls.load(Ordering::SeqCst) - polled;
        assert!(polled <= 2, "{polled} polls of a write that cannot go on");
        assert!(!writing.is_finished());

        let peer = rt.spawn_blocking(move || {
            let mut received = Vec::new();
            peer.read_to_end(&mut received).unwrap();
            received
        });
        let (mut ours, wrote) = writing.await.unwrap();
        written += wrote;
        let rest = &pattern[written % PERIOD..];
        ours.write_all(rest).await.unwrap();
        written += rest.len();
        ours.close().await.unwrap();

        let received = peer.await.unwrap();
        assert_eq!(received.len(), written);
        assert!(received.chunks(PERIOD).all(|chunk| *chunk == pattern[..chunk.len()]));
    });
}

const TRANSFER: usize = 256 << 20;
const BLOCK: usize = 1 << 20;
const LONGEST: usize = 200_000;

/// Random slices of a block of random bytes that together are the data sent. Both ends know the block and compare
/// slices at the speed of memory; a checksum would take a debug build a minute.
struct Pieces {
    block: Vec<u8>,
    random: Rng,
    left: usize,
}

impl Pieces {
    fn new(seed: u64) -> Self {
        let (mut block, mut random) = (vec![0; BLOCK + LONGEST], Rng::with_seed(seed));
        random.fill(&mut block);
        Self { block, random, left: TRANSFER }
    }

    fn next(&mut self) -> Option<&[u8]> {
        let mut below = |end: usize| self.random.usize(..end);
        let (start, len) = (below(BLOCK), self.left.min(1 + below(LONGEST)));
        self.left -= len;
        (len > 0).then(|| &self.block[start..start + len])
    }
}

async fn send(mut stream: impl AsyncWrite + Unpin, mut pieces: Pieces) {
    while let Some(piece) = pieces.next() {
        stream.write_all(piece).await.unwrap();
    }
    stream.close().await.unwrap();
}

async fn receive(mut stream: impl AsyncRead + Unpin, mut pieces: Pieces) {
    let (mut buf, mut received) = (vec![0; LONGEST], 0);
    while let Some(piece) = pieces.next() {
        let read = &mut buf[..piece.len()];
        stream.read_exact(read).await.unwrap();
        assert!(read == piece, "other bytes than were sent, within {} of {received}", piece.len());
        received += piece.len();
    }
    assert_eq!(received, TRANSFER);
    assert_eq!(stream.read(&mut buf).await.unwrap(), 0, "more than was sent");
}

pub(crate) fn two_times_256_mib_arrive_as_they_were_sent<R: Runtime>(rt: R) {
    rt.block_on(async {
        let (ours, peer) = connection(&rt).await;
        let peer = rt.tcp_stream_from_std(peer).unwrap();
        let ((our_read, our_write), (their_read, their_write)) = (ours.into_split(), peer.into_split());
        let tasks = [
            rt.spawn(send(our_write, Pieces::new(1))),
            rt.spawn(receive(their_read, Pieces::new(1))),
            rt.spawn(send(their_write, Pieces::new(2))),
            rt.spawn(receive(our_read, Pieces::new(2))),
        ];
        try_join_all(tasks).await.unwrap();
    });
}
