//! Resources of this process, to be compared with earlier counts.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Number of existing futures and blocking closures.
#[derive(Clone, Default)]
pub(crate) struct Live(Arc<AtomicUsize>);

impl Live {
    /// Counts one more until the guard is dropped, with the future that holds it.
    pub(crate) fn one(&self) -> impl Send + use<> {
        struct One(Live);

        impl Drop for One {
            fn drop(&mut self) {
                self.0.0.fetch_sub(1, Ordering::SeqCst);
            }
        }

        self.0.fetch_add(1, Ordering::SeqCst);
        One(self.clone())
    }
}

/// A count; counts that only Linux reports are unknown elsewhere.
#[derive(Clone, Copy, Default)]
pub(crate) struct Census {
    pub(crate) tasks: usize,
    pub(crate) threads: Option<usize>,
    pub(crate) descriptors: Option<usize>,
    pub(crate) resident_kib: Option<usize>,
}

/// Time without changes before a count is taken as the start.
const STILL: Duration = Duration::from_millis(500);
/// Time limit to return to the start. Idle blocking threads, which end last, take 10 s.
const PATIENCE: Duration = Duration::from_secs(15);

impl Census {
    pub(crate) fn take(live: &Live) -> Self {
        let status =
            if cfg!(target_os = "linux") { fs::read_to_string("/proc/self/status").ok() } else { None };
        let field = |name: &str| -> Option<usize> {
            let line = status.as_ref()?.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        Self {
            tasks: live.0.load(Ordering::SeqCst),
            threads: field("Threads:"),
            descriptors: descriptors(),
            resident_kib: field("VmRSS:"),
        }
    }

    /// Returns the counts once they no longer change: a thread that has finished its work still exists for a while. The
    /// number of tasks must not be above that of before.
    pub(crate) fn at_rest(before: &Self, live: &Live) -> Self {
        let give_up = Instant::now() + PATIENCE;
        let (mut last, mut since) = (Self::take(live), Instant::now());
        while (last.tasks > before.tasks || since.elapsed() < STILL) && Instant::now() < give_up {
            thread::sleep(Duration::from_millis(20));
            let now = Self::take(live);
            if now.compared().map(|(_, count)| count) != last.compared().map(|(_, count)| count) {
                since = Instant::now();
            }
            last = now;
        }
        Self { tasks: before.tasks, ..last }
    }

    /// Returns the counts once none is above `start`, or at the deadline.
    pub(crate) fn back_at(start: &Self, live: &Live) -> Self {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let now = Self::take(live);
            if now.more_than(start).is_empty() || Instant::now() >= give_up {
                return now;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Returns the counts that are above `start`, in words.
    pub(crate) fn more_than(&self, start: &Self) -> Vec<String> {
        let counts = self.compared().into_iter().zip(start.compared());
        let more = counts.filter(|((_, now), (_, then))| now > then);
        more.map(|((what, now), (_, then))| format!("{what} {} -> {}", known(then), known(now))).collect()
    }

    /// Resident memory is not compared: allocators keep freed memory.
    fn compared(&self) -> [(&'static str, Option<usize>); 3] {
        [("tasks", Some(self.tasks)), ("threads", self.threads), ("descriptors", self.descriptors)]
    }
}

fn descriptors() -> Option<usize> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    // One of the descriptors is that of the folder.
    Some(fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1))
}

pub(crate) fn known(count: Option<usize>) -> String {
    count.map_or_else(|| "?".to_owned(), |count| count.to_string())
}
