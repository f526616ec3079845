use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use anyrt::time::Sleep;
use pin_project_lite::pin_project;

pin_project! {
    /// A timer of the runtime, for quinn.
    #[derive(Debug)]
    pub(crate) struct Timer {
        #[pin]
        sleep: Sleep,
    }
}

impl Timer {
    pub(crate) fn new(sleep: Sleep) -> Self {
        Self { sleep }
    }
}

impl quinn::AsyncTimer for Timer {
    fn reset(self: Pin<&mut Self>, deadline: Instant) {
        self.project().sleep.reset(deadline);
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().sleep.poll(cx)
    }
}
