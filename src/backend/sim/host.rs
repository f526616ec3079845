//! Hosts that lose their power, and get it back.

use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

use super::log::TaskKind;
use super::task::{self, Place};
use super::world::World;
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
        let (_before, up) = self
            .world
            .with(|state| (state.boots.insert(self.host, boot.clone()), state.network.is_up(self.host)));
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
        self.world.with(|state| state.network.is_up(self.host))
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
            if state.is_closed() || !state.network.go_up(&mut state.clock, host) {
                return None;
            }
            state.boots.get(&host).cloned()
        });
        if let Some(boot) = boot {
            boot.run(self, host);
        }
    }
}
