use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::{Poll, ready};

use crate::runtime::task::coop;

/// Tries `operation` in each poll, and waits as long as it would block.
///
/// Not only when the wait is over: async-io 2.6 wakes the task for an event that it does not take for one, because it
/// came in the turn of the reactor in which it was asked for (`reactor.rs`, `Ready::poll`). While all workers are busy
/// that is the rule, and waiting for the next event takes long.
pub(crate) async fn try_io<T, F: Future<Output = io::Result<()>>>(
    mut operation: impl FnMut() -> io::Result<T>,
    mut wait: impl FnMut() -> F,
) -> io::Result<T> {
    let mut waiting = pin!(None::<F>);
    poll_fn(|cx| {
        coop::poll(cx, |cx| {
            loop {
                match operation() {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    result => return Poll::Ready(result),
                }
                if waiting.is_none() {
                    waiting.set(Some(wait()));
                }
                if let Some(wait) = waiting.as_mut().as_pin_mut() {
                    ready!(wait.poll(cx))?;
                }
                waiting.set(None);
            }
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn operation_is_tried_before_its_wait_is_over() {
        let tries = AtomicU32::new(0);
        let operation = || match tries.fetch_add(1, Ordering::Relaxed) {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            _ => Ok(()),
        };
        let mut trying = pin!(try_io(operation, pending));
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(trying.as_mut().poll(cx).is_pending());
        assert!(trying.as_mut().poll(cx).is_ready());
    }
}
