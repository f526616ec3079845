use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use pin_project_lite::pin_project;

use super::Sim;
use crate::backend::sim::log::Origin;
use crate::backend::sim::panics;
use crate::backend::sim::slots::Id;
use crate::backend::sim::world::{World, current, is_cancelled, panicked};
use crate::runtime::task::Number;
use crate::runtime::task::catch_panic::Payload;
use crate::runtime::task::native::async_task::Executor;
use crate::thread::RuntimeKind;

impl Executor for Sim {
    const KIND: RuntimeKind = RuntimeKind::Sim;

    // `Place` does it.
    type Waiting = Infallible;

    fn is_cancelled() -> bool {
        is_cancelled()
    }

    fn panicked(payload: &Payload) {
        panicked(panics::caught(payload));
    }
}

/// A handle to a task of a simulation is pending, and nobody drives async code on this thread.
#[cold]
pub(super) fn wait_in_closure(waker: &Waker) {
    if let Some((world, _)) = current() {
        world.wait_in_closure(waker);
    }
}

/// Chooses the next of `len` local tasks of this thread.
pub(super) fn choose_local(len: usize) -> usize {
    current().map_or(0, |(world, _)| world.with(|state| state.tasks.schedule.choose(len)))
}

/// Starts `future`, and hands it to the world whenever it is woken.
pub(crate) fn start<F>(place: Place, future: F) -> ::async_task::Task<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (world, task) = (place.world.clone(), place.task);
    let future = Placed { future, place };
    let (runnable, handle) = ::async_task::spawn(future, move |runnable| world.schedule(task, runnable));
    runnable.schedule();
    handle
}

/// The entry of a task in the list of those that live.
pub(crate) struct Place {
    world: Arc<World>,
    task: Id,
    // Once it was polled.
    waker: Option<(Arc<TaskWaker>, Waker)>,
    waited: bool,
}

impl Place {
    pub(crate) fn new(world: &Arc<World>, host: usize, origin: Origin<'_>) -> Self {
        let task = world.with(|state| state.add_task(origin, host));
        Self { world: world.clone(), task, waker: None, waited: false }
    }

    pub(crate) fn number(&self) -> Number {
        self.world.number(self.task.number)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.world.with(|state| state.end_task(self.task));
    }
}

pin_project! {
    /// A future, and its place.
    struct Placed<F> {
        #[pin]
        future: F,
        place: Place,
    }
}

impl<F: Future> Future for Placed<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Place { world, task, waker, waited } = this.place;
        let (handle, waker) = waker.get_or_insert_with(|| {
            let waker = TaskWaker { world: world.clone(), task: *task, inner: cx.waker().clone() };
            let waker = Arc::new(waker);
            (waker.clone(), waker.into())
        });
        let polled = this.future.poll(&mut Context::from_waker(waker));
        if polled.is_pending() {
            if !std::mem::replace(waited, true) {
                world.with(|state| state.keep_waker(*task, waker));
            }
            // Fewer where its host has crashed meanwhile.
            let given = Arc::strong_count(handle).saturating_sub(KEPT);
            if given > 1 {
                world.suspect(task.number, given);
            }
        }
        polled
    }
}

/// How often we have the waker of a task that is pending: twice in its place, once in the list of tasks.
const KEPT: usize = 3;

/// The waker of a task. That of async-task would not see who wakes it while it is being polled.
struct TaskWaker {
    world: Arc<World>,
    task: Id,
    inner: Waker,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.world.woken(self.task);
        self.inner.wake_by_ref();
    }
}

/// The waker of a `block_on`.
pub(crate) struct MainWaker {
    pub(crate) world: Arc<World>,
    pub(crate) task: Id,
}

impl Wake for MainWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.world.wake_main(self.task);
    }
}
