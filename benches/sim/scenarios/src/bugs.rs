use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::{Setup, Simulator, Stream, connect_late};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// **C1.** A lost update. Two clients read a number from the server, add one and write it, at a random time within half
/// a second.
pub(crate) fn lost_update<S: Simulator>(setup: Setup) -> (Duration, bool) {
    let count = Arc::new(AtomicU64::new(0));
    let clients = (0..2).map(|client| async move {
        let mut random = fastrand::Rng::with_seed(setup.seed * 2 + client);
        let mut stream = connect_late::<S>().await;
        S::sleep(ms(random.u64(0..500))).await;
        let count = ask::<S>(&mut stream, [READ, 0]).await;
        ask::<S>(&mut stream, [WRITE, count + 1]).await;
    });
    let served = count.clone();
    let server = move || {
        let count = served.clone();
        serve::<S>(move |[what, value]| {
            if what == WRITE {
                count.store(value.into(), Relaxed);
            }
            count.load(Relaxed) as u8
        })
    };
    let time = S::run(setup, server, clients.collect());
    (time, count.load(Relaxed) != 2)
}

const READ: u8 = 0;
const WRITE: u8 = 1;

/// **C2.** An interleaving inside of one host: one task checks, yields and acts; another takes five turns, and closes
/// in the last. Tasks that take turns strictly never show it.
pub(crate) fn check_then_act<S: Simulator>(setup: Setup) -> (Duration, bool) {
    let (closed, found) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let bug = found.clone();
    let time = S::run_alone(setup, async move {
        let seen = closed.clone();
        let acts = S::spawn(async move {
            if !seen.load(Relaxed) {
                S::yield_now().await;
                bug.store(seen.load(Relaxed), Relaxed);
            }
        });
        let closes = S::spawn(async move {
            for _ in 0..4 {
                S::yield_now().await;
            }
            closed.store(true, Relaxed);
        });
        acts.await;
        closes.await;
    });
    (time, found.load(Relaxed))
}

/// **C3.** A lease that expires. The holder of a lock asks the server five times, and then writes without checking that
/// it still holds the lock; the server passes it on after 85 ms.
pub(crate) fn lease_expiry<S: Simulator>(setup: Setup) -> (Duration, bool) {
    let found = Arc::new(AtomicBool::new(false));
    let clients = (1..=2).map(|client| async move {
        let mut stream = connect_late::<S>().await;
        while ask::<S>(&mut stream, [ACQUIRE, client]).await != client {
            S::sleep(ms(5)).await;
        }
        for _ in 0..5 {
            ask::<S>(&mut stream, [WORK, client]).await;
        }
        ask::<S>(&mut stream, [COMMIT, client]).await;
    });
    let bug = found.clone();
    let server = move || {
        let (holder, bug) = (Arc::new(AtomicU64::new(NOBODY)), bug.clone());
        let lease = Arc::new(AtomicU64::new(0));
        serve::<S>(move |[what, client]| {
            let has_it = holder.load(Relaxed) == u64::from(client);
            match what {
                ACQUIRE if holder.load(Relaxed) == NOBODY => {
                    holder.store(client.into(), Relaxed);
                    let number = lease.fetch_add(1, Relaxed) + 1;
                    let (holder, lease) = (holder.clone(), lease.clone());
                    drop(S::spawn(async move {
                        S::sleep(ms(LEASE)).await;
                        if lease.load(Relaxed) == number {
                            holder.store(NOBODY, Relaxed);
                        }
                    }));
                }
                COMMIT if has_it => holder.store(NOBODY, Relaxed),
                // A write without a holder is harmless; during somebody else's lease it is the bug.
                COMMIT if holder.load(Relaxed) != NOBODY => bug.store(true, Relaxed),
                _ => {}
            }
            holder.load(Relaxed) as u8
        })
    };
    let time = S::run(setup, server, clients.collect());
    (time, found.load(Relaxed))
}

const ACQUIRE: u8 = 0;
const WORK: u8 = 1;
const COMMIT: u8 = 2;
const LEASE: u64 = 85;
const NOBODY: u64 = 0;

/// **C4.** The deepest bug: one task has a window of one yield, into which all 21 turns of another have to fall.
pub(crate) fn deep<S: Simulator>(setup: Setup) -> (Duration, bool) {
    let found = Arc::new(AtomicBool::new(false));
    let bug = found.clone();
    let time = S::run_alone(setup, async move {
        let window = Arc::new(AtomicBool::new(false));
        let open = window.clone();
        let a = S::spawn(async move {
            open.store(true, Relaxed);
            S::yield_now().await;
            open.store(false, Relaxed);
        });
        let b = S::spawn(async move {
            let mut all = window.load(Relaxed);
            for _ in 1..21 {
                S::yield_now().await;
                all &= window.load(Relaxed);
            }
            bug.store(all, Relaxed);
        });
        a.await;
        b.await;
    });
    (time, found.load(Relaxed))
}

/// Sends two bytes, and waits for an answer of one byte.
async fn ask<S: Simulator>(stream: &mut S::Stream, question: [u8; 2]) -> u8 {
    let mut answer = [0];
    stream.send(&question).await;
    assert!(stream.receive(&mut answer).await, "the server has gone");
    answer[0]
}

/// Answers all clients.
async fn serve<S: Simulator>(answer: impl Fn([u8; 2]) -> u8 + Clone + Send + 'static) {
    let listener = S::listen().await;
    loop {
        let mut stream = S::accept(&listener).await;
        let answer = answer.clone();
        drop(S::spawn(async move {
            let mut question = [0; 2];
            while stream.receive(&mut question).await {
                stream.send(&[answer(question)]).await;
            }
        }));
    }
}
