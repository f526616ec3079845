use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use anyrt::net::ConnectOptions;
use anyrt::{AnyRuntime, Net, Time};
use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use tower_service::Service;

use crate::Stream;

/// Connects over TCP to where a URI points: what `HttpConnector` of hyper-util is, on any runtime.
///
/// Names are resolved by the runtime, in a simulation too. The port is 80 where the URI has none, and 443 if its scheme is
/// `https`. A name of several addresses is tried by happy eyeballs, and small writes are sent at once.
///
/// It has no TLS. A connector that adds it on top, as those of hyper-rustls and hyper-tls do, needs
/// [`enforce_http(false)`](Self::enforce_http).
///
/// # Cancel safety
///
/// Dropping the future gives the attempt up.
///
/// # Errors
///
/// Those of kind `InvalidInput` name the URI and say what to write. A connection that has failed has the error of its last
/// address.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use anyrt::net::{ConnectOptions, Keepalive};
/// use anyrt_hyper_util::Connector;
///
/// fn patient() -> Connector {
///     let keepalive = Keepalive::new().time(Duration::from_secs(60));
///     Connector::new()
///         .connect_timeout(Duration::from_secs(30))
///         .options(ConnectOptions::new().nodelay(true).keepalive(keepalive))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Connector {
    runtime: AnyRuntime,
    options: ConnectOptions,
    timeout: Option<Duration>,
    enforce_http: bool,
}

impl Connector {
    /// On the current runtime.
    ///
    /// # Panics
    ///
    /// If there is none; the message says what to write.
    #[track_caller]
    #[allow(clippy::new_without_default, reason = "a default that panics surprises")]
    pub fn new() -> Self {
        Self::on(AnyRuntime::current())
    }

    /// On a runtime of the caller's choice.
    pub fn on(runtime: impl Into<AnyRuntime>) -> Self {
        Self {
            runtime: runtime.into(),
            options: ConnectOptions::new().nodelay(true).happy_eyeballs(ConnectOptions::ATTEMPT_DELAY),
            timeout: None,
            enforce_http: true,
        }
    }

    /// How long a connection may take, with its name resolved and all addresses tried; then it fails with `TimedOut`.
    ///
    /// As long as the system lets it, unless set.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// What is set on a socket before it connects. It replaces all options, so `nodelay` and happy eyeballs are off unless
    /// they are set again.
    pub fn options(mut self, options: ConnectOptions) -> Self {
        self.options = options;
        self
    }

    /// Whether a scheme other than `http` is an error; it is unless set. Without, any scheme is plain TCP.
    pub fn enforce_http(mut self, on: bool) -> Self {
        self.enforce_http = on;
        self
    }

    async fn connect(self, uri: Uri) -> io::Result<Stream> {
        let (host, port) = self.target(&uri)?;
        let connecting = self.runtime.tcp_connect_with((host, port), &self.options);
        let stream = match self.timeout {
            None => connecting.await?,
            Some(limit) => self.runtime.timeout(limit, connecting).await.map_err(|_| {
                let text = format!("anyrt-hyper-util: no connection for `{uri}` within {limit:?}");
                io::Error::new(io::ErrorKind::TimedOut, text)
            })??,
        };
        Ok(stream.into())
    }

    fn target<'a>(&self, uri: &'a Uri) -> io::Result<(&'a str, u16)> {
        let invalid = |what| {
            let text = format!("anyrt-hyper-util: `{uri}` {what}");
            Err(io::Error::new(io::ErrorKind::InvalidInput, text))
        };
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host().filter(|host| !host.is_empty()))
        else {
            return invalid("has no scheme and host: write `http://host/path`");
        };
        if self.enforce_http && scheme != "http" {
            return invalid(
                "is not of scheme `http`, and this connector has no TLS: write `http://`, or wrap it in a connector \
                 that has it, and call `.enforce_http(false)`",
            );
        }
        let default = if matches!(scheme, "https" | "wss") { 443 } else { 80 };
        Ok((host, uri.port_u16().unwrap_or(default)))
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        let connected = Connected::new();
        match (self.get_ref().local_addr(), self.get_ref().peer_addr()) {
            (Ok(local_addr), Ok(remote_addr)) => connected.extra(HttpInfo { local_addr, remote_addr }),
            // A socket that is gone by now says no more: the request will.
            _ => connected,
        }
    }
}

/// The two ends of the connection that a response came by, among its extensions.
///
/// The one of hyper-util can only be made there.
///
/// # Examples
///
/// ```
/// use anyrt_hyper_util::HttpInfo;
///
/// fn log<B>(response: &hyper::Response<B>) {
///     if let Some(info) = response.extensions().get::<HttpInfo>() {
///         println!("{} answers {}", info.remote_addr(), response.status());
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct HttpInfo {
    local_addr: SocketAddr,
    remote_addr: SocketAddr,
}

impl HttpInfo {
    /// The address of the client.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The address of the server.
    pub fn remote_addr(&self) -> SocketAddr {
        self.remote_addr
    }
}
