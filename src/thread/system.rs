//! What Linux says of a thread of this process: files below `/proc`, see proc(5). Elsewhere nothing.

use std::time::Duration;
use std::{fs, thread};

/// A thread, as the system and as its program calls it.
#[derive(Default)]
pub(crate) struct SystemThread {
    pub(crate) name: String,
    // `/proc/self/task/<tid>`
    directory: Option<String>,
}

impl SystemThread {
    /// The calling thread.
    pub(crate) fn current() -> Self {
        let directory = fs::read_link("/proc/thread-self").ok().and_then(|link| {
            let thread = link.file_name()?.to_str()?;
            Some(format!("/proc/self/task/{thread}"))
        });
        let name = match thread::current().name() {
            Some(name) => name.to_owned(),
            None => format!("{:?}", thread::current().id()),
        };
        Self { name, directory }
    }

    fn read(&self, file: &str) -> Option<String> {
        let bytes = fs::read(format!("{}/{file}", self.directory.as_ref()?)).ok()?;
        // `stat` has the name of the thread, of which the system keeps 15 bytes: perhaps half a letter at the end.
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// What the system has counted of the thread: `schedstat`. `None` if it does not count, or if the thread has ended.
    pub(crate) fn cpu(&self) -> Option<Cpu> {
        let text = self.read("schedstat")?;
        let mut numbers = text.split_whitespace().map_while(|text| text.parse().ok());
        let (ran, waited, turns) = (numbers.next()?, Duration::from_nanos(numbers.next()?), numbers.next()?);
        // A kernel that does not count says 0 for everything; this thread has run.
        (turns != 0).then_some(Cpu { waited, ran, turns })
    }

    /// The kernel function that the thread sleeps in; `None` while it runs, or waits for a CPU.
    pub(crate) fn asleep_in(&self) -> Option<String> {
        // `1234 (a name) S …`
        let stat = self.read("stat")?;
        let (_, state) = stat.rsplit_once(") ")?;
        if state.starts_with('R') {
            return None;
        }
        let function = self.read("wchan").filter(|function| !function.is_empty() && function != "0");
        Some(function.unwrap_or_else(|| "a function that it keeps to itself".to_owned()))
    }
}

/// What the system has counted of a thread since it began.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Cpu {
    /// How long it was ready to run without a CPU. A wait counts when it is over.
    pub(crate) waited: Duration,
    // In nanoseconds, as of the last tick of the kernel.
    ran: u64,
    turns: u64,
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn linux_knows_where_a_thread_sleeps() {
        let (tell, told) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let sleeper = thread::spawn(move || {
            tell.send(SystemThread::current()).unwrap();
            let _ = ended.recv();
        });
        let system = told.recv().unwrap();
        // It may not have come to its sleep yet.
        while system.asleep_in().is_none() {
            thread::yield_now();
        }
        assert!(SystemThread::current().asleep_in().is_none(), "this one runs");
        drop(end);
        sleeper.join().unwrap();
        assert!(system.asleep_in().is_none(), "it is gone");
    }

    /// The 15 bytes of a name that the system keeps end in the middle of a letter.
    #[test]
    fn linux_knows_where_a_thread_sleeps_whose_name_is_cut() {
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let sleeps = move || {
            tell.send(SystemThread::current()).unwrap();
            let _ = ended.recv();
        };
        let sleeper = thread::Builder::new().name("fourteen-bytes\u{e9}".into()).spawn(sleeps).unwrap();
        let (system, begun) = (told.recv().unwrap(), std::time::Instant::now());
        while system.asleep_in().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(60), "nobody knows");
            thread::yield_now();
        }
        drop(end);
        sleeper.join().unwrap();
    }

    #[test]
    fn linux_counts_the_time_of_a_thread() {
        let (this, begun) = (SystemThread::current(), std::time::Instant::now());
        let before = this.cpu();
        assert!(before.is_some());
        while this.cpu() == before {
            assert!(begun.elapsed() < Duration::from_secs(60), "it stands still");
        }
    }
}
