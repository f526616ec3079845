//! How the cost of an operation grows with the number of others.

use std::future::{Future, poll_fn};
use std::io::Write;
use std::net::TcpStream;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

use crate::operations::{self, ANY_PORT, LATER, round_trips};
use crate::{Operation, Report, Way};

/// Measurement of an operation beside a crowd.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Growth {
    /// Size of the crowd; smaller than asked for if there are not enough descriptors.
    pub crowd: u64,
    /// Cost of starting and ending the crowd.
    pub all: Report,
    /// Cost of the operations beside the crowd.
    pub beside: Report,
}

/// Runs `operation` this many times beside a crowd of its kind: waiting tasks, running timers, or connections used in
/// turn.
pub(crate) async fn run<W: Way>(way: &W, operation: Operation, crowd: u64, n: u64) -> Growth {
    match operation {
        Operation::Spawn => beside_tasks(way, crowd, n).await,
        Operation::SleepDrop => beside_timers(way, crowd, n).await,
        Operation::TcpPingPong => over_connections(way, crowd, n).await,
        _ => panic!("{operation} has no crowd: spawn, sleep-drop and tcp-ping-pong have"),
    }
}

async fn beside_tasks<W: Way>(way: &W, crowd: u64, n: u64) -> Growth {
    let waiting = Arc::new(Mutex::new(Vec::with_capacity(crowd as usize)));
    let mut handles = Vec::with_capacity(crowd as usize);

    let start = Report::start();
    handles.extend((0..crowd).map(|_| way.spawn(wait(waiting.clone()))));
    while lock(&waiting).len() < crowd as usize {
        way.yield_now().await;
    }
    let started = start.end();

    let start = Report::start();
    operations::run(way, Operation::Spawn, n).await;
    let beside = start.end();

    let wakers = std::mem::take(&mut *lock(&waiting));
    let start = Report::start();
    wakers.into_iter().for_each(Waker::wake);
    for handle in handles.drain(..) {
        handle.await;
    }
    Growth { crowd, all: started + start.end(), beside }
}

/// Waits until it is woken.
fn wait(waiting: Arc<Mutex<Vec<Waker>>>) -> impl Future<Output = ()> + Send {
    let mut waits = false;
    poll_fn(move |cx| {
        if waits {
            return Poll::Ready(());
        }
        waits = true;
        lock(&waiting).push(cx.waker().clone());
        Poll::Pending
    })
}

fn lock(waiting: &Mutex<Vec<Waker>>) -> MutexGuard<'_, Vec<Waker>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn beside_timers<W: Way>(way: &W, crowd: u64, n: u64) -> Growth {
    let mut timers: Vec<Pin<Box<_>>> = Vec::with_capacity(crowd as usize);

    let start = Report::start();
    timers.extend((0..crowd).map(|i| Box::pin(way.sleep(LATER + Duration::from_millis(i % 60_000)))));
    poll_fn(|cx| Poll::Ready(timers.iter_mut().all(|timer| timer.as_mut().poll(cx).is_pending()))).await;
    let started = start.end();

    let start = Report::start();
    operations::run(way, Operation::SleepDrop, n).await;
    let beside = start.end();

    let start = Report::start();
    timers.clear();
    Growth { crowd, all: started + start.end(), beside }
}

async fn over_connections<W: Way>(way: &W, crowd: u64, n: u64) -> Growth {
    // Two descriptors per connection, and some for the runtime.
    let crowd = crowd.min(descriptors().saturating_sub(64) / 2);
    let mut clients = Vec::with_capacity(crowd as usize);
    let mut servers = Vec::with_capacity(crowd as usize);
    let (listener, addr) = way.listen(ANY_PORT).await.expect("there is a port");

    let start = Report::start();
    for _ in 0..crowd {
        let client = way.connect(addr).await.expect("loopback works");
        let server = W::accept(&listener).await.expect("loopback works");
        servers.push(way.spawn(operations::echo::<W>(server)));
        clients.push(client);
    }
    let started = start.end();

    // All clients have been accepted and are waiting before the measurement begins.
    for client in &mut clients {
        round_trips::<W>(client, 1).await.expect("the server answers");
    }
    let start = Report::start();
    for i in 0..n {
        let client = &mut clients[(i % crowd) as usize];
        round_trips::<W>(client, 1).await.expect("the server answers");
    }
    let beside = start.end();

    let start = Report::start();
    drop(clients);
    for server in servers {
        server.await;
    }
    Growth { crowd, all: started + start.end(), beside }
}

/// Returns the limit of descriptors of this process.
fn descriptors() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 256 };
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(_) => soft,
    }
}

/// Delays of timers beside a socket that always has data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fairness {
    /// Nanoseconds: sleeps of 10 ms, in another task of the same worker.
    pub sleeps: Vec<u64>,
    /// Nanoseconds: timeouts of 10 ms around the reads.
    pub timeouts: Vec<u64>,
}

/// Reading ends after this time, so that a runtime that starves timers is late by it.
const STARVED: Duration = Duration::from_millis(500);

/// Measures beside this many idle connections.
pub(crate) async fn fairness<W: Way>(way: &W, idle: u64) -> Fairness {
    const SLEEP: Duration = Duration::from_millis(10);

    let (listener, addr) = way.listen(ANY_PORT).await.expect("there is a port");
    let mut idlers = Vec::new();
    for _ in 0..idle {
        idlers.push(way.connect(addr).await.expect("loopback works"));
        let server = W::accept(&listener).await.expect("loopback works");
        way.detach(operations::echo::<W>(server));
    }
    let mut busy = TcpStream::connect(addr).expect("loopback works");
    let mut stream = W::accept(&listener).await.expect("loopback works");
    // The thread ends when the reader is dropped.
    thread::spawn(move || while busy.write_all(&[1; 65_536]).is_ok() {});

    let mut timeouts = Vec::new();
    for _ in 0..5 {
        let start = Instant::now();
        way.timeout(SLEEP, read::<W>(&mut stream, start)).await;
        timeouts.push(late(start, SLEEP));
    }
    let mut sleeps = Vec::new();
    let start = Instant::now();
    let reader = way.spawn(async move { read::<W>(&mut stream, start).await });
    while start.elapsed() < STARVED {
        let start = Instant::now();
        way.sleep(SLEEP).await;
        sleeps.push(late(start, SLEEP));
    }
    reader.await;
    Fairness { sleeps, timeouts }
}

async fn read<W: Way>(stream: &mut W::Stream, start: Instant) {
    let mut buf = [0; 64];
    while start.elapsed() < STARVED {
        W::read(stream, &mut buf).await.expect("there is always something to read");
    }
}

fn late(start: Instant, sleep: Duration) -> u64 {
    start.elapsed().saturating_sub(sleep).as_nanos() as u64
}
