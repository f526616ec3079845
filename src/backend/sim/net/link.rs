//! Links between hosts: how long they take, and what goes wrong on them.

use std::fmt::{self, Write};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use super::Network;
use crate::backend::sim::Sim;
use crate::backend::sim::clock::NetEvent as Event;
use crate::backend::sim::log::Kind;
use crate::backend::sim::random::Random;
use crate::backend::sim::world::{State, World};
use crate::net::options::invalid;

/// What an end takes that is not yet read, as `SO_RCVBUF` of the systems it is. Whoever writes more waits.
pub(super) const BUFFER: usize = 1 << 16;

/// What a link between two hosts is like, in one direction.
///
/// Unless set: a latency of 1 ms, and nothing is ever lost.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use anyrt::Sim;
/// use anyrt::sim::LinkOptions;
///
/// let sim = Sim::new()?;
/// let db = sim.host("db", [10, 0, 0, 2])?;
/// let slow = LinkOptions::new().latency(Duration::from_millis(80)).loss(0.02).bandwidth(1_000_000);
/// sim.link("main", "db")?.set(&slow)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkOptions {
    latency: Option<Duration>,
    jitter: Option<Duration>,
    loss: f64,
    duplication: f64,
    reordering: f64,
    bandwidth: Option<u64>,
    segment: Option<usize>,
    buffer: Option<usize>,
}

impl LinkOptions {
    /// Nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long a packet takes at least; 1 ms unless set.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = Some(latency);
        self
    }

    /// How much longer it may take, as the seed has it; a tenth of the latency unless set.
    pub fn jitter(mut self, jitter: Duration) -> Self {
        self.jitter = Some(jitter);
        self
    }

    /// How probable it is that a packet is lost: 0 is never, and 1 always.
    ///
    /// TCP sends it again, after 200 ms and then after twice as long each time, as Linux does; a datagram is gone.
    pub fn loss(mut self, probability: f64) -> Self {
        self.loss = probability;
        self
    }

    /// How probable it is that a datagram arrives twice.
    pub fn duplication(mut self, probability: f64) -> Self {
        self.duplication = probability;
        self
    }

    /// How probable it is that a datagram takes up to ten latencies longer, and is overtaken by later ones. TCP stays in
    /// order.
    pub fn reordering(mut self, probability: f64) -> Self {
        self.reordering = probability;
        self
    }

    /// How many bytes leave in a second, those of all sockets together; unlimited unless set. Only payload counts.
    pub fn bandwidth(mut self, bytes_per_second: u64) -> Self {
        self.bandwidth = Some(bytes_per_second);
        self
    }

    /// Cuts what is written to a TCP stream into pieces of 1 to `max` bytes, as the seed has it, which arrive one by one.
    pub fn segment(mut self, max: usize) -> Self {
        self.segment = Some(max);
        self
    }

    /// How many bytes of a TCP stream may be on their way or wait to be read; 64 KiB unless set. Whoever writes more waits.
    pub fn buffer(mut self, bytes: usize) -> Self {
        self.buffer = Some(bytes);
        self
    }

    fn rules(&self) -> io::Result<Rules> {
        let Self { latency, jitter, loss, duplication, reordering, bandwidth, segment, buffer } = self;
        if *bandwidth == Some(0) {
            return Err(invalid("bandwidth", "0 bytes a second would never arrive; `partition` cuts a link"));
        }
        if *segment == Some(0) {
            return Err(invalid("segment", "0 bytes would never be all; 1 is the least"));
        }
        if *buffer == Some(0) {
            return Err(invalid("buffer", "0 bytes take nothing; 1 is the least"));
        }
        let latency = latency.map_or(1_000_000, nanos);
        Ok(Rules {
            latency,
            jitter: jitter.map_or(latency / 10, nanos),
            loss: Chance::new("loss", *loss)?,
            duplication: Chance::new("duplication", *duplication)?,
            reordering: Chance::new("reordering", *reordering)?,
            bandwidth: *bandwidth,
            segment: *segment,
            buffer: buffer.unwrap_or(BUFFER),
        })
    }
}

/// A year is as good as for ever, and leaves room to add.
fn nanos(duration: Duration) -> u64 {
    const YEAR: u64 = 365 * 86_400 * 1_000_000_000;
    duration.as_nanos().try_into().unwrap_or(YEAR).min(YEAR)
}

/// A probability, in whole numbers, so that it is the same on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::backend::sim) struct Chance(u64);

impl Chance {
    const NEVER: Self = Self(0);
    const ALWAYS: u64 = 1 << 53;

    pub(in crate::backend::sim) fn new(option: &str, probability: f64) -> io::Result<Self> {
        if !(0.0..=1.0).contains(&probability) {
            return Err(invalid(option, &format!("{probability} is no probability; from 0 to 1")));
        }
        Ok(Self((probability * Self::ALWAYS as f64) as u64))
    }

    fn draw(self, random: &mut Random) -> bool {
        self != Self::NEVER && random.below(Self::ALWAYS) < self.0
    }
}

/// Options that were checked.
#[derive(Clone, Debug)]
struct Rules {
    latency: u64,
    jitter: u64,
    loss: Chance,
    duplication: Chance,
    reordering: Chance,
    bandwidth: Option<u64>,
    segment: Option<usize>,
    buffer: usize,
}

/// One direction of a link.
pub(in crate::backend::sim) struct Path {
    rules: Rules,
    // By hand, and how many faults do it.
    cut: bool,
    cuts: u32,
    hold: bool,
    holds: u32,
    // Of faults.
    losses: Vec<Chance>,
    // The highest of all.
    loss: Chance,
    // When the last byte has left.
    free_at: u64,
    held: Vec<Event>,
}

/// Whether a packet gets through.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    Open,
    Held,
    Cut,
}

impl Path {
    fn new(rules: Rules) -> Self {
        Self {
            loss: rules.loss,
            rules,
            cut: false,
            cuts: 0,
            hold: false,
            holds: 0,
            losses: Vec::new(),
            free_at: 0,
            held: Vec::new(),
        }
    }

    /// From a host to itself: 50 µs, and nothing goes wrong.
    pub(super) fn loopback() -> Self {
        const NEVER: Chance = Chance::NEVER;
        Self::new(Rules {
            latency: 50_000,
            jitter: 5_000,
            loss: NEVER,
            duplication: NEVER,
            reordering: NEVER,
            bandwidth: None,
            segment: None,
            buffer: BUFFER,
        })
    }

    /// One for a new host.
    pub(super) fn like(&self) -> Self {
        Self { cut: self.cut, hold: self.hold, ..Self::new(self.rules.clone()) }
    }

    fn is_cut(&self) -> bool {
        self.cut || self.cuts > 0
    }

    fn is_held(&self) -> bool {
        self.hold || self.holds > 0
    }

    /// When `len` bytes that leave now are there.
    pub(super) fn arrival(&mut self, random: &mut Random, now: u64, len: usize) -> u64 {
        let mut at = now;
        if let Some(bandwidth) = self.rules.bandwidth {
            let takes = (len as u128 * 1_000_000_000).div_ceil(u128::from(bandwidth));
            at = at.max(self.free_at).saturating_add(takes.try_into().unwrap_or(u64::MAX));
            self.free_at = at;
        }
        at.saturating_add(self.rules.latency + random.below(self.rules.jitter))
    }

    /// How much longer a datagram takes that others overtake.
    pub(super) fn reordering(&self, random: &mut Random) -> Option<u64> {
        let late = self.rules.reordering.draw(random);
        late.then(|| random.below(self.rules.latency.saturating_mul(10)))
    }

    pub(super) fn loses(&self, random: &mut Random) -> bool {
        self.loss.draw(random)
    }

    pub(super) fn duplicates(&self, random: &mut Random) -> bool {
        self.rules.duplication.draw(random)
    }

    /// The next piece of what is written.
    pub(super) fn segment(&self, random: &mut Random, len: usize) -> usize {
        match self.rules.segment {
            Some(max) => len.min(random.below(max as u64) as usize + 1),
            None => len,
        }
    }

    pub(super) fn buffer(&self) -> usize {
        self.rules.buffer
    }

    /// So much room there has to be for whoever has waited, or all that is needed.
    pub(super) fn worth_sending(&self) -> usize {
        (self.rules.buffer / 4).max(1)
    }

    fn weigh_losses(&mut self) {
        self.loss = self.losses.iter().copied().fold(self.rules.loss, Chance::max);
    }
}

impl Default for Path {
    fn default() -> Self {
        let latency = 1_000_000;
        let loopback = Self::loopback().rules;
        Self::new(Rules { latency, jitter: latency / 10, ..loopback })
    }
}

/// Which directions between which hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::backend::sim) enum Paths {
    All,
    Both(usize, usize),
    One(usize, usize),
}

impl Paths {
    /// From where to where, of so many hosts.
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

/// Links between hosts of a simulation, or one direction of one, to be changed while it runs.
///
/// Made by [`Sim::links`], [`Sim::link`] and [`Sim::path`]. It does not keep the simulation alive.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use anyrt::net::ConnectOptions;
/// use anyrt::{BlockOn, Net, Sim, Time};
///
/// let sim = Sim::new()?;
/// let db = sim.host("db", [10, 0, 0, 2])?;
/// sim.block_on(async {
///     let _listener = db.tcp_bind("0.0.0.0:5432").await?;
///     let link = sim.link("main", "db")?;
///     link.partition();
///     let options = ConnectOptions::new().timeout(Duration::from_millis(50));
///     sim.tcp_connect_with("db:5432", &options).await.unwrap_err();
///     link.heal();
///     sim.tcp_connect_with("db:5432", &options).await.map(drop)
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Link {
    world: Arc<World>,
    paths: Paths,
}

impl Sim {
    /// Every link between two hosts, those of hosts to come included.
    pub fn links(&self) -> Link {
        Link { world: self.world.clone(), paths: Paths::All }
    }

    /// The link between two hosts, in both directions.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when there is no host of one of the names, with those that there are, or both are one host: its
    /// loopback has no faults.
    pub fn link(&self, a: &str, b: &str) -> io::Result<Link> {
        self.link_of(a, b, Paths::Both)
    }

    /// The link between two hosts, in the direction from the one to the other.
    ///
    /// # Errors
    ///
    /// Those of [`link`](Self::link).
    pub fn path(&self, from: &str, to: &str) -> io::Result<Link> {
        self.link_of(from, to, Paths::One)
    }

    fn link_of(&self, a: &str, b: &str, paths: impl FnOnce(usize, usize) -> Paths) -> io::Result<Link> {
        let (from, to) = self.world.with(|state| {
            let (from, to) = (state.network.host_named(a)?, state.network.host_named(b)?);
            if from == to {
                let why = format!("host {a:?} has no link to itself but its loopback, which has no faults");
                return Err(io::Error::new(ErrorKind::InvalidInput, format!("anyrt: {why}; name two hosts")));
            }
            Ok((from, to))
        })?;
        Ok(Link { world: self.world.clone(), paths: paths(from, to) })
    }
}

impl Link {
    /// Changes what it is like, for what is sent from now on.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when an option makes no sense, naming it; then nothing is changed.
    pub fn set(&self, options: &LinkOptions) -> io::Result<()> {
        let rules = options.rules()?;
        self.world.with(|state| {
            state.each(self.paths, |path| {
                path.rules = rules.clone();
                path.weigh_losses();
            });
            state.wake_writers(self.paths);
        });
        Ok(())
    }

    /// Cuts it: whatever would arrive is lost.
    ///
    /// A TCP connection sends again until the link heals, and fails with `TimedOut` after 924.6 s, as on Linux
    /// (`tcp_retries2`). Who connects asks again, and fails with `TimedOut` after 127 s.
    pub fn partition(&self) {
        self.world.with(|state| state.partition(self.paths, |path| path.cut = true));
    }

    /// Ends what [`partition`](Self::partition) has begun. A fault that was drawn ends at its own time.
    pub fn heal(&self) {
        self.world.with(|state| state.heal(self.paths, |path| path.cut = false));
    }

    /// Holds it: whatever would arrive is kept until it is released, and nobody gives up meanwhile.
    pub fn hold(&self) {
        self.world.with(|state| state.hold(self.paths, |path| path.hold = true));
    }

    /// Ends what [`hold`](Self::hold) has begun: what was kept arrives, in its order.
    pub fn release(&self) {
        self.world.with(|state| state.release(self.paths, |path| path.hold = false));
    }

    /// Breaks off all TCP connections over it, as a middlebox would: both ends see a reset at once.
    pub fn reset(&self) {
        self.world.with(|state| state.reset_connections(self.paths));
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |host| self.world.with(|state| state.network.host_name(host).to_owned());
        let mut debug = f.debug_tuple("Link");
        match self.paths {
            Paths::All => debug.finish_non_exhaustive(),
            Paths::Both(a, b) => debug.field(&name(a)).field(&"<->").field(&name(b)).finish(),
            Paths::One(a, b) => debug.field(&name(a)).field(&"->").field(&name(b)).finish(),
        }
    }
}

impl Network {
    pub(in crate::backend::sim) fn host_named(&self, name: &str) -> io::Result<usize> {
        self.hosts.iter().position(|host| host.name == name).ok_or_else(|| {
            let names: Vec<_> = self.hosts.iter().map(|host| format!("{:?}", host.name)).collect();
            let text = format!("anyrt: no host is named {name:?}; there are {}", names.join(", "));
            io::Error::new(ErrorKind::InvalidInput, text)
        })
    }

    pub(super) fn path(&mut self, from: usize, to: usize) -> &mut Path {
        &mut self.hosts[from].paths[to]
    }

    /// Whether what arrives now gets through.
    pub(super) fn gate(&self, from: usize, to: usize) -> Gate {
        let path = &self.hosts[from].paths[to];
        if path.is_cut() {
            Gate::Cut
        } else if path.is_held() {
            Gate::Held
        } else if self.hosts[to].up {
            Gate::Open
        } else {
            Gate::Cut
        }
    }

    /// Hosts that are down, and links that let nothing through.
    pub(in crate::backend::sim) fn tell_faults(&self, text: &mut String) {
        for host in self.hosts.iter().filter(|host| !host.up) {
            let _ = write!(text, "\n  host {:?} is down", host.name);
        }
        for (from, to) in Paths::All.iter(self.hosts.len()) {
            let (path, names) = (&self.hosts[from].paths[to], (&self.hosts[from].name, &self.hosts[to].name));
            for (so, what) in [(path.is_cut(), "cut"), (path.is_held(), "held")] {
                if so {
                    let _ = write!(text, "\n  the link from {:?} to {:?} is {what}", names.0, names.1);
                }
            }
        }
    }
}

impl State {
    fn each(&mut self, paths: Paths, mut change: impl FnMut(&mut Path)) {
        if paths == Paths::All {
            change(&mut self.network.to_come);
        }
        for (from, to) in paths.iter(self.network.hosts.len()) {
            change(self.network.path(from, to));
        }
    }

    fn record_paths(&mut self, paths: Paths, kind: Kind) {
        for (from, to) in paths.iter(self.network.hosts.len()) {
            self.record_path(from, to, kind, 0);
        }
    }

    /// Something of a path is recorded under the numbers of both hosts.
    fn record_path(&mut self, from: usize, to: usize, kind: Kind, payload: u64) {
        self.clock.record(kind, ((from as u64) << 32) | to as u64, payload);
    }

    fn partition(&mut self, paths: Paths, change: impl FnMut(&mut Path)) {
        self.each(paths, change);
        self.record_paths(paths, Kind::PartitionBegan);
    }

    fn heal(&mut self, paths: Paths, change: impl FnMut(&mut Path)) {
        self.each(paths, change);
        self.record_paths(paths, Kind::PartitionEnded);
    }

    fn hold(&mut self, paths: Paths, change: impl FnMut(&mut Path)) {
        self.each(paths, change);
        self.record_paths(paths, Kind::HoldBegan);
    }

    fn release(&mut self, paths: Paths, change: impl FnMut(&mut Path)) {
        self.each(paths, change);
        self.record_paths(paths, Kind::HoldEnded);
        let mut free = Vec::new();
        self.each(paths, |path| {
            if !path.is_held() {
                free.append(&mut path.held);
            }
        });
        for event in free {
            self.clock.add(self.clock.nanos, event);
        }
    }

    /// A fault that was drawn begins or ends. Those that overlap are counted.
    pub(in crate::backend::sim) fn count_cut(&mut self, paths: Paths, begins: bool) {
        match begins {
            true => self.partition(paths, |path| path.cuts += 1),
            false => self.heal(paths, |path| path.cuts -= 1),
        }
    }

    pub(in crate::backend::sim) fn count_hold(&mut self, paths: Paths, begins: bool) {
        match begins {
            true => self.hold(paths, |path| path.holds += 1),
            false => self.release(paths, |path| path.holds -= 1),
        }
    }

    pub(in crate::backend::sim) fn count_loss(&mut self, paths: Paths, chance: Chance, begins: bool) {
        self.each(paths, |path| {
            if begins {
                path.losses.push(chance);
            } else if let Some(at) = path.losses.iter().position(|other| *other == chance) {
                path.losses.remove(at);
            }
            path.weigh_losses();
        });
        self.record_paths(paths, if begins { Kind::LossBegan } else { Kind::LossEnded });
    }

    /// Keeps what arrives until the path is released.
    pub(super) fn keep(&mut self, from: usize, to: usize, event: Event) {
        self.record_path(from, to, Kind::Held, 0);
        self.network.path(from, to).held.push(event);
    }

    pub(in crate::backend::sim) fn reset_connections(&mut self, paths: Paths) {
        self.record_paths(paths, Kind::LinkReset);
        for (from, to) in paths.iter(self.network.hosts.len()) {
            self.break_off(from, to);
        }
    }

    /// There may be more room than there was.
    fn wake_writers(&mut self, paths: Paths) {
        for (from, to) in paths.iter(self.network.hosts.len()) {
            let woken = self.network.writers(from, to);
            self.clock.woken.extend(woken);
        }
    }
}
