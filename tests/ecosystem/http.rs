//! hyper: client and server, with its timeouts. hyper writes the date of the system into responses unless that is
//! turned off.
//!
//! h2 0.4 forgets a stream that it has reset after some time of the system's clock. No run here takes so long.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyrt::runtime::TcpListener;
use anyrt::{BlockOn, Net, Spawn, Time, sim::Host};
use bytes::Bytes;
use futures::channel::oneshot;
use futures::future::{Either, join, join_all, select};
use futures::io::{AsyncReadExt, AsyncWriteExt};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, client, server};
use hyper_util::rt::TokioIo;

use crate::{Run, bytes, hosts, ms, run, secs};

/// Echoes the body, after the number of seconds in the path, if there is one.
async fn answer(rt: Host, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    if let Some(seconds) = request.uri().path().strip_prefix("/after/") {
        rt.sleep(secs(seconds.parse().unwrap())).await;
    }
    Ok(Response::new(Full::new(request.into_body().collect().await.unwrap().to_bytes())))
}

fn post(path: &str, body: Vec<u8>) -> Request<Full<Bytes>> {
    Request::post(format!("http://server{path}")).body(Full::new(body.into())).unwrap()
}

async fn body(response: Response<Incoming>) -> Bytes {
    assert_eq!(response.status(), StatusCode::OK);
    response.into_body().collect().await.unwrap().to_bytes()
}

fn http1(rt: &Host) -> server::conn::http1::Builder {
    let mut builder = server::conn::http1::Builder::new();
    builder.timer(rt.clone()).header_read_timeout(secs(5)).auto_date_header(false);
    builder
}

fn http2(rt: &Host) -> server::conn::http2::Builder<Host> {
    let mut builder = server::conn::http2::Builder::new(rt.clone());
    builder.timer(rt.clone()).auto_date_header(false);
    builder
}

/// Connects to the server; a task drives the connection.
async fn connect_http1(rt: &Host) -> client::conn::http1::SendRequest<Full<Bytes>> {
    let stream = rt.tcp_connect("server:80").await.unwrap();
    let (sender, connection) = client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    drop(rt.spawn(connection));
    sender
}

pub(crate) fn http1_requests(seed: u64) -> Run {
    let (here, there) = hosts(seed);
    here.block_on(async {
        let listener = there.tcp_bind("0.0.0.0:80").await.unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let (rt, count) = (there.clone(), accepted.clone());
        drop(there.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::Relaxed);
                let handle = rt.clone();
                let service = service_fn(move |request| answer(handle.clone(), request));
                drop(rt.spawn(http1(&rt).serve_connection(TokioIo::new(stream), service)));
            }
        }));

        let mut sender = connect_http1(&here).await;
        for len in [0, 1, 1_000, 100_000] {
            let sent = bytes(len);
            let response = sender.send_request(post("/", sent.clone())).await.unwrap();
            assert!(body(response).await == sent, "{len}");
        }
        assert_eq!(accepted.load(Ordering::Relaxed), 1);

        let before = here.sim().elapsed();
        here.timeout(secs(1), sender.send_request(post("/after/10", Vec::new()))).await.unwrap_err();
        assert_eq!(here.sim().elapsed() - before, secs(1));
        // A late response could be mistaken for that of the abandoned request, so the connection is closed.
        assert!(sender.ready().await.is_err());

        let mut sender = connect_http1(&here).await;
        let before = here.sim().elapsed();
        body(sender.send_request(post("/after/10", Vec::new())).await.unwrap()).await;
        let took = here.sim().elapsed() - before;
        assert!(took >= secs(10) && took <= secs(10) + ms(3), "{took:?}");
        assert_eq!(accepted.load(Ordering::Relaxed), 2);
    });
    run(&here)
}

pub(crate) fn http1_half_a_request(seed: u64) -> Run {
    let (here, there) = hosts(seed);
    here.block_on(async {
        let listener = there.tcp_bind("0.0.0.0:80").await.unwrap();
        let rt = there.clone();
        let served = there.spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let (before, handle) = (rt.sim().elapsed(), rt.clone());
            let service = service_fn(move |request| answer(handle.clone(), request));
            let error = http1(&rt).serve_connection(TokioIo::new(stream), service).await.unwrap_err();
            (rt.sim().elapsed() - before, error.is_timeout())
        });
        let mut stream = here.tcp_connect("server:80").await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: ser").await.unwrap();
        assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
        assert_eq!(served.await.unwrap(), (secs(5), true));
    });
    run(&here)
}

pub(crate) fn http1_shutdown(seed: u64) -> Run {
    let (here, there) = hosts(seed);
    here.block_on(async {
        let listener = there.tcp_bind("0.0.0.0:80").await.unwrap();
        let (stop, stopped) = oneshot::channel();
        let rt = there.clone();
        let served = there.spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let handle = rt.clone();
            let service = service_fn(move |request| answer(handle.clone(), request));
            let connection = http1(&rt).serve_connection(TokioIo::new(stream), service);
            match select(Box::pin(connection), stopped).await {
                Either::Left(_) => panic!("the connection ended before it was stopped"),
                Either::Right((_, mut connection)) => {
                    connection.as_mut().graceful_shutdown();
                    connection.await.unwrap();
                }
            }
            rt.sim().elapsed()
        });
        let mut sender = connect_http1(&here).await;
        let before = here.sim().elapsed();
        let stop = async {
            here.sleep(secs(1)).await;
            stop.send(()).unwrap();
        };
        let (response, ()) = join(sender.send_request(post("/after/3", b"last".to_vec())), stop).await;
        let response = response.unwrap();
        assert_eq!(response.headers()["connection"], "close");
        assert_eq!(body(response).await, "last");
        let took = served.await.unwrap() - before;
        assert!(took >= secs(3) && took <= secs(3) + ms(3), "{took:?}");
        assert!(sender.ready().await.is_err());
    });
    run(&here)
}

pub(crate) fn http2_streams(seed: u64) -> Run {
    let (here, there) = hosts(seed);
    here.block_on(async {
        let listener = there.tcp_bind("0.0.0.0:80").await.unwrap();
        let rt = there.clone();
        let served = there.spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let handle = rt.clone();
            let service = service_fn(move |request| answer(handle.clone(), request));
            http2(&rt).serve_connection(TokioIo::new(stream), service).await
        });
        let stream = here.tcp_connect("server:80").await.unwrap();
        let builder = client::conn::http2::Builder::new(here.clone());
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
        let connection = here.spawn(connection);
        let before = here.sim().elapsed();
        let requests = (0..20).map(|n| {
            let (mut sender, sent) = (sender.clone(), bytes(n * 1_000));
            let (rt, task) = (here.clone(), here.clone());
            task.spawn(async move {
                let response = sender.send_request(post("/after/1", sent.clone())).await.unwrap();
                assert!(body(response).await == sent, "{n}");
                rt.sim().elapsed()
            })
        });
        for end in join_all(requests).await {
            let took = end.unwrap() - before;
            assert!(took >= secs(1) && took <= secs(1) + ms(10), "all at once: {took:?}");
        }
        drop(sender);
        connection.await.unwrap().unwrap();
        served.await.unwrap().unwrap();
    });
    run(&here)
}

pub(crate) fn http2_silence(seed: u64) -> Run {
    let (here, there) = hosts(seed);
    here.block_on(async {
        let listener = there.tcp_bind("0.0.0.0:80").await.unwrap();
        let rt = there.clone();
        let served = there.spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let handle = rt.clone();
            let service = service_fn(move |request| answer(handle.clone(), request));
            http2(&rt).serve_connection(TokioIo::new(stream), service).await
        });
        let stream = here.tcp_connect("server:80").await.unwrap();
        let mut builder = client::conn::http2::Builder::new(here.clone());
        builder.timer(here.clone()).keep_alive_interval(secs(10)).keep_alive_timeout(secs(5));
        let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
        let rt = here.clone();
        let connection = here.spawn(async move { (connection.await, rt.sim().elapsed()) });
        // A peer that answers pings may take longer.
        body(sender.send_request(post("/after/60", Vec::new())).await.unwrap()).await;
        let last_heard = here.sim().elapsed();

        let request = sender.send_request(post("/after/60", Vec::new()));
        let silence = async {
            here.sleep(ms(100)).await;
            here.sim().link("main", "server").unwrap().partition();
        };
        let (response, ()) = join(request, silence).await;
        assert!(response.is_err());
        let (ended, at) = connection.await.unwrap();
        assert!(ended.unwrap_err().is_timeout());
        assert_eq!(at - last_heard, secs(10 + 5));
        drop(served.abort_on_drop());
    });
    run(&here)
}

#[test]
fn http1_requests_share_a_connection_until_one_is_given_up() {
    http1_requests(7);
}

#[test]
fn http1_server_waits_so_long_for_a_request() {
    http1_half_a_request(7);
}

#[test]
fn http1_request_that_has_begun_survives_a_graceful_shutdown() {
    http1_shutdown(7);
}

#[test]
fn http2_streams_run_at_once() {
    http2_streams(7);
}

#[test]
fn http2_ping_finds_a_silent_peer() {
    http2_silence(7);
}
