//! What happened, in one number; and, when asked for, in a log.

use std::path::PathBuf;

use super::event::{Event, Flight};
use super::recorder::Recorder;

/// A running hash over everything that happens. As the values of the generator, it is part of what a seed means.
#[derive(Debug)]
pub(crate) struct Trace {
    hash: u64,
    log: Option<Box<Recorder>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
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
    Lost,
    Cut,
    Duplicated,
    // Of paths: from which host in the upper half of the number, and to which in the lower.
    Held,
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
    Note,
    // For the log alone.
    Sent,
    Waits,
    Panicked,
    Failed,
}

impl Trace {
    /// One with a log, if it is to be kept or written to a file.
    pub(crate) fn new(seed: u64, logged: bool, file: Option<PathBuf>) -> Self {
        let log = (logged || file.is_some()).then(|| Box::new(Recorder::new(file)));
        Self { hash: mix(0, seed), log }
    }

    pub(crate) fn record(&mut self, nanos: u64, kind: Kind, number: u64, payload: u64) {
        for word in [nanos, kind as u64, number, payload] {
            self.hash = mix(self.hash, word);
        }
        if let Some(log) = &mut self.log {
            log.add(nanos, kind, number, payload);
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(super) fn events(&self) -> &[Event] {
        self.log.as_ref().map_or(&[], |log| log.events())
    }

    /// The log, if one is kept: for what is not part of the hash.
    pub(crate) fn log(&mut self) -> Option<&mut Recorder> {
        self.log.as_deref_mut()
    }

    /// Something goes from one host to another, in this task: its number in the log, or 0.
    pub(crate) fn sent(
        &mut self,
        nanos: u64,
        task: Option<u64>,
        socket: u64,
        flight: impl FnOnce() -> Flight,
    ) -> u64 {
        self.log.as_mut().map_or(0, |log| log.sent(nanos, task, socket, flight()))
    }

    /// What was recorded last is that this has arrived.
    #[inline]
    pub(crate) fn arrived(&mut self, message: u64) {
        if let Some(log) = &mut self.log {
            log.arrived(message);
        }
    }

    /// What was recorded last was on the path between these hosts.
    pub(crate) fn on_path(&mut self, path: (usize, usize)) {
        if let Some(log) = &mut self.log {
            log.on_path(path);
        }
    }
}

/// One step of a hash: fold the word in, then spread it over all bits.
fn mix(hash: u64, word: u64) -> u64 {
    let mixed = (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 32)
}

/// The hash of bytes, eight at a time.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let words = bytes.chunks_exact(8);
    let rest = words.remainder();
    let hash = words.map(word).fold(bytes.len() as u64, mix);
    if rest.is_empty() { hash } else { mix(hash, word(rest)) }
}

/// The hash of bytes that are in two places, which says nothing of where they are cut.
#[inline]
pub(crate) fn hash_of_both(first: &[u8], second: &[u8]) -> u64 {
    if second.is_empty() {
        return hash(first);
    }
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
    // A copy whose length is not known is a call.
    if let Ok(word) = chunk.try_into() {
        return u64::from_le_bytes(word);
    }
    let mut word = [0; 8];
    word[..chunk.len()].copy_from_slice(chunk);
    u64::from_le_bytes(word)
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
