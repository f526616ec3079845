//! Links that faults slow down: the options that the program has set, and what is set meanwhile.

use std::io;
use std::time::Duration;

use crate::backend::sim::clock::Clock;
use crate::backend::sim::log::Kind;
use crate::backend::sim::network::{LinkOptions, Network, Paths};
use crate::backend::sim::sorted::SortedMap;

type Path = (usize, usize);

#[derive(Default)]
pub(super) struct SlowLinks {
    // What the program has set: of all paths, and of some.
    all: LinkOptions,
    some: SortedMap<Path, LinkOptions>,
    // The latencies of faults, in nanoseconds.
    slow: SortedMap<Path, Vec<u64>>,
}

fn each(paths: Paths) -> Vec<Path> {
    match paths {
        Paths::All => Vec::new(),
        Paths::Both(a, b) => vec![(a, b), (b, a)],
        Paths::One(a, b) => vec![(a, b)],
    }
}

impl SlowLinks {
    /// The program sets options.
    pub(super) fn set(
        &mut self,
        clock: &mut Clock,
        network: &mut Network,
        paths: Paths,
        options: &LinkOptions,
    ) -> io::Result<()> {
        network.set(clock, paths, options)?;
        if paths == Paths::All {
            self.all = options.clone();
            self.some.clear();
        }
        self.some.extend(each(paths).into_iter().map(|path| (path, options.clone())));
        for path in self.slow.keys() {
            self.apply(clock, network, *path);
        }
        Ok(())
    }

    /// A fault begins or ends.
    pub(super) fn count(
        &mut self,
        clock: &mut Clock,
        network: &mut Network,
        paths: Paths,
        latency: u64,
        begins: bool,
    ) {
        for path in each(paths) {
            let latencies = self.slow.get_or_insert_with(path, Vec::new);
            if begins {
                latencies.push(latency);
            } else if let Some(at) = latencies.iter().position(|other| *other == latency) {
                latencies.remove(at);
            }
            self.apply(clock, network, path);
            if self.slow.get(&path).is_some_and(Vec::is_empty) {
                self.slow.remove(&path);
            }
            let kind = if begins { Kind::SlowLinkBegan } else { Kind::SlowLinkEnded };
            clock.record(kind, (path.0 as u64) << 32 | path.1 as u64, latency);
        }
    }

    fn apply(&self, clock: &mut Clock, network: &mut Network, path: Path) {
        let mut options = self.some.get(&path).unwrap_or(&self.all).clone();
        if let Some(slowest) = self.slow.get(&path).and_then(|latencies| latencies.iter().max()) {
            let slowest = Duration::from_nanos(*slowest);
            options = options.latency(slowest).jitter(slowest);
        }
        // They were checked when they were set.
        let _ = network.set(clock, Paths::One(path.0, path.1), &options);
    }
}
