use std::error::Error;
use std::fmt;
use std::future::{Future, IntoFuture, poll_fn};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use anyrt::net::TcpListener;
use anyrt::{AnyRuntime, Time};
use futures_core::Stream as _;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::service::Service;
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;

use crate::Stream;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
/// Makes the task of a connection.
type Connect = Box<dyn FnMut(Stream, SocketAddr, Arc<Builder>, Watcher) -> BoxFuture<()> + Send>;
type Builder = auto::Builder<AnyRuntime>;
type BoxError = Box<dyn Error + Send + Sync>;

/// Longer timeouts are ignored.
const NEVER: Duration = Duration::from_secs(365 * 86_400);

/// Serves HTTP/1, with upgrades, and HTTP/2 on a listener, on the current runtime.
///
/// `service` is a tower service: a `Router` of axum, the routes of tonic, `tower::service_fn`. Each connection gets a
/// clone of it. For hyper services use [`serve_with`].
///
/// Await the returned [`Serve`] to run the server; call its methods before that.
///
/// # Examples
///
/// ```no_run
/// use std::io;
///
/// use anyrt::net::TcpListener;
/// use axum::Router;
/// use axum::routing::get;
///
/// #[anyrt::main(smol)]
/// async fn main() -> io::Result<()> {
///     let app = Router::new().route("/", get(async || "hello"));
///     let listener = TcpListener::bind("127.0.0.1:3000").await?;
///     anyrt_hyper_util::serve(listener, app).await
/// }
/// ```
pub fn serve<S, B>(listener: TcpListener, service: S) -> Serve
where
    S: tower_service::Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let service = TowerToHyperService::new(service);
    serve_with(listener, move |_| service.clone())
}

/// Serves as [`serve`] does, with a hyper service that is created for each connection from the address of its peer.
///
/// # Examples
///
/// ```
/// use std::convert::Infallible;
/// use std::io;
///
/// use anyrt::net::TcpListener;
/// use anyrt_hyper_util::serve_with;
/// use hyper::Response;
/// use hyper::service::service_fn;
///
/// async fn echo_address(listener: TcpListener) -> io::Result<()> {
///     serve_with(listener, |peer| {
///         let answer = move || Response::new(format!("you are {peer}\n"));
///         service_fn(move |_| async move { Ok::<_, Infallible>(answer()) })
///     })
///     .await
/// }
/// ```
///
/// Passes the address to a `Router` of axum as an extension:
///
/// ```
/// use std::io;
/// use std::net::SocketAddr;
///
/// use anyrt::net::TcpListener;
/// use anyrt_hyper_util::serve_with;
/// use axum::routing::get;
/// use axum::{Extension, Router};
/// use hyper_util::service::TowerToHyperService;
///
/// async fn echo_address(listener: TcpListener) -> io::Result<()> {
///     let you_are = async |Extension(peer): Extension<SocketAddr>| format!("you are {peer}\n");
///     let app = Router::new().route("/", get(you_are));
///     let service = move |peer| TowerToHyperService::new(app.clone().layer(Extension(peer)));
///     serve_with(listener, service).await
/// }
/// ```
pub fn serve_with<M, S, B>(listener: TcpListener, mut make_service: M) -> Serve
where
    M: FnMut(SocketAddr) -> S + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    Serve {
        listener,
        runtime: AnyRuntime::try_current().ok(),
        header_read_timeout: Some(Duration::from_secs(30)),
        configure: Box::new(|builder| builder),
        signal: Box::pin(std::future::pending()),
        connection: Box::new(move |stream, peer, builder, watcher| {
            let service = make_service(peer);
            Box::pin(async move {
                // `serve_connection_with_upgrades` takes both versions, whatever the builder says (hyper-util 0.1.21).
                let ended = if builder.is_http1_available() && builder.is_http2_available() {
                    watcher.watch(builder.serve_connection_with_upgrades(stream, service)).await
                } else {
                    watcher.watch(builder.serve_connection(stream, service)).await
                };
                if let Err(error) = ended {
                    tracing::debug!("connection of {peer}: {error}");
                }
            })
        }),
    }
}

/// Server that runs when it is awaited; returned by [`serve`].
///
/// Each connection is a task on the runtime. A connection that fails, or whose service panics, does not affect the
/// others. When the system has run out of descriptors, the server waits a moment and continues. Failed connections are
/// logged with `tracing`; connections that could not be accepted are logged as errors.
///
/// # Dropping
///
/// The server stops accepting connections. Existing connections end as after the signal of
/// [`with_graceful_shutdown`](Self::with_graceful_shutdown), but in the background.
///
/// # Panics
///
/// When awaited, if no runtime was current and [`on`](Self::on) was not called; and if the closure of [`serve_with`]
/// panics.
///
/// # Errors
///
/// If the listener fails because its runtime was shut down.
#[must_use = "a server does nothing unless awaited"]
pub struct Serve {
    listener: TcpListener,
    runtime: Option<AnyRuntime>,
    header_read_timeout: Option<Duration>,
    configure: Box<dyn FnOnce(Builder) -> Builder + Send>,
    signal: BoxFuture<()>,
    connection: Connect,
}

impl Serve {
    /// Sets the runtime of the connections and timeouts.
    pub fn on(mut self, runtime: impl Into<AnyRuntime>) -> Self {
        self.runtime = Some(runtime.into());
        self
    }

    /// Shuts down gracefully when `signal` is ready: the server stops accepting connections, answers requests that have
    /// begun, closes idle connections, and completes when all connections are closed.
    ///
    /// A client that does not read its response, or a silent HTTP/2 client, can delay the shutdown indefinitely; limit
    /// it with a [`timeout`](anyrt::time::timeout) around the server.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// use anyrt::net::TcpListener;
    /// use anyrt_hyper_util::serve;
    /// use axum::Router;
    /// use futures::channel::oneshot;
    ///
    /// type Stop = oneshot::Receiver<()>;
    ///
    /// async fn run(listener: TcpListener, app: Router, stop: Stop) -> io::Result<()> {
    ///     let stopped = async {
    ///         let _ = stop.await;
    ///     };
    ///     serve(listener, app).with_graceful_shutdown(stopped).await
    /// }
    /// ```
    pub fn with_graceful_shutdown(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        self.signal = Box::pin(signal);
        self
    }

    /// Sets the timeout for the first byte of a connection, for the headers of an HTTP/1 request, and for the beginning
    /// of the next request. Default: 30 seconds. With `None` there is no timeout.
    ///
    /// With HTTP/2 it limits the preface. To detect dead HTTP/2 clients, set `keep_alive_interval` of `http2` in
    /// [`builder`](Self::builder).
    pub fn header_read_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        // hyper 1.12 adds it to an `Instant`, which ends (`proto/h1/conn.rs`).
        self.header_read_timeout = timeout.into().filter(|timeout| *timeout < NEVER);
        self
    }

    /// Changes hyper-util's builder, whose executor and timers are those of the runtime.
    ///
    /// With `http1_only`, connections cannot be upgraded: hyper-util supports upgrades only with both versions enabled.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use anyrt_hyper_util::Serve;
    ///
    /// fn tuned(server: Serve) -> Serve {
    ///     server.builder(|mut builder| {
    ///         builder.http1().max_headers(50);
    ///         builder.http2().keep_alive_interval(Duration::from_secs(20));
    ///         builder
    ///     })
    /// }
    /// ```
    pub fn builder(mut self, configure: impl FnOnce(Builder) -> Builder + Send + 'static) -> Self {
        let before = self.configure;
        self.configure = Box::new(|builder| configure(before(builder)));
        self
    }
}

impl IntoFuture for Serve {
    type Output = io::Result<()>;
    type IntoFuture = BoxFuture<io::Result<()>>;

    #[track_caller]
    fn into_future(self) -> Self::IntoFuture {
        let Self { mut listener, runtime, header_read_timeout, configure, mut signal, mut connection } = self;
        let runtime = runtime.unwrap_or_else(AnyRuntime::current);
        let mut builder = auto::Builder::new(runtime.clone());
        builder.http1().timer(runtime.clone()).header_read_timeout(header_read_timeout);
        builder.http2().timer(runtime.clone());
        let builder = Arc::new(configure(builder));
        Box::pin(async move {
            let graceful = GracefulShutdown::new();
            let mut incoming = pin!(listener.incoming());
            while let Some(accepted) = poll_fn(|cx| match signal.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(None),
                Poll::Pending => incoming.as_mut().poll_next(cx),
            })
            .await
            {
                let stream = match accepted {
                    Ok(stream) => stream,
                    Err(error) if is_final(&error) => return Err(error),
                    Err(error) => {
                        tracing::error!("cannot accept: {error}");
                        continue;
                    }
                };
                // Without one, the peer has gone already.
                let Ok(peer) = stream.peer_addr() else { continue };
                drop(stream.set_nodelay(true));
                let stream = Stream::opening(stream, header_read_timeout.map(|limit| runtime.sleep(limit)));
                drop(runtime.spawn(connection(stream, peer, builder.clone(), graceful.watcher())));
            }
            drop(listener);
            graceful.shutdown().await;
            Ok(())
        })
    }
}

/// Whether a listener fails for good. An error of one connection says nothing of the next, and what the system has run out of
/// comes back.
fn is_final(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    let of_one = matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset);
    !of_one && error.raw_os_error().is_none()
}

impl fmt::Debug for Serve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve")
            .field("listener", &self.listener)
            .field("runtime", &self.runtime)
            .field("header_read_timeout", &self.header_read_timeout)
            .finish_non_exhaustive()
    }
}
