//! Buffered services that several tasks can share: [`tower::buffer`] with its worker task on a runtime of anyrt.
//!
//! The service is [`tower::buffer::Buffer`] itself, and so are its errors.

use std::fmt;
use std::marker::PhantomData;

use anyrt::AnyRuntime;
use tower::buffer::Buffer;
use tower_layer::Layer;
use tower_service::Service;

use crate::BoxError;

/// Layer of [`Buffer`] services, each with a task that passes the requests to the inner service one by one.
///
/// The task ends when the last clone of the buffer is dropped. If the inner service fails to become ready, all waiting
/// and later requests fail with [`ServiceError`](tower::buffer::error::ServiceError). If it panics, or once the runtime
/// has shut down, they fail with [`Closed`](tower::buffer::error::Closed).
///
/// # Panics
///
/// [`layer`](Layer::layer) panics if no runtime is current, unless the layer has a runtime by [`on`](Self::on), because
/// it spawns the task. It also panics if `bound` is zero.
///
/// # Examples
///
/// ```
/// # #[anyrt::main(tokio)]
/// # async fn main() -> Result<(), anyrt_tower::BoxError> {
/// use anyrt_tower::buffer::BufferLayer;
/// use tower::{BoxError, Layer, ServiceExt, service_fn};
///
/// let echo = service_fn(|n: u32| async move { Ok::<_, BoxError>(n) });
/// let shared = BufferLayer::new(8).layer(echo);
/// assert_eq!(shared.clone().oneshot(1).await? + shared.oneshot(2).await?, 3);
/// # Ok(()) }
/// ```
pub struct BufferLayer<Request> {
    bound: usize,
    runtime: Option<AnyRuntime>,
    _requests: PhantomData<fn(Request)>,
}

impl<Request> BufferLayer<Request> {
    /// Creates a layer whose services run their task on the runtime that is current where they are created. A buffer
    /// holds up to `bound` requests.
    pub const fn new(bound: usize) -> Self {
        Self { bound, runtime: None, _requests: PhantomData }
    }

    /// Sets the runtime of the services' tasks.
    pub fn on(self, runtime: impl Into<AnyRuntime>) -> Self {
        Self { runtime: Some(runtime.into()), ..self }
    }
}

impl<S, Request> Layer<S> for BufferLayer<Request>
where
    S: Service<Request> + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError> + Send + Sync,
    Request: Send + 'static,
{
    type Service = Buffer<Request, S::Future>;

    #[track_caller]
    fn layer(&self, inner: S) -> Self::Service {
        let runtime = self.runtime.clone().unwrap_or_else(|| AnyRuntime::current());
        let (buffer, worker) = Buffer::pair(inner, self.bound);
        drop(runtime.spawn(worker));
        buffer
    }
}

impl<Request> Clone for BufferLayer<Request> {
    fn clone(&self) -> Self {
        Self { bound: self.bound, runtime: self.runtime.clone(), _requests: PhantomData }
    }
}

impl<Request> fmt::Debug for BufferLayer<Request> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bound, runtime, _requests } = self;
        f.debug_struct("BufferLayer").field("bound", bound).field("runtime", runtime).finish()
    }
}
