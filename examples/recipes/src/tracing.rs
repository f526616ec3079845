//! # Spans of tracing
//!
//! A span is entered on a thread, and a task moves between threads, so on no runtime does a span follow into spawned
//! tasks by itself. The crate `tracing` has what is needed: `Instrument` for a future, which enters the span at each
//! poll, and `in_scope` for a closure. [`handle`] shows both.
//!
//! A library spawns tasks that you cannot instrument. [`traced`] returns a runtime handle that runs each task in the span of its
//! spawner: hand it to the library, or make it current with `enter` or `set_default`.
//!
//! ```toml
//! tracing = "0.1"
//! ```
//!
//! Do not hold the guard of `Span::enter` across an `.await`: other tasks on the thread would be in the span.
//!
//! ## In a simulation
//!
//! It runs there. Timestamps of a subscriber are real times; [`anyrt::time::now`] is the virtual time.

use std::io;

use anyrt::{AnyRuntime, spawn, spawn_blocking};
use tracing::{Instrument, Span, info, info_span};

/// Handles a request in a span, which follows into its tasks and closures.
pub async fn handle(id: u64) -> io::Result<usize> {
    let work = async move {
        info!("begins");

        let counts = spawn(
            async {
                info!("counts");
                21
            }
            .in_current_span(),
        );

        let span = Span::current();
        let reads = spawn_blocking(move || {
            span.in_scope(|| {
                info!("reads");
                21
            })
        });

        Ok(counts.await? + reads.await?)
    };
    work.instrument(info_span!("request", id)).await
}

/// Returns a handle whose tasks run in the span of their spawner; a named task has a span of its own.
pub fn traced(runtime: &AnyRuntime) -> AnyRuntime {
    runtime.wrap_tasks(|task| {
        let span = match task.name() {
            Some(name) => info_span!("task", name),
            None => span_of_spawner(),
        };
        move |step: &mut dyn FnMut()| span.in_scope(step)
    })
}

/// The current span; not that of a task of a watched runtime, which would be open for as long as what the task has spawned.
fn span_of_spawner() -> Span {
    let span = Span::current();
    if span.metadata().is_some_and(|span| span.name() == "runtime.spawn") { Span::none() } else { span }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Mutex, Once};

    use anyrt::task::Builder;
    use futures::future::try_join_all;
    use tracing::subscriber::set_global_default;

    use super::*;

    /// The log, one line per event.
    static LOG: Mutex<String> = Mutex::new(String::new());

    struct Log;

    impl io::Write for Log {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            LOG.lock().unwrap().push_str(&String::from_utf8_lossy(line));
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The process has one subscriber, for all threads.
    fn subscribe() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let lines = tracing_subscriber::fmt().without_time().with_target(false).with_ansi(false);
            set_global_default(lines.with_writer(|| Log).finish()).unwrap();
        });
    }

    /// Returns the lines that contain this text.
    fn lines(with: &str) -> Vec<String> {
        let log = LOG.lock().unwrap();
        let mut lines: Vec<_> = log.lines().filter(|line| line.contains(with)).map(String::from).collect();
        lines.sort();
        lines
    }

    /// Returns an id that is unique across runtimes, which share one log.
    fn next_id() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    #[anyrt::test]
    async fn span_follows_into_what_is_spawned() -> io::Result<()> {
        subscribe();
        let ids: Vec<_> = (0..10).map(|_| next_id()).collect();
        let requests = ids.iter().map(|id| spawn(handle(*id)));
        for answer in try_join_all(requests.collect::<Vec<_>>()).await? {
            assert_eq!(answer?, 42);
        }
        for id in ids {
            let said = ["begins", "counts", "reads"].map(|what| format!(" INFO request{{id={id}}}: {what}"));
            assert_eq!(lines(&format!("{{id={id}}}")), said);
        }
        Ok(())
    }

    /// A library that knows nothing of spans.
    async fn library(id: u64) -> io::Result<()> {
        spawn(async move {
            info!("a task of a library, number <{id}>");
            spawn_blocking(move || info!("its closure, number <{id}>")).await
        })
        .await??;
        Builder::new().name("pool").spawn(async move { info!("with a name, number <{id}>") })?.await?;
        Ok(())
    }

    #[anyrt::test]
    async fn span_follows_into_a_library(rt: AnyRuntime) -> io::Result<()> {
        subscribe();
        let (id, rt) = (next_id(), traced(&rt));
        let request = async { rt.spawn(library(id)).await? };
        request.instrument(info_span!("request", id)).await?;
        let span = format!(" INFO request{{id={id}}}:");
        let said = [
            format!("{span} a task of a library, number <{id}>"),
            format!("{span} its closure, number <{id}>"),
            format!("{span}task{{name=\"pool\"}}: with a name, number <{id}>"),
        ];
        assert_eq!(lines(&format!(", number <{id}>")), said);
        Ok(())
    }

    #[anyrt::test]
    async fn span_does_not_follow_by_itself() -> io::Result<()> {
        subscribe();
        let id = next_id();
        async {
            spawn(async move { info!("a task, number <{id}>") }).await?;
            spawn_blocking(move || info!("a closure, number <{id}>")).await
        }
        .instrument(info_span!("request"))
        .await?;
        let said = [format!(" INFO a closure, number <{id}>"), format!(" INFO a task, number <{id}>")];
        assert_eq!(lines(&format!(", number <{id}>")), said);
        Ok(())
    }
}
