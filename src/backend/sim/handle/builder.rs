use std::io;
use std::time::Duration;

use super::Sim;
use super::task::{choose_local, wait_in_closure};
use crate::backend::sim::log;
use crate::backend::sim::panics;
use crate::backend::sim::replay::{Replay, Seed};
use crate::backend::sim::schedule::Policy;
use crate::backend::sim::world::{Config, World};
use crate::runtime::task::local;
use crate::runtime::task::native::async_task::WAIT_IN_CLOSURE;

/// Builder of a simulation; returned by [`Sim::builder`].
#[derive(Clone, Debug, Default)]
#[must_use = "it makes nothing before `build`"]
pub struct Builder {
    seed: Option<u64>,
    pub(in crate::backend::sim) config: Config,
    pub(crate) threads: Option<usize>,
    pub(in crate::backend::sim) guided: bool,
}

impl Builder {
    /// Sets the seed. Default: the environment variable `ANYRT_SIM_SEED`, or 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Sets the scheduling policy: which ready task runs next.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.config.policy = policy;
        self
    }

    /// Adds spurious wake-ups: once in `one_in` turns, on average, polls a task that was not woken. Every future must
    /// tolerate that. 0, the default, is never.
    pub fn spurious_wakes(mut self, one_in: u32) -> Self {
        self.config.spurious_wakes = (one_in > 0).then_some(one_in);
        self
    }

    /// Aborts the task that is about to make the `poll`-th poll of the simulation. Polls are counted from 1 over all
    /// tasks, without the futures of `block_on` and blocking closures. The task's handle returns an error that it was
    /// aborted.
    ///
    /// # Examples
    ///
    /// Example: a transfer, cancelled at every point at which it can be:
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

    /// Sets how long a poll may take in real time. By default, polls are not measured.
    ///
    /// This finds code that blocks its thread: on other runtimes, such a poll delays the tasks and timers of its thread. A
    /// longer poll makes `block_on` panic, and so the program of [`explore`](Self::explore) fail. The message names the
    /// task, where it was spawned, and how long the poll took. [`Sim::longest_poll`] returns the longest one; with a limit
    /// of `Duration::MAX`, nothing fails.
    ///
    /// What counts is each poll of a task and of the future of a `block_on`, and the destructor of each task. Blocking
    /// closures may take as long as they want. A poll that panics is not measured, because printing a backtrace takes long.
    /// Tasks that are dropped when the simulation ends make `explore` and `#[anyrt::test]` fail; elsewhere, only
    /// `longest_poll` shows them.
    ///
    /// The run, its log and its [trace hash](Sim::trace_hash) are the same with and without this option, up to a failure.
    /// The failure itself depends on the machine, so choose a limit far above what polls take: 50 ms, and more in builds
    /// without optimisation. On Linux, the time for which the thread waits for a CPU does not count; on an overloaded
    /// machine a long poll may be missed. On other systems such waits count, and a program may fail for nothing else.
    ///
    /// A poll that never ends is not interrupted: the simulation hangs, as without this option. `#[anyrt::test]` reports
    /// that after its timeout.
    ///
    /// # Examples
    ///
    /// ```should_panic
    /// use std::time::Duration;
    ///
    /// use anyrt::{BlockOn, Sim, Spawn, Time};
    ///
    /// let sim = Sim::builder().max_poll(Duration::from_millis(50)).build().unwrap();
    /// let task = sim.spawn(async { std::thread::sleep(Duration::from_millis(100)) });
    /// sim.block_on(task).unwrap();
    /// ```
    pub fn max_poll(mut self, limit: Duration) -> Self {
        self.config.max_poll = Some(limit);
        self
    }

    /// Sets the number of threads on which [`explore`](Self::explore) runs seeds, at least one. Default: the number of
    /// processors.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Makes the search of [`explore`](Self::explore) a guided one, for bugs that take several rare orders in a row. Default: off.
    ///
    /// Half of the runs are seeds of the range, in order. Each other run repeats an earlier one that did something new, up to one of
    /// its steps; from there on everything is drawn from another seed. Faults that were drawn before that step stay. New is which
    /// kind of event follows which, about how often, and in tasks of which place or on the path between which hosts; what a task
    /// waits for; and a [`sometimes!`](crate::sometimes!) that is true. The contents of messages do not count. So a
    /// `sometimes!(term > 3, "…")` says what is worth going on from where events do not tell.
    ///
    /// The range is the number of runs; it has seeds that are not run. A run of a guided search takes about twice as long. What the search
    /// finds follows from the range and does not depend on the number of threads; it is the first run that fails, not the smallest
    /// seed. The report has a seed such as `812@37,9113`: 812 for 37 steps, and 9113 from then on. `ANYRT_SIM_SEED` takes it.
    ///
    /// If the environment variable `ANYRT_SIM_GUIDED` is set, it decides: 1 is on, 0 is off. Each shard of a search guides itself.
    /// A program that is not deterministic cannot be guided.
    ///
    /// # Examples
    ///
    /// A bug in the third round of a game that the last of eight players wins each time, one of 512 runs:
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    ///
    /// use anyrt::{BlockOn, Sim, Spawn};
    ///
    /// fn game(sim: &Sim) {
    ///     for _ in 0..3 {
    ///         let arrived = Arc::new(Mutex::new(Vec::new()));
    ///         let players: Vec<_> = (0..8).map(|player| {
    ///             let arrived = arrived.clone();
    ///             sim.spawn(async move { arrived.lock().unwrap().push(player) })
    ///         }).collect();
    ///         sim.block_on(async {
    ///             for player in players {
    ///                 player.await.unwrap();
    ///             }
    ///         });
    ///         if arrived.lock().unwrap()[0] != 7 {
    ///             return;
    ///         }
    ///     }
    ///     panic!("it has won three times");
    /// }
    ///
    /// let search = || Sim::builder().guided(true).explore(0..10_000, game);
    /// let found = std::panic::catch_unwind(search).unwrap_err();
    /// assert!(found.downcast_ref::<String>().unwrap().contains("it has won three times"));
    /// ```
    pub fn guided(mut self, guided: bool) -> Self {
        self.guided = guided;
        self
    }

    /// Keeps a log of all events, for [`Sim::log`]. Default: off. The log grows with every event.
    ///
    /// To log a program without changing it, set the environment variable `ANYRT_SIM_LOG` to a file name: each
    /// simulation then keeps a log, and writes it to the file after each `block_on` or `advance` and when the
    /// simulation ends. The format is JSON if the name ends in `.json`, a page with a timeline if it ends in `.html`,
    /// and text otherwise. If a process has several simulations, the last to write wins. To log the locations of
    /// panics, this installs a [panic hook](std::panic::set_hook), which calls the previous one. If the file cannot be
    /// written, a message goes to stderr, with no other effect. The search of [`explore`](Self::explore) writes no log;
    /// replaying a seed does. The variable is read once, by the first simulation of the process.
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

    /// Builds the simulation.
    ///
    /// `ANYRT_SIM_SEED` may also be what a [guided](Self::guided) search prints. If the seed comes from the environment, `ANYRT_SIM_CHOICES` limits the scheduling choices and `ANYRT_SIM_FAULTS`
    /// selects the faults. [`sim::explore`](crate::sim::explore) prints their values.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if one of the variables is needed and has a bad value; the error names both.
    pub fn build(self) -> io::Result<Sim> {
        match self.seed {
            Some(seed) => Ok(self.logged_to_a_file().with_seed(seed)),
            None => {
                let replay = Replay::of_the_environment()?.unwrap_or_default();
                Ok(self.replaying(&replay).logged_to_a_file().with_seed(replay.seed.clone()))
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

    pub(in crate::backend::sim) fn with_seed(&self, seed: impl Into<Seed>) -> Sim {
        WAIT_IN_CLOSURE.get_or_init(|| wait_in_closure);
        local::CHOOSE.get_or_init(|| choose_local);
        Sim::new_owned(World::new(seed.into(), &self.config))
    }
}
