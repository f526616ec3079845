//! The runtimes that this thread is in: those that it has entered, and those whose code it runs.

use std::cell::RefCell;
use std::marker::PhantomData;

use super::AnyRuntime;
use super::wrapped::Wrapped;
use crate::backend::{
    FindCurrent, MaybeAsyncStd, MaybeSim, MaybeSmol, MaybeTokio, async_std_context, tokio_context,
};
use crate::runtime::task::native;
use crate::thread::{self, Entry, Place, RuntimeKind};

/// Whether a found handle is owned or weak.
#[derive(Clone, Copy)]
pub(crate) enum Ownership {
    Weak,
    AsFound,
}

impl Ownership {
    /// Another handle to the same runtime.
    pub(crate) fn handle_to(self, runtime: &AnyRuntime) -> AnyRuntime {
        match self {
            Self::Weak => runtime.unowned(),
            Self::AsFound => runtime.clone(),
        }
    }
}

/// The runtime that the innermost task, closure, `block_on` or guard on this thread belongs to.
#[inline]
pub(crate) fn innermost(ownership: Ownership) -> Option<AnyRuntime> {
    match thread::innermost()? {
        Place::Entered(key) => Entered::find(key, ownership),
        Place::In(kind) => match kind {
            RuntimeKind::Tokio => MaybeTokio::find_current(kind).map(AnyRuntime::from_tokio),
            RuntimeKind::Smol | RuntimeKind::OwnedSmol => {
                MaybeSmol::find_current(kind).map(AnyRuntime::from_smol)
            }
            RuntimeKind::AsyncStd => MaybeAsyncStd::find_current(kind).map(AnyRuntime::from_async_std),
            RuntimeKind::Sim => MaybeSim::find_current(kind).map(AnyRuntime::from_sim),
            RuntimeKind::Wrapped => Wrapped::find(),
        },
    }
}

/// The runtime whose context this thread is in, as that runtime says itself.
#[inline]
pub(crate) fn native_context() -> Option<AnyRuntime> {
    let tokio = tokio_context::current().map(AnyRuntime::from_tokio);
    tokio.or_else(|| async_std_context::current().map(AnyRuntime::from_async_std))
}

struct Entered {
    key: u64,
    runtime: AnyRuntime,
    // A task of tokio that starts later on this thread is further in than the guard.
    task: Option<native::Task>,
}

thread_local! {
    static ENTERED: RefCell<Vec<Entered>> = const { RefCell::new(Vec::new()) };
}

impl Entered {
    #[cold]
    #[inline(never)]
    fn find(key: u64, ownership: Ownership) -> Option<AnyRuntime> {
        let entered = ENTERED.try_with(|stack| {
            let stack = stack.borrow();
            let entered = stack.iter().rfind(|entered| entered.key == key)?;
            Some((ownership.handle_to(&entered.runtime), entered.task))
        });
        let (runtime, task) = entered.ok().flatten()?;
        if native::task() == task {
            return Some(runtime);
        }
        // Or in the destructor of an output that the holder of its handle drops, for which tokio names the task as well.
        native_context().or(Some(runtime))
    }
}

/// Guard that makes a runtime the current one of this thread until it is dropped; returned by [`AnyRuntime::enter`].
///
/// # Dropping
///
/// The previously current runtime is current again. Guards may be dropped in any order: each removes only its own
/// runtime. A guard that is moved out of the `block_on` in which it was created stays in force.
///
/// In a destructor of a thread-local, the thread-local that stores the guards may be gone: then `enter` has no effect.
///
/// The guard belongs to its thread, so a task that keeps it over an `.await` cannot be spawned:
///
/// ```compile_fail
/// fn sends<T: Send>() {}
///
/// sends::<anyrt::EnterGuard<'static>>();
/// ```
#[derive(Debug)]
#[must_use = "the runtime is current for as long as the guard lives"]
pub struct EnterGuard<'a> {
    entry: Option<Entry>,
    _runtime: PhantomData<&'a AnyRuntime>,
}

pub(crate) fn enter<'a>(runtime: AnyRuntime) -> EnterGuard<'a> {
    let mut entry = None;
    // Nothing is entered where there is no place left to say which runtime it is.
    let _ = ENTERED.try_with(|stack| {
        entry = Entry::begin();
        if let Some(entry) = &entry {
            stack.borrow_mut().push(Entered { key: entry.key(), runtime, task: native::task() });
        }
    });
    EnterGuard { entry, _runtime: PhantomData }
}

impl Drop for EnterGuard<'_> {
    fn drop(&mut self) {
        let Some(entry) = self.entry.take() else { return };
        let key = entry.key();
        drop(entry);
        // Dropped after the stack is free again: the destructor of a runtime is not ours.
        let _runtime = ENTERED.try_with(|stack| {
            let mut stack = stack.borrow_mut();
            let place = stack.iter().rposition(|entered| entered.key == key)?;
            Some(stack.remove(place).runtime)
        });
    }
}
