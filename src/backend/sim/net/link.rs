use std::fmt;
use std::io;
use std::sync::Arc;

use crate::backend::sim::network::{LinkOptions, Paths};
use crate::backend::sim::world::World;

/// Links between hosts of a simulation, or one direction of one, to be changed while it runs.
///
/// Made by [`Sim::links`](crate::Sim::links), [`Sim::link`](crate::Sim::link) and [`Sim::path`](crate::Sim::path). It does not keep the simulation alive.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use anyrt::net::ConnectOptions;
/// use anyrt::{BlockOn, Net, Sim, Time};
///
/// let sim = Sim::new()?;
/// let db = sim.host("db", [10, 0, 0, 2])?;
/// sim.block_on(async {
///     let _listener = db.tcp_bind("0.0.0.0:5432").await?;
///     let link = sim.link("main", "db")?;
///     link.partition();
///     let options = ConnectOptions::new().timeout(Duration::from_millis(50));
///     sim.tcp_connect_with("db:5432", &options).await.unwrap_err();
///     link.heal();
///     sim.tcp_connect_with("db:5432", &options).await.map(drop)
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Link {
    world: Arc<World>,
    paths: Paths,
}

impl Link {
    pub(in crate::backend::sim) fn new(world: &Arc<World>, paths: Paths) -> Self {
        Self { world: world.clone(), paths }
    }

    /// Changes what it is like, for what is sent from now on.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when an option makes no sense, naming it; then nothing is changed.
    pub fn set(&self, options: &LinkOptions) -> io::Result<()> {
        self.world.with(|state| state.network.set(&mut state.clock, self.paths, options))
    }

    /// Cuts it: whatever would arrive is lost.
    ///
    /// A TCP connection sends again until the link heals, and fails with `TimedOut` after 924.6 s, as on Linux
    /// (`tcp_retries2`). Who connects asks again, and fails with `TimedOut` after 127 s.
    pub fn partition(&self) {
        self.world.with(|state| state.network.cut(&mut state.clock, self.paths, true));
    }

    /// Ends what [`partition`](Self::partition) has begun. A fault that was drawn ends at its own time.
    pub fn heal(&self) {
        self.world.with(|state| state.network.cut(&mut state.clock, self.paths, false));
    }

    /// Holds it: whatever would arrive is kept until it is released, and nobody gives up meanwhile.
    pub fn hold(&self) {
        self.world.with(|state| state.network.hold(&mut state.clock, self.paths, true));
    }

    /// Ends what [`hold`](Self::hold) has begun: what was kept arrives, in its order.
    pub fn release(&self) {
        self.world.with(|state| state.network.hold(&mut state.clock, self.paths, false));
    }

    /// Breaks off all TCP connections over it, as a middlebox would: both ends see a reset at once.
    pub fn reset(&self) {
        self.world.with(|state| state.network.reset_connections(&mut state.clock, self.paths));
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |host| self.world.with(|state| state.network.host_name(host).to_owned());
        let mut debug = f.debug_tuple("Link");
        match self.paths {
            Paths::All => debug.finish_non_exhaustive(),
            Paths::Both(a, b) => debug.field(&name(a)).field(&"<->").field(&name(b)).finish(),
            Paths::One(a, b) => debug.field(&name(a)).field(&"->").field(&name(b)).finish(),
        }
    }
}
