use std::task::Waker;

/// Wakers, nearly always one, which then takes no allocation.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    first: Option<Waker>,
    more: Vec<Waker>,
}

impl Waiters {
    pub(super) fn push(&mut self, waker: Waker) {
        if self.first.is_none() && self.more.is_empty() {
            self.first = Some(waker);
        } else {
            self.more.push(waker);
        }
    }

    fn add(&mut self, waker: &Waker) {
        if !self.first.iter().chain(&self.more).any(|other| other.will_wake(waker)) {
            self.push(waker.clone());
        }
    }

    pub(super) fn append(&mut self, other: Self) {
        other.first.into_iter().for_each(|waker| self.push(waker));
        if !other.more.is_empty() {
            self.extend(other.more);
        }
    }

    pub(super) fn wake(self) {
        self.into_iter().for_each(Waker::wake);
    }

    pub(super) fn are_many(&self) -> bool {
        !self.more.is_empty()
    }

    /// The only one, unless they are many.
    pub(super) fn take_one(&mut self) -> Option<Waker> {
        self.first.take()
    }

    pub(super) fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none() && self.more.is_empty()
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

/// Those who wait for a socket: any number of tasks that await it, and the last one that has polled it.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    awaiting: Waiters,
    polling: Option<Waker>,
}

impl Waiting {
    /// One more waits; whoever is displaced is to be dropped.
    pub(super) fn add(&mut self, waker: &Waker, how: How) -> Option<Waker> {
        match how {
            How::Awaits => {
                self.awaiting.add(waker);
                None
            }
            How::Polls => set(&mut self.polling, waker),
        }
    }

    pub(super) fn take(&mut self) -> Waiters {
        let mut all = self.awaiting.take();
        all.extend(self.polling.take());
        all
    }
}

/// Only this one waits from now on; whoever did is to be dropped.
pub(super) fn set(waiter: &mut Option<Waker>, waker: &Waker) -> Option<Waker> {
    match waiter {
        Some(waiter) if waiter.will_wake(waker) => None,
        waiter => waiter.replace(waker.clone()),
    }
}
