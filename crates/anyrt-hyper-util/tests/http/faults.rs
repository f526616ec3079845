use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyrt::net::{ConnectOptions, Resolve, TcpListener, TcpStream};
use anyrt::{AnyRuntime, Sim, Time};
use anyrt_hyper_util::{Client, Connector, client, client_builder, serve};
use axum::body::Body;
use futures::io::{AsyncReadExt, AsyncWriteExt};

use crate::{app, fetch, secs, uri};

/// Reads a request without a body.
async fn read_request(stream: &mut TcpStream) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).await?;
        request.push(byte[0]);
    }
    Ok(())
}

/// Where each connection has one `answer`, and ends: with a reset, or in order.
async fn answers_once(answer: &'static str, reset: bool) -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    let serves = anyrt::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            drop(anyrt::spawn(async move {
                if reset {
                    stream.set_linger(Some(Duration::ZERO))?;
                }
                read_request(&mut stream).await?;
                stream.write_all(answer.as_bytes()).await
            }));
        }
    });
    drop(serves);
    Ok(base)
}

#[anyrt::test]
async fn reset_in_a_body_is_an_error_in_time(rt: AnyRuntime) -> io::Result<()> {
    for reset in [false, true] {
        let base = answers_once("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf of it", reset).await?;
        let client = client();
        let begun = rt.now();
        assert!(fetch(&client, uri(&base, "/")).await.is_err());
        assert!(rt.now() - begun < secs(10));
    }
    Ok(())
}

/// What the pool keeps is closed, which it may not know yet: such a request is repeated where nothing of it was written, and
/// fails otherwise, because it may have been served.
#[anyrt::test]
async fn server_may_close_what_the_pool_keeps() -> io::Result<()> {
    for reset in [false, true] {
        let base = answers_once("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", reset).await?;
        let client = client();
        for _ in 0..10 {
            // Some of them at once.
            while fetch(&client, uri(&base, "/")).await.is_err() {}
        }
    }
    Ok(())
}

/// The name of a server that may be elsewhere next time.
#[derive(Clone)]
struct Moving(Arc<Mutex<SocketAddr>>);

#[anyrt::async_trait]
impl Resolve for Moving {
    async fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(vec![*self.0.lock().unwrap()])
    }
}

#[anyrt::test]
async fn server_that_is_gone_is_an_error_until_it_is_back(rt: AnyRuntime) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let name = Moving(Arc::new(Mutex::new(listener.local_addr()?)));
    let connector = Connector::new().options(ConnectOptions::new().resolver(name.clone()));
    let client: Client<Body> = client_builder(rt.clone()).build(connector);
    let uri = uri("http://server.example", "/");
    let server = anyrt::spawn(serve(listener, app()).into_future());
    assert_eq!(fetch(&client, uri.clone()).await.unwrap().0, "hello");
    server.abort();
    server.await.unwrap_err();
    // A connection that is just being served may go on until it has noticed.
    while fetch(&client, uri.clone()).await.is_ok() {}

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    *name.0.lock().unwrap() = listener.local_addr()?;
    drop(anyrt::spawn(serve(listener, app()).into_future()));
    while fetch(&client, uri.clone()).await.is_err() {}
    Ok(())
}

fn hosts(sim: &Sim) {
    sim.host("server", [10, 0, 0, 2]).unwrap().boot(|_| async {
        let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
        serve(listener, app()).await.unwrap();
    });
}

// A network that says nothing is there only.
#[anyrt::test(only(sim), sim(seeds = 20, with = hosts))]
async fn timeout_gives_up_a_silent_connection(rt: AnyRuntime) {
    let sim = Sim::try_from(rt.clone()).unwrap();
    rt.sleep(secs(1)).await;
    let client: Client<Body> = client();
    let uri = uri("http://server", "/");
    let (_, before) = fetch(&client, uri.clone()).await.unwrap();
    sim.links().partition();
    let begun = rt.now();
    assert!(fetch(&client, uri.clone()).await.unwrap_err().is::<anyrt::time::Elapsed>());
    assert_eq!(rt.now() - begun, secs(5));
    sim.links().heal();
    let (body, after) = fetch(&client, uri).await.unwrap();
    assert_eq!(body, "hello");
    assert_ne!(before, after, "the connection was given up with its request");
}
