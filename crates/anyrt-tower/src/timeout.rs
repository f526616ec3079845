//! Timeouts for requests: [`tower::timeout`] on the clock of a runtime of anyrt.

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

/// Errors of tower.
pub mod error {
    pub use tower::timeout::error::Elapsed;
}

/// Service that limits the time from each call to its response.
///
/// As in tower, the time that a request waits until the service is ready does not count.
///
/// # Cancel safety
///
/// Dropping the response drops the inner response. An inner response that is too late is no longer polled, and is
/// dropped with the response.
///
/// # Panics
///
/// At the first call, if no runtime is current, none was current where the service was created, and [`on`](Self::on)
/// has not set one.
///
/// # Errors
///
/// Errors of the inner service, and [`Elapsed`](error::Elapsed). A response that is ready when the time is up is
/// returned.
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
    /// Creates the service on the current runtime, or, if no runtime is current, on the runtime of the first call.
    pub fn new(inner: T, timeout: Duration) -> Self {
        Self { inner, timeout, runtime: Latch::here() }
    }

    /// Uses the given runtime instead of the current one.
    pub fn on(self, runtime: impl Into<AnyRuntime>) -> Self {
        Self { runtime: Latch::on(runtime.into()), ..self }
    }

    /// The inner service.
    pub fn get_ref(&self) -> &T {
        &self.inner
    }

    /// Returns the inner service mutably.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// Returns the inner service, without the timeout.
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

/// Layer of [`Timeout`] services.
#[derive(Clone, Debug)]
pub struct TimeoutLayer {
    timeout: Duration,
    runtime: Option<AnyRuntime>,
}

impl TimeoutLayer {
    /// Creates a layer. Each service runs on the runtime that is current where the service is created, or else on that
    /// of its first call.
    pub const fn new(timeout: Duration) -> Self {
        Self { timeout, runtime: None }
    }

    /// Sets the runtime of the services.
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
        /// Response future of a [`Timeout`](super::Timeout).
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
