//! A service with every layer of this crate, on the runtime of `ANYRT_RUNTIME`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyrt::time::Sleep;
use anyrt_tower::buffer::BufferLayer;
use anyrt_tower::limit::RateLimitLayer;
use anyrt_tower::retry::backoff::{
    Backoff, ExponentialBackoff, ExponentialBackoffMaker, MakeBackoff, Random,
};
use anyrt_tower::spawn_ready::SpawnReadyLayer;
use anyrt_tower::timeout::TimeoutLayer;
use tower::retry::{Policy, RetryLayer};
use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};

#[anyrt::main]
async fn main() -> Result<(), BoxError> {
    let begun = anyrt::time::now();
    let asked = Arc::new(AtomicUsize::new(0));
    let greets = service_fn(move |name: &'static str| {
        let asked = asked.fetch_add(1, Ordering::Relaxed);
        async move {
            if asked == 0 {
                // Longer than anybody waits.
                anyrt::time::sleep(Duration::from_secs(3600)).await;
            }
            Ok::<_, BoxError>(format!("hello {name}"))
        }
    });
    let pauses =
        ExponentialBackoffMaker::new(Duration::from_millis(10), Duration::from_secs(1), 0.5, Random)?
            .make_backoff();
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(Retries(pauses)))
        .layer(BufferLayer::new(8))
        .layer(SpawnReadyLayer::new())
        .layer(RateLimitLayer::new(2, Duration::from_millis(50)))
        .layer(TimeoutLayer::new(Duration::from_millis(100)))
        .service(greets);
    for name in ["anyrt", "tower", "world"] {
        println!("{} after {:?}", service.clone().oneshot(name).await?, anyrt::time::now() - begun);
    }
    Ok(())
}

/// Asks again, after a pause.
#[derive(Clone)]
struct Retries(ExponentialBackoff);

impl<Request: Clone, Response> Policy<Request, Response, BoxError> for Retries {
    type Future = Sleep;

    fn retry(&mut self, _: &mut Request, result: &mut Result<Response, BoxError>) -> Option<Sleep> {
        result.is_err().then(|| self.0.next_backoff())
    }

    fn clone_request(&mut self, request: &Request) -> Option<Request> {
        Some(request.clone())
    }
}
