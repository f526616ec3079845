use std::env;
use std::ops::{Range, RangeInclusive};
use std::panic::{Location, resume_unwind};
use std::time::{Duration, Instant};

use super::test::Said;
use super::{Body, Test};
use crate::runtime::task::catch_panic::catch_panic;
use crate::sim::{Notice, Policy};
use crate::{AnyRuntime, Sim};

/// A test in a simulation.
#[derive(Debug)]
pub struct Simulated {
    test: Test,
    drive: fn(&Sim, &mut Body),
    seeds: Option<Range<u64>>,
    policy: Policy,
    max_poll: Option<Duration>,
    guided: bool,
    set_up: fn(&Sim),
}

impl Simulated {
    /// With one seed. `drive` is `block_on`, called where the test is: a simulation says where.
    pub fn new(test: Test, drive: fn(&Sim, &mut Body)) -> Self {
        Self {
            test,
            drive,
            seeds: None,
            policy: Policy::default(),
            max_poll: None,
            guided: false,
            set_up: |_| {},
        }
    }

    /// With one seed after the other.
    pub fn seeds(self, seeds: impl Seeds) -> Self {
        Self { seeds: Some(seeds.range()), ..self }
    }

    /// Sets which task is next.
    pub fn policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// Sets how long a poll may take in real time.
    pub fn max_poll_millis(self, millis: u64) -> Self {
        Self { max_poll: Some(Duration::from_millis(millis)), ..self }
    }

    /// Goes on from runs that did something new.
    pub fn guided(self) -> Self {
        Self { guided: true, ..self }
    }

    /// Does this before the test, in each simulation.
    pub fn with(self, set_up: fn(&Sim)) -> Self {
        Self { set_up, ..self }
    }

    /// Runs it.
    #[track_caller]
    pub fn run(self) {
        let Self { test, drive, seeds, policy, max_poll, guided, set_up } = self;
        let (limit, here) = (test.limit(), Location::caller());
        // With many seeds, the limit applies to each of them.
        let is_one = seeds.is_none() || env::var_os("ANYRT_SIM_SEED").is_some();
        test.on_a_thread("sim", is_one.then_some(limit), move |said| {
            let builder = Sim::builder().policy(policy).limit(limit).guided(guided);
            let builder = max_poll.into_iter().fold(builder, crate::sim::Builder::max_poll);
            let program = |sim: &Sim| {
                set_up(sim);
                let rt = AnyRuntime::from(sim.clone());
                let mut body = (test.body)(rt.clone());
                if let Err(payload) = catch_panic(|| drive(sim, &mut body)) {
                    // Its destructor may panic as well, which in an unwinding would end the process.
                    let _current = rt.enter();
                    drop(catch_panic(|| drop(body)));
                    resume_unwind(payload);
                }
            };
            let begun = Instant::now();
            let found = builder.test(here, seeds, program, &|notice| {
                let _ = said.send(match notice {
                    Notice::Blocked(seed) => Said::Blocked(seed),
                    Notice::Fails(failure) => Said::Reduces(failure),
                });
            });
            let took = if is_one { begun.elapsed() } else { Duration::ZERO };
            let _ = said.send(found.map_or_else(Said::Failed, |()| Said::Ended(took)));
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
