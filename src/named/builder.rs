use std::io;

use super::chosen;
use crate::AnyRuntime;
use crate::runtime::builder::Builder;

/// Builder of the compiled-in runtime: for programs whose features choose the runtime, as for `#[anyrt::main]` without
/// a word. If several are compiled in, the environment variable chooses: `ANYRT_RUNTIME=smol`.
impl Builder<AnyRuntime> {
    /// Creates a builder of a runtime with worker threads.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use anyrt::runtime::Builder;
    ///
    /// let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    /// runtime.block_on(async { println!("on {runtime:?}") });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new_multi_thread() -> Self {
        Self::new()
    }

    /// Creates a builder of a runtime that runs all tasks on one thread; see
    /// [`single_threaded`](Self::single_threaded).
    pub fn new_current_thread() -> Self {
        Self::new().single_threaded()
    }

    /// Has no effect: timers and sockets are always on. For compatibility with programs ported from tokio, as are
    /// [`enable_io`](Self::enable_io) and [`enable_time`](Self::enable_time).
    pub fn enable_all(self) -> Self {
        self
    }

    /// Has no effect; see [`enable_all`](Self::enable_all).
    pub fn enable_io(self) -> Self {
        self
    }

    /// Has no effect; see [`enable_all`](Self::enable_all).
    pub fn enable_time(self) -> Self {
        self
    }

    /// Same as [`blocking_threads`](Self::blocking_threads), under tokio's name.
    pub fn max_blocking_threads(self, count: usize) -> Self {
        self.blocking_threads(count)
    }

    /// Builds the runtime. async-std, which belongs to the process, and a simulation ignore the numbers of threads.
    ///
    /// # Errors
    ///
    /// If no runtime is compiled in, or if several are and the environment names none of them; and as the builder of
    /// that runtime, such as [`Builder::<Tokio>::build`](struct.Builder.html).
    pub fn build(self) -> io::Result<AnyRuntime> {
        let named = chosen("`anyrt::Tokio::builder()`")
            .map_err(|wrong| io::Error::new(io::ErrorKind::Unsupported, format!("anyrt: {wrong}")))?;
        (named.start)(self)
    }
}
