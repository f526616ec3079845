//! Tasks that compute between two polls. They must not delay sockets, names or timers of other tasks for long.
//!
//! Time says nothing on a busy machine, so turns are counted: those of the others, while one waits for a timer or lets them
//! run, and while one waits for what the scenario is about.

use std::future::{Future, poll_fn, ready};
use std::net::ToSocketAddrs;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;

use futures::future::join;
use futures::io::{AsyncReadExt, AsyncWrite as _, AsyncWriteExt};
use futures::lock::Mutex;

use super::support::{Boxed as _, Closed, LOOPBACK, ms};
use crate::net::ConnectOptions;
use crate::runtime::{Runtime, TcpListener, TcpStream as _, UdpSocket};
use crate::task::JoinHandle;

/// More than there are workers.
const TASKS: usize = 6;
const ROUNDS: usize = 10;
/// The machine may have something else to do just then.
const RATIO: usize = 5;
/// Turns per check for events: tokio 1.54 polls its driver once in this many turns (`runtime/builder.rs`,
/// `event_interval`).
const FEW: usize = 61;
/// As many as most operations wait for at most: happy eyeballs for a refusal, a timer and a connection.
const EVENTS: usize = 3;

/// Tasks that compute, until this is dropped.
struct Busy {
    turns: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Busy {
    fn new<R: Runtime>(rt: &R) -> Self {
        let (turns, over) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let compute = || {
            let (rt, turns, over) = (rt.clone(), turns.clone(), over.clone());
            async move {
                while !over.load(Ordering::SeqCst) {
                    // As if it computed, and left the machine to the other tests.
                    thread::sleep(ms(2));
                    turns.fetch_add(1, Ordering::SeqCst);
                    rt.yield_now().await;
                }
            }
        };
        let tasks = (0..TASKS).map(|_| rt.spawn_boxed(compute())).collect();
        Self { turns, over, tasks }
    }

    async fn end(mut self) {
        self.over.store(true, Ordering::SeqCst);
        for task in self.tasks.drain(..) {
            task.await.unwrap();
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
    }
}

/// How many turns the others have meanwhile.
async fn turns(turns: &AtomicUsize, operation: impl Future<Output = ()>) -> usize {
    let before = turns.load(Ordering::SeqCst);
    operation.await;
    turns.load(Ordering::SeqCst) - before
}

/// Counts it if `operation` has to wait.
async fn counted<T>(waits: &AtomicUsize, operation: impl Future<Output = T>) -> T {
    let mut operation = pin!(operation);
    if let Poll::Ready(output) = poll_fn(|cx| Poll::Ready(operation.as_mut().poll(cx))).await {
        return output;
    }
    waits.fetch_add(1, Ordering::SeqCst);
    operation.await
}

/// Compares `operation` with a timer and a `yield_now`, in a task among others that compute.
async fn beside_busy_tasks<R: Runtime, F: Future<Output = ()> + Send>(
    rt: &R,
    operation: impl FnMut() -> F + Send + 'static,
) {
    beside_busy_tasks_and(rt, || ready(()), || EVENTS, operation).await;
}

/// As [`beside_busy_tasks`]; `as_well` is what the operation may take beside a timer, and `events` says for how many it has
/// waited.
async fn beside_busy_tasks_and<R: Runtime, A: Future<Output = ()> + Send, F: Future<Output = ()> + Send>(
    rt: &R,
    mut as_well: impl FnMut() -> A + Send + 'static,
    mut events: impl FnMut() -> usize + Send + 'static,
    mut operation: impl FnMut() -> F + Send + 'static,
) {
    let busy = Busy::new(rt);
    let (clock, count) = (rt.clone(), busy.turns.clone());
    let measured = rt.spawn_boxed(async move {
        let (mut others, mut ours, mut few) = (0, 0, 0);
        for _ in 0..ROUNDS {
            others += turns(&count, clock.yield_now()).await;
            others += turns(&count, clock.sleep(ms(1))).await;
            others += turns(&count, as_well()).await;
            ours += turns(&count, operation()).await;
            few += FEW * events();
            assert!(ours <= RATIO * others + few, "{ours} turns, {few} for events, and {others} for timers");
        }
    });
    measured.await.unwrap();
    busy.end().await;
}

async fn pair<R: Runtime>(rt: &R) -> (R::TcpStream, R::TcpStream) {
    let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
    let (client, server) = join(rt.tcp_connect(listener.local_addr().unwrap()), listener.accept()).await;
    (client.unwrap(), server.unwrap().0)
}

pub(super) async fn busy_tasks_starve_no_timer<R: Runtime>(rt: R) {
    let (clock, busy) = (rt.clone(), Busy::new(&rt));
    let count = busy.turns.clone();
    let measured = rt.spawn_boxed(async move {
        let mut timers = 0;
        for _ in 0..ROUNDS {
            timers += turns(&count, clock.sleep(ms(1))).await;
            // The clock of a simulation goes on by some microseconds a turn.
            assert!(timers <= ROUNDS * 500, "{timers} turns");
        }
    });
    measured.await.unwrap();
    busy.end().await;
}

pub(super) async fn busy_tasks_starve_no_connect<R: Runtime>(rt: R) {
    let listener = rt.tcp_bind(LOOPBACK).await.unwrap();
    let (net, addr) = (rt.clone(), listener.local_addr().unwrap());
    beside_busy_tasks(&rt, move || {
        let net = net.clone();
        async move { drop(net.tcp_connect(addr).await.unwrap()) }
    })
    .await;
}

pub(super) async fn busy_tasks_starve_no_accept<R: Runtime>(rt: R) {
    let listener = Arc::new(rt.tcp_bind(LOOPBACK).await.unwrap());
    let net = rt.clone();
    beside_busy_tasks(&rt, move || {
        let (net, listener) = (net.clone(), listener.clone());
        async move {
            let connect = net.tcp_connect(listener.local_addr().unwrap());
            let (accepted, connected) = join(listener.accept(), connect).await;
            assert_eq!(accepted.unwrap().1, connected.unwrap().local_addr().unwrap());
        }
    })
    .await;
}

pub(super) async fn busy_tasks_starve_no_read<R: Runtime>(rt: R) {
    let pair = Arc::new(Mutex::new(pair(&rt).await));
    beside_busy_tasks(&rt, move || {
        let pair = pair.clone();
        async move {
            let (reader, writer) = &mut *pair.lock().await;
            let mut buf = [0];
            let (read, written) = join(reader.read_exact(&mut buf), writer.write_all(b"x")).await;
            read.and(written).unwrap();
        }
    })
    .await;
}

pub(super) async fn busy_tasks_starve_no_write<R: Runtime>(rt: R) {
    let pair = Arc::new(Mutex::new(pair(&rt).await));
    // The system makes room bit by bit.
    let waits = Arc::<AtomicUsize>::default();
    let waited = waits.clone();
    let events = move || waited.swap(0, Ordering::SeqCst);
    beside_busy_tasks_and(
        &rt,
        || ready(()),
        events,
        move || {
            let (pair, waits) = (pair.clone(), waits.clone());
            async move {
                let (reader, writer) = &mut *pair.lock().await;
                let data = vec![0; 1 << 16];
                let mut left = 0;
                // As much as there is room for; and then some more, for which the peer has to make room.
                poll_fn(|cx| {
                    while let Poll::Ready(written) = Pin::new(&mut *writer).poll_write(cx, &data) {
                        left += written.unwrap();
                    }
                    Poll::Ready(())
                })
                .await;
                left += data.len();
                let read = async {
                    let mut buf = vec![0; 1 << 16];
                    while left > 0 {
                        left -= counted(&waits, reader.read(&mut buf)).await.unwrap();
                    }
                };
                let write = async {
                    let mut unwritten = &data[..];
                    while !unwritten.is_empty() {
                        let written = counted(&waits, writer.write(unwritten)).await.unwrap();
                        unwritten = &unwritten[written..];
                    }
                };
                join(write, read).await;
            }
        },
    )
    .await;
}

pub(super) async fn busy_tasks_starve_no_receive<R: Runtime>(rt: R) {
    let ours = Arc::new(rt.udp_bind(LOOPBACK).await.unwrap());
    beside_busy_tasks(&rt, move || {
        let ours = ours.clone();
        async move {
            let mut buf = [0];
            let send = ours.send_to(b"x", ours.local_addr().unwrap());
            let (received, sent) = join(ours.recv_from(&mut buf), send).await;
            assert_eq!(received.unwrap().0, sent.unwrap());
        }
    })
    .await;
}

pub(super) async fn busy_tasks_starve_no_lookup<R: Runtime>(rt: R) {
    // It is a blocking closure, and the system lets its thread wait for as long as it likes.
    let (pool, net) = (rt.clone(), rt.clone());
    let look_up = move || pool.spawn_blocking_boxed(|| drop("localhost:80".to_socket_addrs().unwrap()));
    let closure = move || {
        let handle = look_up();
        async move { handle.await.unwrap() }
    };
    beside_busy_tasks_and(
        &rt,
        closure,
        || EVENTS,
        move || {
            let net = net.clone();
            async move { drop(net.lookup_host("localhost:80").await.unwrap()) }
        },
    )
    .await;
}

pub(super) async fn busy_tasks_starve_no_happy_eyeballs<R: Runtime>(rt: R) {
    let (closed, listener) = (Closed::new(), rt.tcp_bind(LOOPBACK).await.unwrap());
    let addrs = [closed.addr(), listener.local_addr().unwrap()];
    let net = rt.clone();
    beside_busy_tasks(&rt, move || {
        let net = net.clone();
        async move {
            let options = ConnectOptions::new().happy_eyeballs(ms(10));
            drop(net.tcp_connect_with(addrs, &options).await.unwrap());
        }
    })
    .await;
}
