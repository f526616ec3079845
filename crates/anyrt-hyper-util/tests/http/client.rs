use std::collections::HashSet;
use std::error::Error as _;
use std::io;
use std::net::SocketAddr;

use anyrt::net::{ConnectOptions, Resolve, TcpListener};
use anyrt::{AnyRuntime, Sim, Time};
use anyrt_hyper_util::{Client, Connector, HttpInfo, client, client_builder, serve};
use axum::body::{Body, to_bytes};
use futures::StreamExt;
use futures::future::join_all;
use hyper::{Request, Version};
use tower_service::Service;

use crate::{app, counted, fetch, ms, secs, started, uri};

#[anyrt::test]
async fn pooled_client_reuses_a_connection() -> io::Result<()> {
    let (server, base, mut connections) = counted().await?;
    drop(anyrt::spawn(server.into_future()));
    let client: Client<Body> = client();
    let mut seen = HashSet::new();
    loop {
        // A connection is back in the pool when its task has come to it, which the next request need not wait for.
        let (body, here) = fetch(&client, uri(&base, "/")).await.unwrap();
        assert_eq!(body, "hello");
        if !seen.insert(here) {
            break;
        }
    }
    assert!(seen.contains(&connections.next().await.unwrap().0));
    Ok(())
}

#[anyrt::test]
async fn http2_requests_share_a_connection(rt: AnyRuntime) -> io::Result<()> {
    let base = started(app()).await?;
    let client: Client<Body> = client_builder(rt.clone()).http2_only(true).build(Connector::on(rt.clone()));
    let requests = (0..20_u8).map(|n| {
        let (client, uri) = (client.clone(), uri(&base, "/echo"));
        anyrt::spawn(async move {
            let response =
                client.request(Request::post(uri).body(Body::from(vec![n; 10_000])).unwrap()).await?;
            assert_eq!(response.version(), Version::HTTP_2);
            let here = response.extensions().get::<HttpInfo>().unwrap().local_addr();
            let body = to_bytes(Body::new(response.into_body()), usize::MAX).await.unwrap();
            assert!(body.len() == 10_000 && body.iter().all(|byte| *byte == n));
            Ok::<_, hyper_util::client::legacy::Error>(here)
        })
    });
    let connections: HashSet<SocketAddr> =
        join_all(requests).await.into_iter().map(|request| request.unwrap().unwrap()).collect();
    // Mostly one: hyper-util makes another where the first is just not in its pool.
    assert!(connections.len() < 20, "{connections:?}");
    Ok(())
}

#[anyrt::test]
async fn host_in_brackets_is_an_address() -> io::Result<()> {
    let Ok(listener) = TcpListener::bind("[::1]:0").await else {
        println!("skipped: no IPv6 here");
        return Ok(());
    };
    let base = format!("http://{}", listener.local_addr()?);
    drop(anyrt::spawn(serve(listener, app()).into_future()));
    assert!(base.contains("[::1]"));
    assert_eq!(fetch(&client(), uri(&base, "/")).await.unwrap().0, "hello");
    Ok(())
}

#[anyrt::test]
async fn errors_of_uris_say_what_to_write() {
    let enforcing = Connector::new();
    for (uri, what) in [
        ("/path", "`/path` has no scheme and host: write `http://host/path`"),
        ("host:80", "`host:80` has no scheme and host: write `http://host/path`"),
        (
            "https://host/",
            "`https://host/` is not of scheme `http`, and this connector has no TLS: write `http://`, or wrap it in a \
             connector that has it, and call `.enforce_http(false)`",
        ),
    ] {
        let error = enforcing.clone().call(uri.parse().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert_eq!(error.to_string(), format!("anyrt-hyper-util: {what}"));
    }
}

#[anyrt::test]
async fn refused_connection_is_an_error_of_the_connector() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    drop(listener);
    let client: Client<Body> = client();
    let error = client.get(uri(&format!("http://{address}"), "/")).await.unwrap_err();
    assert!(error.is_connect());
    let source = error.source().unwrap().downcast_ref::<io::Error>().unwrap();
    assert_eq!(source.kind(), io::ErrorKind::ConnectionRefused);
    assert!(source.to_string().contains(&address.to_string()), "{source}");
    Ok(())
}

/// A resolver that does not answer, or says what it is asked.
struct Asked(Option<SocketAddr>);

#[anyrt::async_trait]
impl Resolve for Asked {
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let Some(address) = self.0 else { return std::future::pending().await };
        assert_eq!(host, "host.example");
        Ok(vec![SocketAddr::new(address.ip(), address.port() + port - 443)])
    }
}

#[anyrt::test]
async fn connect_timeout_is_of_the_whole_attempt(rt: AnyRuntime) {
    let options = ConnectOptions::new().resolver(Asked(None));
    let mut connector = Connector::new().options(options).connect_timeout(ms(50));
    let begun = rt.now();
    let error = connector.call("http://host.example/".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    let text = "anyrt-hyper-util: no connection for `http://host.example/` within 50ms";
    assert_eq!(error.to_string(), text);
    let took = rt.now() - begun;
    assert!(if Sim::try_from(rt).is_ok() { took == ms(50) } else { took >= ms(50) }, "{took:?}");
}

#[anyrt::test]
async fn https_without_enforcing_is_port_443() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let options = ConnectOptions::new().resolver(Asked(Some(listener.local_addr()?)));
    let mut connector = Connector::new().options(options).enforce_http(false);
    let stream = connector.call("https://host.example/".parse().unwrap()).await?;
    assert_eq!(stream.get_ref().peer_addr()?, listener.local_addr()?);
    Ok(())
}

#[anyrt::test]
async fn small_writes_are_sent_at_once() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let uri = format!("http://{}", listener.local_addr()?).parse().unwrap();
    assert!(Connector::new().call(uri).await?.get_ref().nodelay()?);
    Ok(())
}

fn hosts(sim: &Sim) {
    sim.host("server", [10, 0, 0, 2]).unwrap().boot(|_| async {
        let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
        serve(listener, app()).await.unwrap();
    });
}

// Names of its own are there only.
#[anyrt::test(only(sim), sim(seeds = 20, with = hosts))]
async fn hosts_of_a_simulation_have_names() {
    // The server boots in this very moment.
    anyrt::time::sleep(secs(1)).await;
    assert_eq!(fetch(&client(), uri("http://server", "/")).await.unwrap().0, "hello");
}

// 90 seconds are too many elsewhere.
#[anyrt::test(only(sim))]
async fn idle_connection_is_closed_in_time(rt: AnyRuntime) -> io::Result<()> {
    let (server, base, mut connections) = counted().await?;
    drop(anyrt::spawn(server.header_read_timeout(None).into_future()));
    let client: Client<Body> = client();
    fetch(&client, uri(&base, "/")).await.unwrap();
    let idle = rt.now();
    let (_, end) = connections.next().await.unwrap();
    end.await.unwrap_err();
    // The pool of hyper-util looks every 90 seconds.
    let took = rt.now() - idle;
    assert!(took >= secs(90) && took < secs(181), "{took:?}");
    Ok(())
}
