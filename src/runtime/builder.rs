use std::io;
use std::marker::PhantomData;
use std::thread::available_parallelism;

/// Sets up a runtime of one's own; made by `Tokio::builder()` or `Smol::builder()`.
///
/// async-std has none: it belongs to the process.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "tokio")]
/// # fn main() -> std::io::Result<()> {
/// use anyrt::{BlockOn, Tokio};
///
/// let runtime = Tokio::builder().worker_threads(2).blocking_threads(8).thread_name("db").build()?;
/// runtime.block_on(async { println!("hello") });
/// # Ok(()) }
/// # #[cfg(not(feature = "tokio"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug)]
#[must_use = "it starts nothing before `build`"]
pub struct Builder<R> {
    worker_threads: Option<usize>,
    blocking_threads: usize,
    thread_name: Option<String>,
    runtime: PhantomData<fn() -> R>,
}

/// What a runtime is to be, checked.
#[allow(dead_code, reason = "without a backend nobody asks")]
pub(crate) struct Settings {
    pub(crate) worker_threads: usize,
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
            blocking_threads: BLOCKING_THREADS,
            thread_name: None,
            runtime: PhantomData,
        }
    }

    /// The same, of another runtime.
    #[allow(dead_code, reason = "without a backend there is no other")]
    pub(crate) fn of<S>(self) -> Builder<S> {
        let Self { worker_threads, blocking_threads, thread_name, runtime: _ } = self;
        Builder { worker_threads, blocking_threads, thread_name, runtime: PhantomData }
    }

    /// How many threads run tasks, up to 4096; one per core unless set.
    pub fn worker_threads(mut self, count: usize) -> Self {
        self.worker_threads = Some(count);
        self
    }

    /// How many closures may block at once; 512 unless set. More of them wait for their turn.
    pub fn blocking_threads(mut self, count: usize) -> Self {
        self.blocking_threads = count;
        self
    }

    /// What the names of the threads begin with; systems may show the first 15 bytes.
    pub fn thread_name(mut self, name: impl Into<String>) -> Self {
        self.thread_name = Some(name.into());
        self
    }

    #[allow(dead_code, reason = "without a backend nobody asks")]
    pub(crate) fn settings(self) -> io::Result<Settings> {
        let Self { worker_threads, blocking_threads, thread_name, runtime: _ } = self;
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
        Ok(Settings { worker_threads, blocking_threads, thread_name })
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
