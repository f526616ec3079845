//! Libraries that have threads and clocks of their own, in a simulation: what `simulation.md` says of them.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use anyrt::time::sleep;
use anyrt::{BlockOn, Sim};

/// What a simulation of this program panics with.
pub(crate) fn panic_of<E>(program: impl AsyncFnOnce() -> Result<(), E>) -> String {
    let sim = Sim::new().unwrap();
    let ended = catch_unwind(AssertUnwindSafe(|| sim.block_on(program()).is_ok()));
    *ended.unwrap_err().downcast::<String>().unwrap()
}

/// Virtual time, in which a simulation waits for nobody, and real time, which other threads need.
pub(crate) async fn takes_real_time() {
    for _ in 0..100 {
        sleep(Duration::from_secs(1)).await;
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn reqwest_is_another_thread_to_a_simulation() {
    use std::io::Read;
    use std::net::TcpListener;

    use async_compat::Compat;
    use futures::future::join;

    // It takes a request, and has nothing to say.
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let (asked, is_asked) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let mut client = server.accept().unwrap().0;
        client.read_exact(&mut [0; 3]).unwrap();
        asked.send(client).unwrap();
    });
    let panic = panic_of(async || {
        let get = Compat::new(reqwest::get(format!("http://{address}/")));
        join(get, takes_real_time()).await.0?;
        Ok::<_, Box<dyn Error>>(())
    });
    assert!(panic.contains("another thread has woken a task"), "{panic}");
    drop(is_asked);
}
