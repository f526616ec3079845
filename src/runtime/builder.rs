use std::io;
use std::marker::PhantomData;
use std::thread::available_parallelism;

/// Builder of an owned runtime; returned by `Tokio::builder()` and `Smol::builder()`.
///
/// async-std has no builder: its runtime belongs to the process.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "tokio")]
/// # fn main() -> std::io::Result<()> {
/// use anyrt::{BlockOn, Tokio};
///
/// let builder = Tokio::builder().worker_threads(2).blocking_threads(8);
/// let runtime = builder.thread_name("db").build()?;
/// runtime.block_on(async { println!("hello") });
/// # Ok(()) }
/// # #[cfg(not(feature = "tokio"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug)]
#[must_use = "it starts nothing before `build`"]
pub struct Builder<R> {
    worker_threads: Option<usize>,
    single_threaded: bool,
    blocking_threads: usize,
    thread_name: Option<String>,
    runtime: PhantomData<fn() -> R>,
}

/// Checked settings of a runtime.
#[allow(dead_code, reason = "without a backend nobody asks")]
pub(crate) struct Settings {
    pub(crate) worker_threads: usize,
    /// Then there is one worker.
    pub(crate) single_threaded: bool,
    pub(crate) blocking_threads: usize,
    pub(crate) thread_name: Option<String>,
}

/// tokio's number.
const BLOCKING_THREADS: usize = 512;

/// They are all started at once. Each takes four memory mappings, and Linux allows a process 65,530 unless told otherwise.
/// Without one there is no error: std 1.95 has the thread by then, finds no room for its signal stack, and aborts the
/// process (`sys/pal/unix/stack_overflow.rs`).
const MOST_WORKERS: usize = 1 << 12;

/// More than any system gives a process: they are started when they are needed.
const MOST_BLOCKING: usize = 1 << 20;

impl<R> Builder<R> {
    #[allow(dead_code, reason = "without a backend nobody makes one")]
    pub(crate) fn new() -> Self {
        Self {
            worker_threads: None,
            single_threaded: false,
            blocking_threads: BLOCKING_THREADS,
            thread_name: None,
            runtime: PhantomData,
        }
    }

    #[allow(dead_code, reason = "without a backend nobody asks")]
    pub(crate) fn is_single_threaded(&self) -> bool {
        self.single_threaded
    }

    /// The same, of another runtime.
    #[allow(dead_code, reason = "without a backend there is no other")]
    pub(crate) fn of<S>(self) -> Builder<S> {
        let Self { worker_threads, single_threaded, blocking_threads, thread_name, runtime: _ } = self;
        Builder { worker_threads, single_threaded, blocking_threads, thread_name, runtime: PhantomData }
    }

    /// Sets the number of threads that run tasks, at most 4096. Default: one per core.
    pub fn worker_threads(mut self, count: usize) -> Self {
        self.worker_threads = Some(count);
        self
    }

    /// Runs all tasks on one thread, so that no two of them run at the same time.
    ///
    /// On tokio the runtime has the flavour `current_thread`: tasks run on the thread that is in
    /// [`block_on`](crate::BlockOn::block_on) of a handle that owns the runtime. While no thread is, tasks, timers and
    /// sockets make no progress. On smol tasks run on one thread of the runtime's own, as with `worker_threads(1)`; the
    /// future of a `block_on` runs on its caller's thread.
    ///
    /// Blocking closures still have threads of their own. Tasks must still be `Send`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "tokio")]
    /// # fn main() -> std::io::Result<()> {
    /// use anyrt::{BlockOn, Spawn, Tokio};
    ///
    /// let runtime = Tokio::builder().single_threaded().build()?;
    /// let answer = runtime.block_on(async { runtime.spawn(async { 42 }).await })?;
    /// assert_eq!(answer, 42);
    /// # Ok(()) }
    /// # #[cfg(not(feature = "tokio"))]
    /// # fn main() {}
    /// ```
    pub fn single_threaded(mut self) -> Self {
        self.single_threaded = true;
        self
    }

    /// Sets how many blocking closures may run at once. Default: 512. Further closures wait in a queue.
    pub fn blocking_threads(mut self, count: usize) -> Self {
        self.blocking_threads = count;
        self
    }

    /// Sets the prefix of the threads' names. Some systems show only the first 15 bytes.
    pub fn thread_name(mut self, name: impl Into<String>) -> Self {
        self.thread_name = Some(name.into());
        self
    }

    #[allow(dead_code, reason = "without a backend nobody asks")]
    pub(crate) fn settings(self) -> io::Result<Settings> {
        let Self { worker_threads, single_threaded, blocking_threads, thread_name, runtime: _ } = self;
        if let Some(count) = worker_threads.filter(|count| single_threaded && *count != 1) {
            return Err(invalid(format!("worker_threads is {count}, but the runtime is single_threaded")));
        }
        let worker_threads = if single_threaded { Some(1) } else { worker_threads };
        let worker_threads = worker_threads.unwrap_or_else(|| available_parallelism().map_or(1, usize::from));
        for (field, count, most) in [
            ("worker_threads", worker_threads, MOST_WORKERS),
            ("blocking_threads", blocking_threads, MOST_BLOCKING),
        ] {
            if count == 0 || count > most {
                return Err(invalid(format!("{field} is {count}: ask for 1 to {most}")));
            }
        }
        if let Some(name) = &thread_name {
            if name.contains('\0') {
                return Err(invalid(format!(
                    "thread_name is {name:?}: no thread can have a NUL in its name"
                )));
            }
        }
        Ok(Settings { worker_threads, single_threaded, blocking_threads, thread_name })
    }
}

/// What the system says when it gives no more threads.
#[allow(dead_code, reason = "without a backend nobody asks")]
pub(crate) fn no_threads(field: &str, count: usize, error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("anyrt: {field} is {count}, and the system gives no more threads: {error}"),
    )
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("anyrt: {what}"))
}
