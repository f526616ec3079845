//! gRPC with tonic: a server, and a client over the pooled client of hyper-util.
//!
//! tonic's own server and channel are in its features `server`, `channel` and `transport`, which need tokio's runtime.
//! Without them, a tonic server is a tower service, and a client runs over any tower service:
//!
//! ```toml
//! [dependencies]
//! anyrt = { version = "0.1", features = ["macros", "smol"] }
//! anyrt-hyper-util = "0.1"
//! tonic = { version = "0.14", default-features = false, features = ["codegen", "router"] }
//! tonic-prost = "0.14" # what tonic-prost-build generates needs it
//! ```
//!
//! Generate the code without the `connect` function, which uses tonic's channel:
//! `tonic_prost_build::configure().build_transport(false)`. The service here is that of [`tonic_health`], which is
//! generated in this way.
//!
//! The timeouts of tonic's channel are missing: wrap a call in [`anyrt::time::timeout`].

use std::io;

use anyrt::AnyRuntime;
use anyrt::net::TcpListener;
use anyrt_hyper_util::{Client, Connector, client_builder, serve};
use hyper::Uri;
use tonic::body::Body;
use tonic::service::Routes;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

/// Serves the health of the services of `reporter` until `stop` is ready; `add_service` of the routes adds more
/// services.
pub async fn run(
    listener: TcpListener,
    reporter: HealthReporter,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let health = HealthServer::new(HealthService::from_health_reporter(reporter));
    serve(listener, Routes::new(health)).with_graceful_shutdown(stop).await
}

/// Creates a client of the server at `origin`, such as `http://localhost:50051`. Clones share a connection.
pub fn connect(origin: Uri) -> HealthClient<Client<Body>> {
    let runtime = AnyRuntime::current();
    let client = client_builder(runtime.clone()).http2_only(true).build(Connector::on(runtime));
    HealthClient::with_origin(client, origin)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use futures::channel::oneshot;
    use tonic::Code;
    use tonic_health::ServingStatus;
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_check_response::ServingStatus::{NotServing, Serving};

    use super::*;

    fn database() -> HealthCheckRequest {
        HealthCheckRequest { service: "database".to_owned() }
    }

    #[anyrt::test]
    async fn health_is_checked_and_watched() -> io::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?).parse().unwrap();
        let reporter = HealthReporter::new();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = anyrt::spawn(run(listener, reporter.clone(), stopped.map(drop)));

        let mut client = connect(origin);
        assert_eq!(client.check(database()).await.unwrap_err().code(), Code::NotFound);
        reporter.set_service_status("database", ServingStatus::Serving).await;
        assert_eq!(client.check(database()).await.unwrap().get_ref().status(), Serving);

        let mut watch = client.watch(database()).await.unwrap().into_inner();
        assert_eq!(watch.message().await.unwrap().unwrap().status(), Serving);
        reporter.set_service_status("database", ServingStatus::NotServing).await;
        assert_eq!(watch.message().await.unwrap().unwrap().status(), NotServing);

        // Otherwise the server would wait for the end of this stream.
        drop(watch);
        stop.send(()).unwrap();
        server.await.unwrap()
    }
}
