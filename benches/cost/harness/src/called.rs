use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The future of a task, whose polls are calls in each implementation.
///
/// The compiler puts some futures into the function that polls their task, and others it calls. Which it does depends on
/// their size, and would be the greatest part of what is measured of a poll.
pub struct Called<F>(Pin<Box<F>>);

impl<F: Future> Called<F> {
    pub fn new(future: F) -> Self {
        Self(Box::pin(future))
    }
}

impl<F: Future> Future for Called<F> {
    type Output = F::Output;

    #[inline(never)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.0.as_mut().poll(cx)
    }
}
