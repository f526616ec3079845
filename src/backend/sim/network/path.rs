//! A path from one host to another: its delays and faults.

use std::io;
use std::time::Duration;

use crate::backend::sim::clock::NetEvent;
use crate::backend::sim::random::Random;
use crate::runtime::net::options::invalid;

/// Size of the receive buffer of each end, as `SO_RCVBUF`. Writes wait for room beyond it.
pub(crate) const BUFFER: usize = 1 << 16;

/// Bytes of a datagram in each packet of Ethernet, whose MTU is 1500.
const FRAGMENT: usize = 1480;
const UDP_HEADER: usize = 8;

/// Payload of the largest segment of TCP on Ethernet, and on the loopback interface, whose MTU is 65,536.
const SEGMENT: usize = 1460;
const LOOPBACK_SEGMENT: usize = 65_483;

/// Options of a link between two hosts, in one direction.
///
/// Default: a latency of 1 ms, and no loss.
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
/// let slow = LinkOptions::new().latency(Duration::from_millis(80)).loss(0.02);
/// let slow = slow.bandwidth(1_000_000);
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
    /// Creates options with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the minimum time that a packet takes. Default: 1 ms.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = Some(latency);
        self
    }

    /// Sets the maximum additional time, drawn from the seed for each packet. Default: a tenth of the latency.
    pub fn jitter(mut self, jitter: Duration) -> Self {
        self.jitter = Some(jitter);
        self
    }

    /// Sets the probability that a packet is lost: 0 is never, 1 is always.
    ///
    /// TCP retransmits it after 200 ms, and then after twice as long each time, as Linux does; a datagram is gone.
    pub fn loss(mut self, probability: f64) -> Self {
        self.loss = probability;
        self
    }

    /// Sets the probability that a datagram arrives twice.
    pub fn duplication(mut self, probability: f64) -> Self {
        self.duplication = probability;
        self
    }

    /// Sets the probability that a datagram is delayed by up to ten latencies, so that later ones overtake it. TCP
    /// stays in order.
    pub fn reordering(mut self, probability: f64) -> Self {
        self.reordering = probability;
        self
    }

    /// Sets the bandwidth in bytes per second, shared by all sockets. Default: unlimited. Only payload counts.
    pub fn bandwidth(mut self, bytes_per_second: u64) -> Self {
        self.bandwidth = Some(bytes_per_second);
        self
    }

    /// Splits data written to a TCP stream into segments of 1 to `max` bytes, drawn from the seed, which arrive one by
    /// one.
    ///
    /// Default: data of more than 1460 bytes, which fill an Ethernet packet, arrives in pieces of one packet or several,
    /// drawn from the seed, and a write of more may take a part of it only. (On the loopback of a host a packet has
    /// 65,483 bytes.) So a reader that takes one read for one message fails here as it fails on a network.
    pub fn segment(mut self, max: usize) -> Self {
        self.segment = Some(max);
        self
    }

    /// Sets how many bytes of a TCP stream may be in flight or unread. Default: 64 KiB. A writer waits for room beyond
    /// that.
    pub fn buffer(mut self, bytes: usize) -> Self {
        self.buffer = Some(bytes);
        self
    }

    pub(super) fn rules(&self) -> io::Result<Rules> {
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
            packet: SEGMENT,
            segment: *segment,
            buffer: buffer.unwrap_or(BUFFER),
        })
    }
}

/// Caps durations at a year, which leaves room for additions.
fn nanos(duration: Duration) -> u64 {
    const YEAR: u64 = 365 * 86_400 * 1_000_000_000;
    duration.as_nanos().try_into().unwrap_or(YEAR).min(YEAR)
}

/// A probability as an integer, so that it is the same on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Chance(u64);

impl Chance {
    const NEVER: Self = Self(0);
    const ALWAYS: u64 = 1 << 53;

    pub(crate) fn new(option: &str, probability: f64) -> io::Result<Self> {
        if !(0.0..=1.0).contains(&probability) {
            return Err(invalid(
                option,
                &format!("{probability} is not a probability: ask for one from 0 to 1"),
            ));
        }
        Ok(Self((probability * Self::ALWAYS as f64) as u64))
    }

    fn draw(self, random: &mut Random) -> bool {
        self != Self::NEVER && random.below(Self::ALWAYS) < self.0
    }
}

/// Options that were checked.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    latency: u64,
    jitter: u64,
    loss: Chance,
    duplication: Chance,
    reordering: Chance,
    bandwidth: Option<u64>,
    // Payload of the largest packet.
    packet: usize,
    segment: Option<usize>,
    buffer: usize,
}

impl Rules {
    fn are_plain(&self) -> bool {
        self.loss == Chance::NEVER && self.bandwidth.is_none() && self.segment.is_none()
    }
}

/// One direction of a link.
pub(super) struct Path {
    rules: Rules,
    // Cut by the program, and the number of faults that cut it.
    pub(super) cut: bool,
    pub(super) cuts: u32,
    pub(super) hold: bool,
    pub(super) holds: u32,
    // Losses of faults.
    losses: Vec<Chance>,
    // The highest of all losses.
    loss: Chance,
    // A packet that is not too large is neither lost nor split, nor does it wait for those before it.
    plain: bool,
    // The time at which the last byte has left.
    free_at: u64,
    pub(super) held: Vec<NetEvent>,
}

impl Path {
    fn new(rules: Rules) -> Self {
        Self {
            loss: rules.loss,
            plain: rules.are_plain(),
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

    /// The path from a host to itself: 50 µs, without faults.
    pub(super) fn loopback() -> Self {
        const NEVER: Chance = Chance::NEVER;
        Self::new(Rules {
            latency: 50_000,
            jitter: 5_000,
            loss: NEVER,
            duplication: NEVER,
            reordering: NEVER,
            bandwidth: None,
            packet: LOOPBACK_SEGMENT,
            segment: None,
            buffer: BUFFER,
        })
    }

    /// A path for a new host.
    pub(super) fn like(&self) -> Self {
        Self { cut: self.cut, hold: self.hold, ..Self::new(self.rules.clone()) }
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut || self.cuts > 0
    }

    pub(super) fn is_held(&self) -> bool {
        self.hold || self.holds > 0
    }

    /// When a packet of `len` bytes arrives that is sent now; `None` if there is more to it than a latency.
    #[inline]
    pub(super) fn plain_arrival(&self, random: &mut Random, now: u64, len: usize) -> Option<u64> {
        (self.plain && len <= self.rules.packet).then(|| self.late(random, now))
    }

    #[inline]
    fn late(&self, random: &mut Random, at: u64) -> u64 {
        at.saturating_add(self.rules.latency + random.below(self.rules.jitter))
    }

    /// Returns when `len` bytes that are sent now arrive.
    pub(super) fn arrival(&mut self, random: &mut Random, now: u64, len: usize) -> u64 {
        let mut at = now;
        if let Some(bandwidth) = self.rules.bandwidth {
            let takes = (len as u128 * 1_000_000_000).div_ceil(u128::from(bandwidth));
            at = at.max(self.free_at).saturating_add(takes.try_into().unwrap_or(u64::MAX));
            self.free_at = at;
        }
        self.late(random, at)
    }

    /// Returns the extra delay of a datagram that others overtake, if one is drawn.
    pub(super) fn reordering(&self, random: &mut Random) -> Option<u64> {
        let late = self.rules.reordering.draw(random);
        late.then(|| random.below(self.rules.latency.saturating_mul(10)))
    }

    pub(super) fn loses(&self, random: &mut Random) -> bool {
        self.loss.draw(random)
    }

    /// Whether one of the fragments of a datagram is lost, and it with it.
    pub(super) fn loses_datagram(&self, random: &mut Random, len: usize) -> bool {
        let fragments = (len + UDP_HEADER).div_ceil(FRAGMENT).max(1);
        self.loss != Chance::NEVER && (0..fragments).any(|_| self.loss.draw(random))
    }

    pub(super) fn duplicates(&self, random: &mut Random) -> bool {
        self.rules.duplication.draw(random)
    }

    /// Returns the length of the next segment of a write.
    pub(super) fn segment(&self, random: &mut Random, len: usize) -> usize {
        match self.rules.segment {
            Some(max) => len.min(random.below(max as u64) as usize + 1),
            None if len <= self.rules.packet => len,
            None => self.packets(random, len),
        }
    }

    /// Returns as much of a write as the stream takes at once.
    #[inline]
    pub(super) fn taken(&self, random: &mut Random, len: usize) -> usize {
        let all = len <= self.rules.packet || random.below(4) > 0;
        if all { len } else { self.packets(random, len) }
    }

    /// Draws a number of packets, and returns how much of `len` is in them.
    fn packets(&self, random: &mut Random, len: usize) -> usize {
        let all = len.div_ceil(self.rules.packet);
        len.min((random.below(all as u64) as usize + 1) * self.rules.packet)
    }

    pub(super) fn buffer(&self) -> usize {
        self.rules.buffer
    }

    /// Free space at which a waiting writer is woken, unless it needs less.
    pub(super) fn worth_sending(&self) -> usize {
        (self.rules.buffer / 4).max(1)
    }

    /// Sets the options from now on.
    pub(super) fn set(&mut self, rules: Rules) {
        self.rules = rules;
        self.weigh_losses();
    }

    /// A fault that loses packets with this probability begins or ends.
    pub(super) fn count_loss(&mut self, chance: Chance, begins: bool) {
        if begins {
            self.losses.push(chance);
        } else if let Some(at) = self.losses.iter().position(|other| *other == chance) {
            self.losses.remove(at);
        }
        self.weigh_losses();
    }

    fn weigh_losses(&mut self) {
        self.loss = self.losses.iter().copied().fold(self.rules.loss, Chance::max);
        self.plain = self.rules.are_plain() && self.loss == Chance::NEVER;
    }
}

impl Default for Path {
    fn default() -> Self {
        let latency = 1_000_000;
        let loopback = Self::loopback().rules;
        Self::new(Rules { latency, jitter: latency / 10, packet: SEGMENT, ..loopback })
    }
}
