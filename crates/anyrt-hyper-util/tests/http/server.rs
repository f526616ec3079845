use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::Mutex;

use anyrt::net::{TcpListener, TcpStream};
use anyrt::{AnyRuntime, BlockOn, Net, Smol, Time, Tokio};
use anyrt_hyper_util::{Client, Connector, Stream, client, client_builder, serve_with};
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::routing::get;
use axum::{Extension, Router};
use futures::channel::oneshot;
use futures::future::{Either, join, select};
use futures::io::{AsyncReadExt, AsyncWriteExt};
use futures::{FutureExt, StreamExt, poll};
use hyper::{Response, StatusCode, Version};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;

use crate::{app, counted, fetch, ms, secs, server, started, uri};

fn http2(rt: &AnyRuntime) -> Client<Body> {
    client_builder(rt.clone()).http2_only(true).build(Connector::on(rt.clone()))
}

#[anyrt::test]
async fn axum_answers_http1_and_http2(rt: AnyRuntime) -> io::Result<()> {
    let base = started(app()).await?;
    for (client, version) in [(client(), Version::HTTP_11), (http2(&rt), Version::HTTP_2)] {
        let response = client.get(uri(&base, "/")).await.unwrap();
        assert_eq!(response.version(), version);
        assert_eq!(to_bytes(Body::new(response.into_body()), 5).await.unwrap(), "hello");
    }
    Ok(())
}

#[anyrt::test]
async fn service_is_made_from_the_address_of_the_peer() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    let app = Router::new().route("/", get(async |Extension(peer): Extension<SocketAddr>| peer.to_string()));
    let server =
        serve_with(listener, move |peer| TowerToHyperService::new(app.clone().layer(Extension(peer))));
    drop(anyrt::spawn(server.into_future()));
    let (peer, here) = fetch(&client(), uri(&base, "/")).await.unwrap();
    assert_eq!(peer, here.to_string());
    Ok(())
}

#[anyrt::test]
async fn upgraded_connection_is_a_stream(rt: AnyRuntime) -> io::Result<()> {
    let echo = async move |mut request: Request| {
        let upgrade = hyper::upgrade::on(&mut request);
        let echoes = rt.spawn(async move {
            let parts = auto::upgrade::downcast::<Stream>(upgrade.await.unwrap()).unwrap();
            assert!(parts.read_buf.is_empty() && parts.io.get_ref().nodelay().unwrap());
            let (reader, mut writer) = parts.io.into_inner().into_split();
            futures::io::copy(reader, &mut writer).await
        });
        drop(echoes);
        Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header("connection", "upgrade")
            .header("upgrade", "echo")
            .body(Body::empty())
            .unwrap()
    };
    let base = started(Router::new().route("/", get(echo))).await?;
    let client: Client<Body> = client();
    let request = Request::get(uri(&base, "/")).header("connection", "upgrade").header("upgrade", "echo");
    let response = client.request(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    let upgraded = hyper::upgrade::on(response).await.unwrap();
    let mut stream = upgraded.downcast::<Stream>().unwrap().io.into_inner();
    stream.write_all(b"not HTTP").await?;
    stream.close().await?;
    let mut echoed = String::new();
    stream.read_to_string(&mut echoed).await?;
    assert_eq!(echoed, "not HTTP");
    Ok(())
}

#[anyrt::test]
async fn builder_chooses_the_version(rt: AnyRuntime) -> io::Result<()> {
    let (only1, base1) = server(app()).await?;
    drop(anyrt::spawn(only1.builder(|builder| builder.http1_only()).into_future()));
    let (only2, base2) = server(app()).await?;
    // Each call has what the one before has made.
    let only2 = only2.builder(|builder| builder.http2_only()).builder(|mut builder| {
        builder.http2().max_concurrent_streams(1);
        builder
    });
    drop(anyrt::spawn(only2.into_future()));
    let (http1, http2) = (client(), http2(&rt));
    assert_eq!(fetch(&http1, uri(&base1, "/")).await.unwrap().0, "hello");
    assert!(fetch(&http2, uri(&base1, "/")).await.is_err());
    assert_eq!(fetch(&http2, uri(&base2, "/")).await.unwrap().0, "hello");
    assert!(fetch(&http1, uri(&base2, "/")).await.is_err());
    Ok(())
}

/// An app whose answer waits until it is told: a request tells that it has begun, and then the answer may come.
fn held() -> (Router, oneshot::Receiver<()>, oneshot::Sender<()>) {
    let ((begin, begun), (release, released)) = (oneshot::channel::<()>(), oneshot::channel::<()>());
    let once = Arc::new(Mutex::new(Some((begin, released))));
    let app = Router::new().route(
        "/",
        get(move || {
            let (begin, released) = once.lock().unwrap().take().unwrap();
            async {
                begin.send(()).unwrap();
                released.await.unwrap();
                "held"
            }
        }),
    );
    (app, begun, release)
}

#[anyrt::test]
async fn graceful_shutdown_answers_what_has_begun(rt: AnyRuntime) -> io::Result<()> {
    for client in [client(), http2(&rt)] {
        let (app, begun, release) = held();
        let (server, base) = server(app).await?;
        let address = base["http://".len()..].to_owned();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = server.with_graceful_shutdown(stopped.map(drop)).into_future();
        let mut server = rt.spawn(server);
        let requester = client.clone();
        let request = rt.spawn(async move { fetch(&requester, uri(&base, "/")).await });
        begun.await.unwrap();
        stop.send(()).unwrap();
        // Nobody else is let in, and the request is waited for.
        while TcpStream::connect(&address).await.is_ok() {}
        assert!(poll!(&mut server).is_pending());
        release.send(()).unwrap();
        let (request, served) = join(request, server).await;
        assert_eq!(request.unwrap().unwrap().0, "held");
        served.unwrap()?;
    }
    Ok(())
}

#[anyrt::test]
async fn graceful_shutdown_closes_idle_connections(rt: AnyRuntime) -> io::Result<()> {
    let (server, base, mut connections) = counted().await?;
    let address = base.strip_prefix("http://").unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = rt.spawn(server.with_graceful_shutdown(stopped.map(drop)).into_future());
    // One of each kind: kept alive, in HTTP/2, and silent.
    let clients: [Client<Body>; 2] = [client(), http2(&rt)];
    for client in &clients {
        fetch(client, uri(&base, "/")).await.unwrap();
    }
    let mut silent = TcpStream::connect(address).await?;
    for _ in 0..3 {
        drop(connections.next().await.unwrap());
    }
    stop.send(()).unwrap();
    let begun = rt.now();
    server.await.unwrap()?;
    assert!(rt.now() - begun < secs(15), "not by the header timeout");
    // The end, or a reset.
    assert_eq!(silent.read(&mut [0]).await.unwrap_or(0), 0);
    assert!(fetch(&clients[0], uri(&base, "/")).await.is_err(), "nobody listens");
    Ok(())
}

#[anyrt::test]
async fn dropped_server_lets_connections_end(rt: AnyRuntime) -> io::Result<()> {
    let (app, begun, release) = held();
    let (server, base) = server(app).await?;
    let server = rt.spawn(server.into_future());
    let client: Client<Body> = client();
    let (requester, held) = (client.clone(), uri(&base, "/"));
    let request = rt.spawn(async move { fetch(&requester, held).await });
    begun.await.unwrap();
    server.abort();
    server.await.unwrap_err();
    release.send(()).unwrap();
    assert_eq!(request.await.unwrap().unwrap().0, "held");
    // It is kept for no other, once it has noticed.
    while fetch(&client, uri(&base, "/")).await.is_ok() {}
    Ok(())
}

/// How long a connection that has sent `bytes` is kept.
async fn kept(rt: &AnyRuntime, base: &str, bytes: &[u8]) -> io::Result<std::time::Duration> {
    let mut stream = TcpStream::connect(base.strip_prefix("http://").unwrap()).await?;
    let begun = rt.now();
    stream.write_all(bytes).await?;
    // Whatever is read is of an answer; the end is in order or not.
    let _ = stream.read_to_end(&mut Vec::new()).await;
    Ok(rt.now() - begun)
}

/// What a client may stop at.
const SLOW: [&[u8]; 5] = [
    b"",
    b"G",
    b"GET / HTTP/1.1\r\nhost: ser",
    b"PRI * HTTP/2",
    b"GET / HTTP/1.1\r\nhost: server\r\n\r\nGET / HT",
];

#[anyrt::test]
async fn slow_client_is_closed(rt: AnyRuntime) -> io::Result<()> {
    let (server, base) = server(app()).await?;
    drop(anyrt::spawn(server.header_read_timeout(ms(50)).into_future()));
    for bytes in SLOW {
        let took = kept(&rt, &base, bytes).await?;
        // Of the system's clock, a connection begins where it is accepted, which may be before `connect` returns.
        assert!(took >= ms(10) && took < secs(20), "{took:?} for {bytes:?}");
    }
    Ok(())
}

// 30 seconds are too many elsewhere. Here they are exact, but for the latency of the network.
#[anyrt::test(only(sim))]
async fn slow_client_is_closed_after_30_seconds(rt: AnyRuntime) -> io::Result<()> {
    let base = started(app()).await?;
    for bytes in SLOW {
        let took = kept(&rt, &base, bytes).await?;
        assert!(took.abs_diff(secs(30)) < ms(1), "{took:?} for {bytes:?}");
    }
    // Two limits: until the version is known, which `P` does not say yet, and then for the headers.
    for (late, kept) in [(&b"P"[..], 30), (b"G", 29 + 30)] {
        let mut stream = TcpStream::connect(base.strip_prefix("http://").unwrap()).await?;
        let begun = rt.now();
        rt.sleep(secs(29)).await;
        stream.write_all(late).await?;
        let _ = stream.read_to_end(&mut Vec::new()).await;
        let took = rt.now() - begun;
        assert!(took.abs_diff(secs(kept)) < ms(1), "{took:?}");
    }
    Ok(())
}

#[anyrt::test(only(sim))]
async fn slow_client_may_be_kept(rt: AnyRuntime) -> io::Result<()> {
    let (server, base) = server(app()).await?;
    drop(anyrt::spawn(server.header_read_timeout(None).into_future()));
    let kept = pin!(kept(&rt, &base, b"GET / HT"));
    assert!(rt.timeout(secs(1_000_000), kept).await.is_err());
    Ok(())
}

/// hyper would add it to an `Instant`.
#[anyrt::test]
async fn timeout_without_an_end_is_none() -> io::Result<()> {
    let (server, base) = server(app()).await?;
    drop(anyrt::spawn(server.header_read_timeout(std::time::Duration::MAX).into_future()));
    assert_eq!(fetch(&client(), uri(&base, "/")).await.unwrap().0, "hello");
    Ok(())
}

#[anyrt::test]
async fn panic_ends_one_connection(rt: AnyRuntime) -> io::Result<()> {
    let base = started(app()).await?;
    for client in [client(), http2(&rt)] {
        for _ in 0..3 {
            assert!(fetch(&client, uri(&base, "/panic")).await.is_err());
            assert_eq!(fetch(&client, uri(&base, "/")).await.unwrap().0, "hello");
        }
    }
    Ok(())
}

#[test]
fn server_runs_where_it_is_told() {
    let smol = Smol::new().unwrap();
    let rt = AnyRuntime::from(smol.clone());
    let listener = rt.block_on(rt.tcp_bind("127.0.0.1:0")).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let told = rt.clone();
    let app = Router::new().route(
        "/",
        get(async move || {
            assert_eq!(AnyRuntime::current(), told);
            "there"
        }),
    );
    let server = anyrt_hyper_util::serve(listener, app).on(smol).into_future();
    let client: Client<Body> = client_builder(rt.clone()).build(Connector::on(rt.clone()));
    let _guard = rt.enter();
    let request = pin!(fetch(&client, uri(&base, "/")));
    match futures::executor::block_on(select(request, server)) {
        Either::Left((answer, _)) => assert_eq!(answer.unwrap().0, "there"),
        Either::Right((ended, _)) => panic!("{ended:?}"),
    }
}

#[test]
fn server_without_a_runtime_says_what_to_write() {
    let smol = Smol::new().unwrap();
    let listener = smol.block_on(smol.tcp_bind("127.0.0.1:0")).unwrap();
    let server = anyrt_hyper_util::serve(listener.into(), app());
    let payload =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| server.into_future())).err().unwrap();
    let text = payload.downcast_ref::<String>().unwrap();
    assert!(text.contains("anyrt"), "{text}");
}

// Two runtimes, whichever the test is on.
#[anyrt::test(only(smol))]
async fn server_ends_with_the_runtime_of_its_listener() -> io::Result<()> {
    let tokio = Tokio::new()?;
    let listener = tokio.tcp_bind("127.0.0.1:0").await?;
    let server = anyrt_hyper_util::serve(listener.into(), app()).on(tokio.clone());
    let stopped = tokio.clone();
    anyrt::spawn_blocking(move || stopped.shutdown_timeout(secs(10))).await.unwrap()?;
    assert_eq!(server.await.unwrap_err().kind(), io::ErrorKind::Other);
    Ok(())
}
