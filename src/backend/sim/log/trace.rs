//! What happened, in one number; and, when asked for, in a log.

use std::path::PathBuf;

use super::event::{Event, Flight};
use super::hash::mix;
use super::kind::Kind;
use super::recorder::Recorder;

/// A running hash over everything that happens. As the values of the generator, it is part of what a seed means.
#[derive(Debug)]
pub(crate) struct Trace {
    hash: u64,
    // How many operations of histories have begun.
    operations: u64,
    log: Option<Box<Recorder>>,
}

impl Trace {
    /// One with a log, if it is to be kept or written to a file.
    pub(crate) fn new(seed: u64, logged: bool, file: Option<PathBuf>) -> Self {
        let log = (logged || file.is_some()).then(|| Box::new(Recorder::new(file)));
        Self { hash: mix(0, seed), operations: 0, log }
    }

    pub(crate) fn record(&mut self, nanos: u64, kind: Kind, number: u64, payload: u64) {
        for word in [nanos, kind as u64, number, payload] {
            self.hash = mix(self.hash, word);
        }
        if let Some(log) = &mut self.log {
            log.add(nanos, kind, number, payload);
        }
    }

    /// The number of an operation that begins.
    pub(crate) fn operation(&mut self) -> u64 {
        self.operations += 1;
        self.operations
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
