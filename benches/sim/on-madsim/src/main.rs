use std::future::Future;
use std::time::Duration;

use madsim::Config;
use madsim::runtime::Runtime;
use scenarios::{Setup, Simulator, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

fn main() {
    scenarios::main::<Madsim>();
}

struct Madsim;

fn runtime(setup: Setup) -> Runtime {
    let mut config = Config::default();
    config.net.send_latency = Duration::from_millis(1)..Duration::from_millis(10);
    Runtime::with_seed_and_config(setup.seed, config)
}

impl Simulator for Madsim {
    type Listener = TcpListener;
    type Stream = Connection;

    fn run<S, C>(setup: Setup, server: impl Fn() -> S + Send + 'static, clients: Vec<C>) -> Duration
    where
        S: Future<Output = ()> + Send + 'static,
        C: Future<Output = ()> + Send + 'static,
    {
        let runtime = runtime(setup);
        let host = runtime.create_node().name("server").ip([10, 0, 1, 0].into()).build();
        drop(host.spawn(server()));
        let clients: Vec<_> = (1..)
            .zip(clients)
            .map(|(n, client)| runtime.create_node().ip([10, 0, 1, n].into()).build().spawn(client))
            .collect();
        runtime.block_on(async {
            let start = tokio::time::Instant::now();
            for client in clients {
                client.await.expect("it does not panic");
            }
            start.elapsed()
        })
    }

    fn run_alone(setup: Setup, main: impl Future<Output = ()> + Send + 'static) -> Duration {
        runtime(setup).block_on(async {
            let start = tokio::time::Instant::now();
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

    async fn listen() -> TcpListener {
        TcpListener::bind("0.0.0.0:80").await.expect("the port is free")
    }

    async fn accept(listener: &TcpListener) -> Connection {
        Connection(listener.accept().await.expect("somebody connects").0)
    }

    async fn connect() -> Connection {
        Connection(TcpStream::connect("10.0.1.0:80").await.expect("the server listens"))
    }
}

struct Connection(TcpStream);

impl Stream for Connection {
    async fn send(&mut self, message: &[u8]) {
        self.0.write_all(message).await.expect("the peer is there");
        self.0.flush().await.expect("the peer is there");
    }

    async fn receive(&mut self, message: &mut [u8]) -> bool {
        self.0.read_exact(message).await.is_ok()
    }
}
