//! Links, by the names of hosts.

use std::io::{self, ErrorKind};

use super::Sim;
use crate::backend::sim::net::Link;
use crate::backend::sim::network::Paths;

impl Sim {
    /// Every link between two hosts, those of hosts to come included.
    pub fn links(&self) -> Link {
        Link::new(&self.world, Paths::All)
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
        Ok(Link::new(&self.world, paths(from, to)))
    }
}
