//! The progress line of a search.

use std::convert::Infallible;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Mutex, TryLockError};
use std::time::{Duration, Instant};

use super::plan::Plan;
use super::report::grouped;

/// What a thread says that runs nothing. Nor can it be the index of a run: a range ends before it.
pub(super) const NO_RUN: u64 = u64::MAX;

const TICK: Duration = Duration::from_millis(200);
/// A seed that takes this long may never end; it is then named.
const SLOW: Duration = Duration::from_secs(30);
const BAR: usize = 24;
const COLUMNS: usize = 78;

/// Shows how far `plan` has come of so many, until `over` has no sender any more. `still_running` hears, now and then, of a run and since
/// when it has been running.
pub(super) fn watch(
    runs: u64,
    plan: &Plan,
    running: &[AtomicU64],
    over: &Receiver<Infallible>,
    still_running: &dyn Fn(u64, Instant),
) {
    static LINE: Mutex<()> = Mutex::new(());
    // Tests run beside each other, and a terminal has one last line.
    let line = match LINE.try_lock() {
        Ok(line) => Some(line),
        Err(TryLockError::Poisoned(line)) => Some(line.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    };
    let shows = line.is_some() && io::stderr().is_terminal();
    let started = Instant::now();
    let mut watched = vec![Watched { index: NO_RUN, since: started, told: false }; running.len()];
    let mut drawn = false;
    while let Err(RecvTimeoutError::Timeout) = over.recv_timeout(TICK) {
        for (running, watched) in running.iter().zip(&mut watched) {
            let index = running.load(Ordering::Relaxed);
            if index != watched.index {
                *watched = Watched { index, since: Instant::now(), told: index == NO_RUN };
                continue;
            }
            if index != NO_RUN {
                still_running(index, watched.since);
            }
            if !watched.told && watched.since.elapsed() > SLOW {
                watched.told = true;
                let Some(seed) = plan.seed(index) else { continue };
                let begin = if shows { "\r" } else { "" };
                let text = format!("anyrt: seed {seed} has been running for {SLOW:?}");
                write(&format!("{begin}{text:COLUMNS$}\n"));
            }
        }
        if shows {
            drawn = true;
            let done = plan.begun();
            write(&format!("\r{:COLUMNS$}", bar(done, runs, started.elapsed())));
        }
    }
    if drawn {
        write(&format!("\r{:COLUMNS$}\r", ""));
    }
}

/// What a thread has been running, and since when.
#[derive(Clone, Copy)]
struct Watched {
    index: u64,
    since: Instant,
    told: bool,
}

fn bar(done: u64, all: u64, elapsed: Duration) -> String {
    let full = (done as f64 / all as f64 * BAR as f64) as usize;
    let rate = (done as f64 / elapsed.as_secs_f64()) as u64;
    format!(
        "anyrt: [{:BAR$}] {}/{} runs, {}/s",
        "#".repeat(full.min(BAR)),
        grouped(done),
        grouped(all),
        grouped(rate)
    )
}

/// Past what captures the output of a test, which would show it when all is over.
fn write(text: &str) {
    let mut stderr = io::stderr();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bar_is_as_long_as_what_is_done() {
        let at = |done| bar(done, 40_000, Duration::from_secs(2));
        assert_eq!(at(0), "anyrt: [                        ] 0/40,000 runs, 0/s");
        assert_eq!(at(10_000), "anyrt: [######                  ] 10,000/40,000 runs, 5,000/s");
        assert_eq!(at(40_000), "anyrt: [########################] 40,000/40,000 runs, 20,000/s");
    }
}
