//! The host whose code this thread is running.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use super::World;

type Current = (Arc<World>, usize);

thread_local! {
    // Nothing is left in it when its thread ends. It has no destructor, so that destructors of other thread-locals find it.
    static CURRENT: RefCell<ManuallyDrop<Option<Current>>> = const { RefCell::new(ManuallyDrop::new(None)) };
}

/// The host whose code this thread is running.
pub(crate) fn current() -> Option<Current> {
    CURRENT.with_borrow(|current| Option::clone(current))
}

/// The host whose code this thread is running, until it is dropped.
pub(crate) struct Entered {
    before: Option<Current>,
}

impl Entered {
    pub(crate) fn enter(world: &Arc<World>, host: usize) -> Self {
        let current = (world.clone(), host);
        Self { before: ManuallyDrop::into_inner(CURRENT.replace(ManuallyDrop::new(Some(current)))) }
    }

    /// Changes to another host of the world that is being driven, and returns the one before.
    pub(crate) fn change(host: usize) -> usize {
        let before = CURRENT
            .try_with(|cell| cell.borrow_mut().as_mut().map(|(_, before)| std::mem::replace(before, host)));
        before.ok().flatten().unwrap_or(host)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let before = ManuallyDrop::new(self.before.take());
        // Dropped outside of the cell: the last handle to a world has destructors to run.
        drop(ManuallyDrop::into_inner(CURRENT.replace(before)));
    }
}
