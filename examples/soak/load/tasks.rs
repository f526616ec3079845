//! Tasks: joined, aborted, dropped, in sets and in one another; and panics.

use std::future::pending;
use std::io;

use anyrt::Runtime;
use anyrt::task::JoinSet;
use fastrand::Rng;

use super::{Load, panic_as_planned, panicked_as_planned, unless_cancelled, up_to_ms, wrong};

pub(super) async fn one<R: Runtime>(load: &Load<R>, random: &mut Rng) -> io::Result<()> {
    match random.u64(..6) {
        0 => value(load, random).await,
        1 => panic(load, random).await,
        2 => set(load, random).await,
        3 => set_that_is_cut_short(load, random).await,
        4 => abort(load, random).await,
        _ => family(load, random).await,
    }
}

/// A task that is polled several times before it is ready.
async fn count<R: Runtime>(runtime: R, turns: u64) -> u64 {
    for _ in 0..turns {
        runtime.yield_now().await;
    }
    turns
}

async fn value<R: Runtime>(load: &Load<R>, random: &mut Rng) -> io::Result<()> {
    let turns = random.u64(..8);
    let value = load.spawn(count(load.runtime.clone(), turns)).await?;
    if value == turns { Ok(()) } else { Err(wrong(format!("a task returned {value}, and not {turns}"))) }
}

async fn panic<R: Runtime>(load: &Load<R>, random: &mut Rng) -> io::Result<()> {
    let first = count(load.runtime.clone(), random.u64(..3));
    let task = load.spawn(async {
        first.await;
        panic_as_planned()
    });
    panicked_as_planned::<()>(task.await)
}

async fn set<R: Runtime>(load: &Load<R>, random: &mut Rng) -> io::Result<()> {
    let (mut set, mut expected) = (JoinSet::new(), 0);
    for _ in 0..random.u64(..32) {
        let turns = random.u64(..4);
        expected += turns;
        set.insert(load.spawn(count(load.runtime.clone(), turns)));
    }
    let mut sum = 0;
    while let Some(value) = set.join_next().await {
        sum += value?;
    }
    if sum == expected { Ok(()) } else { Err(wrong(format!("a set sums up to {sum}, and not {expected}"))) }
}

async fn set_that_is_cut_short<R: Runtime>(load: &Load<R>, random: &mut Rng) -> io::Result<()> {
    let mut set = JoinSet::new();
    for number in 0..=random.u64(..16) {
        let runtime = load.runtime.clone();
        set.insert(load.spawn(async move {
            count(runtime, number).await;
            if number % 2 == 1 {
                pending::<()>().await;
            }
        }));
    }
    for _ in 0..random.u64(..3) {
        // The first task ends by itself.
        if let Some(ended) = set.try_join_next() {
            ended?;
        }
        load.runtime.yield_now().await;
    }
    load.counts.aborts.add(set.len() as u64);
    match random.u64(..3) {
        0 => drop(set),
        1 => set.shutdown().await,
        _ => {
            set.abort_all();
            while let Some(ended) = set.join_next().await {
                unless_cancelled(ended)?;
            }
        }
    }
    Ok(())
}

async fn abort<R: Runtime>(load: &Load<R>, random: &mut Rng) -> io::Result<()> {
    // If this future is dropped, the task must not be left.
    let task = load.spawn(pending::<()>()).abort_on_drop();
    if random.u64(..2) == 0 {
        load.pause(up_to_ms(random, 3)).await;
    }
    load.counts.aborts.add(1);
    task.abort();
    match unless_cancelled(task.await)? {
        None => Ok(()),
        Some(()) => Err(wrong("a task that waits for ever has ended")),
    }
}

/// Tasks that spawn tasks.
async fn family<R: Runtime>(load: &Load<R>, random: &mut Rng) -> io::Result<()> {
    let (children, inner) = (random.u64(..5), load.clone());
    let parent = load.spawn(async move {
        let children: Vec<_> = (0..children).map(|n| inner.spawn(count(inner.runtime.clone(), n))).collect();
        let mut sum = 0;
        for child in children {
            sum += child.await?;
        }
        io::Result::Ok(sum)
    });
    let (sum, expected) = (parent.await??, (0..children).sum());
    if sum == expected { Ok(()) } else { Err(wrong(format!("a family is {sum}, and not {expected}"))) }
}
