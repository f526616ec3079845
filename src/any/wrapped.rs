//! Handles that wrap every task spawned through them, for example in tracing spans.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::panic::{Location, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

use pin_project_lite::pin_project;

use super::{AnyRuntime, Within};
use crate::runtime::task::Number;
use crate::runtime::task::catch_panic::{catch_panic, discard};

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
    hook: Hook,
}

/// Gives each task its wrapper.
type Hook = Arc<dyn Fn(&TaskMeta<'_>) -> Wrapper + Send + Sync>;

/// Wrapper of a task: must call its argument, which polls or drops the task.
type Wrapper = Box<dyn FnMut(&mut dyn FnMut()) + Send>;

impl Wrapped {
    /// With this hook, and with those that `runtime` has around it.
    pub(super) fn new<H, W>(runtime: &AnyRuntime, outer: Option<&Self>, hook: H) -> Arc<Self>
    where
        H: Fn(&TaskMeta<'_>) -> W + Send + Sync + 'static,
        W: FnMut(&mut dyn FnMut()) + Send + 'static,
    {
        let hook: Hook = match outer.map(|outer| outer.hook.clone()) {
            None => Arc::new(move |task| Box::new(hook(task))),
            Some(outer) => Arc::new(move |task| {
                let (mut outer, mut inner) = (outer(task), hook(task));
                Box::new(move |step| outer(&mut || inner(step)))
            }),
        };
        let unowned = Self { runtime: runtime.unowned(), unowned: None, hook: hook.clone() };
        Arc::new(Self { runtime: runtime.clone(), unowned: Some(Arc::new(unowned)), hook })
    }

    /// Returns a weak handle, which does not keep its runtime alive.
    pub(super) fn unowned(self: &Arc<Self>) -> Arc<Self> {
        self.unowned.as_ref().unwrap_or(self).clone()
    }

    /// What is spawned, given that it finds `here`; keep the guard until it is.
    pub(super) fn wrap<T>(&self, task: &TaskMeta<'_>, here: AnyRuntime, it: T) -> (Spawned<T>, Spawning) {
        let inside = Within::new(here, InWrapper { wrapper: (self.hook)(task), it: Some(it) });
        let spawning = Spawning::begin();
        (Spawned { inside: Some(inside), spawn: spawning.spawn }, spawning)
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

pin_project! {
    /// A task, or a blocking closure, in its wrapper, and in its runtime.
    pub(super) struct Spawned<T> {
        #[pin]
        inside: Option<Within<InWrapper<T>>>,
        spawn: u64,
    }

    impl<T> PinnedDrop for Spawned<T> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if SPAWNING.get() == *this.spawn {
                if let Some(inside) = this.inside.as_pin_mut().and_then(Within::inside) {
                    inside.project().it.set(None);
                }
            }
        }
    }
}

impl<T> Spawned<T> {
    pub(super) fn call<R>(mut self, call: impl FnOnce(T) -> R) -> R {
        match self.inside.take() {
            Some(inside) => inside.call(|inside| inside.call(call)),
            None => unreachable!("a closure is called once"),
        }
    }
}

impl<F: Future> Future for Spawned<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project().inside.as_pin_mut() {
            Some(inside) => inside.poll(cx),
            None => Poll::Pending,
        }
    }
}

pin_project! {
    struct InWrapper<T> {
        wrapper: Wrapper,
        // Taken to be called, or dropped.
        #[pin]
        it: Option<T>,
    }

    impl<T> PinnedDrop for InWrapper<T> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.it.is_some() {
                // tokio drops a task whose poll has panicked while it unwinds; a second panic would end the process.
                let dropped = catch_panic(|| (this.wrapper)(&mut || this.it.set(None)));
                match dropped {
                    Err(payload) if thread::panicking() => discard(payload),
                    Err(payload) => resume_unwind(payload),
                    Ok(()) => {}
                }
            }
        }
    }
}

impl<T> InWrapper<T> {
    fn call<R>(mut self, call: impl FnOnce(T) -> R) -> R {
        let (mut call, mut output) = (self.it.take().map(|it| (call, it)), None);
        (self.wrapper)(&mut || output = call.take().map(|(call, it)| call(it)));
        match output {
            Some(output) => output,
            None => panic!("anyrt: a wrapper of `wrap_tasks` has not called the closure that it was given"),
        }
    }
}

impl<F: Future> Future for InWrapper<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let mut polled = Poll::Pending;
        (this.wrapper)(&mut || {
            if let Some(future) = this.it.as_mut().as_pin_mut() {
                polled = future.poll(cx);
                if polled.is_ready() {
                    this.it.set(None);
                }
            }
        });
        polled
    }
}
