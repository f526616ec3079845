use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::log;
use super::panics;
use super::replay::Replay;
use super::task::wait_in_closure;
use super::world::World;
use super::{Owner, Policy, Sim};
use crate::runtime::task::native::async_task::WAIT_IN_CLOSURE;

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
    /// Of the faults that the seed has drawn, those that happen; None: all.
    pub(super) only_faults: Option<Vec<usize>>,
    /// More are an error.
    pub(super) max_steps: Option<u64>,
    pub(super) threads: Option<usize>,
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
        self.logged = keep;
        self
    }

    /// Makes it.
    ///
    /// A seed of the environment comes with as many choices as `ANYRT_SIM_CHOICES` and the faults of `ANYRT_SIM_FAULTS`, if
    /// they are set: those that [`sim::explore`](super::explore) says.
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
    pub(super) fn replaying(mut self, replay: &Replay) -> Self {
        self.choices = replay.choices;
        self.only_faults = replay.faults.clone();
        self
    }

    /// With a log, if the environment wants one.
    pub(super) fn logged_to_a_file(mut self) -> Self {
        self.log_file = log::file_of_the_environment();
        if self.log_file.is_some() {
            panics::install();
        }
        self
    }

    pub(super) fn with_seed(&self, seed: u64) -> Sim {
        WAIT_IN_CLOSURE.get_or_init(|| wait_in_closure);
        let world = World::new(seed, self);
        Sim { owner: Some(Arc::new(Owner { world: world.clone() })), world, host: 0 }
    }
}
