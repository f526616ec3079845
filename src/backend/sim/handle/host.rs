//! Hosts: they are added, lose their power, and get it back.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::panic::Location;
use std::sync::Arc;

use super::Sim;
use super::task::{Place, start};
use crate::backend::sim::log::{Origin, TaskKind};
use crate::backend::sim::world::World;
use crate::runtime::BoxFuture;
use crate::runtime::task::native::async_task;

impl Sim {
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

    /// Says what its host runs: `program` is spawned there now, and again after each [`restart`](Self::restart).
    ///
    /// It gets a handle to its host, which does not keep the simulation alive; one that it owns itself would, for ever. A
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
            let sim = Self::found(world.clone(), host);
            let place = Place::new(world, host, Origin::new(TaskKind::Future, set));
            // What it panics with is that of a task.
            let future: BoxFuture = Box::pin(async move { program(sim).await });
            drop(async_task::spawn::<Self, _>(place.number(), future, |future| start(place, future)));
        };
        self.world.set_boot(self.host, Arc::new(boot));
    }

    /// Its host loses power: its tasks are dropped, and so are blocking closures that have not begun. Their handles say that
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

    /// Its host starts again, and runs what [`boot`](Self::boot) has set. One that is up crashes first, as in a reboot.
    pub fn restart(&self) {
        self.world.crash(self.host);
        self.world.start(self.host);
    }

    /// Whether its host is up.
    pub fn is_up(&self) -> bool {
        self.world.with(|state| state.network.is_up(self.host))
    }
}
