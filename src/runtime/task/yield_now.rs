use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Future of the provided [`Spawn::yield_now`](crate::Spawn::yield_now): wakes its task at once, and is ready at the
/// next poll.
#[derive(Debug, Default)]
#[must_use = "futures do nothing unless polled"]
pub struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
