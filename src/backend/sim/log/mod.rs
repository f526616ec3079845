//! The log of events: as text, as JSON, and as a page with a timeline.

mod coverage;
mod event;
mod hash;
mod html;
mod json;
mod kind;
mod recorder;
mod trace;

use std::env;
use std::fmt;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use self::event::Event;
use super::replay::Seed;
use super::schedule::Policy;

pub(super) use coverage::{News, Same};
pub(super) use event::{Origin, TaskKind, Wait};
pub(super) use hash::hash;
pub(super) use kind::Kind;
pub(super) use trace::Trace;

/// Where the log goes, when it is to be kept without a change of the program.
const FILE: &str = "ANYRT_SIM_LOG";

/// Log of the events of a simulation; returned by [`Sim::log`](crate::Sim::log).
///
/// `Display` prints one line for each event: time, host, the number of a task (`#1`) or socket (`s1`), and what
/// happened.
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
    seed: Seed,
    policy: Policy,
    hash: u64,
    hosts: Vec<(String, IpAddr)>,
    events: Vec<Event>,
}

impl Log {
    /// That of a simulation with these hosts, as far as it was kept.
    pub(super) fn new<'a>(
        seed: Seed,
        policy: Policy,
        hosts: impl Iterator<Item = (&'a str, IpAddr)>,
        trace: &Trace,
    ) -> Self {
        Self {
            seed,
            policy,
            hash: trace.hash(),
            hosts: hosts.map(|(name, ip)| (name.to_owned(), ip)).collect(),
            events: trace.events().to_vec(),
        }
    }

    /// Returns the number of events.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Returns whether the log has no events: nothing has happened, or no log was kept.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Returns the log as one JSON object.
    ///
    /// `seed` and `hash` are strings, as `ANYRT_SIM_SEED` takes it and hexadecimal, because many readers of JSON would round them; `policy` is a
    /// string; `hosts` is an array of objects with `name` and `ip`; `events` is an array of objects:
    ///
    /// - always: `at`, the virtual time in nanoseconds, and `kind`, such as `"polled"`, `"data arrived"` or `"sent"`;
    /// - where it applies: `host`; `task` or `socket`, a number; `place`, where the task was spawned;
    /// - for a task that is spawned: `is`, one of `"task"`, `"closure"` and `"block_on"`; and `name`, if it has one;
    /// - `by`, the task that woke this one; `waits`, what it waits for, in words; `text` of a note; and of
    ///   `"buggified"`, the place of a [`buggify!`](crate::buggify!) that was true; and
    ///   of faults of clocks and hosts, how bad they are; and of `"names changed"` and `"time of day set"`, to what;
    /// - `text` of a panic, and of `"failed"`, which is how the program ended; `source`, the place in the source, which
    ///   is known if `ANYRT_SIM_LOG` is set;
    /// - for an operation of a [history](crate::sim::history) that is `"called"` or `"returned"`: `operation`, a number that is the
    ///   same in both; `client`, and `text`, the operation and its result. For a `"contradiction"`: the numbers of its
    ///   `operations`, and `text`, the error;
    /// - for events on the path to another host: `peer`, that host;
    /// - for a message between hosts: `message`, a number that is the same where it is sent and where it arrives;
    ///   `what` it is, such as `"data"`; the host `peer` at the other end; the addresses `from` and `to`; `bytes`,
    ///   their number; `payload`, their hash, hexadecimal; `content`, the first 256 of them as text, escaped like a
    ///   byte string; and, where it arrives, `sent`, the time at which it was sent.
    pub fn to_json(&self) -> String {
        json::write(self)
    }

    /// Returns the log as a self-contained HTML page with a timeline.
    ///
    /// Hosts are columns, and time runs downwards. Tasks are bars with the place where they were spawned; messages are
    /// arrows with their contents. Clients of a [history](crate::sim::history) are columns, too, with bars for their operations.
    /// If the program failed, the page opens at the failure: at operations that contradict each other, or at the panic that
    /// the others quote, or else the first. The last line of the page lists the keys.
    pub fn to_html(&self) -> String {
        html::write(self)
    }

    /// Writes the log to a file: as JSON if the name ends in `.json`, as a page if it ends in `.html`, and as text
    /// otherwise.
    ///
    /// # Errors
    ///
    /// The system's error if the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref();
        let text = match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => self.to_json(),
            Some("html") => self.to_html(),
            _ => self.to_string(),
        };
        fs::write(path, text)
    }

    /// Saves it to where the environment wants it, or says on stderr why not.
    pub(super) fn save_as_wanted(&self, file: &Path) {
        if let Err(error) = self.save(file) {
            eprintln!(
                "anyrt: the log of a simulation cannot be written to {FILE}={}: {error}",
                file.display()
            );
        }
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
    // A look at the environment takes as long as a poll. What it says is meant for the whole process.
    static NAMED: OnceLock<Option<PathBuf>> = OnceLock::new();
    NAMED.get_or_init(|| env::var_os(FILE).filter(|file| !file.is_empty()).map(PathBuf::from)).clone()
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
         the time of the system, another thread, or random numbers, which select! of tokio and of futures draw, and watch \
         and Barrier of tokio. The table in the docs of anyrt::sim (What leaks) has an alternative for each.",
        said(a),
        said(b),
    ))
}
