//! Faults that are drawn from the seed.

mod drawn;
mod fault;
mod slow_links;
mod victims;

use std::time::Duration;

pub(super) use drawn::{Drawn, Power};
pub use fault::Fault;

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
    slow_links: (usize, Duration),
    one_way_slow_links: (usize, Duration),
    slow_hosts: (usize, Duration),
    clock_drifts: usize,
    rate: f64,
    clock_jumps: (usize, Duration),
    within: Duration,
    lasting: Duration,
    victims: Vec<(String, u32)>,
    swarm: bool,
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
            slow_links: (0, Duration::ZERO),
            one_way_slow_links: (0, Duration::ZERO),
            slow_hosts: (0, Duration::ZERO),
            clock_drifts: 0,
            rate: 0.0,
            clock_jumps: (0, Duration::ZERO),
            within: Duration::from_secs(10),
            lasting: Duration::from_secs(1),
            victims: Vec::new(),
            swarm: false,
        }
    }
}

impl Faults {
    /// Creates a description without a fault; add kinds of faults to it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a description of all kinds of faults, of which each seed has others: it switches each kind on or off, and draws for
    /// each that is on how many there are, how long they last, and how bad they are.
    ///
    /// Rare combinations happen this way. With fixed counts every run has a little of everything, and of two faults that hide each
    /// other's effects both are always there. After Groce and others, "Swarm Testing" (2012).
    ///
    /// What the methods set is the most of it here, and 0 leaves a kind out. Three of each kind at most; losses of 50 %, clocks that
    /// drift by 10 % and jump by an hour, slow links of 500 ms, slow hosts of 10 ms a poll; within 10 s, and lasting for 5 s. Half of
    /// the kinds are on, on average. How long and how bad are drawn such that small values are as likely as large ones. A kind that the
    /// simulation has no place for is left out: crashes need a host with a [`boot`](crate::sim::Host::boot) program, and links two
    /// hosts.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use anyrt::Sim;
    /// use anyrt::sim::{Faults, explore};
    ///
    /// explore(0..100, |sim: &Sim| {
    ///     let db = sim.host("db", [10, 0, 0, 2]).unwrap();
    ///     db.boot(|_| async { /* a server */ });
    ///     // Everything but jumps of the clock, with up to five crashes, and nine of ten at the database.
    ///     let faults = Faults::swarm().crashes(5).clock_jumps(0, Duration::ZERO);
    ///     sim.inject(&faults.victims([("db", 9), ("main", 1)])).unwrap();
    ///     // …
    /// });
    /// ```
    pub fn swarm() -> Self {
        Self {
            partitions: 3,
            one_way_partitions: 3,
            holds: 3,
            resets: 3,
            crashes: 3,
            losses: 3,
            probability: 0.5,
            slow_links: (3, Duration::from_millis(500)),
            one_way_slow_links: (3, Duration::from_millis(500)),
            slow_hosts: (3, Duration::from_millis(10)),
            clock_drifts: 3,
            rate: 0.1,
            clock_jumps: (3, Duration::from_secs(3600)),
            within: Duration::from_secs(10),
            lasting: Duration::from_secs(5),
            victims: Vec::new(),
            swarm: true,
        }
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

    /// Adds `count` slow links: a packet between two hosts takes `latency` and up to as much again, whatever the options of the link
    /// say. Of several at a time, the slowest counts.
    pub fn slow_links(mut self, count: usize, latency: Duration) -> Self {
        self.slow_links = (count, latency);
        self
    }

    /// Adds `count` one-way slow links: as [`slow_links`](Self::slow_links), from one host to another, while the opposite
    /// direction is what it was.
    pub fn one_way_slow_links(mut self, count: usize, latency: Duration) -> Self {
        self.one_way_slow_links = (count, latency);
        self
    }

    /// Adds `count` slow hosts: each poll of a task of the host, and each blocking closure, takes `delay` of virtual time.
    ///
    /// The host has one processor then: its tasks are polled one after the other, in the order in which they are woken. A timer that
    /// fires and a packet that arrives wait for their turn as well. The future of a `block_on` does not, and neither does the network.
    pub fn slow_hosts(mut self, count: usize, delay: Duration) -> Self {
        self.slow_hosts = (count, delay);
        self
    }

    /// Adds `count` clocks that drift: all clocks of a host, of its timers as well as its time of day, go faster or slower by this
    /// rate, such as 0.01 for 1 %. The seed decides which of the two. Drifts of one host add up, to a tenth of the speed at least.
    ///
    /// The [`now`](crate::Time::now) of the host, its sleeps, timeouts and intervals follow its clock. Afterwards it goes as before,
    /// from what it shows then: monotonic time never goes back. The network follows the clock of the simulation, and so do its timeouts,
    /// such as that of a connection; as do `Sim::elapsed` and the log.
    pub fn clock_drifts(mut self, count: usize, rate: f64) -> Self {
        self.clock_drifts = count;
        self.rate = rate;
        self
    }

    /// Adds `count` jumps of the clock: the time of day of a host is ahead or behind by this, and is right again at the end. Timers are
    /// not affected, as on a real system.
    pub fn clock_jumps(mut self, count: usize, by: Duration) -> Self {
        self.clock_jumps = (count, by);
        self
    }

    /// Names the hosts that faults affect, each as often as its weight says. Default, and without a name: every host alike.
    ///
    /// A fault of a link has one of them at one end, and any other host at the other. A crash needs one of them with a
    /// [`boot`](crate::sim::Host::boot) program.
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt::Sim;
    /// use anyrt::sim::Faults;
    ///
    /// let sim = Sim::builder().seed(7).build()?;
    /// for (name, ip) in [("db", [10, 0, 0, 2]), ("cache", [10, 0, 0, 3])] {
    ///     sim.host(name, ip)?.boot(|_| async { /* a server */ });
    /// }
    /// let faults = Faults::new().crashes(8).victims([("db", 3), ("cache", 1)]);
    /// let drawn = sim.inject(&faults)?;
    /// assert!(drawn.iter().filter(|fault| fault.to_string().contains("\"db\"")).count() > 4);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn victims<N: Into<String>>(mut self, weights: impl IntoIterator<Item = (N, u32)>) -> Self {
        self.victims = weights.into_iter().map(|(name, weight)| (name.into(), weight)).collect();
        self
    }

    /// Sets the time span, from now, in which the faults begin. Default: 10 s.
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// Sets the maximum duration of each fault. Default: 1 s; 5 s in a [`swarm`](Self::swarm).
    pub fn lasting(mut self, at_most: Duration) -> Self {
        self.lasting = at_most;
        self
    }
}
