//! Hosts: they are added, lose their power, and get it back.

use std::fmt;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::io;
use std::net::IpAddr;
use std::panic::Location;
use std::sync::Arc;
use std::time::SystemTime;

use super::task::{Place, start};
use super::{Owner, Sim};
use crate::backend::sim::log::{Origin, TaskKind};
use crate::backend::sim::world::World;
use crate::runtime::BoxFuture;
use crate::runtime::task::native::async_task;

/// A host of a simulation: a runtime, whose tasks and sockets are on that host.
///
/// Made by [`Sim::host`]. It has a name, an address, a time of day, and files of Unix sockets of its own; timers of all hosts follow one
/// clock. In what is spawned on a host, that host is current.
///
/// # Dropping
///
/// As [`Sim`]: a host that was made through an owned simulation keeps it alive. The host that [`boot`](Self::boot) hands to its
/// program does not.
#[derive(Clone)]
pub struct Host {
    pub(in crate::backend::sim) world: Arc<World>,
    pub(in crate::backend::sim) host: usize,
    pub(super) owner: Option<Arc<Owner>>,
}

impl Host {
    /// Its name.
    pub fn name(&self) -> String {
        self.world.with(|state| state.network.host_name(self.host).to_owned())
    }

    /// Its simulation; what is spawned through that handle is on this host.
    pub fn sim(&self) -> Sim {
        let Self { world, host, owner } = self.clone();
        Sim { world, host, owner }
    }

    /// Its address.
    pub fn ip(&self) -> IpAddr {
        self.world.with(|state| state.network.ip(self.host))
    }

    /// Says what it runs: `program` is spawned there now, and again after each [`restart`](Self::restart).
    ///
    /// The program gets the host, in a handle that does not keep the simulation alive; one that it owns itself would, for ever. A
    /// host has one program, the last; one that is down runs it when it is restarted.
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
            // What it panics with is that of a task.
            let future: BoxFuture = Box::pin(async move { program(here).await });
            drop(async_task::spawn::<Sim, _>(place.number(), future, |future| start(place, future)));
        };
        self.world.set_boot(self.host, Arc::new(boot));
    }

    /// It loses power: its tasks are dropped, and so are blocking closures that have not begun. Their handles say that
    /// the runtime is gone. Its sockets are gone as well, and say nothing of it: a peer sees silence, and what it writes is
    /// sent again and fails with `TimedOut` in the end, or is reset once the host is there again.
    ///
    /// While a host is down, nothing arrives there, what is spawned on it is dropped at once, and a socket that is made
    /// there is an error. Nothing happens when it is down already.
    ///
    /// The future of a `block_on` cannot be dropped, and goes on; what it has of sockets is gone. A task that crashes its
    /// own host is dropped when it is next pending.
    pub fn crash(&self) {
        self.world.crash(self.host);
    }

    /// Starts again, and runs what [`boot`](Self::boot) has set. One that is up crashes first, as in a reboot.
    pub fn restart(&self) {
        self.world.crash(self.host);
        self.world.start(self.host);
    }

    /// Whether it is up.
    pub fn is_up(&self) -> bool {
        self.world.with(|state| state.network.is_up(self.host))
    }

    /// Sets what this host takes for the time of day, which goes on from there.
    ///
    /// All hosts begin at the first second of the year 2000, in UTC. What the timers follow is not changed.
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
    /// Adds a host, with a name that others can look up and one address.
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
    /// let sim = Sim::new()?;
    /// let server = sim.host("db", [10, 0, 0, 2])?;
    /// sim.block_on(async {
    ///     let listener = server.tcp_bind("0.0.0.0:5432").await?;
    ///     let accepted = server.spawn(async move { listener.accept().await.map(|(_, peer)| peer.ip()) });
    ///     let _stream = sim.tcp_connect("db:5432").await?;
    ///     assert_eq!(accepted.await??, sim.this_host().ip());
    ///     std::io::Result::Ok(())
    /// })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn host(&self, name: &str, ip: impl Into<IpAddr>) -> io::Result<Host> {
        let host = self.world.with(|state| state.network.add_host(name, ip.into()))?;
        Ok(Host { host, ..self.this_host() })
    }

    /// The host that this handle is on: `main`, or, of a handle that was found in a task, the host of that task.
    pub fn this_host(&self) -> Host {
        let Self { world, host, owner } = self.clone();
        Host { world, host, owner }
    }
}
