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

/// TCP connector for URIs, as `HttpConnector` of hyper-util, on any runtime.
///
/// The runtime resolves names, in a simulation too. The default port is 80, or 443 for the scheme `https`. Several
/// addresses of a name are tried with happy eyeballs, and `TCP_NODELAY` is set.
///
/// It has no TLS. A connector that adds TLS on top, such as those of hyper-rustls and hyper-tls, needs
/// [`enforce_http(false)`](Self::enforce_http).
///
/// # Cancel safety
///
/// Dropping the future aborts the attempt.
///
/// # Errors
///
/// `InvalidInput` for an unsuitable URI; the message names the URI and says what to write. If connecting fails, the
/// error is that of the last address.
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
    /// Creates a connector on the current runtime.
    ///
    /// # Panics
    ///
    /// If no runtime is current; the message says what to write.
    #[track_caller]
    #[allow(clippy::new_without_default, reason = "a default that panics surprises")]
    pub fn new() -> Self {
        Self::on(AnyRuntime::current())
    }

    /// Creates a connector on the given runtime.
    pub fn on(runtime: impl Into<AnyRuntime>) -> Self {
        Self {
            runtime: runtime.into(),
            options: ConnectOptions::new().nodelay(true).happy_eyeballs(ConnectOptions::ATTEMPT_DELAY),
            timeout: None,
            enforce_http: true,
        }
    }

    /// Sets the timeout of a connection attempt, including name resolution and all addresses. It then fails with
    /// `TimedOut`.
    ///
    /// Default: the system's timeouts.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets the options of the TCP connection. They replace all defaults, so `nodelay` and happy eyeballs are off
    /// unless they are set again.
    pub fn options(mut self, options: ConnectOptions) -> Self {
        self.options = options;
        self
    }

    /// Sets whether a scheme other than `http` is an error. Default: yes. If it is off, any scheme connects over plain
    /// TCP.
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

/// Addresses of the connection of a response; an extension of the response.
///
/// (The type of the same name in hyper-util has no public constructor.)
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
    /// Returns the address of the client.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Returns the address of the server.
    pub fn remote_addr(&self) -> SocketAddr {
        self.remote_addr
    }
}
