use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::backend::sim::lists::List;
use crate::backend::sim::slots::{Id, Slots};

/// Queue of events: the earliest first; of simultaneous events the one that was added first.
#[derive(Debug)]
pub(in crate::backend::sim) struct Queue<T> {
    events: Slots<T>,
    // By nanoseconds. Those that were removed stay in here until they would be next, or are most of it.
    order: BinaryHeap<Due>,
}

/// When an event happens.
#[derive(Debug)]
struct Due {
    nanos: u64,
    id: Id,
}

impl Due {
    // One number, for a heap compares often.
    fn order(&self) -> u128 {
        u128::from(self.nanos) << 64 | u128::from(self.id.number)
    }
}

/// The earliest is the greatest, which a heap has on top.
impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        other.order().cmp(&self.order())
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Due {}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { events: Slots::default(), order: BinaryHeap::new() }
    }
}

impl<T> List for Queue<T> {
    fn emptied(&mut self) -> Self {
        Self { events: self.events.emptied(), order: self.order.emptied() }
    }
}

impl<T> Queue<T> {
    pub(super) fn insert(&mut self, nanos: u64, number: u64, event: T) -> Id {
        let id = self.events.insert(number, event);
        self.order.push(Due { nanos, id });
        id
    }

    pub(super) fn remove(&mut self, id: Id) -> Option<T> {
        let event = self.events.remove(id);
        if self.order.len() > 64 && self.order.len() / 2 > self.events.len() {
            let Self { events, order } = self;
            order.retain(|due| events.get(due.id).is_some());
        }
        event
    }

    /// When the first happens.
    pub(super) fn next(&mut self) -> Option<u64> {
        while let Some(Due { nanos, id }) = self.order.peek() {
            if self.events.get(*id).is_some() {
                return Some(*nanos);
            }
            self.order.pop();
        }
        None
    }

    /// The first, if it happens at `nanos`.
    pub(super) fn take(&mut self, nanos: u64) -> Option<(Id, T)> {
        loop {
            let id = self.order.peek().filter(|due| due.nanos == nanos)?.id;
            self.order.pop();
            if let Some(event) = self.events.remove(id) {
                return Some((id, event));
            }
        }
    }

    /// Changes when they happen, of those of which it is said.
    pub(super) fn move_to(&mut self, when: impl Fn(&T) -> Option<u64>) {
        let Self { events, order } = self;
        let moved = |Due { nanos, id }| {
            let event = events.get(id)?;
            Some(Due { nanos: when(event).unwrap_or(nanos), id })
        };
        *order = std::mem::take(order).into_iter().filter_map(moved).collect();
    }

    /// All of them, in no order.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = T> {
        self.order.clear();
        self.events.drain()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_happen_in_order_and_removed_ones_do_not() {
        let mut events = Queue::default();
        let ids: Vec<_> = (0..1_000).map(|n| events.insert((n * 7919) % 100, n, n)).collect();
        for id in ids.iter().filter(|id| id.number % 10 != 0) {
            assert_eq!(events.remove(*id), Some(id.number));
        }
        assert!(events.order.len() < 300, "{} for 100 events", events.order.len());
        let mut happened = Vec::new();
        while let Some(nanos) = events.next() {
            happened.extend(
                std::iter::from_fn(|| events.take(nanos)).map(|(id, event)| (nanos, id.number, event)),
            );
        }
        let mut expected: Vec<_> = (0..1_000).step_by(10).map(|n| ((n * 7919) % 100, n, n)).collect();
        expected.sort_unstable();
        assert_eq!(happened, expected);
    }

    #[test]
    fn events_are_moved() {
        let mut events = Queue::default();
        for n in 1..=4 {
            events.insert(10 * n, n, n);
        }
        events.move_to(|n| [(4, 5), (2, 25)].into_iter().find(|(of, _)| of == n).map(|(_, at)| at));
        let order =
            std::iter::from_fn(|| events.next().and_then(|nanos| Some((nanos, events.take(nanos)?.1))));
        assert_eq!(order.collect::<Vec<_>>(), [(5, 4), (10, 1), (25, 2), (30, 3)]);
    }
}
