//! The check that the clients' observations are those of one store that performs one operation at a time.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::wire::Entry;

/// An operation of a client, with its times.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) client: u64,
    pub(crate) key: &'static str,
    pub(crate) kind: Kind,
    /// The value that was put or read.
    pub(crate) entry: Entry,
    pub(crate) began: Moment,
    pub(crate) ended: Moment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Put,
    Get,
}

/// A moment. Moments are ordered, also if their times are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    number: u64,
    time: Duration,
}

/// Counter of the moments of all clients of a run.
#[derive(Debug, Default)]
pub(crate) struct Moments(AtomicU64);

impl Moments {
    /// Returns a new moment; `time` is the time since the start of the run.
    pub(crate) fn next(&self, time: Duration) -> Moment {
        Moment { number: self.0.fetch_add(1, Ordering::SeqCst), time }
    }
}

/// Checks that the operations are linearizable: each takes effect at one moment between its begin and its end.
///
/// The order of the versions must be such an order: an operation sees nothing older than what was seen or put before it
/// began, and puts something newer; and a `get` returns the value that was put with its version. (Lynch, "Distributed
/// Algorithms", 1996, lemma 13.16.)
///
/// # Errors
///
/// The two operations that contradict each other, in words.
pub(crate) fn check(operations: &[Operation]) -> Result<(), String> {
    for later in operations {
        let of_this_key = operations.iter().filter(|it| it.key == later.key);
        if let Some(earlier) = of_this_key.clone().find(|earlier| !may_follow(earlier, later)) {
            let how = if later.kind == Kind::Put { "not newer" } else { "older" };
            return Err(format!("[{later}] began after the end of [{earlier}], and is {how}"));
        }
        let mut puts = of_this_key.filter(|it| it.kind == Kind::Put);
        let put = puts.find(|put| put.entry.version == later.entry.version && put.began != later.began);
        match (later.kind, put) {
            (Kind::Put, Some(other)) => return Err(format!("[{later}] has the version of [{other}]")),
            (Kind::Get, Some(put)) if put.entry.value != later.entry.value => {
                return Err(format!("[{later}] is not what [{put}] has put"));
            }
            (Kind::Get, None) if later.entry != Entry::default() => {
                return Err(format!("[{later}] is what nobody has put"));
            }
            _ => {}
        }
    }
    Ok(())
}

fn may_follow(earlier: &Operation, later: &Operation) -> bool {
    let at_once = later.began <= earlier.ended;
    match later.kind {
        _ if at_once => true,
        Kind::Put => later.entry.version > earlier.entry.version,
        Kind::Get => later.entry.version >= earlier.entry.version,
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client, key, kind, entry, began, ended } = self;
        let what = match kind {
            Kind::Put => "put",
            Kind::Get => "get",
        };
        let Entry { version, value } = entry;
        write!(f, "{what} of {key:?} by client {client}, {:?} to {:?}: ", began.time, ended.time)?;
        write!(f, "version {version}, {value:?}")
    }
}
