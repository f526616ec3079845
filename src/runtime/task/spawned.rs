//! Implements the contract of a task handle on a runtime that can only run a boxed unit future or closure.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::catch_panic::{catch_panic, discard};
use super::{JoinError, JoinHandle, Number, Slot};
use crate::runtime::task::coop::Turn;
use crate::thread::Scope;

/// [`Spawn::spawn`](crate::Spawn::spawn), given a way to run its task.
pub(crate) fn spawn_with<F>(
    future: F,
    execute: impl FnOnce(Spawned<F, Arc<Slot<F::Output>>>),
) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let slot = Arc::new(Slot::new(Number::next()));
    execute(Spawned::new(future, slot.clone()));
    JoinHandle::from_slot(slot)
}

/// [`Spawn::spawn_blocking`](crate::Spawn::spawn_blocking), given a way to run its closure.
pub(crate) fn spawn_blocking_with<F, T>(job: F, execute: impl FnOnce(Job<F, T>)) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let slot = Arc::new(Slot::new(Number::next()));
    execute(Job { job: Some(job), slot: slot.clone() });
    JoinHandle::from_slot(slot)
}

/// Spawning on a runtime that is gone: the future or closure is dropped at once, in the caller's context and in no
/// task.
pub(crate) fn spawn_gone<T: Send + 'static>(number: Number, given: impl Send) -> JoinHandle<T> {
    let error = match catch_panic(|| drop(given)) {
        Ok(()) => JoinError::runtime_gone(number),
        Err(payload) => JoinError::panicked(number, payload),
    };
    let slot = Slot::new(number);
    slot.complete(Err(error));
    JoinHandle::from_slot(Arc::new(slot))
}

/// Receiver of a task's result.
pub(crate) trait Owner<T> {
    fn number(&self) -> Number;

    /// The task is about to be polled with `waker`; whether it should run on.
    fn wants(&self, waker: &Waker) -> bool;

    /// Why a task that was dropped unfinished has no output.
    fn why_dropped(&self) -> JoinError;

    /// The task is done.
    fn complete(&self, result: Result<T, JoinError>);
}

impl<T> Owner<T> for Arc<Slot<T>> {
    fn number(&self) -> Number {
        Slot::number(self)
    }

    fn wants(&self, waker: &Waker) -> bool {
        self.is_wanted(waker)
    }

    fn why_dropped(&self) -> JoinError {
        Slot::why_dropped(self)
    }

    fn complete(&self, result: Result<T, JoinError>) {
        Slot::complete(self, result);
    }
}

impl<F: Future, O: Owner<F::Output>> Spawned<F, O> {
    pub(crate) fn new(future: F, owner: O) -> Self {
        Self { future: Some(future), owner }
    }
}

pin_project! {
    /// A task that never panics, nor does its destructor: what a runtime runs for [`spawn_with`].
    pub(crate) struct Spawned<F: Future, O: Owner<F::Output>> {
        // Taken when it is done, so that its state is dropped before its handle resumes.
        #[pin]
        future: Option<F>,
        owner: O,
    }

    impl<F: Future, O: Owner<F::Output>> PinnedDrop for Spawned<F, O> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                let number = this.owner.number();
                let _scope = Scope::unknown_task(number.get());
                let error = match catch_panic(|| this.future.set(None)) {
                    Ok(()) => this.owner.why_dropped(),
                    Err(payload) => JoinError::panicked(number, payload),
                };
                this.owner.complete(Err(error));
            }
        }
    }
}

impl<F: Future, O: Owner<F::Output>> Future for Spawned<F, O> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let number = this.owner.number();
        let (_scope, _turn) = (Scope::unknown_task(number.get()), Turn::begin());
        let polled = if this.owner.wants(cx.waker()) {
            catch_panic(|| match this.future.as_mut().as_pin_mut() {
                Some(future) => future.poll(cx).map(Ok),
                None => Poll::Ready(Err(JoinError::runtime_gone(number))),
            })
        } else {
            Ok(Poll::Ready(Err(JoinError::cancelled(number))))
        };
        let result = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(result)) => result,
            Err(payload) => Err(JoinError::panicked(number, payload)),
        };
        let result = match catch_panic(|| this.future.set(None)) {
            Ok(()) => result,
            Err(payload) => {
                discard(result);
                Err(JoinError::panicked(number, payload))
            }
        };
        this.owner.complete(result);
        Poll::Ready(())
    }
}

/// What a runtime runs for [`spawn_blocking_with`].
pub(crate) struct Job<F, T> {
    job: Option<F>,
    slot: Arc<Slot<T>>,
}

impl<F: FnOnce() -> T, T> Job<F, T> {
    pub(crate) fn run(mut self) {
        let number = self.slot.number();
        let _scope = Scope::unknown_blocking(number.get());
        // A closure that waits for a thread can be aborted; from here on it cannot.
        if self.slot.is_wanted(Waker::noop()) {
            if let Some(job) = self.job.take() {
                self.slot.complete(catch_panic(job).map_err(|payload| JoinError::panicked(number, payload)));
            }
        }
    }
}

impl<F, T> Drop for Job<F, T> {
    fn drop(&mut self) {
        if let Some(job) = self.job.take() {
            let number = self.slot.number();
            let _scope = Scope::unknown_blocking(number.get());
            let error = match catch_panic(|| drop(job)) {
                Ok(()) => self.slot.why_dropped(),
                Err(payload) => JoinError::panicked(number, payload),
            };
            self.slot.complete(Err(error));
        }
    }
}
