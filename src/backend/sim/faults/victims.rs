//! Whom a fault hits.

use std::io;

use crate::backend::sim::network::Network;
use crate::backend::sim::random::Random;
use crate::runtime::net::options::invalid;

/// Hosts, and how often each is drawn.
pub(super) struct Victims {
    hosts: usize,
    // `None`: all of them, alike.
    weights: Option<Vec<(usize, u32)>>,
}

impl Victims {
    pub(super) fn new(network: &Network, weights: &[(String, u32)]) -> io::Result<Self> {
        let hosts = network.hosts().count();
        if weights.is_empty() {
            return Ok(Self { hosts, weights: None });
        }
        let index = |(name, weight): &(String, u32)| Ok((network.host_named(name)?, *weight));
        let weights = weights.iter().map(index).collect::<io::Result<Vec<_>>>()?;
        if weights.iter().all(|(_, weight)| *weight == 0) {
            return Err(invalid("victims", "all weights are 0, so nobody could be hit; 1 is the least"));
        }
        Ok(Self { hosts, weights: Some(weights) })
    }

    /// Those of these hosts that may be hit.
    pub(super) fn of(&self, hosts: &[usize]) -> Self {
        let weight = |host: usize| match &self.weights {
            None => 1,
            Some(weights) => weights
                .iter()
                .filter(|(of, _)| *of == host)
                .fold(0, |sum: u32, (_, weight)| sum.saturating_add(*weight)),
        };
        let weights = hosts.iter().map(|host| (*host, weight(*host))).filter(|(_, weight)| *weight > 0);
        Self { hosts: self.hosts, weights: Some(weights.collect()) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.weights.as_ref().is_some_and(Vec::is_empty)
    }

    /// One host.
    pub(super) fn host(&self, random: &mut Random) -> usize {
        let Some(weights) = &self.weights else { return random.below(self.hosts as u64) as usize };
        let sum = weights.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut drawn = random.below(sum);
        for (host, weight) in weights {
            match drawn.checked_sub(u64::from(*weight)) {
                Some(left) => drawn = left,
                None => return *host,
            }
        }
        0
    }

    /// Two different hosts, in the order of their path.
    pub(super) fn pair(&self, random: &mut Random) -> [usize; 2] {
        let a = self.host(random);
        let b = random.below(self.hosts as u64 - 1) as usize;
        let pair = [a, b + usize::from(b >= a)];
        // Without weights either may be the first one.
        if self.weights.is_some() && random.below(2) == 0 { [pair[1], pair[0]] } else { pair }
    }
}
