//! One run of a program.

use super::failure::Failure;
use crate::backend::sim::handle::{Builder, Sim};
use crate::backend::sim::log::{Log, News};
use crate::backend::sim::panics::{Panic, Quiet};
use crate::backend::sim::places::Counted;
use crate::backend::sim::replay::Seed;
use crate::backend::sim::world::InProgram;
use crate::runtime::task::catch_panic::catch_panic;

/// Returns what went wrong, if it does not panic.
pub(super) type Program<'a> = dyn Fn(&Sim) -> Option<String> + Sync + 'a;

/// What a run came to.
pub(super) struct Run {
    pub(super) failure: Option<Failure>,
    /// The first panic, also if it was that of a task, which has not failed the run.
    pub(super) panic: Option<Panic>,
    pub(super) choices: u64,
    /// What was drawn, in words, if it has failed.
    pub(super) faults: Vec<String>,
    pub(super) steps: u64,
    /// It has reached the limit of its builder.
    pub(super) too_long: bool,
    /// It has failed because of a poll that took too long, in real time.
    pub(super) has_blocked: bool,
    pub(super) hash: u64,
    pub(super) log: Log,
    /// Where `buggify!` was true, in words, if it has failed.
    pub(super) buggified: Vec<String>,
    pub(super) counted: Counted,
    /// What may be new in it, for a guided search.
    pub(super) news: News,
}

impl Run {
    pub(super) fn of(builder: &Builder, seed: Seed, program: &Program<'_>) -> Self {
        // Until the simulation is gone: destructors may panic as well.
        let quiet = Quiet::begin(seed.clone());
        let sim = Ending::new(builder.with_seed(seed));
        let outcome = catch_panic(|| program(&sim.sim));
        let has_ended_well = matches!(outcome, Ok(None));
        let panics = quiet.take();
        let panic = panics.first().cloned();
        let failure = match sim.sim.world.which_boot_panicked().filter(|_| has_ended_well) {
            Some(panicked) => Some(Failure::of_a_host(panicked, panics)),
            None => Failure::new(outcome, panics),
        };
        let mut run = sim.sim.world.with(|state| Self {
            failure,
            panic,
            choices: state.tasks.schedule.choices(),
            faults: Vec::new(),
            steps: state.steps,
            too_long: state.too_long,
            has_blocked: state.has_blocked(),
            hash: state.clock.trace.hash(),
            log: sim.sim.world.log_of(state),
            buggified: Vec::new(),
            counted: state.places.take_counted(),
            news: state.clock.trace.take_news(),
        });
        if let Some(why) = sim.close().filter(|_| run.failure.is_none()) {
            run.failure = Some(Failure::of_the_end(why));
            run.has_blocked = true;
        }
        // Few runs fail, and nobody reads it of others.
        if run.failure.is_some() {
            sim.sim.world.with(|state| {
                run.faults = state.faults.in_words();
                run.buggified = state.places.fired();
            });
        }
        run
    }
}

/// A simulation that is over when this is dropped, also where its tasks have handles that own it. Until then this thread runs
/// its program.
pub(super) struct Ending {
    pub(super) sim: Sim,
    _program: InProgram,
}

impl Ending {
    pub(super) fn new(sim: Sim) -> Self {
        Self { _program: InProgram::enter(&sim.world), sim }
    }

    /// Drops its tasks. Returns what is wrong if one of their destructors took too long.
    pub(super) fn end(self) -> Option<Box<str>> {
        self.close()
    }

    fn close(&self) -> Option<Box<str>> {
        self.sim.world.close();
        self.sim.world.too_long()
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.sim.world.close();
    }
}
