//! A server that has run out of descriptors goes on when there are some. In a process of its own, with a limit of its own.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::env;
use std::fs::File;
use std::process::Command;
use std::time::Duration;

use anyrt::net::{TcpListener, TcpStream};
use anyrt::{AnyRuntime, AsyncStd, BlockOn, Smol, Spawn, Time, Tokio};
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

#[test]
fn server_goes_on_when_there_are_descriptors_again() {
    const CHILD: &str = "ANYRT_TEST_EXHAUSTED_CHILD";
    if env::var_os(CHILD).is_none() {
        let test =
            "ulimit -n 64 && exec \"$0\" --exact server_goes_on_when_there_are_descriptors_again --nocapture";
        let mut child = Command::new("sh");
        child.args(["-c", test]).arg(env::current_exe().unwrap()).env(CHILD, "1");
        assert!(child.status().unwrap().success());
        return;
    }
    let runtimes: [AnyRuntime; 3] =
        [Tokio::new().unwrap().into(), Smol::new().unwrap().into(), AsyncStd::global().into()];
    // Reactors take descriptors at their first use.
    for rt in &runtimes {
        rt.block_on(rt.sleep(Duration::from_millis(1)));
    }
    for rt in runtimes {
        rt.block_on(runs_out(rt.clone()));
    }
}
