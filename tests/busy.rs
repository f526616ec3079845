//! Latencies beside tasks that compute: through anyrt they are as long as with the runtime's own calls, measured
//! alternately in one run.
#![allow(clippy::unwrap_used)]

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyrt::net::ConnectOptions;
use anyrt::runtime::{TcpListener as _, UdpSocket as _};
use anyrt::{AsyncStd, Runtime, Smol, Tokio};
use futures::future::join;

const ROUNDS: usize = 15;
/// Maximum ratio to the native latency, and an allowance for other tests on the machine.
const RATIO: u32 = 4;
const GRACE: Duration = Duration::from_millis(300);

const LOOPBACK: &str = "127.0.0.1:0";

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The runtime's own calls.
trait Native: 'static {
    fn connect(addr: SocketAddr) -> impl Future<Output = ()> + Send;
    /// Accepts a connection, and sends a byte over it.
    fn exchange() -> impl Future<Output = ()> + Send;
    /// Sends a datagram to itself.
    fn receive() -> impl Future<Output = ()> + Send;
    fn look_up() -> impl Future<Output = ()> + Send;
    fn sleep() -> impl Future<Output = ()> + Send;
}

/// Implements [`Native`]: three runtimes have the same names for most of it.
macro_rules! native {
    ($runtime:ident, $net:path, [$($io:path),*], look up $lookup:expr, sleep $sleep:expr) => {
        impl Native for $runtime {
            async fn connect(addr: SocketAddr) {
                use $net as net;
                drop(net::TcpStream::connect(addr).await.unwrap());
            }

            async fn exchange() {
                use $net as net;
                $(use $io as _;)*
                let listener = net::TcpListener::bind(LOOPBACK).await.unwrap();
                let connect = net::TcpStream::connect(listener.local_addr().unwrap());
                let (accepted, connected) = join(listener.accept(), connect).await;
                let (mut reader, mut writer, mut buf) = (accepted.unwrap().0, connected.unwrap(), [0]);
                let (read, written) = join(reader.read_exact(&mut buf), writer.write_all(b"x")).await;
                let _ = (read.unwrap(), written.unwrap());
            }

            async fn receive() {
                use $net as net;
                let (socket, mut buf) = (net::UdpSocket::bind(LOOPBACK).await.unwrap(), [0]);
                let send = socket.send_to(b"x", socket.local_addr().unwrap());
                let (received, sent) = join(socket.recv_from(&mut buf), send).await;
                assert_eq!(received.unwrap().0, sent.unwrap());
            }

            async fn look_up() {
                $lookup("localhost:80").await.unwrap();
            }

            async fn sleep() {
                $sleep(ms(1)).await;
            }
        }
    };
}

native!(
    Tokio,
    tokio::net,
    [tokio::io::AsyncReadExt, tokio::io::AsyncWriteExt],
    look up async |name| tokio::net::lookup_host(name).await.map(drop),
    sleep tokio::time::sleep
);
native!(
    Smol,
    smol::net,
    [futures::AsyncReadExt, futures::AsyncWriteExt],
    look up async |name| smol::net::resolve(name).await.map(drop),
    sleep smol::Timer::after
);
native!(
    AsyncStd,
    async_std::net,
    [futures::AsyncReadExt, futures::AsyncWriteExt],
    look up async |name| async_std::net::ToSocketAddrs::to_socket_addrs(name).await.map(drop),
    sleep async_std::task::sleep
);

/// The same through anyrt.
async fn exchange<R: Runtime>(rt: R) {
    use futures::{AsyncReadExt, AsyncWriteExt};

    let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
    let connect = rt.tcp_connect(listener.local_addr().unwrap());
    let (accepted, connected) = join(listener.accept(), connect).await;
    let (mut reader, mut writer, mut buf) = (accepted.unwrap().0, connected.unwrap(), [0]);
    let (read, written) = join(reader.read_exact(&mut buf), writer.write_all(b"x")).await;
    read.and(written).unwrap();
}

async fn receive<R: Runtime>(rt: R) {
    let (socket, mut buf) = (rt.udp_bind(LOOPBACK).await.unwrap(), [0]);
    let send = socket.send_to(b"x", socket.local_addr().unwrap());
    let (received, sent) = join(socket.recv_from(&mut buf), send).await;
    assert_eq!(received.unwrap().0, sent.unwrap());
}

async fn by_turns<N: Future, O: Future>(
    what: &'static str,
    native: impl Fn() -> N + Send,
    ours: impl Fn() -> O + Send,
) {
    let (mut natively, mut through_anyrt) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        native().await;
        let between = Instant::now();
        ours().await;
        natively += between - start;
        through_anyrt += between.elapsed();
        assert!(
            through_anyrt <= RATIO * natively + GRACE,
            "{what}: {through_anyrt:?}, natively {natively:?}"
        );
    }
}

/// Ends the tasks that compute.
struct Over(Arc<AtomicBool>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn compare<R: Runtime + Native>(rt: R, tasks: usize) {
    let over = Over(Arc::default());
    for _ in 0..tasks {
        let (rt, over) = (rt.clone(), over.0.clone());
        drop(rt.clone().spawn(async move {
            while !over.load(Ordering::SeqCst) {
                // Simulates a computation without taking the processor from other tests.
                thread::sleep(ms(3));
                rt.yield_now().await;
            }
        }));
    }
    let net = rt.clone();
    let compared = rt.spawn(async move {
        let listener = net.tcp_bind(LOOPBACK).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let connect = || async { drop(net.tcp_connect(addr).await.unwrap()) };
        by_turns("connect", || R::connect(addr), connect).await;
        let happy_eyeballs = || async {
            let options = ConnectOptions::new().happy_eyeballs(ConnectOptions::ATTEMPT_DELAY);
            drop(net.tcp_connect_with(addr, &options).await.unwrap());
        };
        by_turns("connect, with happy eyeballs", || R::connect(addr), happy_eyeballs).await;
        by_turns("accept, read and write", R::exchange, || exchange(net.clone())).await;
        by_turns("receive", R::receive, || receive(net.clone())).await;
        by_turns("look up", R::look_up, || async { drop(net.lookup_host("localhost:80").await.unwrap()) })
            .await;
        by_turns("sleep", <R as Native>::sleep, || net.sleep(ms(1))).await;
    });
    rt.block_on(compared).unwrap();
}

#[test]
fn busy_tokio_keeps_nobody_waiting() {
    compare(Tokio::builder().worker_threads(2).build().unwrap(), 4);
}

#[test]
fn busy_smol_keeps_nobody_waiting() {
    compare(Smol::builder().worker_threads(2).build().unwrap(), 4);
}

#[test]
fn busy_global_smol_keeps_nobody_waiting() {
    compare(Smol::global(), 4);
}

#[test]
fn busy_async_std_keeps_nobody_waiting() {
    compare(AsyncStd::global(), 4);
}
