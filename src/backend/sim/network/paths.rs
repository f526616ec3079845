//! Changes to the paths between hosts, by the program and by faults.

use std::fmt::Write;
use std::io;

use super::Network;
use super::grid::Grid;
use super::host::Host;
use super::path::{Chance, LinkOptions, Path};
use crate::backend::sim::clock::{Clock, NetEvent};
use crate::backend::sim::log::Kind;
use crate::backend::sim::random::Random;

/// A selection of paths: hosts, and directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paths {
    All,
    Both(usize, usize),
    One(usize, usize),
}

impl Paths {
    /// Returns all selected pairs of sender and receiver, for this number of hosts.
    fn iter(self, hosts: usize) -> impl Iterator<Item = (usize, usize)> {
        let (first, second) = match self {
            Self::All => (0..hosts, 0..hosts),
            Self::Both(a, b) | Self::One(a, b) => (a..a + 1, b..b + 1),
        };
        let back = match self {
            Self::Both(a, b) => Some((b, a)),
            _ => None,
        };
        let pairs = first.flat_map(move |from| second.clone().map(move |to| (from, to)));
        pairs.filter(|(from, to)| from != to).chain(back)
    }
}

/// Whether a packet gets through.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    Open,
    Held,
    Cut,
}

/// Whether a packet that arrives now gets from one of the hosts to another.
#[inline]
pub(super) fn gate(hosts: &[Host], paths: &Grid, from: usize, to: usize) -> Gate {
    let path = paths.get(from, to);
    if path.is_cut() {
        Gate::Cut
    } else if path.is_held() {
        Gate::Held
    } else if hosts[to].up {
        Gate::Open
    } else {
        Gate::Cut
    }
}

impl Network {
    /// Returns a path, and the generator of the network.
    pub(super) fn path(&mut self, from: usize, to: usize) -> (&mut Path, &mut Random) {
        (self.paths.get_mut(from, to), &mut self.random)
    }

    /// Whether a packet that arrives now gets through.
    pub(super) fn gate(&self, from: usize, to: usize) -> Gate {
        gate(&self.hosts, &self.paths, from, to)
    }

    /// Reports hosts that are down, and links that are cut or held.
    pub(crate) fn tell_faults(&self, text: &mut String) {
        for host in self.hosts.iter().filter(|host| !host.up) {
            let _ = write!(text, "\n  host {:?} is down", host.name);
        }
        for (from, to) in Paths::All.iter(self.hosts.len()) {
            let (path, names) = (self.paths.get(from, to), (&self.hosts[from].name, &self.hosts[to].name));
            for (so, what) in [(path.is_cut(), "cut"), (path.is_held(), "held")] {
                if so {
                    let _ = write!(text, "\n  the link from {:?} to {:?} is {what}", names.0, names.1);
                }
            }
        }
    }
}

impl Network {
    fn each(&mut self, paths: Paths, mut change: impl FnMut(&mut Path)) {
        if paths == Paths::All {
            change(&mut self.to_come);
        }
        for (from, to) in paths.iter(self.hosts.len()) {
            change(self.path(from, to).0);
        }
    }

    fn record_paths(&mut self, clock: &mut Clock, paths: Paths, kind: Kind) {
        for (from, to) in paths.iter(self.hosts.len()) {
            record_path(clock, from, to, kind);
        }
    }

    /// Sets the options of the paths.
    pub(crate) fn set(&mut self, clock: &mut Clock, paths: Paths, options: &LinkOptions) -> io::Result<()> {
        let rules = options.rules()?;
        self.each(paths, |path| path.set(rules.clone()));
        // A larger buffer may have made room for writers.
        for (from, to) in paths.iter(self.hosts.len()) {
            self.move_writers(from, to, &mut clock.woken);
        }
        Ok(())
    }

    /// Cuts paths by hand, or heals them.
    pub(crate) fn cut(&mut self, clock: &mut Clock, paths: Paths, cut: bool) {
        self.change_cut(clock, paths, cut, |path| path.cut = cut);
    }

    /// A fault that cuts paths begins or ends. Faults may overlap, so they are counted.
    pub(crate) fn count_cut(&mut self, clock: &mut Clock, paths: Paths, begins: bool) {
        self.change_cut(clock, paths, begins, |path| path.cuts = counted(path.cuts, begins));
    }

    fn change_cut(&mut self, clock: &mut Clock, paths: Paths, begins: bool, change: impl FnMut(&mut Path)) {
        self.each(paths, change);
        self.record_paths(clock, paths, if begins { Kind::PartitionBegan } else { Kind::PartitionEnded });
        if begins {
            let hosts = self.hosts.len();
            self.suspect(clock, |from, to| paths.iter(hosts).any(|path| path == (from, to)));
        }
    }

    /// Holds paths by hand, or releases them.
    pub(crate) fn hold(&mut self, clock: &mut Clock, paths: Paths, hold: bool) {
        self.change_hold(clock, paths, hold, |path| path.hold = hold);
    }

    /// A fault that holds paths begins or ends.
    pub(crate) fn count_hold(&mut self, clock: &mut Clock, paths: Paths, begins: bool) {
        self.change_hold(clock, paths, begins, |path| path.holds = counted(path.holds, begins));
    }

    fn change_hold(&mut self, clock: &mut Clock, paths: Paths, begins: bool, change: impl FnMut(&mut Path)) {
        self.each(paths, change);
        if begins {
            return self.record_paths(clock, paths, Kind::HoldBegan);
        }
        self.record_paths(clock, paths, Kind::HoldEnded);
        let mut free = Vec::new();
        self.each(paths, |path| {
            if !path.is_held() {
                free.append(&mut path.held);
            }
        });
        for event in free {
            clock.add(clock.nanos, event);
        }
    }

    /// A fault that loses packets begins or ends.
    pub(crate) fn count_loss(&mut self, clock: &mut Clock, paths: Paths, chance: Chance, begins: bool) {
        self.each(paths, |path| path.count_loss(chance, begins));
        self.record_paths(clock, paths, if begins { Kind::LossBegan } else { Kind::LossEnded });
    }

    /// Queues a packet that arrived on a held path until the path is released.
    pub(super) fn keep(&mut self, clock: &mut Clock, from: usize, to: usize, event: NetEvent) {
        record_path(clock, from, to, Kind::Held);
        self.path(from, to).0.held.push(event);
    }

    /// Resets all connections over these paths.
    pub(crate) fn reset_connections(&mut self, clock: &mut Clock, paths: Paths) {
        self.record_paths(clock, paths, Kind::LinkReset);
        for (from, to) in paths.iter(self.hosts.len()) {
            self.break_off(clock, from, to);
        }
    }
}

/// Records an event of a path under the numbers of both hosts.
fn record_path(clock: &mut Clock, from: usize, to: usize, kind: Kind) {
    clock.record(kind, ((from as u64) << 32) | to as u64, 0);
}

/// Returns the number of active faults after one has begun or ended.
pub(super) fn counted(faults: u32, begins: bool) -> u32 {
    if begins { faults + 1 } else { faults - 1 }
}
