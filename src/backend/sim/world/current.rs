//! The host whose code this thread is running.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::sync::Arc;

use super::World;

type Current = (Arc<World>, usize);

thread_local! {
    // Nothing is left in it when its thread ends. It has no destructor, so that destructors of other thread-locals find it.
    static CURRENT: RefCell<ManuallyDrop<Option<Arc<World>>>> = const { RefCell::new(ManuallyDrop::new(None)) };
    // In that world. Apart, for each poll changes it.
    static HOST: Cell<usize> = const { Cell::new(0) };
    // The world whose program this thread is running, also outside of `block_on`.
    static PROGRAM: RefCell<ManuallyDrop<Option<Arc<World>>>> = const { RefCell::new(ManuallyDrop::new(None)) };
    // How many of the guards below there are.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Whether this thread runs code of a simulation.
#[inline]
pub(super) fn is_in_simulation() -> bool {
    DEPTH.get() > 0
}

fn count(change: impl FnOnce(u32) -> u32) {
    DEPTH.set(change(DEPTH.get()));
}

/// The host whose code this thread is running.
pub(crate) fn current() -> Option<Current> {
    Some((CURRENT.with_borrow(|world| Option::clone(world))?, HOST.get()))
}

/// The host whose code this thread is running, or that on which its program begins.
pub(super) fn current_or_program() -> Option<Current> {
    current().or_else(|| Some((PROGRAM.with_borrow(|world| Option::clone(world))?, 0)))
}

/// This thread runs the program of a world, until it is dropped.
pub(crate) struct InProgram {
    before: Option<Arc<World>>,
}

impl InProgram {
    pub(crate) fn enter(world: &Arc<World>) -> Self {
        count(|depth| depth + 1);
        Self { before: ManuallyDrop::into_inner(PROGRAM.replace(ManuallyDrop::new(Some(world.clone())))) }
    }
}

impl Drop for InProgram {
    fn drop(&mut self) {
        count(|depth| depth - 1);
        let before = ManuallyDrop::new(self.before.take());
        drop(ManuallyDrop::into_inner(PROGRAM.replace(before)));
    }
}

/// The host whose code this thread is running, until it is dropped.
pub(crate) struct Entered {
    before: (Option<Arc<World>>, usize),
}

impl Entered {
    pub(crate) fn enter(world: &Arc<World>, host: usize) -> Self {
        count(|depth| depth + 1);
        let before = CURRENT.replace(ManuallyDrop::new(Some(world.clone())));
        Self { before: (ManuallyDrop::into_inner(before), HOST.replace(host)) }
    }

    /// Changes to another host of the world that is being driven, and returns the one before.
    #[inline]
    pub(crate) fn change(host: usize) -> usize {
        HOST.replace(host)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        count(|depth| depth - 1);
        let (before, host) = (self.before.0.take(), self.before.1);
        let before = ManuallyDrop::new(before);
        HOST.set(host);
        // Dropped outside of the cell: the last handle to a world has destructors to run.
        drop(ManuallyDrop::into_inner(CURRENT.replace(before)));
    }
}
