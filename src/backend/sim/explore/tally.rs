//! The tally of a search: the places of `sometimes!` and the panics of tasks, over all runs.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::report::{grouped, runs};
use crate::backend::sim::panics::Panic;
use crate::backend::sim::places::Counted;
use crate::backend::sim::replay::Seed;
use crate::backend::sim::sorted::SortedMap;

/// What all runs have counted together.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tally {
    pub(super) runs: u64,
    pub(super) places: SortedMap<Place, Total>,
    /// Names that a program expects.
    pub(super) expected: BTreeSet<String>,
    pub(super) panicked: Option<Panicked>,
}

/// Runs that have passed although a task panicked, and the first panic of the first of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Panicked {
    pub(super) runs: u64,
    pub(super) index: u64,
    pub(super) seed: Seed,
    pub(super) panic: Panic,
}

/// A place of `sometimes!`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) name: String,
    /// File, line and column.
    pub(super) at: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Total {
    pub(super) reached: u64,
    pub(super) held: u64,
    /// In how many of them it was true.
    pub(super) runs: u64,
}

impl Total {
    pub(super) fn add(&mut self, other: Self) {
        self.reached += other.reached;
        self.held += other.held;
        self.runs += other.runs;
    }
}

impl Tally {
    /// One run has passed.
    pub(super) fn add(&mut self, counted: Counted, panicked: Option<Panicked>) {
        self.runs += 1;
        if let Some(panicked) = panicked {
            let runs = self.panicked.as_ref().map_or(0, |before| before.runs);
            let first = match self.panicked.take() {
                Some(before) if before.index < panicked.index => before,
                _ => panicked,
            };
            self.panicked = Some(Panicked { runs: runs + 1, ..first });
        }
        for ((name, at), count) in counted.sometimes {
            let place = Place { name: name.to_owned(), at: at.to_string() };
            let total = Total { reached: count.reached, held: count.held, runs: u64::from(count.held > 0) };
            self.places.get_or_insert_with(place, Total::default).add(total);
        }
        self.expected.extend(counted.expected);
    }

    /// The text that a search ends with, if it has seen any of them.
    pub(super) fn summary(&self) -> Option<String> {
        let parts = [self.summary_of_panics(), self.summary_of_places()];
        let text = parts.into_iter().flatten().collect::<Vec<_>>().join("\n");
        (!text.is_empty()).then_some(text)
    }

    fn summary_of_panics(&self) -> Option<String> {
        let Panicked { runs: of, seed, panic, .. } = self.panicked.as_ref()?;
        let panic = panic.to_string().replace('\n', "\n  ");
        Some(format!(
            "anyrt: in {} of {} something panicked, and the run passed. Seed {seed} is the first:\n  {panic}\nA panic of a task is an \
             error of its handle: await that, and the run fails.",
            grouped(*of),
            runs(self.runs)
        ))
    }

    fn summary_of_places(&self) -> Option<String> {
        if self.places.is_empty() {
            return None;
        }
        let mut text = format!("anyrt: sometimes, in {}:", runs(self.runs));
        for (Place { name, at }, Total { reached, held, runs: of }) in self.places.iter() {
            let _ = write!(
                text,
                "\n  {name:?} ({at}): reached {}, true {}, in {}",
                times(*reached),
                times(*held),
                runs(*of)
            );
        }
        Some(text)
    }

    /// What is wrong with it: a place that was never true, or one that is expected and was never reached.
    pub(super) fn failure(&self) -> Option<String> {
        let mut wrong = Vec::new();
        for (Place { name, at }, total) in self.places.iter().filter(|(_, total)| total.held == 0) {
            wrong.push(format!("{name:?} ({at}) was reached {} and never true", times(total.reached)));
        }
        // In order, for the places are.
        let mut known: Vec<_> = self.places.keys().map(|place| place.name.as_str()).collect();
        known.dedup();
        for name in self.expected.iter().filter(|name| !known.contains(&name.as_str())) {
            wrong.push(format!("{name:?} is expected, and no place of that name was reached"));
        }
        if wrong.is_empty() {
            return None;
        }
        if self.expected.iter().any(|name| !known.contains(&name.as_str())) && !known.is_empty() {
            let known: Vec<_> = known.iter().map(|name| format!("{name:?}")).collect();
            wrong.push(format!("(reached were {})", known.join(", ")));
        }
        Some(format!(
            "anyrt: what `sometimes!` asserts was true in none of {}:\n  {}\nRun more seeds; or make it likelier, with \
             `sim::Faults`, other delays, or `anyrt::buggify!()` where the code branches; or remove the assertion, if it cannot \
             be true.",
            runs(self.runs),
            wrong.join("\n  ")
        ))
    }
}

fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        count => format!("{} times", grouped(count)),
    }
}
