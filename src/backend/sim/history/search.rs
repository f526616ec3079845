//! The search for an order of the operations that explains their results.
//!
//! After Wing and Gong, "Testing and Verifying Concurrent Objects" (1993), with the cache of Lowe, "Testing for
//! Linearizability" (2017), as Porcupine has them. What can be next is found in a set of bits, and not in a linked list,
//! so that places are left and come back to: operations that need not be anywhere are tried last (`levels`), and a place
//! is not gone on from that another one beats (`Seen`). Otherwise all subsets of what has timed out would be tried.
//!
//! None of it is generic, so that a model costs its program little time to build.

use std::collections::HashMap;
use std::rc::Rc;

/// An operation: which one it is, and its positions in the history.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) operation: usize,
    pub(super) began: usize,
    /// `None`: it may take effect at any time from its beginning on, or never.
    pub(super) ended: Option<usize>,
    /// Whether its result counts.
    pub(super) is_known: bool,
}

/// A model whose states are numbers.
pub(super) trait Steps {
    /// Returns the state after an operation, if that is possible in this state; with its result, if that `is_known`.
    fn step(&mut self, state: usize, operation: usize, is_known: bool) -> Option<usize>;
}

/// The outcome of a search.
pub(super) enum Answer {
    Linearizable,
    Contradiction(Stuck),
    /// The limit was reached.
    Unknown,
}

/// Where it went no further.
#[derive(Debug)]
pub(super) struct Stuck {
    /// The longest order that fits: that which reaches the latest end, with most operations. And the state after it.
    pub(super) order: Vec<usize>,
    pub(super) state: usize,
    /// Operations of which one would have to be next, and cannot be.
    pub(super) next: Vec<usize>,
    /// The first end that no order reaches: what has to be there up to this end contradicts itself, and without it not.
    pub(super) end: usize,
}

/// Searches, and subtracts its steps from `left`.
pub(super) fn search(spans: &[Span], initial: usize, model: &mut dyn Steps, left: &mut u64) -> Answer {
    if spans.iter().any(|span| span.ended.is_none()) {
        // Where there is an order, it is often found at once if those without an end are tried everywhere.
        let mut some = *left / 8;
        *left -= some;
        let answer = search_by(false, spans, initial, model, &mut some);
        *left += some;
        if !matches!(answer, Answer::Unknown) {
            return answer;
        }
    }
    search_by(true, spans, initial, model, left)
}

/// Searches; with `levels`, the operations without an end are tried last.
pub(super) fn search_by(
    levels: bool,
    spans: &[Span],
    initial: usize,
    model: &mut dyn Steps,
    left: &mut u64,
) -> Answer {
    let (mut ended, mut pending): (Vec<Span>, Vec<Span>) =
        spans.iter().partition(|span| span.ended.is_some());
    ended.sort_unstable_by_key(|span| span.began);
    pending.sort_unstable_by_key(|span| span.began);
    let (next_level, levels) = (usize::from(levels), Vec::new());
    Search { ended, pending, places: Vec::new(), next_level, levels, best: None }.run(initial, model, left)
}

struct Search {
    // With an end, and without: both by their beginnings.
    ended: Vec<Span>,
    pending: Vec<Span>,
    // Where it has been.
    places: Vec<Place>,
    // What is to be tried, the next one last; by the number of operations without an end in it, so that a place with
    // fewer of them is seen before those that it beats.
    levels: Vec<Vec<Try>>,
    // 0: there is one level.
    next_level: usize,
    // The best place: the first end that it has not reached, the number of operations with an end, and its index.
    best: Option<(usize, usize, usize)>,
}

/// Operations that are placed, in an order.
struct Place {
    // From which place it was reached, by which operation.
    before: Option<(usize, usize)>,
    state: usize,
    // Of the operations with an end, and of the others.
    placed: Bits,
    used: Bits,
    count: usize,
}

/// An operation that is possible at a place, and the state after it.
struct Try {
    place: usize,
    next: Next,
    state: usize,
}

#[derive(Clone, Copy)]
enum Next {
    Ended(usize),
    Pending(usize),
}

impl Search {
    fn run(mut self, initial: usize, model: &mut dyn Steps, left: &mut u64) -> Answer {
        let mut seen = Seen::default();
        let (placed, used) = (Bits::default(), Bits::default());
        let mut place = Place { before: None, state: initial, placed, used, count: 0 };
        let mut level = 0;
        loop {
            let (is_new, compared) = seen.insert(&place);
            *left = left.saturating_sub(compared);
            if is_new {
                if place.count == self.ended.len() {
                    return Answer::Linearizable;
                }
                self.places.push(place);
                self.look_around(level, model, left);
            }
            if *left == 0 {
                return Answer::Unknown;
            }
            place = loop {
                match self.levels.get_mut(level).map(Vec::pop) {
                    Some(Some(tried)) => break self.after(&tried),
                    Some(None) => level += 1,
                    None => return Answer::Contradiction(self.stuck()),
                }
            };
        }
    }

    /// Finds out what is possible at the last place.
    fn look_around(&mut self, level: usize, model: &mut dyn Steps, left: &mut u64) {
        let index = self.places.len() - 1;
        let place = &self.places[index];
        let (next, end) = self.next(place);
        self.best = self.best.max(Some((end, place.count, index)));
        let mut step = |span: &Span| {
            *left = left.saturating_sub(1);
            model.step(place.state, span.operation, span.is_known)
        };
        self.levels.resize_with(self.levels.len().max(level + 2), Vec::new);
        let pending = self.pending.iter().enumerate().take_while(|(_, span)| span.began < end);
        for (at, span) in pending.filter(|(at, _)| !place.used.has(*at)) {
            // It need not be anywhere: not where it changes nothing.
            if let Some(state) = step(span).filter(|state| *state != place.state) {
                self.levels[level + self.next_level].push(Try {
                    place: index,
                    next: Next::Pending(at),
                    state,
                });
            }
        }
        // The first one is tried first.
        for at in next.into_iter().rev() {
            if let Some(state) = step(&self.ended[at]) {
                self.levels[level].push(Try { place: index, next: Next::Ended(at), state });
            }
        }
    }

    /// Returns the operations with an end that may be next at a place, and the first of the ends.
    fn next(&self, place: &Place) -> (Vec<usize>, usize) {
        let (mut next, mut end) = (Vec::new(), usize::MAX);
        for (at, span) in self.ended.iter().enumerate().skip(place.placed.all_before()) {
            if span.began > end {
                break;
            }
            if !place.placed.has(at) {
                next.push(at);
                end = end.min(span.ended.unwrap_or(usize::MAX));
            }
        }
        (next, end)
    }

    fn after(&self, tried: &Try) -> Place {
        let place = &self.places[tried.place];
        let (placed, used, count, span) = match tried.next {
            Next::Ended(at) => (place.placed.with(at), place.used.clone(), place.count + 1, &self.ended[at]),
            Next::Pending(at) => (place.placed.clone(), place.used.with(at), place.count, &self.pending[at]),
        };
        Place { before: Some((tried.place, span.operation)), state: tried.state, placed, used, count }
    }

    fn stuck(&self) -> Stuck {
        let (_, _, best) = self.best.unwrap_or_default();
        let place = &self.places[best];
        let (next, end) = self.next(place);
        let back = std::iter::successors(place.before, |(before, _)| self.places[*before].before);
        let mut order: Vec<_> = back.map(|(_, operation)| operation).collect();
        order.reverse();
        let next = next.into_iter().map(|at| self.ended[at].operation).collect();
        Stuck { order, state: place.state, next, end }
    }
}

/// Places that were seen: by what is placed and the state, what was used of the operations without an end.
///
/// Who has used fewer of those can do whatever others can, and more, because nobody has to use them. So a place is not new
/// if one was seen that has used no more.
#[derive(Default)]
struct Seen(HashMap<(Bits, usize), Vec<Bits>>);

impl Seen {
    /// Returns whether it is new, and the work that this took, in steps.
    fn insert(&mut self, place: &Place) -> (bool, u64) {
        let seen = self.0.entry((place.placed.clone(), place.state)).or_default();
        let beaten = seen.iter().position(|used| place.used.has_all_of(used));
        if beaten.is_none() {
            seen.push(place.used.clone());
        }
        // So many words are compared in the time of a step.
        let words = beaten.map_or(seen.len(), |at| at + 1) * place.used.0.len();
        (beaten.is_none(), words as u64 / 16)
    }
}

/// A set of small numbers. Of a long history only those take room that are between the first that is missing and the last
/// that is there: how many words are full is in the first word.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Bits(Rc<[u64]>);

impl Default for Bits {
    fn default() -> Self {
        Self(Rc::new([0]))
    }
}

impl Bits {
    /// All numbers below this one are in it.
    fn all_before(&self) -> usize {
        self.full() * 64
    }

    fn full(&self) -> usize {
        self.0[0] as usize
    }

    fn word(&self, at: usize) -> u64 {
        match at.checked_sub(self.full()) {
            None => u64::MAX,
            Some(at) => self.0.get(at + 1).copied().unwrap_or(0),
        }
    }

    fn has(&self, number: usize) -> bool {
        self.word(number / 64) >> (number % 64) & 1 == 1
    }

    fn has_all_of(&self, other: &Self) -> bool {
        let len = other.full() + other.0.len() - 1;
        (0..len).all(|at| other.word(at) & !self.word(at) == 0)
    }

    fn with(&self, number: usize) -> Self {
        let len = (self.0.len() - 1).max(number / 64 + 1 - self.full());
        let mut words: Vec<u64> = (0..len).map(|at| self.word(self.full() + at)).collect();
        words[number / 64 - self.full()] |= 1 << (number % 64);
        let more = words.iter().take_while(|word| **word == u64::MAX).count();
        let full = (self.full() + more) as u64;
        Self([full].into_iter().chain(words.into_iter().skip(more)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(numbers: impl IntoIterator<Item = usize>) -> Bits {
        numbers.into_iter().fold(Bits::default(), |bits, number| bits.with(number))
    }

    #[test]
    fn sets_are_equal_if_their_members_are() {
        let sets: [Vec<usize>; 7] =
            [vec![], vec![0], vec![64], vec![199], (0..64).collect(), (0..65).collect(), (0..128).collect()];
        for (at, members) in sets.iter().enumerate() {
            let (bits, backwards) = (set(members.clone()), set(members.iter().rev().copied()));
            assert_eq!(bits, backwards);
            assert_eq!((0..256).filter(|number| bits.has(*number)).collect::<Vec<_>>(), *members);
            assert_eq!(sets.iter().position(|other| set(other.clone()) == bits), Some(at));
            for other in &sets {
                let has_all = other.iter().all(|number| members.contains(number));
                assert_eq!(bits.has_all_of(&set(other.clone())), has_all, "{members:?} {other:?}");
            }
        }
        assert_eq!(set(0..1_000).0.len(), 2, "what is full takes no room");
    }
}
