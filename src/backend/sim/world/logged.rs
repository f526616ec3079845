//! Entries of the log besides events: notes, panics and the end of the program.

use std::fmt;
use std::panic::resume_unwind;

use super::current::current;
use super::{State, World};
use crate::backend::sim::log::{Kind, Log, hash};
use crate::backend::sim::panics::{self, Panic};
use crate::runtime::task::catch_panic::catch_panic;

/// Adds a line to the log of the current simulation. The line is part of the [trace hash](crate::Sim::trace_hash).
///
/// Outside of a simulation it has no effect and does not format `text`, so libraries can keep their calls.
///
/// # Examples
///
/// ```
/// use anyrt::{BlockOn, Sim, sim::note};
///
/// let sim = Sim::builder().log(true).build()?;
/// sim.block_on(async { note(format_args!("term {}: I am the leader", 3)) });
/// assert!(sim.log().to_string().contains("note: term 3: I am the leader"));
/// note("nobody hears this");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn note(text: impl fmt::Display) {
    let Some((world, host)) = current() else { return };
    let text = text.to_string();
    world.with(|state| {
        let task = state.clock.whose_turn();
        let payload = hash(text.as_bytes());
        state.clock.record(Kind::Note, task.unwrap_or(0), payload);
        if let Some(log) = state.clock.trace.log() {
            log.says(host, text);
        }
    });
}

/// Runs a closure, and logs a panic of it.
pub(crate) fn panicking<T>(job: impl FnOnce() -> T) -> T {
    catch_panic(job).unwrap_or_else(|payload| {
        panicked(panics::caught(&payload));
        resume_unwind(payload)
    })
}

/// A task has panicked.
pub(crate) fn panicked(panic: Panic) {
    let Some((world, host)) = current() else { return };
    world.with(|state| {
        let task = state.clock.whose_turn().unwrap_or(0);
        state.poll_panics();
        state.panicked(Kind::Panicked, host, task, panic);
    });
}

impl World {
    pub(crate) fn log(&self) -> Log {
        self.with(|state| self.log_of(state))
    }

    pub(crate) fn log_of(&self, state: &State) -> Log {
        Log::new(self.seed.clone(), state.tasks.schedule.policy(), state.network.hosts(), &state.clock.trace)
    }

    /// The program has failed: the page of the log opens there.
    pub(crate) fn failed(&self, panic: Panic) {
        self.end(Kind::Failed, 0, 0, panic);
    }

    /// The simulation is dropped by a panic.
    pub(crate) fn dies(&self) {
        self.failed(panics::current());
    }

    /// A panic unwinds a `block_on`.
    pub(super) fn unwinds(&self, host: usize, main: u64) {
        self.end(Kind::Panicked, host, main, panics::current());
    }

    fn end(&self, kind: Kind, host: usize, task: u64, panic: Panic) {
        self.with(|state| state.panicked(kind, host, task, panic));
    }

    /// Writes the log to the file that the environment names, unless a thread drives the simulation or nothing is new.
    pub(super) fn save_log(&self) {
        let due = self.with(|state| {
            if state.is_driven() {
                return None;
            }
            let file = state.clock.trace.log()?.due()?;
            Some((file, self.log_of(state)))
        });
        if let Some((file, log)) = due {
            log.save_as_wanted(&file);
        }
    }
}

impl State {
    fn panicked(&mut self, kind: Kind, host: usize, task: u64, panic: Panic) {
        let nanos = self.clock.nanos;
        if let Some(log) = self.clock.trace.log() {
            log.add(nanos, kind, task, 0);
            log.panicked(host, panic);
        }
    }
}
