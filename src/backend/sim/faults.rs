//! Faults that are drawn from the seed.

use std::fmt;
use std::io;
use std::time::Duration;

use super::Sim;
use super::clock::Event;
use super::host::Power;
use super::network::{Chance, Paths};
use super::world::State;
use crate::net::options::invalid;

/// What goes wrong, how often and for how long; when and where is in the seed.
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
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// So many times two hosts are cut off from each other.
    pub fn partitions(mut self, count: usize) -> Self {
        self.partitions = count;
        self
    }

    /// So many times nothing arrives from one host at another, while the way back is open.
    pub fn one_way_partitions(mut self, count: usize) -> Self {
        self.one_way_partitions = count;
        self
    }

    /// So many times what two hosts send to each other is held for a while.
    pub fn holds(mut self, count: usize) -> Self {
        self.holds = count;
        self
    }

    /// So many times all TCP connections between two hosts are reset.
    pub fn resets(mut self, count: usize) -> Self {
        self.resets = count;
        self
    }

    /// So many times a host crashes, of those with a [`boot`](Sim::boot) program, and is restarted.
    pub fn crashes(mut self, count: usize) -> Self {
        self.crashes = count;
        self
    }

    /// So many times packets between two hosts are lost for a while, each with this probability.
    pub fn losses(mut self, count: usize, probability: f64) -> Self {
        self.losses = count;
        self.probability = probability;
        self
    }

    /// All of them begin before so much time has passed from now; 10 s unless set.
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// None of them lasts longer; 1 s unless set.
    pub fn lasting(mut self, at_most: Duration) -> Self {
        self.lasting = at_most;
        self
    }
}

/// A fault that was drawn. As text it says what it is, where and when.
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
    /// Which of those that the simulation has drawn it is.
    pub fn index(&self) -> usize {
        self.index
    }

    /// When it begins, on the clock of [`Sim::elapsed`].
    pub fn start(&self) -> Duration {
        self.start
    }

    /// When it is over.
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

impl Sim {
    /// Draws faults from the seed, which happen from now on, and returns them. Each comes to an end, so that the program
    /// can see afterwards that all is well.
    ///
    /// Victims are among the hosts that there are. Faults may overlap.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when there is nobody for one of them to happen to, or a probability is none; then none is drawn.
    pub fn inject(&self, faults: &Faults) -> io::Result<Vec<Fault>> {
        self.world.with(|state| state.inject(faults))
    }
}

fn nanos(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
}

impl State {
    fn inject(&mut self, faults: &Faults) -> io::Result<Vec<Fault>> {
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
        let hosts = self.network.hosts().count();
        let links = partitions + one_way_partitions + holds + resets + losses;
        if links > 0 && hosts < 2 {
            return Err(invalid(
                "faults",
                "there is one host, and no link to go wrong; add some with `Sim::host`",
            ));
        }
        let boots: Vec<_> = (0..hosts).filter(|host| self.boots.contains_key(host)).collect();
        if *crashes > 0 && boots.is_empty() {
            let why = "no host has a program to run again after it; set one with `Sim::boot`";
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
                let a = self.faults_random.below(hosts as u64) as usize;
                let b = self.faults_random.below(hosts as u64 - 1) as usize;
                let b = b + usize::from(b >= a);
                let paths = if kind == 1 { Paths::One(a, b) } else { Paths::Both(a, b) };
                self.draw_fault(what(paths), [a, b], *within, *lasting);
            }
        }
        for _ in 0..*crashes {
            let host = boots[self.faults_random.below(boots.len() as u64) as usize];
            self.draw_fault(What::Crash(host), [host, host], *within, *lasting);
        }
        Ok(self.faults[first..].to_vec())
    }

    /// Draws when it happens. One that is left out is drawn as well, so that the others stay what they are.
    fn draw_fault(&mut self, what: What, hosts: [usize; 2], within: Duration, lasting: Duration) {
        let (within, lasting) = (nanos(within), nanos(lasting));
        let start = self.clock.nanos.saturating_add(self.faults_random.below(within));
        let lasts = self.faults_random.below(lasting);
        let end = if matches!(what, What::Reset(_)) { start } else { start.saturating_add(lasts) };
        let index = self.faults.len();
        let names = hosts.map(|host| self.network.host_name(host).to_owned());
        let (from, to) = (Duration::from_nanos(start), Duration::from_nanos(end));
        self.faults.push(Fault { index, what, names, start: from, end: to });
        if self.only_faults.as_ref().is_some_and(|only| !only.contains(&index)) {
            return;
        }
        self.clock.add(start, Event::Fault { index, begins: true });
        if !matches!(what, What::Reset(_)) {
            self.clock.add(end, Event::Fault { index, begins: false });
        }
    }

    /// A fault begins, or ends.
    pub(super) fn fault(&mut self, index: usize, begins: bool) {
        match self.faults[index].what {
            What::Partition(paths) | What::OneWay(paths) => {
                self.network.count_cut(&mut self.clock, paths, begins)
            }
            What::Hold(paths) => self.network.count_hold(&mut self.clock, paths, begins),
            What::Reset(paths) => self.network.reset_connections(&mut self.clock, paths),
            What::Loss(paths, chance, _) => self.network.count_loss(&mut self.clock, paths, chance, begins),
            What::Crash(host) => match (begins, self.network.count_outage(host, begins)) {
                (true, _) => self.power.push(Power::Off(host)),
                (false, 0) => self.power.push(Power::On(host)),
                (false, _) => {}
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BlockOn, Time};

    /// What happened to the link in each of ten seconds.
    fn cuts(only: Option<Vec<usize>>) -> (Vec<Fault>, Vec<bool>) {
        let mut builder = Sim::builder().seed(5);
        builder.only_faults = only;
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
