//! What this thread is doing: whether it drives async code, so that blocking it again is an error and not a hang;
//! and which runtime that code is in.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;

use crate::AnyRuntime;
use crate::backend::native;

/// A runtime that can be found from its threads.
pub(crate) trait Home {
    /// Whether it runs nothing while a blocking closure of its own waits for it.
    #[allow(dead_code, reason = "tokio's tasks are none of a simulation")]
    const IS_SIMULATED: bool = false;

    /// The runtime whose code this thread is running: a handle that keeps nothing alive, if it is not asked for more.
    fn find(keep: Keep) -> Option<AnyRuntime>;
}

type Find = fn(Keep) -> Option<AnyRuntime>;

/// What a handle that is found keeps alive.
#[derive(Clone, Copy)]
pub(crate) enum Keep {
    Nothing,
    AsFound,
}

impl Keep {
    /// Another handle to the same runtime.
    pub(crate) fn of(self, runtime: &AnyRuntime) -> AnyRuntime {
        match self {
            Self::Nothing => runtime.unowned(),
            Self::AsFound => runtime.clone(),
        }
    }
}

#[derive(Clone, Copy)]
struct Here {
    driving: bool,
    find: Option<Find>,
    // How many scopes and guards there are around.
    depth: u32,
}

thread_local! {
    static HERE: Cell<Here> = const { Cell::new(Here { driving: false, find: None, depth: 0 }) };
    static ENTERED: RefCell<Vec<Entered>> = const { RefCell::new(Vec::new()) };
}

/// The runtime that the innermost task, closure, `block_on` or guard on this thread belongs to.
#[inline]
pub(crate) fn innermost(keep: Keep) -> Option<AnyRuntime> {
    HERE.get().find.and_then(|find| find(keep))
}

/// Whether this thread is in async code, and not in a blocking closure or outside of all.
#[inline]
#[allow(dead_code, reason = "not every backend has to know")]
pub(crate) fn is_driving() -> bool {
    HERE.get().driving
}

/// A part of the stack of this thread, until it is dropped.
pub(crate) struct Scope {
    before: Here,
}

impl Scope {
    fn new(driving: bool, find: Option<Find>) -> Self {
        let before = HERE.get();
        HERE.set(Here {
            driving: driving || before.driving,
            find: find.or(before.find),
            depth: before.depth + 1,
        });
        Self { before }
    }

    /// One poll of a task, or a destructor of what is left of it.
    #[allow(dead_code, reason = "tokio sees to its own tasks")]
    pub(crate) fn task<H: Home>() -> Self {
        Self::new(true, Some(H::find))
    }

    /// One poll of a task whose runtime is found in another way.
    pub(crate) fn driving() -> Self {
        Self::new(true, None)
    }

    /// A `block_on`, which no thread may enter twice.
    #[track_caller]
    pub(crate) fn block_on() -> Self {
        if HERE.get().driving {
            nested_block_on();
        }
        Self::driving()
    }

    /// A `shutdown_timeout`, which waits for the runtime as well.
    #[track_caller]
    pub(crate) fn shutdown() -> Self {
        if HERE.get().driving {
            shutdown_in_async_code();
        }
        Self::driving()
    }

    /// A blocking closure, or a destructor of what is left of it, which may also run inside the thread that drives its
    /// runtime.
    #[allow(dead_code, reason = "not every backend has its own")]
    pub(crate) fn blocking<H: Home>() -> Self {
        Self::may_block(Some(H::find))
    }

    /// A blocking closure whose runtime is found in another way.
    pub(crate) fn unknown_blocking() -> Self {
        Self::may_block(None)
    }

    fn may_block(find: Option<Find>) -> Self {
        let scope = Self::new(false, find);
        HERE.set(Here { driving: false, ..HERE.get() });
        scope
    }

    /// Code of a runtime that may block.
    #[allow(dead_code, reason = "without a backend there is none")]
    pub(crate) fn within<H: Home>() -> Self {
        Self::new(false, Some(H::find))
    }
}

impl Drop for Scope {
    #[inline]
    fn drop(&mut self) {
        if HERE.get().depth == self.before.depth + 1 {
            HERE.set(self.before);
        } else {
            self.leave_guards();
        }
    }
}

impl Scope {
    /// Its end, when guards that were made in it may still be there.
    #[cold]
    fn leave_guards(&mut self) {
        let mut here = self.before;
        let _ = ENTERED.try_with(|stack| {
            let further_in = self.before.depth + 1;
            let mut stack = stack.borrow_mut();
            stack.retain(|entered| entered.runtime.is_some() || entered.depth <= further_in);
            for entered in stack.iter_mut() {
                if entered.depth > further_in {
                    here.depth += 1;
                    (entered.before, entered.depth) = (here.find, here.depth);
                    here.find = Some(Entered::find);
                }
            }
        });
        HERE.set(here);
    }
}

/// A runtime that this thread is in because it said so.
struct Entered {
    key: u64,
    // Nothing when its guard was dropped further in than it was made, as long as a scope may come back to it.
    runtime: Option<AnyRuntime>,
    // A task of tokio that starts later on this thread is further in than the guard.
    task: Option<native::Task>,
    before: Option<Find>,
    depth: u32,
}

impl Home for Entered {
    fn find(keep: Keep) -> Option<AnyRuntime> {
        let entered = ENTERED.try_with(|stack| {
            let stack = stack.borrow();
            stack.last().map(|last| (last.runtime.as_ref().map(|runtime| keep.of(runtime)), last.task))
        });
        let (runtime, task) = entered.ok().flatten()?;
        let Some(runtime) = runtime else { return Self::find_before(keep) };
        if native::task() == task {
            return Some(runtime);
        }
        // Or in the destructor of an output that the holder of its handle drops, for which tokio names the task as well.
        native::current().or(Some(runtime))
    }
}

impl Entered {
    /// What was current before the last one, whose guard is gone.
    #[cold]
    fn find_before(keep: Keep) -> Option<AnyRuntime> {
        let last = ENTERED.try_with(|stack| stack.borrow_mut().pop()).ok().flatten()?;
        // That may be the one below it.
        let found = last.before.and_then(|find| find(keep));
        let _ = ENTERED.try_with(|stack| stack.borrow_mut().push(last));
        found
    }

    /// Takes away what has no guard any more, and no scope to come back to it.
    fn forget(stack: &mut Vec<Self>) {
        let mut here = HERE.get();
        while let Some(last) = stack.last().filter(|last| last.runtime.is_none() && last.depth == here.depth)
        {
            here = Here { find: last.before, depth: here.depth - 1, ..here };
            stack.pop();
        }
        HERE.set(here);
    }
}

/// Makes a runtime the current one of this thread until it is dropped; made by [`AnyRuntime::enter`].
///
/// # Dropping
///
/// What was current before is current again. A guard that is dropped before one that was made later takes only
/// its own runtime away. One that leaves the `block_on` that it was made in stays what it is.
///
/// In a destructor of a thread-local that of the guards may be gone: then none makes anything current.
///
/// It belongs to its thread, so a task that keeps it over an `.await` cannot be spawned:
///
/// ```compile_fail
/// fn sends<T: Send>() {}
///
/// sends::<anyrt::EnterGuard<'static>>();
/// ```
#[derive(Debug)]
#[must_use = "the runtime is current for as long as the guard lives"]
pub struct EnterGuard<'a> {
    key: u64,
    _runtime: PhantomData<&'a AnyRuntime>,
    // It belongs to its thread.
    _not_send: PhantomData<*const ()>,
}

pub(crate) fn enter<'a>(runtime: AnyRuntime) -> EnterGuard<'a> {
    let key = ENTERED.try_with(|stack| {
        let mut stack = stack.borrow_mut();
        Entered::forget(&mut stack);
        let Here { driving, find, depth } = HERE.get();
        let depth = depth + 1;
        let key = stack.last().map_or(0, |last| last.key + 1);
        stack.push(Entered { key, runtime: Some(runtime), task: native::task(), before: find, depth });
        HERE.set(Here { driving, find: Some(Entered::find), depth });
        key
    });
    EnterGuard { key: key.unwrap_or_default(), _runtime: PhantomData, _not_send: PhantomData }
}

impl Drop for EnterGuard<'_> {
    fn drop(&mut self) {
        // Dropped after the stack is free again: the destructor of a runtime is not ours.
        let _runtime = ENTERED.try_with(|stack| {
            let mut stack = stack.borrow_mut();
            let entered = stack.iter_mut().find(|entered| entered.key == self.key)?;
            let runtime = entered.runtime.take();
            Entered::forget(&mut stack);
            runtime
        });
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

/// The one text for a `shutdown_timeout` in async code.
#[cold]
#[track_caller]
pub(crate) fn shutdown_in_async_code() -> ! {
    panic!(
        "anyrt: `shutdown_timeout` was called on a thread that is driving async code, where it could wait for itself. \
         Move the call out of async code, to a plain thread."
    )
}
