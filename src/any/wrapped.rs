//! Handles that wrap every task spawned through them, for example in tracing spans.

use std::cell::Cell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{Location, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::{AnyRuntime, Other, Repr, native_context, within};
use crate::runtime::task::{Number, native};
use crate::runtime::task::catch_panic::{catch_panic, discard};
use crate::thread::Scope;
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
        let unowned = Self {
            runtime: runtime.unowned(),
            unowned: None,
            hook: hook.clone(),
            watch: watch.as_ref().map(Watch::unowned),
        };
        Arc::new(Self { runtime: runtime.clone(), unowned: Some(Arc::new(unowned)), hook, watch })
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
        let inside = Some(InWrapper { wrapper, it: Some(it) });
        let spawning = Spawning::begin();
        (Spawned { inside, watched, here: Some(self.unowned()), spawn: spawning.spawn }, spawning)
    }

    /// The future of a `block_on`.
    #[track_caller]
    pub(super) fn block_on<'a>(
        &self,
        future: Pin<&'a mut dyn Future<Output = ()>>,
    ) -> impl Future<Output = ()> + use<'a> {
        let (watch, called_at) = (self.watch.as_ref(), Location::caller());
        let mut watched = watch.map(|watch| watch.task(TaskKind::BlockOn, None, called_at));
        let mut future = future;
        poll_fn(move |cx| match &mut watched {
            None => future.as_mut().poll(cx),
            Some(watched) => watched.poll(cx, |cx| future.as_mut().poll(cx)),
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

thread_local! {
    /// The runtime of the innermost poll of a [`Spawned`] on this thread.
    static HERE: Cell<Option<Arc<Wrapped>>> = const { Cell::new(None) };

    /// The task of tokio that it is in. Another one inside finds its own runtime.
    static TASK: Cell<Option<native::Task>> = const { Cell::new(None) };
}

impl Wrapped {
    /// The runtime of the poll that this thread is in.
    #[cold]
    #[inline(never)]
    pub(super) fn find() -> Option<AnyRuntime> {
        let found = HERE.try_with(|cell| {
            let here = cell.take();
            let found = here.clone();
            cell.set(here);
            found
        });
        let found = AnyRuntime { repr: Repr::Other(Other::Wrapped(found.ok().flatten()?)) };
        if native::task() == TASK.get() { Some(found) } else { native_context().or(Some(found)) }
    }
}

/// A poll in which `Wrapped::find` finds its runtime.
///
/// The handle moves to the thread and back, so no reference is counted in a poll.
struct Here<'a> {
    // Meanwhile it has what was there before.
    handle: &'a mut Option<Arc<Wrapped>>,
    task: Option<native::Task>,
    _scope: Scope,
}

impl<'a> Here<'a> {
    /// `None` in a destructor of a thread-local, when those of anyrt are gone.
    #[inline]
    fn begin(handle: &'a mut Option<Arc<Wrapped>>) -> Option<Self> {
        HERE.try_with(|here| *handle = here.replace(handle.take())).ok()?;
        Some(Self { handle, task: TASK.replace(native::task()), _scope: Scope::wrapped() })
    }
}

impl Drop for Here<'_> {
    #[inline]
    fn drop(&mut self) {
        TASK.set(self.task);
        let _ = HERE.try_with(|here| *self.handle = here.replace(self.handle.take()));
    }
}

pin_project! {
    /// A task, or a blocking closure, in its wrapper, and in its runtime.
    pub(super) struct Spawned<T> {
        // Taken to be called.
        #[pin]
        inside: Option<InWrapper<T>>,
        watched: Option<Watched>,
        here: Option<Arc<Wrapped>>,
        spawn: u64,
    }

    impl<T> PinnedDrop for Spawned<T> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let Some(inside) = this.inside.as_mut().as_pin_mut() else { return };
            let inside = inside.project();
            let mut it = inside.it;
            if it.is_none() {
                return;
            }
            if SPAWNING.get() == *this.spawn {
                it.set(None);
                return;
            }
            let wrapper = inside.wrapper;
            let runtime = AnyRuntime { repr: Repr::Other(Other::Wrapped(match this.here.take() {
                Some(here) => here,
                None => unreachable!("it is there between two polls"),
            })) };
            // tokio drops a task whose poll has panicked while it unwinds; a second panic would end the process.
            let mut drop_it = || within::inside(&runtime, || in_wrapper(wrapper, || it.set(None)));
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
    pub(super) fn call<R>(mut self, call: impl FnOnce(T) -> R) -> R {
        let (Some(inside), Some(here)) = (self.inside.take(), self.here.take()) else {
            unreachable!("a closure is called once")
        };
        let runtime = AnyRuntime { repr: Repr::Other(Other::Wrapped(here)) };
        let call = || within::inside(&runtime, || inside.call(call));
        match self.watched.take() {
            None => call(),
            Some(watched) => watched.call(call),
        }
    }
}

impl<F: Future> Future for Spawned<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(inside) = this.inside.as_pin_mut() else { return Poll::Pending };
        let _here = Here::begin(this.here);
        match this.watched {
            None => inside.poll(cx),
            Some(watched) => watched.poll(cx, |cx| inside.poll(cx)),
        }
    }
}

pin_project! {
    struct InWrapper<T> {
        wrapper: Option<Wrapper>,
        // Taken to be called, or dropped.
        #[pin]
        it: Option<T>,
    }
}

/// Does something in a wrapper, if there is one. `None` if the wrapper does not call it.
#[inline]
fn in_wrapper<T>(wrapper: &mut Option<Wrapper>, step: impl FnOnce() -> T) -> Option<T> {
    let Some(wrapper) = wrapper else { return Some(step()) };
    let (mut step, mut output) = (Some(step), None);
    wrapper(&mut || output = step.take().map(|step| step()));
    output
}

impl<T> InWrapper<T> {
    fn call<R>(mut self, call: impl FnOnce(T) -> R) -> R {
        let it = self.it.take();
        let output = in_wrapper(&mut self.wrapper, || it.map(call));
        match output.flatten() {
            Some(output) => output,
            None => panic!("anyrt: a wrapper of `wrap_tasks` has not called the closure that it was given"),
        }
    }
}

impl<F: Future> Future for InWrapper<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let polled = in_wrapper(this.wrapper, || {
            let Some(future) = this.it.as_mut().as_pin_mut() else { return Poll::Pending };
            let polled = future.poll(cx);
            if polled.is_ready() {
                this.it.set(None);
            }
            polled
        });
        polled.unwrap_or(Poll::Pending)
    }
}
