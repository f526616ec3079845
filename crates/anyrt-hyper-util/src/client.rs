use anyrt::AnyRuntime;
use hyper::body::Body;
use hyper_util::client::legacy;

use crate::Connector;

/// The pooled client of hyper-util, over connections of anyrt.
pub type Client<B> = legacy::Client<Connector, B>;

/// Creates a pooled client on the current runtime, with the defaults of hyper-util.
///
/// Each response has an [`HttpInfo`](crate::HttpInfo) extension. Idle connections are closed after 90 seconds. If the
/// server has closed a connection earlier, a request of which nothing was written is sent on a new connection.
///
/// Put [`anyrt::time::timeout`] around a request: the client has no timeout except the pool's, and hyper 1.12 may never
/// answer a request that is sent at the very moment at which its connection ends.
///
/// # Dropping
///
/// A client is a handle to its pool. Dropping the last clone closes idle connections; connections in use end with their
/// responses.
///
/// # Panics
///
/// If no runtime is current; the message says what to write.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use anyrt::time::timeout;
/// use anyrt_hyper_util::{Client, client};
/// use http_body_util::Empty;
/// use hyper::StatusCode;
/// use hyper::body::Bytes;
///
/// async fn is_up(health: hyper::Uri) -> bool {
///     let client: Client<Empty<Bytes>> = client();
///     let answer = timeout(Duration::from_secs(5), client.get(health)).await;
///     matches!(answer, Ok(Ok(response)) if response.status() == StatusCode::OK)
/// }
/// ```
#[track_caller]
pub fn client<B>() -> Client<B>
where
    B: Body + Send,
    B::Data: Send,
{
    let runtime = AnyRuntime::current();
    client_builder(runtime.clone()).build(Connector::on(runtime))
}

/// Returns the builder of hyper-util, with the executor, the timer and the pool timer set to those of `runtime`.
///
/// # Examples
///
/// Example: HTTP/2 from the first byte, as gRPC needs it, and a connect timeout:
///
/// ```
/// use std::time::Duration;
///
/// use anyrt::AnyRuntime;
/// use anyrt_hyper_util::{Client, Connector, client_builder};
///
/// fn http2<B>(runtime: &AnyRuntime) -> Client<B>
/// where
///     B: hyper::body::Body<Data: Send> + Send,
/// {
///     let connector = Connector::on(runtime.clone()).connect_timeout(Duration::from_secs(3));
///     client_builder(runtime.clone()).http2_only(true).build(connector)
/// }
/// ```
pub fn client_builder(runtime: impl Into<AnyRuntime>) -> legacy::Builder {
    let runtime = runtime.into();
    let mut builder = legacy::Builder::new(runtime.clone());
    builder.timer(runtime.clone()).pool_timer(runtime);
    builder
}
