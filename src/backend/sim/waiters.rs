use std::task::Waker;

use crate::runtime::task::catch_panic::{discard, wake};

/// A caller that polls for something, and waits if it is not there.
///
/// Its waker is cloned only if it has to be stored. Cloning runs user code, which must not happen under the lock. So a
/// wait under the lock either uses a clone that was made before, or asks for one.
#[derive(Debug)]
pub(super) struct Waiter<'a> {
    waker: &'a Waker,
    clone: Option<Waker>,
    wants_clone: bool,
    waits: bool,
}

impl<'a> Waiter<'a> {
    pub(super) fn new(waker: &'a Waker) -> Self {
        Self { waker, clone: None, wants_clone: false, waits: true }
    }

    /// A caller that does not wait.
    pub(super) fn nobody() -> Self {
        Self { waits: false, ..Self::new(Waker::noop()) }
    }

    /// Clones the waker if a clone was asked for; then the caller has to poll again.
    pub(super) fn looks_again(&mut self) -> bool {
        let again = std::mem::take(&mut self.wants_clone);
        if again {
            self.clone_it();
        }
        again
    }

    /// Clones the waker, which is done outside of the lock.
    pub(super) fn clone_it(&mut self) {
        self.clone = Some(self.waker.clone());
    }

    /// Whether the wait failed because there was no clone.
    pub(super) fn wants_clone(&self) -> bool {
        self.wants_clone
    }

    /// Returns the clone to be stored, or asks for one.
    fn keep(&mut self) -> Option<Waker> {
        self.wants_clone = self.waits && self.clone.is_none();
        self.clone.take()
    }
}

/// List of wakers; a single one, the usual case, needs no allocation.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    // Without it there are none.
    first: Option<Waker>,
    more: Vec<Waker>,
}

impl Waiters {
    pub(super) fn push(&mut self, waker: Waker) {
        if self.first.is_none() {
            self.first = Some(waker);
        } else {
            self.more.push(waker);
        }
    }

    /// Adds a waiter, unless its waker is stored already.
    pub(super) fn add(&mut self, waiter: &mut Waiter<'_>) {
        if !self.first.iter().chain(&self.more).any(|other| other.will_wake(waiter.waker)) {
            self.extend(waiter.keep());
        }
    }

    pub(super) fn wake(self) {
        self.into_iter().for_each(wake);
    }

    pub(super) fn discard(self) {
        self.into_iter().for_each(discard);
    }

    pub(super) fn are_many(&self) -> bool {
        !self.more.is_empty()
    }

    /// Returns the waker, if there is exactly one.
    pub(super) fn take_one(&mut self) -> Option<Waker> {
        self.first.take()
    }

    pub(super) fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}

impl Extend<Waker> for Waiters {
    fn extend<I: IntoIterator<Item = Waker>>(&mut self, wakers: I) {
        wakers.into_iter().for_each(|waker| self.push(waker));
    }
}

impl IntoIterator for Waiters {
    type Item = Waker;
    type IntoIter = std::iter::Chain<std::option::IntoIter<Waker>, std::vec::IntoIter<Waker>>;

    fn into_iter(self) -> Self::IntoIter {
        self.first.into_iter().chain(self.more)
    }
}

/// How a task waits for a socket.
#[derive(Clone, Copy)]
pub(super) enum How {
    Awaits,
    Polls,
}

/// Waiters of a socket: any number of tasks that await it, and the last task that polled it.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    awaiting: Waiters,
    polling: Option<Waker>,
}

impl Waiting {
    /// Adds a waiter; drop the displaced one, if any, outside of the lock.
    pub(super) fn add(&mut self, waiter: &mut Waiter<'_>, how: How) -> Option<Waker> {
        match how {
            How::Awaits => {
                self.awaiting.add(waiter);
                None
            }
            How::Polls => set(&mut self.polling, waiter),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.awaiting.is_empty() && self.polling.is_none()
    }

    /// Moves all of them to a list. One task that polls is the usual case.
    #[inline]
    pub(super) fn move_to(&mut self, list: &mut Waiters) {
        if !self.awaiting.is_empty() {
            list.extend(self.awaiting.take());
        }
        if let Some(waker) = self.polling.take() {
            list.push(waker);
        }
    }
}

/// Replaces all waiters by this one; drop the displaced ones outside of the lock.
pub(super) fn set(waiting: &mut Option<Waker>, waiter: &mut Waiter<'_>) -> Option<Waker> {
    match waiting {
        Some(waker) if waker.will_wake(waiter.waker) => None,
        waiting => waiter.keep().and_then(|waker| waiting.replace(waker)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Wake;

    use super::*;

    struct Panics(AtomicU32);

    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
            panic!("a waker");
        }
    }

    #[test]
    fn all_are_woken_though_each_panics() {
        let panics = Arc::new(Panics(AtomicU32::new(0)));
        let mut waiters = Waiters::default();
        waiters.extend([(); 3].map(|()| Waker::from(panics.clone())));
        waiters.wake();
        assert_eq!(panics.0.load(Ordering::Relaxed), 3);
    }

    /// A waker that is stored already is not cloned again.
    #[test]
    fn waiter_is_cloned_when_that_is_needed() {
        let panics = Arc::new(Panics(AtomicU32::new(0)));
        let waker = Waker::from(panics.clone());
        let (mut many, mut one) = (Waiters::default(), None);
        let mut looks = 0;
        let mut wait = || {
            let mut waiter = Waiter::new(&waker);
            loop {
                looks += 1;
                many.add(&mut waiter);
                assert!(set(&mut one, &mut waiter).is_none());
                if !waiter.looks_again() {
                    return Arc::strong_count(&panics);
                }
            }
        };
        assert_eq!((wait(), wait()), (4, 4));
        assert_eq!(looks, 4);
    }
}
