use std::io;
#[cfg(feature = "macros")]
use std::time::Duration;

use super::Sim;
use super::task::{choose_local, wait_in_closure};
use crate::backend::sim::log;
use crate::backend::sim::panics;
use crate::backend::sim::replay::Replay;
use crate::backend::sim::schedule::Policy;
use crate::backend::sim::world::{Config, World};
use crate::runtime::task::local;
use crate::runtime::task::native::async_task::WAIT_IN_CLOSURE;

/// Sets up a simulation; made by [`Sim::builder`].
#[derive(Clone, Debug, Default)]
#[must_use = "it makes nothing before `build`"]
pub struct Builder {
    seed: Option<u64>,
    pub(in crate::backend::sim) config: Config,
    pub(crate) threads: Option<usize>,
}

impl Builder {
    /// Sets the seed. Unless set, it is that of the environment variable `ANYRT_SIM_SEED`, or 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Sets which of the tasks that are ready runs next.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.config.policy = policy;
        self
    }

    /// Polls, once in so many turns, a task that nobody has woken. Every future has to bear that; 0 is never.
    pub fn spurious_wakes(mut self, one_in: u32) -> Self {
        self.config.spurious_wakes = (one_in > 0).then_some(one_in);
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
        self.config.cancel_at = Some(poll);
        self
    }

    /// Sets on how many threads [`explore`](Self::explore) runs seeds, of which there is at least one. Unless set, there are
    /// as many as processors.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Keeps a log of everything that happens, for [`Sim::log`]; off unless set. It grows with every event.
    ///
    /// To look at a program without changing it, set the environment variable `ANYRT_SIM_LOG` to the name of a file: each
    /// simulation that is built then keeps a log, and writes it there when a `block_on` or an `advance` is over and when the
    /// simulation ends. It is JSON when the name ends in `.json`, a page with a timeline when it ends in `.html`, and else
    /// text. When there are several simulations in a process, the last to write wins. So that panics are in it with their place,
    /// this sets a [panic hook](std::panic::set_hook), which calls the one that was there before. A file that cannot be written is told
    /// on stderr, and changes nothing else. A search of [`explore`](Self::explore) writes nothing; running a seed again does.
    pub fn log(mut self, keep: bool) -> Self {
        self.config.logged = keep;
        self
    }

    /// Sets how long it may take, in real time: more is a panic that says what its tasks wait for. A task that blocks the
    /// thread is not interrupted.
    #[cfg(feature = "macros")]
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.config.limit = Some(limit);
        self
    }

    /// Makes it.
    ///
    /// A seed of the environment comes with as many choices as `ANYRT_SIM_CHOICES` and the faults of `ANYRT_SIM_FAULTS`, if
    /// they are set: those that [`sim::explore`](crate::sim::explore) says.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when one of the variables is needed and is no number, saying which.
    pub fn build(self) -> io::Result<Sim> {
        match self.seed {
            Some(seed) => Ok(self.logged_to_a_file().with_seed(seed)),
            None => {
                let replay = Replay::of_the_environment()?.unwrap_or_default();
                Ok(self.replaying(&replay).logged_to_a_file().with_seed(replay.seed))
            }
        }
    }

    /// With what a run had beside its seed.
    pub(in crate::backend::sim) fn replaying(mut self, replay: &Replay) -> Self {
        self.config.choices = replay.choices;
        self.config.only_faults = replay.faults.clone();
        self
    }

    /// With a log, if the environment wants one.
    pub(crate) fn logged_to_a_file(mut self) -> Self {
        self.config.log_file = log::file_of_the_environment();
        if self.config.log_file.is_some() {
            panics::install();
        }
        self
    }

    pub(crate) fn with_seed(&self, seed: u64) -> Sim {
        WAIT_IN_CLOSURE.get_or_init(|| wait_in_closure);
        local::CHOOSE.get_or_init(|| choose_local);
        Sim::new_owned(World::new(seed, &self.config))
    }
}
