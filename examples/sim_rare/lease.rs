//! A lease: who holds it may do what nobody else may. The server grants it for ten seconds, and waits for a tenth of a second more before it
//! grants it again. A client counts from when it has asked, so no delay of the network matters. But each has a clock of its own.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use anyrt::net::UdpSocket;
use anyrt::sim::Faults;
use anyrt::time::{Instant, sleep, sleep_until, timeout};
use anyrt::{BlockOn, Sim, Spawn, Time};

const LEASE: Duration = Duration::from_secs(10);
const MARGIN: Duration = Duration::from_millis(100);

/// One byte asks for the lease; the answer says whether it is granted.
async fn serve() -> io::Result<()> {
    let socket = UdpSocket::bind("0.0.0.0:7").await?;
    let mut free = Instant::now();
    loop {
        // An error is the answer to a client that has crashed meanwhile.
        let Ok((_, client)) = socket.recv_from(&mut [0; 1]).await else { continue };
        let is_granted = Instant::now() >= free;
        if is_granted {
            free = Instant::now() + LEASE + MARGIN;
        }
        let _ = socket.send_to(&[u8::from(is_granted)], client).await;
    }
}

async fn is_granted() -> io::Result<bool> {
    let socket = UdpSocket::bind("0.0.0.0:0").await?;
    socket.send_to(&[0], "server:7").await?;
    let mut answer = [0];
    timeout(Duration::from_millis(500), socket.recv_from(&mut answer)).await??;
    Ok(answer == [1])
}

/// Somebody who holds the lease, also where a crash takes it away.
struct Holds(Arc<AtomicU32>);

impl Drop for Holds {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn take_turns(holders: Arc<AtomicU32>, two: Arc<AtomicBool>) {
    loop {
        let asked = Instant::now();
        if is_granted().await.unwrap_or(false) {
            two.fetch_or(holders.fetch_add(1, Ordering::Relaxed) > 0, Ordering::Relaxed);
            let _holds = Holds(holders.clone());
            sleep_until(asked + LEASE).await;
        } else {
            sleep(Duration::from_millis(200)).await;
        }
    }
}

/// Two clients for two minutes.
pub(crate) fn two_hold_it(sim: &Sim, faults: &Faults) -> bool {
    let (holders, two) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let begun = || {
        // It is not `boot`ed: the server never crashes, and forgets nothing.
        let server = sim.host("server", [10, 0, 0, 2])?;
        server.spawn(serve()).detach();
        for (name, last) in [("one", 3), ("other", 4)] {
            let (holders, two) = (holders.clone(), two.clone());
            sim.host(name, [10, 0, 0, last])?.boot(move |_| take_turns(holders.clone(), two.clone()));
        }
        sim.inject(faults).map(drop)
    };
    if let Err(error) = begun() {
        eprintln!("{error}");
    }
    sim.block_on(sim.sleep(Duration::from_secs(120)));
    two.load(Ordering::Relaxed)
}
