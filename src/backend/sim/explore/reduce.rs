//! Reduction of a failure: the scheduling choices and faults that are needed.

use std::time::{Duration, Instant};

use super::failure::Failure;
use super::run::{Program, Run};
use crate::backend::sim::handle::Builder;
use crate::backend::sim::log::parting;
use crate::backend::sim::replay::{Replay, Seed};
use crate::runtime::time::deadline_after;

/// These runs delay the report.
const MOST_RUNS: u32 = 200;
const LONGEST: Duration = Duration::from_secs(10);

const OUT_OF_TIME: &str = "the reduction ran out of time";
const REAL_TIME: &str = "how long a poll takes differs from run to run, so nothing was tried";

/// A failure, reduced.
pub(super) struct Found {
    pub(super) failure: Failure,
    pub(super) replay: Replay,
    /// How many choices there are with these faults.
    pub(super) choices: u64,
    /// How many switches to another seed the run had that was found.
    pub(super) switches: usize,
    /// All faults that were drawn.
    pub(super) faults: Vec<String>,
    /// Where `buggify!` was true.
    pub(super) buggified: Vec<String>,
    /// Why not all was tried.
    pub(super) gave_up: Option<&'static str>,
    /// With the same seed it went otherwise: where.
    pub(super) parting: Option<String>,
}

/// Reduces `failure`, which is what has come of `run`.
pub(super) fn reduce(
    mut builder: Builder,
    seed: Seed,
    program: &Program<'_>,
    failure: Failure,
    run: Run,
) -> Found {
    let switches = seed.switches.len();
    let replay = Replay { seed: seed.clone(), choices: None, faults: None };
    let Run { choices, faults, buggified, .. } = run;
    let found = Found { failure, replay, switches, choices, faults, buggified, gave_up: None, parting: None };
    if run.too_long {
        // Where that ends is no matter of the seed, and trying takes as long again.
        return Found { gave_up: Some(OUT_OF_TIME), ..found };
    }
    if run.has_blocked {
        return Found { gave_up: Some(REAL_TIME), ..found };
    }
    // The failure has another cause, which a poll that takes longer this time would hide.
    builder.config.max_poll = None;
    let again = Run::of(&builder, seed.clone(), program);
    if again.hash != run.hash || again.failure.is_none_or(|again| !again.is_like(&found.failure)) {
        return Found { parting: Some(find_parting(builder, seed, program)), ..found };
    }
    // In another order it may go on for ever.
    builder.config.max_steps = Some(run.steps.saturating_mul(10).saturating_add(10_000));
    let until = deadline_after(Instant::now(), LONGEST);
    let mut attempts = Attempts { builder, program, found, runs: MOST_RUNS, until };
    attempts.drop_switches();
    let seed = attempts.found.replay.seed.clone();
    fewest(attempts.found.faults.len(), |kept| {
        let faults = Some(kept.to_vec());
        attempts.fails(Replay { seed: seed.clone(), choices: None, faults })
    });
    let (choices, faults) = (attempts.found.choices, attempts.found.replay.faults.clone());
    shortest(choices, |choices| {
        attempts.fails(Replay { seed: seed.clone(), choices: Some(choices), faults: faults.clone() })
    });
    // Those after the last choice may have lost their purpose.
    attempts.drop_switches();
    Found { choices, ..attempts.found }
}

fn find_parting(builder: Builder, seed: Seed, program: &Program<'_>) -> String {
    let builder = builder.log(true);
    let [first, second] = [(); 2].map(|()| Run::of(&builder, seed.clone(), program).log);
    match parting(&first, &second) {
        Some(parting) => format!("Two runs differ {parting}"),
        None => "Where is not known: two more runs had the same events. Something comes from outside of the simulation and seldom \
                 changes, as a date does. The table in the docs of anyrt::sim (What leaks) has an alternative for each."
            .to_owned(),
    }
}

struct Attempts<'a> {
    builder: Builder,
    program: &'a Program<'a>,
    found: Found,
    runs: u32,
    until: Instant,
}

impl Attempts<'_> {
    /// Tries with fewer switches to another seed.
    fn drop_switches(&mut self) {
        let replay = self.found.replay.clone();
        fewest(replay.seed.switches.len(), |kept| {
            let switches = kept.iter().map(|at| replay.seed.switches[*at]).collect();
            self.fails(Replay { seed: Seed { switches, ..replay.seed }, ..replay.clone() })
        });
    }

    /// Whether it fails in the same way; then this is what it takes.
    fn fails(&mut self, replay: Replay) -> bool {
        if self.runs == 0 || Instant::now() > self.until {
            self.found.gave_up = Some(OUT_OF_TIME);
            return false;
        }
        self.runs -= 1;
        let run = Run::of(&self.builder.clone().replaying(&replay), replay.seed.clone(), self.program);
        match run.failure {
            Some(failure) if failure.is_like(&self.found.failure) => {
                self.found.failure = failure;
                self.found.replay = replay;
                self.found.choices = run.choices;
                self.found.buggified = run.buggified;
                true
            }
            _ => false,
        }
    }
}

/// A minimal subset of `0..all` with which it still `fails`: removes halves first, then one by one, the last first.
fn fewest(all: usize, mut fails: impl FnMut(&[usize]) -> bool) -> Vec<usize> {
    let mut kept: Vec<_> = (0..all).collect();
    let mut size = all;
    while size > 0 && !kept.is_empty() {
        let before = kept.len();
        let mut end = kept.len();
        while end > 0 {
            let start = end.saturating_sub(size);
            let fewer = [&kept[..start], &kept[end..]].concat();
            if fails(&fewer) {
                kept = fewer;
            }
            end = start;
        }
        if size > 1 {
            size = size.div_ceil(2);
        } else if kept.len() == before {
            break;
        }
    }
    kept
}

/// The fewest choices with which it `fails`, assuming that it fails with all larger numbers, up to `all`.
fn shortest(all: u64, mut fails: impl FnMut(u64) -> bool) -> u64 {
    if all == 0 || fails(0) {
        return 0;
    }
    let (mut low, mut high) = (0, all);
    let mut step = 1;
    while low + step < high {
        if fails(low + step) {
            high = low + step;
            break;
        }
        low += step;
        step = low;
    }
    while low + 1 < high {
        let middle = low.midpoint(high);
        if fails(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortest_is_found_in_few_steps() {
        for all in [1, 2, 3, 7, 8, 100, 1_000_000] {
            for least in [0, 1, 2, 3, 5, all / 2, all - 1, all].into_iter().filter(|least| *least <= all) {
                let mut steps = 0;
                let found = shortest(all, |choices| {
                    steps += 1;
                    assert!(choices < all, "that it does with all is known");
                    choices >= least
                });
                assert_eq!((found, steps <= 41), (least, true), "{steps} for {least} of {all}");
            }
        }
        assert_eq!(shortest(0, |_| panic!("there is nothing to try")), 0);
    }

    #[test]
    fn what_fails_now_and_then_is_still_a_failure() {
        assert_eq!(shortest(100, |choices| choices == 4 || choices >= 90), 4);
        assert_eq!(shortest(100, |choices| choices == 3 || choices >= 90), 90);
    }

    #[test]
    fn faults_that_are_needed_are_kept() {
        for (all, needed) in [
            (0, vec![]),
            (1, vec![]),
            (1, vec![0]),
            (6, vec![3]),
            (6, vec![0, 5]),
            (40, vec![7, 8, 31]),
            (5, vec![0, 1, 2, 3, 4]),
        ] {
            let mut runs = 0;
            let kept = fewest(all, |kept| {
                runs += 1;
                needed.iter().all(|it| kept.contains(it))
            });
            assert_eq!(kept, needed, "of {all}");
            assert!(runs < 60, "{runs} runs for {needed:?} of {all}");
        }
    }

    /// The first is needed as long as the last is there.
    #[test]
    fn faults_are_tried_again_when_others_have_gone() {
        let kept = fewest(4, |kept| kept.contains(&1) && (kept.contains(&3) || !kept.contains(&2)));
        assert_eq!(kept, [1]);
    }

    #[test]
    fn reduction_ends_after_so_many_runs() {
        let program = |sim: &crate::Sim| {
            let tasks: Vec<_> = (0..100).map(|_| crate::Spawn::spawn(sim, async {})).collect();
            crate::BlockOn::block_on(sim, async {
                for task in tasks {
                    task.await.unwrap();
                }
            });
            Some("an error".to_owned())
        };
        let builder = Builder::default();
        let mut run = Run::of(&builder, 1.into(), &program);
        let failure = run.failure.take().unwrap();
        let replay = Replay { seed: 1.into(), choices: None, faults: None };
        let found = Found {
            failure,
            replay: replay.clone(),
            switches: 0,
            choices: run.choices,
            faults: Vec::new(),
            buggified: Vec::new(),
            gave_up: None,
            parting: None,
        };
        let until = deadline_after(Instant::now(), LONGEST);
        let mut attempts = Attempts { builder, program: &program, found, runs: 2, until };
        let mut fails = |choices| attempts.fails(Replay { choices: Some(choices), ..replay.clone() });
        assert!(fails(50) && fails(30) && !fails(20));
        assert_eq!((attempts.found.replay.choices, attempts.found.gave_up), (Some(30), Some(OUT_OF_TIME)));
    }
}
