//! A server of axum, and a client that asks it, on the runtime that is named from outside:
//!
//! ```sh
//! ANYRT_RUNTIME=smol cargo run -p anyrt-hyper-util --example hello
//! ANYRT_RUNTIME=tokio cargo run -p anyrt-hyper-util --example hello -- Ada Grace
//! ```

use std::error::Error;
use std::{env, io};

use anyrt::net::TcpListener;
use anyrt_hyper_util::{Client, client, serve};
use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use futures::channel::oneshot;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;

fn app() -> Router {
    Router::new().route("/hello/{name}", get(async |Path(name): Path<String>| format!("hello, {name}")))
}

/// Serves until it is told to stop, and answers what has begun by then.
async fn run(listener: TcpListener, stop: oneshot::Receiver<()>) -> io::Result<()> {
    let stopped = async {
        let _ = stop.await;
    };
    serve(listener, app()).with_graceful_shutdown(stopped).await
}

#[anyrt::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel();
    let server = anyrt::spawn(run(listener, stopped));

    let client: Client<Empty<Bytes>> = client();
    let mut names: Vec<String> = env::args().skip(1).collect();
    if names.is_empty() {
        names.push("world".to_owned());
    }
    for name in names {
        let response = client.get(format!("http://{address}/hello/{name}").parse()?).await?;
        let body = response.into_body().collect().await?.to_bytes();
        println!("{}", String::from_utf8_lossy(&body));
    }

    drop(stop);
    server.await??;
    Ok(())
}
