//! No descriptor is left of connections, however they end. Alone in its process, because it counts.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::time::{Duration, Instant};

use anyrt::net::{TcpListener, TcpStream};
use anyrt::{AnyRuntime, AsyncStd, Smol, Time, Tokio};
use anyrt_hyper_util::{Client, Connector, client_builder, serve};
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use futures::FutureExt;
use futures::channel::oneshot;
use futures::io::AsyncWriteExt;

fn open() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Requests that are answered, or panic, or are given up, in both versions; clients that stop in the middle, or reset; and a graceful
/// shutdown.
async fn connections(rt: AnyRuntime) {
    let app = Router::new()
        .route("/", get(async || "hello"))
        .route("/never", get(async || std::future::pending::<()>().await))
        .route("/panic", get(async || -> &'static str { panic!("as it should be") }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = serve(listener, app)
        .header_read_timeout(Duration::from_millis(100))
        .with_graceful_shutdown(stopped.map(drop));
    let server = rt.spawn(server.into_future());
    for http2_only in [false, true] {
        let client: Client<Body> =
            client_builder(rt.clone()).http2_only(http2_only).build(Connector::on(rt.clone()));
        for _ in 0..5 {
            for path in ["", "panic", "never"] {
                let request = client.get(format!("http://{address}/{path}").parse().unwrap());
                let limit = Duration::from_millis(if path == "never" { 50 } else { 20_000 });
                let answer = rt.timeout(limit, request).await;
                assert_eq!(path.is_empty(), answer.is_ok_and(|answer| answer.is_ok()));
            }
        }
    }
    let mut streams = Vec::new();
    for n in 0..20 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&b"GET / HTTP/1.1\r\n"[..n % 16]).await.unwrap();
        if n % 2 == 0 {
            stream.set_linger(Some(Duration::ZERO)).unwrap();
            drop(stream);
        } else {
            streams.push(stream);
        }
    }
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
}

#[test]
fn no_descriptor_is_left() {
    let runtimes: [AnyRuntime; 3] =
        [Tokio::new().unwrap().into(), Smol::new().unwrap().into(), AsyncStd::global().into()];
    for rt in runtimes {
        // What a runtime opens once is open after the first turn.
        rt.block_on(connections(rt.clone()));
        let settled = Instant::now();
        std::thread::sleep(Duration::from_millis(500));
        let before = open();
        for _ in 0..3 {
            rt.block_on(connections(rt.clone()));
        }
        // Clients end in tasks of their own.
        while open() > before && settled.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(open() <= before, "{} before, and {} after, on {rt:?}", before, open());
    }
}
