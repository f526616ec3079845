//! Verifies argon2 hashes through `spawn_blocking` while a ticker on the event loop keeps its rhythm.
//!
//! ```sh
//! cargo run -p examples --features argon2 --example password
//! cargo run -p examples --features argon2 --example password -- --block --watch
//! ```
//!
//! With `--block` the hashes are verified in async tasks, the wrong way: they hold every worker, and the ticker
//! waits with everybody else. With `--watch` the tasks that block are reported while they do, and counted.

#[path = "../shared/mod.rs"]
mod shared;

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyrt::task::{Builder, JoinSet};
use anyrt::watch::{Snapshot, WatchOptions};
use anyrt::{AnyRuntime, Runtime};
use argon2::password_hash::{PasswordHash, SaltString};
use argon2::{Argon2, Params, PasswordHasher, PasswordVerifier};
use clap::{Command, arg, value_parser};

use shared::{Error, Program};

fn arguments() -> Command {
    let about = "Verifies passwords beside a ticker, and says how late the ticker was";
    Command::new("password").about(about).args([
        arg!(--hashes <HASHES> "How many hashes to verify")
            .value_parser(value_parser!(u32).range(1..))
            .default_value("60"),
        arg!(--tick <MILLISECONDS> "The time between two ticks")
            .value_parser(value_parser!(u64).range(1..))
            .default_value("10"),
        arg!(--block "Verify in async tasks, the wrong way"),
        arg!(--watch "Report tasks that block their thread for longer than the time between two ticks"),
        shared::runtime(),
    ])
}

fn main() -> ExitCode {
    shared::main(arguments(), |arguments| {
        let (hashes, tick) = (shared::value(&arguments, "hashes"), shared::value(&arguments, "tick"));
        let check = Check {
            hash: hash("correct horse").map_err(argon2_error)?,
            hashes,
            tick: Duration::from_millis(tick),
            at_once: thread::available_parallelism()?.get(),
            block: arguments.get_flag("block"),
            watch: arguments.get_flag("watch"),
        };
        let reports = shared::run(shared::value(&arguments, "runtime"), &check)?;
        let way = if check.block { "inside async tasks" } else { "through spawn_blocking" };
        let mut text = format!("{hashes} hashes verified {way}, a tick every {tick} ms\n\n");
        text += &format!(
            "{:<10}  {:>9}  {:>8}  {:>5}  {:>16}\n",
            "runtime", "time", "hashes/s", "ticks", "worst tick late"
        );
        let mut seen = String::new();
        for (runtime, Report { took, ticks, worst, watched }) in reports {
            let rate = f64::from(hashes) / took.as_secs_f64();
            let [took, worst] = [took, worst].map(|time| time.as_secs_f64() * 1e3);
            text += &format!("{runtime:<10}  {took:>6.0} ms  {rate:>8.0}  {ticks:>5}  {worst:>13.1} ms\n");
            seen += &watched.map_or_else(String::new, |numbers| slow_polls(runtime, &numbers));
        }
        Ok(text + &seen)
    })
}

struct Check {
    hash: String,
    hashes: u32,
    tick: Duration,
    at_once: usize,
    block: bool,
    watch: bool,
}

struct Report {
    took: Duration,
    ticks: u32,
    worst: Duration,
    watched: Option<Snapshot>,
}

/// Whose polls were slow, and how many.
fn slow_polls(runtime: &str, numbers: &Snapshot) -> String {
    let mut text = format!("\nslow polls on {runtime}: {}", numbers.slow_polls);
    for place in &numbers.slow_places {
        let longest = place.longest.as_millis();
        text += &format!(
            "\n  {} of what is spawned at {}, the longest {longest} ms",
            place.polls, place.spawned_at
        );
    }
    text + "\n"
}

impl Program for Check {
    type Report = Report;

    fn on<R>(&self, new: impl Fn() -> io::Result<R>) -> Result<Report, Error>
    where
        R: Runtime + Into<AnyRuntime>,
    {
        let runtime = new()?;
        if !self.watch {
            return runtime.block_on(self.run(runtime.clone()));
        }
        let runtime = runtime.into().watch(WatchOptions::new().warn_after(self.tick))?;
        let report = runtime.block_on(self.run(runtime.clone()))?;
        Ok(Report { watched: runtime.watch_snapshot(), ..report })
    }

    async fn run<R: Runtime>(&self, runtime: R) -> Result<Report, Error> {
        let start = runtime.now();
        let stop = Arc::new(AtomicBool::new(false));
        let ticker = runtime.spawn(tick(runtime.clone(), self.tick, stop.clone()));

        let mut right = 0;
        let mut checks = JoinSet::new();
        for n in 0..self.hashes {
            // There are more blocking threads than cores: further hashes would only wait for a core.
            if checks.len() == self.at_once {
                right += next_right(&mut checks).await?;
            }
            // Every other password is right.
            let password = if n % 2 == 0 { "correct horse" } else { "battery staple" };
            let hash = self.hash.clone();
            let check = move || verify(&hash, password);
            if self.block {
                checks.insert(Builder::new().name("check").spawn_on(async move { check() }, &runtime)?);
            } else {
                checks.spawn_blocking_on(check, &runtime);
            }
        }
        while !checks.is_empty() {
            right += next_right(&mut checks).await?;
        }
        let took = runtime.now() - start;

        stop.store(true, Ordering::Relaxed);
        let (ticks, worst) = ticker.await?;
        if right != self.hashes.div_ceil(2) {
            return Err(
                io::Error::other(format!("{right} passwords were right, and not every other one")).into()
            );
        }
        Ok(Report { took, ticks, worst, watched: None })
    }
}

type Checks = JoinSet<Result<bool, argon2::password_hash::Error>>;

/// Waits for one check; returns 1 if the password was right.
async fn next_right(checks: &mut Checks) -> Result<u32, Error> {
    match checks.join_next().await {
        Some(verified) => Ok(verified?.map_err(argon2_error)?.into()),
        None => Ok(0),
    }
}

/// Ticks until it is stopped; returns the number of ticks, and the longest delay.
async fn tick<R: Runtime>(runtime: R, period: Duration, stop: Arc<AtomicBool>) -> (u32, Duration) {
    let mut interval = runtime.interval(period);
    let (mut ticks, mut worst) = (0, Duration::ZERO);
    while !stop.load(Ordering::Relaxed) {
        let due = interval.tick().await;
        ticks += 1;
        worst = worst.max(runtime.now() - due);
    }
    (ticks, worst)
}

fn argon2_error(error: argon2::password_hash::Error) -> Error {
    io::Error::other(error.to_string()).into()
}

/// The minimum that OWASP recommends: 19 MiB, two passes.
fn argon2() -> Result<Argon2<'static>, argon2::password_hash::Error> {
    let params = Params::new(19 * 1024, 2, 1, None)?;
    Ok(Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params))
}

fn hash(password: &str) -> Result<String, argon2::password_hash::Error> {
    let salt = SaltString::encode_b64(b"a salt for a demonstration")?;
    Ok(argon2()?.hash_password(password.as_bytes(), &salt)?.to_string())
}

fn verify(hash: &str, password: &str) -> Result<bool, argon2::password_hash::Error> {
    let hash = PasswordHash::new(hash)?;
    match argon2()?.verify_password(password.as_bytes(), &hash) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::Password) => Ok(false),
        Err(error) => Err(error),
    }
}
