use super::lists::List;

/// Map from numbers to values, with access in constant time.
#[derive(Debug)]
pub(super) struct Slots<T> {
    slots: Vec<Slot<T>>,
    // The slot that became free last, or `NONE`. Each free slot has the one before it as its number.
    free: u64,
    len: usize,
}

/// No slot.
const NONE: u64 = u64::MAX;

#[derive(Debug)]
struct Slot<T> {
    number: u64,
    value: Option<T>,
}

/// The number of a value, and its slot. Slots are reused, numbers are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id {
    pub(super) number: u64,
    slot: u32,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: NONE, len: 0 }
    }
}

impl<T> List for Slots<T> {
    fn emptied(&mut self) -> Self {
        (self.free, self.len) = (NONE, 0);
        Self { slots: self.slots.emptied(), ..Self::default() }
    }
}

impl<T> Slots<T> {
    pub(super) fn insert(&mut self, number: u64, value: T) -> Id {
        let value = Some(value);
        self.len += 1;
        let slot = match self.slots.get_mut(self.free as usize) {
            Some(free) => {
                let slot = std::mem::replace(&mut self.free, free.number);
                (free.number, free.value) = (number, value);
                slot
            }
            None => {
                self.slots.push(Slot { number, value });
                self.slots.len() as u64 - 1
            }
        };
        Id { number, slot: slot as u32 }
    }

    #[inline]
    pub(super) fn get(&self, id: Id) -> Option<&T> {
        self.slots.get(id.slot as usize).filter(|slot| slot.number == id.number)?.value.as_ref()
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: Id) -> Option<&mut T> {
        self.slots.get_mut(id.slot as usize).filter(|slot| slot.number == id.number)?.value.as_mut()
    }

    pub(super) fn remove(&mut self, id: Id) -> Option<T> {
        let slot = self.slots.get_mut(id.slot as usize).filter(|slot| slot.number == id.number)?;
        let value = slot.value.take()?;
        slot.number = std::mem::replace(&mut self.free, id.slot.into());
        self.len -= 1;
        Some(value)
    }

    /// Drops a value where it is: removing one that is large moves it more than once.
    pub(super) fn forget(&mut self, id: Id) {
        if self.get(id).is_some() {
            let slot = &mut self.slots[id.slot as usize];
            slot.value = None;
            slot.number = std::mem::replace(&mut self.free, id.slot.into());
            self.len -= 1;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Iterates in the order of the slots, which is the same in every run.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Id, &T)> {
        self.slots.iter().enumerate().filter_map(|(slot, Slot { number, value })| {
            Some((Id { number: *number, slot: slot as u32 }, value.as_ref()?))
        })
    }

    /// Removes all of them.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = T> {
        (self.free, self.len) = (NONE, 0);
        self.slots.drain(..).filter_map(|slot| slot.value)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(|slot| slot.value.as_ref())
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.slots.iter_mut().filter_map(|slot| slot.value.as_mut())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slot_that_is_used_again_is_not_what_was_there_before() {
        let mut slots = Slots::default();
        let first = slots.insert(1, "first");
        assert_eq!(slots.remove(first), Some("first"));
        let second = slots.insert(2, "second");
        assert_eq!((first.slot, slots.len()), (second.slot, 1));
        assert_eq!(slots.get(first), None);
        assert_eq!(slots.get_mut(first), None);
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.get(second), Some(&"second"));
    }
}
