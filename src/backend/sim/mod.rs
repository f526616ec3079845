//! A simulation: a runtime whose scheduler, clock and network follow from one seed.
//!
//! [`Sim`] runs a program entirely on the thread that is in `block_on`: the order of tasks, the delays of packets and
//! the time all follow from the seed. The clock is virtual: it stands still while a task runs, and jumps to the next
//! event when no task is ready.
//!
#![doc = include_str!("testing.md")]
#![allow(clippy::test_attr_in_doctest, reason = "the page shows the test as its reader writes it")]

// Each is a room with one door, the file that is named here. `use` goes down: no room knows of one that stands above it.

// The search through seeds.
mod explore;

// What the program holds of a simulation: `Sim`, how it is set up, links.
mod handle;

// What clients of a program have seen, and whether it is right.
pub mod history;

// What its tasks hold: sockets and sleeps.
mod net;
mod time;

// The state of a simulation, behind its lock, and the code that drives it.
mod world;

// What goes wrong in it, as the seed has it.
mod faults;

// What is in it: state machines, which are told what time it is and say what is to happen later.
mod network;
mod places;
mod tasks;

// What time it is, what will happen when, and who is woken for it.
mod clock;

// What has happened: its hash, and the log.
mod log;

// The scheduler.
mod schedule;

// What all of them stand on.
mod lists;
mod panics;
mod random;
mod replay;
mod slots;
mod sorted;
mod waiters;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::os::unix::net as std_unix;
use std::panic::Location;
#[cfg(unix)]
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant, SystemTime};

use self::handle::{MainWaker, Place, start};
use self::log::{Origin, TaskKind};
use self::net::{TcpListener, TcpStream, UdpSocket};
#[cfg(unix)]
use self::net::{UnixDatagram, UnixListener, UnixStream};
use self::time::Sleep;
use self::world::{Entered, Step, current, panicking};
use crate::backend::FindCurrent;
#[cfg(unix)]
use crate::runtime::UnixNet;
use crate::runtime::backend::{BlockOnBackend, BoxFuture, BoxJob, NetBackend, SpawnBackend};
#[cfg(unix)]
use crate::runtime::backend::{UnixNetBackend, WatchFd};
use crate::runtime::net::{ConnectOptions, ListenOptions};
use crate::runtime::task::catch_panic::discard;
use crate::runtime::task::native::async_task;
use crate::runtime::task::{JoinHandle, spawn_gone};
use crate::runtime::{BlockOn, Net, ShutdownReport, Spawn, Time, not_owned};
use crate::thread::{RuntimeKind, Scope};

#[cfg(feature = "macros")]
pub(crate) use explore::Notice;
pub use explore::{Outcome, check_deterministic, explore};
pub use faults::{Fault, Faults};
pub use handle::{Builder, Dns, Host, Link, Sim};
pub use log::Log;
pub use network::LinkOptions;
pub use schedule::Policy;
#[doc(hidden)]
pub use world::{__buggify, __is_in_simulation, __sometimes};
pub use world::{LongPoll, note};

impl FindCurrent for Sim {
    #[inline]
    fn find_current(_: RuntimeKind) -> Option<Self> {
        current().map(|(world, host)| Self::found(world, host))
    }
}

/// A runtime on a host of a simulation: it has a `world`, and a `host` in it.
macro_rules! runs {
    ($runtime:ident) => {
        impl $runtime {
            fn spawn_from<F>(&self, origin: Origin<'_>, future: F) -> JoinHandle<F::Output>
            where
                F: Future + Send + 'static,
                F::Output: Send + 'static,
            {
                if self.world.is_closed() {
                    return spawn_gone(self.world.number_of_a_lost_task(), future);
                }
                let place = Place::new(&self.world, self.host, origin);
                async_task::spawn::<Sim, _>(place.number(), future, |future| start(place, future))
            }

            fn spawn_blocking_from<F, T>(&self, origin: Origin<'_>, job: F) -> JoinHandle<T>
            where
                F: FnOnce() -> T + Send + 'static,
                T: Send + 'static,
            {
                let place = Place::new(&self.world, self.host, origin);
                let job = || panicking(job);
                async_task::spawn_blocking::<Sim, _, _>(place.number(), job, |job| {
                    start(place, async move { job.run() })
                })
            }
        }

        impl SpawnBackend for $runtime {
            #[track_caller]
            fn execute(&self, task: BoxFuture) {
                drop(self.spawn(task));
            }

            #[track_caller]
            fn execute_blocking(&self, job: BoxJob) {
                drop(self.spawn_blocking(job));
            }

            #[track_caller]
            fn spawn_named<F>(&self, name: &str, future: F) -> JoinHandle<F::Output>
            where
                F: Future + Send + 'static,
                F::Output: Send + 'static,
            {
                let origin = Origin { name: Some(name), ..Origin::new(TaskKind::Future, Location::caller()) };
                self.spawn_from(origin, future)
            }

            #[track_caller]
            fn spawn_blocking_named<F, T>(&self, name: &str, job: F) -> JoinHandle<T>
            where
                F: FnOnce() -> T + Send + 'static,
                T: Send + 'static,
            {
                let origin =
                    Origin { name: Some(name), ..Origin::new(TaskKind::Closure, Location::caller()) };
                self.spawn_blocking_from(origin, job)
            }
        }

        impl Spawn for $runtime {
            #[track_caller]
            fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
            where
                F: Future + Send + 'static,
                F::Output: Send + 'static,
            {
                self.spawn_from(Origin::new(TaskKind::Future, Location::caller()), future)
            }

            /// The closure is a task, which runs from its beginning to its end when its turn comes.
            #[track_caller]
            fn spawn_blocking<F, T>(&self, job: F) -> JoinHandle<T>
            where
                F: FnOnce() -> T + Send + 'static,
                T: Send + 'static,
            {
                self.spawn_blocking_from(Origin::new(TaskKind::Closure, Location::caller()), job)
            }

            /// The next of its seed.
            fn random_seed(&self) -> u64 {
                self.world.with(|state| state.program_random.next())
            }
        }

        impl BlockOnBackend for $runtime {
            #[track_caller]
            fn run_until<F: Future>(&self, future: F) -> F::Output {
                let _scope = Scope::within(RuntimeKind::Sim);
                // Dropped after the future, whose destructor may still spawn.
                let driving = self.world.drive(self.host, Location::caller());
                let handle = Arc::new(MainWaker { world: self.world.clone(), task: driving.task });
                let waker = Waker::from(handle.clone());
                let mut cx = Context::from_waker(&waker);
                let _entered = Entered::enter(&self.world, self.host);
                let mut future = pin!(future);
                loop {
                    match driving.next(None) {
                        Step::PollMain => {
                            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                                if let Some(why) = driving.finish() {
                                    discard(output);
                                    panic!("{why}");
                                }
                                return output;
                            }
                            // Here and in the context; who waits for one thing more waits for a timer or a socket.
                            let given = Arc::strong_count(&handle) - 2;
                            if given > 1 {
                                self.world.suspect(driving.task.number, given);
                            }
                        }
                        Step::Idle => panic!("{}", driving.stuck()),
                        Step::Wrong(why) => panic!("{why}"),
                    }
                }
            }

            fn stop(&self, _: Duration) -> io::Result<ShutdownReport> {
                if !self.is_owned() {
                    return Err(not_owned("this handle was found and does not own its runtime"));
                }
                if self.world.is_driven_elsewhere() {
                    return Err(not_owned("another thread is driving this simulation"));
                }
                self.world.close();
                Ok(ShutdownReport::default())
            }
        }

        impl BlockOn for $runtime {}

        impl Time for $runtime {
            type Sleep = Sleep;

            /// On the clock of its host.
            fn now(&self) -> Instant {
                self.world.now_on(self.host)
            }

            /// That of its host.
            fn system_time(&self) -> SystemTime {
                self.world.with(|state| state.clock.time_of_day(self.host))
            }

            fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
                Sleep::on(self.world.clone(), self.host, deadline)
            }
        }

        impl NetBackend for $runtime {
            async fn finish_connect(&self, _: std::net::TcpStream) -> io::Result<TcpStream> {
                net::no_real_sockets()
            }

            fn adopt_tcp_stream(&self, _: std::net::TcpStream) -> io::Result<TcpStream> {
                net::no_real_sockets()
            }

            fn adopt_tcp_listener(&self, _: std::net::TcpListener) -> io::Result<TcpListener> {
                net::no_real_sockets()
            }

            fn adopt_udp_socket(&self, _: std::net::UdpSocket) -> io::Result<UdpSocket> {
                net::no_real_sockets()
            }

            /// Of the options, `local_addr`, `timeout`, `keepalive`, `linger` of zero and those that share a port or choose among
            /// addresses are honoured. Others are kept, to be read from the stream.
            async fn connect_addr(
                &self,
                addr: SocketAddr,
                options: &ConnectOptions,
            ) -> io::Result<TcpStream> {
                net::connect(self.world.clone(), self.host, addr, options.clone()).await
            }

            /// Of the options, `backlog`, `only_v6` and those that share a port are honoured; others by the streams that are
            /// accepted.
            fn bind_addr(&self, addr: SocketAddr, options: &ListenOptions) -> io::Result<TcpListener> {
                net::listen(&self.world, self.host, addr, options)
            }

            fn udp_bind_addr(&self, addr: SocketAddr) -> io::Result<UdpSocket> {
                UdpSocket::bind(&self.world, self.host, addr)
            }

            /// `localhost`, the names of hosts, and those of [`Sim::dns`].
            async fn resolve(&self, host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
                net::resolve(self.world.clone(), self.host, host, port).await
            }
        }

        impl Net for $runtime {
            type TcpStream = TcpStream;
            type TcpListener = TcpListener;
            type UdpSocket = UdpSocket;
        }

        #[cfg(unix)]
        impl UnixNetBackend for $runtime {
            fn adopt_unix_stream(&self, _: std_unix::UnixStream) -> io::Result<UnixStream> {
                net::no_real_sockets()
            }

            fn adopt_unix_listener(&self, _: std_unix::UnixListener) -> io::Result<UnixListener> {
                net::no_real_sockets()
            }

            fn adopt_unix_datagram(&self, _: std_unix::UnixDatagram) -> io::Result<UnixDatagram> {
                net::no_real_sockets()
            }

            async fn unix_connect_path(&self, path: PathBuf) -> io::Result<UnixStream> {
                net::unix::connect(self.world.clone(), self.host, path).await
            }

            fn unix_bind_path(&self, path: &Path) -> io::Result<UnixListener> {
                net::unix::listen(&self.world, self.host, path)
            }

            fn unix_datagram_bind_path(&self, path: &Path) -> io::Result<UnixDatagram> {
                UnixDatagram::bind(&self.world, self.host, Some(path))
            }

            fn unix_remove_path(&self, path: &Path) -> io::Result<()> {
                net::unix::remove(&self.world, self.host, path)
            }

            fn watch_fd(&self, _: std::os::fd::OwnedFd) -> io::Result<Box<dyn WatchFd>> {
                Err(io::Error::new(
                    io::ErrorKind::Unsupported,
                    "anyrt: a simulation cannot watch descriptors: their events are outside of it",
                ))
            }
        }

        #[cfg(unix)]
        impl UnixNet for $runtime {
            type UnixStream = UnixStream;
            type UnixListener = UnixListener;
            type UnixDatagram = UnixDatagram;

            fn unix_pair(&self) -> io::Result<(UnixStream, UnixStream)> {
                net::unix::pair(&self.world, self.host)
            }

            fn unix_datagram_unbound(&self) -> io::Result<UnixDatagram> {
                UnixDatagram::bind(&self.world, self.host, None)
            }

            fn unix_datagram_pair(&self) -> io::Result<(UnixDatagram, UnixDatagram)> {
                UnixDatagram::pair(&self.world, self.host)
            }
        }
    };
}

runs!(Sim);
runs!(Host);

#[cfg(test)]
const WHAT_IT_CAN: crate::conformance::Capabilities = crate::conformance::Capabilities::ALL
    .without_threads("one thread runs everything")
    .without_pool("a blocking closure runs on the thread of the tasks")
    .without_real_sockets("its network is in memory")
    .without_descriptors("what they would bring is not in it");

#[cfg(test)]
crate::conformance! {
    sim: Sim::builder().build().unwrap(), WHAT_IT_CAN;
    any: crate::AnyRuntime::from(Sim::builder().build().unwrap()), WHAT_IT_CAN;
    wrapped: crate::AnyRuntime::from(Sim::builder().build().unwrap()).wrap_tasks(|_| |step: &mut dyn FnMut()| step()),
        WHAT_IT_CAN;
}

#[cfg(all(test, feature = "watch"))]
crate::conformance! {
    watched: crate::conformance::watch::quiet(Sim::builder().build().unwrap().into()), WHAT_IT_CAN;
}
