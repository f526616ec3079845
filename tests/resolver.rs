//! The resolver of a process. It can be set once, so there is only one test.
#![allow(clippy::unwrap_used)]

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use anyrt::net::{Resolve, set_resolver};
use anyrt::{AnyRuntime, BlockOn, Net, Runtime, Smol, Tokio};

/// A resolver that knows one name with two addresses.
struct Table;

#[anyrt::async_trait]
impl Resolve for Table {
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let known = [2, 1].map(|n| SocketAddr::from(([192, 0, 2, n], port)));
        match host {
            "db.test" => Ok(known.into()),
            _ => Err(io::Error::new(ErrorKind::PermissionDenied, "it is not in the table")),
        }
    }
}

fn asks_the_table<R: Runtime>(runtime: R) {
    runtime.block_on(async {
        let found = runtime.lookup_host("db.test:80").await.unwrap();
        assert_eq!(found, ["192.0.2.2:80".parse().unwrap(), "192.0.2.1:80".parse().unwrap()]);
        // Addresses are not resolved, and the system is no longer asked for names.
        assert_eq!(runtime.lookup_host(("192.0.2.7", 1)).await.unwrap(), ["192.0.2.7:1".parse().unwrap()]);
        let error = runtime.tcp_connect("localhost:80").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert!(error.to_string().contains("localhost:80"), "{error}");
    });
}

#[test]
fn resolver_is_set_once_and_asked_by_every_runtime() {
    let runtime = Tokio::new().unwrap();
    assert!(runtime.block_on(runtime.lookup_host("localhost:80")).is_ok());
    set_resolver(Table).unwrap();
    let error = set_resolver(Table).unwrap_err();
    assert!(error.to_string().contains("has a resolver already"), "{error}");
    assert_eq!(format!("{error:?}"), error.to_string());
    assert_eq!(io::Error::from(error).kind(), ErrorKind::AlreadyExists);

    asks_the_table(runtime.clone());
    asks_the_table(Smol::new().unwrap());
    asks_the_table(AnyRuntime::from(runtime.clone()));
    asks_the_table(AnyRuntime::custom(runtime.clone()));
    let found = runtime.block_on(async { anyrt::net::lookup_host("db.test:1").await.unwrap() });
    assert_eq!(found.len(), 2);
}
