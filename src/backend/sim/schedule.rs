use std::collections::VecDeque;

use super::random::Random;
use super::slots::Id;
use crate::backend::sim::sorted::SortedMap;

/// Scheduling policy: which of the ready tasks runs next.
///
/// A choice is made whenever more than one task is ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// `Random` for three of four seeds, and `Pct` with three changes for the others: each finds bugs that the other is
    /// slow to find.
    #[default]
    Mixed,
    /// A random task, drawn from the seed: finds bugs that depend on a few choices.
    Random,
    /// The task that has been ready for the longest, as on most runtimes.
    Fifo,
    /// The task that was woken last.
    Lifo,
    /// Every task has a priority drawn from the seed, and the task with the highest priority runs. The given number of
    /// times, the task that would run next gets the lowest priority instead. Finds bugs that need one task to be
    /// delayed for long.
    ///
    /// After Burckhardt and others, "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs" (2010). How long
    /// a program runs is not known here, so the changes come at distances from a few choices to thousands.
    Pct(u32),
}

/// A task to be polled; `None`: the future of the innermost `block_on`.
pub(super) struct Ready {
    pub(super) task: Id,
    pub(super) runnable: Option<async_task::Runnable>,
    /// The task has woken itself during its own turn.
    pub(super) yielded: bool,
}

/// Number of yields in a row that count as a loop waiting for other tasks, which then get the priority.
const PATIENCE: u32 = 256;

/// The number of choices between two changes of a priority is below two to this power.
const FARTHEST: u64 = 14;

/// Draws which task runs next.
#[derive(Debug)]
pub(super) struct Schedule {
    policy: Policy,
    // What was asked for.
    given: Policy,
    random: Random,
    seed: u64,
    // Number of choices so far.
    made: u64,
    // After this number of choices, the task that has been ready for the longest runs.
    limit: u64,
    changes: u32,
    // Number of choices until the next change.
    until_change: u64,
    // Lowered priorities, below all drawn ones; the task that was lowered last has the lowest.
    lowered: SortedMap<u64, u64>,
    lowest: u64,
    yields: u32,
}

impl Schedule {
    pub(super) fn new(given: Policy, seed: u64, mut random: Random, limit: Option<u64>) -> Self {
        let policy = match given {
            Policy::Mixed if random.below(4) == 0 => Policy::Pct(3),
            Policy::Mixed => Policy::Random,
            policy => policy,
        };
        let mut schedule = Self {
            policy,
            given,
            random,
            seed,
            made: 0,
            limit: limit.unwrap_or(u64::MAX),
            changes: 0,
            until_change: u64::MAX,
            lowered: SortedMap::new(),
            lowest: DRAWN,
            yields: 0,
        };
        if let Policy::Pct(changes) = policy {
            schedule.changes = changes;
            schedule.plan_change();
        }
        schedule
    }

    /// Returns the policy in use, which is never `Mixed` but one of its two.
    pub(super) fn policy(&self) -> Policy {
        self.policy
    }

    /// Returns the number of choices so far.
    pub(super) fn choices(&self) -> u64 {
        self.made
    }

    /// All further choices are drawn from this seed, as those of a run that begins with it.
    pub(super) fn reseed(&mut self, seed: u64, random: Random, ready: &mut VecDeque<Ready>) {
        let (made, limit) = (self.made, self.limit);
        *self = Self { made, ..Self::new(self.given, seed, random, Some(limit)) };
        if matches!(self.policy, Policy::Pct(_)) && made < limit {
            ready.make_contiguous().sort_by_key(|it| self.priority(it.task.number));
        }
    }

    /// Draws whether an event with a rate of one in `one_in` turns happens.
    pub(super) fn chance(&mut self, one_in: u32) -> bool {
        self.random.below(one_in.into()) == 0
    }

    /// Returns a number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.random.below(end as u64) as usize
    }

    /// Removes and returns the task that runs next.
    pub(super) fn take(&mut self, ready: &mut VecDeque<Ready>) -> Option<Ready> {
        if ready.len() < 2 {
            return ready.pop_front();
        }
        self.made += 1;
        let policy = if self.made > self.limit { Policy::Fifo } else { self.policy };
        match policy {
            Policy::Fifo => ready.remove(fifo(ready)),
            Policy::Lifo => ready.remove(ready.iter().rposition(|it| !it.yielded).unwrap_or(ready.len() - 1)),
            // The order of the remaining tasks does not matter, so the cheapest removal is used.
            Policy::Random | Policy::Mixed => {
                ready.swap_remove_back(self.random.below(ready.len() as u64) as usize)
            }
            Policy::Pct(_) => self.take_highest(ready),
        }
    }

    /// Chooses the next of `len` local tasks of a set; the set is one task here.
    pub(super) fn choose(&mut self, len: usize) -> usize {
        self.made += 1;
        if self.made > self.limit || self.policy == Policy::Fifo { 0 } else { self.below(len) }
    }

    /// Adds a task that has become ready.
    pub(super) fn put(&mut self, ready: &mut VecDeque<Ready>, new: Ready) {
        match self.policy {
            Policy::Pct(_) if self.made < self.limit => self.put_by_priority(ready, new),
            _ => ready.push_back(new),
        }
    }

    /// Tasks are kept sorted by priority: with thousands of them, a scan would dominate the run time.
    #[inline(never)]
    fn put_by_priority(&self, ready: &mut VecDeque<Ready>, new: Ready) {
        let priority = self.priority(new.task.number);
        let at = ready.partition_point(|it| self.priority(it.task.number) < priority);
        ready.insert(at, new);
    }

    /// Removes the priority of a task that has ended.
    pub(super) fn forget(&mut self, task: u64) {
        self.lowered.remove(&task);
    }

    fn take_highest(&mut self, ready: &mut VecDeque<Ready>) -> Option<Ready> {
        self.until_change = self.until_change.saturating_sub(1);
        let changes = self.until_change == 0;
        let highest = ready.pop_back()?;
        self.yields = if highest.yielded { self.yields + 1 } else { 0 };
        if changes {
            self.plan_change();
        }
        if !changes && self.yields <= PATIENCE {
            return Some(highest);
        }
        self.yields = 0;
        self.lowest -= 1;
        self.lowered.insert(highest.task.number, self.lowest);
        ready.push_front(highest);
        ready.pop_back()
    }

    fn priority(&self, task: u64) -> u64 {
        let lowered = if self.lowered.is_empty() { None } else { self.lowered.get(&task) };
        lowered.copied().unwrap_or_else(|| DRAWN | super::random::mix(self.seed ^ task.rotate_left(32)))
    }

    fn plan_change(&mut self) {
        self.until_change = match self.changes.checked_sub(1) {
            Some(left) => {
                self.changes = left;
                let farthest = self.random.below(FARTHEST + 1);
                1 + self.random.below(1 << farthest)
            }
            None => u64::MAX,
        };
    }
}

/// Drawn priorities are at or above this value; lowered ones are below it.
const DRAWN: u64 = 1 << 63;

/// Tasks that have only yielded run after the others.
fn fifo(ready: &VecDeque<Ready>) -> usize {
    ready.iter().position(|it| !it.yielded).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::sim::random::Stream;

    #[test]
    fn mixed_is_random_with_three_of_four_seeds() {
        let policy =
            |seed| Schedule::new(Policy::Mixed, seed, Random::new(seed, Stream::Schedule), None).policy();
        let pct = (0..4_000).filter(|seed| policy(*seed) == Policy::Pct(3)).count();
        assert!(pct.abs_diff(1_000) < 100, "{pct} of 4,000");
    }
}
