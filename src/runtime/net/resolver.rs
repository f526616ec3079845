use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

/// What finds the addresses of a host: DNS over HTTPS, a service registry, a table in a test.
///
/// Give it to one client with [`ConnectOptions::resolver`](super::ConnectOptions::resolver), or to the whole process with
/// [`set_resolver`].
///
/// # Examples
///
/// ```
/// use std::{collections::HashMap, future::ready, io, net::{IpAddr, SocketAddr}, pin::Pin};
///
/// use anyrt::net::Resolve;
///
/// struct Table(HashMap<String, IpAddr>);
///
/// impl Resolve for Table {
///     fn resolve<'a>(
///         &'a self,
///         host: &'a str,
///         port: u16,
///     ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>> {
///         Box::pin(ready(match self.0.get(host) {
///             Some(ip) => Ok(vec![(*ip, port).into()]),
///             None => Err(io::Error::new(io::ErrorKind::NotFound, "it is not in the table")),
///         }))
///     }
/// }
/// ```
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of `host`, the best first. It is no address itself: those need no resolver.
    ///
    /// It is polled by the task that asks, so it must not block: [`spawn_blocking`](crate::spawn_blocking) is for that.
    /// What it fails with keeps its kind, and is said together with the name.
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>>;
}

/// A resolver that is shared.
#[derive(Clone)]
pub(crate) struct Resolver(Arc<dyn Resolve>);

impl Resolver {
    pub(super) fn new(resolver: impl Resolve) -> Self {
        Self(Arc::new(resolver))
    }

    pub(super) async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        self.0.resolve(host, port).await
    }

    /// The one of the process.
    pub(super) fn of_the_process() -> Option<&'static Self> {
        RESOLVER.get()
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}

static RESOLVER: OnceLock<Resolver> = OnceLock::new();

/// Makes every runtime of the process ask `resolver` for names, and not the system, from now on.
///
/// For applications, at the beginning of `main`, and once. A runtime whose names are its own, such as one whose network is
/// in memory, goes on asking itself.
///
/// # Errors
///
/// When the process has one already.
///
/// # Examples
///
/// ```
/// # fn start(table: impl anyrt::net::Resolve) -> std::io::Result<()> {
/// anyrt::net::set_resolver(table)?;
/// # Ok(()) }
/// ```
pub fn set_resolver(resolver: impl Resolve) -> Result<(), SetResolverError> {
    RESOLVER.set(Resolver::new(resolver)).map_err(|_| SetResolverError { _private: () })
}

/// The process has a resolver already; see [`set_resolver`].
///
/// It converts into an [`io::Error`] of kind `AlreadyExists`.
pub struct SetResolverError {
    _private: (),
}

/// The text of its `Display`, which a `main` prints that returns it.
impl fmt::Debug for SetResolverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for SetResolverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the process has a resolver already: `set_resolver` is for the beginning of `main`, once. Use \
             `ConnectOptions::resolver` for one client.",
        )
    }
}

impl Error for SetResolverError {}

impl From<SetResolverError> for io::Error {
    fn from(error: SetResolverError) -> Self {
        io::Error::new(io::ErrorKind::AlreadyExists, error)
    }
}
