use std::env;
use std::io;
use std::sync::Arc;

use super::world::World;
use super::{Owner, Sim};

/// Where the seed comes from, unless it is set.
const SEED: &str = "ANYRT_SIM_SEED";

/// Which of the tasks that are ready runs next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// Any of them, as the seed has it: the one that finds what depends on the order.
    #[default]
    Random,
    /// The one that has been ready for the longest, as most runtimes do.
    Fifo,
    /// The one that was woken last.
    Lifo,
}

/// Sets up a simulation; made by [`Sim::builder`].
#[derive(Clone, Debug, Default)]
#[must_use = "it makes nothing before `build`"]
pub struct Builder {
    seed: Option<u64>,
    policy: Policy,
    // Which of the faults that are drawn happen; all unless set.
    pub(super) only_faults: Option<Vec<usize>>,
}

impl Builder {
    /// Sets the seed. Unless set, it is that of the environment variable `ANYRT_SIM_SEED`, or 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Sets which of the tasks that are ready runs next.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Makes it.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when `ANYRT_SIM_SEED` is needed and is no number, saying so.
    pub fn build(self) -> io::Result<Sim> {
        let seed = match self.seed {
            Some(seed) => seed,
            None => seed_of_the_environment()?,
        };
        Ok(self.make(seed, false))
    }

    /// One that keeps a list of what happens.
    pub(super) fn logged(self) -> Sim {
        let seed = self.seed.unwrap_or_default();
        self.make(seed, true)
    }

    fn make(self, seed: u64, logged: bool) -> Sim {
        let world = World::new(seed, self.policy, logged);
        let only = self.only_faults.map(|only| only.into_iter().collect());
        world.with(|state| state.only_faults = only);
        Sim { owner: Some(Arc::new(Owner { world: world.clone() })), world, host: 0 }
    }
}

fn seed_of_the_environment() -> io::Result<u64> {
    let Some(value) = env::var_os(SEED) else { return Ok(0) };
    value.to_str().and_then(|text| text.parse().ok()).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("anyrt: {SEED} is {value:?}, which is no seed: a number"),
        )
    })
}
