//! A time limit for each request: [`tower::timeout`], on the clock of a runtime of anyrt.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use anyrt::{AnyRuntime, Time};
use tower_layer::Layer;
use tower_service::Service;

use self::future::ResponseFuture;
use crate::BoxError;
use crate::latch::Latch;

/// Errors, which are those of tower.
pub mod error {
    pub use tower::timeout::error::Elapsed;
}

/// Gives each request so much time, from the call to the response.
///
/// The time that a request waits until the service is ready does not count, as with tower.
///
/// # Cancel safety
///
/// Dropping the response drops that of the inner service. One that is too late is not polled any more, and dropped with
/// the response.
///
/// # Panics
///
/// At the first call, where no runtime is current, unless one was when the service was made, or it is [on](Self::on) one.
///
/// # Errors
///
/// Those of the inner service, and [`Elapsed`](error::Elapsed). A response that is ready when the time is over is a response.
///
/// # Examples
///
/// ```
/// # #[anyrt::main(tokio)]
/// # async fn main() -> Result<(), anyrt_tower::BoxError> {
/// use std::{future::pending, time::Duration};
///
/// use anyrt_tower::timeout::{Timeout, error::Elapsed};
/// use tower::{BoxError, ServiceExt, service_fn};
///
/// let slow = service_fn(|_: ()| pending::<Result<(), BoxError>>());
/// let error = Timeout::new(slow, Duration::from_millis(1)).oneshot(()).await.unwrap_err();
/// assert!(error.is::<Elapsed>());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Timeout<T> {
    inner: T,
    timeout: Duration,
    runtime: Latch,
}

impl<T> Timeout<T> {
    /// On the current runtime; where none is current, on that of the first call.
    pub fn new(inner: T, timeout: Duration) -> Self {
        Self { inner, timeout, runtime: Latch::here() }
    }

    /// On a runtime of the caller's choice.
    pub fn on(self, runtime: impl Into<AnyRuntime>) -> Self {
        Self { runtime: Latch::on(runtime.into()), ..self }
    }

    /// The inner service.
    pub fn get_ref(&self) -> &T {
        &self.inner
    }

    /// The inner service, to be changed.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// The inner service, without the time limit.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

impl<S, Request> Service<Request> for Timeout<S>
where
    S: Service<Request>,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let runtime = self.runtime.get();
        let response = self.inner.call(request);
        ResponseFuture { response, sleep: runtime.sleep(self.timeout) }
    }
}

/// Makes [`Timeout`]s.
#[derive(Clone, Debug)]
pub struct TimeoutLayer {
    timeout: Duration,
    runtime: Option<AnyRuntime>,
}

impl TimeoutLayer {
    /// Of services on the runtime that each of them is made on; where none is current, on that of its first call.
    pub const fn new(timeout: Duration) -> Self {
        Self { timeout, runtime: None }
    }

    /// Of services on a runtime of the caller's choice.
    pub fn on(self, runtime: impl Into<AnyRuntime>) -> Self {
        Self { runtime: Some(runtime.into()), ..self }
    }
}

impl<S> Layer<S> for TimeoutLayer {
    type Service = Timeout<S>;

    fn layer(&self, inner: S) -> Timeout<S> {
        Timeout { inner, timeout: self.timeout, runtime: Latch::of_layer(self.runtime.as_ref()) }
    }
}

/// Futures.
pub mod future {
    use anyrt::time::Sleep;

    use super::{BoxError, Context, Future, Pin, Poll, error::Elapsed};

    pin_project_lite::pin_project! {
        /// The response of a [`Timeout`](super::Timeout).
        #[derive(Debug)]
        #[must_use = "futures do nothing unless polled"]
        pub struct ResponseFuture<T> {
            #[pin]
            pub(super) response: T,
            #[pin]
            pub(super) sleep: Sleep,
        }
    }

    impl<F, T, E> Future for ResponseFuture<F>
    where
        F: Future<Output = Result<T, E>>,
        E: Into<BoxError>,
    {
        type Output = Result<T, BoxError>;

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
            let this = self.project();
            if let Poll::Ready(response) = this.response.poll(cx) {
                return Poll::Ready(response.map_err(Into::into));
            }
            this.sleep.poll(cx).map(|()| Err(Elapsed::new().into()))
        }
    }
}
