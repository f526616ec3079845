use std::env;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::log;
use super::world::World;
use super::{Owner, Policy, Sim};

/// Where the seed comes from, unless it is set.
const SEED: &str = "ANYRT_SIM_SEED";

/// Sets up a simulation; made by [`Sim::builder`].
#[derive(Clone, Debug, Default)]
#[must_use = "it makes nothing before `build`"]
pub struct Builder {
    seed: Option<u64>,
    pub(super) policy: Policy,
    pub(super) spurious_wakes: Option<u32>,
    pub(super) cancel_at: Option<u64>,
    /// So many choices are the policy's; those after them go to whoever has been ready for the longest.
    pub(super) choices: Option<u64>,
    pub(super) logged: bool,
    pub(super) log_file: Option<PathBuf>,
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

    /// Polls, once in so many turns, a task that nobody has woken. Every future has to bear that; 0 is never.
    pub fn spurious_wakes(mut self, one_in: u32) -> Self {
        self.spurious_wakes = (one_in > 0).then_some(one_in);
        self
    }

    /// Cancels a task where it would be polled for the `poll`-th time, counted from 1 over the polls of all of them. Its
    /// handle says that it was aborted. The futures of `block_on` and blocking closures are not counted.
    ///
    /// # Examples
    ///
    /// What is left of a transfer that is cancelled wherever it can be:
    ///
    /// ```
    /// use anyrt::{BlockOn, Sim, Spawn};
    ///
    /// for poll in 1.. {
    ///     let sim = Sim::builder().cancel_at_poll(poll).build()?;
    ///     let transfer = sim.spawn(async { anyrt::yield_now().await });
    ///     let done = sim.block_on(transfer);
    ///     // … the money is at one of the two …
    ///     if sim.polls() < poll {
    ///         assert!(done.is_ok() && poll == 3);
    ///         break;
    ///     }
    ///     assert!(done.is_err_and(|error| error.is_cancelled()));
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn cancel_at_poll(mut self, poll: u64) -> Self {
        self.cancel_at = Some(poll);
        self
    }

    /// Keeps a log of everything that happens, for [`Sim::log`]; off unless set. It grows with every event.
    ///
    /// To look at a program without changing it, set the environment variable `ANYRT_SIM_LOG` to the name of a file: each
    /// simulation that is built then keeps a log, and writes it there when a `block_on` or an `advance` is over and when the
    /// simulation ends. It is JSON when the name ends in `.json`, a page with a timeline when it ends in `.html`, and else
    /// text. When there are several simulations in a process, the last to write wins. A file that cannot be written is told
    /// on stderr, and changes nothing else.
    pub fn log(mut self, keep: bool) -> Self {
        self.logged = keep;
        self
    }

    /// Makes it.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when `ANYRT_SIM_SEED` is needed and is no number, saying so.
    pub fn build(mut self) -> io::Result<Sim> {
        let seed = match self.seed {
            Some(seed) => seed,
            None => seed_of_the_environment()?,
        };
        self.log_file = env::var_os(log::FILE).filter(|file| !file.is_empty()).map(PathBuf::from);
        Ok(self.with_seed(seed))
    }

    pub(super) fn with_seed(&self, seed: u64) -> Sim {
        let world = World::new(seed, self);
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
