//! Detection of other threads that are about to wake a task of the simulation.
//!
//! Virtual time does not wait for such threads: a timeout elapses, or the simulation is stuck, before they have begun.
//! So if that is about to happen to a task whose waker is also held elsewhere, and there may be such a thread, the
//! simulation listens for a moment of real time. A wake in that time is an error; listening never changes the run
//! itself.

use std::fs;
use std::panic::Location;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::World;
use crate::backend::sim::sorted::SortedMap;
use crate::thread::lock;

/// How long it listens.
const MOMENT: Duration = Duration::from_millis(25);

/// How long it listens where a thread that this one has started has only begun, and has no processor yet.
const LONG: Duration = Duration::from_millis(500);

/// Maximum number of times for tasks spawned at one place, because programs spawn the same tasks again and again.
const OFTEN: u32 = 3;

/// Maximum number of suspicions in a process: most suspected tasks wait for a channel within the simulation, and
/// checking takes time.
const SUSPICIONS: u32 = 100_000;

static SUSPECTED: AtomicU32 = AtomicU32::new(0);

static LISTENED: Mutex<SortedMap<&'static Location<'static>, u32>> = Mutex::new(SortedMap::new());

impl World {
    /// A poll of this task ends. Returns whether its waker was cloned more often than by timers and sockets.
    #[cold]
    pub(crate) fn suspect(&self, task: u64, given: usize) {
        if SUSPECTED.load(Ordering::Relaxed) < SUSPICIONS && given > self.with(|state| state.clock.turn.waits)
        {
            self.suspect.store(task, Ordering::Relaxed);
        }
    }

    /// Listens, and returns whether another thread wakes a task that was spawned at this place.
    #[cold]
    pub(super) fn hears(&self, started: &'static Location<'static>) -> bool {
        let is_woken = || self.with(|state| state.wrong.is_some());
        if !is_first(started) {
            return is_woken();
        }
        let begun = Instant::now();
        let hears = loop {
            let longest = match stranger(self.base.elapsed()) {
                Some(Stranger::Begins) => LONG,
                Some(Stranger::Goes) => MOMENT,
                None => Duration::ZERO,
            };
            // Checked after the threads: a thread that has ended woke a task before that.
            if is_woken() {
                break true;
            }
            if begun.elapsed() >= longest {
                break false;
            }
            thread::sleep(Duration::from_millis(1));
        };
        self.listened.fetch_add(begun.elapsed().as_nanos() as u64, Ordering::Relaxed);
        hears
    }

    /// Real time of the run, without the time spent listening.
    pub(super) fn has_run(&self) -> Duration {
        self.base.elapsed().saturating_sub(Duration::from_nanos(self.listened.load(Ordering::Relaxed)))
    }
}

/// Whether it has not yet listened too often at this place.
fn is_first(started: &'static Location<'static>) -> bool {
    SUSPECTED.fetch_add(1, Ordering::Relaxed);
    let mut listened = lock(&LISTENED);
    let often = listened.get_or_insert_with(started, || 0);
    *often += 1;
    *often <= OFTEN
}

/// A thread that may be of the program under test.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stranger {
    Goes,
    /// It could run, and has had less than a hundredth of a second of processor time.
    Begins,
}

/// Whether this process has a thread that may be of the program under test.
pub(super) fn is_there_a_stranger(age: Duration) -> bool {
    stranger(age).is_some()
}

/// On Linux: a thread with the same name as this one, which it inherits from the thread that started it, or a thread
/// that is younger than the simulation. Other systems do not tell, so there may always be one.
fn stranger(age: Duration) -> Option<Stranger> {
    strangers(age).unwrap_or(Some(Stranger::Goes))
}

fn strangers(age: Duration) -> Option<Option<Stranger>> {
    // proc_pid_stat(5) counts in hundredths of a second; a thread that has just begun may belong to an earlier
    // simulation.
    let hundredths = |seconds: f64| (seconds * 100.0) as u64;
    let uptime = fs::read_to_string("/proc/uptime").ok()?;
    let now = hundredths(uptime.split_whitespace().next()?.parse().ok()?);
    let born = now.saturating_sub(hundredths(age.as_secs_f64()) + 2);
    let this = fs::read_link("/proc/thread-self").ok()?;
    let this = this.file_name()?;
    let name = fs::read_to_string("/proc/thread-self/comm").ok()?;
    let mut found = None;
    for task in fs::read_dir("/proc/self/task").ok()? {
        let task = task.ok()?;
        if task.file_name() == this {
            continue;
        }
        // The thread may have ended in the meantime.
        let Ok(stat) = fs::read_to_string(task.path().join("stat")) else { continue };
        let Some((comm, fields)) = stat.split_once('(').and_then(|(_, stat)| stat.rsplit_once(')')) else {
            continue;
        };
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let number =
            |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or_default();
        let (state, ran, started) = (fields.first(), number(11) + number(12), number(19));
        let is_ours = comm == name.trim_end();
        if is_ours || started >= born {
            let begins = is_ours && state == Some(&"R") && ran == 0;
            found = found.max(Some(if begins { Stranger::Begins } else { Stranger::Goes }));
        }
    }
    Some(found)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn thread_that_this_one_has_started_is_found() {
        let (release, released) = mpsc::channel::<()>();
        let thread = thread::spawn(move || released.recv());
        assert!(strangers(Duration::ZERO).unwrap().is_some());
        drop(release);
        let _ = thread.join().unwrap();
    }
}
