use std::future::Future;
use std::time::Duration;

use scenarios::{Setup, Simulator, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use turmoil::net::{TcpListener, TcpStream};
use turmoil::{Builder, Sim};

fn main() {
    scenarios::main::<Turmoil>();
}

struct Turmoil;

fn sim<'a>(setup: Setup) -> Sim<'a> {
    let mut builder = Builder::new();
    builder.rng_seed(setup.seed).enable_random_order();
    builder.tick_duration(setup.tick).simulation_duration(setup.limit);
    builder.min_message_latency(Duration::from_millis(1)).max_message_latency(Duration::from_millis(10));
    let sim = builder.build();
    if !setup.own_curve {
        // Exponential, with the mean of 1 to 10 ms.
        sim.set_message_latency_curve(1.59);
    }
    sim
}

impl Simulator for Turmoil {
    type Listener = TcpListener;
    type Stream = Connection;

    fn run<S, C>(setup: Setup, server: impl Fn() -> S + Send + 'static, clients: Vec<C>) -> Duration
    where
        S: Future<Output = ()> + Send + 'static,
        C: Future<Output = ()> + Send + 'static,
    {
        let mut sim = sim(setup);
        sim.host("server", move || {
            let server = server();
            async {
                server.await;
                Ok(())
            }
        });
        for (n, client) in clients.into_iter().enumerate() {
            sim.client(format!("client{n}"), async {
                client.await;
                Ok(())
            });
        }
        sim.run().expect("it does not fail");
        sim.elapsed()
    }

    fn run_alone(setup: Setup, main: impl Future<Output = ()> + Send + 'static) -> Duration {
        let mut sim = sim(setup);
        sim.client("main", async {
            main.await;
            Ok(())
        });
        sim.run().expect("it does not fail");
        sim.elapsed()
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
