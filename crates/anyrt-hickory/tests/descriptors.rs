//! What a resolver leaves behind. Descriptors are of the process, so one test runs at a time.
#![allow(clippy::unwrap_used)]
#![cfg(target_os = "linux")]

mod server;

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use anyrt::AnyRuntime;
use anyrt_hickory::Resolver;

use server::Server;

/// Held by the test that runs.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(|failed| failed.into_inner())
}

/// Sockets of TCP and UDP. Others may come at any time: a runtime of tokio that another test waits with has some for
/// signals.
fn sockets() -> usize {
    let tables =
        ["tcp", "tcp6", "udp", "udp6"].map(|name| fs::read_to_string(format!("/proc/self/net/{name}")));
    // The inode is the tenth column (proc(5)).
    let lines = tables.iter().flatten().flat_map(|table| table.lines().skip(1));
    let inodes: HashSet<_> = lines.filter_map(|line| line.split_whitespace().nth(9)).collect();
    let descriptors = fs::read_dir("/proc/self/fd").unwrap();
    let links = descriptors.filter_map(|descriptor| fs::read_link(descriptor.unwrap().path()).ok());
    let is_one = |link: &PathBuf| {
        let link = link.to_string_lossy();
        let inode = link.strip_prefix("socket:[").and_then(|link| link.strip_suffix(']'));
        inode.is_some_and(|inode| inodes.contains(inode))
    };
    links.filter(is_one).count()
}

// Sockets of a simulation have no descriptors.
#[anyrt::test(skip(sim = "no descriptors"))]
#[allow(clippy::await_holding_lock, reason = "tests wait for each other")]
async fn no_socket_is_left(rt: AnyRuntime) {
    let _alone = alone();
    anyrt::time::sleep(Duration::from_millis(1)).await;
    let before = sockets();
    for _ in 0..20 {
        let server = Server::start().await;
        let resolver = Resolver::from_name_servers([server.address]).unwrap();
        resolver.lookup_ip("both.test").await.unwrap();
        resolver.lookup_ip("large.test").await.unwrap();
        let silent = resolver.lookup_ip("silent.test");
        anyrt::time::timeout(Duration::from_millis(5), silent).await.unwrap_err();
    }
    // What is left is closed by tasks, which nobody can await. The test has a minute.
    while sockets() > before {
        anyrt::time::sleep(Duration::from_millis(1)).await;
    }
    drop(rt);
}
