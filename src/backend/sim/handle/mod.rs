//! What the program holds of a simulation.

mod advance;
mod builder;
mod host;
mod link;
mod task;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::faults::{Fault, Faults};
use super::log::Log;
use super::world::World;

pub use builder::Builder;
pub use host::Host;
pub use link::Link;
pub(super) use task::{MainWaker, Place, start};

/// A deterministic simulation: its seed, its clock, its network and its hosts.
///
/// It is a runtime as well, whose tasks and sockets are on the host `main`; [`host`](Self::host) adds a [`Host`], which is a runtime
/// of its own. Tasks, blocking closures, timers and sockets all run on the thread in [`block_on`](crate::BlockOn::block_on), one at a
/// time. Timers of all hosts follow one clock; each host has a time of day of its own.
///
/// What differs from other runtimes: a blocking closure runs where its turn is, so one that waits for another task
/// without a `block_on` of the simulation waits for ever; `block_on` of another crate panics there, where it waits for a
/// handle, a sleep or a socket, and says what to write. Sockets are none of the system, and no other thread may wake a task,
/// or drive the simulation, while one thread does.
///
/// # Dropping
///
/// The last clone drops every task, as `shutdown_timeout` does. What outlives it fails with an error of kind `Other`, and a
/// sleep panics, also where somebody waits for it already.
///
/// A clone that a task holds is one of them: a task that never ends and has one keeps its simulation in memory, though nobody
/// is left to run it. `shutdown_timeout` drops both, and [`explore`](crate::sim::explore) and
/// [`check_deterministic`](crate::sim::check_deterministic) do it by themselves. What a task finds with
/// [`AnyRuntime::current`](crate::AnyRuntime::current), and what [`Host::boot`] is given, keeps nothing alive.
///
/// # Panics
///
/// `block_on` panics, beside what it says itself, and names the tasks with the place where each was spawned, what it waits
/// for, the virtual time and the seed:
///
/// - when nobody is ready and nothing will happen any more;
/// - when another thread wakes a task;
/// - when so many polls have passed without an event, and without a task that begins or ends, that they are a loop: a
///   million, and sixteen for each task.
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
    /// A simulation with the seed of the environment variable `ANYRT_SIM_SEED`, or 0.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when that is no number.
    pub fn new() -> io::Result<Self> {
        Self::builder().build()
    }

    /// A simulation to be set up: its seed, and which task it chooses.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Its seed.
    pub fn seed(&self) -> u64 {
        self.world.seed
    }

    /// How much time has passed in it.
    pub fn elapsed(&self) -> Duration {
        self.world.elapsed()
    }

    /// How many times tasks were polled, the futures of `block_on` and blocking closures left out.
    pub fn polls(&self) -> u64 {
        self.world.with(|state| state.polls)
    }

    /// A hash over everything that has happened: every poll, wake, timer and packet, with its time and contents.
    ///
    /// Two runs of one program with one seed have the same, in another process and on another machine as well.
    pub fn trace_hash(&self) -> u64 {
        self.world.with(|state| state.clock.trace.hash())
    }

    /// Draws faults from the seed, which happen from now on, and returns them. Each comes to an end, so that the program
    /// can see afterwards that all is well.
    ///
    /// Victims are among the hosts that there are. Faults may overlap.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when there is nobody for one of them to happen to, or a probability is none; then none is drawn.
    pub fn inject(&self, faults: &Faults) -> io::Result<Vec<Fault>> {
        self.world.with(|state| state.inject(faults))
    }

    /// What has happened so far, if the simulation keeps a log: see [`Builder::log`]. It is empty if it does not.
    pub fn log(&self) -> Log {
        self.world.log()
    }

    /// One that owns its simulation.
    fn new_owned(world: Arc<World>) -> Self {
        Self { owner: Some(Arc::new(Owner { world: world.clone() })), world, host: 0 }
    }

    /// A handle that does not keep it alive.
    pub(super) fn found(world: Arc<World>, host: usize) -> Self {
        Self { world, host, owner: None }
    }

    /// A handle that does not keep it alive.
    pub(crate) fn unowned(&self) -> Self {
        Self::found(self.world.clone(), self.host)
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
