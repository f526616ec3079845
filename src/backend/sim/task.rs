use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use pin_project_lite::pin_project;

use super::Sim;
use super::world::World;
use crate::backend::async_task::Executor;

impl Executor for Sim {
    // `Place` does it.
    type Waiting = ();

    fn wait(_: &Waker) -> Option<()> {
        None
    }

    fn is_closed(_: Option<&()>) -> bool {
        false
    }
}

/// Starts `future`, and hands it to the world whenever it is woken.
pub(super) fn start<F>(sim: &Sim, place: Place, future: F) -> ::async_task::Task<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (world, number) = (sim.world.clone(), place.number);
    let future = Placed { future, place };
    let (runnable, task) = ::async_task::spawn(future, move |runnable| world.schedule(number, runnable));
    runnable.schedule();
    task
}

/// The entry of a task in the list of those that live.
pub(super) struct Place {
    world: Arc<World>,
    number: u64,
    waited: bool,
}

impl Place {
    pub(super) fn new(sim: &Sim, started: &'static Location<'static>) -> Self {
        let number = sim.world.with(|state| state.add_task(started, sim.host));
        Self { world: sim.world.clone(), number, waited: false }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.world.with(|state| state.end_task(self.number));
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
        let polled = this.future.poll(cx);
        if polled.is_pending() && !this.place.waited {
            this.place.waited = true;
            this.place.world.with(|state| state.keep_waker(this.place.number, cx.waker()));
        }
        polled
    }
}

/// The waker of a `block_on`.
pub(super) struct MainWaker {
    pub(super) world: Arc<World>,
    pub(super) task: u64,
}

impl Wake for MainWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.world.wake_main(self.task);
    }
}
