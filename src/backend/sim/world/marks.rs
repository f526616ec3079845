//! What is due after some steps of a run, besides the next step.

use std::ops::ControlFlow::{self, Break, Continue};

use super::driving::Step;
use super::{Config, State};
use crate::backend::sim::random::{Random, Stream};
use crate::backend::sim::replay::Seed;

/// One comparison a step for all of it.
#[derive(Debug)]
pub(super) struct Marks {
    /// After this step something is due.
    pub(super) next: u64,
    // The next one is the last.
    switches: Vec<(u64, u64)>,
    // Exceeding it is an error.
    most: u64,
    covered: bool,
}

impl Marks {
    pub(super) fn new(seed: &Seed, config: &Config) -> Self {
        let switches = seed.switches.iter().rev().copied().collect();
        let most = config.max_steps.unwrap_or(u64::MAX);
        let mut marks = Self { next: 0, switches, most, covered: config.covered };
        marks.set_next();
        marks
    }

    fn set_next(&mut self) {
        let switch = self.switches.last().map_or(u64::MAX, |(after, _)| *after);
        self.next = if self.covered { 0 } else { self.most.min(switch) };
    }
}

impl State {
    #[cold]
    pub(super) fn pass_mark(&mut self) -> ControlFlow<Step> {
        while let Some((_, seed)) =
            self.marks.switches.last().copied().filter(|(after, _)| self.steps > *after)
        {
            self.marks.switches.pop();
            self.reseed(seed);
        }
        self.clock.trace.begin_step(self.steps);
        if self.steps > self.marks.most {
            return Break(Step::Wrong(format!("anyrt: {} steps, which are too many", self.steps).into()));
        }
        self.marks.set_next();
        Continue(())
    }

    /// From now on everything is drawn from this seed. What was drawn already, such as faults to come, stays.
    fn reseed(&mut self, seed: u64) {
        let random = |stream| Random::new(seed, stream);
        self.tasks.reseed(seed, random(Stream::Schedule));
        self.network.reseed(random(Stream::Network));
        self.faults.reseed(random(Stream::Faults));
        self.program_random = random(Stream::Program);
        self.places.reseed(seed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::*;
    use crate::sim::{Faults, LinkOptions, Policy};
    use crate::{BlockOn, Sim, Spawn, Time};

    /// One thing of each kind that is drawn, step after step.
    #[derive(Clone, Debug, Default, PartialEq)]
    struct Drawn {
        tasks: Vec<usize>,
        // With its step.
        program: Vec<(u64, u64)>,
        network: Vec<Duration>,
        places: Vec<bool>,
        faults: Vec<String>,
    }

    fn run(policy: Policy, seed: impl Into<Seed>) -> Drawn {
        let drawn = Arc::new(Mutex::new(Drawn::default()));
        let sim = Sim::builder().policy(policy).with_seed(seed);
        sim.links()
            .set(&LinkOptions::new().latency(Duration::from_nanos(1)).jitter(Duration::from_millis(9)))
            .unwrap();
        sim.host("a", [10, 0, 0, 2]).unwrap().boot(|_| async {});
        // Without when they are, which the time decides, too.
        let faults = || {
            let faults = sim.inject(&Faults::swarm()).unwrap();
            let what: Vec<_> = faults
                .iter()
                .map(|fault| fault.to_string().split([' ', '"']).next().unwrap().to_owned())
                .collect();
            what.join("; ")
        };
        drawn.lock().unwrap().faults.push(faults());
        for task in 0..4 {
            let (drawn, sim) = (drawn.clone(), sim.clone());
            sim.clone()
                .spawn(async move {
                    for _ in 0..20 {
                        {
                            let mut drawn = drawn.lock().unwrap();
                            drawn.tasks.push(task);
                            let step = sim.world.with(|state| state.steps);
                            drawn.program.push((step, sim.random_seed()));
                            drawn.places.push(crate::buggify!(0.5));
                        }
                        sim.yield_now().await;
                    }
                })
                .detach();
        }
        sim.block_on(async {
            for _ in 0..20 {
                let begun = sim.now();
                let _ = crate::Net::tcp_connect(&sim, "a:1").await;
                drawn.lock().unwrap().network.push(sim.now() - begun);
            }
            drawn.lock().unwrap().faults.push(faults());
        });
        std::mem::take(&mut *drawn.lock().unwrap())
    }

    #[test]
    fn switched_run_is_another_from_its_step_on() {
        for policy in [Policy::Random, Policy::Pct(3), Policy::Mixed] {
            let drawn = run(policy, 1);
            for after in [0, 10, 37] {
                let others = run(policy, Seed { first: 1, switches: vec![(after, 2)] });
                let before = |drawn: &Drawn| {
                    drawn.program.iter().copied().filter(|(step, _)| *step <= after).collect::<Vec<_>>()
                };
                assert_eq!(before(&drawn), before(&others), "{policy:?}, {after}");
                let next = drawn.program[before(&drawn).len()];
                assert!(!others.program.contains(&next), "{policy:?}, {after}");
                assert_ne!(drawn.tasks, others.tasks, "{policy:?}");
                assert_ne!(drawn.program.last(), others.program.last());
                assert_ne!(drawn.network.last(), others.network.last());
                assert_eq!(drawn.faults[0], others.faults[0], "the plan stays");
                assert_ne!(drawn.faults[1], others.faults[1]);
            }
        }
        // One place is on in one of four.
        let places = |seed| run(Policy::Random, Seed { first: 1, switches: vec![(10, seed)] }).places;
        let all: Vec<_> = (0..20).map(places).collect();
        assert!(all.iter().any(|places| *places != all[0]), "{:?}", all[0]);
    }

    #[test]
    fn switch_to_the_same_numbers_and_one_that_comes_too_late_are_none() {
        let plain = run(Policy::Mixed, 1);
        assert_eq!(run(Policy::Mixed, Seed { first: 1, switches: vec![(0, 1)] }).tasks, plain.tasks);
        assert_eq!(run(Policy::Mixed, Seed { first: 1, switches: vec![(1_000_000, 2)] }), plain);
        let two = Seed { first: 1, switches: vec![(10, 2), (37, 3)] };
        let one = Seed { first: 1, switches: vec![(10, 2)] };
        assert_ne!(run(Policy::Mixed, two.clone()), run(Policy::Mixed, one));
        assert_eq!(run(Policy::Mixed, two.clone()), run(Policy::Mixed, two));
    }
}
