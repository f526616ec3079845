//! Two bugs that faults and orders of tasks do not show: how many of a thousand seeds (or the number that is given) find them, without
//! and with `buggify!` and `Faults::swarm`.
//!
//! ```sh
//! cargo run --release -p examples --features sim --example sim_rare
//! ```

mod journal;
mod lease;

use std::time::Duration;

use anyrt::Sim;
use anyrt::sim::Faults;

/// Returns how many seeds find a bug, and the first of them.
fn found(seeds: u64, what: &str, has_failed: impl Fn(&Sim) -> bool) {
    let fails = |seed: &u64| Sim::builder().seed(*seed).build().is_ok_and(|sim| has_failed(&sim));
    let failed: Vec<_> = (0..seeds).filter(fails).collect();
    let first = failed.first().map(|seed| format!(", the first is {seed}")).unwrap_or_default();
    println!("{what:<58} {:>3} of {seeds}{first}", failed.len());
}

fn main() {
    let seeds = std::env::args().nth(1).and_then(|seeds| seeds.parse().ok()).unwrap_or(1_000);
    found(seeds, "a journal that loses a record, as it is", |sim| journal::loses_a_record(sim, false));
    found(seeds, "with `buggify!` where it begins a segment", |sim| journal::loses_a_record(sim, true));

    let (within, lasting) = (Duration::from_secs(60), Duration::from_secs(20));
    let before = Faults::new().partitions(3).one_way_partitions(3).holds(3).resets(3).crashes(3);
    let before = before.losses(3, 0.5).within(within).lasting(lasting);
    found(seeds, "a lease that two hold, with crashes, partitions, losses, …", |sim| {
        lease::two_hold_it(sim, &before)
    });
    let swarm = Faults::swarm().within(within).lasting(lasting);
    found(seeds, "with `Faults::swarm`, which has clocks that drift", |sim| lease::two_hold_it(sim, &swarm));
}
