//! Which threads are busy driving async code, so that blocking one of them again is an error and not a hang.

use std::cell::Cell;

thread_local! {
    static DRIVING: Cell<bool> = const { Cell::new(false) };
}

/// Marks this thread as driving async code until it is dropped.
#[derive(Debug)]
pub(crate) struct Driving {
    before: bool,
}

impl Driving {
    /// For the length of one poll of a task.
    pub(crate) fn task() -> Self {
        Self { before: DRIVING.replace(true) }
    }

    /// For the length of a `block_on`, which no thread may enter twice.
    #[track_caller]
    pub(crate) fn block_on() -> Self {
        if DRIVING.replace(true) {
            nested_block_on();
        }
        Self { before: false }
    }
}

impl Drop for Driving {
    fn drop(&mut self) {
        DRIVING.set(self.before);
    }
}

/// The one text for a nested `block_on`, on every backend.
///
/// smol and async-std allow it, and hang when the future waits for a task that only this worker could run.
#[cold]
#[track_caller]
pub(crate) fn nested_block_on() -> ! {
    panic!(
        "anyrt: `block_on` was called on a thread that is already driving async code, where it could wait for \
         itself for ever. Use `.await` instead, or move the call into `spawn_blocking`."
    )
}
