use std::fmt;
use std::time::Duration;

use crate::backend::sim::clock::{jump_in_words, rate_in_words};
use crate::backend::sim::network::{Chance, Paths};

/// Fault drawn by [`Sim::inject`](crate::Sim::inject). Its `Display` says what happens, where and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub(super) index: usize,
    pub(super) what: What,
    pub(super) names: [String; 2],
    pub(super) start: Duration,
    pub(super) end: Duration,
}

/// What happens, with what of it is drawn, and to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Partition(Paths),
    OneWay(Paths),
    Hold(Paths),
    Reset(Paths),
    Crash(usize),
    Loss(Paths, Chance, u8),
    // In nanoseconds.
    SlowLink(Paths, u64),
    SlowHost(usize, u64),
    // In parts per million.
    Drift(usize, i64),
    // In nanoseconds.
    Jump(usize, i64),
}

impl Fault {
    /// Returns the index of the fault among all that the simulation has drawn.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Returns when the fault begins, on the clock of [`Sim::elapsed`](crate::Sim::elapsed).
    pub fn start(&self) -> Duration {
        self.start
    }

    /// Returns when the fault ends.
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
            What::SlowLink(Paths::One(..), latency) => {
                write!(f, "one-way slow link of {:?} from {a:?} to {b:?}", Duration::from_nanos(*latency))?;
            }
            What::SlowLink(_, latency) => {
                write!(f, "slow link of {:?} between {a:?} and {b:?}", Duration::from_nanos(*latency))?;
            }
            What::SlowHost(_, delay) => {
                write!(f, "slow host {a:?}, {:?} a poll,", Duration::from_nanos(*delay))?;
            }
            What::Drift(_, ppm) => write!(f, "clocks of {a:?} {}", rate_in_words(*ppm))?,
            What::Jump(_, nanos) => write!(f, "time of day of {a:?} {}", jump_in_words(*nanos))?,
        }
        write!(f, " from {start:?} to {end:?}")
    }
}
