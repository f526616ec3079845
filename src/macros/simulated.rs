use std::ops::{Range, RangeInclusive};
use std::panic::Location;

use super::test::Outcome;
use super::{Body, Test};
use crate::Sim;
use crate::sim::Policy;

/// A test in a simulation.
#[derive(Debug)]
pub struct Simulated {
    test: Test,
    drive: fn(&Sim, Body),
    seeds: Option<Range<u64>>,
    policy: Policy,
    set_up: fn(&Sim),
}

impl Simulated {
    /// With one seed. `drive` is `block_on`, called where the test is: a simulation says where.
    pub fn new(test: Test, drive: fn(&Sim, Body)) -> Self {
        Self { test, drive, seeds: None, policy: Policy::default(), set_up: |_| {} }
    }

    /// With one seed after the other.
    pub fn seeds(self, seeds: impl Seeds) -> Self {
        Self { seeds: Some(seeds.range()), ..self }
    }

    /// Sets which task is next.
    pub fn policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// Does this before the test, in each simulation.
    pub fn with(self, set_up: fn(&Sim)) -> Self {
        Self { set_up, ..self }
    }

    /// Runs it.
    #[track_caller]
    pub fn run(self) {
        let Self { test, drive, seeds, policy, set_up } = self;
        let (limit, here) = (test.limit(), Location::caller());
        // With many seeds, it is each of them that may take so long.
        let of_all = if seeds.is_none() { Some(limit) } else { None };
        test.on_a_thread("sim", of_all, move |outcome| {
            let builder = Sim::builder().policy(policy).limit(limit);
            let program = |sim: &Sim| {
                set_up(sim);
                drive(sim, (test.body)(sim.clone().into()));
            };
            let blocked = |seed| drop(outcome.send(Outcome::Blocked(seed)));
            let found = builder.test(here, seeds, program, &blocked);
            let _ = outcome.send(found.map_or_else(Outcome::Failed, |()| Outcome::Ended));
        });
    }
}

/// Seeds as one may write them: how many, or which.
pub trait Seeds {
    /// Which.
    fn range(self) -> Range<u64>;
}

impl Seeds for u64 {
    fn range(self) -> Range<u64> {
        0..self
    }
}

impl Seeds for Range<u64> {
    fn range(self) -> Self {
        self
    }
}

impl Seeds for RangeInclusive<u64> {
    fn range(self) -> Range<u64> {
        *self.start()..self.end().saturating_add(1)
    }
}
