use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::{AnyRuntime, Repr, enter};
use crate::backend::tokio_context;

pin_project! {
    /// Future that finds a given runtime as the current one wherever it is polled or dropped; returned by
    /// [`AnyRuntime::within`].
    #[must_use = "futures do nothing unless they are polled"]
    pub struct Within<F> {
        runtime: AnyRuntime,
        // Taken to be called or dropped.
        #[pin]
        it: Option<F>,
    }

    impl<F> PinnedDrop for Within<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.it.is_some() {
                inside(this.runtime, || this.it.set(None));
            }
        }
    }
}

impl<F> Within<F> {
    pub(super) fn new(runtime: AnyRuntime, it: F) -> Self {
        Self { runtime, it: Some(it) }
    }

    pub(super) fn call<T>(mut self, call: impl FnOnce(F) -> T) -> T {
        match self.it.take() {
            Some(it) => inside(&self.runtime, || call(it)),
            None => unreachable!("a closure is called once"),
        }
    }
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        match this.it.as_pin_mut() {
            Some(future) => inside(this.runtime, || future.poll(cx)),
            None => Poll::Pending,
        }
    }
}

impl<F> fmt::Debug for Within<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Within").field("runtime", &self.runtime).finish_non_exhaustive()
    }
}

pub(super) fn inside<T>(runtime: &AnyRuntime, call: impl FnOnce() -> T) -> T {
    let _context = match runtime.plain() {
        Repr::Tokio(tokio) => tokio_context::enter(tokio),
        _ => None,
    };
    let _entered = enter(runtime.clone());
    call()
}
