//! Full queues, and descriptors that can be counted. Other systems respond differently to a connect to a full queue,
//! and have less room for thousands of connections.

use std::env;
use std::fs;
use std::future::poll_fn;
use std::io::{ErrorKind, stdin};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::pin::pin;
use std::process::{Child, Command};
use std::task::Poll;
use std::time::Duration;

use anyrt::Runtime;
use anyrt::runtime::{TcpListener as _, TcpStream as _};
use futures::future::{join_all, try_join_all};
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy};
use socket2::{Domain, Socket, Type};

use crate::process::{DEADLINE, INSIDE};
use crate::support::ms;

/// Raises the limit of descriptors as far as the system allows; see `process::AS_IT_IS`.
pub(crate) const ALL_DESCRIPTORS: &str = "ulimit -n $(ulimit -Hn)";

/// A socket with an address of its own, which refuses connections as long as it does not listen.
fn bound() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    let addr = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, addr)
}

/// A listener with no room in its queue, its address, and the connections in the queue.
fn full_queue() -> (TcpListener, SocketAddr, Vec<TcpStream>) {
    let (socket, addr) = bound();
    socket.listen(1).unwrap();
    let mut queued = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&addr, ms(200)) {
        queued.push(stream);
        assert!(queued.len() < 100, "a queue of one is never full");
    }
    (socket.into(), addr, queued)
}

/// Returns the number of open descriptors, without the one that is used for counting.
fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Waits until there are as many descriptors as before: a reactor may close them a little later.
async fn are_again<R: Runtime>(rt: &R, before: usize) {
    let end = rt.now() + Duration::from_secs(10);
    while descriptors() != before {
        assert!(rt.now() < end, "{} descriptors, and {before} before", descriptors());
        rt.sleep(ms(1)).await;
    }
}

pub(crate) fn full_queue_keeps_connects_waiting<R: Runtime>(rt: R) {
    let (listener, addr, queued) = full_queue();
    rt.block_on(async {
        // Lets the reactor open its own descriptors.
        rt.sleep(ms(1)).await;
        let before = descriptors();
        let connects = (0..50).map(|_| rt.timeout(ms(300), rt.tcp_connect(addr)));
        let connected = join_all(connects).await.iter().filter(|connect| connect.is_ok()).count();
        assert_eq!(connected, 0, "connects have ended that there is no room for");
        are_again(&rt, before).await;

        let listener = rt.tcp_listener_from_std(listener).unwrap();
        for _ in queued {
            listener.accept().await.unwrap();
        }
        let mut ours = rt.tcp_connect(addr).await.unwrap();
        let (mut theirs, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, ours.local_addr().unwrap());
        theirs.write_all(b"welcome").await.unwrap();
        ours.read_exact(&mut [0; 7]).await.unwrap();
    });
}

const CROWD: usize = 5_000;
/// Number of concurrent connection attempts.
const LANES: usize = 100;
/// Number of descriptors for everything else.
const SPARE: usize = 100;

/// Echoes to all clients until the last one has left.
async fn serve<R: Runtime>(rt: &R, listener: TcpListener) {
    let listener = rt.tcp_listener_from_std(listener).unwrap();
    let mut echoes = Vec::new();
    for _ in 0..CROWD {
        let (read, mut write) = listener.accept().await.unwrap().0.into_split();
        echoes.push(rt.spawn(async move { copy(read, &mut write).await.unwrap() }));
    }
    let echoed = try_join_all(echoes).await.unwrap();
    assert_eq!(echoed, [5 + 8; CROWD]);
}

/// All clients are connected before the first one sends its number.
async fn visit<R: Runtime>(rt: &R, addr: SocketAddr) {
    // A client that has been greeted was accepted, so no queue overflows: Linux 6.18 then answers with SYN cookies,
    // some of which fail, and resets connections whose connect has succeeded.
    let lanes = (0..LANES).map(|_| {
        let inner = rt.clone();
        rt.spawn(async move {
            let mut streams = Vec::new();
            for _ in 0..CROWD / LANES {
                let mut stream = inner.tcp_connect(addr).await.unwrap();
                says(&mut stream, b"hello").await;
                streams.push(stream);
            }
            streams
        })
    });
    let streams = try_join_all(lanes.collect::<Vec<_>>()).await.unwrap();
    let trips = streams.into_iter().flatten().enumerate().map(|(number, mut stream)| {
        rt.spawn(async move {
            says(&mut stream, &(number as u64).to_le_bytes()).await;
            stream.close().await.unwrap();
            assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
        })
    });
    try_join_all(trips.collect::<Vec<_>>()).await.unwrap();
}

/// Sends a word, and receives its echo.
async fn says(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), words: &[u8]) {
    stream.write_all(words).await.unwrap();
    let mut echo = vec![0; words.len()];
    stream.read_exact(&mut echo).await.unwrap();
    assert_eq!(echo, words);
}

/// Runs this test in another process, which serves `listener`.
fn served_elsewhere(listener: TcpListener) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(env::args_os().skip(1))
        .env(INSIDE, "serve")
        .stdin(OwnedFd::from(listener))
        .spawn()
        .unwrap()
}

pub(crate) fn five_thousand_connections_at_once<R: Runtime>(rt: R) {
    if env::var_os(INSIDE).is_some_and(|role| role == "serve") {
        let listener = TcpListener::from(stdin().as_fd().try_clone_to_owned().unwrap());
        // This process is not killed by anybody.
        return rt.block_on(rt.timeout(DEADLINE, serve(&rt, listener))).unwrap();
    }
    let output = Command::new("sh").args(["-c", "ulimit -n"]).output().unwrap();
    // If the output is not a number, there is no limit.
    let limit = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap_or(usize::MAX);
    if limit < CROWD + SPARE {
        return eprintln!("skipped: {CROWD} connections, and {limit} descriptors");
    }
    rt.block_on(async {
        let listener = rt.tcp_bind("127.0.0.1:0").await.unwrap().into_std().unwrap();
        let addr = listener.local_addr().unwrap();
        if limit < 2 * CROWD + SPARE {
            let mut server = served_elsewhere(listener);
            visit(&rt, addr).await;
            assert!(server.wait().unwrap().success());
        } else {
            let inner = rt.clone();
            let server = rt.spawn(async move { serve(&inner, listener).await });
            visit(&rt, addr).await;
            server.await.unwrap();
        }
    });
}

pub(crate) fn cancelled_connects_leave_no_descriptor<R: Runtime>(rt: R) {
    let seed = env::var("ANYRT_TEST_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    // Printed if the test fails.
    println!("ANYRT_TEST_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let (_refuses, refuses) = bound();
    let (_full, full, _queued) = full_queue();
    rt.block_on(async {
        let listener = rt.tcp_bind("127.0.0.1:0").await.unwrap();
        let accepts = listener.local_addr().unwrap();
        let _server = rt
            .spawn(async move {
                loop {
                    // A connection may be closed already.
                    drop(listener.accept().await);
                }
            })
            .abort_on_drop();
        // Until the server drops its end.
        let mut first = rt.tcp_connect(accepts).await.unwrap();
        assert_eq!(first.read(&mut [0; 8]).await.unwrap(), 0);
        drop(first);
        rt.sleep(ms(1)).await;
        let before = descriptors();

        let mut tasks = Vec::new();
        for _ in 0..600 {
            let addr = [accepts, full, refuses][random.usize(..3)];
            let a_while = Duration::from_micros(random.u64(..2_000));
            match random.u8(..3) {
                0 => {
                    let mut connect = pin!(rt.tcp_connect(addr));
                    let _once = poll_fn(|cx| Poll::Ready(connect.as_mut().poll(cx))).await;
                }
                1 => drop(rt.timeout(a_while, rt.tcp_connect(addr)).await),
                _ => {
                    let inner = rt.clone();
                    let task = rt.spawn(async move { inner.tcp_connect(addr).await.map(drop) });
                    rt.sleep(a_while).await;
                    task.abort();
                    tasks.push(task);
                }
            }
        }
        for task in tasks {
            match task.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{error}"),
                Err(error) => assert!(error.is_cancelled(), "{error}"),
            }
        }
        are_again(&rt, before).await;
    });
}
