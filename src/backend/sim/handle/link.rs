use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use super::Sim;
use crate::backend::sim::network::{LinkOptions, Paths};
use crate::backend::sim::world::World;

/// Handle to links between hosts, or to one direction of a link; changes them while the simulation runs.
///
/// Returned by [`Sim::links`], [`Sim::link`] and [`Sim::path`]. It does not keep the simulation alive.
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
    /// Returns a handle to the links between all hosts, including hosts that are added later.
    pub fn links(&self) -> Link {
        Link { world: self.world.clone(), paths: Paths::All }
    }

    /// Returns a handle to the link between two hosts, in both directions.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if one of the hosts does not exist (the error lists the hosts), or if both are the same host: its
    /// loopback has no faults.
    pub fn link(&self, a: &str, b: &str) -> io::Result<Link> {
        self.link_of(a, b, Paths::Both)
    }

    /// Returns a handle to one direction of the link between two hosts.
    ///
    /// # Errors
    ///
    /// As [`link`](Self::link).
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
    /// Sets the options of the link, for everything that is sent from now on.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for an invalid option, which the error names; nothing is changed then.
    pub fn set(&self, options: &LinkOptions) -> io::Result<()> {
        self.world.with(|state| state.set_links(self.paths, options))
    }

    /// Partitions the hosts: whatever would arrive is lost.
    ///
    /// A TCP connection retransmits until the link heals, and fails with `TimedOut` after 924.6 s, as on Linux
    /// (`tcp_retries2`). A connection attempt is repeated, and fails with `TimedOut` after 127 s.
    pub fn partition(&self) {
        self.world.with(|state| state.network.cut(&mut state.clock, self.paths, true));
    }

    /// Ends a [`partition`](Self::partition). Faults drawn by [`Sim::inject`] end at their own time.
    pub fn heal(&self) {
        self.world.with(|state| state.network.cut(&mut state.clock, self.paths, false));
    }

    /// Holds the link: whatever would arrive is queued until [`release`](Self::release), and no connection times out
    /// meanwhile.
    pub fn hold(&self) {
        self.world.with(|state| state.network.hold(&mut state.clock, self.paths, true));
    }

    /// Ends a [`hold`](Self::hold): everything that was queued arrives, in order.
    pub fn release(&self) {
        self.world.with(|state| state.network.hold(&mut state.clock, self.paths, false));
    }

    /// Resets all TCP connections over the link, as a middlebox would: both ends see a reset at once.
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
