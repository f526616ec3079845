//! The search for an order of the operations that explains their results.
//!
//! After Wing and Gong, "Testing and Verifying Concurrent Objects" (1993), with the cache of Lowe, "Testing for
//! Linearizability" (2017), as Porcupine has it: beginnings and ends in a doubly linked list, from which an operation is
//! taken when it is placed. What is new here is the treatment of operations without an end: `covers` says how.
//!
//! None of it is generic, so that a model costs its program little time to build.

use std::collections::HashMap;

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
#[derive(Debug, Default)]
pub(super) struct Stuck {
    /// The longest order that fits: that which reaches the latest end, with most operations. And the state after it.
    pub(super) order: Vec<usize>,
    pub(super) state: usize,
    /// Operations that would have to be next, and cannot be.
    pub(super) next: Vec<usize>,
    /// The first end that no order reaches: what has to be there up to this end contradicts itself, and without it not.
    pub(super) end: usize,
}

/// Searches, and subtracts its steps from `left`.
pub(super) fn search(spans: &[Span], initial: usize, model: &mut dyn Steps, left: &mut u64) -> Answer {
    Search::new(spans, initial, model, left).run()
}

struct Search<'a> {
    model: &'a mut dyn Steps,
    left: &'a mut u64,
    // With an end, and without: both by their beginnings.
    ended: Vec<Span>,
    pending: Vec<Span>,
    list: List,
    state: usize,
    // What is placed of either.
    placed: Bits,
    used: Bits,
    // What was placed, the last one at the end.
    stack: Vec<Frame>,
    // For each state and what was placed of those with an end: what was used of the others.
    seen: HashMap<Box<[u64]>, Vec<Bits>>,
    count: usize,
    most: usize,
    stuck: Stuck,
}

/// What is tried next.
#[derive(Clone, Copy)]
enum At {
    /// A node of the list.
    List(usize),
    /// One without an end, if it began before this node, the first end in the list.
    Pending(usize, usize),
}

struct Frame {
    at: At,
    state: usize,
}

impl<'a> Search<'a> {
    fn new(spans: &[Span], initial: usize, model: &'a mut dyn Steps, left: &'a mut u64) -> Self {
        let (mut ended, mut pending): (Vec<Span>, Vec<Span>) =
            spans.iter().partition(|span| span.ended.is_some());
        ended.sort_unstable_by_key(|span| span.began);
        pending.sort_unstable_by_key(|span| span.began);
        Self {
            model,
            left,
            list: List::new(&ended),
            state: initial,
            placed: Bits::new(ended.len()),
            used: Bits::new(pending.len()),
            stack: Vec::new(),
            seen: HashMap::new(),
            ended,
            pending,
            count: 0,
            most: 0,
            stuck: Stuck::default(),
        }
    }

    fn run(mut self) -> Answer {
        let mut at = At::List(self.list.first());
        loop {
            at = match at {
                At::List(node) => match self.list.nodes[node] {
                    // All of the others are placed: nothing is before the end of the list.
                    Node::Edge => return Answer::Linearizable,
                    Node::Begin(index) => match self.place(at, self.ended[index]) {
                        Placed::Yes => At::List(self.list.first()),
                        Placed::No => At::List(self.list.next[node]),
                        Placed::Exhausted => return Answer::Unknown,
                    },
                    Node::End(..) => At::Pending(0, node),
                },
                At::Pending(index, end) => match self.pending.get(index).copied() {
                    Some(span) if span.began < self.list.positions[end] => match self.place(at, span) {
                        Placed::Yes => At::List(self.list.first()),
                        Placed::No => At::Pending(index + 1, end),
                        Placed::Exhausted => return Answer::Unknown,
                    },
                    _ => {
                        self.note_stuck(end);
                        match self.take_back() {
                            Some(at) => at,
                            None => return Answer::Contradiction(self.stuck),
                        }
                    }
                },
            };
        }
    }

    /// Places an operation next, unless it cannot be there, or what would follow has been tried.
    fn place(&mut self, at: At, span: Span) -> Placed {
        if matches!(at, At::Pending(index, _) if self.used.has(index)) {
            return Placed::No;
        }
        if !spend(self.left, 1) {
            return Placed::Exhausted;
        }
        let Some(state) = self.model.step(self.state, span.operation, span.is_known) else {
            return Placed::No;
        };
        // It need not be anywhere, and here it changes nothing.
        if span.ended.is_none() && state == self.state {
            return Placed::No;
        }
        self.mark(at, true);
        let seen = self.seen.entry(self.placed.key(state)).or_default();
        let tried = seen.iter().position(|used| self.used.covers(used));
        let compared = tried.map_or(seen.len(), |at| at + 1);
        if !spend(self.left, compared as u64) {
            return Placed::Exhausted;
        }
        if tried.is_some() {
            self.mark(at, false);
            return Placed::No;
        }
        seen.push(self.used.clone());
        if let At::List(node) = at {
            self.list.lift(node);
            self.count += 1;
        }
        self.stack.push(Frame { at, state: self.state });
        self.state = state;
        Placed::Yes
    }

    fn mark(&mut self, at: At, is_placed: bool) {
        match at {
            At::List(node) => {
                if let Node::Begin(index) = self.list.nodes[node] {
                    self.placed.set(index, is_placed);
                }
            }
            At::Pending(index, _) => self.used.set(index, is_placed),
        }
    }

    /// Takes back what was placed last, and returns what is tried instead.
    fn take_back(&mut self) -> Option<At> {
        let Frame { at, state } = self.stack.pop()?;
        self.state = state;
        self.mark(at, false);
        Some(match at {
            At::List(node) => {
                self.list.unlift(node);
                self.count -= 1;
                At::List(self.list.next[node])
            }
            At::Pending(index, end) => At::Pending(index + 1, end),
        })
    }

    /// Nothing can be placed before this end.
    fn note_stuck(&mut self, end: usize) {
        let end = self.list.positions[end];
        if (end, self.count) <= (self.stuck.end, self.most) && !self.stuck.next.is_empty() {
            return;
        }
        (self.stuck.end, self.most) = (end, self.count);
        let of_frame = |frame: &Frame| match frame.at {
            At::List(node) => self.list.begins(node).map(|index| self.ended[index].operation),
            At::Pending(index, _) => Some(self.pending[index].operation),
        };
        self.stuck.order = self.stack.iter().filter_map(of_frame).collect();
        self.stuck.state = self.state;
        let waiting = self.list.walk().map_while(|node| self.list.begins(node));
        self.stuck.next = waiting.map(|index| self.ended[index].operation).collect();
    }
}

enum Placed {
    Yes,
    No,
    Exhausted,
}

fn spend(left: &mut u64, steps: u64) -> bool {
    let enough = *left >= steps;
    *left = left.saturating_sub(steps);
    enough
}

/// Beginnings and ends in their order: a doubly linked list, from whose first node to its last is an edge.
struct List {
    nodes: Vec<Node>,
    positions: Vec<usize>,
    next: Vec<usize>,
    previous: Vec<usize>,
    // Of those that begin: the node of their end.
    ends: Vec<usize>,
}

#[derive(Clone, Copy)]
enum Node {
    Edge,
    Begin(usize),
    End(usize),
}

impl List {
    /// Of operations that have an end.
    fn new(spans: &[Span]) -> Self {
        let mut nodes: Vec<_> = (0..)
            .zip(spans)
            .flat_map(|(index, span)| {
                let end = span.ended.map(|position| (position, Node::End(index)));
                [Some((span.began, Node::Begin(index))), end].into_iter().flatten()
            })
            .collect();
        nodes.sort_unstable_by_key(|(position, _)| *position);
        let nodes = [vec![(0, Node::Edge)], nodes, vec![(usize::MAX, Node::Edge)]].concat();
        let (positions, nodes): (Vec<_>, Vec<_>) = nodes.into_iter().unzip();
        let mut ends = vec![0; spans.len()];
        for (at, node) in nodes.iter().enumerate() {
            if let Node::End(index) = node {
                ends[*index] = at;
            }
        }
        Self {
            next: (1..=nodes.len()).collect(),
            previous: (0..nodes.len()).map(|at| at.saturating_sub(1)).collect(),
            nodes,
            positions,
            ends,
        }
    }

    fn first(&self) -> usize {
        self.next[0]
    }

    fn begins(&self, node: usize) -> Option<usize> {
        match self.nodes[node] {
            Node::Begin(index) => Some(index),
            Node::Edge | Node::End(_) => None,
        }
    }

    fn walk(&self) -> impl Iterator<Item = usize> {
        let last = self.nodes.len() - 1;
        std::iter::successors(Some(self.first()), move |node| Some(self.next[*node]).filter(|_| *node < last))
    }

    /// Takes out an operation, by the node where it begins.
    fn lift(&mut self, begin: usize) {
        for node in self.begins(begin).into_iter().flat_map(|index| [begin, self.ends[index]]) {
            let (before, after) = (self.previous[node], self.next[node]);
            (self.next[before], self.previous[after]) = (after, before);
        }
    }

    /// Puts the operation back that was taken out last.
    fn unlift(&mut self, begin: usize) {
        for node in self.begins(begin).into_iter().flat_map(|index| [self.ends[index], begin]) {
            let (before, after) = (self.previous[node], self.next[node]);
            (self.next[before], self.previous[after]) = (node, node);
        }
    }
}

/// A set of small numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bits(Box<[u64]>);

impl Bits {
    fn new(len: usize) -> Self {
        Self(vec![0; len.div_ceil(64)].into())
    }

    fn has(&self, index: usize) -> bool {
        self.0[index / 64] >> (index % 64) & 1 == 1
    }

    fn set(&mut self, index: usize, is_in: bool) {
        let bit = 1 << (index % 64);
        let word = &mut self.0[index / 64];
        *word = if is_in { *word | bit } else { *word & !bit };
    }

    /// Whether all of the others are in it.
    ///
    /// Of operations without an end, whoever has used fewer can do whatever others can, and more: nobody has to use them.
    /// So what has been tried with fewer, in the same state, need not be tried again. This is what keeps a search short
    /// in which many have timed out: otherwise all subsets of them would be tried.
    fn covers(&self, others: &Self) -> bool {
        self.0.iter().zip(&others.0).all(|(all, some)| some & !all == 0)
    }

    /// A key for this set and a state. Of a long history only what is between the first that is missing and the last
    /// that is there takes room.
    fn key(&self, state: usize) -> Box<[u64]> {
        let full = self.0.iter().take_while(|word| **word == u64::MAX).count();
        let rest = &self.0[full..];
        let len = rest.iter().rposition(|word| *word != 0).map_or(0, |last| last + 1);
        [state as u64, full as u64].into_iter().chain(rest[..len].iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_tells_sets_and_states_apart() {
        let set = |members: &[usize]| {
            let mut bits = Bits::new(200);
            members.iter().for_each(|member| bits.set(*member, true));
            bits
        };
        let sets = [vec![], vec![0], vec![64], vec![199], (0..64).collect(), (0..65).collect(), (0..128).collect()];
        let keys: Vec<_> = sets.iter().flat_map(|it| [set(it).key(0), set(it).key(1)]).collect();
        for (at, key) in keys.iter().enumerate() {
            assert_eq!(keys.iter().position(|other| other == key), Some(at));
        }
        assert_eq!(set(&(0..199).collect::<Vec<_>>()).key(0).len(), 3);
    }

    #[test]
    fn list_is_as_before_when_all_is_put_back() {
        let span = |operation, began, ended| Span { operation, began, ended: Some(ended), is_known: true };
        let mut list = List::new(&[span(0, 0, 3), span(1, 1, 2), span(2, 4, 5)]);
        let all: Vec<_> = list.walk().collect();
        list.lift(1);
        list.lift(2);
        assert_eq!(list.walk().collect::<Vec<_>>(), [5, 6, 7]);
        list.lift(5);
        assert_eq!(list.walk().collect::<Vec<_>>(), [7]);
        [5, 2, 1].into_iter().for_each(|begin| list.unlift(begin));
        assert_eq!(list.walk().collect::<Vec<_>>(), all);
    }
}
