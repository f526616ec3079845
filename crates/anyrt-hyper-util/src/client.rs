use anyrt::AnyRuntime;
use hyper::body::Body;
use hyper_util::client::legacy;

use crate::Connector;

/// The pooled client of hyper-util, over connections of anyrt.
pub type Client<B> = legacy::Client<Connector, B>;

/// A pooled client on the current runtime, with the defaults of hyper-util.
///
/// A response has an [`HttpInfo`](crate::HttpInfo) among its extensions. A connection that is not in use is closed after
/// 90 seconds; if the server has closed it before, a request that nothing was written of goes to a new one.
///
/// Put [`anyrt::time::timeout`] around a request: there is no timeout but that of the pool, and hyper 1.12 may leave a request
/// without an answer for ever that is sent in the very moment in which its connection ends.
///
/// # Dropping
///
/// A client is a handle to its pool. Idle connections are closed with the last clone; those that are in use end with their
/// responses.
///
/// # Panics
///
/// If there is no current runtime; the message says what to write.
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

/// The builder of hyper-util, with the executor, the timer and the pool's timer of `runtime`.
///
/// # Examples
///
/// HTTP/2 from the first byte, as gRPC wants it, and a limit for connecting:
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
