//! A queue in front of a service, which many can share: [`tower::buffer`], whose worker is a task of a runtime of anyrt.
//!
//! The service is [`tower::buffer::Buffer`] itself, and so are its errors.

use std::fmt;
use std::marker::PhantomData;

use anyrt::AnyRuntime;
use tower::buffer::Buffer;
use tower_layer::Layer;
use tower_service::Service;

use crate::BoxError;

/// Makes [`Buffer`]s, each with a task that hands the requests to the inner service one by one.
///
/// The task ends when the last clone of the buffer is dropped. If the inner service fails to get ready, all requests that
/// wait, and all to come, fail with [`ServiceError`](tower::buffer::error::ServiceError); if it panics, with
/// [`Closed`](tower::buffer::error::Closed), and so it is once the runtime has shut down.
///
/// # Panics
///
/// [`layer`](Layer::layer) panics where no runtime is current, unless the layer is [on](Self::on) one: the task has to be
/// spawned then. It panics as well if `bound` is zero.
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
    /// Of services whose task is on the runtime that they are made on. A buffer takes `bound` requests before it is not
    /// ready for more.
    pub const fn new(bound: usize) -> Self {
        Self { bound, runtime: None, _requests: PhantomData }
    }

    /// Of services whose task is on a runtime of the caller's choice.
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
