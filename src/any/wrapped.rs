//! Handles that wrap every task spawned through them, for example in tracing spans.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{Location, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::{AnyRuntime, Repr, native_context, within};
use crate::runtime::task::catch_panic::{Payload, catch_panic, discard};
use crate::runtime::task::{Number, native};
use crate::thread::{LastScope, Scope, lock};
#[cfg(not(feature = "watch"))]
use crate::unwatched::{TaskKind, Watch, Watched};
#[cfg(feature = "watch")]
use crate::watch::{TaskKind, Watch, Watched};

/// Description of a spawned task, passed to the hook of [`AnyRuntime::wrap_tasks`].
#[derive(Clone, Copy, Debug)]
pub struct TaskMeta<'a> {
    name: Option<&'a str>,
    spawned_at: &'static Location<'static>,
    is_blocking: bool,
}

impl<'a> TaskMeta<'a> {
    #[track_caller]
    pub(super) fn new(name: Option<&'a str>, is_blocking: bool) -> Self {
        Self { name, spawned_at: Location::caller(), is_blocking }
    }

    /// Returns the task's name, if [`task::Builder`](crate::task::Builder) has set one.
    pub fn name(&self) -> Option<&'a str> {
        self.name
    }

    /// Returns the source location of the spawn.
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.spawned_at
    }

    /// Returns whether it is a blocking closure.
    pub fn is_blocking(&self) -> bool {
        self.is_blocking
    }
}

/// A runtime, and what everything that is spawned on it is wrapped in.
pub(super) struct Wrapped {
    // Never one of these.
    pub(super) runtime: AnyRuntime,
    // A handle that keeps nothing alive has none beside itself.
    unowned: Option<Arc<Wrapped>>,
    // Finds the weak one.
    key: u64,
    hook: Option<Hook>,
    watch: Option<Watch>,
}

/// Gives each task its wrapper.
type Hook = Arc<dyn Fn(&TaskMeta<'_>) -> Wrapper + Send + Sync>;

/// Wrapper of a task: must call its argument, which polls or drops the task.
type Wrapper = Box<dyn FnMut(&mut dyn FnMut()) + Send>;

impl Wrapped {
    /// With this hook, and with what `runtime` has around it.
    pub(super) fn hooked<H, W>(runtime: &AnyRuntime, outer: Option<&Self>, hook: H) -> Arc<Self>
    where
        H: Fn(&TaskMeta<'_>) -> W + Send + Sync + 'static,
        W: FnMut(&mut dyn FnMut()) + Send + 'static,
    {
        let hook: Hook = match outer.and_then(|outer| outer.hook.clone()) {
            None => Arc::new(move |task| Box::new(hook(task))),
            Some(outer) => Arc::new(move |task| {
                let (mut outer, mut inner) = (outer(task), hook(task));
                Box::new(move |step| outer(&mut || inner(step)))
            }),
        };
        Self::new(runtime, Some(hook), outer.and_then(|outer| outer.watch.clone()))
    }

    /// With this watch, in place of one that is there.
    #[cfg(feature = "watch")]
    pub(super) fn watched(runtime: &AnyRuntime, outer: Option<&Self>, watch: Watch) -> Arc<Self> {
        Self::new(runtime, outer.and_then(|outer| outer.hook.clone()), Some(watch))
    }

    fn new(runtime: &AnyRuntime, hook: Option<Hook>, watch: Option<Watch>) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let key = NEXT.fetch_add(1, Ordering::Relaxed);
        let unowned = Arc::new(Self {
            runtime: runtime.unowned(),
            unowned: None,
            key,
            hook: hook.clone(),
            watch: watch.as_ref().map(Watch::unowned),
        });
        lock(&BY_KEY).insert(key, Arc::downgrade(&unowned));
        Arc::new(Self { runtime: runtime.clone(), unowned: Some(unowned), key, hook, watch })
    }

    #[cfg(feature = "watch")]
    pub(super) fn watch(&self) -> Option<&Watch> {
        self.watch.as_ref()
    }

    /// Returns a weak handle, which does not keep its runtime alive.
    pub(super) fn unowned(self: &Arc<Self>) -> Arc<Self> {
        self.unowned.as_ref().unwrap_or(self).clone()
    }

    /// What is spawned, which finds this runtime; keep the guard until it is.
    pub(super) fn wrap<T>(self: &Arc<Self>, task: &TaskMeta<'_>, it: T) -> (Spawned<T>, Spawning) {
        let wrapper = self.hook.as_ref().map(|hook| hook(task));
        let kind = if task.is_blocking { TaskKind::Blocking } else { TaskKind::Task };
        let watched = self.watch.as_ref().map(|watch| watch.task(kind, task.name, task.spawned_at));
        let spawning = Spawning::begin();
        let (runtime, here) = (self.unowned(), Here { key: self.key, task: None });
        let (spawn, scope) = (spawning.spawn, LastScope::NONE);
        (Spawned { it: Some(it), wrapper, watched, runtime, here, scope, spawn }, spawning)
    }

    /// The future of a `block_on`.
    pub(super) fn block_on<'a>(
        &self,
        called_at: &'static Location<'static>,
        future: Pin<&'a mut dyn Future<Output = ()>>,
    ) -> impl Future<Output = ()> + use<'a> {
        let mut watched = self.watch.as_ref().map(|watch| watch.task(TaskKind::BlockOn, None, called_at));
        let mut future = future;
        poll_fn(move |cx| match &mut watched {
            None => future.as_mut().poll(cx),
            Some(watched) => watched.poll(cx.waker(), |cx| future.as_mut().poll(cx)),
        })
    }
}

impl fmt::Debug for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.runtime.fmt(f)
    }
}

/// Something is being spawned by this thread, until this is dropped.
///
/// What is dropped meanwhile was given to a runtime that is gone. It belongs to its caller, and is in no task.
pub(super) struct Spawning {
    spawn: u64,
    before: u64,
}

thread_local! {
    static SPAWNING: Cell<u64> = const { Cell::new(0) };
}

impl Spawning {
    fn begin() -> Self {
        let spawn = Number::next().get();
        Self { spawn, before: SPAWNING.replace(spawn) }
    }
}

impl Drop for Spawning {
    fn drop(&mut self) {
        SPAWNING.set(self.before);
    }
}

/// Which wrapped runtime a poll is in: what is noted of it on the thread. Plain words, because it is noted for each poll.
#[derive(Clone, Copy)]
struct Here {
    // See `BY_KEY`.
    key: u64,
    // The task of tokio, on tokio. Another one inside finds its own runtime.
    task: Option<native::Task>,
}

thread_local! {
    /// Of the innermost poll on this thread, or left over from one.
    static HERE: Cell<Here> = const { Cell::new(Here { key: 0, task: None }) };

    /// The runtime that was last found on this thread, with its key. It keeps neither the runtime nor its hook.
    static FOUND: RefCell<(u64, Weak<Wrapped>)> = const { RefCell::new((0, Weak::new())) };
}

/// The weak handles, by their keys.
static BY_KEY: Mutex<BTreeMap<u64, Weak<Wrapped>>> = Mutex::new(BTreeMap::new());

impl Wrapped {
    /// The runtime of the poll that this thread is in.
    #[cold]
    #[inline(never)]
    pub(super) fn find() -> Option<AnyRuntime> {
        let here = HERE.get();
        let cached = FOUND.try_with(|found| {
            let (key, found) = &*found.borrow();
            if *key == here.key { found.upgrade() } else { None }
        });
        let found = match cached.ok().flatten() {
            Some(found) => found,
            None => {
                let found = lock(&BY_KEY).get(&here.key).and_then(Weak::upgrade)?;
                let _ = FOUND.try_with(|cache| *cache.borrow_mut() = (here.key, Arc::downgrade(&found)));
                found
            }
        };
        let found = AnyRuntime::from_wrapped(found);
        if here.task.is_none() || here.task == native::task() {
            Some(found)
        } else {
            native_context().or(Some(found))
        }
    }
}

impl Drop for Wrapped {
    fn drop(&mut self) {
        if self.unowned.is_none() {
            lock(&BY_KEY).remove(&self.key);
        }
    }
}

/// A poll in which [`Wrapped::find`] finds its runtime, inside of another one perhaps.
struct Polling {
    before: Here,
    _scope: Scope,
}

impl Polling {
    fn begin(here: Here) -> Self {
        Self { before: HERE.replace(here), _scope: Scope::wrapped() }
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        HERE.set(self.before);
    }
}

pin_project! {
    /// A task, or a blocking closure, in its wrapper, and in its runtime.
    pub(super) struct Spawned<T> {
        // Taken to be called, or dropped.
        #[pin]
        it: Option<T>,
        wrapper: Option<Wrapper>,
        watched: Option<Watched>,
        runtime: Arc<Wrapped>,
        here: Here,
        scope: LastScope,
        // 0 from the first poll on.
        spawn: u64,
    }

    impl<T> PinnedDrop for Spawned<T> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.it.is_none() {
                return;
            }
            if *this.spawn != 0 && SPAWNING.get() == *this.spawn {
                this.it.set(None);
                return;
            }
            let runtime = AnyRuntime::from_wrapped(this.runtime.clone());
            let (wrapper, mut it) = (this.wrapper, this.it);
            let mut drop_it = || within::inside(&runtime, || in_wrapper(wrapper, || it.set(None)));
            // tokio drops a task whose poll has panicked while it unwinds; a second panic would end the process.
            let dropped = catch_panic(|| match this.watched {
                Some(watched) => watched.drop_in(drop_it),
                None => drop_it(),
            });
            match dropped {
                Err(payload) if std::thread::panicking() => discard(payload),
                Err(payload) => resume_unwind(payload),
                Ok(_) => {}
            }
        }
    }
}

impl<T> Spawned<T> {
    /// It is called before its first poll, in the task that it is from then on.
    #[cold]
    fn is_polled_first(runtime: &Wrapped, here: &mut Here, spawn: &mut u64) {
        *spawn = 0;
        if matches!(runtime.runtime.repr, Repr::Tokio(_)) {
            here.task = native::task();
        }
    }

    pub(super) fn call<R>(mut self, call: impl FnOnce(T) -> R) -> R {
        let Some(it) = self.it.take() else { unreachable!("a closure is called once") };
        let runtime = AnyRuntime::from_wrapped(self.runtime.clone());
        let wrapper = &mut self.wrapper;
        let call = || within::inside(&runtime, || in_wrapper(wrapper, || call(it)));
        let output = match self.watched.take() {
            None => call(),
            Some(watched) => watched.call(call),
        };
        match output {
            Some(output) => output,
            None => panic!("anyrt: a wrapper of `wrap_tasks` has not called the closure that it was given"),
        }
    }
}

impl<F: Future> Future for Spawned<F> {
    type Output = F::Output;

    // A call more for each poll would take some twenty instructions.
    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.as_mut().project();
        match this.watched {
            Some(watched) if this.scope.is_here() => {
                // Nobody looks at it after this poll, because nothing wrapped is around.
                HERE.set(*this.here);
                let (it, scope) = (this.it, this.scope.again());
                watched.poll_again(cx.waker(), scope, it, poll_if_there, end)
            }
            _ => self.poll_anywhere(cx.waker()),
        }
    }
}

impl<F: Future> Spawned<F> {
    /// A poll that is the first one, or elsewhere than the last one, or in a wrapper.
    // With the context instead of the waker, each poll that is none of these would have to make one for it.
    #[inline(never)]
    fn poll_anywhere(self: Pin<&mut Self>, waker: &Waker) -> Poll<F::Output> {
        let this = self.project();
        if *this.spawn != 0 {
            Self::is_polled_first(this.runtime, this.here, this.spawn);
        }
        let (wrapper, it) = (this.wrapper, this.it);
        if wrapper.is_none() {
            *this.scope = LastScope::wrapped();
        }
        let _polling = Polling::begin(*this.here);
        match this.watched {
            None => poll_in(wrapper, it, &mut Context::from_waker(waker)),
            Some(watched) => watched.poll(waker, |cx| poll_in(wrapper, it, cx)),
        }
    }
}

/// Polls, and drops the future once it is done: before its task is.
#[inline]
fn poll_and_drop<F: Future>(mut it: Pin<&mut Option<F>>, cx: &mut Context<'_>) -> Poll<F::Output> {
    match poll_if_there(&mut it, cx) {
        Poll::Pending => Poll::Pending,
        Poll::Ready(output) => Poll::Ready(end(it, output)),
    }
}

#[inline]
fn poll_if_there<F: Future>(it: &mut Pin<&mut Option<F>>, cx: &mut Context<'_>) -> Poll<F::Output> {
    match it.as_mut().as_pin_mut() {
        Some(future) => future.poll(cx),
        None => Poll::Pending,
    }
}

/// Likewise, in a wrapper.
fn poll_in<F: Future>(
    wrapper: &mut Option<Wrapper>,
    it: Pin<&mut Option<F>>,
    cx: &mut Context<'_>,
) -> Poll<F::Output> {
    in_wrapper(wrapper, || poll_and_drop(it, cx)).unwrap_or(Poll::Pending)
}

/// Drops a future that is done.
fn end<F, T>(it: Pin<&mut Option<F>>, output: T) -> T {
    match set_none(it) {
        Ok(()) => output,
        Err(payload) => {
            // A destructor that panics while this unwinds would end the process.
            discard(output);
            resume_unwind(payload)
        }
    }
}

// Inlined, it would keep the future in registers that each poll has to save.
#[inline(never)]
fn set_none<F>(mut it: Pin<&mut Option<F>>) -> Result<(), Payload> {
    catch_panic(|| it.set(None))
}

/// Does something in a wrapper, if there is one. `None` if the wrapper does not call it.
fn in_wrapper<T>(wrapper: &mut Option<Wrapper>, step: impl FnOnce() -> T) -> Option<T> {
    let Some(wrapper) = wrapper else { return Some(step()) };
    let (mut step, mut output) = (Some(step), None);
    wrapper(&mut || output = step.take().map(|step| step()));
    output
}
