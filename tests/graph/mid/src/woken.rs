use std::collections::BTreeSet;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, ThreadId};

use crate::report::thread_name;

/// A future, and the names of the threads that woke it: those of the reactor that it waits for.
///
/// A wake by the future itself, to yield, does not count.
pub(crate) struct Woken<F> {
    future: Pin<Box<F>>,
    bell: Arc<Bell>,
}

struct Bell {
    state: Mutex<State>,
}

struct State {
    rung: bool,
    by: BTreeSet<String>,
    polled_by: Option<ThreadId>,
    waiter: Option<Waker>,
}

impl<F: Future> Woken<F> {
    pub(crate) fn new(future: F) -> Self {
        // `rung` is set for the first poll.
        let state = State { rung: true, by: BTreeSet::new(), polled_by: None, waiter: None };
        Self { future: Box::pin(future), bell: Arc::new(Bell { state: Mutex::new(state) }) }
    }
}

impl<F: Future> Future for Woken<F> {
    type Output = (F::Output, BTreeSet<String>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let bell = self.bell.clone();
        let mut state = bell.lock();
        state.waiter = Some(cx.waker().clone());
        // On a poll for another reason the future might be ready before it is woken.
        if !mem::take(&mut state.rung) {
            return Poll::Pending;
        }
        state.polled_by = Some(thread::current().id());
        drop(state);
        let polled = self.future.as_mut().poll(&mut Context::from_waker(&Waker::from(bell.clone())));
        let mut state = bell.lock();
        state.polled_by = None;
        polled.map(|output| (output, mem::take(&mut state.by)))
    }
}

impl Bell {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        let mut state = self.lock();
        state.rung = true;
        if state.polled_by != Some(thread::current().id()) {
            state.by.insert(thread_name());
        }
        let waiter = state.waiter.take();
        drop(state);
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }
}

/// Awaits futures of `timer` until one was pending at its first poll.
pub(crate) async fn waited<F: Future>(mut timer: impl FnMut() -> F) -> (F::Output, BTreeSet<String>) {
    loop {
        let (output, by) = Woken::new(timer()).await;
        if !by.is_empty() {
            return (output, by);
        }
    }
}
