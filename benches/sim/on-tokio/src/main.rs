use std::cell::RefCell;
use std::future::Future;
use std::time::Duration;

use scenarios::{Setup, Simulator, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

fn main() {
    scenarios::main::<Tokio>();
}

/// tokio with its clock paused. It has neither hosts nor links: connections are pipes, and a sleep stands for a link.
struct Tokio;

thread_local! {
    static SERVER: RefCell<Option<UnboundedSender<DuplexStream>>> = const { RefCell::new(None) };
    static RANDOM: RefCell<fastrand::Rng> = const { RefCell::new(fastrand::Rng::with_seed(0)) };
}

fn runtime(setup: Setup) -> Runtime {
    RANDOM.with(|random| *random.borrow_mut() = fastrand::Rng::with_seed(setup.seed));
    Builder::new_current_thread().enable_time().start_paused(true).build().expect("there are threads")
}

/// Tokio's timers count milliseconds.
async fn pass_link() {
    let nanos = RANDOM.with(|random| random.borrow_mut().u64(1_000_000..10_000_000));
    tokio::time::sleep(Duration::from_nanos(nanos)).await;
}

impl Simulator for Tokio {
    type Listener = Mutex<UnboundedReceiver<DuplexStream>>;
    type Stream = Connection;

    fn run<S, C>(setup: Setup, server: impl Fn() -> S + Send + 'static, clients: Vec<C>) -> Duration
    where
        S: Future<Output = ()> + Send + 'static,
        C: Future<Output = ()> + Send + 'static,
    {
        Self::run_alone(setup, async move {
            drop(tokio::spawn(server()));
            let clients: Vec<_> = clients.into_iter().map(tokio::spawn).collect();
            for client in clients {
                client.await.expect("it does not panic");
            }
        })
    }

    fn run_alone(setup: Setup, main: impl Future<Output = ()> + Send + 'static) -> Duration {
        runtime(setup).block_on(async {
            let start = Instant::now();
            main.await;
            start.elapsed()
        })
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) -> impl Future<Output = ()> + Send + 'static {
        let task = tokio::spawn(task);
        async { task.await.expect("it does not panic") }
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(duration)
    }

    fn yield_now() -> impl Future<Output = ()> + Send {
        tokio::task::yield_now()
    }

    async fn listen() -> Self::Listener {
        let (server, listener) = unbounded_channel();
        SERVER.with(|cell| *cell.borrow_mut() = Some(server));
        Mutex::new(listener)
    }

    async fn accept(listener: &Self::Listener) -> Connection {
        Connection(listener.lock().await.recv().await.expect("somebody connects"))
    }

    async fn connect() -> Connection {
        pass_link().await;
        let (ours, theirs) = duplex(1 << 16);
        SERVER.with(|cell| cell.borrow().as_ref().map(|server| server.send(theirs)));
        pass_link().await;
        Connection(ours)
    }
}

struct Connection(DuplexStream);

impl Stream for Connection {
    async fn send(&mut self, message: &[u8]) {
        pass_link().await;
        self.0.write_all(message).await.expect("the peer is there");
    }

    async fn receive(&mut self, message: &mut [u8]) -> bool {
        self.0.read_exact(message).await.is_ok()
    }
}
