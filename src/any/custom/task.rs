use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::Custom;
use crate::any::enter;

pin_project! {
    /// A task or a closure that finds its runtime while it is polled, called or dropped, with all that is left of it.
    pub(super) struct InContext<T> {
        runtime: Custom,
        // Taken to be called or dropped.
        #[pin]
        it: Option<T>,
    }

    impl<T> PinnedDrop for InContext<T> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.it.is_some() {
                let _entered = enter(this.runtime.clone().into());
                this.it.set(None);
            }
        }
    }
}

impl<T> InContext<T> {
    pub(super) fn new(runtime: Custom, it: T) -> Self {
        Self { runtime, it: Some(it) }
    }

    pub(super) fn call(mut self, call: impl FnOnce(T)) {
        let _entered = enter(self.runtime.clone().into());
        if let Some(it) = self.it.take() {
            call(it);
        }
    }
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = enter(this.runtime.clone().into());
        match this.it.as_pin_mut() {
            Some(future) => future.poll(cx),
            None => Poll::Pending,
        }
    }
}
