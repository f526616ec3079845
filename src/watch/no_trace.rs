//! In place of `trace`, where it is not compiled in: nothing.

use super::{Report, TaskInfo};

pub(super) struct TaskSpan;

pub(super) struct SpanNumber;

pub(super) struct Entered;

impl TaskSpan {
    #[inline]
    pub(super) fn new() -> Self {
        Self
    }

    #[inline]
    pub(super) fn begin(&mut self, _: impl FnOnce() -> TaskInfo, _: &SpanNumber) {}

    #[inline]
    pub(super) fn enter(&self) -> Entered {
        Entered
    }

    #[inline]
    pub(super) fn end(&mut self, _: &SpanNumber) {}
}

impl SpanNumber {
    #[inline]
    pub(super) fn new() -> Self {
        Self
    }

    #[inline]
    pub(super) fn is_there(&self) -> bool {
        false
    }

    #[inline]
    pub(super) fn wake(&self) {}
}

pub(super) fn report(_: &Report) -> Option<bool> {
    None
}
