use std::io;
use std::time::Duration;

use super::Faults;
use super::fault::{Fault, What};
use super::slow_links::SlowLinks;
use super::victims::Victims;
use crate::backend::sim::clock::{Clock, Event};
use crate::backend::sim::network::{Chance, LinkOptions, Network, Paths};
use crate::backend::sim::random::Random;
use crate::backend::sim::tasks::Tasks;
use crate::runtime::net::options::invalid;

/// What becomes of a host once the lock is free: its tasks have destructors.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend::sim) enum Power {
    Off(usize),
    On(usize),
}

/// All faults that were drawn, and which of them are to happen: all unless set.
pub(in crate::backend::sim) struct Drawn {
    random: Random,
    faults: Vec<Fault>,
    only: Option<Vec<usize>>,
    slow_links: SlowLinks,
}

/// How many, and how bad.
struct Count<T> {
    count: usize,
    lasting: u64,
    worst: T,
}

impl Drawn {
    pub(in crate::backend::sim) fn new(random: Random, only: Option<&[usize]>) -> Self {
        let only = only.map(<[_]>::to_vec);
        Self { random, faults: Vec::new(), only, slow_links: SlowLinks::default() }
    }

    /// Further faults are drawn from this generator. Those that are drawn stay as they are.
    pub(in crate::backend::sim) fn reseed(&mut self, random: Random) {
        self.random = random;
    }

    /// Each in words.
    pub(in crate::backend::sim) fn in_words(&self) -> Vec<String> {
        self.faults.iter().map(ToString::to_string).collect()
    }

    /// The program sets options of links.
    pub(in crate::backend::sim) fn set_links(
        &mut self,
        clock: &mut Clock,
        network: &mut Network,
        paths: Paths,
        options: &LinkOptions,
    ) -> io::Result<()> {
        self.slow_links.set(clock, network, paths, options)
    }

    /// Draws faults, which happen from now on. Only hosts crash that have a program to run again.
    pub(in crate::backend::sim) fn inject(
        &mut self,
        clock: &mut Clock,
        network: &Network,
        faults: &Faults,
        boots: &[usize],
    ) -> io::Result<Vec<Fault>> {
        let victims = Victims::new(network, &faults.victims)?;
        let booted = victims.of(boots);
        let hosts = network.hosts().count();
        Chance::new("losses", faults.probability)?;
        if !(0.0..=0.9).contains(&faults.rate) {
            let why =
                format!("{} is no rate at which a clock drifts: ask for one from 0 to 0.9", faults.rate);
            return Err(invalid("clock_drifts", &why));
        }
        if !faults.swarm {
            faults.check(hosts, &booted, boots)?;
        }
        let first = self.faults.len();
        let mut drawing = Drawing { drawn: self, clock, network, faults };
        if hosts > 1 {
            drawing.links(&victims)?;
        }
        if !booted.is_empty() {
            let crashes = drawing.count(faults.crashes, ());
            for _ in 0..crashes.count {
                let host = booted.host(&mut drawing.drawn.random);
                drawing.draw(What::Crash(host), [host, host], crashes.lasting);
            }
        }
        if hosts > 1 {
            drawing.slow_links(&victims);
        }
        drawing.hosts(&victims);
        Ok(self.faults[first..].to_vec())
    }

    /// A fault begins, or ends.
    pub(in crate::backend::sim) fn happen(
        &mut self,
        clock: &mut Clock,
        network: &mut Network,
        tasks: &mut Tasks,
        index: usize,
        begins: bool,
    ) -> Option<Power> {
        match self.faults[index].what {
            What::Partition(paths) | What::OneWay(paths) => network.count_cut(clock, paths, begins),
            What::Hold(paths) => network.count_hold(clock, paths, begins),
            What::Reset(paths) => network.reset_connections(clock, paths),
            What::Loss(paths, chance, _) => network.count_loss(clock, paths, chance, begins),
            What::SlowLink(paths, latency) => self.slow_links.count(clock, network, paths, latency, begins),
            What::SlowHost(host, delay) => tasks.count_delay(clock, host, delay, begins),
            What::Drift(host, ppm) => clock.count_drift(host, ppm, begins),
            What::Jump(host, nanos) => clock.count_jump(host, nanos, begins),
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

impl Faults {
    /// Whether each kind has somebody to hit.
    fn check(&self, hosts: usize, booted: &Victims, boots: &[usize]) -> io::Result<()> {
        let links = self.partitions + self.one_way_partitions + self.holds + self.resets + self.losses;
        if links + self.slow_links.0 + self.one_way_slow_links.0 > 0 && hosts < 2 {
            return Err(invalid(
                "faults",
                "there is one host, and no link to go wrong; add some with `Sim::host`",
            ));
        }
        if self.crashes > 0 && booted.is_empty() {
            let why = match boots {
                [] => "no host has a program to run again after it; set one with `sim::Host::boot`",
                _ => {
                    "none of the victims has a program to run again after it; set one with `sim::Host::boot`"
                }
            };
            return Err(invalid("crashes", why));
        }
        Ok(())
    }
}

/// Faults that are being drawn.
struct Drawing<'a> {
    drawn: &'a mut Drawn,
    clock: &'a mut Clock,
    network: &'a Network,
    faults: &'a Faults,
}

impl Drawing<'_> {
    /// Those of which the network knows.
    fn links(&mut self, victims: &Victims) -> io::Result<()> {
        let Faults { partitions, one_way_partitions, holds, resets, losses, probability, .. } = *self.faults;
        let counts =
            [partitions, one_way_partitions, holds, resets, losses].map(|count| self.count(count, ()));
        let probability = match self.faults.swarm {
            true => probability * (1 + self.drawn.random.below(100)) as f64 / 100.0,
            false => probability,
        };
        let chance = Chance::new("losses", probability)?;
        let percent = (probability * 100.0).round() as u8;
        let kinds: [&dyn Fn(Paths) -> What; 5] =
            [&What::Partition, &What::OneWay, &What::Hold, &What::Reset, &|paths| {
                What::Loss(paths, chance, percent)
            }];
        for (kind, (Count { count, lasting, .. }, what)) in counts.into_iter().zip(kinds).enumerate() {
            for _ in 0..count {
                let [a, b] = victims.pair(&mut self.drawn.random);
                let paths = if kind == 1 { Paths::One(a, b) } else { Paths::Both(a, b) };
                self.draw(what(paths), [a, b], lasting);
            }
        }
        Ok(())
    }

    fn slow_links(&mut self, victims: &Victims) {
        for (is_one_way, (count, latency)) in
            [(false, self.faults.slow_links), (true, self.faults.one_way_slow_links)]
        {
            let of = self.count(count, nanos(latency));
            for _ in 0..of.count {
                let latency = self.extent(of.worst);
                let [a, b] = victims.pair(&mut self.drawn.random);
                let paths = if is_one_way { Paths::One(a, b) } else { Paths::Both(a, b) };
                self.draw(What::SlowLink(paths, latency), [a, b], of.lasting);
            }
        }
    }

    /// Those of hosts, except crashes.
    fn hosts(&mut self, victims: &Victims) {
        let Faults { slow_hosts, clock_drifts, rate, clock_jumps, .. } = *self.faults;
        let signed = |random: &mut Random, worst: u64| {
            let worst = i64::try_from(worst).unwrap_or(i64::MAX);
            if random.below(2) == 0 { worst } else { -worst }
        };
        let slow = self.count(slow_hosts.0, nanos(slow_hosts.1));
        for _ in 0..slow.count {
            let (delay, host) = (self.extent(slow.worst), victims.host(&mut self.drawn.random));
            self.draw(What::SlowHost(host, delay), [host, host], slow.lasting);
        }
        let drifts = self.count(clock_drifts, (rate * 1e6).round() as u64);
        for _ in 0..drifts.count {
            let (worst, host) = (self.extent(drifts.worst), victims.host(&mut self.drawn.random));
            let ppm = signed(&mut self.drawn.random, worst);
            self.draw(What::Drift(host, ppm), [host, host], drifts.lasting);
        }
        let jumps = self.count(clock_jumps.0, nanos(clock_jumps.1));
        for _ in 0..jumps.count {
            let (worst, host) = (self.extent(jumps.worst), victims.host(&mut self.drawn.random));
            let by = signed(&mut self.drawn.random, worst);
            self.draw(What::Jump(host, by), [host, host], jumps.lasting);
        }
    }

    /// How many there are of a kind. In a swarm: whether there are any, how many, and for how long.
    fn count<T>(&mut self, count: usize, worst: T) -> Count<T> {
        let lasting = nanos(self.faults.lasting);
        if !self.faults.swarm || count == 0 {
            return Count { count, lasting, worst };
        }
        let is_on = self.drawn.random.below(2) == 0;
        let (many, lasting) = (1 + self.drawn.random.below(count as u64) as usize, self.extent(lasting));
        Count { count: if is_on { many } else { 0 }, lasting, worst }
    }

    /// How bad it is: in a swarm, small values are as likely as large ones.
    fn extent(&mut self, worst: u64) -> u64 {
        if !self.faults.swarm {
            return worst;
        }
        let most = worst >> self.drawn.random.below(8);
        most - self.drawn.random.below(most / 2 + 1)
    }

    /// Draws when it happens. One that is left out is drawn as well, so that the others stay what they are.
    fn draw(&mut self, what: What, hosts: [usize; 2], lasting: u64) {
        let Self { drawn: Drawn { random, faults, only, .. }, clock, network, .. } = self;
        let start = clock.nanos.saturating_add(random.below(nanos(self.faults.within)));
        let lasts = random.below(lasting);
        let end = if matches!(what, What::Reset(_)) { start } else { start.saturating_add(lasts) };
        let index = faults.len();
        let names = hosts.map(|host| network.host_name(host).to_owned());
        let (from, to) = (Duration::from_nanos(start), Duration::from_nanos(end));
        faults.push(Fault { index, what, names, start: from, end: to });
        if only.as_ref().is_some_and(|only| !only.contains(&index)) {
            return;
        }
        clock.add(start, Event::Fault { index, begins: true });
        if !matches!(what, What::Reset(_)) {
            clock.add(end, Event::Fault { index, begins: false });
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
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
