//! Lists that a simulation leaves to the next one of its thread.
//!
//! Most simulations are small, and to let lists grow is a part of their time. A list is passed on without what was in it, so that nothing
//! can be told from it but how much fits in.

use std::collections::{BinaryHeap, VecDeque};
use std::mem;

/// A list that can be left. What is made of several of them says what becomes of the rest of it.
pub(super) trait List: Default {
    /// Takes it, without what was in it.
    fn emptied(&mut self) -> Self;
}

/// A list that takes more bytes is not kept: a thread may never have a simulation of that size again.
const MOST: usize = 1 << 20;

impl<T> List for Vec<T> {
    fn emptied(&mut self) -> Self {
        let mut list = mem::take(self);
        list.clear();
        if list.capacity() * size_of::<T>() > MOST { Self::new() } else { list }
    }
}

impl<T> List for VecDeque<T> {
    fn emptied(&mut self) -> Self {
        Vec::from(mem::take(self)).emptied().into()
    }
}

impl<T: Ord> List for BinaryHeap<T> {
    fn emptied(&mut self) -> Self {
        mem::take(self).into_vec().emptied().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_keeps_its_capacity_unless_it_is_large() {
        let mut list = Vec::from_iter(0..100);
        let emptied = list.emptied();
        assert!(emptied.is_empty() && emptied.capacity() >= 100 && list.capacity() == 0);
        let mut queue = VecDeque::from_iter(0..100);
        queue.rotate_left(50);
        assert!(queue.emptied().capacity() >= 100);
        assert!(BinaryHeap::from_iter(0..100).emptied().capacity() >= 100);
        assert_eq!(vec![0; MOST + 1].emptied().capacity(), 0);
    }
}
