use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use super::Sim;
use crate::backend::sim::network::{LinkOptions, Paths};
use crate::backend::sim::world::World;

/// Links between hosts of a simulation, or one direction of one, to be changed while it runs.
///
/// Made by [`Sim::links`], [`Sim::link`] and [`Sim::path`]. It does not keep the simulation alive.
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

impl Sim {
    /// Every link between two hosts, those of hosts to come included.
    pub fn links(&self) -> Link {
        Link { world: self.world.clone(), paths: Paths::All }
    }

    /// The link between two hosts, in both directions.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when there is no host of one of the names, with those that there are, or both are one host: its
    /// loopback has no faults.
    pub fn link(&self, a: &str, b: &str) -> io::Result<Link> {
        self.link_of(a, b, Paths::Both)
    }

    /// The link between two hosts, in the direction from the one to the other.
    ///
    /// # Errors
    ///
    /// Those of [`link`](Self::link).
    pub fn path(&self, from: &str, to: &str) -> io::Result<Link> {
        self.link_of(from, to, Paths::One)
    }

    fn link_of(&self, a: &str, b: &str, paths: impl FnOnce(usize, usize) -> Paths) -> io::Result<Link> {
        let (from, to) = self.world.with(|state| {
            let (from, to) = (state.network.host_named(a)?, state.network.host_named(b)?);
            if from == to {
                let why = format!("host {a:?} has no link to itself but its loopback, which has no faults");
                return Err(io::Error::new(ErrorKind::InvalidInput, format!("anyrt: {why}; name two hosts")));
            }
            Ok((from, to))
        })?;
        Ok(Link { world: self.world.clone(), paths: paths(from, to) })
    }
}

impl Link {
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
