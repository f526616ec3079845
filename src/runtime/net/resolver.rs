use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

/// Resolver of host names: DNS over HTTPS, a service registry, a table in a test.
///
/// Use it for one connection with [`ConnectOptions::resolver`](super::ConnectOptions::resolver), or for the whole
/// process with [`set_resolver`].
///
/// # Examples
///
/// With feature `macros`, an implementation is written as an `async fn`:
///
/// ```
/// # #[cfg(feature = "macros")]
/// # mod table {
/// use std::{collections::HashMap, io, net::{IpAddr, SocketAddr}};
///
/// use anyrt::net::Resolve;
///
/// struct Table(HashMap<String, IpAddr>);
///
/// #[anyrt::async_trait]
/// impl Resolve for Table {
///     async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
///         match self.0.get(host) {
///             Some(ip) => Ok(vec![(*ip, port).into()]),
///             None => Err(io::Error::new(io::ErrorKind::NotFound, "it is not in the table")),
///         }
///     }
/// }
/// # }
/// ```
///
/// Without it, by hand:
///
/// ```
/// use std::{io, net::{IpAddr, Ipv4Addr, SocketAddr}, pin::Pin};
///
/// use anyrt::net::Resolve;
///
/// struct Here;
///
/// impl Resolve for Here {
///     fn resolve<'life0, 'life1, 'async_trait>(
///         &'life0 self,
///         _: &'life1 str,
///         port: u16,
///     ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'async_trait>>
///     where
///         'life0: 'async_trait,
///         'life1: 'async_trait,
///         Self: 'async_trait,
///     {
///         Box::pin(async move { Ok(vec![(Ipv4Addr::LOCALHOST, port).into()]) })
///     }
/// }
/// ```
pub trait Resolve: Send + Sync + 'static {
    /// Resolves `host` to its addresses, the preferred one first. `host` is never an address: those are not resolved.
    ///
    /// The future is polled by the calling task, so it must not block; use [`spawn_blocking`](crate::spawn_blocking)
    /// for blocking calls. An error keeps its kind, and its message is extended by the name.
    ///
    /// The signature is that of `#[async_trait]`.
    fn resolve<'life0, 'life1, 'async_trait>(
        &'life0 self,
        host: &'life1 str,
        port: u16,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait;
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

    /// Returns the runtime of the process.
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

/// Sets the resolver of the process: from now on every runtime resolves names with `resolver` instead of the system.
///
/// For applications: call it once, at the beginning of `main`. A runtime with names of its own, such as one whose
/// network is in memory, keeps using its own.
///
/// # Errors
///
/// If the process has a resolver already.
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

/// Error of [`set_resolver`]: the process has a resolver already.
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
