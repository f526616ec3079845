//! Limits on the rate of requests: `tower::limit::rate` on the clock of a runtime of anyrt.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use anyrt::time::Sleep;
use anyrt::{AnyRuntime, Time};
use tower_layer::Layer;
use tower_service::Service;

use crate::latch::Latch;

/// Rate of requests: a number per period. (The fields of tower's `Rate` are private.)
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    num: u64,
    per: Duration,
}

impl Rate {
    /// Creates a rate of `num` requests per `per`.
    ///
    /// # Panics
    ///
    /// If one of them is zero.
    pub const fn new(num: u64, per: Duration) -> Self {
        assert!(num > 0, "a rate of no requests lets none through");
        assert!(!per.is_zero(), "a rate is of a time, and not of none");
        Self { num, per }
    }
}

/// Service that accepts a limited number of requests per period, and is not ready for more until the period is over.
///
/// As in tower, a period begins with its first request, so up to twice as many requests may pass around its end.
///
/// # Panics
///
/// If it is called without being ready; and at the first call, if no runtime is current, none was current where the
/// service was created, and [`on`](Self::on) has not set one.
///
/// # Errors
///
/// Errors of the inner service.
///
/// # Examples
///
/// ```
/// # #[anyrt::main(tokio)]
/// # async fn main() -> Result<(), anyrt_tower::BoxError> {
/// use std::time::{Duration, Instant};
///
/// use anyrt_tower::limit::{RateLimit, rate::Rate};
/// use tower::{BoxError, Service, ServiceExt, service_fn};
///
/// let echo = service_fn(|n: u32| async move { Ok::<_, BoxError>(n) });
/// let mut limited = RateLimit::new(echo, Rate::new(2, Duration::from_millis(20)));
/// let begun = Instant::now();
/// for n in 0..3 {
///     assert_eq!(limited.ready().await?.call(n).await?, n);
/// }
/// assert!(begun.elapsed() >= Duration::from_millis(20));
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct RateLimit<T> {
    inner: T,
    rate: Rate,
    state: State,
    // Made at the end of the first time, and moved from then on.
    sleep: Option<Pin<Box<Sleep>>>,
    runtime: Latch,
}

#[derive(Debug)]
enum State {
    /// No request was let through yet, or none since the limit was over.
    New,
    Ready {
        until: Instant,
        left: u64,
    },
    /// `sleep` ends when it is over.
    Limited,
}

impl<T> RateLimit<T> {
    /// Creates the service on the current runtime, or, if no runtime is current, on the runtime of the first call.
    pub fn new(inner: T, rate: Rate) -> Self {
        Self { inner, rate, state: State::New, sleep: None, runtime: Latch::here() }
    }

    /// Uses the given runtime instead of the current one. Requests before this call do not count.
    pub fn on(self, runtime: impl Into<AnyRuntime>) -> Self {
        Self { state: State::New, sleep: None, runtime: Latch::on(runtime.into()), ..self }
    }

    /// The inner service.
    pub fn get_ref(&self) -> &T {
        &self.inner
    }

    /// Returns the inner service mutably.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// Returns the inner service, without the limit.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

impl<S, Request> Service<Request> for RateLimit<S>
where
    S: Service<Request>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        if let (State::Limited, Some(sleep)) = (&self.state, &mut self.sleep) {
            ready!(sleep.as_mut().poll(cx));
            // As with tower, the next time begins here, and not with the next request.
            let until = end_of(self.rate.per, self.runtime.get().now());
            self.state = State::Ready { until, left: self.rate.num };
        }
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> S::Future {
        let runtime = self.runtime.get();
        let now = runtime.now();
        let (until, left) = match self.state {
            State::Limited => panic!("service not ready; poll_ready must be called first"),
            State::Ready { until, left } if now < until => (until, left),
            _ => (end_of(self.rate.per, now), self.rate.num),
        };
        if left > 1 {
            self.state = State::Ready { until, left: left - 1 };
        } else {
            match &mut self.sleep {
                Some(sleep) => sleep.as_mut().reset(until),
                none => *none = Some(Box::pin(runtime.sleep_until(until))),
            }
            self.state = State::Limited;
        }
        self.inner.call(request)
    }
}

/// tower 0.5.3 panics where the sum is beyond what an `Instant` can say.
fn end_of(per: Duration, now: Instant) -> Instant {
    const DECADES: Duration = Duration::from_secs(86_400 * 365 * 30);

    now.checked_add(per).unwrap_or_else(|| now + DECADES)
}

/// Layer of [`RateLimit`] services.
#[derive(Clone, Debug)]
pub struct RateLimitLayer {
    rate: Rate,
    runtime: Option<AnyRuntime>,
}

impl RateLimitLayer {
    /// Creates a layer. Each service runs on the runtime that is current where the service is created, or else on that
    /// of its first call.
    ///
    /// # Panics
    ///
    /// If `num` or `per` is zero.
    pub const fn new(num: u64, per: Duration) -> Self {
        Self { rate: Rate::new(num, per), runtime: None }
    }

    /// Sets the runtime of the services.
    pub fn on(self, runtime: impl Into<AnyRuntime>) -> Self {
        Self { runtime: Some(runtime.into()), ..self }
    }
}

impl<S> Layer<S> for RateLimitLayer {
    type Service = RateLimit<S>;

    fn layer(&self, inner: S) -> RateLimit<S> {
        let runtime = Latch::of_layer(self.runtime.as_ref());
        RateLimit { inner, rate: self.rate, state: State::New, sleep: None, runtime }
    }
}
