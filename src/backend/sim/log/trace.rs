//! What happened, in one number; and, when asked for, in a log.

use std::panic::Location;
use std::path::PathBuf;

use super::coverage::{Coverage, News};
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
    /// One with a log, if it is to be kept or written to a file; or with what may be new.
    pub(crate) fn new(seed: u64, logged: bool, file: Option<PathBuf>, covered: bool) -> Self {
        let logged = logged || file.is_some();
        let log = (logged || covered).then(|| Box::new(Recorder::new(logged, file, covered)));
        Self { hash: mix(0, seed), operations: 0, log }
    }

    #[inline]
    pub(crate) fn record(&mut self, nanos: u64, kind: Kind, number: u64, payload: u64) {
        // Two words say all of it: the time ends long before its upper bits, and a number has no upper half but that of a path,
        // whose payload is 0.
        let hash = mix(self.hash, nanos.rotate_left(8) ^ kind as u64);
        self.hash = mix(hash, number.rotate_left(32) ^ payload);
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

    /// What may be new in this run, if that was noted.
    pub(crate) fn take_news(&mut self) -> News {
        self.coverage().map(Coverage::take).unwrap_or_default()
    }

    pub(crate) fn begin_step(&mut self, step: u64) {
        self.coverage().into_iter().for_each(|coverage| coverage.begin_step(step));
    }

    /// A condition of the program was true.
    pub(crate) fn holds(&mut self, place: &Location<'_>) {
        self.coverage().into_iter().for_each(|coverage| coverage.holds(place));
    }

    fn coverage(&mut self) -> Option<&mut Coverage> {
        self.log.as_mut()?.coverage()
    }

    /// The log, if one is kept: for what is not part of the hash.
    pub(crate) fn log(&mut self) -> Option<&mut Recorder> {
        self.log.as_deref_mut()
    }

    /// Something goes from one host to another, in this task: its number in the log, or 0. A search wants to know what it is and
    /// between which hosts (`route`), and only a log its addresses and its bytes (`shown`).
    pub(crate) fn sent<'a>(
        &mut self,
        nanos: u64,
        (task, socket): (Option<u64>, u64),
        route: impl FnOnce() -> (&'static str, (usize, usize)),
        shown: impl FnOnce() -> ([String; 2], &'a [u8]),
    ) -> u64 {
        let Some(log) = &mut self.log else { return 0 };
        let (what, hosts) = route();
        let message = log.goes(what, hosts);
        if !log.is_kept() {
            return message;
        }
        let (addrs, bytes) = shown();
        log.sent(nanos, (task, socket), Flight::new(what, hosts, addrs, bytes))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_put_in_words_for_a_log_only() {
        for covered in [true, false] {
            let mut trace = Trace::new(1, false, None, covered);
            let message = trace.sent(0, (None, 1), || ("data", (0, 1)), || panic!("nobody reads it"));
            assert_eq!(message, u64::from(covered));
        }
        let mut trace = Trace::new(1, true, None, true);
        trace.sent(0, (None, 1), || ("data", (0, 1)), || (["a", "b"].map(str::to_owned), b"ping"));
        assert_eq!(trace.events().len(), 1);
    }
}
