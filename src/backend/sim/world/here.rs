//! Which host the code that this thread is running belongs to.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use super::World;

type Place = (Arc<World>, usize);

thread_local! {
    // Nothing is left in it when its thread ends. It has no destructor, so that destructors of other thread-locals find it.
    static HERE: RefCell<ManuallyDrop<Option<Place>>> = const { RefCell::new(ManuallyDrop::new(None)) };
}

/// The host whose code this thread is running.
pub(crate) fn here() -> Option<Place> {
    HERE.with_borrow(|here| Option::clone(here))
}

/// The host whose code this thread is running, until it is dropped.
pub(crate) struct Here {
    before: Option<Place>,
}

impl Here {
    pub(crate) fn enter(world: &Arc<World>, host: usize) -> Self {
        let here = (world.clone(), host);
        Self { before: ManuallyDrop::into_inner(HERE.replace(ManuallyDrop::new(Some(here)))) }
    }

    /// Changes to another host of the world that is being driven, and returns the one before.
    pub(crate) fn change(host: usize) -> usize {
        let before =
            HERE.try_with(|cell| cell.borrow_mut().as_mut().map(|(_, here)| std::mem::replace(here, host)));
        before.ok().flatten().unwrap_or(host)
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        let before = ManuallyDrop::new(self.before.take());
        // Dropped outside of the cell: the last handle to a world has destructors to run.
        drop(ManuallyDrop::into_inner(HERE.replace(before)));
    }
}
