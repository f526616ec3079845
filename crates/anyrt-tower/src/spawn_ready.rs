//! Services that are driven to readiness in a task: `tower::spawn_ready` with its tasks on a runtime of anyrt.

use std::future::{Future, poll_fn};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use anyrt::AnyRuntime;
use anyrt::task::AbortOnDropHandle;
use tower_layer::Layer;
use tower_service::Service;
use tracing::Instrument;

use self::future::ResponseFuture;
use crate::BoxError;
use crate::latch::Latch;

/// Service that drives its inner service to readiness in a background task.
///
/// # Dropping
///
/// The task is aborted, and the inner service dropped with it.
///
/// # Panics
///
/// If it is called without being ready; and when the inner service is not ready for the first time, if no runtime is
/// current, none was current where the service was created, and [`on`](Self::on) has not set one.
///
/// # Errors
///
/// Errors of the inner service; and an [`anyrt::task::JoinError`] if the task has panicked, or its runtime is gone. The
/// inner service is lost then: later calls return an error again, where tower 0.5.3 panics.
///
/// # Examples
///
/// ```
/// # #[anyrt::main(tokio)]
/// # async fn main() -> Result<(), anyrt_tower::BoxError> {
/// use anyrt_tower::spawn_ready::SpawnReady;
/// use tower::{BoxError, ServiceExt, service_fn};
///
/// let echo = service_fn(|n: u32| async move { Ok::<_, BoxError>(n) });
/// assert_eq!(SpawnReady::new(echo).oneshot(1).await?, 1);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct SpawnReady<S: Send + 'static> {
    inner: Inner<S>,
    runtime: Latch,
}

#[derive(Debug)]
enum Inner<S: Send + 'static> {
    Here(S),
    InTask(AbortOnDropHandle<Result<S, BoxError>>),
    Lost,
}

impl<S: Send + 'static> SpawnReady<S> {
    /// Creates the service on the current runtime, or, if no runtime is current, on the runtime of the first task.
    pub fn new(inner: S) -> Self {
        Self { inner: Inner::Here(inner), runtime: Latch::here() }
    }

    /// Uses the given runtime instead of the current one.
    pub fn on(self, runtime: impl Into<AnyRuntime>) -> Self {
        Self { runtime: Latch::on(runtime.into()), ..self }
    }

    /// Returns a layer of such services.
    pub fn layer() -> SpawnReadyLayer {
        SpawnReadyLayer::new()
    }
}

impl<S, Request> Service<Request> for SpawnReady<S>
where
    S: Service<Request> + Send + 'static,
    S::Error: Into<BoxError>,
    Request: 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        loop {
            self.inner = match mem::replace(&mut self.inner, Inner::Lost) {
                Inner::Here(mut inner) => match inner.poll_ready(cx) {
                    Poll::Ready(ready) => {
                        self.inner = Inner::Here(inner);
                        return Poll::Ready(ready.map_err(Into::into));
                    }
                    Poll::Pending => {
                        let gets_ready = async move {
                            poll_fn(|cx| inner.poll_ready(cx)).await.map_err(Into::into)?;
                            Ok(inner)
                        };
                        let task = self.runtime.get().spawn(gets_ready.in_current_span());
                        Inner::InTask(task.abort_on_drop())
                    }
                },
                Inner::InTask(mut task) => match Pin::new(&mut task).poll(cx) {
                    Poll::Ready(inner) => Inner::Here(inner??),
                    Poll::Pending => {
                        self.inner = Inner::InTask(task);
                        return Poll::Pending;
                    }
                },
                Inner::Lost => {
                    return Poll::Ready(Err("the inner service was lost when it failed to get ready".into()));
                }
            }
        }
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match &mut self.inner {
            Inner::Here(inner) => ResponseFuture::new(inner.call(request)),
            _ => panic!("service not ready; poll_ready must be called first"),
        }
    }
}

/// Layer of [`SpawnReady`] services.
#[derive(Clone, Debug, Default)]
pub struct SpawnReadyLayer {
    runtime: Option<AnyRuntime>,
}

impl SpawnReadyLayer {
    /// Creates a layer. Each service runs on the runtime that is current where the service is created, or else on that
    /// of its first task.
    pub const fn new() -> Self {
        Self { runtime: None }
    }

    /// Sets the runtime of the services.
    pub fn on(self, runtime: impl Into<AnyRuntime>) -> Self {
        Self { runtime: Some(runtime.into()) }
    }
}

impl<S: Send + 'static> Layer<S> for SpawnReadyLayer {
    type Service = SpawnReady<S>;

    fn layer(&self, inner: S) -> SpawnReady<S> {
        SpawnReady { inner: Inner::Here(inner), runtime: Latch::of_layer(self.runtime.as_ref()) }
    }
}

/// Futures.
pub mod future {
    use std::marker::PhantomData;

    use super::{BoxError, Context, Future, Pin, Poll};

    pin_project_lite::pin_project! {
        /// Response future of a [`SpawnReady`](super::SpawnReady).
        #[derive(Debug)]
        #[must_use = "futures do nothing unless polled"]
        pub struct ResponseFuture<F, E> {
            #[pin]
            response: F,
            _error: PhantomData<fn() -> E>,
        }
    }

    impl<F, E> ResponseFuture<F, E> {
        pub(super) fn new(response: F) -> Self {
            Self { response, _error: PhantomData }
        }
    }

    impl<F, T, E> Future for ResponseFuture<F, E>
    where
        F: Future<Output = Result<T, E>>,
        E: Into<BoxError>,
    {
        type Output = Result<T, BoxError>;

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
            self.project().response.poll(cx).map_err(Into::into)
        }
    }
}
