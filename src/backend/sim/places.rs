//! Places in the program under test: those of `buggify!`, and those of `sometimes!`.

use std::collections::BTreeSet;
use std::mem;
use std::panic::Location;

use super::log::hash;
use super::random::{Random, Stream, mix};
use crate::backend::sim::sorted::SortedMap;

/// The places of one simulation.
pub(super) struct Places {
    seed: u64,
    rare: SortedMap<Location<'static>, Rare>,
    sometimes: SortedMap<Sometimes, Count>,
    expected: BTreeSet<String>,
}

/// A place of `buggify!`.
struct Rare {
    // `None`: it is switched off.
    random: Option<Random>,
    hash: u64,
    fired: u64,
}

/// A place of `sometimes!`.
pub(super) type Sometimes = (&'static str, Location<'static>);

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Count {
    pub(super) reached: u64,
    pub(super) held: u64,
}

/// What one run has counted.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) sometimes: SortedMap<Sometimes, Count>,
    /// The names that the program expects.
    pub(super) expected: BTreeSet<String>,
}

/// In one of so many simulations, a place is switched on.
const ONE_IN: u64 = 4;

impl Places {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, rare: SortedMap::new(), sometimes: SortedMap::new(), expected: BTreeSet::new() }
    }

    /// All further numbers are drawn from this seed, also which places are on.
    pub(super) fn reseed(&mut self, seed: u64) {
        self.seed = seed;
        self.rare.values_mut().for_each(|rare| rare.random = Rare::random(seed, rare.hash));
    }

    /// Draws whether the rare branch is taken here; then this is the number of the place.
    pub(super) fn fires(&mut self, place: Location<'static>, module: &str, probability: f64) -> Option<u64> {
        let seed = self.seed;
        let rare = self.rare.get_or_insert_with(place, || Rare::new(seed, &place, module));
        // 53 bits are what an `f64` has.
        let drawn = rare.random.as_mut()?.below(1 << 53);
        if (drawn as f64) < probability * (1_u64 << 53) as f64 {
            rare.fired += 1;
            return Some(rare.hash);
        }
        None
    }

    /// The places at which a rare branch was taken, in words.
    pub(super) fn fired(&self) -> Vec<String> {
        let times = |fired| if fired == 1 { "once".to_owned() } else { format!("{fired} times") };
        let fired = self.rare.iter().filter(|(_, rare)| rare.fired > 0);
        fired.map(|(place, rare)| format!("{place} ({})", times(rare.fired))).collect()
    }

    pub(super) fn count(&mut self, place: Location<'static>, name: &'static str, held: bool) {
        let count = self.sometimes.get_or_insert_with((name, place), Count::default);
        count.reached += 1;
        count.held += u64::from(held);
    }

    pub(super) fn expect(&mut self, name: String) {
        self.expected.insert(name);
    }

    pub(super) fn take_counted(&mut self) -> Counted {
        Counted { sometimes: mem::take(&mut self.sometimes), expected: mem::take(&mut self.expected) }
    }
}

impl Rare {
    fn new(seed: u64, place: &Location<'_>, module: &str) -> Self {
        // Not its file: where that is differs from machine to machine, for a crate of a registry.
        let at = u64::from(place.line()) << 32 | u64::from(place.column());
        let hash = mix(hash(module.as_bytes()) ^ mix(at));
        Self { random: Self::random(seed, hash), hash, fired: 0 }
    }

    fn random(seed: u64, hash: u64) -> Option<Random> {
        let mut random = Random::new(seed ^ hash, Stream::Place);
        (random.below(ONE_IN) == 0).then_some(random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the evaluations of one place in 4,000 simulations, 16 in each: in how many it is true at all, and how often.
    fn of(place: &Location<'static>, probability: f64) -> (usize, usize) {
        let fires = |seed| {
            let mut places = Places::new(seed);
            (0..16).filter(|_| places.fires(*place, "m", probability).is_some()).count()
        };
        let fired: Vec<_> = (0..4_000).map(fires).collect();
        (fired.iter().filter(|fired| **fired > 0).count(), fired.iter().sum())
    }

    #[test]
    fn one_in_four_is_on_and_fires_as_often_as_is_said() {
        let here = Location::caller();
        let (on, fired) = of(here, 1.0);
        assert!(on.abs_diff(1_000) < 100 && fired == 16 * on, "{on}, {fired}");
        let (_, fired) = of(here, 0.25);
        assert!(fired.abs_diff(4 * on) < 400, "{fired}, where {on} are on");
        let (_, fired) = of(here, 0.01);
        assert!((1..400).contains(&fired), "{fired}");
        assert_eq!(of(here, 7.0), (on, 16 * on));
        for never in [0.0, -1.0, f64::NAN] {
            assert_eq!(of(here, never), (0, 0));
        }
    }

    #[test]
    fn place_does_not_depend_on_what_else_there_is() {
        let (one, other) = (Location::caller(), Location::caller());
        let alone = |seed| {
            let mut places = Places::new(seed);
            [(); 32].map(|()| places.fires(*one, "m", 0.5).is_some())
        };
        let beside = |seed| {
            let mut places = Places::new(seed);
            [(); 32].map(|()| {
                places.fires(*other, "m", 0.5);
                places.fires(*one, "m", 0.5).is_some()
            })
        };
        let others = |seed| {
            let mut places = Places::new(seed);
            [(); 32].map(|()| places.fires(*other, "m", 0.5).is_some())
        };
        assert!((0..100).all(|seed| alone(seed) == beside(seed)));
        assert!((0..100).any(|seed| alone(seed) != others(seed)));
    }
}
