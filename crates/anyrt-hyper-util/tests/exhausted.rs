//! A server that has run out of descriptors goes on when there are some.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::env;
use std::fs::File;
use std::process::Command;
use std::time::Duration;

use anyrt::net::{TcpListener, TcpStream};
use anyrt::{AnyRuntime, AsyncStd, Smol, Time, Tokio};
use anyrt_hyper_util::serve;
use axum::Router;
use axum::routing::get;
use futures::io::{AsyncReadExt, AsyncWriteExt};

async fn runs_out(rt: AnyRuntime) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().route("/", get(async || "hello"));

    // It waits to be accepted, and needs no descriptor for that.
    let mut client = TcpStream::connect(address).await.unwrap();
    let mut hoard = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        hoard.push(file);
    }
    let server = rt.spawn(serve(listener, app).into_future());
    client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut byte = [0];
    assert!(rt.timeout(Duration::from_millis(300), client.read(&mut byte)).await.is_err(), "{byte:?}");
    drop(hoard);
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("hello"), "{answer}");
    server.abort();
    server.await.unwrap_err();
}

/// In a process of its own for each runtime: nobody else gives a descriptor back.
#[test]
fn server_goes_on_when_there_are_descriptors_again() {
    const CHILD: &str = "ANYRT_TEST_EXHAUSTED_CHILD";
    let rt: AnyRuntime = match env::var(CHILD).as_deref() {
        Ok("tokio") => Tokio::new().unwrap().into(),
        Ok("smol") => Smol::new().unwrap().into(),
        Ok("async_std") => AsyncStd::global().into(),
        _ => {
            let test = "ulimit -n 64 && exec \"$0\" --exact server_goes_on_when_there_are_descriptors_again --nocapture";
            for rt in ["tokio", "smol", "async_std"] {
                let mut child = Command::new("sh");
                child.args(["-c", test]).arg(env::current_exe().unwrap()).env(CHILD, rt);
                assert!(child.status().unwrap().success(), "{rt}");
            }
            return;
        }
    };
    // A reactor takes descriptors at its first use.
    rt.block_on(rt.sleep(Duration::from_millis(1)));
    rt.block_on(runs_out(rt.clone()));
}
