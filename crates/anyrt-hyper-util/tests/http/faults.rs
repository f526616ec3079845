use std::io;
use std::time::Duration;

use anyrt::net::{TcpListener, TcpStream};
use anyrt::{AnyRuntime, Sim, Time};
use anyrt_hyper_util::{Client, client, serve};
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
        loop {
            let (mut stream, _) = listener.accept().await?;
            if reset {
                stream.set_linger(Some(Duration::ZERO))?;
            }
            // Whoever does not ask is no reason to stop.
            if read_request(&mut stream).await.is_ok() {
                stream.write_all(answer.as_bytes()).await?;
            }
        }
        #[allow(unreachable_code, reason = "the type of the task")]
        io::Result::Ok(())
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

#[anyrt::test]
async fn server_may_close_what_the_pool_keeps() -> io::Result<()> {
    for reset in [false, true] {
        let base = answers_once("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", reset).await?;
        let client = client();
        let mut failed = false;
        for _ in 0..20 {
            match fetch(&client, uri(&base, "/")).await {
                Ok((body, _)) => {
                    assert_eq!(body, "hello");
                    failed = false;
                }
                // The request was on its way when the end came, and may have been served: nobody but the caller may repeat it. A reset
                // also takes what was not yet read of the answer before.
                Err(error) => {
                    assert!(!failed || reset, "twice: {error:?}");
                    failed = true;
                }
            }
        }
    }
    Ok(())
}

#[anyrt::test]
async fn server_that_is_gone_is_an_error_until_it_is_back(rt: AnyRuntime) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let base = format!("http://{address}");
    let client = client();
    let server = anyrt::spawn(serve(listener, app()).into_future());
    assert_eq!(fetch(&client, uri(&base, "/")).await.unwrap().0, "hello");
    server.abort();
    server.await.unwrap_err();
    let begun = rt.now();
    // The connection that was kept may have been closed or not; then nobody listens.
    let _ = fetch(&client, uri(&base, "/")).await;
    assert!(fetch(&client, uri(&base, "/")).await.is_err());
    assert!(rt.now() - begun < secs(10));
    let listener = TcpListener::bind(address).await?;
    drop(anyrt::spawn(serve(listener, app()).into_future()));
    assert_eq!(fetch(&client, uri(&base, "/")).await.unwrap().0, "hello");
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
    assert!(rt.timeout(secs(5), fetch(&client, uri.clone())).await.is_err());
    assert_eq!(rt.now() - begun, secs(5));
    sim.links().heal();
    let (body, after) = rt.timeout(secs(5), fetch(&client, uri)).await.unwrap().unwrap();
    assert_eq!(body, "hello");
    assert_ne!(before, after, "the connection was given up with its request");
}
