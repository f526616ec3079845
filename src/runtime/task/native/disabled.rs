//! Placeholder for the tasks of a runtime that is not compiled in: a type without values.

use std::convert::Infallible;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::runtime::task::{AbortHandle, Id, JoinError, Native, NativeAbort};

/// A task, which nothing can be in.
pub(crate) type Task = Infallible;

pub(crate) fn task() -> Option<Task> {
    None
}

pub(crate) fn poll_budget(_: &mut Context<'_>) -> Poll<()> {
    Poll::Ready(())
}

pub(crate) fn spend_budget() {}

pub(crate) fn is_budget_spent() -> bool {
    false
}

/// The native join handle.
pub(crate) struct Handle<T> {
    never: Infallible,
    _output: PhantomData<fn() -> T>,
}

impl<T> Native<T> for Handle<T> {
    fn abort_handle(&self) -> AbortHandle {
        match self.never {}
    }
}

impl<T> NativeAbort for Handle<T> {
    fn id(&self) -> Id {
        match self.never {}
    }

    fn abort(&self) {
        match self.never {}
    }

    fn is_finished(&self) -> bool {
        match self.never {}
    }
}

impl<T> Future for Handle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        match self.never {}
    }
}

#[derive(Clone)]
pub(crate) struct Abort(Infallible);

impl NativeAbort for Abort {
    fn id(&self) -> Id {
        match self.0 {}
    }

    fn abort(&self) {
        match self.0 {}
    }

    fn is_finished(&self) -> bool {
        match self.0 {}
    }
}
