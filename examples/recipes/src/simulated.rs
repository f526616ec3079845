//! Libraries with threads and clocks of their own in a simulation: the claims of `simulation.md`.

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use anyrt::time::sleep;
use anyrt::{BlockOn, Sim};
use async_compat::Compat;
use futures::future::join;

/// Returns the panic of a simulation of this program.
pub(crate) fn panic_of<T>(program: impl AsyncFnOnce() -> T) -> String {
    let sim = Sim::new().unwrap();
    let ended = catch_unwind(AssertUnwindSafe(|| drop(sim.block_on(program()))));
    *ended.unwrap_err().downcast::<String>().unwrap()
}

/// Spends virtual time, in which a simulation waits for nothing, and real time, which other threads need.
pub(crate) async fn takes_real_time() {
    for _ in 0..1_000 {
        sleep(Duration::from_secs(1)).await;
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn reqwest_is_another_thread_to_a_simulation() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", server.local_addr().unwrap());
    // The thread may end while the client connects.
    let _serves = thread::spawn(move || -> io::Result<()> {
        let mut client = server.accept()?.0;
        client.read_exact(&mut [0; 16])?;
        // The task is waiting by now, unless it has been woken before.
        thread::sleep(Duration::from_millis(50));
        client.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
    });
    let panic = panic_of(async || {
        let get = Compat::new(reqwest::get(url));
        join(get, takes_real_time()).await.0
    });
    assert!(panic.contains("another thread has woken a task"), "{panic}");
}
