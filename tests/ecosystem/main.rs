//! Unmodified libraries of crates.io in a simulation. None of them knows anyrt, and none needs an adapter.
//!
//! Their random numbers follow from the seed by options of their own: see `hosts` and `crypto`. Libraries without such
//! an option are left out: tungstenite 0.30 takes the masks of its frames from the system, so each of its runs has
//! other bytes.
#![allow(clippy::unwrap_used)]

mod crypto;
mod http;
mod tls;
mod websocket;

use std::env;
use std::process::Command;
use std::time::Duration;

use anyrt::{Sim, Spawn, sim::Host};

/// Creates a client and a server. A run begins with this call, on the thread on which it ends.
fn hosts(seed: u64) -> (Host, Host) {
    let client = Sim::builder().seed(seed).build().unwrap();
    // Seeds the generator of this thread, on which everything runs and from which the libraries draw.
    fastrand::seed(client.random_seed());
    let server = client.host("server", [10, 0, 0, 2]).unwrap();
    (client.this_host(), server)
}

fn bytes(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    fastrand::fill(&mut bytes);
    bytes
}

/// The result by which runs are compared: the hash of all events, and the duration.
type Run = (u64, Duration);

fn run(host: &Host) -> Run {
    let sim = host.sim();
    (sim.trace_hash(), sim.elapsed())
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

type Scenario = fn(u64) -> Run;

const SCENARIOS: [(&str, Scenario); 9] = [
    ("http1 requests", http::http1_requests),
    ("http1 half a request", http::http1_half_a_request),
    ("http1 shutdown", http::http1_shutdown),
    ("http2 streams", http::http2_streams),
    ("http2 silence", http::http2_silence),
    ("tls both ways", tls::both_ways),
    ("tls end", tls::end),
    ("tls clock", tls::clock),
    ("websocket", websocket::messages),
];

#[test]
fn three_processes_have_the_same_runs() {
    const CHILD: &str = "ANYRT_TEST_ECOSYSTEM_CHILD";
    if env::var_os(CHILD).is_some() {
        println!();
        for (name, scenario) in SCENARIOS {
            println!("{name}: {:?}", scenario(1));
        }
        return;
    }
    let children = [(); 3].map(|()| {
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", "three_processes_have_the_same_runs", "--nocapture"]).env(CHILD, "1");
        String::from_utf8(child.output().unwrap().stdout).unwrap()
    });
    for (name, scenario) in SCENARIOS {
        let expected = format!("{name}: {:?}", scenario(1));
        for child in &children {
            assert!(child.lines().any(|line| line == expected), "no {expected:?} in {child}");
        }
    }
}

#[test]
fn another_seed_is_another_run() {
    for (name, scenario) in SCENARIOS {
        let ((hash, took), (other_hash, took_other)) = (scenario(1), scenario(2));
        assert!(hash != other_hash && took != took_other, "{name}: {took:?}");
    }
}
