//! The cost of a poll.

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::Host;

/// How many tasks are polled by turns.
pub const TASKS: u64 = 100;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Polled {
    pub polls: u64,
    pub seconds: f64,
}

pub(crate) async fn run<H: Host>(host: &H, each: u64) -> Polled {
    let ended = Arc::new((AtomicUsize::new(0), Mutex::new(None::<Waker>)));
    let begun = Instant::now();
    for _ in 0..TASKS {
        let ended = ended.clone();
        host.spawn_quick(Box::pin(async move {
            // The last poll is one as well.
            for _ in 1..each {
                yield_now().await;
            }
            ended.0.fetch_add(1, Ordering::SeqCst);
            if let Some(main) = &*ended.1.lock().expect("nobody panics") {
                main.wake_by_ref();
            }
        }));
    }
    poll_fn(|cx| {
        *ended.1.lock().expect("nobody panics") = Some(cx.waker().clone());
        if ended.0.load(Ordering::SeqCst) == TASKS as usize { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    Polled { polls: TASKS * each.max(1), seconds: begun.elapsed().as_secs_f64() }
}

/// The same on each runtime.
pub(crate) async fn yield_now() {
    let mut is_first = true;
    poll_fn(|cx| {
        if std::mem::replace(&mut is_first, false) {
            cx.waker().wake_by_ref();
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
}
