//! Blocking closures: joined, aborted, dropped; panics; and async code inside.

use std::io;
use std::thread;

use anyrt::Runtime;
use fastrand::Rng;

use super::{Load, panic_as_planned, panicked_as_planned, unless_cancelled, up_to_ms, wrong};

pub(super) async fn one<R: Runtime>(load: &Load<R>, random: &mut Rng) -> io::Result<()> {
    let (number, took) = (random.u64(..), up_to_ms(random, 3));
    let job = move || {
        thread::sleep(took);
        number
    };
    let returned = match random.u64(..5) {
        0 => Some(load.spawn_blocking(job).await?),
        1 => {
            let job = load.spawn_blocking(|| panic_as_planned());
            return panicked_as_planned::<()>(job.await);
        }
        2 => {
            // The closure may be queued, running or finished.
            let job = load.spawn_blocking(job);
            load.pause(up_to_ms(random, 3)).await;
            load.abort(&job);
            unless_cancelled(job.await)?
        }
        3 => {
            drop(load.spawn_blocking(job));
            None
        }
        _ => {
            let inner = load.clone();
            let job = load.spawn_blocking(move || {
                let task = inner.spawn(async move { number });
                inner.runtime.block_on(task)
            });
            Some(job.await??)
        }
    };
    match returned {
        Some(other) if other != number => Err(wrong(format!("a closure returned {other}, and not {number}"))),
        _ => Ok(()),
    }
}
