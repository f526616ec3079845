//! What happened, to be looked at: as text, as JSON, and as a page with a timeline.

mod event;
mod html;
mod json;
mod kept;

use std::env;
use std::fmt;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};

use self::event::Event;
use super::panics::{self, Panic};
use super::trace::{self, Kind};
use super::world::{State, World};
use super::{Policy, Sim, here};
use crate::runtime::task::contain::contain;

pub(super) use event::Flight;
pub(super) use kept::Kept;

/// Where the log goes, when it is to be kept without a change of the program.
const FILE: &str = "ANYRT_SIM_LOG";

/// What has happened in a simulation so far; made by [`Sim::log`].
///
/// Its `Display` is text, with a line for every event: when, on which host, the number of a task (`#1`) or socket (`s1`), and
/// what.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use anyrt::{BlockOn, Sim, Time};
///
/// let sim = Sim::builder().seed(1).log(true).build()?;
/// sim.block_on(async {
///     sim.sleep(Duration::from_millis(5)).await;
///     anyrt::sim::note("well rested");
/// });
/// assert!(sim.log().to_string().contains("5ms  main  #1   note: well rested"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Log {
    seed: u64,
    policy: Policy,
    hash: u64,
    hosts: Vec<(String, IpAddr)>,
    events: Vec<Event>,
}

impl Log {
    /// How many events there are.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether nothing has happened, or nothing was kept.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The log as one object of JSON.
    ///
    /// `seed` and `hash` are strings, decimal and hexadecimal, because many readers of JSON would round them; `policy` is a
    /// string; `hosts` is an array of objects with `name` and `ip`; `events` is an array of objects:
    ///
    /// - always `at`, the virtual time in nanoseconds, and `kind`, such as `"polled"`, `"data arrived"` or `"sent"`;
    /// - where it applies, `host`; `task` or `socket`, a number; `place`, where the task was spawned;
    /// - `is` of a task that is spawned: `"task"`, `"closure"` or `"block_on"`;
    /// - `by`, the task that woke this one; `waits`, what it waits for, in words; `text` of a note;
    /// - `text` of a panic, and of `"failed"`, which is how the program ended; `source`, the place in the source, if it is
    ///   known: where `ANYRT_SIM_LOG` is set;
    /// - of the way to another host, `peer`, which that is;
    /// - of what goes from host to host: `message`, a number that is the same where it is sent and where it arrives; `what`
    ///   it is, such as `"data"`; the host `peer` at the other end; the addresses `from` and `to`; `bytes`, how many;
    ///   `payload`, their hash, hexadecimal; `content`, the first 256 of them as text, in which what is no letter is escaped
    ///   as in a string of bytes; and, where it arrives, `sent`, the time when it was.
    pub fn to_json(&self) -> String {
        json::write(self)
    }

    /// The log as a page of HTML with a timeline, which is complete in itself.
    ///
    /// Hosts are side by side, and time goes down: tasks are bars, with where they were spawned, and messages are arrows, with
    /// what is in them. It opens where the program failed, if it did: at the panic that the others quote, and else the first.
    /// Its last line says which keys there are.
    pub fn to_html(&self) -> String {
        html::write(self)
    }

    /// Writes it to a file: as JSON when the name ends in `.json`, as a page when it ends in `.html`, and else as text.
    ///
    /// # Errors
    ///
    /// That of the system, when the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref();
        let text = match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => self.to_json(),
            Some("html") => self.to_html(),
            _ => self.to_string(),
        };
        fs::write(path, text)
    }

    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    fn host(&self, host: usize) -> &str {
        self.hosts.get(host).map_or("", |(name, _)| name)
    }

    /// What an event is, without when and where: for people.
    fn describe<'a>(&'a self, event: &'a Event) -> impl fmt::Display + 'a {
        event.describe(|host| self.host(host))
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}, policy {:?}, hash {:016x}", self.seed, self.policy, self.hash)?;
        for (name, ip) in &self.hosts {
            writeln!(f, "host {name:?} at {ip}")?;
        }
        let width = self.hosts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for event in &self.events {
            let time = format!("{:?}", event.time());
            let host = event.host.map_or("", |host| self.host(host));
            let socket = || event.socket.map_or(String::new(), |socket| format!("s{socket}"));
            let number = event.task.map_or_else(socket, |task| format!("#{task}"));
            writeln!(f, "{time:>14}  {host:width$}  {number:<4} {}", self.describe(event))?;
        }
        Ok(())
    }
}

pub(super) fn file_of_the_environment() -> Option<PathBuf> {
    env::var_os(FILE).filter(|file| !file.is_empty()).map(PathBuf::from)
}

impl Sim {
    /// What has happened so far, if the simulation keeps a log: see [`Builder::log`](super::Builder::log). It is empty if
    /// it does not.
    pub fn log(&self) -> Log {
        self.world.log()
    }
}

/// Adds a line to the log of the simulation whose code is running, which is part of the hash of what happened.
///
/// Outside of a simulation it does nothing, and `text` is not even formatted; so it can stay in a library.
///
/// # Examples
///
/// ```
/// use anyrt::{BlockOn, Sim, sim::note};
///
/// let sim = Sim::builder().log(true).build()?;
/// sim.block_on(async { note(format_args!("term {}: I am the leader", 3)) });
/// assert!(sim.log().to_string().contains("note: term 3: I am the leader"));
/// note("nobody hears this");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn note(text: impl fmt::Display) {
    let Some(here) = here() else { return };
    let text = text.to_string();
    here.world.with(|state| {
        let task = state.whose_turn();
        let payload = trace::hash(text.as_bytes());
        state.trace.record(state.nanos, Kind::Note, task.unwrap_or(0), payload);
        if let Some(log) = state.trace.log() {
            log.says(here.host, text);
        }
    });
}

/// Runs a closure, and tells the log if it panics.
pub(super) fn panicking<T>(job: impl FnOnce() -> T) -> T {
    contain(job).unwrap_or_else(|payload| {
        panicked(panics::caught(&payload));
        resume_unwind(payload)
    })
}

/// A task has panicked.
pub(super) fn panicked(panic: Panic) {
    let Some(here) = here() else { return };
    here.world.with(|state| {
        let (nanos, task) = (state.nanos, state.whose_turn());
        if let Some(log) = state.trace.log() {
            log.add(nanos, Kind::Panicked, task.unwrap_or(0), 0);
            log.panicked(here.host, panic);
        }
    });
}

impl World {
    fn log(&self) -> Log {
        self.with(|state| self.log_of(state))
    }

    pub(super) fn log_of(&self, state: &mut State) -> Log {
        Log {
            seed: self.seed,
            policy: state.schedule.policy(),
            hash: state.trace.hash(),
            hosts: state.network.hosts().map(|(name, ip)| (name.to_owned(), ip)).collect(),
            events: state.trace.log().map_or(Vec::new(), |log| log.events().to_vec()),
        }
    }

    /// The program has failed: whoever looks at the log begins there.
    pub(super) fn failed(&self, panic: Panic) {
        self.end(Kind::Failed, 0, 0, panic);
    }

    /// It goes in a panic.
    pub(super) fn dies(&self) {
        self.failed(panics::current());
    }

    /// A `block_on` is left by a panic.
    pub(super) fn unwinds(&self, host: usize, main: u64) {
        self.end(Kind::Panicked, host, main, panics::current());
    }

    fn end(&self, kind: Kind, host: usize, task: u64, panic: Panic) {
        self.with(|state| {
            let nanos = state.nanos;
            if let Some(log) = state.trace.log() {
                log.add(nanos, kind, task, 0);
                log.panicked(host, panic);
            }
        });
    }

    /// Writes the log to where the environment wants it, unless somebody drives or nothing is new.
    pub(super) fn save_log(&self) {
        let due = self.with(|state| {
            if state.is_driven() {
                return None;
            }
            let file = state.trace.log()?.due()?;
            Some((file, self.log_of(state)))
        });
        let Some((file, log)) = due else { return };
        if let Err(error) = log.save(&file) {
            eprintln!(
                "anyrt: the log of a simulation cannot be written to {FILE}={}: {error}",
                file.display()
            );
        }
    }
}

/// From where on two logs differ, and what may be the reason.
pub(super) fn parting(a: &Log, b: &Log) -> Option<String> {
    let at = (0..a.len().max(b.len())).find(|at| a.events.get(*at) != b.events.get(*at))?;
    let said = |log: &Log| match log.events.get(at) {
        Some(event) => {
            let socket = || event.socket.map_or(String::new(), |socket| format!("s{socket} "));
            let who = event.task.map_or_else(socket, |task| format!("#{task} "));
            let host = event.host.map_or(String::new(), |host| format!(" on host {:?}", log.host(host)));
            format!("{who}{}{host} at {:?}", log.describe(event), event.time())
        }
        None => "nothing more".to_owned(),
    };
    Some(format!(
        "from event {at} on: first {}, then {}. Something comes from outside of the simulation: the order of a `HashMap`, \
         the time of the system, another thread.",
        said(a),
        said(b),
    ))
}
