//! A run in a simulation: every replica and every client on a host of its own, with many faults between them.

use std::io;
use std::time::Duration;

use anyrt::sim::{Faults, LinkOptions};
use anyrt::{BlockOn, Net, Sim};

use crate::replica::{Disk, Replica};
use crate::totals::Totals;
use crate::workload::{CLIENTS, Workload};

const REPLICAS: [&str; 3] = ["a", "b", "c"];

/// Runs the simulation, and adds its counts to `totals`.
///
/// # Panics
///
/// If two operations contradict each other.
pub(crate) fn run(sim: &Sim, bug: bool, totals: &Totals) -> io::Result<()> {
    let (latency, jitter) = (Duration::from_micros(200), Duration::from_micros(800));
    let links = LinkOptions::new().latency(latency).jitter(jitter).loss(0.03);
    sim.links().set(&links)?;
    for (n, name) in (1..).zip(REPLICAS) {
        let (totals, disk) = (totals.clone(), Disk::default());
        sim.host(name, [10, 0, 1, n])?.boot(move |sim| {
            totals.boots.add(1);
            let replica = Replica { runtime: sim.clone(), disk: disk.clone(), bug };
            async move {
                let listener = sim.tcp_bind("0.0.0.0:7").await.expect("nobody else listens on this host");
                replica.serve(listener).await.expect("a listener of a simulation does not fail");
            }
        });
    }
    let clients = (1..).take(CLIENTS).map(|n| sim.host(&format!("client {n}"), [10, 0, 2, n]));
    let clients = clients.collect::<io::Result<Vec<_>>>()?;
    let faults = Faults::new()
        .partitions(4)
        .one_way_partitions(2)
        .resets(1)
        .crashes(1)
        .within(Duration::from_millis(60))
        .lasting(Duration::from_millis(100));
    totals.faults.add(sim.inject(&faults)?.len() as u64);

    let workload = Workload::new(REPLICAS.map(|name| format!("{name}:7")).into());
    sim.block_on(workload.run(clients))?;
    totals.add(&workload);
    if let Err(contradiction) = workload.history.check() {
        panic!("{contradiction}");
    }
    Ok(())
}
