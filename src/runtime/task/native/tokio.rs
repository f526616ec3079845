//! tokio's join handle, whose rules are the contract's except for how an abort and a shutdown are told apart; and its budget.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker, ready};

use tokio::task::coop::has_budget_remaining;
use tokio::task::{JoinHandle, consume_budget, unconstrained};

use crate::runtime::task::{AbortHandle, Id, JoinError, Native, NativeAbort};

pub(crate) use tokio::task::{Id as Task, try_id as task};

pub(crate) struct Handle<T> {
    handle: JoinHandle<T>,
    // tokio says "cancelled" of an aborted task and of one whose runtime is gone. Empty until somebody may abort it.
    aborted: OnceLock<Arc<AtomicBool>>,
}

impl<T> From<JoinHandle<T>> for Handle<T> {
    fn from(handle: JoinHandle<T>) -> Self {
        Self { handle, aborted: OnceLock::new() }
    }
}

impl<T> Handle<T> {
    #[cold]
    fn error(&self, error: tokio::task::JoinError) -> JoinError {
        let id = Id::tokio(error.id());
        match error.try_into_panic() {
            Ok(payload) => JoinError::panicked(id, payload),
            Err(_) if self.aborted.get().is_some_and(|aborted| aborted.load(Ordering::Relaxed)) => {
                JoinError::cancelled(id)
            }
            Err(_) => JoinError::runtime_gone(id),
        }
    }

    fn abort_native(&self) -> Abort {
        Abort { handle: self.handle.abort_handle(), aborted: self.aborted.get_or_init(Arc::default).clone() }
    }
}

impl<T> Native<T> for Handle<T> {
    fn abort_handle(&self) -> AbortHandle {
        AbortHandle::tokio(self.abort_native())
    }

    // A handle of tokio that finds the budget spent wakes itself: a set of n tasks that have finished would poll n
    // handles for each 128 that it gets.
    fn poll_unconstrained(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        pin!(unconstrained(self)).poll(cx)
    }
}

impl<T> NativeAbort for Handle<T> {
    fn id(&self) -> Id {
        Id::tokio(self.handle.id())
    }

    fn abort(&self) {
        // Of one that is over, nobody is told that it was aborted.
        if !self.handle.is_finished() {
            self.abort_native().abort();
        }
    }

    fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }
}

impl<T> Future for Handle<T> {
    type Output = Result<T, JoinError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = ready!(Pin::new(&mut self.handle).poll(cx));
        Poll::Ready(result.map_err(|error| self.error(error)))
    }
}

/// tokio's abort handle, which tells the join handle that it was used.
#[derive(Clone)]
pub(crate) struct Abort {
    handle: tokio::task::AbortHandle,
    aborted: Arc<AtomicBool>,
}

impl NativeAbort for Abort {
    fn id(&self) -> Id {
        Id::tokio(self.handle.id())
    }

    fn abort(&self) {
        if !self.handle.is_finished() {
            self.aborted.store(true, Ordering::Relaxed);
            self.handle.abort();
        }
    }

    fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }
}

/// Pending when the task of tokio that this thread polls has spent its budget; it is woken then.
#[inline]
pub(crate) fn poll_budget(cx: &mut Context<'_>) -> Poll<()> {
    if has_budget_remaining() { Poll::Ready(()) } else { pin!(consume_budget()).poll(cx) }
}

/// One operation less is left to the task of tokio that this thread polls.
#[inline]
pub(crate) fn spend_budget() {
    // Pending only where nothing is left to be spent.
    let _ = pin!(consume_budget()).poll(&mut Context::from_waker(Waker::noop()));
}

/// Whether the task of tokio that this thread polls has spent its budget.
pub(crate) fn is_budget_spent() -> bool {
    !has_budget_remaining()
}
