//! Servers and clients of hyper-util, on every runtime.
#![allow(clippy::unwrap_used)]

mod client;
mod faults;
mod server;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use anyrt::net::TcpListener;
use anyrt_hyper_util::{Client, HttpInfo, Serve, serve, serve_with};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::{get, post};
use futures::channel::{mpsc, oneshot};
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper::{Response, Uri};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn app() -> Router {
    Router::new()
        .route("/", get(async || "hello"))
        .route("/echo", post(async |body: Bytes| body))
        .route("/panic", get(async || -> &'static str { panic!("as it should be") }))
}

/// A server of `app`, not yet started, and where it is.
async fn server(app: Router) -> io::Result<(Serve, String)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    Ok((serve(listener, app), format!("http://{address}")))
}

/// Where `app` is served for as long as the test runs.
async fn started(app: Router) -> io::Result<String> {
    let (server, base) = server(app).await?;
    drop(anyrt::spawn(server.into_future()));
    Ok(base)
}

/// The peer of a connection, and what is cancelled when the connection has ended.
type Connections = mpsc::UnboundedReceiver<(SocketAddr, oneshot::Receiver<()>)>;

/// A server that says hello, not yet started, and where it is.
async fn counted() -> io::Result<(Serve, String, Connections)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    let (sender, connections) = mpsc::unbounded();
    let server = serve_with(listener, move |peer| {
        let (open, end) = oneshot::channel();
        sender.unbounded_send((peer, end)).unwrap();
        service_fn(move |_| {
            assert!(!open.is_canceled());
            async { Ok::<_, Infallible>(Response::new(Body::from("hello"))) }
        })
    });
    Ok((server, base, connections))
}

fn uri(base: &str, path: &str) -> Uri {
    format!("{base}{path}").parse().unwrap()
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body, and how the connection is called here; or an error, in time.
async fn fetch(client: &Client<Body>, uri: Uri) -> Result<(String, SocketAddr), BoxError> {
    let fetching = async {
        let response = client.get(uri).await?;
        let here = response.extensions().get::<HttpInfo>().unwrap().local_addr();
        let body = to_bytes(Body::new(response.into_body()), usize::MAX).await?;
        Ok((String::from_utf8(body.into())?, here))
    };
    // hyper 1.12 may lose a request that is sent in the moment in which its connection ends: tokio 1.54 neither refuses nor drops
    // what is sent into a channel while its receiver is dropped (`sync/mpsc/chan.rs`).
    anyrt::time::timeout(secs(5), fetching).await?
}
