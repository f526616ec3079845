//! Hosts that lose their power, and get it back.

use std::future::Future;
use std::io;
use std::panic::Location;
use std::sync::Arc;

use super::log::{Kind, TaskKind};
use super::net::Network;
use super::task::{self, Place};
use super::world::{State, World};
use super::{Sim, async_task};
use crate::runtime::BoxFuture;

/// What a host runs whenever it starts.
#[derive(Clone)]
pub(super) struct Boot {
    program: Arc<dyn Fn(Sim) -> BoxFuture + Send + Sync>,
    set: &'static Location<'static>,
}

/// What becomes of a host once the lock is free: its tasks have destructors.
#[derive(Clone, Copy, Debug)]
pub(super) enum Power {
    Off(usize),
    On(usize),
}

impl Power {
    pub(super) fn turn(self, world: &Arc<World>) {
        match self {
            Self::Off(host) => world.crash(host),
            Self::On(host) => world.start(host),
        }
    }
}

impl Sim {
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
        let program = Arc::new(program);
        let boxed = move |sim| -> BoxFuture {
            let program = program.clone();
            // What it panics with is that of a task.
            Box::pin(async move { program(sim).await })
        };
        let boot = Boot { program: Arc::new(boxed), set: Location::caller() };
        let (_before, up) = self.world.with(|state| {
            let host = &mut state.network.hosts[self.host];
            (host.boot.replace(boot.clone()), host.up)
        });
        if up {
            boot.run(&self.world, self.host);
        }
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
        self.world.with(|state| state.network.hosts[self.host].up)
    }
}

impl Boot {
    fn run(self, world: &Arc<World>, host: usize) {
        let sim = Sim { world: world.clone(), host, owner: None };
        let (place, future) = (Place::new(&sim, TaskKind::Future, self.set), (self.program)(sim.clone()));
        drop(async_task::spawn::<Sim, _>(future, |future| task::start(&sim, place, future)));
    }
}

impl World {
    fn start(self: &Arc<Self>, host: usize) {
        let boot = self.with(|state| {
            if state.is_closed() || state.network.hosts[host].up {
                return None;
            }
            state.network.hosts[host].up = true;
            state.clock.record(Kind::Restarted, host as u64, 0);
            state.network.hosts[host].boot.clone()
        });
        if let Some(boot) = boot {
            boot.run(self, host);
        }
    }
}

impl Network {
    /// Whether tasks of this life of a host may run.
    pub(super) fn is_alive(&self, host: usize, life: u32) -> bool {
        let host = &self.hosts[host];
        host.up && host.life == life
    }

    pub(super) fn check_up(&self, host: usize) -> io::Result<()> {
        let host = &self.hosts[host];
        if host.up {
            return Ok(());
        }
        Err(io::Error::other(format!("anyrt: host {:?} has crashed; `restart` starts it again", host.name)))
    }

    /// Programs of hosts, to be dropped.
    pub(super) fn take_boots(&mut self) -> Vec<Boot> {
        self.hosts.iter_mut().filter_map(|host| host.boot.take()).collect()
    }
}

impl State {
    /// A host goes down, unless it is. What is left to do with its tasks has destructors.
    pub(super) fn go_down(&mut self, host: usize) -> bool {
        if !std::mem::replace(&mut self.network.hosts[host].up, false) {
            return false;
        }
        self.network.hosts[host].life += 1;
        self.network.has_crashed = true;
        self.clock.record(Kind::Crashed, host as u64, 0);
        self.crash_connections(host);
        let waiting = self.network.crash_sockets(host);
        self.clock.woken.extend(waiting);
        true
    }
}
