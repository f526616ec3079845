use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use super::catch_panic::{discard, wake};
use super::{JoinError, Number};
use crate::thread::{keep_waker, lock};

/// Storage for a task's result until its handle takes it, on runtimes without a native place for it.
pub(crate) struct Slot<T> {
    number: Number,
    state: Mutex<State<T>>,
}

struct State<T> {
    result: Option<Result<T, JoinError>>,
    finished: bool,
    aborted: bool,
    detached: bool,
    joiner: Option<Waker>,
    task: Option<Waker>,
}

impl<T> Slot<T> {
    pub(crate) fn new(number: Number) -> Self {
        Self {
            number,
            state: Mutex::new(State {
                result: None,
                finished: false,
                aborted: false,
                detached: false,
                joiner: None,
                task: None,
            }),
        }
    }

    pub(crate) fn number(&self) -> Number {
        self.number
    }

    /// The task is done. Only the first result counts.
    pub(crate) fn complete(&self, result: Result<T, JoinError>) {
        let mut state = lock(&self.state);
        let unwanted = state.finished || state.detached;
        state.finished = true;
        let joiner = state.joiner.take();
        let task = state.task.take();
        if unwanted {
            drop(state);
            discard(result);
        } else {
            state.result = Some(result);
            drop(state);
        }
        drop(task);
        if let Some(joiner) = joiner {
            wake(joiner);
        }
    }

    /// The task is about to be polled with `waker`; whether it should run on.
    pub(crate) fn is_wanted(&self, waker: &Waker) -> bool {
        keep_waker(&self.state, waker, |state| (!state.aborted).then_some(&mut state.task))
    }

    /// Why a task that was dropped unfinished has no output.
    pub(crate) fn why_dropped(&self) -> JoinError {
        if lock(&self.state).aborted {
            JoinError::cancelled(self.number)
        } else {
            JoinError::runtime_gone(self.number)
        }
    }

    pub(crate) fn abort(&self) {
        let mut state = lock(&self.state);
        if state.finished {
            return;
        }
        state.aborted = true;
        let task = state.task.take();
        drop(state);
        if let Some(task) = task {
            task.wake();
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        lock(&self.state).finished
    }

    /// The handle was dropped: the result is not needed.
    // As `poll_join`, not inlined: code with a handle of another kind would contain it.
    #[inline(never)]
    pub(crate) fn detach(&self) {
        let mut state = lock(&self.state);
        state.detached = true;
        let (result, joiner) = (state.result.take(), state.joiner.take());
        drop(state);
        discard(result);
        drop(joiner);
    }

    #[inline(never)]
    pub(crate) fn poll_join(&self, cx: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        if keep_waker(&self.state, cx.waker(), |state| (!state.finished).then_some(&mut state.joiner)) {
            return Poll::Pending;
        }
        let result = lock(&self.state).result.take();
        Poll::Ready(result.unwrap_or_else(|| polled_after_completion()))
    }
}

#[cold]
pub(crate) fn polled_after_completion() -> ! {
    panic!("anyrt: a `JoinHandle` was polled after it had completed")
}
