use std::future::Future;
use std::time::Duration;

use anyrt::net::{TcpListener, TcpStream};
use anyrt::sim::LinkOptions;
use anyrt::{BlockOn, Sim, Spawn};
use futures::future::join_all;
use futures::io::{AsyncReadExt, AsyncWriteExt};
use scenarios::{Setup, Simulator, Stream};

fn main() {
    scenarios::main::<Anyrt>();
}

struct Anyrt;

/// The only function that sets up a simulation.
fn sim(setup: Setup) -> Sim {
    let sim = Sim::builder().seed(setup.seed).build().expect("a seed is all it needs");
    let options = LinkOptions::new().latency(Duration::from_millis(1)).jitter(Duration::from_millis(9));
    sim.links().set(&options).expect("it is a latency");
    sim
}

impl Simulator for Anyrt {
    type Listener = TcpListener;
    type Stream = Connection;

    fn run<S, C>(setup: Setup, server: impl Fn() -> S + Send + 'static, clients: Vec<C>) -> Duration
    where
        S: Future<Output = ()> + Send + 'static,
        C: Future<Output = ()> + Send + 'static,
    {
        let sim = sim(setup);
        drop(sim.host("server", [10, 0, 1, 0]).expect("a new host").spawn(server()));
        let clients = (1..).zip(clients).map(|(n, client)| {
            sim.host(&format!("client{n}"), [10, 0, 1, n]).expect("a new host").spawn(client)
        });
        for client in sim.block_on(join_all(clients)) {
            client.expect("it does not panic");
        }
        sim.elapsed()
    }

    fn run_alone(setup: Setup, main: impl Future<Output = ()> + Send + 'static) -> Duration {
        let sim = sim(setup);
        sim.block_on(main);
        sim.elapsed()
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) -> impl Future<Output = ()> + Send + 'static {
        let task = anyrt::spawn(task);
        async { task.await.expect("it does not panic") }
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> + Send {
        anyrt::time::sleep(duration)
    }

    fn yield_now() -> impl Future<Output = ()> + Send {
        anyrt::yield_now()
    }

    async fn listen() -> TcpListener {
        TcpListener::bind("0.0.0.0:80").await.expect("the port is free")
    }

    async fn accept(listener: &TcpListener) -> Connection {
        Connection(listener.accept().await.expect("somebody connects").0)
    }

    async fn connect() -> Connection {
        Connection(TcpStream::connect("server:80").await.expect("the server listens"))
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
