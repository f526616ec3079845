//! Hosts: adding, crashing and restarting them.

use std::fmt;
use std::future::{Future, poll_fn};
use std::hash::{Hash, Hasher};
use std::io;
use std::net::IpAddr;
use std::panic::{Location, resume_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::task::{Place, start};
use super::{Owner, Sim};
use crate::backend::sim::log::{Origin, TaskKind};
use crate::backend::sim::panics;
use crate::backend::sim::world::World;
use crate::runtime::backend::BoxFuture;
use crate::runtime::net::options::invalid;
use crate::runtime::task::catch_panic::catch_panic;
use crate::runtime::task::native::async_task;

/// Host of a simulation. It is a runtime whose tasks and sockets are on that host.
///
/// Created by [`Sim::host`]. A host has its own name, address, time of day and Unix socket files; the timers of all
/// hosts follow one clock, unless that of a host [drifts](crate::sim::Faults::clock_drifts). In tasks spawned on a host, that host is the current runtime.
///
/// # Dropping
///
/// As [`Sim`]: a host that was created through an owned simulation keeps the simulation alive. The host that
/// [`boot`](Self::boot) passes to its program is a weak handle.
#[derive(Clone)]
pub struct Host {
    pub(in crate::backend::sim) world: Arc<World>,
    pub(in crate::backend::sim) host: usize,
    pub(super) owner: Option<Arc<Owner>>,
}

impl Host {
    /// Returns the name of the host.
    pub fn name(&self) -> String {
        self.world.with(|state| state.network.host_name(self.host).to_owned())
    }

    /// Returns a handle to the simulation that spawns on this host.
    pub fn sim(&self) -> Sim {
        let Self { world, host, owner } = self.clone();
        Sim { world, host, owner }
    }

    /// Returns the address that the host was created with.
    pub fn ip(&self) -> IpAddr {
        self.world.with(|state| state.network.ip(self.host))
    }

    /// Returns all addresses of the host.
    pub fn ips(&self) -> Vec<IpAddr> {
        self.world.with(|state| state.network.ips(self.host).collect())
    }

    /// Gives the host one more address, of either family. Its name resolves to all of them, and sockets can be bound to each.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if another host has that address, or if no host can have it; the error says which.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::net::Ipv6Addr;
    ///
    /// use anyrt::{BlockOn, Net, Sim};
    ///
    /// let sim = Sim::new()?;
    /// let db = sim.host("db", [10, 0, 0, 2])?;
    /// db.add_ip(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2))?;
    /// let found = sim.block_on(sim.lookup_host("db:5432"))?;
    /// assert_eq!(found.len(), 2);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn add_ip(&self, ip: impl Into<IpAddr>) -> io::Result<()> {
        self.world.with(|state| state.network.add_ip(self.host, ip.into()))
    }

    /// Sets the program of the host and starts it: `program` is spawned now, and again after each
    /// [`restart`](Self::restart).
    ///
    /// The program receives a weak handle to the host, which does not keep the simulation alive; an owned handle in the
    /// program would keep it alive for ever. A host has one program, the last one set. A host that is down runs it when
    /// it restarts.
    ///
    /// # Panics
    ///
    /// If the program panics, nobody has its handle to hear of it. So [`explore`](crate::sim::explore) and `#[anyrt::test]` fail then.
    /// Elsewhere the panic is only printed. A program that may panic spawns what panics, and awaits the handle.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use anyrt::{BlockOn, Net, Sim, Time, runtime::TcpListener};
    ///
    /// let sim = Sim::new()?;
    /// let db = sim.host("db", [10, 0, 0, 2])?;
    /// db.boot(|db| async move {
    ///     let listener = db.tcp_bind("0.0.0.0:5432").await.unwrap();
    ///     while listener.accept().await.is_ok() {}
    /// });
    /// sim.block_on(async {
    ///     sim.sleep(Duration::from_secs(1)).await;
    ///     db.crash();
    ///     db.restart();
    ///     sim.sleep(Duration::from_secs(1)).await;
    ///     sim.tcp_connect("db:5432").await.map(drop)
    /// })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn boot<F>(&self, program: impl Fn(Self) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (host, set, program) = (self.host, Location::caller(), Arc::new(program));
        let boot = move |world: &Arc<World>| {
            let program = program.clone();
            let here = Self { world: world.clone(), host, owner: None };
            let place = Place::new(world, host, Origin::new(TaskKind::Future, set));
            let of = world.clone();
            let future: BoxFuture = Box::pin(async move {
                // What it panics with is that of a task.
                let mut program = pin!(async move { program(here).await });
                let polled = poll_fn(|cx| {
                    catch_panic(|| program.as_mut().poll(cx)).unwrap_or_else(|payload| {
                        of.boot_panicked(host, panics::caught(&payload));
                        resume_unwind(payload)
                    })
                });
                polled.await;
            });
            drop(async_task::spawn::<Sim, _>(place.number(), future, |future| start(place, future)));
        };
        self.world.set_boot(self.host, Arc::new(boot));
    }

    /// Crashes the host, as a loss of power: its tasks are dropped, and so are blocking closures that have not started.
    /// Their handles report that the runtime is gone. Its sockets vanish without a message to their peers: a peer's
    /// writes are retransmitted until they fail with `TimedOut`, or are answered with a reset once the host is up
    /// again.
    ///
    /// While a host is down, no packet arrives, spawned tasks are dropped at once, and creating a socket is an error.
    /// Crashing a host that is down has no effect.
    ///
    /// The future of a `block_on` cannot be dropped and keeps running, but its sockets are gone. A task that crashes
    /// its own host is dropped when it is next pending.
    pub fn crash(&self) {
        self.world.crash(self.host);
    }

    /// Kills the process of the host, as `kill -9` does: its tasks are dropped as by a [`crash`](Self::crash), but the
    /// system stays up and closes its sockets. So peers read the end of the stream, or get a reset if received data was
    /// left unread, and whoever connects is refused.
    ///
    /// [`restart`](Self::restart) starts a new process. Killing a process that does not run has no effect.
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt::{BlockOn, Net, Sim, net::TcpListener};
    /// use futures::io::AsyncReadExt;
    ///
    /// let sim = Sim::new()?;
    /// let db = sim.host("db", [10, 0, 0, 2])?;
    /// db.boot(|_| async {
    ///     let listener = TcpListener::bind("0.0.0.0:5432").await.unwrap();
    ///     let _clients = (listener.accept().await, listener.accept().await);
    /// });
    /// sim.block_on(async {
    ///     let mut stream = sim.tcp_connect("db:5432").await?;
    ///     db.kill();
    ///     assert_eq!(stream.read(&mut [0; 8]).await?, 0);
    ///     std::io::Result::Ok(())
    /// })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn kill(&self) {
        self.world.kill(self.host);
    }

    /// Starts the host again and runs the program that [`boot`](Self::boot) has set. A host whose process runs crashes
    /// first, as in a reboot; one whose process was [killed](Self::kill) starts a new one.
    pub fn restart(&self) {
        if self.is_up() {
            self.world.crash(self.host);
        }
        self.world.start(self.host);
    }

    /// Returns whether the host is up, and its process runs.
    pub fn is_up(&self) -> bool {
        self.world.with(|state| state.network.is_up(self.host))
    }

    /// Sets the time of day of this host, which advances from there.
    ///
    /// All hosts begin at the first second of the year 2000, in UTC. Timers are not affected.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use anyrt::{Sim, Time};
    ///
    /// let sim = Sim::new()?;
    /// let late = sim.host("late", [10, 0, 0, 2])?;
    /// late.set_system_time(sim.system_time() - Duration::from_secs(90));
    /// sim.advance(Duration::from_secs(3600));
    /// assert_eq!(sim.system_time().duration_since(late.system_time())?, Duration::from_secs(90));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_system_time(&self, time: SystemTime) {
        self.world.with(|state| state.clock.set_time_of_day(self.host, time));
    }
}

impl Host {
    /// Sets how fast the clocks of this host go: 1.0 is as fast as the simulation's, 1.01 is 1 % faster. Default: 1.0.
    ///
    /// The timers of the host follow its clock, and so does its time of day; the network does not. What the clock shows goes on from
    /// where it is. The drifts of [`Faults`](crate::sim::Faults::clock_drifts) come on top.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the speed is not between 0.1 and 1000.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use anyrt::{BlockOn, Sim, Time};
    ///
    /// let sim = Sim::new()?;
    /// let fast = sim.host("fast", [10, 0, 0, 2])?;
    /// fast.set_clock_speed(1.25)?;
    /// sim.block_on(fast.sleep(Duration::from_secs(10)));
    /// assert_eq!(sim.elapsed(), Duration::from_secs(8));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_clock_speed(&self, speed: f64) -> io::Result<()> {
        if !(0.1..=1_000.0).contains(&speed) {
            let why = format!("{speed} is no speed of a clock: ask for one from 0.1 to 1000");
            return Err(invalid("set_clock_speed", &why));
        }
        let ppm = ((speed - 1.0) * 1e6).round() as i64;
        self.world.with(|state| state.clock.set_rate(self.host, ppm));
        Ok(())
    }

    /// Sets how much virtual time each poll of a task of this host takes, as on a [slow host](crate::sim::Faults::slow_hosts). Default:
    /// none.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use anyrt::{BlockOn, Sim, Spawn};
    ///
    /// let sim = Sim::new()?;
    /// let slow = sim.host("slow", [10, 0, 0, 2])?;
    /// slow.set_poll_delay(Duration::from_millis(3));
    /// sim.block_on(slow.spawn(async { anyrt::yield_now().await })).unwrap(); // two polls
    /// assert_eq!(sim.elapsed(), Duration::from_millis(6));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_poll_delay(&self, delay: Duration) {
        let nanos = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
        self.world.with(|state| state.tasks.set_delay(&mut state.clock, self.host, nanos));
    }

    pub(in crate::backend::sim) fn is_owned(&self) -> bool {
        self.owner.is_some()
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("name", &self.name())
            .field("seed", &self.world.seed)
            .finish_non_exhaustive()
    }
}

/// Whether both are handles to one host of one simulation.
impl PartialEq for Host {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.world, &other.world) && self.host == other.host
    }
}

impl Eq for Host {}

impl Hash for Host {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (Arc::as_ptr(&self.world), self.host).hash(state);
    }
}

impl Sim {
    /// Adds a host with a name, which other hosts can resolve, and one address.
    ///
    /// A simulation begins on the host `main`, at 10.0.0.1. Upper and lower case are the same in a name, and so is a dot at its end; an
    /// address of IPv6 that stands for one of IPv4 (`::ffff:10.0.0.2`) is that one. Every host also has a loopback of its own, 127.0.0.1 and
    /// ::1, to which `localhost` resolves.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if another host has that name or address, or if no host can have it; the error says which.
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt::{BlockOn, Net, Sim, Spawn, runtime::TcpListener};
    ///
    /// let sim = Sim::new()?;
    /// let server = sim.host("db", [10, 0, 0, 2])?;
    /// sim.block_on(async {
    ///     let listener = server.tcp_bind("0.0.0.0:5432").await?;
    ///     let accepted = server.spawn(async move { listener.accept().await });
    ///     let _stream = sim.tcp_connect("db:5432").await?;
    ///     let (_, peer) = accepted.await??;
    ///     assert_eq!(peer.ip(), sim.this_host().ip());
    ///     std::io::Result::Ok(())
    /// })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn host(&self, name: &str, ip: impl Into<IpAddr>) -> io::Result<Host> {
        let host = self.world.with(|state| state.network.add_host(name, ip.into()))?;
        Ok(Host { host, ..self.this_host() })
    }

    /// Returns the host of this handle: `main`, or, for a handle that was found in a task, the host of that task.
    pub fn this_host(&self) -> Host {
        let Self { world, host, owner } = self.clone();
        Host { world, host, owner }
    }
}
