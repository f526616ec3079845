//! Whether clocks of tokio can be paused, which takes its feature `test-util`: any crate may turn it on, and none can ask.

use std::time::Instant;

use tokio::runtime::Handle;

/// With the feature there is `tokio::time::pause`, and what is imported is in front of what stands outside.
pub(super) const CAN_BE_PAUSED: bool = {
    #[allow(unused_imports, reason = "without the feature nothing of it is used")]
    use tokio::time::*;

    is_real(pause)
};

/// The clock of the runtime that this thread is in. Outside of all, a clock that can be paused is not to be seen.
pub(super) fn now() -> Option<Instant> {
    (!CAN_BE_PAUSED || Handle::try_current().is_ok()).then(|| tokio::time::Instant::now().into_std())
}

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
