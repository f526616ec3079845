use std::cell::Cell;
use std::ops::Range;
use std::task::{Context, Poll};

use crate::current;
use crate::runtime::random_seed_of_the_system;
use crate::runtime::task::coop;
use crate::thread::{Place, RuntimeKind, innermost};

/// `count` consecutive numbers from a random start, which follows from the seed in a simulation.
pub fn from_anywhere(count: usize) -> Range<usize> {
    let number = match innermost() {
        Some(Place::In(RuntimeKind::Sim | RuntimeKind::Wrapped) | Place::Entered(_)) => {
            current::random_seed()
        }
        _ => next(),
    };
    let first = (number % count as u64) as usize;
    first..first + count
}

/// A poll of several futures, which counts as one operation when it is ready.
pub fn counted<T>(cx: &mut Context<'_>, poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    coop::poll_around(cx, poll)
}

/// xorshift64 of Marsaglia, once a thread: an order for futures needs no better, and this is in each poll.
fn next() -> u64 {
    thread_local! {
        static STATE: Cell<u64> = const { Cell::new(0) };
    }
    let mut state = match STATE.get() {
        0 => random_seed_of_the_system() | 1,
        state => state,
    };
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    STATE.set(state);
    state >> 32
}
