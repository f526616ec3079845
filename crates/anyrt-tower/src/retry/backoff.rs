//! Pauses between attempts: [`tower::retry::backoff`] on the clock of a runtime of anyrt.

use std::time::Duration;

use anyrt::time::Sleep;
use anyrt::{AnyRuntime, Time};
use tower::util::rng::Rng;

pub use tower::retry::backoff::{Backoff, InvalidBackoff, MakeBackoff};

use crate::latch::Latch;

/// Factory of [`ExponentialBackoff`]s.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use anyrt::time::Sleep;
/// use anyrt_tower::retry::backoff::{Backoff, ExponentialBackoff};
/// use tower::retry::Policy;
///
/// /// Up to so many attempts more, with longer and longer pauses.
/// #[derive(Clone)]
/// struct Attempts {
///     left: usize,
///     backoff: ExponentialBackoff,
/// }
///
/// impl<Request: Clone, Response, E> Policy<Request, Response, E> for Attempts {
///     type Future = Sleep;
///
///     fn retry(&mut self, _: &mut Request, result: &mut Result<Response, E>) -> Option<Sleep> {
///         self.left = self.left.checked_sub(1)?;
///         result.is_err().then(|| self.backoff.next_backoff())
///     }
///
///     fn clone_request(&mut self, request: &Request) -> Option<Request> {
///         Some(request.clone())
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct ExponentialBackoffMaker<R = Random> {
    min: Duration,
    max: Duration,
    jitter: f64,
    rng: R,
    runtime: Latch,
}

impl<R: Rng> ExponentialBackoffMaker<R> {
    /// Creates a factory. The pauses are `min`, twice `min`, four times `min`, up to `max`, each extended by up to
    /// `jitter` times its length.
    ///
    /// The runtime is the current one, or, if no runtime is current, that of the first pause.
    ///
    /// # Errors
    ///
    /// If `min` is greater than `max`, `max` is zero, or `jitter` is not between 0 and 100.
    pub fn new(min: Duration, max: Duration, jitter: f64, rng: R) -> Result<Self, InvalidBackoff> {
        // Only tower can make its error.
        tower::retry::backoff::ExponentialBackoffMaker::new(min, max, jitter, Random)?;
        Ok(Self { min, max, jitter, rng, runtime: Latch::here() })
    }
}

impl<R> ExponentialBackoffMaker<R> {
    /// Uses the given runtime instead of the current one.
    pub fn on(self, runtime: impl Into<AnyRuntime>) -> Self {
        Self { runtime: Latch::on(runtime.into()), ..self }
    }
}

/// As in tower: pauses from 50 ms on, without an upper limit, with a jitter of 0.99.
impl Default for ExponentialBackoffMaker {
    fn default() -> Self {
        let (min, max) = (Duration::from_millis(50), Duration::from_millis(u64::MAX));
        Self { min, max, jitter: 0.99, rng: Random, runtime: Latch::here() }
    }
}

impl<R: Rng + Clone> MakeBackoff for ExponentialBackoffMaker<R> {
    type Backoff = ExponentialBackoff<R>;

    fn make_backoff(&mut self) -> ExponentialBackoff<R> {
        ExponentialBackoff { maker: self.clone(), iterations: 0 }
    }
}

/// Pauses that grow exponentially.
///
/// As in tower, a clone continues with the pause of the original.
///
/// # Panics
///
/// At the first pause, if no runtime is current, none was current where the factory was created, and
/// [`on`](ExponentialBackoffMaker::on) has not set one.
#[derive(Clone, Debug)]
pub struct ExponentialBackoff<R = Random> {
    maker: ExponentialBackoffMaker<R>,
    iterations: u32,
}

impl<R: Rng> Backoff for ExponentialBackoff<R> {
    type Future = Sleep;

    fn next_backoff(&mut self) -> Sleep {
        let ExponentialBackoffMaker { min, max, jitter, rng, runtime } = &mut self.maker;
        let doubled = min.checked_mul(2_u32.saturating_pow(self.iterations));
        let base = doubled.map_or(*max, |doubled| doubled.min(*max));
        self.iterations = self.iterations.saturating_add(1);
        // tower 0.5.3 rounds it down to whole seconds and the share of the rest: a pause of one second has no jitter.
        let more = base.as_secs_f64() * *jitter * if *jitter > 0.0 { rng.next_f64() } else { 0.0 };
        let more = Duration::try_from_secs_f64(more).unwrap_or(Duration::MAX);
        runtime.get().sleep(base + more.min(*max - base))
    }
}

/// Random numbers from the current runtime; in a simulation they follow from the seed.
///
/// With `HasherRng` of tower, all backoffs of one factory have the same pauses, because each has a clone of one
/// generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct Random;

impl Rng for Random {
    fn next_u64(&mut self) -> u64 {
        anyrt::random_seed()
    }
}
