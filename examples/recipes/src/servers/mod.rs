//! Servers for tests: redis and PostgreSQL, each on a port and in a directory of its own, whatever else runs here.
//!
//! A shell runs each, see `keep.sh`. It is in a process group of its own, out of reach of who kills the tests, and ends its
//! server when they have ended.
#![allow(dead_code, reason = "each file of `tests` is a crate that uses a part of this")]

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use std::{env, fs, io, process, thread};

/// How long a server may take to start or to stop, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(50);

/// Why there is no server, and what to do.
type Missing = String;

/// One for the process.
type Shared = OnceLock<Result<Mutex<Server>, Missing>>;

static REDIS: Shared = OnceLock::new();
static POSTGRES: Shared = OnceLock::new();

/// Where a redis is; `None`, and a line that says why, where there is none.
pub(crate) fn redis() -> Option<SocketAddr> {
    own_redis().map(|redis| redis.address)
}

/// Where a PostgreSQL is; `None`, and a line that says why, where there is none.
pub(crate) fn postgres() -> Option<SocketAddr> {
    own_postgres().map(|postgres| postgres.address)
}

/// A redis that this test alone has, so that it can stop it.
pub(crate) fn own_redis() -> Option<MutexGuard<'static, Server>> {
    own(REDIS.get_or_init(Server::redis))
}

/// A PostgreSQL that this test alone has, so that it can stop it.
pub(crate) fn own_postgres() -> Option<MutexGuard<'static, Server>> {
    own(POSTGRES.get_or_init(Server::postgres))
}

fn own(server: &'static Result<Mutex<Server>, Missing>) -> Option<MutexGuard<'static, Server>> {
    let server = or_skip(server.as_ref())?;
    let mut server = server.lock().unwrap_or_else(PoisonError::into_inner);
    // A test that has failed may have left it stopped.
    server.start();
    Some(server)
}

fn or_skip<T>(server: Result<T, &Missing>) -> Option<T> {
    let thread = thread::current();
    let test = thread.name().unwrap_or("a test");
    // Not through `eprintln!`, which a passing test keeps to itself.
    // In one piece, beside those of other threads.
    let skip =
        |missing: &&Missing| drop(io::stderr().write_all(format!("skipped {test}: {missing}\n").as_bytes()));
    server.inspect_err(skip).ok()
}

/// A server that runs. It stops when it is dropped, or when the process ends, and leaves nothing behind.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    runs: bool,
    shell: Child,
    orders: Option<ChildStdin>,
    log: Receiver<String>,
}

impl Server {
    fn redis() -> Result<Mutex<Self>, Missing> {
        Ok(Self::run("redis", &[program("redis-server", "redis-server")?]))
    }

    fn postgres() -> Result<Mutex<Self>, Missing> {
        Ok(Self::run("postgres", &[program("initdb", "postgresql")?, program("postgres", "postgresql")?]))
    }

    fn run(name: &str, programs: &[PathBuf]) -> Mutex<Self> {
        // Below the ports that systems give out themselves, so that nobody gets it while the server is stopped.
        static NEXT: AtomicU16 = AtomicU16::new(0);
        loop {
            let port = 10_000
                + (process::id() as u16).wrapping_mul(8).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed))
                    % 20_000;
            let mut command = Command::new("sh");
            command.args(["-c", include_str!("keep.sh"), "keep.sh", name, &port.to_string()]).args(programs);
            #[cfg(unix)]
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
            let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
            let mut shell = pipes.spawn().unwrap();
            let (orders, output) = (shell.stdin.take(), BufReader::new(shell.stdout.take().unwrap()));
            let (says, log) = channel();
            // Reads on when nobody listens: a server whose log is full would wait.
            thread::spawn(move || {
                output.lines().map_while(Result::ok).for_each(|line| drop(says.send(line)))
            });
            let mut server = Self { address: ([127, 0, 0, 1], port).into(), runs: true, shell, orders, log };
            if server.is_ready() {
                return Mutex::new(server);
            }
        }
    }

    /// Stops it with this signal.
    pub(crate) fn stop(&mut self, signal: &str) {
        self.order(signal);
        self.wait_for(&["stopped"]);
        self.runs = false;
    }

    /// Starts it again, unless it runs, at the same address and with what it has stored.
    pub(crate) fn start(&mut self) {
        if !self.runs {
            self.order("start");
            assert!(self.is_ready(), "{} is taken", self.address);
            self.runs = true;
        }
    }

    fn order(&mut self, order: &str) {
        writeln!(self.orders.as_mut().unwrap(), "{order}").unwrap();
    }

    /// False if somebody else has its port.
    fn is_ready(&mut self) -> bool {
        // Both say it, with an `R` or an `r`; both quote the system.
        self.wait_for(&["eady to accept connections", "ddress already in use"]) == 0
    }

    /// Which of these the server says first.
    fn wait_for(&mut self, words: &[&str]) -> usize {
        let mut log = String::new();
        loop {
            let line = self.log.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|error| panic!("no {words:?} in time ({error}), only:\n{log}"));
            if let Some(said) = words.iter().position(|words| line.contains(words)) {
                return said;
            }
            log += &format!("{line}\n");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.orders = None;
        let _ = self.shell.wait();
    }
}

/// Where a program is. Debian has those of PostgreSQL in a folder for each version.
fn program(name: &str, package: &str) -> Result<PathBuf, Missing> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders = env::split_paths(&path).chain(versions.map(|version| version.path().join("bin")));
    let found = folders.find_map(|folder| Some(folder.join(name)).filter(|program| program.is_file()));
    found
        .ok_or_else(|| format!("there is no {name} here, which `apt-get install {package}` brings on Debian"))
}

/// A name that no other test has: all runtimes share one server.
pub(crate) fn unique(name: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("{name} {}", NEXT.fetch_add(1, Ordering::Relaxed))
}
