//! Whether this thread drives async code, so that blocking it again is an error and not a hang; and which runtime that code
//! is in.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

/// The kind of a runtime, which knows itself which one of its kind this thread is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "without its backend nobody is there")]
pub(crate) enum RuntimeKind {
    Tokio,
    Smol,
    OwnedSmol,
    AsyncStd,
    Sim,
    /// Of a task that was spawned through a handle that wraps its tasks, whatever runtime that is.
    Wrapped,
}

/// Where the innermost task, closure, `block_on` or guard on this thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    In(RuntimeKind),
    /// In a runtime that was entered: the key of its [`Entry`].
    Entered(u64),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Find {
    Kind(RuntimeKind),
    LastEntry,
}

/// What a thread is doing. The first three are one word: they are written twice for each poll.
#[derive(Clone, Copy)]
struct ThreadState {
    // Whether it drives async code, in the lowest bit, and whether a poll is around that is wrapped or watched, in the next one; what is to
    // be found, in the rest of the lowest byte; the number of the thread, in 28 bits; and in as many how many scopes and entries
    // there are around.
    here: u64,
    // The number of the task that is polled, or 0: of a runtime that does not know it by itself.
    task: u64,
}

const DRIVING: u64 = 1;
const WRAPPED: u64 = 2;
const FIND: u64 = 0x3f << FIND_AT;
const FIND_AT: u32 = 2;
const THREAD: u64 = (ONE_DEEPER - 1) & !0xff;
const THREAD_AT: u32 = 8;
const DEPTH_AT: u32 = 36;
const ONE_DEEPER: u64 = 1 << DEPTH_AT;

/// In the order of their numbers, from 1 on.
const FINDS: [Find; 7] = [
    Find::LastEntry,
    Find::Kind(RuntimeKind::Tokio),
    Find::Kind(RuntimeKind::Smol),
    Find::Kind(RuntimeKind::OwnedSmol),
    Find::Kind(RuntimeKind::AsyncStd),
    Find::Kind(RuntimeKind::Sim),
    Find::Kind(RuntimeKind::Wrapped),
];

impl Find {
    #[inline]
    fn bits(self) -> u64 {
        let number = match self {
            Self::LastEntry => 1,
            Self::Kind(kind) => 2 + kind as u64,
        };
        number << FIND_AT
    }
}

impl ThreadState {
    #[inline]
    fn is_driving(self) -> bool {
        self.here & DRIVING != 0
    }

    #[inline]
    fn find(self) -> Option<Find> {
        let number = ((self.here & FIND) >> FIND_AT) as usize;
        FINDS.get(number.wrapping_sub(1)).copied()
    }

    #[inline]
    fn thread(self) -> u64 {
        (self.here & THREAD) >> THREAD_AT
    }

    #[inline]
    fn depth(self) -> u64 {
        self.here >> DEPTH_AT
    }

    #[inline]
    fn in_wrapped(self) -> Self {
        let here = self.here & !FIND | Find::Kind(RuntimeKind::Wrapped).bits() | WRAPPED;
        Self { here: here + ONE_DEEPER, ..self }
    }

    fn finding(self, find: Option<Find>) -> Self {
        Self { here: self.here & !FIND | find.map_or(0, Find::bits), ..self }
    }

    fn on(self, thread: u64) -> Self {
        Self { here: self.here & !THREAD | thread << THREAD_AT & THREAD, ..self }
    }

    fn at(self, depth: u64) -> Self {
        Self { here: self.here & (ONE_DEEPER - 1) | depth << DEPTH_AT, ..self }
    }
}

thread_local! {
    static STATE: Cell<ThreadState> = const { Cell::new(ThreadState { here: 0, task: 0 }) };
    static ENTERED: RefCell<Vec<Entered>> = const { RefCell::new(Vec::new()) };
}

#[inline]
pub(crate) fn innermost() -> Option<Place> {
    match STATE.get().find()? {
        Find::Kind(kind) => Some(Place::In(kind)),
        Find::LastEntry => Entered::find(),
    }
}

/// Whether this thread is in async code, and not in a blocking closure or outside of all.
#[inline]
#[allow(dead_code, reason = "not every backend has to know")]
pub(crate) fn is_driving() -> bool {
    STATE.get().is_driving()
}

/// The number of the innermost task on this thread, unless its runtime itself knows which one that is.
#[inline]
pub(crate) fn task() -> Option<u64> {
    Some(STATE.get().task).filter(|task| *task != 0)
}

/// The number of this thread, or 0 before it has one.
#[inline]
#[allow(dead_code, reason = "without feature `watch` nobody asks")]
pub(crate) fn number() -> u64 {
    STATE.get().thread()
}

/// The number of this thread, which has one from now on. After 2²⁸ threads they begin anew.
pub(crate) fn give_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut state = STATE.get();
    if state.thread() == 0 {
        let number = 1 + NEXT.fetch_add(1, Ordering::Relaxed) % (THREAD >> THREAD_AT);
        state = state.on(number);
        STATE.set(state);
    }
    state.thread()
}

/// A part of the stack of this thread, until it is dropped.
pub(crate) struct Scope {
    before: ThreadState,
    inside: u64,
}

impl Scope {
    #[inline]
    fn new(driving: bool, kind: Option<RuntimeKind>, task: Option<u64>) -> Self {
        let before = STATE.get();
        let mut here = (before.here | u64::from(driving)) + ONE_DEEPER;
        if let Some(kind) = kind {
            here = here & !FIND | Find::Kind(kind).bits();
        }
        STATE.set(ThreadState { here, task: task.unwrap_or(before.task) });
        Self { before, inside: here }
    }

    /// One poll of a task, or a destructor of what is left of it.
    #[allow(dead_code, reason = "tokio sees to its own tasks")]
    #[inline]
    pub(crate) fn task(kind: RuntimeKind, task: u64) -> Self {
        Self::new(true, Some(kind), Some(task))
    }

    /// One poll of a task whose runtime is found in another way.
    #[inline]
    pub(crate) fn unknown_task(task: u64) -> Self {
        Self::new(true, None, Some(task))
    }

    /// One poll of a task whose runtime is found through its wrapper; inside the scope that its runtime makes.
    #[inline]
    pub(crate) fn wrapped() -> Self {
        let before = STATE.get();
        let inside = before.in_wrapped();
        STATE.set(inside);
        Self { before, inside: inside.here }
    }

    fn driving() -> Self {
        Self::new(true, None, None)
    }

    /// A `block_on`, which no thread may enter twice.
    #[track_caller]
    pub(crate) fn block_on() -> Self {
        if STATE.get().is_driving() {
            nested_block_on();
        }
        Self::driving()
    }

    /// A `shutdown_timeout`, which waits for the runtime as well.
    #[track_caller]
    pub(crate) fn shutdown() -> Self {
        if STATE.get().is_driving() {
            shutdown_in_async_code();
        }
        Self::driving()
    }

    /// A blocking closure, or a destructor of what is left of it, which may also run inside the thread that drives its
    /// runtime.
    #[allow(dead_code, reason = "not every backend has its own")]
    #[inline]
    pub(crate) fn blocking(kind: RuntimeKind, task: u64) -> Self {
        Self::may_block(Some(kind), task)
    }

    /// A blocking closure whose runtime is found in another way.
    #[inline]
    pub(crate) fn unknown_blocking(task: u64) -> Self {
        Self::may_block(None, task)
    }

    #[inline]
    fn may_block(kind: Option<RuntimeKind>, task: u64) -> Self {
        let mut scope = Self::new(false, kind, Some(task));
        scope.inside &= !DRIVING;
        STATE.set(ThreadState { here: scope.inside, ..STATE.get() });
        scope
    }

    /// Code of a runtime that may block.
    #[allow(dead_code, reason = "without a backend there is none")]
    #[inline]
    pub(crate) fn within(kind: RuntimeKind) -> Self {
        // tokio knows its tasks, and nobody tells us when one begins.
        let task = (kind == RuntimeKind::Tokio).then_some(0);
        Self::new(false, Some(kind), task)
    }
}

impl Drop for Scope {
    #[inline]
    fn drop(&mut self) {
        if STATE.get().here == self.inside {
            STATE.set(self.before);
        } else {
            Self::leave_entries(self.before);
        }
    }
}

impl Scope {
    /// Its end, when entries that were made in it may still be there, or when the thread got its number in it.
    #[cold]
    fn leave_entries(before: ThreadState) {
        let mut here = before.on(STATE.get().thread());
        let _ = ENTERED.try_with(|stack| {
            let further_in = before.depth() + 1;
            let mut stack = stack.borrow_mut();
            stack.retain(|entered| !entered.is_over || entered.depth <= further_in);
            for entered in stack.iter_mut() {
                if entered.depth > further_in {
                    let depth = here.depth() + 1;
                    (entered.before, entered.depth) = (here.find(), depth);
                    here = here.at(depth).finding(Some(Find::LastEntry));
                }
            }
        });
        STATE.set(here);
    }
}

/// The scope of the last poll of a wrapped task. The next poll is mostly in the same place, on the same thread, and has it at
/// hand.
pub(crate) struct LastScope {
    around: u64,
    inside: u64,
}

impl LastScope {
    /// No poll is in the same place.
    pub(crate) const NONE: Self = Self { around: u64::MAX, inside: u64::MAX };

    /// A poll here. In another one that is wrapped or watched, `NONE`: what is known of that one is needed after the poll.
    pub(crate) fn wrapped() -> Self {
        give_number();
        let around = STATE.get();
        if around.here & WRAPPED != 0 {
            return Self::NONE;
        }
        Self { around: around.here, inside: around.in_wrapped().here }
    }

    /// Whether this is the thread that it was on, and is where it was.
    #[inline]
    pub(crate) fn is_here(&self) -> bool {
        STATE.get().here == self.around
    }

    /// The scope once more, where it was.
    #[inline]
    pub(crate) fn again(&self) -> SameScope<'_> {
        STATE.set(ThreadState { here: self.inside, ..STATE.get() });
        SameScope(self)
    }
}

/// A part of the stack of this thread, until it is dropped: see [`LastScope`]. Around it nothing is wrapped or watched.
pub(crate) struct SameScope<'a>(&'a LastScope);

impl Drop for SameScope<'_> {
    #[inline]
    fn drop(&mut self) {
        let before = ThreadState { here: self.0.around, ..STATE.get() };
        if STATE.get().here == self.0.inside {
            STATE.set(before);
        } else {
            Scope::leave_entries(before);
        }
    }
}

/// Something watched goes on on this thread, until this is dropped: it is around each scope inside.
#[allow(dead_code, reason = "without feature `watch` nothing is watched")]
pub(crate) struct Watching {
    before: u64,
}

#[allow(dead_code, reason = "likewise")]
impl Watching {
    pub(crate) fn begin() -> Self {
        let state = STATE.get();
        STATE.set(ThreadState { here: state.here | WRAPPED, ..state });
        Self { before: state.here & WRAPPED }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let state = STATE.get();
        STATE.set(ThreadState { here: state.here & !WRAPPED | self.before, ..state });
    }
}

// The runtime itself is known by its key to `any/context.rs`.
struct Entered {
    key: u64,
    // It ended further in than it began, and stays for as long as a scope may come back to it.
    is_over: bool,
    before: Option<Find>,
    depth: u64,
}

impl Entered {
    #[cold]
    #[inline(never)]
    fn find() -> Option<Place> {
        ENTERED
            .try_with(|stack| {
                let stack = stack.borrow();
                let mut entries = stack.iter().rev();
                loop {
                    let last = entries.next()?;
                    if !last.is_over {
                        return Some(Place::Entered(last.key));
                    }
                    // What was current before one that is over: the one below it, perhaps.
                    if let Find::Kind(kind) = last.before? {
                        return Some(Place::In(kind));
                    }
                }
            })
            .ok()
            .flatten()
    }

    /// Takes away what is over, and has no scope to come back to it.
    fn forget(stack: &mut Vec<Self>) {
        let mut here = STATE.get();
        while let Some(last) = stack.last().filter(|last| last.is_over && last.depth == here.depth()) {
            here = here.finding(last.before).at(here.depth() - 1);
            stack.pop();
        }
        STATE.set(here);
    }
}

/// This thread is in a runtime because it said so, until this is dropped.
#[derive(Debug)]
pub(crate) struct Entry {
    key: u64,
    // It belongs to its thread.
    _not_send: PhantomData<*const ()>,
}

impl Entry {
    /// Nothing in a destructor of a thread-local, when the stack of this thread may be gone.
    pub(crate) fn begin() -> Option<Self> {
        let key = ENTERED.try_with(|stack| {
            let mut stack = stack.borrow_mut();
            Entered::forget(&mut stack);
            let here = STATE.get();
            let (find, depth) = (here.find(), here.depth() + 1);
            let key = stack.last().map_or(0, |last| last.key + 1);
            stack.push(Entered { key, is_over: false, before: find, depth });
            STATE.set(here.at(depth).finding(Some(Find::LastEntry)));
            key
        });
        key.ok().map(|key| Self { key, _not_send: PhantomData })
    }

    pub(crate) fn key(&self) -> u64 {
        self.key
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let _ = ENTERED.try_with(|stack| {
            let mut stack = stack.borrow_mut();
            if let Some(entered) = stack.iter_mut().find(|entered| entered.key == self.key) {
                entered.is_over = true;
                Entered::forget(&mut stack);
            }
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

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const MOST: u64 = (1 << 28) - 1;

    #[test]
    fn what_is_found_is_what_was_told() {
        for find in FINDS {
            let state = ThreadState { here: 0, task: 7 }.at(MOST).on(MOST).finding(Some(find));
            assert!(state.find() == Some(find) && !state.is_driving());
            assert_eq!((state.depth(), state.thread()), (MOST, MOST));
            assert!(state.finding(None).find().is_none());
        }
    }

    #[test]
    fn scope_is_had_again_where_nothing_is_around() {
        let last = LastScope::wrapped();
        assert!(last.is_here());
        let entry = {
            let _scope = last.again();
            assert_eq!(innermost(), Some(Place::In(RuntimeKind::Wrapped)));
            assert!(!last.is_here() && !LastScope::wrapped().is_here());
            Entry::begin()
        };
        assert!(matches!(innermost(), Some(Place::Entered(_))) && !last.is_here());
        drop(entry);
        assert!(innermost().is_none() && last.is_here());
        let _watching = Watching::begin();
        assert!(!last.is_here() && !LastScope::wrapped().is_here());
    }

    #[test]
    fn scope_is_not_had_again_on_another_thread() {
        let last = LastScope::wrapped();
        let is_here = thread::spawn(move || {
            LastScope::wrapped();
            last.is_here()
        });
        assert!(!is_here.join().unwrap());
    }

    #[test]
    fn thread_keeps_the_number_that_it_got_in_a_scope() {
        let (inside, afterwards) = thread::spawn(|| {
            let (outer, inner) = (Scope::driving(), Scope::wrapped());
            let inside = give_number();
            drop((inner, outer));
            assert!(innermost().is_none() && !is_driving());
            (inside, number())
        })
        .join()
        .unwrap();
        assert!(inside != 0 && inside == afterwards);
    }
}
