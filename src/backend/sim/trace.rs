//! What happened, in one number; and, when asked for, in a list.

use std::fmt;
use std::time::Duration;

use super::Sim;

/// A running hash over everything that happens. As the values of the generator, it is part of what a seed means.
#[derive(Debug)]
pub(super) struct Trace {
    hash: u64,
    log: Option<Vec<Event>>,
}

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event {
    nanos: u64,
    kind: Kind,
    // Of a task, a connection or a socket.
    number: u64,
    // Of the bytes that moved.
    payload: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Spawned,
    Woken,
    Polled,
    Ended,
    TimerFired,
    ConnectionAsked,
    ConnectionOpened,
    ConnectionRefused,
    DataArrived,
    EndArrived,
    ResetArrived,
    DatagramArrived,
    DatagramRefused,
    Cancelled,
    Spurious,
    TimedOut,
    // Of packets, with the path: from which host in the upper half of the number, and to which in the lower.
    Lost,
    Cut,
    Held,
    Duplicated,
    // Of paths.
    PartitionBegan,
    PartitionEnded,
    HoldBegan,
    HoldEnded,
    LossBegan,
    LossEnded,
    LinkReset,
    // Of hosts.
    Crashed,
    Restarted,
}

impl Trace {
    pub(super) fn new(seed: u64, logged: bool) -> Self {
        Self { hash: mix(0, seed), log: logged.then(Vec::new) }
    }

    pub(super) fn record(&mut self, nanos: u64, kind: Kind, number: u64, payload: u64) {
        for word in [nanos, kind as u64, number, payload] {
            self.hash = mix(self.hash, word);
        }
        if let Some(log) = &mut self.log {
            log.push(Event { nanos, kind, number, payload });
        }
    }

    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    pub(super) fn take_log(&mut self) -> Vec<Event> {
        self.log.take().unwrap_or_default()
    }
}

/// One step of a hash: fold the word in, then spread it over all bits.
fn mix(hash: u64, word: u64) -> u64 {
    let mixed = (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 32)
}

/// The hash of bytes, eight at a time.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    bytes.chunks(8).map(word).fold(bytes.len() as u64, mix)
}

/// The hash of bytes that are in two places, which says nothing of where they are cut.
pub(super) fn hash_of_both(first: &[u8], second: &[u8]) -> u64 {
    let (words, rest) = first.split_at(first.len() - first.len() % 8);
    let (middle, second) = second.split_at(second.len().min((8 - rest.len()) % 8));
    let mut between = [0; 8];
    between[..rest.len()].copy_from_slice(rest);
    between[rest.len()..][..middle.len()].copy_from_slice(middle);
    let between = (!rest.is_empty()).then(|| u64::from_le_bytes(between));
    let words = words.chunks(8).map(word).chain(between).chain(second.chunks(8).map(word));
    words.fold((first.len() + (middle.len() + second.len())) as u64, mix)
}

fn word(chunk: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..chunk.len()].copy_from_slice(chunk);
    u64::from_le_bytes(word)
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { nanos, kind, number, payload } = self;
        write!(f, "{kind:?} {number} at {:?}", Duration::from_nanos(*nanos))?;
        if *payload != 0 {
            write!(f, ", payload {payload:016x}")?;
        }
        Ok(())
    }
}

/// Runs `program` twice with one seed, and returns the hash of what happened.
///
/// # Panics
///
/// When the two runs differ, with the first event that does: the program has an order, a time or a random number from
/// outside of the simulation, such as that of a `HashMap`, of `Instant::now` or of another thread.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use anyrt::{BlockOn, Time, sim::check_deterministic};
///
/// check_deterministic(7, |sim| sim.block_on(sim.sleep(Duration::from_secs(3600))));
/// ```
#[track_caller]
pub fn check_deterministic(seed: u64, program: impl Fn(&Sim)) -> u64 {
    let run = || {
        let sim = Sim::builder().logged().with_seed(seed);
        program(&sim);
        sim.world.with(|state| (state.trace.hash(), state.trace.take_log()))
    };
    let ((first_hash, first), (second_hash, second)) = (run(), run());
    let Some(parting) = parting(&first, &second) else {
        assert_eq!(first_hash, second_hash, "the same events have the same hash");
        return first_hash;
    };
    panic!("anyrt: two runs with seed {seed} differ {parting}");
}

/// From where on two logs differ, and what may be the reason.
pub(super) fn parting(first: &[Event], second: &[Event]) -> Option<String> {
    let at = (0..first.len().max(second.len())).find(|at| first.get(*at) != second.get(*at))?;
    let said = |log: &[Event]| log.get(at).map_or("nothing more".to_owned(), Event::to_string);
    Some(format!(
        "from event {at} on: first {}, then {}. Something comes from outside of the simulation: the order of a `HashMap`, \
         the time of the system, another thread.",
        said(first),
        said(second),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_is_the_same_wherever_bytes_are_cut() {
        let bytes: Vec<u8> = (1..=40).collect();
        for end in 0..=bytes.len() {
            for at in 0..=end {
                assert_eq!(hash_of_both(&bytes[..at], &bytes[at..end]), hash(&bytes[..end]), "{at} of {end}");
            }
        }
    }
}
