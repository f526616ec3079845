use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::Custom;
use crate::context::enter;

pin_project! {
    /// A future that finds its runtime while it is polled and dropped.
    pub(super) struct Within<F> {
        runtime: Custom,
        // Taken to be dropped.
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for Within<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _entered = enter(this.runtime.clone().into());
            this.future.set(None);
        }
    }
}

impl<F> Within<F> {
    pub(super) fn new(runtime: Custom, future: F) -> Self {
        Self { runtime, future: Some(future) }
    }
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = enter(this.runtime.clone().into());
        match this.future.as_pin_mut() {
            Some(future) => future.poll(cx),
            None => Poll::Pending,
        }
    }
}
