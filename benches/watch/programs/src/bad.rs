//! Mistakes of tasks. Each of them blocks its thread for some 100 to 300 ms.

use std::collections::HashMap;
use std::future::pending;
use std::hint::black_box;
use std::net::ToSocketAddrs;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use argon2::Argon2;
use fancy_regex::RegexBuilder;
use serde::{Deserialize, Serialize};

use crate::outcome::{self, blocking};
use crate::{Task, polls, slow_dns};

/// A bad program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum, Serialize, Deserialize)]
pub enum Program {
    FsRead,
    ThreadSleep,
    Argon2,
    Mutex,
    Regex,
    HashMap,
    Dns,
    Yields,
    Destructor,
    Channel,
    /// `thread::sleep` in the main future
    MainFuture,
    /// `thread::sleep` in a task that a dependency spawns with a function of the runtime
    Foreign,
    /// `thread::sleep` where it may be: in a blocking closure
    Pool,
}

const TIME: Duration = Duration::from_millis(200);

/// A regular expression gives up after as many.
const STEPS: usize = 8_000_000;

/// Loops that compute and yield, at the same time.
pub(crate) const LOOPS: usize = 8;

/// Does what takes long beforehand, and returns the task.
pub(crate) fn prepare(program: Program) -> Task {
    match program {
        Program::FsRead => {
            let path = env::temp_dir().join(format!("anyrt-watch-bench-{}", process::id()));
            fs::write(&path, vec![7; 32 << 20]).expect("a temporary file");
            Box::pin(async move {
                blocking(|| again_and_again(|| drop(black_box(fs::read(&path).expect("it is there")))));
                let _ = fs::remove_file(path);
            })
        }
        Program::ThreadSleep | Program::MainFuture | Program::Foreign | Program::Pool => {
            Box::pin(async { sleep() })
        }
        Program::Argon2 => Box::pin(async {
            blocking(|| {
                again_and_again(|| {
                    let mut key = [0; 32];
                    let hashed = Argon2::default().hash_password_into(b"password", b"salt of it", &mut key);
                    hashed.expect("its parameters are the defaults");
                    black_box(key);
                });
            });
        }),
        Program::Mutex => {
            let mutex = Arc::new(Mutex::new(0));
            let (ask, asked) = mpsc::channel();
            let (tell, told) = mpsc::channel();
            let of_thread = mutex.clone();
            thread::spawn(move || {
                let _ = asked.recv();
                let _guard = of_thread.lock();
                let _ = tell.send(());
                thread::sleep(TIME);
            });
            Box::pin(async move {
                blocking(|| {
                    let _ = ask.send(());
                    let _ = told.recv();
                    black_box(*mutex.lock().expect("nobody panics"));
                });
            })
        }
        Program::Regex => {
            // Of https://docs.rs/fancy-regex: each further `ab` doubles the steps, until the limit of steps ends it.
            let regex =
                RegexBuilder::new("^(a|b|ab)*(?=c)$").backtrack_limit(STEPS).build().expect("it is one");
            let text = "ab".repeat(60);
            Box::pin(async move { blocking(|| drop(black_box(regex.is_match(&text)))) })
        }
        Program::HashMap => {
            let map: HashMap<u64, u64> = (0..10_000_000).map(|key| (key, key)).collect();
            // Never dropped, which would take long as well.
            let map: &'static _ = Box::leak(Box::new(map));
            Box::pin(async { blocking(|| drop(black_box(map.clone()))) })
        }
        Program::Dns => {
            let host = slow_dns::start();
            Box::pin(async move { blocking(|| drop(black_box((host, 80).to_socket_addrs()))) })
        }
        Program::Yields => Box::pin(yields()),
        Program::Destructor => {
            let mut large: Vec<_> = (0..2_000_000_u64).map(Box::new).collect();
            // What is dropped next is somewhere else in the memory, as it is in a program that has run for some time.
            large.sort_unstable_by_key(|number| number.reverse_bits());
            let large = Large(large);
            Box::pin(async {
                let _large = large;
                pending().await
            })
        }
        Program::Channel => {
            let (ask, asked) = mpsc::channel();
            let (tell, told) = mpsc::channel();
            thread::spawn(move || {
                let _ = asked.recv();
                thread::sleep(TIME);
                let _ = tell.send(());
            });
            Box::pin(async move {
                blocking(|| {
                    let _ = ask.send(());
                    let _ = told.recv();
                });
            })
        }
    }
}

pub(crate) fn sleep() {
    blocking(|| thread::sleep(TIME));
}

/// Computes for long in many short polls.
pub(crate) async fn yields() {
    outcome::begin();
    for _ in 0..100 {
        let slice = Instant::now();
        while slice.elapsed() < Duration::from_millis(2) {
            black_box(slice);
        }
        polls::yield_now().await;
    }
    outcome::end();
}

fn again_and_again(mut call: impl FnMut()) {
    let begun = Instant::now();
    while begun.elapsed() < TIME * 3 / 4 {
        call();
    }
}

/// Its destructor takes long.
#[expect(clippy::vec_box, reason = "each of them takes its time")]
struct Large(Vec<Box<u64>>);

impl Drop for Large {
    fn drop(&mut self) {
        blocking(|| self.0.clear());
    }
}
