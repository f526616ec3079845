//! The handles that a program holds of a simulation.

mod advance;
mod builder;
mod dns;
mod host;
mod link;
mod task;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::io;
use std::sync::Arc;
#[cfg(feature = "signal")]
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use super::faults::{Fault, Faults};
use super::log::Log;
use super::world::{LongPoll, World};

pub use builder::Builder;
pub use dns::Dns;
pub use host::Host;
pub use link::Link;
pub(super) use task::{MainWaker, Place, start};

/// A deterministic simulation: its seed, its clock, its network and its hosts.
///
/// It is also a runtime, whose tasks and sockets are on the host `main`; [`host`](Self::host) adds a [`Host`], which is
/// a runtime as well. Tasks, blocking closures, timers and sockets all run on the thread in
/// [`block_on`](crate::BlockOn::block_on), one at a time. Timers of all hosts follow one clock, unless that of a host
/// [drifts](crate::sim::Faults::clock_drifts); each host has a time of day of its own.
///
/// Differences from other runtimes: a blocking closure runs on the same thread when its turn comes, so a closure that
/// waits for another task without the simulation's `block_on` waits for ever. In a closure, `block_on` of another crate
/// panics if it waits for a task handle, a sleep or a socket; the message says what to write. Sockets are in memory.
/// While one thread drives the simulation, no other thread may drive it or wake its tasks. While all tasks that are ready
/// only [yield](crate::Spawn::yield_now), the clock [advances](crate::guide::simulation#what-lets-time-pass).
///
/// # Dropping
///
/// Dropping the last clone drops every task, as `shutdown_timeout` does. Sockets that outlive the simulation fail with
/// an error of kind `Other`; sleeps panic, including pending ones.
///
/// Clones that tasks hold count: a task that never ends and holds a clone keeps its simulation in memory, even if no
/// thread runs it. `shutdown_timeout` drops both; [`explore`](crate::sim::explore) and
/// [`check_deterministic`](crate::sim::check_deterministic) call it themselves. The handles returned by
/// [`AnyRuntime::current`](crate::AnyRuntime::current) and passed to the program of [`Host::boot`] are weak.
///
/// # Panics
///
/// `block_on` panics in these cases, too. The message names the tasks, where each was spawned and what it waits for,
/// the virtual time and the seed:
///
/// - if no task is ready and nothing will happen any more;
/// - if another thread wakes a task;
/// - if the tasks loop: a million polls, plus sixteen for each task, without an event and without a task that begins or
///   ends.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use anyrt::{BlockOn, Sim, Spawn, Time};
///
/// let sim = Sim::builder().seed(7).build()?;
/// let start = sim.now();
/// sim.block_on(async {
///     let other = sim.clone();
///     let task = sim.spawn(async move { other.sleep(Duration::from_secs(3600)).await });
///     task.await
/// })?;
/// assert_eq!(sim.now() - start, Duration::from_secs(3600)); // and it took no time at all
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Sim {
    pub(super) world: Arc<World>,
    pub(super) host: usize,
    // None: a handle that was found.
    owner: Option<Arc<Owner>>,
}

/// What the clones of an owned simulation have in common.
struct Owner {
    world: Arc<World>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        if thread::panicking() {
            self.world.dies();
        }
        self.world.close();
    }
}

impl Sim {
    /// Creates a simulation with the seed in the environment variable `ANYRT_SIM_SEED`, or 0.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the variable is not a number.
    pub fn new() -> io::Result<Self> {
        Self::builder().build()
    }

    /// Returns a builder of a simulation: seed, scheduling policy, log.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Returns the seed.
    pub fn seed(&self) -> u64 {
        self.world.seed.first
    }

    /// Returns the virtual time that has passed.
    pub fn elapsed(&self) -> Duration {
        self.world.elapsed()
    }

    /// Returns the number of polls of tasks, without the futures of `block_on` and blocking closures.
    pub fn polls(&self) -> u64 {
        self.world.with(|state| state.polls)
    }

    /// Returns the longest poll or destructor so far, in real time; `None` unless [`Builder::max_poll`] is set.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use anyrt::{BlockOn, Sim, Spawn};
    ///
    /// let sim = Sim::builder().max_poll(Duration::MAX).build()?;
    /// let task = sim.spawn(async { std::thread::sleep(Duration::from_millis(20)) });
    /// sim.block_on(task).unwrap();
    /// let longest = sim.longest_poll().unwrap();
    /// assert!(longest.took >= Duration::from_millis(20));
    /// assert_eq!(longest.spawned_at.file(), file!());
    /// println!("{longest}"); // #1, a task, spawned at src/main.rs:6:16, on host "main": 20.1ms
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn longest_poll(&self) -> Option<LongPoll> {
        self.world.longest_poll()
    }

    /// Returns a hash over all events so far: every poll, wake, timer and packet, with its time and contents.
    ///
    /// Two runs of one program with one seed have the same hash, also in different processes and on different machines.
    pub fn trace_hash(&self) -> u64 {
        self.world.with(|state| state.clock.trace.hash())
    }

    /// Draws faults from the seed, schedules them from now on, and returns them. Each fault ends, so the program can
    /// check afterwards that it has recovered.
    ///
    /// The faults affect hosts that exist at this time. Faults may overlap.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there is no host that a fault could affect, or if a probability is not between 0 and 1; no
    /// fault is drawn then.
    pub fn inject(&self, faults: &Faults) -> io::Result<Vec<Fault>> {
        self.world.with(|state| state.inject(faults))
    }

    /// Names conditions of [`sometimes!`](crate::sometimes!) that must be true in some run of [`explore`](crate::sim::explore): a
    /// place that no run reaches is not known to the process, and does not fail.
    ///
    /// Call it anywhere in the program of `explore`, or in what the option `with` of `#[anyrt::test]` names. Elsewhere it has no
    /// effect.
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt::{BlockOn, Sim, sim::explore};
    ///
    /// let program = |sim: &Sim| {
    ///     sim.expect_sometimes(["a leader changes"]);
    ///     sim.block_on(async { /* nobody looks for a leader */ });
    /// };
    /// let found = std::panic::catch_unwind(|| explore(0..100, program)).unwrap_err();
    /// let text = found.downcast_ref::<String>().unwrap();
    /// assert!(text.contains("\"a leader changes\" is expected, and no place of that name was reached"), "{text}");
    /// ```
    pub fn expect_sometimes<N: Into<String>>(&self, names: impl IntoIterator<Item = N>) {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        self.world.with(|state| names.into_iter().for_each(|name| state.places.expect(name)));
    }

    /// Returns the log of all events so far; empty unless the simulation keeps a log, see [`Builder::log`].
    pub fn log(&self) -> Log {
        self.world.log()
    }

    /// One that owns its simulation.
    fn new_owned(world: Arc<World>) -> Self {
        Self { owner: Some(Arc::new(Owner { world: world.clone() })), world, host: 0 }
    }

    /// Returns a weak handle, which does not keep the runtime alive.
    pub(super) fn found(world: Arc<World>, host: usize) -> Self {
        Self { world, host, owner: None }
    }

    /// Returns a weak handle, which does not keep the runtime alive.
    pub(crate) fn unowned(&self) -> Self {
        Self::found(self.world.clone(), self.host)
    }

    /// Pending for ever: no signal arrives in a simulation.
    #[cfg(feature = "signal")]
    pub(crate) fn poll_signal<T>(&self, cx: &Context<'_>) -> Poll<T> {
        self.world.wait_for_signal(cx.waker());
        Poll::Pending
    }

    pub(super) fn is_owned(&self) -> bool {
        self.owner.is_some()
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.world.with(|state| state.network.host_name(self.host).to_owned());
        f.debug_struct("Sim").field("seed", &self.world.seed).field("host", &host).finish_non_exhaustive()
    }
}

/// Whether both are handles to one host of one simulation.
impl PartialEq for Sim {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.world, &other.world) && self.host == other.host
    }
}

impl Eq for Sim {}

impl Hash for Sim {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (Arc::as_ptr(&self.world), self.host).hash(state);
    }
}
