//! The clock of a runtime of tokio, which may be paused with its feature `test-util`: any crate may turn that on, and none
//! can ask.

use std::time::Instant;

use tokio::runtime::Handle;

use super::is_context_gone;

/// The clock of a runtime: its handle, or nothing where no clock can be paused and each is that of the system.
#[derive(Debug)]
pub(super) struct Clock(<Pausing<CAN_BE_PAUSED> as Kept>::Kept);

impl Clock {
    #[inline]
    #[allow(clippy::unit_arg, reason = "it is nothing where no clock can be paused")]
    pub(super) fn of(handle: &Handle) -> Self {
        Self(Pausing::<CAN_BE_PAUSED>::keep(handle))
    }

    /// That of the runtime whose context this thread is in; panics without one, if clocks can be paused.
    #[inline]
    #[allow(clippy::unit_arg, reason = "it is nothing where no clock can be paused")]
    pub(super) fn here() -> Self {
        Self(Pausing::<CAN_BE_PAUSED>::keep_here())
    }

    #[inline]
    pub(super) fn now(&self) -> Instant {
        Pausing::<CAN_BE_PAUSED>::now(&self.0)
    }
}

pub(super) struct Pausing<const CAN_BE_PAUSED: bool>;

pub(super) trait Kept {
    type Kept: std::fmt::Debug + Send + Sync;

    fn keep(handle: &Handle) -> Self::Kept;
    fn keep_here() -> Self::Kept;
    fn now(kept: &Self::Kept) -> Instant;
}

impl Kept for Pausing<false> {
    type Kept = ();

    fn keep(_: &Handle) {}

    fn keep_here() {}

    #[inline]
    fn now((): &()) -> Instant {
        Instant::now()
    }
}

impl Kept for Pausing<true> {
    type Kept = Handle;

    fn keep(handle: &Handle) -> Handle {
        handle.clone()
    }

    fn keep_here() -> Handle {
        Handle::current()
    }

    fn now(handle: &Handle) -> Instant {
        // A paused clock is seen in the context of its runtime only.
        let _context = (!is_context_gone()).then(|| handle.enter());
        tokio::time::Instant::now().into_std()
    }
}

/// With the feature there is `tokio::time::pause`, and what is imported is in front of what stands outside.
const CAN_BE_PAUSED: bool = {
    #[allow(unused_imports, reason = "without the feature nothing of it is used")]
    use tokio::time::*;

    is_real(pause)
};

/// What is found where tokio has none.
#[allow(dead_code, reason = "with the feature nobody finds it")]
fn pause() -> Nothing {
    Nothing
}

struct Nothing;

const fn is_real<R: Returned>(_: fn() -> R) -> bool {
    R::BY_TOKIO
}

trait Returned {
    const BY_TOKIO: bool;
}

impl Returned for () {
    const BY_TOKIO: bool = true;
}

impl Returned for Nothing {
    const BY_TOKIO: bool = false;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pause_of_tokio_is_found() {
        const { assert!(CAN_BE_PAUSED, "the tests have the feature `test-util`") };
    }
}
