//! What there is in this process, to be compared with what there was.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How many futures and blocking closures exist.
#[derive(Clone, Default)]
pub(crate) struct Live(Arc<AtomicUsize>);

impl Live {
    /// One more, until the guard is dropped: with the future that it is in.
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

/// A count; what only Linux tells is unknown elsewhere.
#[derive(Clone, Copy, Default)]
pub(crate) struct Census {
    pub(crate) tasks: usize,
    pub(crate) threads: Option<usize>,
    pub(crate) descriptors: Option<usize>,
    pub(crate) resident_kib: Option<usize>,
}

/// How long the counts have to stand still to be a start.
const STILL: Duration = Duration::from_millis(500);
/// How long they have to come back. Idle blocking threads, which end last, do so after 10 s.
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

    /// The count once nothing comes or goes any more: a thread that has said its last word is still a thread. Of tasks
    /// there may be no more than there were before.
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

    /// The count once there is no more than there was at `start`, or the one at the deadline.
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

    /// What there is more of than at `start`, in words.
    pub(crate) fn more_than(&self, start: &Self) -> Vec<String> {
        let counts = self.compared().into_iter().zip(start.compared());
        let more = counts.filter(|((_, now), (_, then))| now > then);
        more.map(|((what, now), (_, then))| format!("{what} {} -> {}", known(then), known(now))).collect()
    }

    /// Resident memory is not: allocators keep what they have had.
    fn compared(&self) -> [(&'static str, Option<usize>); 3] {
        [("tasks", Some(self.tasks)), ("threads", self.threads), ("descriptors", self.descriptors)]
    }
}

fn descriptors() -> Option<usize> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    // One of them reads the folder.
    Some(fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1))
}

pub(crate) fn known(count: Option<usize>) -> String {
    count.map_or_else(|| "?".to_owned(), |count| count.to_string())
}
