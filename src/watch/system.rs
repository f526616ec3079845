//! What Linux says of a thread of this process: files below `/proc`, see proc(5). Elsewhere nothing.

use std::time::Duration;
use std::{fs, thread};

/// A thread, as the system and as its program calls it.
pub(super) struct SystemThread {
    pub(super) name: String,
    // `/proc/self/task/<tid>`
    directory: Option<String>,
}

impl SystemThread {
    /// The calling thread.
    pub(super) fn current() -> Self {
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
        fs::read_to_string(format!("{}/{file}", self.directory.as_ref()?)).ok()
    }

    /// How long the thread has been ready to run without a CPU, since it began: the second number of `schedstat`.
    pub(super) fn waited_for_cpu(&self) -> Option<Duration> {
        let nanos = self.read("schedstat")?.split_whitespace().nth(1)?.parse().ok()?;
        Some(Duration::from_nanos(nanos))
    }

    /// The kernel function that the thread sleeps in; `None` while it runs, and where the system keeps it a secret.
    pub(super) fn asleep_in(&self) -> Option<String> {
        self.read("wchan").filter(|function| !function.is_empty() && function != "0")
    }
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
        assert!(system.waited_for_cpu().is_some());
        // It may not have come to its sleep yet; a system that hides the name says "0" for ever.
        let visible = fs::read_to_string("/proc/self/wchan").is_ok();
        assert!(visible);
        assert!(SystemThread::current().asleep_in().is_none(), "this one runs");
        drop(end);
        sleeper.join().unwrap();
    }
}
