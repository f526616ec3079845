use std::io;

use super::chosen;
use crate::AnyRuntime;
use crate::runtime::builder::Builder;

/// Of the runtime that is compiled in: for programs that leave the choice to their features, as `#[anyrt::main]` does without a
/// word. Where several are, the environment says which: `ANYRT_RUNTIME=smol`.
impl Builder<AnyRuntime> {
    /// One with worker threads.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// let runtime = anyrt::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    /// runtime.block_on(async { println!("on {runtime:?}") });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new_multi_thread() -> Self {
        Self::new()
    }

    /// One that runs all tasks on one thread; see [`single_threaded`](Self::single_threaded).
    pub fn new_current_thread() -> Self {
        Self::new().single_threaded()
    }

    /// Nothing: timers and sockets are always on. It is here for programs that come from tokio, as are
    /// [`enable_io`](Self::enable_io) and [`enable_time`](Self::enable_time).
    pub fn enable_all(self) -> Self {
        self
    }

    /// Nothing; see [`enable_all`](Self::enable_all).
    pub fn enable_io(self) -> Self {
        self
    }

    /// Nothing; see [`enable_all`](Self::enable_all).
    pub fn enable_time(self) -> Self {
        self
    }

    /// [`blocking_threads`](Self::blocking_threads), by tokio's name.
    pub fn max_blocking_threads(self, count: usize) -> Self {
        self.blocking_threads(count)
    }

    /// Makes the runtime. async-std, which belongs to the process, and a simulation take no numbers of threads.
    ///
    /// # Errors
    ///
    /// When no runtime is compiled in, or several are and the environment names none of them; and as the builder of the
    /// runtime, such as [`Builder::<Tokio>::build`](struct.Builder.html).
    pub fn build(self) -> io::Result<AnyRuntime> {
        let named = chosen("`anyrt::Tokio::builder()`")
            .map_err(|wrong| io::Error::new(io::ErrorKind::Unsupported, format!("anyrt: {wrong}")))?;
        (named.start)(self)
    }
}
