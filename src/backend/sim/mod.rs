//! A simulation: a runtime whose scheduler, clock and network are all in one seed.
//!
//! [`Sim`] runs a program on the thread that waits in `block_on`, and nothing else does: which task is next, how long a
//! packet takes and what time it is all follow from the seed. The clock is virtual. It stands still while a task runs, and
//! jumps to what happens next when none is ready.
//!
#![doc = include_str!("testing.md")]
#![allow(clippy::test_attr_in_doctest, reason = "the page shows the test as its reader writes it")]

mod advance;
mod builder;
mod clock;
mod explore;
mod faults;
mod host;
mod log;
mod net;
mod network;
mod panics;
mod random;
mod replay;
mod schedule;
mod slots;
pub(super) mod task;
mod time;
mod waiters;
mod world;

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
#[cfg(unix)]
use std::os::unix::net as std_unix;
use std::panic::Location;
#[cfg(unix)]
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use ::async_task::Runnable;

use self::log::TaskKind;
use self::task::{MainWaker, Place};
use self::world::{Here, Step, World, gone, here, panicking};
use super::async_task;
use crate::AnyRuntime;
use crate::context::{Home, Keep, Scope};
use crate::net::{ConnectOptions, ListenOptions};
#[cfg(unix)]
use crate::runtime::UnixNet;
use crate::runtime::{BlockOn, BoxFuture, BoxJob, Left, Net, Spawn, Time, not_owned};
use crate::task::{JoinHandle, spawn_gone};

pub use builder::Builder;
pub use explore::{Outcome, check_deterministic, explore};
pub use faults::{Fault, Faults};
pub use log::Log;
pub use net::{Link, TcpListener, TcpStream, UdpSocket};
#[cfg(unix)]
pub use net::{UnixDatagram, UnixListener, UnixStream};
pub use network::LinkOptions;
pub use schedule::Policy;
pub use time::Sleep;
pub use world::note;

/// A deterministic simulation; a handle to it, on one of its hosts.
///
/// Tasks, blocking closures, timers and sockets all run on the thread in [`block_on`](BlockOn::block_on), one at a time.
/// What is spawned through a handle is on its host, and what is spawned there without one as well. Timers of all hosts follow
/// one clock; each host has a time of day of its own.
///
/// What differs from other runtimes: a blocking closure runs where its turn is, so one that waits for another task
/// without a `block_on` of the simulation waits for ever; `block_on` of another crate panics there, where it waits for a
/// handle, a sleep or a socket, and says what to write. Sockets are none of the system, and no other thread may wake a task,
/// or drive the simulation, while one thread does.
///
/// # Dropping
///
/// The last clone drops every task, as `shutdown_timeout` does. What outlives it fails with an error of kind `Other`, and a
/// sleep panics, also where somebody waits for it already.
///
/// A clone that a task holds is one of them: a task that never ends and has one keeps its simulation in memory, though nobody
/// is left to run it. `shutdown_timeout` drops both, and [`explore`] and [`check_deterministic`] do it by themselves. What a
/// task finds with [`AnyRuntime::current`], and what [`boot`](Self::boot) is given, keeps nothing alive.
///
/// # Panics
///
/// `block_on` panics, beside what it says itself, and names the tasks with the place where each was spawned, what it waits
/// for, the virtual time and the seed:
///
/// - when nobody is ready and nothing will happen any more;
/// - when another thread wakes a task;
/// - when so many polls have passed without an event, and without a task that begins or ends, that they are a loop: a
///   million, and sixteen for each task.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use anyrt::{BlockOn, Sim, Spawn, Time};
///
/// let sim = Sim::builder().seed(7).build()?;
/// let start = sim.now();
/// sim.block_on(async {
///     let other = sim.clone();
///     let task = sim.spawn(async move { other.sleep(Duration::from_secs(3600)).await });
///     task.await
/// })?;
/// assert_eq!(sim.now() - start, Duration::from_secs(3600)); // and it took no time at all
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Sim {
    world: Arc<World>,
    host: usize,
    // None: a handle that was found.
    owner: Option<Arc<Owner>>,
}

/// What the clones of an owned simulation have in common.
struct Owner {
    world: Arc<World>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        if thread::panicking() {
            self.world.dies();
        }
        self.world.close();
    }
}

impl Sim {
    /// A simulation with the seed of the environment variable `ANYRT_SIM_SEED`, or 0.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when that is no number.
    pub fn new() -> io::Result<Self> {
        Self::builder().build()
    }

    /// A simulation to be set up: its seed, and which task it chooses.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Its seed.
    pub fn seed(&self) -> u64 {
        self.world.seed
    }

    /// How much time has passed in it.
    pub fn elapsed(&self) -> Duration {
        self.world.elapsed()
    }

    /// A new host, with a name that others can look up and one address; and a handle that is on it.
    ///
    /// A simulation begins on the host `main`, at 10.0.0.1. Besides its address every host has its own loopback, 127.0.0.1
    /// and ::1, which is what `localhost` means there.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when there is a host with that name or address, saying which, or when no host can have it.
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt::{BlockOn, Net, Sim, Spawn, runtime::TcpListener};
    ///
    /// let client = Sim::new()?;
    /// let server = client.host("db", [10, 0, 0, 2])?;
    /// client.block_on(async {
    ///     let listener = server.tcp_bind("0.0.0.0:5432").await?;
    ///     let accepted = server.spawn(async move { listener.accept().await.map(|(_, peer)| peer.ip()) });
    ///     let _stream = client.tcp_connect("db:5432").await?;
    ///     assert_eq!(accepted.await??, client.ip());
    ///     std::io::Result::Ok(())
    /// })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn host(&self, name: &str, ip: impl Into<IpAddr>) -> io::Result<Self> {
        let host = self.world.with(|state| state.network.add_host(name, ip.into()))?;
        Ok(Self { host, ..self.clone() })
    }

    /// The address of its host.
    pub fn ip(&self) -> IpAddr {
        self.world.with(|state| state.network.ip(self.host))
    }

    /// How many times tasks were polled, the futures of `block_on` and blocking closures left out.
    pub fn polls(&self) -> u64 {
        self.world.with(|state| state.polls)
    }

    /// A hash over everything that has happened: every poll, wake, timer and packet, with its time and contents.
    ///
    /// Two runs of one program with one seed have the same, in another process and on another machine as well.
    pub fn trace_hash(&self) -> u64 {
        self.world.with(|state| state.clock.trace.hash())
    }

    /// What has happened so far, if the simulation keeps a log: see [`Builder::log`]. It is empty if it does not.
    pub fn log(&self) -> Log {
        self.world.log()
    }

    /// A handle that does not keep it alive.
    pub(crate) fn unowned(&self) -> Self {
        Self { world: self.world.clone(), host: self.host, owner: None }
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.world.with(|state| state.network.host_name(self.host).to_owned());
        f.debug_struct("Sim").field("seed", &self.world.seed).field("host", &host).finish_non_exhaustive()
    }
}

/// Whether both are handles to one host of one simulation.
impl PartialEq for Sim {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.world, &other.world) && self.host == other.host
    }
}

impl Eq for Sim {}

impl From<Sim> for AnyRuntime {
    fn from(runtime: Sim) -> Self {
        Self::from_sim(runtime)
    }
}

/// The runtime comes back when it is another one.
impl TryFrom<AnyRuntime> for Sim {
    type Error = AnyRuntime;

    fn try_from(runtime: AnyRuntime) -> Result<Self, AnyRuntime> {
        runtime.into_sim()
    }
}

impl Home for Sim {
    const IS_SIMULATED: bool = true;

    fn find(_: Keep) -> Option<AnyRuntime> {
        here().map(|(world, host)| Self { world, host, owner: None }.into())
    }
}

impl Spawn for Sim {
    #[track_caller]
    fn execute(&self, task: BoxFuture) {
        drop(self.spawn(task));
    }

    #[track_caller]
    fn execute_blocking(&self, job: BoxJob) {
        drop(self.spawn_blocking(job));
    }

    #[track_caller]
    fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if self.world.is_closed() {
            return spawn_gone(future);
        }
        let place = Place::new(self, TaskKind::Future, Location::caller());
        async_task::spawn::<Self, _>(future, |future| task::start(self, place, future))
    }

    /// The closure is a task, which runs from its beginning to its end when its turn comes.
    #[track_caller]
    fn spawn_blocking<F, T>(&self, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let place = Place::new(self, TaskKind::Closure, Location::caller());
        let job = || panicking(job);
        async_task::spawn_blocking::<Self, _, _>(job, |job| {
            task::start(self, place, async move { job.run() })
        })
    }

    /// The next of its seed.
    fn random_seed(&self) -> u64 {
        self.world.with(|state| state.program_random.next())
    }
}

impl Sim {
    fn run(&self, host: usize, runnable: Runnable, cancel: bool) {
        let before = Here::change(host);
        // It never panics: see `async_task`.
        if cancel {
            task::cancel(runnable);
        } else {
            runnable.run();
        }
        Here::change(before);
    }
}

impl BlockOn for Sim {
    #[track_caller]
    fn run_until<F: Future>(&self, future: F) -> F::Output {
        let _scope = Scope::within::<Self>();
        // Dropped after the future, whose destructor may still spawn.
        let driving = self.world.drive(self.host, Location::caller());
        let waker = Waker::from(Arc::new(MainWaker { world: self.world.clone(), task: driving.task }));
        let mut cx = Context::from_waker(&waker);
        let _here = Here::enter(&self.world, self.host);
        let mut future = pin!(future);
        loop {
            match driving.next(None) {
                Step::PollMain => {
                    if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                        return output;
                    }
                }
                Step::Run { host, runnable, cancel } => self.run(host, runnable, cancel),
                Step::Idle => panic!("{}", driving.stuck()),
                Step::Wrong(why) => panic!("{why}"),
            }
        }
    }

    fn stop(&self, _: Duration) -> io::Result<Left> {
        if self.owner.is_none() {
            return Err(not_owned("this handle was found and does not own its runtime"));
        }
        if self.world.is_driven_elsewhere() {
            return Err(not_owned("another thread is driving this simulation"));
        }
        self.world.close();
        Ok(Left::default())
    }
}

impl Time for Sim {
    type Sleep = Sleep;

    fn now(&self) -> Instant {
        self.world.now()
    }

    /// That of its host.
    fn system_time(&self) -> SystemTime {
        self.world.with(|state| state.clock.time_of_day(self.host))
    }

    fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
        Sleep::new(self.world.clone(), deadline)
    }
}

impl Net for Sim {
    type TcpStream = TcpStream;
    type TcpListener = TcpListener;
    type UdpSocket = UdpSocket;

    async fn finish_connect(&self, _: std::net::TcpStream) -> io::Result<TcpStream> {
        net::no_real_sockets()
    }

    fn tcp_stream_from_std(&self, _: std::net::TcpStream) -> io::Result<TcpStream> {
        net::no_real_sockets()
    }

    fn tcp_listener_from_std(&self, _: std::net::TcpListener) -> io::Result<TcpListener> {
        net::no_real_sockets()
    }

    fn udp_socket_from_std(&self, _: std::net::UdpSocket) -> io::Result<UdpSocket> {
        net::no_real_sockets()
    }

    /// Of the options, `local_addr`, `timeout` and those that choose among addresses are honoured. Others are kept, to be
    /// read from the stream.
    async fn connect_addr(&self, addr: SocketAddr, options: &ConnectOptions) -> io::Result<TcpStream> {
        net::connect(self.world.clone(), self.host, addr, options.clone()).await
    }

    /// Of the options, `backlog` and `reuse_port` are honoured. `[::]` takes no connections of IPv4, as if `only_v6` was
    /// set. Others are kept, for the streams that are accepted.
    fn bind_addr(&self, addr: SocketAddr, options: &ListenOptions) -> io::Result<TcpListener> {
        net::listen(&self.world, self.host, addr, options)
    }

    fn udp_bind_addr(&self, addr: SocketAddr) -> io::Result<UdpSocket> {
        UdpSocket::bind(&self.world, self.host, addr)
    }

    /// `localhost`, and the names of hosts.
    async fn resolve(&self, host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
        if self.world.is_closed() {
            return Err(gone());
        }
        self.world.with(|state| state.network.resolve(&host, port))
    }
}

#[cfg(unix)]
impl UnixNet for Sim {
    type UnixStream = UnixStream;
    type UnixListener = UnixListener;
    type UnixDatagram = UnixDatagram;

    fn unix_stream_from_std(&self, _: std_unix::UnixStream) -> io::Result<UnixStream> {
        net::no_real_sockets()
    }

    fn unix_listener_from_std(&self, _: std_unix::UnixListener) -> io::Result<UnixListener> {
        net::no_real_sockets()
    }

    fn unix_datagram_from_std(&self, _: std_unix::UnixDatagram) -> io::Result<UnixDatagram> {
        net::no_real_sockets()
    }

    async fn unix_connect_path(&self, path: PathBuf) -> io::Result<UnixStream> {
        net::unix::connect(self.world.clone(), self.host, path).await
    }

    fn unix_bind_path(&self, path: &Path) -> io::Result<UnixListener> {
        net::unix::listen(&self.world, self.host, path)
    }

    fn unix_pair(&self) -> io::Result<(UnixStream, UnixStream)> {
        net::unix::pair(&self.world, self.host)
    }

    fn unix_datagram_bind_path(&self, path: &Path) -> io::Result<UnixDatagram> {
        UnixDatagram::bind(&self.world, self.host, Some(path))
    }

    fn unix_datagram_unbound(&self) -> io::Result<UnixDatagram> {
        UnixDatagram::bind(&self.world, self.host, None)
    }

    fn unix_datagram_pair(&self) -> io::Result<(UnixDatagram, UnixDatagram)> {
        UnixDatagram::pair(&self.world, self.host)
    }
}

#[cfg(test)]
const WHAT_IT_CAN: crate::conformance::Capabilities = crate::conformance::Capabilities::ALL
    .without_threads("one thread runs everything")
    .without_pool("a blocking closure runs on the thread of the tasks")
    .without_real_sockets("its network is in memory")
    .without_multicast("its network has none");

#[cfg(test)]
crate::conformance! {
    sim: Sim::builder().build().unwrap(), WHAT_IT_CAN;
    any: AnyRuntime::from(Sim::builder().build().unwrap()), WHAT_IT_CAN;
}
