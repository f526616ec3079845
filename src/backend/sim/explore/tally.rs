//! The places of `sometimes!`, over all runs of a search.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::report::{grouped, runs};
use crate::backend::sim::places::Counted;
use crate::backend::sim::sorted::SortedMap;

/// What all runs have counted together.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tally {
    pub(super) runs: u64,
    pub(super) places: SortedMap<Place, Total>,
    /// Names that a program expects.
    pub(super) expected: BTreeSet<String>,
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
    pub(super) fn add(&mut self, counted: Counted) {
        self.runs += 1;
        for ((name, at), count) in counted.sometimes {
            let place = Place { name: name.to_owned(), at: at.to_string() };
            let total = Total { reached: count.reached, held: count.held, runs: u64::from(count.held > 0) };
            self.places.get_or_insert_with(place, Total::default).add(total);
        }
        self.expected.extend(counted.expected);
    }

    /// What to print at the end, if there is a place.
    pub(super) fn summary(&self) -> Option<String> {
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
