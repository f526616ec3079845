//! Network programs that run on Linux and in a simulation, and see the same, value by value.
//!
//! The values in which they differ are the table of the guide, "Where the simulated network differs from Linux", each
//! with its reason. A row that no longer differs is an error, too.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod names;
mod tcp;
mod udp;
mod unix;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::{Debug, Display, Write};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyrt::time::{sleep, timeout};
use anyrt::{AnyRuntime, Sim, Tokio};
use futures::future::{BoxFuture, join_all};

/// What a program has seen: a name for each value, and the value as text.
#[derive(Default)]
pub(crate) struct Seen(Vec<(&'static str, String)>);

impl Seen {
    /// A value that was returned.
    pub(crate) fn value(&mut self, what: &'static str, value: impl Display) {
        self.0.push((what, value.to_string()));
    }

    /// The result of a call: its value, or the number and the kind of its error.
    pub(crate) fn result<T: Debug>(&mut self, what: &'static str, result: &io::Result<T>) {
        self.0.push((what, text(result)));
    }

    /// As [`result`](Self::result), of something that may never happen.
    pub(crate) fn soon<T: Debug>(&mut self, what: &'static str, result: &Option<io::Result<T>>) {
        self.0.push((what, result.as_ref().map_or("nothing within a second".to_owned(), text)));
    }

    /// As [`result`](Self::result), where the value is of no interest, or another one on each machine.
    pub(crate) fn outcome<T>(&mut self, what: &'static str, result: &io::Result<T>) {
        self.0.push((what, text(&result.as_ref().map(drop).map_err(copy))));
    }
}

fn copy(error: &io::Error) -> io::Error {
    match number(error) {
        Some(number) => io::Error::from_raw_os_error(number),
        None => error.kind().into(),
    }
}

fn text<T: Debug>(result: &io::Result<T>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => match number(error) {
            Some(number) => format!("{:?}, error {number}", io::Error::from_raw_os_error(number).kind()),
            None => format!("{:?}", error.kind()),
        },
    }
}

/// The system's error number: some errors name an address, and have the system's as their source.
fn number(error: &io::Error) -> Option<i32> {
    if let Some(number) = error.raw_os_error() {
        return Some(number);
    }
    let mut source = error.get_ref().map(|inner| inner as &(dyn Error + 'static));
    while let Some(error) = source {
        if let Some(number) = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
            return Some(number);
        }
        source = error.source();
    }
    None
}

/// Until packets have arrived: nothing tells a program of the answer to a packet that nobody waits for.
pub(crate) async fn rest() {
    sleep(Duration::from_millis(60)).await;
}

/// Whether it is ready within a second.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> Option<T> {
    timeout(Duration::from_secs(1), future).await.ok()
}

/// Whether it is ready within a tenth of a second.
pub(crate) async fn at_once<T>(future: impl Future<Output = io::Result<T>>) -> String {
    match timeout(Duration::from_millis(100), future).await {
        Ok(result) => text(&result.map(drop)),
        Err(_) => "waits".to_owned(),
    }
}

/// A path that nobody uses.
pub(crate) fn path(name: &str) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("anyrt-{}-{number}-{name}", std::process::id()))
}

pub(crate) type Program = (&'static str, fn() -> BoxFuture<'static, Seen>);

/// The programs of a module, by name.
#[macro_export]
macro_rules! programs {
    ($($name:ident)*) => {
        pub(crate) const PROGRAMS: &[$crate::Program] = &[$((concat!(module_path!(), "::", stringify!($name)), || {
            Box::pin(async {
                let mut seen = $crate::Seen::default();
                $name(&mut seen).await;
                seen
            })
        })),*];
    };
}

/// All values, by the name of the program and their own.
fn see(runtime: &AnyRuntime) -> BTreeMap<String, String> {
    let programs = [tcp::PROGRAMS, udp::PROGRAMS, unix::PROGRAMS, names::PROGRAMS].concat();
    let seen = runtime.block_on(join_all(programs.into_iter().map(|(name, program)| {
        let running = program();
        async move {
            let start = std::time::Instant::now();
            let seen = anyrt::spawn(running).await.unwrap();
            if std::env::var("TIMES").is_ok() {
                println!("{name} {:?}", start.elapsed())
            }
            (name, seen)
        }
    })));
    let values = seen.into_iter().flat_map(|(program, Seen(values))| {
        let program = program.split_once("::").map_or(program, |(_, program)| program);
        values.into_iter().map(move |(what, value)| (format!("{program}: {what}"), value))
    });
    let mut all = BTreeMap::new();
    for (name, value) in values {
        assert!(all.insert(name.clone(), value).is_none(), "two values are called {name:?}");
    }
    all
}

/// Rows of the table in the guide: the value, on Linux and in a simulation.
fn rows() -> Vec<[String; 3]> {
    let page = include_str!("../../src/guide/simulation.md");
    let table = page.split("# Where the simulated network differs from Linux").nth(1).unwrap_or_default();
    let table = table.split("\n# ").next().unwrap_or_default();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<_> = row.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect();
        [cells[1].clone(), cells[2].clone(), cells[3].clone()]
    })
    .collect()
}

#[test]
fn programs_see_on_sim_what_they_see_on_linux() {
    let linux = see(&Tokio::new().unwrap().into());
    let sim = see(&Sim::builder().seed(1).build().unwrap().into());
    let rows = rows();
    let mut wrong = String::new();
    for (what, linux) in &linux {
        let sim = &sim[what];
        let row = rows.iter().find(|[name, ..]| name == what);
        let expected = row.map_or((linux, linux), |[_, linux, sim]| (linux, sim));
        if (linux, sim) != expected || row.is_some() && linux == sim {
            let _ = write!(wrong, "\n  {what}\n    Linux: {linux}\n    Sim:   {sim}");
        }
    }
    for [what, ..] in &rows {
        if !linux.contains_key(what) {
            let _ = write!(wrong, "\n  the table has a row for {what:?}, which no program sees");
        }
    }
    println!("{} values, {} rows", linux.len(), rows.len());
    assert!(rows.len() <= 8, "{} rows are too many", rows.len());
    assert!(wrong.is_empty(), "of {} values:{wrong}", linux.len());
}
