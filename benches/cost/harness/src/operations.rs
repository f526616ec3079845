//! The operations, written once for every way.

use std::fmt;
use std::future::{Future, poll_fn, ready};
use std::hint::black_box;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use clap::ValueEnum;

use crate::Way;

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Operation {
    /// A task that is spawned and awaited
    Spawn,
    /// Likewise, one of ten thousand that are spawned first and awaited then
    SpawnBatch,
    /// A task that nobody waits for
    SpawnDetached,
    /// A task of 1 KiB
    #[value(name = "spawn-1k")]
    Spawn1k,
    /// A task with an output of 64 bytes
    #[value(name = "spawn-64b")]
    Spawn64b,
    /// A blocking closure that is awaited
    SpawnBlocking,
    /// A sleep that is made and dropped
    SleepCreate,
    /// A sleep that is made, polled once and dropped
    SleepDrop,
    /// A sleep of no time that a task awaits
    SleepZero,
    /// A timeout around what is ready
    TimeoutReady,
    /// A timeout around what is ready when polled again
    TimeoutPending,
    /// A turn for the others
    Yield,
    /// A poll of a task that has woken itself
    Poll,
    /// A look for the current runtime
    Current,
    /// 64 bytes there and back
    TcpPingPong,
    /// 64 KiB there
    TcpThroughput,
    /// 64 bytes there and back, on one of 256 connections
    #[value(name = "tcp-256")]
    Tcp256,
    /// A tick of 1 ms
    Interval,
}

impl Operation {
    /// Those that every way of anyrt has, that is all but `Current`.
    pub const ALL: &'static [Self] = &[
        Self::Spawn,
        Self::SpawnBatch,
        Self::SpawnDetached,
        Self::Spawn1k,
        Self::Spawn64b,
        Self::SpawnBlocking,
        Self::SleepCreate,
        Self::SleepDrop,
        Self::SleepZero,
        Self::TimeoutReady,
        Self::TimeoutPending,
        Self::Yield,
        Self::Poll,
        Self::TcpPingPong,
        Self::TcpThroughput,
        Self::Tcp256,
        Self::Interval,
    ];
}

/// The name on the command line.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_possible_value().expect("none is hidden").get_name())
    }
}

/// Later than the end of any run.
pub(crate) const LATER: Duration = Duration::from_secs(3600);
const BATCH: u64 = 10_000;
const CONNECTIONS: u64 = 256;

pub async fn run<W: Way>(way: &W, operation: Operation, n: u64) {
    // Behind a pointer: inlined into one implementation and not into another, it moved a poll by 20 instructions.
    let done: Pin<Box<dyn Future<Output = io::Result<()>> + Send + '_>> = match operation {
        Operation::TcpPingPong => Box::pin(ping_pong(way, 1, n)),
        Operation::TcpThroughput => Box::pin(throughput(way, n)),
        Operation::Tcp256 => Box::pin(ping_pong(way, CONNECTIONS, n.div_ceil(CONNECTIONS))),
        _ => Box::pin(without_sockets(way, operation, n)),
    };
    done.await.expect("loopback works");
}

async fn without_sockets<W: Way>(way: &W, operation: Operation, n: u64) -> io::Result<()> {
    match operation {
        Operation::Spawn => {
            for _ in 0..n {
                black_box(way.spawn(one()).await);
            }
        }
        Operation::SpawnBatch => {
            let mut handles = Vec::with_capacity(BATCH as usize);
            for _ in 0..n.div_ceil(BATCH) {
                handles.extend((0..BATCH).map(|_| way.spawn(one())));
                for handle in handles.drain(..) {
                    black_box(handle.await);
                }
            }
        }
        Operation::SpawnDetached => {
            // One of every 32 handles is awaited, so that the queue stays short.
            for _ in 0..n.div_ceil(32) {
                for _ in 1..32 {
                    way.detach(one());
                }
                black_box(way.spawn(one()).await);
            }
        }
        Operation::Spawn1k => {
            for _ in 0..n {
                let large = [1_u8; 1024];
                let future = async move { u64::from(black_box(&large)[0]) };
                black_box(way.spawn(future).await);
            }
        }
        Operation::Spawn64b => {
            for _ in 0..n {
                black_box(way.spawn(async { black_box([1_u64; 8]) }).await);
            }
        }
        Operation::SpawnBlocking => {
            for _ in 0..n {
                black_box(way.spawn_blocking(|| ()).await);
            }
        }
        Operation::Current => (0..n).for_each(|_| drop(black_box(W::current()))),
        Operation::SleepCreate => (0..n).for_each(|_| drop(black_box(way.sleep(LATER)))),
        Operation::SleepDrop => {
            for _ in 0..n {
                let mut sleep = pin!(way.sleep(LATER));
                poll_fn(|cx| Poll::Ready(sleep.as_mut().poll(cx).is_pending())).await;
            }
        }
        Operation::SleepZero => {
            for _ in 0..n {
                way.sleep(Duration::ZERO).await;
            }
        }
        Operation::TimeoutReady => {
            for _ in 0..n {
                black_box(way.timeout(LATER, ready(())).await);
            }
        }
        Operation::TimeoutPending => {
            for _ in 0..n {
                black_box(way.timeout(LATER, pending_once()).await);
            }
        }
        Operation::Yield => {
            for _ in 0..n {
                way.yield_now().await;
            }
        }
        Operation::Poll => {
            for _ in 0..n {
                pending_once().await;
            }
        }
        Operation::Interval => {
            way.interval(Duration::from_millis(1), n).await;
        }
        Operation::TcpPingPong | Operation::TcpThroughput | Operation::Tcp256 => {
            unreachable!("they have sockets")
        }
    }
    Ok(())
}

/// Output that the compiler does not know.
async fn one() -> u64 {
    black_box(1)
}

/// Wakes itself, and is ready at the second poll.
fn pending_once() -> impl Future<Output = ()> + Send {
    let mut polled = false;
    poll_fn(move |cx| {
        if polled {
            return Poll::Ready(());
        }
        polled = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

pub(crate) const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

async fn ping_pong<W: Way>(way: &W, connections: u64, rounds: u64) -> io::Result<()> {
    let (listener, addr) = way.listen(ANY_PORT).await?;
    let mut clients = Vec::with_capacity(connections as usize);
    for _ in 0..connections {
        // The handshake is the system's: nobody has to accept for it.
        let mut client = way.connect(addr).await?;
        way.detach(echo::<W>(W::accept(&listener).await?));
        if connections == 1 {
            return round_trips::<W>(&mut client, rounds).await;
        }
        clients.push(
            way.spawn(
                async move { round_trips::<W>(&mut client, rounds).await.expect("the server answers") },
            ),
        );
    }
    for client in clients {
        client.await;
    }
    Ok(())
}

pub(crate) async fn echo<W: Way>(mut stream: W::Stream) {
    let mut buf = [0; 1024];
    while let Ok(len @ 1..) = W::read(&mut stream, &mut buf).await {
        W::write_all(&mut stream, &buf[..len]).await.expect("the client reads");
    }
}

pub(crate) async fn round_trips<W: Way>(client: &mut W::Stream, rounds: u64) -> io::Result<()> {
    let mut buf = [0; 1024];
    for _ in 0..rounds {
        W::write_all(client, &[1; 64]).await?;
        let mut left = 64;
        while left > 0 {
            match W::read(client, &mut buf).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                len => left -= len,
            }
        }
    }
    Ok(())
}

async fn throughput<W: Way>(way: &W, n: u64) -> io::Result<()> {
    let (listener, addr) = way.listen(ANY_PORT).await?;
    let mut client = way.connect(addr).await?;
    let mut server = W::accept(&listener).await?;
    way.detach(async move {
        let chunk = vec![1; 65_536];
        for _ in 0..n {
            W::write_all(&mut server, &chunk).await.expect("the client reads");
        }
    });
    let mut buf = vec![0; 65_536];
    while W::read(&mut client, &mut buf).await? > 0 {}
    Ok(())
}
