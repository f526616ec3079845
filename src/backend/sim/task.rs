use std::cell::Cell;
use std::convert::Infallible;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use ::async_task::Runnable;
use pin_project_lite::pin_project;

use super::log::TaskKind;
use super::slots::Id;
use super::world::{World, here, panicked};
use super::{Sim, panics};
use crate::backend::async_task::Executor;
use crate::task::contain::Payload;

impl Executor for Sim {
    // `Place` does it.
    type Waiting = Infallible;

    fn is_cancelled() -> bool {
        CANCELLED.with(Cell::get)
    }

    fn panicked(payload: &Payload) {
        panicked(panics::caught(payload));
    }
}

thread_local! {
    static CANCELLED: Cell<bool> = const { Cell::new(false) };
}

/// Polls a task that is cancelled in this poll.
pub(super) fn cancel(runnable: Runnable) {
    CANCELLED.with(|cancelled| cancelled.set(true));
    runnable.run();
    CANCELLED.with(|cancelled| cancelled.set(false));
}

/// A handle to a task of a simulation is pending, and nobody drives async code on this thread.
#[cold]
pub(crate) fn wait_in_closure(waker: &Waker) {
    if let Some((world, _)) = here() {
        world.wait_in_closure(waker);
    }
}

/// Starts `future`, and hands it to the world whenever it is woken.
pub(super) fn start<F>(sim: &Sim, place: Place, future: F) -> ::async_task::Task<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (world, task) = (sim.world.clone(), place.task);
    let future = Placed { future, place };
    let (runnable, handle) = ::async_task::spawn(future, move |runnable| world.schedule(task, runnable));
    runnable.schedule();
    handle
}

/// The entry of a task in the list of those that live.
pub(super) struct Place {
    world: Arc<World>,
    task: Id,
    // Once it was polled.
    waker: Option<Waker>,
    waited: bool,
}

impl Place {
    pub(super) fn new(sim: &Sim, kind: TaskKind, started: &'static Location<'static>) -> Self {
        let task = sim.world.with(|state| state.add_task(kind, started, sim.host));
        Self { world: sim.world.clone(), task, waker: None, waited: false }
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
        let waker = waker.get_or_insert_with(|| {
            Waker::from(Arc::new(TaskWaker { world: world.clone(), task: *task, inner: cx.waker().clone() }))
        });
        let polled = this.future.poll(&mut Context::from_waker(waker));
        if polled.is_pending() && !std::mem::replace(waited, true) {
            world.with(|state| state.keep_waker(*task, waker));
        }
        polled
    }
}

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
pub(super) struct MainWaker {
    pub(super) world: Arc<World>,
    pub(super) task: Id,
}

impl Wake for MainWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.world.wake_main(self.task);
    }
}
