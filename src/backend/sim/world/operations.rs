//! Operations of clients in the log.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::World;
use super::current::current;
use crate::backend::sim::log::{Kind, hash};

/// An operation in the log of a simulation.
#[derive(Clone, Debug)]
pub(crate) struct Traced {
    world: Weak<World>,
    number: u64,
}

/// The virtual time, in a simulation.
pub(crate) fn virtual_time() -> Option<Duration> {
    current().map(|(world, _)| world.elapsed())
}

/// A client begins an operation. Outside of a simulation `text` is not called.
pub(crate) fn called(client: &str, text: impl FnOnce() -> String) -> Option<Traced> {
    let (world, host) = current()?;
    let text = text();
    let number = world.with(|state| {
        let (nanos, task) = (state.clock.nanos, state.clock.whose_turn().unwrap_or(0));
        let number = state.clock.trace.operation();
        state.clock.trace.record(nanos, Kind::Called, task, payload(client, &text));
        if let Some(log) = state.clock.trace.log() {
            log.operation(host, number, client, text);
        }
        number
    });
    Some(Traced { world: Arc::downgrade(&world), number })
}

impl Traced {
    /// It returns. `text` is not called if its simulation is gone.
    pub(crate) fn returned(&self, client: &str, text: impl FnOnce() -> String) {
        let Some(world) = self.world.upgrade() else { return };
        let text = text();
        // It may be the program that says so, after the simulation has run.
        let host = current().map_or(0, |(_, host)| host);
        world.with(|state| {
            let task = state.clock.whose_turn().unwrap_or(0);
            state.clock.record(Kind::Returned, task, payload(client, &text));
            if let Some(log) = state.clock.trace.log() {
                log.operation(host, self.number, client, text);
            }
        });
    }

    /// These operations contradict each other.
    pub(crate) fn contradict(operations: &[&Self], text: &str) {
        let Some(world) = operations.iter().find_map(|traced| traced.world.upgrade()) else { return };
        let is_of_it = |traced: &&&Self| std::ptr::eq(traced.world.as_ptr(), &*world);
        let numbers = operations.iter().filter(is_of_it).map(|traced| traced.number).collect();
        world.with(|state| {
            let nanos = state.clock.nanos;
            if let Some(log) = state.clock.trace.log() {
                log.contradiction(nanos, numbers, text.to_owned());
            }
        });
    }
}

fn payload(client: &str, text: &str) -> u64 {
    hash(format!("{client}: {text}").as_bytes())
}
