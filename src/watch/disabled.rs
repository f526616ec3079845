//! In place of `watch`, where it is not compiled in: types without values.

use std::convert::Infallible;
use std::panic::Location;
use std::task::{Context, Poll, Waker};

use crate::thread::SameScope;

#[derive(Clone)]
pub(crate) struct Watch(Infallible);

impl Watch {
    pub(crate) fn unowned(&self) -> Self {
        match self.0 {}
    }

    pub(crate) fn task(&self, _: TaskKind, _: Option<&str>, _: &'static Location<'static>) -> Watched {
        match self.0 {}
    }
}

pub(crate) struct Watched(Infallible);

impl Watched {
    pub(crate) fn poll<T>(&mut self, _: &Waker, _: impl FnOnce(&mut Context<'_>) -> T) -> T {
        match self.0 {}
    }

    pub(crate) fn poll_again<F, T>(
        &mut self,
        _: &Waker,
        _: SameScope<'_>,
        _: F,
        _: impl FnOnce(&mut F, &mut Context<'_>) -> Poll<T>,
        _: impl FnOnce(F, T) -> T,
    ) -> Poll<T> {
        match self.0 {}
    }

    pub(crate) fn drop_in<T>(&mut self, _: impl FnOnce() -> T) -> T {
        match self.0 {}
    }

    pub(crate) fn call<T>(self, _: impl FnOnce() -> T) -> T {
        match self.0 {}
    }
}

#[derive(Clone, Copy)]
pub(crate) enum TaskKind {
    Task,
    Blocking,
    BlockOn,
}
