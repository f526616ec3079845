//! Timers: sleeps, also reset and dropped, timeouts and intervals. None may be early.

use std::future::pending;
use std::io;
use std::pin::pin;
use std::time::{Duration, Instant};

use anyrt::Runtime;
use anyrt::runtime::Sleep;
use fastrand::Rng;
use futures::poll;

use super::{Load, up_to_ms, wrong};

const HOUR: Duration = Duration::from_secs(3600);

pub(super) async fn one<R: Runtime>(load: &Load<R>, random: &mut Rng) -> io::Result<()> {
    let (start, duration) = (load.runtime.now(), up_to_ms(random, 20));
    match random.u64(..6) {
        0 => {
            load.pause(duration).await;
            not_early(load, "a sleep", start + duration)
        }
        1 => {
            load.counts.timers.add(1);
            match load.runtime.timeout(duration, pending::<()>()).await {
                Err(_elapsed) => not_early(load, "a timeout", start + duration),
                Ok(()) => Err(wrong("what waits for ever ended in time")),
            }
        }
        2 => {
            load.counts.timers.add(1);
            Ok(load.runtime.timeout(HOUR, load.pause(duration)).await?)
        }
        3 => interval(load, random).await,
        4 => reset(load, random, duration).await,
        _ => {
            let sleeps: Vec<_> = (0..random.u64(..50)).map(|_| load.runtime.sleep(HOUR)).collect();
            load.counts.timers.add(sleeps.len() as u64);
            for sleep in sleeps {
                if poll!(pin!(sleep)).is_ready() {
                    return Err(wrong("an hour is over"));
                }
            }
            Ok(())
        }
    }
}

async fn interval<R: Runtime>(load: &Load<R>, random: &mut Rng) -> io::Result<()> {
    let (start, period) = (load.runtime.now(), Duration::from_millis(1 + random.u64(..4)));
    let mut interval = load.runtime.interval_at(start, period);
    for tick in 0..1 + random.u64(..5) as u32 {
        load.counts.timers.add(1);
        interval.tick().await;
        not_early(load, "a tick", start + period * tick)?;
    }
    Ok(())
}

async fn reset<R: Runtime>(load: &Load<R>, random: &mut Rng, duration: Duration) -> io::Result<()> {
    load.counts.timers.add(2);
    let first = if random.u64(..2) == 0 { HOUR } else { duration / 2 };
    let mut sleep = pin!(load.runtime.sleep(first));
    if poll!(sleep.as_mut()).is_ready() && first == HOUR {
        return Err(wrong("an hour is over"));
    }
    let deadline = load.runtime.now() + duration;
    sleep.as_mut().reset(deadline);
    sleep.await;
    not_early(load, "a sleep that was reset", deadline)
}

fn not_early<R: Runtime>(load: &Load<R>, what: &str, deadline: Instant) -> io::Result<()> {
    let early = deadline.saturating_duration_since(load.runtime.now());
    if early.is_zero() { Ok(()) } else { Err(wrong(format!("{what} is {early:?} early"))) }
}
