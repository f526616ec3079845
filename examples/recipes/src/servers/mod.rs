//! Servers for tests: redis and PostgreSQL, each with a port and a directory of its own.
//!
//! Each server is run by a shell, see `keep.sh`. The shell is in a process group of its own, so a signal to the tests
//! does not kill it, and ends its server when the tests have ended.
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

/// The reason why there is no server, and what to do.
type Missing = String;

/// One server per process.
type Shared = OnceLock<Result<Mutex<Server>, Missing>>;

static REDIS: Shared = OnceLock::new();
static POSTGRES: Shared = OnceLock::new();

/// Returns the address of a redis; `None`, with a line that says why, if there is no server.
pub(crate) fn redis() -> Option<SocketAddr> {
    own_redis().map(|redis| redis.address)
}

/// Returns the address of a PostgreSQL; `None`, with a line that says why, if there is no server.
pub(crate) fn postgres() -> Option<SocketAddr> {
    own_postgres().map(|postgres| postgres.address)
}

/// Returns a redis that only this test uses, so that it can stop it.
pub(crate) fn own_redis() -> Option<MutexGuard<'static, Server>> {
    own(REDIS.get_or_init(Server::redis))
}

/// Returns a PostgreSQL that only this test uses, so that it can stop it.
pub(crate) fn own_postgres() -> Option<MutexGuard<'static, Server>> {
    own(POSTGRES.get_or_init(Server::postgres))
}

fn own(server: &'static Result<Mutex<Server>, Missing>) -> Option<MutexGuard<'static, Server>> {
    let server = or_skip(server.as_ref())?;
    let mut server = server.lock().unwrap_or_else(PoisonError::into_inner);
    // A failed test may have left the server stopped.
    server.start();
    Some(server)
}

fn or_skip<T>(server: Result<T, &Missing>) -> Option<T> {
    let thread = thread::current();
    let test = thread.name().unwrap_or("a test");
    // Not `eprintln!`, which libtest hides in a passing test. One write, so that lines of threads do not mix.
    let skip =
        |missing: &&Missing| drop(io::stderr().write_all(format!("skipped {test}: {missing}\n").as_bytes()));
    server.inspect_err(skip).ok()
}

/// A running server. It stops when this is dropped or when the process ends, and deletes its files.
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
        // Below the ports that systems assign, so that no other process gets the port while the server is stopped.
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
            // Reads on after the receiver is dropped: a server whose pipe is full would block.
            thread::spawn(move || {
                output.lines().map_while(Result::ok).for_each(|line| drop(says.send(line)))
            });
            let mut server = Self { address: ([127, 0, 0, 1], port).into(), runs: true, shell, orders, log };
            if server.is_ready() {
                return Mutex::new(server);
            }
        }
    }

    /// Stops the server with this signal.
    pub(crate) fn stop(&mut self, signal: &str) {
        self.order(signal);
        self.wait_for(&["stopped"]);
        self.runs = false;
    }

    /// Starts the server again, unless it runs, with the same address and data.
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

    /// Returns whether the server is ready; false if its port is taken.
    fn is_ready(&mut self) -> bool {
        // Both print this, with `R` or `r`; the second is the system's text.
        self.wait_for(&["eady to accept connections", "ddress already in use"]) == 0
    }

    /// Returns which of these texts the server prints first.
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

/// Returns the path of a program. Debian has a folder for each version of PostgreSQL.
fn program(name: &str, package: &str) -> Result<PathBuf, Missing> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders = env::split_paths(&path).chain(versions.map(|version| version.path().join("bin")));
    let found = folders.find_map(|folder| Some(folder.join(name)).filter(|program| program.is_file()));
    found
        .ok_or_else(|| format!("there is no {name} here, which `apt-get install {package}` brings on Debian"))
}

/// Returns a name that no other test uses: all runtimes share one server.
pub(crate) fn unique(name: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("{name} {}", NEXT.fetch_add(1, Ordering::Relaxed))
}
