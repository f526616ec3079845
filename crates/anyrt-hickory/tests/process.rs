//! The resolver of a process. There is one a process, so there is one test.
#![allow(clippy::unwrap_used)]

mod server;

use std::io::ErrorKind;

use anyrt::net::set_resolver;
use anyrt::runtime::{TcpListener, TcpStream};
use anyrt::{AsyncStd, BlockOn, Runtime, Smol, Tokio};
use anyrt_hickory::Resolver;

use server::{Over, Server};

fn asks_hickory<R: Runtime>(runtime: R) {
    runtime.block_on(async {
        let listener = runtime.tcp_bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stream = runtime.tcp_connect(("here.test", address.port())).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
        let error = runtime.tcp_connect("missing.test:80").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.to_string(), r#"cannot resolve "missing.test:80": there is no such name"#);
    });
}

/// It is on one runtime, and serves all of them.
#[test]
fn every_runtime_asks_the_resolver_of_the_process() {
    let runtime = Smol::new().unwrap();
    let server = runtime.block_on(async {
        let server = Server::start().await;
        set_resolver(Resolver::from_name_servers([server.address]).unwrap()).unwrap();
        server
    });
    asks_hickory(runtime.clone());
    let first = server.asked(Over::Udp);
    assert!(first > 0);
    asks_hickory(Tokio::new().unwrap());
    asks_hickory(AsyncStd::global());
}
