//! Pauses between attempts: [`tower::retry::backoff`], on the clock of a runtime of anyrt.

use std::time::Duration;

use anyrt::time::Sleep;
use anyrt::{AnyRuntime, Time};
use tower::util::rng::Rng;

pub use tower::retry::backoff::{Backoff, InvalidBackoff, MakeBackoff};

use crate::latch::Latch;

/// Makes [`ExponentialBackoff`]s.
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
    /// Pauses of `min`, twice `min`, four times `min`, up to `max`, each with up to `jitter` times its length more.
    ///
    /// On the current runtime; where none is current, on that of the first pause.
    ///
    /// # Errors
    ///
    /// When `min` is more than `max`, `max` is zero, or `jitter` is not between 0 and 100.
    pub fn new(min: Duration, max: Duration, jitter: f64, rng: R) -> Result<Self, InvalidBackoff> {
        // Only tower can make its error.
        tower::retry::backoff::ExponentialBackoffMaker::new(min, max, jitter, Random)?;
        Ok(Self { min, max, jitter, rng, runtime: Latch::here() })
    }
}

impl<R> ExponentialBackoffMaker<R> {
    /// On a runtime of the caller's choice.
    pub fn on(self, runtime: impl Into<AnyRuntime>) -> Self {
        Self { runtime: Latch::on(runtime.into()), ..self }
    }
}

/// Pauses from 50 ms on, without an end, and with a jitter of 0.99, as tower has it.
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

/// Pauses that get longer and longer.
///
/// A clone goes on where it was cloned, as that of tower does.
///
/// # Panics
///
/// At the first pause, where no runtime is current, unless one was when its maker was made, or that is
/// [on](ExponentialBackoffMaker::on) one.
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
        // tower 0.5.3 rounds it down to whole seconds and the share of the rest: after a pause of one second there is none.
        let more = base.as_secs_f64() * *jitter * if *jitter > 0.0 { rng.next_f64() } else { 0.0 };
        let more = Duration::try_from_secs_f64(more).unwrap_or(Duration::MAX);
        runtime.get().sleep(base + more.min(*max - base))
    }
}

/// The random numbers of the current runtime, which are those of the seed in a simulation.
///
/// With `HasherRng` of tower, each backoff of one maker has the same pauses, because each has a clone of one generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct Random;

impl Rng for Random {
    fn next_u64(&mut self) -> u64 {
        anyrt::random_seed()
    }
}
