use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::channel::oneshot;

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Wraps a future to report when it is pending for the first time, and to count its polls.
pub(crate) fn watched<F: Future>(
    future: F,
) -> (impl Future<Output = F::Output>, oneshot::Receiver<()>, Arc<AtomicUsize>) {
    let (waits, is_waiting) = oneshot::channel();
    let polls = Arc::new(AtomicUsize::new(0));
    let (mut future, mut waits, counter) = (Box::pin(future), Some(waits), polls.clone());
    let watched = poll_fn(move |cx| {
        counter.fetch_add(1, Ordering::SeqCst);
        let polled = future.as_mut().poll(cx);
        if polled.is_pending() {
            // The receiver may be gone.
            waits.take().map(|waits| waits.send(()));
        }
        polled
    });
    (watched, is_waiting, polls)
}
