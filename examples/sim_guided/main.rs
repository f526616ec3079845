//! Bugs that take five rare orders in a row, and how many runs a guided search makes until it finds them, beside one of plain seeds.
//!
//! ```sh
//! cargo run --release -p examples --no-default-features --features sim --example sim_guided
//! ```
//!
//! Arguments, if there are any: how many searches of each kind, and which bug alone, `election` or `race`.
#![allow(clippy::unwrap_used, reason = "a program that is searched fails by a panic")]

use std::net::SocketAddr;
use std::panic::catch_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyrt::net::UdpSocket;
use anyrt::sim::LinkOptions;
use anyrt::{BlockOn, Sim, Spawn, Time};

/// In each round the last must win over all others.
const RIVALS: usize = 12;
const ROUNDS: usize = 5;

/// Searches begin with seeds that are far from each other.
const FAR: u64 = 1 << 32;

fn main() {
    // The reports are the result here, and need not be printed.
    std::panic::set_hook(Box::new(|_| {}));
    let mut arguments = std::env::args().skip(1);
    let starts =
        arguments.next().and_then(|starts| starts.parse().ok()).filter(|starts| *starts > 0).unwrap_or(11);
    let only = arguments.next();
    println!("runs until the bug is found: the median of {starts} searches, the fewest and the most");
    for (name, program) in [("election", election as fn(&Sim)), ("race", race)] {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let guided = searches(true, starts, 1_000_000, program);
        let median = guided.median();
        println!("{name:10} guided      {guided}");
        let plain = searches(false, starts, 10 * median, program);
        println!("{name:10} plain seeds {plain}, of {} at most", 10 * median);
    }
}

/// Twelve candidates in each term. Whoever is first leads; the bug is in the fifth term in a row of the last one.
fn election(sim: &Sim) {
    sim.block_on(async {
        for _ in 0..ROUNDS {
            let leader = Arc::new(AtomicUsize::new(RIVALS));
            let candidates: Vec<_> = (0..RIVALS)
                .map(|candidate| {
                    let leader = leader.clone();
                    sim.spawn(async move {
                        anyrt::yield_now().await;
                        let _ =
                            leader.compare_exchange(RIVALS, candidate, Ordering::Relaxed, Ordering::Relaxed);
                    })
                })
                .collect();
            for candidate in candidates {
                candidate.await.unwrap();
            }
            if leader.load(Ordering::Relaxed) != RIVALS - 1 {
                return;
            }
        }
        panic!("the last candidate has led for {ROUNDS} terms");
    });
}

/// A client asks twelve hosts. The bug is where the last one is the first to answer for the fifth time in a row.
fn race(sim: &Sim) {
    sim.links()
        .set(&LinkOptions::new().latency(Duration::from_millis(1)).jitter(Duration::from_millis(9)))
        .unwrap();
    for rival in 0..RIVALS as u8 {
        let host = sim.host(&format!("rival {rival}"), [10, 0, 1, rival]).unwrap();
        host.spawn(async move {
            let socket = UdpSocket::bind("0.0.0.0:7").await.unwrap();
            let mut round = [0; 1];
            loop {
                let (_, from) = socket.recv_from(&mut round).await.unwrap();
                socket.send_to(&[round[0], rival], from).await.unwrap();
            }
        })
        .detach();
    }
    sim.block_on(async {
        let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        sim.sleep(Duration::from_millis(1)).await;
        for round in 0..ROUNDS as u8 {
            for rival in 0..RIVALS as u8 {
                socket.send_to(&[round], SocketAddr::from(([10, 0, 1, rival], 7))).await.unwrap();
            }
            let mut answer = [0; 2];
            loop {
                socket.recv_from(&mut answer).await.unwrap();
                if answer[0] == round {
                    break;
                }
            }
            if usize::from(answer[1]) != RIVALS - 1 {
                return;
            }
        }
        panic!("the last host was first {ROUNDS} times");
    });
}

/// Outcomes of searches: how many runs passed before the first that failed, or more than all.
struct Searches {
    passed: Vec<u64>,
    most: u64,
    took: Duration,
}

fn searches(guided: bool, starts: u64, most: u64, program: fn(&Sim)) -> Searches {
    let begun = Instant::now();
    let mut passed: Vec<u64> = (0..starts)
        .map(|start| {
            let seeds = start * FAR..start * FAR + most;
            let search = || Sim::builder().guided(guided).explore(seeds, program);
            match catch_unwind(search) {
                Ok(()) => u64::MAX,
                Err(report) => {
                    let report = report.downcast_ref::<String>().unwrap();
                    let after = report
                        .split_once(" fails, after ")
                        .and_then(|(_, rest)| rest.split_once(" runs that passed"));
                    after.unwrap_or_else(|| panic!("{report}")).0.replace(',', "").parse().unwrap()
                }
            }
        })
        .collect();
    passed.sort_unstable();
    Searches { passed, most, took: begun.elapsed() }
}

impl Searches {
    fn median(&self) -> u64 {
        self.passed[self.passed.len() / 2]
    }
}

impl std::fmt::Display for Searches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = |runs: u64| if runs == u64::MAX { "not found".to_owned() } else { runs.to_string() };
        let of = |at: usize| words(self.passed[at]);
        let found = self.passed.iter().filter(|runs| **runs < u64::MAX).count();
        let all: u64 = self.passed.iter().map(|runs| (*runs).min(self.most)).sum();
        write!(
            f,
            "{:>9} ({} to {}), found by {found} of {}, {:.0} runs/s",
            words(self.median()),
            of(0),
            of(self.passed.len() - 1),
            self.passed.len(),
            all as f64 / self.took.as_secs_f64()
        )
    }
}
