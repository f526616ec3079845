use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use super::GONE;
use crate::runtime;

/// The sleep of a runtime that anyrt does not know.
#[derive(Debug)]
pub(crate) struct Sleep {
    sleep: Pin<Box<dyn runtime::Sleep>>,
}

impl Sleep {
    pub(super) fn new(sleep: Pin<Box<dyn runtime::Sleep>>) -> Self {
        Self { sleep }
    }

    /// Of a runtime that has been dropped: as tokio's, it panics when it is polled.
    pub(super) fn gone(deadline: Instant) -> Self {
        Self { sleep: Box::pin(Gone { deadline }) }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.sleep.as_mut().poll(cx)
    }
}

impl runtime::Sleep for Sleep {
    fn deadline(&self) -> Instant {
        self.sleep.deadline()
    }

    fn is_elapsed(&self) -> bool {
        self.sleep.is_elapsed()
    }

    fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
        self.sleep.as_mut().reset(deadline);
    }
}

#[derive(Debug)]
struct Gone {
    deadline: Instant,
}

impl Future for Gone {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        panic!("{GONE}")
    }
}

impl runtime::Sleep for Gone {
    fn deadline(&self) -> Instant {
        self.deadline
    }

    fn is_elapsed(&self) -> bool {
        false
    }

    fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
        self.deadline = deadline;
    }
}
