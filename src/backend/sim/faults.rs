//! Faults that are drawn from the seed.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::time::Duration;

use super::clock::{Clock, Event};
use super::network::{Chance, Network, Paths};
use super::random::Random;
use crate::runtime::net::options::invalid;

/// Faults to inject: which kinds, how often and for how long. The seed decides when and where.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use anyrt::Sim;
/// use anyrt::sim::Faults;
///
/// let sim = Sim::builder().seed(7).build()?;
/// let db = sim.host("db", [10, 0, 0, 2])?;
/// db.boot(|_| async { /* a server */ });
/// let faults = Faults::new().partitions(3).crashes(1).within(Duration::from_secs(60));
/// for fault in sim.inject(&faults)? {
///     println!("{fault}"); // partition between "main" and "db" from 12.3s to 13.1s
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Faults {
    partitions: usize,
    one_way_partitions: usize,
    holds: usize,
    resets: usize,
    crashes: usize,
    losses: usize,
    probability: f64,
    within: Duration,
    lasting: Duration,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            partitions: 0,
            one_way_partitions: 0,
            holds: 0,
            resets: 0,
            crashes: 0,
            losses: 0,
            probability: 0.0,
            within: Duration::from_secs(10),
            lasting: Duration::from_secs(1),
        }
    }
}

impl Faults {
    /// Creates a description without a fault; add kinds of faults to it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `count` partitions: two hosts are cut off from each other.
    pub fn partitions(mut self, count: usize) -> Self {
        self.partitions = count;
        self
    }

    /// Adds `count` one-way partitions: nothing arrives from one host at another, while the opposite direction works.
    pub fn one_way_partitions(mut self, count: usize) -> Self {
        self.one_way_partitions = count;
        self
    }

    /// Adds `count` holds: packets between two hosts are delayed for a while.
    pub fn holds(mut self, count: usize) -> Self {
        self.holds = count;
        self
    }

    /// Adds `count` resets of all TCP connections between two hosts.
    pub fn resets(mut self, count: usize) -> Self {
        self.resets = count;
        self
    }

    /// Adds `count` crashes: a host with a [`boot`](crate::sim::Host::boot) program crashes, and is restarted later.
    pub fn crashes(mut self, count: usize) -> Self {
        self.crashes = count;
        self
    }

    /// Adds `count` periods of packet loss between two hosts; each packet is lost with this probability.
    pub fn losses(mut self, count: usize, probability: f64) -> Self {
        self.losses = count;
        self.probability = probability;
        self
    }

    /// Sets the time span, from now, in which the faults begin. Default: 10 s.
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// Sets the maximum duration of each fault. Default: 1 s.
    pub fn lasting(mut self, at_most: Duration) -> Self {
        self.lasting = at_most;
        self
    }
}

/// Fault drawn by [`Sim::inject`](crate::Sim::inject). Its `Display` says what happens, where and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    index: usize,
    what: What,
    names: [String; 2],
    start: Duration,
    end: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Partition(Paths),
    OneWay(Paths),
    Hold(Paths),
    Reset(Paths),
    Crash(usize),
    Loss(Paths, Chance, u8),
}

impl Fault {
    /// Returns the index of the fault among all that the simulation has drawn.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Returns when the fault begins, on the clock of [`Sim::elapsed`](crate::Sim::elapsed).
    pub fn start(&self) -> Duration {
        self.start
    }

    /// Returns when the fault ends.
    pub fn end(&self) -> Duration {
        self.end
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, names: [a, b], start, end, .. } = self;
        match what {
            What::Partition(_) => write!(f, "partition between {a:?} and {b:?}")?,
            What::OneWay(_) => write!(f, "one-way partition from {a:?} to {b:?}")?,
            What::Hold(_) => write!(f, "hold between {a:?} and {b:?}")?,
            What::Reset(_) => return write!(f, "reset between {a:?} and {b:?} at {start:?}"),
            What::Crash(_) => write!(f, "crash of {a:?}")?,
            What::Loss(_, _, percent) => write!(f, "loss of {percent} % between {a:?} and {b:?}")?,
        }
        write!(f, " from {start:?} to {end:?}")
    }
}

fn nanos(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
}

/// What becomes of a host once the lock is free: its tasks have destructors.
#[derive(Clone, Copy, Debug)]
pub(super) enum Power {
    Off(usize),
    On(usize),
}

/// All faults that were drawn, and which of them are to happen: all unless set.
pub(super) struct Drawn {
    random: Random,
    faults: Vec<Fault>,
    only: Option<BTreeSet<usize>>,
}

impl Drawn {
    pub(super) fn new(random: Random, only: Option<&[usize]>) -> Self {
        Self { random, faults: Vec::new(), only: only.map(|only| only.iter().copied().collect()) }
    }

    /// Each in words.
    pub(super) fn in_words(&self) -> Vec<String> {
        self.faults.iter().map(ToString::to_string).collect()
    }

    /// Draws faults, which happen from now on. Only hosts crash that have a program to run again.
    pub(super) fn inject(
        &mut self,
        clock: &mut Clock,
        network: &Network,
        faults: &Faults,
        boots: &[usize],
    ) -> io::Result<Vec<Fault>> {
        let Faults {
            partitions,
            one_way_partitions,
            holds,
            resets,
            crashes,
            losses,
            probability,
            within,
            lasting,
        } = faults;
        let chance = Chance::new("losses", *probability)?;
        let percent = (probability * 100.0).round() as u8;
        let hosts = network.hosts().count();
        let links = partitions + one_way_partitions + holds + resets + losses;
        if links > 0 && hosts < 2 {
            return Err(invalid(
                "faults",
                "there is one host, and no link to go wrong; add some with `Sim::host`",
            ));
        }
        if *crashes > 0 && boots.is_empty() {
            let why = "no host has a program to run again after it; set one with `sim::Host::boot`";
            return Err(invalid("crashes", why));
        }
        let kinds: [(usize, &dyn Fn(Paths) -> What); 5] = [
            (*partitions, &What::Partition),
            (*one_way_partitions, &What::OneWay),
            (*holds, &What::Hold),
            (*resets, &What::Reset),
            (*losses, &|paths| What::Loss(paths, chance, percent)),
        ];
        let first = self.faults.len();
        for (kind, (count, what)) in kinds.into_iter().enumerate() {
            for _ in 0..count {
                let a = self.random.below(hosts as u64) as usize;
                let b = self.random.below(hosts as u64 - 1) as usize;
                let b = b + usize::from(b >= a);
                let paths = if kind == 1 { Paths::One(a, b) } else { Paths::Both(a, b) };
                self.draw(clock, network, what(paths), [a, b], *within, *lasting);
            }
        }
        for _ in 0..*crashes {
            let host = boots[self.random.below(boots.len() as u64) as usize];
            self.draw(clock, network, What::Crash(host), [host, host], *within, *lasting);
        }
        Ok(self.faults[first..].to_vec())
    }

    /// Draws when it happens. One that is left out is drawn as well, so that the others stay what they are.
    fn draw(
        &mut self,
        clock: &mut Clock,
        network: &Network,
        what: What,
        hosts: [usize; 2],
        within: Duration,
        lasting: Duration,
    ) {
        let (within, lasting) = (nanos(within), nanos(lasting));
        let start = clock.nanos.saturating_add(self.random.below(within));
        let lasts = self.random.below(lasting);
        let end = if matches!(what, What::Reset(_)) { start } else { start.saturating_add(lasts) };
        let index = self.faults.len();
        let names = hosts.map(|host| network.host_name(host).to_owned());
        let (from, to) = (Duration::from_nanos(start), Duration::from_nanos(end));
        self.faults.push(Fault { index, what, names, start: from, end: to });
        if self.only.as_ref().is_some_and(|only| !only.contains(&index)) {
            return;
        }
        clock.add(start, Event::Fault { index, begins: true });
        if !matches!(what, What::Reset(_)) {
            clock.add(end, Event::Fault { index, begins: false });
        }
    }

    /// A fault begins, or ends.
    pub(super) fn happen(
        &self,
        clock: &mut Clock,
        network: &mut Network,
        index: usize,
        begins: bool,
    ) -> Option<Power> {
        match self.faults[index].what {
            What::Partition(paths) | What::OneWay(paths) => network.count_cut(clock, paths, begins),
            What::Hold(paths) => network.count_hold(clock, paths, begins),
            What::Reset(paths) => network.reset_connections(clock, paths),
            What::Loss(paths, chance, _) => network.count_loss(clock, paths, chance, begins),
            What::Crash(host) => {
                return match (begins, network.count_outage(host, begins)) {
                    (true, _) => Some(Power::Off(host)),
                    (false, 0) => Some(Power::On(host)),
                    (false, _) => None,
                };
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BlockOn, Sim, Time};

    /// What happened to the link in each of ten seconds.
    fn cuts(only: Option<Vec<usize>>) -> (Vec<Fault>, Vec<bool>) {
        let mut builder = Sim::builder().seed(5);
        builder.config.only_faults = only;
        let sim = builder.build().unwrap();
        sim.host("b", [10, 0, 0, 2]).unwrap();
        let drawn = sim.inject(&Faults::new().partitions(3).lasting(Duration::from_secs(2))).unwrap();
        let is_cut = || {
            let mut text = String::new();
            sim.world.with(|state| state.network.tell_faults(&mut text));
            !text.is_empty()
        };
        let cuts = sim.block_on(async {
            let mut cuts = Vec::new();
            for _ in 0..1200 {
                sim.sleep(Duration::from_millis(10)).await;
                cuts.push(is_cut());
            }
            cuts
        });
        (drawn, cuts)
    }

    #[test]
    fn fault_that_is_left_out_is_drawn_and_does_not_happen() {
        let (all, cuts_of_all) = cuts(None);
        let happen = |faults: &[Fault]| -> Vec<bool> {
            let at = |n: u64| Duration::from_millis(10 * n);
            (1..=1200).map(|n| faults.iter().any(|it| it.start <= at(n) && at(n) < it.end)).collect()
        };
        assert_eq!(cuts_of_all, happen(&all));
        for index in 0..3 {
            let (drawn, cuts) = cuts(Some(vec![index]));
            assert_eq!(drawn, all);
            assert_eq!(cuts, happen(&all[index..=index]));
            assert!(cuts.contains(&true), "{}", all[index]);
        }
        assert!(!cuts(Some(vec![])).1.contains(&true));
    }
}
