//! What `buggify!` and `sometimes!` call.

use std::panic::Location;

use super::current::{current_or_program, is_in_simulation};
use crate::backend::sim::log::Kind;

/// Whether this thread runs code of a simulation.
#[inline]
#[doc(hidden)]
pub fn __is_in_simulation() -> bool {
    is_in_simulation()
}

/// Whether a rare branch is taken here.
#[cold]
#[track_caller]
#[doc(hidden)]
pub fn __buggify(module: &'static str, probability: f64) -> bool {
    let place = Location::caller();
    let Some((world, host)) = current_or_program() else { return false };
    world.with(|state| {
        let Some(payload) = state.places.fires(*place, module, probability) else { return false };
        let task = state.clock.whose_turn().unwrap_or(0);
        state.clock.record(Kind::Buggified, task, payload);
        if let Some(log) = state.clock.trace.log() {
            log.says(host, place.to_string());
        }
        true
    })
}

/// Counts a condition.
#[cold]
#[track_caller]
#[doc(hidden)]
pub fn __sometimes(condition: bool, name: &'static str) {
    let place = Location::caller();
    if let Some((world, _)) = current_or_program() {
        world.with(|state| {
            state.places.count(*place, name, condition);
            if condition {
                state.clock.trace.holds(place);
            }
        });
    }
}
