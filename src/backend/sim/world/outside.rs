//! Threads that the simulation does not know, and which will wake one of its tasks.
//!
//! Virtual time does not wait for them: a timeout is over, or everybody is stuck, before they have begun. So where that is about
//! to happen to a task whose waker somebody else holds too, and where there may be such a thread, the simulation listens for
//! a moment of real time. What it hears is an error; it never changes what the simulation does.

use std::collections::BTreeMap;
use std::fs;
use std::panic::Location;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::World;
use crate::thread::lock;

/// How long it listens: a thread has begun by then, on a busy machine, too.
const MOMENT: Duration = Duration::from_millis(25);

/// How often for tasks that were started in one place, for a program has the same tasks again and again.
const OFTEN: u32 = 3;

/// How often anybody is suspected in a process: most tasks that are wait for a channel of their own, and looking costs time.
const SUSPICIONS: u32 = 100_000;

static SUSPECTED: AtomicU32 = AtomicU32::new(0);

static LISTENED: Mutex<BTreeMap<&'static Location<'static>, u32>> = Mutex::new(BTreeMap::new());

impl World {
    /// A poll of this task ends, and its waker was given away so many times: more often than to timers and sockets?
    #[cold]
    pub(crate) fn suspect(&self, task: u64, given: usize) {
        if SUSPECTED.load(Ordering::Relaxed) < SUSPICIONS && given > self.with(|state| state.clock.turn.waits)
        {
            self.suspect.store(task, Ordering::Relaxed);
        }
    }

    /// Whether a thread wakes a task that was started in this place, now that nobody else does.
    #[cold]
    pub(super) fn hears(&self, started: &'static Location<'static>) -> bool {
        let is_woken = || self.with(|state| state.woken_by_a_stranger.is_some());
        if !is_first(started) || !is_there_a_stranger(self.base.elapsed()) {
            return is_woken();
        }
        let begun = Instant::now();
        while !is_woken() {
            if begun.elapsed() > MOMENT {
                return false;
            }
            thread::sleep(Duration::from_millis(1));
        }
        true
    }
}

/// Whether it has not listened often there.
fn is_first(started: &'static Location<'static>) -> bool {
    SUSPECTED.fetch_add(1, Ordering::Relaxed);
    let mut listened = lock(&LISTENED);
    let often = listened.entry(started).or_default();
    *often += 1;
    *often <= OFTEN
}

/// Whether this process has a thread that may be of the program under test: on Linux one with the name of this thread, which it
/// has from the thread that started it unless it got another, or one that is younger than the simulation. Elsewhere nobody says.
pub(super) fn is_there_a_stranger(age: Duration) -> bool {
    strangers(age).unwrap_or(true)
}

fn strangers(age: Duration) -> Option<bool> {
    // proc_pid_stat(5): hundredths of a second, as everywhere; and one that has just begun may be of an earlier one.
    let hundredths = |seconds: f64| (seconds * 100.0) as u64;
    let uptime = fs::read_to_string("/proc/uptime").ok()?;
    let now = hundredths(uptime.split_whitespace().next()?.parse().ok()?);
    let born = now.saturating_sub(hundredths(age.as_secs_f64()) + 2);
    let this = fs::read_link("/proc/thread-self").ok()?;
    let this = this.file_name()?;
    let name = fs::read_to_string("/proc/thread-self/comm").ok()?;
    for task in fs::read_dir("/proc/self/task").ok()? {
        let task = task.ok()?;
        if task.file_name() == this {
            continue;
        }
        // It may end meanwhile.
        let Ok(comm) = fs::read_to_string(task.path().join("comm")) else { continue };
        let Ok(stat) = fs::read_to_string(task.path().join("stat")) else { continue };
        let started =
            stat.rsplit_once(')').and_then(|(_, fields)| fields.split_whitespace().nth(19)?.parse().ok());
        if comm == name || started.is_none_or(|started: u64| started >= born) {
            return Some(true);
        }
    }
    Some(false)
}
