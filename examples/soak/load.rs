//! The load: lanes that perform one operation after the other until the time is up, some of them cut short at random.

mod blocking;
mod tasks;
mod tcp;
mod timers;
mod udp;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyrt::Runtime;
use anyrt::task::{AbortOnDropHandle, JoinError, JoinHandle};
use fastrand::Rng;

use crate::census::Live;

/// Number of operations, and the first error.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) tasks: Count,
    pub(crate) timers: Count,
    pub(crate) jobs: Count,
    pub(crate) connections: Count,
    pub(crate) bytes: Count,
    pub(crate) sent: Count,
    pub(crate) answered: Count,
    pub(crate) aborts: Count,
    failure: Mutex<Option<io::Error>>,
}

#[derive(Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counts {
    fn fail(&self, failure: io::Error) {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
    }

    fn has_failed(&self) -> bool {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    pub(crate) fn failure(&self) -> Option<io::Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Kinds of operations.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    Tasks,
    Timers,
    Blocking,
    Tcp,
    Udp,
}

impl Part {
    const ALL: [Self; 5] = [Self::Tasks, Self::Timers, Self::Blocking, Self::Tcp, Self::Udp];

    /// Maximum pause between two operations in milliseconds. A closed connection keeps its port for a minute, and there
    /// are some 28,000 ports.
    fn pause(self) -> u64 {
        match self {
            Self::Tasks | Self::Timers => 2,
            Self::Blocking | Self::Udp => 5,
            Self::Tcp => 40,
        }
    }
}

/// Shared data of all tasks of the load.
#[derive(Clone)]
pub(crate) struct Load<R> {
    runtime: R,
    counts: Arc<Counts>,
    live: Live,
    tcp_server: SocketAddr,
    udp_server: SocketAddr,
}

/// Dropping these stops the servers.
pub(crate) type Servers = [AbortOnDropHandle<()>; 2];

impl<R: Runtime> Load<R> {
    pub(crate) async fn start(runtime: R, counts: Arc<Counts>, live: Live) -> io::Result<(Self, Servers)> {
        let listener = runtime.tcp_bind("127.0.0.1:0").await?;
        let socket = runtime.udp_bind("127.0.0.1:0").await?;
        let (tcp_server, udp_server) = (
            anyrt::runtime::TcpListener::local_addr(&listener)?,
            anyrt::runtime::UdpSocket::local_addr(&socket)?,
        );
        let load = Self { runtime, counts, live, tcp_server, udp_server };
        let tcp = load.spawn(tcp::serve(load.clone(), listener)).abort_on_drop();
        let udp = load.spawn(udp::serve(load.clone(), socket)).abort_on_drop();
        Ok((load, [tcp, udp]))
    }

    /// Starts three lanes for each kind.
    pub(crate) fn lanes(&self, random: &mut Rng, end: Instant) -> Vec<JoinHandle<Part>> {
        let parts = Part::ALL.into_iter().flat_map(|part| [part; 3]);
        parts.map(|part| self.spawn(self.clone().lane(part, random.fork(), end))).collect()
    }

    /// Starts operations of every kind and drops their handles, so that a shutdown finds them in progress.
    pub(crate) fn leave_a_crowd(&self, random: &mut Rng) {
        for part in Part::ALL.into_iter().flat_map(|part| [part; 10]) {
            drop(self.spawn(self.clone().one(part, random.fork())));
        }
    }

    async fn lane(self, part: Part, mut random: Rng, end: Instant) -> Part {
        while self.runtime.now() < end && !self.counts.has_failed() {
            let one = self.clone().one(part, random.fork());
            match random.u64(..12) {
                0 => {
                    let task = self.spawn(one);
                    self.pause(up_to_ms(&mut random, 10)).await;
                    self.abort(&task);
                    if let Err(error) = unless_cancelled(task.await) {
                        self.counts.fail(error);
                    }
                }
                1 => {
                    let task = self.spawn(one).abort_on_drop();
                    self.pause(up_to_ms(&mut random, 10)).await;
                    self.counts.aborts.add(u64::from(!task.is_finished()));
                    drop(task);
                }
                2 => drop(self.spawn(one)),
                // The operation is dropped in progress, without being a task.
                3 => drop(self.runtime.timeout(up_to_ms(&mut random, 10), one).await),
                _ => one.await,
            }
            self.pause(up_to_ms(&mut random, part.pause())).await;
        }
        part
    }

    /// Performs one operation.
    async fn one(self, part: Part, mut random: Rng) {
        let done = match part {
            Part::Tasks => tasks::one(&self, &mut random).await,
            Part::Timers => timers::one(&self, &mut random).await,
            Part::Blocking => blocking::one(&self, &mut random).await,
            Part::Tcp => tcp::one(&self, &mut random).await,
            Part::Udp => udp::one(&self, &mut random).await,
        };
        if let Err(error) = done {
            self.counts.fail(io::Error::new(error.kind(), format!("{part:?}: {error}")));
        }
    }

    async fn pause(&self, duration: Duration) {
        self.counts.timers.add(1);
        self.runtime.sleep(duration).await;
    }

    fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.counts.tasks.add(1);
        let live = self.live.one();
        self.runtime.spawn(async move {
            let _live = live;
            future.await
        })
    }

    fn spawn_blocking<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        self.counts.jobs.add(1);
        let live = self.live.one();
        self.runtime.spawn_blocking(move || {
            let _live = live;
            job()
        })
    }

    fn abort<T: Send + 'static>(&self, task: &JoinHandle<T>) {
        self.counts.aborts.add(u64::from(!task.is_finished()));
        task.abort();
    }
}

fn wrong(what: impl Into<String>) -> io::Error {
    io::Error::other(what.into())
}

/// Returns the output of an aborted task, if it was not cancelled.
fn unless_cancelled<T>(ended: Result<T, JoinError>) -> io::Result<Option<T>> {
    match ended {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_cancelled() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Payload of a panic that must arrive.
struct Planned;

/// Panics without output on stderr.
fn panic_as_planned() -> ! {
    std::panic::resume_unwind(Box::new(Planned))
}

fn panicked_as_planned<T>(ended: Result<T, JoinError>) -> io::Result<()> {
    let arrived = match ended {
        Err(error) => error.try_into_panic().is_ok_and(|payload| payload.is::<Planned>()),
        Ok(_) => false,
    };
    if arrived { Ok(()) } else { Err(wrong("a panic did not reach its handle")) }
}

/// Returns a random duration below this number of milliseconds.
fn up_to_ms(random: &mut Rng, end: u64) -> Duration {
    Duration::from_micros(random.u64(..end * 1_000))
}

/// Returns this many random bytes.
fn bytes(random: &mut Rng, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    random.fill(&mut bytes);
    bytes
}
